// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/dmabed-merged
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <uapi/dmabed_generations.h>

#include "merged/merged.h"

/* what it never has can be left out */
#define KNOWN_FLAGS (DMABED_EXPORT_UNCONSTRAINED | DMABED_EXPORT_HIGH | \
		     DMABED_EXPORT_NO_MMAP | DMABED_EXPORT_NO_VMAP | \
		     DMABED_EXPORT_NO_CPU_ACCESS | \
		     DMABED_EXPORT_NO_LATE_ATTACH | \
		     DMABED_EXPORT_NO_ATTACH_OPS)

/* of struct dmabed_export as it was first */
#define FIRST_SIZE offsetofend(struct dmabed_export, reserved)

/**
 * merged_check_export - is it a buffer that can be
 * @request: what user space asks for
 */
int merged_check_export(struct dmabed_export *request)
{
	return dmabed_check_export(request, KNOWN_FLAGS);
}

static int run_export(void *context, void *argument)
{
	struct dmabed_export *request = argument;
	struct merged_buf *buf;
	int ret = merged_check_export(request);

	if (ret)
		return ret;
	buf = merged_buffer_export(request);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	ret = merged_buf_fd(buf);
	if (ret < 0) {
		merged_buf_put(buf);
		return ret;
	}
	request->fd = ret;
	return 0;
}

/* The buffer behind an fd, referenced, when it is one of this exporter. */
static struct merged_buffer *buffer_get(int fd)
{
	struct merged_buf *buf = merged_buf_get(fd);
	struct merged_buffer *buffer;

	if (IS_ERR(buf))
		return ERR_CAST(buf);
	buffer = merged_buffer_of(buf);
	if (buffer)
		return buffer;
	merged_buf_put(buf);
	return ERR_PTR(-EOPNOTSUPP);
}

static int fill_info(void *buffer, struct dmabed_buffer_info *info,
		     struct dmabed_segment *segments, u32 room)
{
	return merged_buffer_info(buffer, info, segments, room);
}

static int run_info(void *context, void *argument)
{
	struct dmabed_info_source source = { .fill = fill_info };
	struct dmabed_buffer_info *info = argument;
	struct merged_buffer *buffer;
	int ret;

	if (info->flags)
		return -EINVAL;
	buffer = buffer_get(info->fd);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	source.nr_pages = buffer->backing.nr_pages;
	source.buffer = buffer;
	ret = dmabed_run_info(info, &source);
	merged_buf_put(buffer->buf);
	return ret;
}

static int run_migrate(void *context, void *argument)
{
	const struct dmabed_migrate *request = argument;
	struct merged_buffer *buffer;
	struct dmabed_place place;
	int ret;

	if (request->flags)
		return -EINVAL;
	buffer = buffer_get(request->fd);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	ret = dmabed_check_migrate(request, buffer->buf->size, &place);
	if (!ret)
		ret = merged_buffer_migrate(buffer, &place);
	merged_buf_put(buffer->buf);
	return ret;
}

static int run_stats(void *context, void *argument)
{
	struct dmabed_stats *stats = argument;

	if (stats->flags)
		return -EINVAL;
	stats->buffers = dmabed_live_count(DMABED_LIVE_MERGED_BUFFERS);
	stats->attachments = dmabed_live_count(DMABED_LIVE_MERGED_ATTACHMENTS);
	stats->mappings = dmabed_live_count(DMABED_LIVE_MERGED_TABLES);
	stats->pages = dmabed_live_count(DMABED_LIVE_PAGES);
	stats->jobs = dmabed_live_count(DMABED_LIVE_JOBS);
	stats->releases = merged_buffer_releases();
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
	  merged_run_call },
	{ _IOC_NR(DMABED_IOC_SELECT), sizeof(struct dmabed_select),
	  merged_run_select },
	{ _IOC_NR(DMABED_IOC_HANDLE_EXPORT),
	  sizeof(struct dmabed_handle_export), merged_run_handle_export },
	{ _IOC_NR(DMABED_IOC_FD_TO_HANDLE), sizeof(struct dmabed_handle),
	  merged_run_fd_to_handle },
	{ _IOC_NR(DMABED_IOC_HANDLE_TO_FD), sizeof(struct dmabed_handle),
	  merged_run_handle_to_fd },
	{ _IOC_NR(DMABED_IOC_HANDLE_CLOSE), sizeof(struct dmabed_handle),
	  merged_run_handle_close },
	{ _IOC_NR(DMABED_IOC_HANDLE_INFO), sizeof(struct dmabed_handle_info),
	  merged_run_handle_info },
};

/* ---- the file ---- */

static long client_ioctl(struct file *file, unsigned int command,
			 unsigned long user)
{
	return dmabed_ioctl_run(ioctls, ARRAY_SIZE(ioctls), file->private_data,
				command, user);
}

static int client_mmap(struct file *file, struct vm_area_struct *vma)
{
	return merged_mmap(file->private_data, vma);
}

static int client_open(struct inode *inode, struct file *file)
{
	struct merged_client *client = kzalloc(sizeof(*client), GFP_KERNEL);

	if (!client)
		return -ENOMEM;
	mutex_init(&client->lock);
	merged_handles_init(client);
	file->private_data = client;
	return 0;
}

static int client_release(struct inode *inode, struct file *file)
{
	struct merged_client *client = file->private_data;

	merged_handles_drop(client);
	merged_buf_put(client->selected);
	kfree(client);
	return 0;
}

static const struct file_operations merged_fops = {
	.owner = THIS_MODULE,
	.open = client_open,
	.release = client_release,
	.unlocked_ioctl = client_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = client_mmap,
};

static struct miscdevice merged_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmabed-merged",
	.fops = &merged_fops,
};

/**
 * merged_chardev_register - make the character device
 */
int merged_chardev_register(void)
{
	return misc_register(&merged_misc);
}

/**
 * merged_chardev_unregister - take it away
 */
void merged_chardev_unregister(void)
{
	misc_deregister(&merged_misc);
}
