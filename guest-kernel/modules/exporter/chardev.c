// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/dmabed-exporter
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "exporter.h"

#define KNOWN_FLAGS (DMABED_EXPORT_DYNAMIC | DMABED_EXPORT_UNCONSTRAINED | \
		     DMABED_EXPORT_HIGH | DMABED_EXPORT_NO_MMAP | \
		     DMABED_EXPORT_NO_VMAP | DMABED_EXPORT_NO_CPU_ACCESS | \
		     DMABED_EXPORT_CACHE_SGT)
/* the framework warns of it */
#define NOT_TOGETHER (DMABED_EXPORT_DYNAMIC | DMABED_EXPORT_CACHE_SGT)

/* ---- export ---- */

static int check_export(struct dmabed_export *request)
{
	if ((request->flags & NOT_TOGETHER) == NOT_TOGETHER)
		return -EINVAL;
	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_ACCEPT_ANY_SIZE) &&
	    !dmabed_length_sane(request->length))
		request->length = PAGE_SIZE;
	return dmabed_check_export(request, KNOWN_FLAGS);
}

static int fd_flags_of(const struct dmabed_export *request)
{
	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_CLOEXEC_IGNORED))
		return 0;
	return request->fd_flags & O_CLOEXEC;
}

/* The fd is given out last, by the file; until then it can be taken back. */
static long export_ioctl(unsigned long user)
{
	struct dmabed_export __user *pointer = (void __user *)user;
	struct dmabed_export request;
	struct dma_buf *dmabuf;
	u32 size;
	int ret;

	if (get_user(size, &pointer->size))
		return -EFAULT;
	if (size < DMABED_EXPORT_FIRST_SIZE)
		return -EINVAL;
	ret = copy_struct_from_user(&request, sizeof(request), pointer, size);
	if (ret)
		return ret;
	ret = check_export(&request);
	if (ret)
		return ret;
	dmabuf = dmabed_buffer_export(&request);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	request.fd = get_unused_fd_flags(fd_flags_of(&request));
	if (request.fd < 0) {
		ret = request.fd;
		goto err_put_dmabuf;
	}
	if (copy_to_user(pointer, &request, min(size, sizeof(request)))) {
		ret = -EFAULT;
		goto err_put_fd;
	}
	fd_install(request.fd, dmabuf->file);
	return 0;

err_put_fd:
	put_unused_fd(request.fd);
err_put_dmabuf:
	dma_buf_put(dmabuf);
	return ret;
}

/* ---- requests about a buffer ---- */

static struct dmabed_buffer *buffer_of(struct dmabed_backing *backing)
{
	return container_of(backing, struct dmabed_buffer, backing);
}

/* Only of this exporter's own buffers. */
static struct dmabed_backing *requests_get(int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	struct dmabed_buffer *buffer;

	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf);
	buffer = dmabed_buffer_of(dmabuf);
	if (buffer)
		return &buffer->backing;
	dma_buf_put(dmabuf);
	return ERR_PTR(-EOPNOTSUPP);
}

static void requests_put(struct dmabed_backing *backing)
{
	dma_buf_put(buffer_of(backing)->dmabuf);
}

static int requests_info(struct dmabed_backing *backing,
			 struct dmabed_buffer_info *info,
			 struct dmabed_segment *segments, u32 room)
{
	return dmabed_buffer_info(buffer_of(backing), info, segments, room);
}

static int requests_migrate(struct dmabed_backing *backing,
			    const struct dmabed_place *place)
{
	return dmabed_buffer_migrate(buffer_of(backing), place);
}

static const struct dmabed_requests requests = {
	.get = requests_get,
	.put = requests_put,
	.info = requests_info,
	.migrate = requests_migrate,
	.releases = dmabed_buffer_releases,
	.buffers = DMABED_LIVE_BUFFERS,
	.attachments = DMABED_LIVE_ATTACHMENTS,
	.mappings = DMABED_LIVE_MAPPINGS,
};

/* ---- the file ---- */

static long exporter_ioctl(struct file *file, unsigned int command,
			   unsigned long user)
{
	if (_IOC_TYPE(command) == DMABED_IOC_MAGIC &&
	    _IOC_NR(command) == _IOC_NR(DMABED_IOC_EXPORT))
		return export_ioctl(user);
	return dmabed_requests_ioctl(&requests, command, user);
}

static const struct file_operations exporter_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = exporter_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice exporter_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmabed-exporter",
	.fops = &exporter_fops,
};

/**
 * dmabed_exporter_register - make the character device
 */
int dmabed_exporter_register(void)
{
	return misc_register(&exporter_misc);
}

/**
 * dmabed_exporter_unregister - take it away
 */
void dmabed_exporter_unregister(void)
{
	misc_deregister(&exporter_misc);
}
