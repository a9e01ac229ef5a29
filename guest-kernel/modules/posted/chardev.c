// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/dmabed-posted, and /dev/dmabed-posted-off.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/stddef.h>
#include <uapi/dmabed_generations.h>

#include "posted/posted.h"

#define KNOWN_FLAGS (DMABED_EXPORT_UNCONSTRAINED | DMABED_EXPORT_HIGH | \
		     DMABED_EXPORT_NO_MMAP | DMABED_EXPORT_NO_VMAP | \
		     DMABED_EXPORT_NO_CPU_ACCESS | \
		     DMABED_EXPORT_NO_LATE_ATTACH | \
		     DMABED_EXPORT_NO_ATTACH_OPS)

/* of struct dmabed_export as it was first */
#define FIRST_SIZE offsetofend(struct dmabed_export, reserved)

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

/* The buffer behind an fd, referenced, when it is one of this exporter. */
static struct posted_buffer *buffer_get(int fd)
{
	struct posted_buf *buf = posted_buf_get(fd);
	struct posted_buffer *buffer;

	if (IS_ERR(buf))
		return ERR_CAST(buf);
	buffer = posted_buffer_of(buf);
	if (buffer)
		return buffer;
	posted_buf_put(buf);
	return ERR_PTR(-EOPNOTSUPP);
}

static int fill_info(void *buffer, struct dmabed_buffer_info *info,
		     struct dmabed_segment *segments, u32 room)
{
	return posted_buffer_info(buffer, info, segments, room);
}

static int run_info(void *context, void *argument)
{
	struct dmabed_info_source source = { .fill = fill_info };
	struct dmabed_buffer_info *info = argument;
	struct posted_buffer *buffer;
	int ret;

	if (info->flags)
		return -EINVAL;
	buffer = buffer_get(info->fd);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	source.nr_pages = buffer->backing.nr_pages;
	source.buffer = buffer;
	ret = dmabed_run_info(info, &source);
	posted_buf_put(buffer->buf);
	return ret;
}

static int run_migrate(void *context, void *argument)
{
	const struct dmabed_migrate *request = argument;
	struct posted_buffer *buffer;
	struct dmabed_place place;
	int ret;

	if (request->flags)
		return -EINVAL;
	buffer = buffer_get(request->fd);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	ret = dmabed_check_migrate(request, buffer->buf->size, &place);
	if (!ret)
		ret = posted_buffer_migrate(buffer, &place);
	posted_buf_put(buffer->buf);
	return ret;
}

static int run_stats(void *context, void *argument)
{
	struct dmabed_stats *stats = argument;

	if (stats->flags)
		return -EINVAL;
	stats->buffers = dmabed_live_count(DMABED_LIVE_POSTED_BUFFERS);
	stats->attachments = dmabed_live_count(DMABED_LIVE_POSTED_ATTACHMENTS);
	stats->mappings = dmabed_live_count(DMABED_LIVE_POSTED_LISTS);
	stats->pages = dmabed_live_count(DMABED_LIVE_PAGES);
	stats->jobs = dmabed_live_count(DMABED_LIVE_JOBS);
	stats->releases = posted_buffer_releases();
	return 0;
}

static const struct dmabed_ioctl ioctls[] = {
	{ _IOC_NR(DMABED_IOC_EXPORT), sizeof(struct dmabed_export), run_export,
	  FIRST_SIZE },
	{ _IOC_NR(DMABED_IOC_BUFFER_INFO), sizeof(struct dmabed_buffer_info),
	  run_info },
	{ _IOC_NR(DMABED_IOC_MIGRATE), sizeof(struct dmabed_migrate),
	  run_migrate },
	{ _IOC_NR(DMABED_IOC_STATS), sizeof(struct dmabed_stats), run_stats },
	{ _IOC_NR(DMABED_IOC_CALL), sizeof(struct dmabed_call),
	  posted_run_call },
};

static long posted_ioctl(struct file *file, unsigned int command,
			 unsigned long user)
{
	return dmabed_ioctl_run(ioctls, ARRAY_SIZE(ioctls), NULL, command,
				user);
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
