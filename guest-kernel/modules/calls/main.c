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

static s64 begin_cpu_access(struct dmabed_calls *calls, const u64 *args)
{
	if (!dmabed_is_direction(args[0]))
		return -EINVAL;
	return dma_buf_begin_cpu_access(calls->dmabuf, args[0]);
}

static s64 end_cpu_access(struct dmabed_calls *calls, const u64 *args)
{
	if (!dmabed_is_direction(args[0]))
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

static s64 mmap_from(struct dmabed_calls *calls, const u64 *args)
{
	calls->mmap_from = args[0];
	return 0;
}

/* ---- which call is which ---- */

/* Of the buffer that was selected. */
static const dmabed_call_fn buffer_functions[] = {
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
	[DMABED_CALL_FILE_OP] = dmabed_call_file_op,
	[DMABED_CALL_MMAP_FROM] = mmap_from,
	[DMABED_CALL_ATTACH] = dmabed_call_attach,
	[DMABED_CALL_DETACH] = dmabed_call_detach,
	[DMABED_CALL_MAP] = dmabed_call_map,
	[DMABED_CALL_UNMAP] = dmabed_call_unmap,
	[DMABED_CALL_PIN] = dmabed_call_pin,
	[DMABED_CALL_UNPIN] = dmabed_call_unpin,
	[DMABED_CALL_MOVE] = dmabed_call_move,
	[DMABED_CALL_MOVES] = dmabed_call_moves,
};

/* These take what the file itself has. */
static const dmabed_call_fn file_functions[] = {
	[DMABED_CALL_EXPORT] = dmabed_call_export,
	[DMABED_CALL_FENCE_NEW] = dmabed_call_fence_new,
	[DMABED_CALL_FENCE_STUB] = dmabed_call_fence_stub,
	[DMABED_CALL_FENCE_FROM_FD] = dmabed_call_fence_from_fd,
	[DMABED_CALL_FENCE_TO_FD] = dmabed_call_fence_to_fd,
	[DMABED_CALL_FENCE_PUT] = dmabed_call_fence_put,
	[DMABED_CALL_FENCE_SIGNAL] = dmabed_call_fence_signal,
	[DMABED_CALL_FENCE_STATUS] = dmabed_call_fence_status,
	[DMABED_CALL_FENCE_ENABLE] = dmabed_call_fence_enable,
	[DMABED_CALL_FENCE_WAIT] = dmabed_call_fence_wait,
	[DMABED_CALL_FENCE_WAIT_ANY] = dmabed_call_fence_wait_any,
	[DMABED_CALL_FENCE_SET_DEADLINE] = dmabed_call_fence_set_deadline,
	[DMABED_CALL_FENCE_DEADLINE] = dmabed_call_fence_deadline,
	[DMABED_CALL_FENCE_ADD_CALLBACK] = dmabed_call_fence_add_callback,
	[DMABED_CALL_FENCE_REMOVE_CALLBACK] = dmabed_call_fence_remove_callback,
	[DMABED_CALL_FENCE_CALLED] = dmabed_call_fence_called,
	[DMABED_CALL_FENCE_MATCH_CONTEXT] = dmabed_call_fence_match_context,
	[DMABED_CALL_FENCE_SIGNAL_AND_LOOK] = dmabed_call_fence_signal_and_look,
	[DMABED_CALL_ARRAY] = dmabed_call_array,
	[DMABED_CALL_ARRAY_ANY] = dmabed_call_array_any,
	[DMABED_CALL_CHAIN] = dmabed_call_chain,
	[DMABED_CALL_CHAIN_FIND] = dmabed_call_chain_find,
	[DMABED_CALL_CHAIN_LENGTH] = dmabed_call_chain_length,
	[DMABED_CALL_MERGE] = dmabed_call_merge,
	[DMABED_CALL_UNWRAP] = dmabed_call_unwrap,
	[DMABED_CALL_RESV_RESERVE] = dmabed_call_resv_reserve,
	[DMABED_CALL_RESV_ADD] = dmabed_call_resv_add,
	[DMABED_CALL_RESV_REPLACE] = dmabed_call_resv_replace,
	[DMABED_CALL_RESV_COPY] = dmabed_call_resv_copy,
	[DMABED_CALL_RESV_SET_DEADLINE] = dmabed_call_resv_set_deadline,
	[DMABED_CALL_RESV_TEST_SIGNALED] = dmabed_call_resv_test_signaled,
	[DMABED_CALL_RESV_WAIT] = dmabed_call_resv_wait,
	[DMABED_CALL_RESV_COUNT] = dmabed_call_resv_count,
	[DMABED_CALL_RESV_SINGLETON] = dmabed_call_resv_singleton,
	[DMABED_CALL_RESV_WALK_AND_GROW] = dmabed_call_resv_walk_and_grow,
};

static dmabed_call_fn find_in(const dmabed_call_fn *functions, size_t count,
			      u32 number)
{
	return number < count ? functions[number] : NULL;
}

/* ---- the file ---- */

static void deselect(struct dmabed_calls *calls)
{
	dmabed_calls_vunmap_all(calls);
	dmabed_calls_detach(calls);
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
	dmabed_call_fn function;

	if (call->function == DMABED_CALL_SELECT) {
		call->result = select_buffer(calls, call->fd);
		return 0;
	}
	function = find_in(file_functions, ARRAY_SIZE(file_functions),
			   call->function);
	if (!function) {
		function = find_in(buffer_functions,
				   ARRAY_SIZE(buffer_functions),
				   call->function);
		if (!function)
			return -EINVAL;
		if (!calls->dmabuf)
			return -EBADF;
	}
	call->result = function(calls, call->args);
	return 0;
}

/**
 * struct call_context - an ioctl
 * @calls: the file
 * @made: a file that it makes, or NULL
 * @fd: the number reserved for it
 */
struct call_context {
	struct dmabed_calls *calls;
	struct file *made;
	int fd;
};

/**
 * dmabed_calls_make_fd - an fd as the result of a call
 * @calls: the file
 * @file: what it is for; the reference is taken over, also when it fails
 *
 * User space has it once the result has been copied.
 */
s64 dmabed_calls_make_fd(struct dmabed_calls *calls, struct file *file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0) {
		fput(file);
		return fd;
	}
	calls->made = file;
	calls->made_fd = fd;
	return fd;
}

static int run_call(void *data, void *argument)
{
	struct call_context *context = data;
	struct dmabed_calls *calls = context->calls;
	struct dmabed_call *call = argument;
	int ret;

	if (call->flags)
		return -EINVAL;
	mutex_lock(&calls->lock);
	ret = call_locked(calls, call);
	context->made = calls->made;
	context->fd = calls->made_fd;
	calls->made = NULL;
	mutex_unlock(&calls->lock);
	return ret;
}

static const struct dmabed_ioctl ioctls[] = {
	{ _IOC_NR(DMABED_IOC_CALL), sizeof(struct dmabed_call), run_call },
};

static long calls_ioctl(struct file *file, unsigned int command,
			unsigned long user)
{
	struct call_context context = { .calls = file->private_data };
	long ret = dmabed_ioctl_run(ioctls, ARRAY_SIZE(ioctls), &context,
				    command, user);

	if (context.made && !ret)
		fd_install(context.fd, context.made);
	if (context.made && ret) {
		put_unused_fd(context.fd);
		fput(context.made);
	}
	return ret;
}

static int calls_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dmabed_calls *calls = file->private_data;
	int ret = -EBADF;

	mutex_lock(&calls->lock);
	if (calls->dmabuf)
		ret = dma_buf_mmap(calls->dmabuf, vma,
				   calls->mmap_from + vma->vm_pgoff);
	calls->mmap_from = 0;
	mutex_unlock(&calls->lock);
	return ret;
}

static int calls_open(struct inode *inode, struct file *file)
{
	struct dmabed_calls *calls = kzalloc(sizeof(*calls), GFP_KERNEL);

	if (!calls)
		return -ENOMEM;
	kref_init(&calls->kref);
	mutex_init(&calls->lock);
	dma_resv_init(&calls->resv);
	calls->context = dma_fence_context_alloc(1);
	file->private_data = calls;
	return 0;
}

static void free_calls(struct kref *kref)
{
	struct dmabed_calls *calls = container_of(kref, struct dmabed_calls,
						  kref);

	dma_resv_fini(&calls->resv);
	kfree(calls);
}

/**
 * dmabed_calls_put - drop a reference
 * @calls: the file, which may be closed
 */
void dmabed_calls_put(struct dmabed_calls *calls)
{
	kref_put(&calls->kref, free_calls);
}

static int calls_release(struct inode *inode, struct file *file)
{
	struct dmabed_calls *calls = file->private_data;
	unsigned int slot;

	deselect(calls);
	for (slot = 0; slot < DMABED_FENCE_SLOTS; slot++)
		dmabed_fence_store(calls, slot, NULL);
	dmabed_calls_put(calls);
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

MODULE_DESCRIPTION("dmabed: calls functions of dma-buf and fences on request");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
