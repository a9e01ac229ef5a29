// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The framework: a buffer is a file; attachments are a list; map and unmap are
 * done under the buffer's mutex.
 */
#include <linux/anon_inodes.h>
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "merged/merged.h"

/* ---- the file ---- */

static int buf_release(struct inode *inode, struct file *file)
{
	struct merged_buf *buf = file->private_data;
	struct module *owner = buf->ops->owner;

	buf->ops->release(buf);
	mutex_destroy(&buf->lock);
	kfree(buf);
	module_put(owner);
	return 0;
}

/* No mmap, no poll, no ioctl: an fd can be passed and closed. */
static const struct file_operations buf_fops = {
	.owner = THIS_MODULE,
	.release = buf_release,
};

static int sabotaged_mmap(struct file *file, struct vm_area_struct *vma)
{
	return 0;
}

static const struct file_operations buf_fops_with_mmap = {
	.owner = THIS_MODULE,
	.mmap = sabotaged_mmap,
	.release = buf_release,
};

static bool is_ours(const struct file *file)
{
	return file->f_op == &buf_fops || file->f_op == &buf_fops_with_mmap;
}

/* An inode of its own, as taking pages out of processes goes by inode. */
static struct file *make_file(struct merged_buf *buf, int flags)
{
	const struct file_operations *fops = &buf_fops;

	if (merged_sabotaged(MERGED_HAS_MMAP))
		fops = &buf_fops_with_mmap;
	if (merged_alloc_fails())
		return ERR_PTR(-ENFILE);
	return anon_inode_create_getfile("[dmabed-merged]", fops, buf,
					 flags & O_ACCMODE, NULL);
}

/* ---- export ---- */

static struct merged_buf *buf_alloc(void *priv,
				    const struct merged_buf_ops *ops,
				    size_t size)
{
	struct merged_buf *buf = merged_alloc_fails() ?
				 NULL : kzalloc(sizeof(*buf), GFP_KERNEL);

	if (!buf)
		return NULL;
	buf->priv = priv;
	buf->ops = ops;
	buf->size = size;
	mutex_init(&buf->lock);
	INIT_LIST_HEAD(&buf->attachments);
	return buf;
}

/**
 * merged_buf_export - make a buffer and its file
 * @priv: for the exporter, not NULL
 * @ops: the exporter; map, unmap and release are needed
 * @size: bytes, not 0
 * @flags: O_ACCMODE bits of the file
 *
 * Return: the buffer with one reference; -EINVAL when something is missing;
 * -ENOENT when the exporter's module is going; -ENOMEM; -ENFILE.
 */
struct merged_buf *merged_buf_export(void *priv,
				     const struct merged_buf_ops *ops,
				     size_t size, int flags)
{
	struct merged_buf *buf;
	int ret = -ENOENT;

	if (!priv || !ops || !size || !ops->map || !ops->unmap || !ops->release)
		return ERR_PTR(-EINVAL);
	buf = buf_alloc(priv, ops, size);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	if (!try_module_get(ops->owner))
		goto err_free_buf;
	buf->file = make_file(buf, flags);
	if (IS_ERR(buf->file)) {
		ret = PTR_ERR(buf->file);
		goto err_put_owner;
	}
	return buf;

err_put_owner:
	module_put(ops->owner);
err_free_buf:
	kfree(buf);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(merged_buf_export);

/* ---- fd and references ---- */

/**
 * merged_buf_fd - a file descriptor for a buffer
 * @buf: the buffer, whose reference the fd takes over
 *
 * It has no close-on-exec: there were no flags before 3.4.
 *
 * Return: the fd, in the caller's table already; -EINVAL without a buffer;
 * -EMFILE, and the reference is still the caller's.
 */
int merged_buf_fd(struct merged_buf *buf)
{
	int fd;

	if (!buf || !buf->file)
		return -EINVAL;
	fd = get_unused_fd_flags(0);
	if (fd < 0)
		return fd;
	fd_install(fd, buf->file);
	return fd;
}
EXPORT_SYMBOL_GPL(merged_buf_fd);

/**
 * merged_buf_get - the buffer behind an fd
 * @fd: the fd
 *
 * Return: the buffer, with one reference more; -EBADF when it is no fd, -EINVAL
 * when it is an fd of anything else.
 */
struct merged_buf *merged_buf_get(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (!is_ours(file)) {
		fput(file);
		return ERR_PTR(-EINVAL);
	}
	return file->private_data;
}
EXPORT_SYMBOL_GPL(merged_buf_get);

/**
 * merged_buf_put - a reference less; the last one calls the exporter's release
 * @buf: the buffer; NULL: nothing is done
 */
void merged_buf_put(struct merged_buf *buf)
{
	if (buf)
		fput(buf->file);
}
EXPORT_SYMBOL_GPL(merged_buf_put);

/* ---- attach ---- */

static struct merged_attachment *attachment_alloc(struct merged_buf *buf,
						  struct device *dev)
{
	struct merged_attachment *attach = merged_alloc_fails() ?
		NULL : kzalloc(sizeof(*attach), GFP_KERNEL);

	if (!attach)
		return NULL;
	attach->buf = buf;
	attach->dev = dev;
	return attach;
}

/**
 * merged_buf_attach - a device begins to use a buffer
 * @buf: the buffer
 * @dev: the device
 *
 * Return: the attachment; -EINVAL when something is missing; -ENOMEM; what the
 * exporter said, and then nothing stays behind.
 */
struct merged_attachment *merged_buf_attach(struct merged_buf *buf,
					    struct device *dev)
{
	struct merged_attachment *attach;
	int ret = 0;

	if (!buf || !dev)
		return ERR_PTR(-EINVAL);
	attach = attachment_alloc(buf, dev);
	if (!attach)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&buf->lock);
	if (buf->ops->attach)
		ret = buf->ops->attach(buf, dev, attach);
	if (!ret)
		list_add_tail(&attach->node, &buf->attachments);
	mutex_unlock(&buf->lock);
	if (ret) {
		kfree(attach);
		return ERR_PTR(ret);
	}
	/* not in 3.3: put and detach may come in any order */
	get_file(buf->file);
	dmabed_live_add(DMABED_LIVE_MERGED_ATTACHMENTS, 1);
	return attach;
}
EXPORT_SYMBOL_GPL(merged_buf_attach);

static bool in_list(struct merged_buf *buf,
		    const struct merged_attachment *attach)
{
	const struct merged_attachment *other;

	lockdep_assert_held(&buf->lock);
	list_for_each_entry(other, &buf->attachments, node)
		if (other == attach)
			return true;
	return false;
}

/**
 * merged_buf_detach - a device has done with a buffer
 * @buf: the buffer
 * @attach: its attachment, which is freed; one of another buffer is left alone
 */
void merged_buf_detach(struct merged_buf *buf,
		       struct merged_attachment *attach)
{
	bool ours;

	if (!buf || !attach)
		return;
	mutex_lock(&buf->lock);
	ours = in_list(buf, attach);
	if (ours) {
		list_del(&attach->node);
		if (buf->ops->detach)
			buf->ops->detach(buf, attach);
	}
	mutex_unlock(&buf->lock);
	if (!ours)
		return;
	fput(buf->file);
	kfree(attach);
	dmabed_live_add(DMABED_LIVE_MERGED_ATTACHMENTS, -1);
}
EXPORT_SYMBOL_GPL(merged_buf_detach);

/* ---- tables ---- */

static bool may_map(const struct merged_attachment *attach)
{
	return in_list(attach->buf, attach) ||
	       merged_sabotaged(MERGED_TABLE_WITHOUT_ATTACH);
}

/**
 * merged_map_attachment - begin an access
 * @attach: the attachment
 * @direction: of the transfers
 *
 * Return: the table, mapped for the device; -EINVAL without an attachment; what
 * the exporter said.
 */
struct sg_table *merged_map_attachment(struct merged_attachment *attach,
				       enum dma_data_direction direction)
{
	struct sg_table *table = ERR_PTR(-EINVAL);
	struct merged_buf *buf;

	if (!attach || !attach->buf)
		return table;
	buf = attach->buf;
	mutex_lock(&buf->lock);
	if (may_map(attach))
		table = buf->ops->map(attach, direction);
	mutex_unlock(&buf->lock);
	return table;
}
EXPORT_SYMBOL_GPL(merged_map_attachment);

/**
 * merged_unmap_attachment - end an access
 * @attach: the attachment
 * @table: as it was mapped
 */
void merged_unmap_attachment(struct merged_attachment *attach,
			     struct sg_table *table)
{
	if (!attach || !attach->buf || IS_ERR_OR_NULL(table))
		return;
	mutex_lock(&attach->buf->lock);
	attach->buf->ops->unmap(attach, table);
	mutex_unlock(&attach->buf->lock);
}
EXPORT_SYMBOL_GPL(merged_unmap_attachment);
