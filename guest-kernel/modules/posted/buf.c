// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The framework: a buffer is a file; attachments are a list.
 *
 * Each posted_defect() brings back what the posted text does, where it is wrong.
 */
#include <linux/anon_inodes.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/panic.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "posted/posted.h"

/* The posted text has a BUG_ON() at such places. */
static void crash_if(enum posted_defect which, bool condition)
{
	if (posted_defect(which) && condition)
		panic("dmabed-posted: an argument is missing\n");
}

/* ---- the file ---- */

static bool beyond_end(const struct posted_buf *buf, struct vm_area_struct *vma)
{
	u64 pages = PAGE_ALIGN(buf->size) >> PAGE_SHIFT;

	if (posted_defect(POSTED_MMAP_UNBOUNDED))
		return false;
	return vma->vm_pgoff > pages || vma_pages(vma) > pages - vma->vm_pgoff;
}

static int buf_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct posted_buf *buf = file->private_data;

	if (!buf->ops->mmap || beyond_end(buf, vma))
		return -EINVAL;
	return buf->ops->mmap(buf, vma);
}

static int buf_release(struct inode *inode, struct file *file)
{
	struct posted_buf *buf = file->private_data;
	struct module *owner = buf->owner;

	buf->ops->release(buf);
	mutex_destroy(&buf->lock);
	kfree(buf);
	module_put(owner);
	return 0;
}

static const struct file_operations buf_fops = {
	.owner = THIS_MODULE,
	.mmap = buf_mmap,
	.release = buf_release,
};

/* As posted: nobody keeps the code behind a buffer. */
static const struct file_operations buf_fops_no_owner = {
	.mmap = buf_mmap,
	.release = buf_release,
};

static bool is_ours(const struct file *file)
{
	return file->f_op == &buf_fops || file->f_op == &buf_fops_no_owner;
}

/* An inode of its own, as taking pages out of processes goes by inode. */
static struct file *make_file(struct posted_buf *buf, int flags)
{
	const struct file_operations *fops = &buf_fops;

	if (posted_defect(POSTED_NO_OWNER))
		fops = &buf_fops_no_owner;
	if (posted_alloc_fails())
		return ERR_PTR(-ENFILE);
	return anon_inode_create_getfile("[dmabed-posted]", fops, buf,
					 flags & O_ACCMODE, NULL);
}

/* ---- export ---- */

static bool ops_complete(const struct posted_buf_ops *ops)
{
	if (posted_defect(POSTED_OPS_UNCHECKED))
		return true;
	return ops->get_scatterlist && ops->put_scatterlist && ops->release &&
	       !ops->sync_sg_for_cpu == !ops->sync_sg_for_device;
}

static bool export_sane(const void *priv, const struct posted_buf_ops *ops,
			size_t size)
{
	crash_if(POSTED_EXPORT_BUG_ON, !priv || !ops);
	return priv && ops && size && ops_complete(ops);
}

static struct posted_buf *buf_alloc(void *priv,
				    const struct posted_buf_ops *ops,
				    size_t size)
{
	struct posted_buf *buf = posted_alloc_fails() ?
				 NULL : kzalloc(sizeof(*buf), GFP_KERNEL);

	if (!buf)
		return NULL;
	buf->priv = priv;
	buf->ops = ops;
	if (!posted_defect(POSTED_SIZE_UNSET))
		buf->size = size;
	mutex_init(&buf->lock);
	INIT_LIST_HEAD(&buf->attachments);
	buf->exporting = current->tgid;
	if (!posted_defect(POSTED_NO_OWNER))
		buf->owner = ops->owner;
	return buf;
}

/**
 * posted_buf_export - make a buffer and its file
 * @priv: for the exporter, not NULL
 * @ops: the exporter; get_scatterlist, put_scatterlist and release are needed
 * @size: bytes, not 0; the text has no such argument
 * @flags: O_ACCMODE bits of the file
 *
 * On an error release is not called.
 *
 * Return: the buffer with one reference, which is the caller's; -EINVAL when
 * something is missing; -ENOENT when the exporter's module is going; -ENOMEM;
 * -ENFILE. The text says NULL when there is no memory.
 */
struct posted_buf *posted_buf_export(void *priv,
				     const struct posted_buf_ops *ops,
				     size_t size, int flags)
{
	struct posted_buf *buf;
	int ret;

	if (!export_sane(priv, ops, size))
		return ERR_PTR(-EINVAL);
	buf = buf_alloc(priv, ops, size);
	if (!buf)
		return posted_defect(POSTED_EXPORT_RETURNS_NULL) ?
		       NULL : ERR_PTR(-ENOMEM);
	if (!try_module_get(buf->owner)) {
		ret = -ENOENT;
		goto err_free_buf;
	}
	buf->file = make_file(buf, flags);
	if (IS_ERR(buf->file) && !posted_defect(POSTED_ANON_FILE_UNCHECKED)) {
		ret = PTR_ERR(buf->file);
		goto err_put_owner;
	}
	return buf;

err_put_owner:
	module_put(buf->owner);
err_free_buf:
	kfree(buf);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(posted_buf_export);

/* ---- fd and references ---- */

/**
 * posted_buf_fd - a file descriptor for a buffer
 * @buf: the buffer
 * @flags: 0 or O_CLOEXEC; the text has no such argument
 *
 * The fd has a reference of its own. In the text it takes over that of the
 * export, so that a second fd has none.
 *
 * Return: the fd, in the caller's table already; -EINVAL without a buffer;
 * -EMFILE.
 */
int posted_buf_fd(struct posted_buf *buf, int flags)
{
	int fd;

	if (!buf && !posted_defect(POSTED_FD_UNCHECKED))
		return -EINVAL;
	if (!buf->file)
		return -EINVAL;
	if (posted_defect(POSTED_FD_WITHOUT_CLOEXEC))
		flags = 0;
	fd = get_unused_fd_flags(flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	if (!posted_defect(POSTED_FD_STEALS_REFERENCE))
		get_file(buf->file);
	fd_install(fd, buf->file);
	return fd;
}
EXPORT_SYMBOL_GPL(posted_buf_fd);

static int swapped(int error)
{
	if (!posted_sabotaged(POSTED_ERRORS_SWAPPED))
		return error;
	return error == -EBADF ? -EINVAL : -EBADF;
}

static bool may_get(const struct file *file)
{
	const struct posted_buf *buf = file->private_data;

	return !posted_sabotaged(POSTED_OTHER_PROCESS_REFUSED) ||
	       buf->exporting == current->tgid;
}

/**
 * posted_buf_get - the buffer behind an fd
 * @fd: the fd
 *
 * Return: the buffer, with one reference more; -EBADF when it is no fd, -EINVAL
 * when it is an fd of anything else.
 */
struct posted_buf *posted_buf_get(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(swapped(-EBADF));
	if (!is_ours(file) || !may_get(file)) {
		fput(file);
		return ERR_PTR(swapped(-EINVAL));
	}
	return file->private_data;
}
EXPORT_SYMBOL_GPL(posted_buf_get);

/**
 * posted_buf_put - a reference less; the last one calls the exporter's release
 * @buf: the buffer; NULL: nothing is done
 */
void posted_buf_put(struct posted_buf *buf)
{
	crash_if(POSTED_PUT_BUG_ON, !buf);
	if (buf && !posted_sabotaged(POSTED_PUT_KEEPS))
		fput(buf->file);
}
EXPORT_SYMBOL_GPL(posted_buf_put);

/* ---- attach ---- */

static struct posted_attachment *attachment_alloc(struct posted_buf *buf,
						  struct device *dev)
{
	struct posted_attachment *attach = posted_alloc_fails() ?
		NULL : kzalloc(sizeof(*attach), GFP_KERNEL);

	if (!attach)
		return NULL;
	attach->dev = dev;
	if (!posted_defect(POSTED_ATTACH_DMABUF_UNSET))
		attach->buf = buf;
	return attach;
}

static int ask_exporter(struct posted_buf *buf, struct posted_attachment *attach)
{
	int ret = 0;

	lockdep_assert_held(&buf->lock);
	if (buf->ops->attach)
		ret = buf->ops->attach(buf, attach->dev, attach);
	if (posted_sabotaged(POSTED_ATTACH_ERROR_LOST))
		ret = 0;
	return ret;
}

/* As posted, only an exporter that has an attach is asked wrongly. */
static bool refused(const struct posted_buf *buf, int ret)
{
	if (posted_defect(POSTED_ATTACH_INVERTED_TEST))
		return buf->ops->attach && !ret;
	return ret;
}

/* The attachment knows its reference: a defect may come or go meanwhile. */
static void keep_buffer(struct posted_attachment *attach,
			struct posted_buf *buf)
{
	if (!posted_defect(POSTED_ATTACH_WITHOUT_REFERENCE))
		attach->file = get_file(buf->file);
}

static void unkeep_buffer(struct posted_attachment *attach)
{
	if (attach->file)
		fput(attach->file);
}

/**
 * posted_buf_attach - a device begins to use a buffer
 * @buf: the buffer
 * @dev: the device
 *
 * The attachment keeps the buffer, so that put and detach may come in any
 * order; in the text it does not.
 *
 * Return: the attachment; -EINVAL when something is missing; -ENOMEM; what the
 * exporter said, and then nothing stays behind. The text says that it may be
 * NULL.
 */
struct posted_attachment *posted_buf_attach(struct posted_buf *buf,
					    struct device *dev)
{
	struct posted_attachment *attach;
	bool taken;
	int ret;

	crash_if(POSTED_ATTACH_BUG_ON, !buf || !dev);
	if (!buf || !dev)
		return ERR_PTR(-EINVAL);
	attach = attachment_alloc(buf, dev);
	if (!attach)
		return posted_defect(POSTED_ATTACH_RETURNS_NULL) ?
		       NULL : ERR_PTR(-ENOMEM);
	mutex_lock(&buf->lock);
	ret = ask_exporter(buf, attach);
	taken = !refused(buf, ret);
	if (taken)
		list_add_tail(&attach->node, &buf->attachments);
	mutex_unlock(&buf->lock);
	if (!taken) {
		kfree(attach);
		return ERR_PTR(ret);
	}
	keep_buffer(attach, buf);
	dmabed_live_add(DMABED_LIVE_POSTED_ATTACHMENTS, 1);
	return attach;
}
EXPORT_SYMBOL_GPL(posted_buf_attach);

static bool in_list(struct posted_buf *buf,
		    const struct posted_attachment *attach)
{
	const struct posted_attachment *other;

	lockdep_assert_held(&buf->lock);
	list_for_each_entry(other, &buf->attachments, node)
		if (other == attach)
			return true;
	return false;
}

static bool detach_locked(struct posted_buf *buf,
			  struct posted_attachment *attach)
{
	lockdep_assert_held(&buf->lock);
	if (!in_list(buf, attach) && !posted_defect(POSTED_DETACH_UNCHECKED))
		return false;
	list_del(&attach->node);
	if (buf->ops->detach)
		buf->ops->detach(buf, attach);
	return true;
}

/**
 * posted_buf_detach - a device has done with a buffer
 * @buf: the buffer
 * @attach: its attachment, which is freed; one of another buffer is left alone
 *
 * Ends all lists that the attachment still has.
 */
void posted_buf_detach(struct posted_buf *buf,
		       struct posted_attachment *attach)
{
	bool done;

	crash_if(POSTED_DETACH_BUG_ON, !buf || !attach);
	if (!buf || !attach)
		return;
	mutex_lock(&buf->lock);
	done = detach_locked(buf, attach);
	mutex_unlock(&buf->lock);
	if (!done)
		return;
	unkeep_buffer(attach);
	if (posted_sabotaged(POSTED_LEAK_ATTACHMENT))
		return;
	kfree(attach);
	dmabed_live_add(DMABED_LIVE_POSTED_ATTACHMENTS, -1);
}
EXPORT_SYMBOL_GPL(posted_buf_detach);

/* ---- lists ---- */

static bool is_attached(struct posted_attachment *attach)
{
	bool attached;

	if (!attach || !attach->buf)
		return false;
	mutex_lock(&attach->buf->lock);
	attached = in_list(attach->buf, attach);
	mutex_unlock(&attach->buf->lock);
	return attached || posted_sabotaged(POSTED_LIST_WITHOUT_ATTACH);
}

/**
 * posted_get_scatterlist - begin an access
 * @attach: the attachment
 * @direction: of the transfers
 * @nents: filled in: entries of the list, as DMA sees them
 *
 * In the text users call the operation; this refuses it without an attachment.
 *
 * Return: the list, mapped for the device; -EINVAL without an attachment; -EINTR
 * when the wait for others was interrupted; what the exporter said. The text
 * does not say what an error looks like.
 */
struct scatterlist *posted_get_scatterlist(struct posted_attachment *attach,
					   enum dma_data_direction direction,
					   int *nents)
{
	struct scatterlist *list = ERR_PTR(-EINVAL);

	*nents = 0;
	if (is_attached(attach))
		list = attach->buf->ops->get_scatterlist(attach, direction,
							 nents);
	if (IS_ERR(list) && posted_defect(POSTED_GET_RETURNS_NULL))
		return NULL;
	return list;
}
EXPORT_SYMBOL_GPL(posted_get_scatterlist);

/**
 * posted_put_scatterlist - end an access
 * @attach: the attachment
 * @list: as it was got
 * @nents: likewise
 */
void posted_put_scatterlist(struct posted_attachment *attach,
			    struct scatterlist *list, int nents)
{
	if (!attach || !attach->buf || IS_ERR_OR_NULL(list))
		return;
	attach->buf->ops->put_scatterlist(attach, list, nents);
}
EXPORT_SYMBOL_GPL(posted_put_scatterlist);

/* ---- CPU ---- */

static bool can_sync(const struct posted_buf *buf)
{
	return buf->ops->sync_sg_for_cpu ||
	       posted_defect(POSTED_SYNC_UNCHECKED);
}

/**
 * posted_sync_for_cpu - the CPU is going to look
 * @buf: the buffer
 * @dev: a device that has lists
 *
 * Return: 0; -EINVAL when the exporter does not do it.
 */
int posted_sync_for_cpu(struct posted_buf *buf, struct device *dev)
{
	if (!can_sync(buf))
		return -EINVAL;
	if (!posted_sabotaged(POSTED_SYNC_DOES_NOTHING))
		buf->ops->sync_sg_for_cpu(buf, dev);
	return 0;
}
EXPORT_SYMBOL_GPL(posted_sync_for_cpu);

/**
 * posted_sync_for_device - the device is going to look
 * @buf: the buffer
 * @dev: a device that has lists
 *
 * Return: as posted_sync_for_cpu().
 */
int posted_sync_for_device(struct posted_buf *buf, struct device *dev)
{
	if (!can_sync(buf))
		return -EINVAL;
	if (!posted_sabotaged(POSTED_SYNC_DOES_NOTHING))
		buf->ops->sync_sg_for_device(buf, dev);
	return 0;
}
EXPORT_SYMBOL_GPL(posted_sync_for_device);
