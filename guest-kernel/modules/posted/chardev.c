// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/dmabed-posted, and /dev/dmabed-posted-off.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <uapi/dmabed_generations.h>

#include "posted/posted.h"

#define KNOWN_FLAGS (DMABED_EXPORT_UNCONSTRAINED | DMABED_EXPORT_HIGH | \
		     DMABED_EXPORT_NO_MMAP | DMABED_EXPORT_NO_VMAP | \
		     DMABED_EXPORT_NO_CPU_ACCESS | \
		     DMABED_EXPORT_NO_LATE_ATTACH | \
		     DMABED_EXPORT_NO_ATTACH_OPS)

/* The fd holds the buffer; as posted it does by taking our reference. */
static int give_fd(struct posted_buf *buf, int flags)
{
	int fd = posted_buf_fd(buf, flags);

	if (fd < 0 || !posted_defect(POSTED_FD_STEALS_REFERENCE))
		posted_buf_put(buf);
	return fd;
}

static int run_export(void *context, void *argument)
{
	struct dmabed_export *request = argument;
	struct posted_buf *buf;
	int ret = dmabed_check_export(request, KNOWN_FLAGS);

	if (ret)
		return ret;
	buf = posted_buffer_export(request);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	ret = give_fd(buf, request->fd_flags);
	if (ret < 0)
		return ret;
	request->fd = ret;
	return 0;
}

/* ---- requests about a buffer ---- */

static struct posted_buffer *buffer_of(struct dmabed_backing *backing)
{
	return container_of(backing, struct posted_buffer, backing);
}

/* Only of this exporter's own buffers. */
static struct dmabed_backing *requests_get(int fd)
{
	struct posted_buf *buf = posted_buf_get(fd);
	struct posted_buffer *buffer;

	if (IS_ERR(buf))
		return ERR_CAST(buf);
	buffer = posted_buffer_of(buf);
	if (buffer)
		return &buffer->backing;
	posted_buf_put(buf);
	return ERR_PTR(-EOPNOTSUPP);
}

static void requests_put(struct dmabed_backing *backing)
{
	posted_buf_put(buffer_of(backing)->buf);
}

static int requests_info(struct dmabed_backing *backing,
			 struct dmabed_buffer_info *info,
			 struct dmabed_segment *segments, u32 room)
{
	return posted_buffer_info(buffer_of(backing), info, segments, room);
}

static int requests_migrate(struct dmabed_backing *backing,
			    const struct dmabed_place *place)
{
	return posted_buffer_migrate(buffer_of(backing), place);
}

static const struct dmabed_requests requests = {
	.get = requests_get,
	.put = requests_put,
	.info = requests_info,
	.migrate = requests_migrate,
	.releases = posted_buffer_releases,
	.buffers = DMABED_LIVE_POSTED_BUFFERS,
	.attachments = DMABED_LIVE_POSTED_ATTACHMENTS,
	.mappings = DMABED_LIVE_POSTED_LISTS,
};

static const struct dmabed_ioctl ioctls[] = {
	{ _IOC_NR(DMABED_IOC_EXPORT), sizeof(struct dmabed_export), run_export,
	  DMABED_EXPORT_FIRST_SIZE },
	{ _IOC_NR(DMABED_IOC_CALL), sizeof(struct dmabed_call),
	  posted_run_call },
};

static long posted_ioctl(struct file *file, unsigned int command,
			 unsigned long user)
{
	long ret = dmabed_ioctl_run(ioctls, ARRAY_SIZE(ioctls), NULL, command,
				    user);

	if (ret == -ENOTTY)
		ret = dmabed_requests_ioctl(&requests, command, user);
	return ret;
}

static const struct file_operations posted_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = posted_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice posted_misc = {
	.minor = MISC_DYNAMIC_MINOR,
#ifdef DMABED_POSTED_OFF
	.name = "dmabed-posted-off",
#else
	.name = "dmabed-posted",
#endif
	.fops = &posted_fops,
};

/**
 * posted_chardev_register - make the character device
 */
int posted_chardev_register(void)
{
	return misc_register(&posted_misc);
}

/**
 * posted_chardev_unregister - take it away
 */
void posted_chardev_unregister(void)
{
	misc_deregister(&posted_misc);
}
