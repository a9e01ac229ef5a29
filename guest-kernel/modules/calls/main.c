// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/dmabed-calls, and which call is which.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "calls.h"
#include "core/core.h"

static struct platform_device *device;

/**
 * dmabed_calls_device - the device that attaches
 */
struct device *dmabed_calls_device(void)
{
	return &device->dev;
}

/* ---- small calls ---- */

static bool is_direction(u64 direction)
{
	return direction <= DMA_FROM_DEVICE;
}

static s64 begin_cpu_access(struct dmabed_calls *calls, const u64 *args)
{
	if (!is_direction(args[0]))
		return -EINVAL;
	return dma_buf_begin_cpu_access(calls->dmabuf, args[0]);
}

static s64 end_cpu_access(struct dmabed_calls *calls, const u64 *args)
{
	if (!is_direction(args[0]))
		return -EINVAL;
	return dma_buf_end_cpu_access(calls->dmabuf, args[0]);
}

static s64 is_dynamic(struct dmabed_calls *calls, const u64 *args)
{
	return dma_buf_is_dynamic(calls->dmabuf);
}

/* By how much get_dma_buf() raises the count, and dma_buf_put() lowers it. */
static s64 references(struct dmabed_calls *calls, const u64 *args)
{
	long before = file_count(calls->dmabuf->file);
	long between;

	get_dma_buf(calls->dmabuf);
	between = file_count(calls->dmabuf->file);
	dma_buf_put(calls->dmabuf);
	if (file_count(calls->dmabuf->file) != before)
		return -EIO;
	return between - before;
}

static const dmabed_call_fn functions[] = {
	[DMABED_CALL_VMAP] = dmabed_call_vmap,
	[DMABED_CALL_VUNMAP] = dmabed_call_vunmap,
	[DMABED_CALL_VMAP_UNLOCKED] = dmabed_call_vmap_unlocked,
	[DMABED_CALL_VUNMAP_UNLOCKED] = dmabed_call_vunmap_unlocked,
	[DMABED_CALL_VMAP_FILL] = dmabed_call_vmap_fill,
	[DMABED_CALL_VMAP_COMPARE] = dmabed_call_vmap_compare,
	[DMABED_CALL_VMAP_IS_IOMEM] = dmabed_call_vmap_is_iomem,
	[DMABED_CALL_BEGIN_CPU_ACCESS] = begin_cpu_access,
	[DMABED_CALL_END_CPU_ACCESS] = end_cpu_access,
	[DMABED_CALL_IS_DYNAMIC] = is_dynamic,
	[DMABED_CALL_ATTACHMENT_IS_DYNAMIC] = dmabed_call_attachment_is_dynamic,
	[DMABED_CALL_MAP_UNLOCKED] = dmabed_call_map_unlocked,
	[DMABED_CALL_REFERENCES] = references,
	[DMABED_CALL_EXPORT_BAD] = dmabed_call_export_bad,
	[DMABED_CALL_NULL] = dmabed_call_null,
	[DMABED_CALL_PIN_STATIC] = dmabed_call_pin_static,
};

/* ---- the file ---- */

static void deselect(struct dmabed_calls *calls)
{
	dmabed_calls_vunmap_all(calls);
	if (calls->dmabuf)
		dma_buf_put(calls->dmabuf);
	calls->dmabuf = NULL;
}

static s64 select_buffer(struct dmabed_calls *calls, int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	deselect(calls);
	calls->dmabuf = dmabuf;
	return 0;
}

static int call_locked(struct dmabed_calls *calls, struct dmabed_call *call)
{
	if (call->function == DMABED_CALL_SELECT) {
		call->result = select_buffer(calls, call->fd);
		return 0;
	}
	if (call->function >= ARRAY_SIZE(functions) ||
	    !functions[call->function])
		return -EINVAL;
	if (!calls->dmabuf)
		return -EBADF;
	call->result = functions[call->function](calls, call->args);
	return 0;
}

static int run_call(void *context, void *argument)
{
	struct dmabed_calls *calls = context;
	struct dmabed_call *call = argument;
	int ret;

	if (call->flags)
		return -EINVAL;
	mutex_lock(&calls->lock);
	ret = call_locked(calls, call);
	mutex_unlock(&calls->lock);
	return ret;
}

static const struct dmabed_ioctl ioctls[] = {
	{ _IOC_NR(DMABED_IOC_CALL), sizeof(struct dmabed_call), run_call },
};

static long calls_ioctl(struct file *file, unsigned int command,
			unsigned long user)
{
	return dmabed_ioctl_run(ioctls, ARRAY_SIZE(ioctls), file->private_data,
				command, user);
}

static int calls_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dmabed_calls *calls = file->private_data;
	int ret = -EBADF;

	mutex_lock(&calls->lock);
	if (calls->dmabuf)
		ret = dma_buf_mmap(calls->dmabuf, vma, vma->vm_pgoff);
	mutex_unlock(&calls->lock);
	return ret;
}

static int calls_open(struct inode *inode, struct file *file)
{
	struct dmabed_calls *calls = kzalloc(sizeof(*calls), GFP_KERNEL);

	if (!calls)
		return -ENOMEM;
	mutex_init(&calls->lock);
	file->private_data = calls;
	return 0;
}

static int calls_release(struct inode *inode, struct file *file)
{
	struct dmabed_calls *calls = file->private_data;

	deselect(calls);
	kfree(calls);
	return 0;
}

static const struct file_operations calls_fops = {
	.owner = THIS_MODULE,
	.open = calls_open,
	.release = calls_release,
	.unlocked_ioctl = calls_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = calls_mmap,
};

static struct miscdevice calls_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmabed-calls",
	.fops = &calls_fops,
};

/* ---- the module ---- */

static int __init calls_init(void)
{
	int ret;

	device = platform_device_register_simple("dmabed-calls",
						 PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	ret = dma_set_mask_and_coherent(&device->dev, DMA_BIT_MASK(64));
	if (!ret)
		ret = misc_register(&calls_misc);
	if (ret)
		platform_device_unregister(device);
	return ret;
}
module_init(calls_init);

static void __exit calls_exit(void)
{
	misc_deregister(&calls_misc);
	platform_device_unregister(device);
}
module_exit(calls_exit);

MODULE_DESCRIPTION("dmabed: calls functions of dma-buf on request");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
