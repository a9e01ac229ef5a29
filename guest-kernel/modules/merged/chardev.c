// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/dmabed-merged
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <uapi/dmabed_generations.h>

#include "merged/merged.h"

/* what it never has can be left out */
#define KNOWN_FLAGS (DMABED_EXPORT_UNCONSTRAINED | DMABED_EXPORT_HIGH | \
		     DMABED_EXPORT_NO_MMAP | DMABED_EXPORT_NO_VMAP | \
		     DMABED_EXPORT_NO_CPU_ACCESS | \
		     DMABED_EXPORT_NO_LATE_ATTACH | \
		     DMABED_EXPORT_NO_ATTACH_OPS)

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

/* ---- requests about a buffer ---- */

static struct merged_buffer *buffer_of(struct dmabed_backing *backing)
{
	return container_of(backing, struct merged_buffer, backing);
}

/* Only of this exporter's own buffers. */
static struct dmabed_backing *requests_get(int fd)
{
	struct merged_buf *buf = merged_buf_get(fd);
	struct merged_buffer *buffer;

	if (IS_ERR(buf))
		return ERR_CAST(buf);
	buffer = merged_buffer_of(buf);
	if (buffer)
		return &buffer->backing;
	merged_buf_put(buf);
	return ERR_PTR(-EOPNOTSUPP);
}

static void requests_put(struct dmabed_backing *backing)
{
	merged_buf_put(buffer_of(backing)->buf);
}

static int requests_info(struct dmabed_backing *backing,
			 struct dmabed_buffer_info *info,
			 struct dmabed_segment *segments, u32 room)
{
	return merged_buffer_info(buffer_of(backing), info, segments, room);
}

static int requests_migrate(struct dmabed_backing *backing,
			    const struct dmabed_place *place)
{
	return merged_buffer_migrate(buffer_of(backing), place);
}

static const struct dmabed_requests requests = {
	.get = requests_get,
	.put = requests_put,
	.info = requests_info,
	.migrate = requests_migrate,
	.releases = merged_buffer_releases,
	.buffers = DMABED_LIVE_MERGED_BUFFERS,
	.attachments = DMABED_LIVE_MERGED_ATTACHMENTS,
	.mappings = DMABED_LIVE_MERGED_TABLES,
};

static const struct dmabed_ioctl ioctls[] = {
	{ _IOC_NR(DMABED_IOC_EXPORT), sizeof(struct dmabed_export), run_export,
	  DMABED_EXPORT_FIRST_SIZE },
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
	long ret = dmabed_ioctl_run(ioctls, ARRAY_SIZE(ioctls),
				    file->private_data, command, user);

	if (ret == -ENOTTY)
		ret = dmabed_requests_ioctl(&requests, command, user);
	return ret;
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
