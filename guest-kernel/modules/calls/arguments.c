// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments that the framework refuses, most of them with a warning.
 */
#include <linux/anon_inodes.h>
#include <linux/dma-direction.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

#include "calls.h"

/**
 * dmabed_expect_warning - tell whoever reads the log that this one is wanted
 * @function: where the framework warns
 */
void dmabed_expect_warning(const char *function)
{
	pr_info("dmabed-expect: %s\n", function);
}

/* ---- export ---- */

static struct sg_table *no_map(struct dma_buf_attachment *attach,
			       enum dma_data_direction direction)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void no_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		     enum dma_data_direction direction)
{
}

static int pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void unpin(struct dma_buf_attachment *attach)
{
}

static void release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops good_ops = {
	.map_dma_buf = no_map,
	.unmap_dma_buf = no_unmap,
	.release = release,
};

static int spoil(struct dma_buf_export_info *info, struct dma_buf_ops *ops,
		 u64 what)
{
	switch (what) {
	case DMABED_BAD_NONE:
		return 0;
	case DMABED_BAD_NO_PRIV:
		info->priv = NULL;
		break;
	case DMABED_BAD_NO_OPS:
		info->ops = NULL;
		break;
	case DMABED_BAD_NO_MAP:
		ops->map_dma_buf = NULL;
		break;
	case DMABED_BAD_NO_UNMAP:
		ops->unmap_dma_buf = NULL;
		break;
	case DMABED_BAD_NO_RELEASE:
		ops->release = NULL;
		break;
	case DMABED_BAD_PIN_WITHOUT_UNPIN:
		ops->pin = pin;
		break;
	case DMABED_BAD_CACHED_AND_PINNED:
		ops->pin = pin;
		ops->unpin = unpin;
		ops->cache_sgt_mapping = true;
		break;
	case DMABED_BAD_CACHED_AND_UNPINNED:
		ops->unpin = unpin;
		ops->cache_sgt_mapping = true;
		break;
	default:
		return -EINVAL;
	}
	dmabed_expect_warning("dma_buf_export");
	return 0;
}

/**
 * dmabed_call_export_bad - dma_buf_export() of something that is not whole
 * @calls: the file
 * @args: DMABED_BAD_*
 */
s64 dmabed_call_export_bad(struct dmabed_calls *calls, const u64 *args)
{
	/* the release of a file that was closed by the kernel comes later */
	static struct dma_buf_ops ops;
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	int ret;

	ops = good_ops;
	info.ops = args[0] == DMABED_BAD_NONE ? &good_ops : &ops;
	info.size = PAGE_SIZE;
	info.priv = &ops;
	ret = spoil(&info, &ops, args[0]);
	if (ret)
		return ret;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	dma_buf_put(dmabuf);
	return 0;
}

/* ---- NULL ---- */

static s64 null_fd(struct dma_buf *dmabuf)
{
	return dma_buf_fd(NULL, 0);
}

static s64 null_put(struct dma_buf *dmabuf)
{
	dma_buf_put(NULL);
	return 0;
}

static s64 null_attach(struct dma_buf *dmabuf)
{
	return PTR_ERR(dma_buf_attach(NULL, dmabed_calls_device()));
}

static s64 null_attach_device(struct dma_buf *dmabuf)
{
	return PTR_ERR(dma_buf_attach(dmabuf, NULL));
}

static s64 null_attach_notify(struct dma_buf *dmabuf)
{
	static const struct dma_buf_attach_ops empty;

	return PTR_ERR(dma_buf_dynamic_attach(dmabuf, dmabed_calls_device(),
					      &empty, NULL));
}

static s64 null_detach(struct dma_buf *dmabuf)
{
	dma_buf_detach(NULL, NULL);
	return 0;
}

static s64 null_map(struct dma_buf *dmabuf)
{
	return PTR_ERR(dma_buf_map_attachment(NULL, DMA_BIDIRECTIONAL));
}

static s64 null_map_unlocked(struct dma_buf *dmabuf)
{
	return PTR_ERR(dma_buf_map_attachment_unlocked(NULL,
						       DMA_BIDIRECTIONAL));
}

static s64 null_unmap(struct dma_buf *dmabuf)
{
	dma_buf_unmap_attachment(NULL, NULL, DMA_BIDIRECTIONAL);
	return 0;
}

static s64 null_unmap_unlocked(struct dma_buf *dmabuf)
{
	dma_buf_unmap_attachment_unlocked(NULL, NULL, DMA_BIDIRECTIONAL);
	return 0;
}

static s64 null_begin(struct dma_buf *dmabuf)
{
	return dma_buf_begin_cpu_access(NULL, DMA_BIDIRECTIONAL);
}

static s64 null_mmap(struct dma_buf *dmabuf)
{
	return dma_buf_mmap(NULL, NULL, 0);
}

static s64 null_vmap(struct dma_buf *dmabuf)
{
	struct iosys_map map;

	return dma_buf_vmap(NULL, &map);
}

static s64 null_vmap_unlocked(struct dma_buf *dmabuf)
{
	struct iosys_map map;

	return dma_buf_vmap_unlocked(NULL, &map);
}

static s64 null_vunmap(struct dma_buf *dmabuf)
{
	dma_buf_vunmap(NULL, NULL);
	return 0;
}

static s64 null_vunmap_unlocked(struct dma_buf *dmabuf)
{
	dma_buf_vunmap_unlocked(NULL, NULL);
	return 0;
}

/* ---- structures with holes ---- */

/* A buffer that was never exported. */
static s64 with_hollow_buffer(s64 (*run)(struct dma_buf *hollow))
{
	struct dma_buf *hollow = kzalloc(sizeof(*hollow), GFP_KERNEL);
	s64 ret;

	if (!hollow)
		return -ENOMEM;
	ret = run(hollow);
	kfree(hollow);
	return ret;
}

static s64 fd_of_hollow(struct dma_buf *hollow)
{
	return dma_buf_fd(hollow, 0);
}

static s64 null_fd_file(struct dma_buf *dmabuf)
{
	return with_hollow_buffer(fd_of_hollow);
}

static s64 put_hollow(struct dma_buf *hollow)
{
	dma_buf_put(hollow);
	return 0;
}

static s64 null_put_file(struct dma_buf *dmabuf)
{
	return with_hollow_buffer(put_hollow);
}

static s64 null_detach_attachment(struct dma_buf *dmabuf)
{
	dma_buf_detach(dmabuf, NULL);
	return 0;
}

static s64 null_detach_other(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment hollow = {};

	dma_buf_detach(dmabuf, &hollow);
	return 0;
}

static s64 null_map_buffer(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment hollow = {};

	return PTR_ERR(dma_buf_map_attachment(&hollow, DMA_BIDIRECTIONAL));
}

static s64 null_map_unlocked_buffer(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment hollow = {};

	return PTR_ERR(dma_buf_map_attachment_unlocked(&hollow,
						       DMA_BIDIRECTIONAL));
}

static s64 null_unmap_buffer(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment hollow = {};

	dma_buf_unmap_attachment(&hollow, NULL, DMA_BIDIRECTIONAL);
	return 0;
}

static s64 null_unmap_table(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment attachment = { .dmabuf = dmabuf };

	dma_buf_unmap_attachment(&attachment, NULL, DMA_BIDIRECTIONAL);
	return 0;
}

static s64 null_unmap_unlocked_buffer(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment hollow = {};

	dma_buf_unmap_attachment_unlocked(&hollow, NULL, DMA_BIDIRECTIONAL);
	return 0;
}

static s64 null_unmap_unlocked_table(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment attachment = { .dmabuf = dmabuf };

	dma_buf_unmap_attachment_unlocked(&attachment, NULL, DMA_BIDIRECTIONAL);
	return 0;
}

static s64 null_mmap_area(struct dma_buf *dmabuf)
{
	return dma_buf_mmap(dmabuf, NULL, 0);
}

/* ---- fences ---- */

static s64 null_fence_signal(struct dma_buf *dmabuf)
{
	return dma_fence_signal(NULL);
}

static s64 null_fence_signal_at(struct dma_buf *dmabuf)
{
	return dma_fence_signal_timestamp(NULL, 0);
}

static void no_callback(struct dma_fence *fence, struct dma_fence_cb *callback)
{
}

static s64 null_fence_callback(struct dma_buf *dmabuf)
{
	struct dma_fence_cb callback;

	return dma_fence_add_callback(NULL, &callback, no_callback);
}

static s64 with_stub(s64 (*run)(struct dma_fence *stub))
{
	struct dma_fence *stub = dma_fence_get_stub();
	s64 ret = run(stub);

	dma_fence_put(stub);
	return ret;
}

static s64 add_no_function(struct dma_fence *stub)
{
	struct dma_fence_cb callback;

	return dma_fence_add_callback(stub, &callback, NULL);
}

static s64 null_fence_callback_func(struct dma_buf *dmabuf)
{
	return with_stub(add_no_function);
}

static s64 wait_backwards(struct dma_fence *stub)
{
	return dma_fence_wait_timeout(stub, false, -1);
}

static s64 null_fence_wait(struct dma_buf *dmabuf)
{
	return with_stub(wait_backwards);
}

static s64 null_fence_wait_any(struct dma_buf *dmabuf)
{
	return dma_fence_wait_any_timeout(NULL, 1, false, 0, NULL);
}

static s64 wait_any_of_0(struct dma_fence *stub)
{
	return dma_fence_wait_any_timeout(&stub, 0, false, 0, NULL);
}

static s64 null_fence_wait_any_of_0(struct dma_buf *dmabuf)
{
	return with_stub(wait_any_of_0);
}

static s64 wait_any_backwards(struct dma_fence *stub)
{
	return dma_fence_wait_any_timeout(&stub, 1, false, -1, NULL);
}

static s64 null_fence_wait_any_time(struct dma_buf *dmabuf)
{
	return with_stub(wait_any_backwards);
}

static s64 null_resv_reserve(struct dma_buf *dmabuf)
{
	s64 ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_resv_reserve_fences(dmabuf->resv, 0);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

/* The number that the next one gets is returned, and stays free. */
static s64 null_fence_contexts(struct dma_buf *dmabuf)
{
	u64 context = dma_fence_context_alloc(0);

	return context == dma_fence_context_alloc(1) ? 0 : -EPROTO;
}

static s64 null_sync_file(struct dma_buf *dmabuf)
{
	struct dma_fence *fence = sync_file_get_fence(-1);

	dma_fence_put(fence);
	return fence ? 0 : -EINVAL;
}

static s64 refused(struct dma_fence *fence)
{
	return fence ? 0 : -EINVAL;
}

static s64 null_chain_walk(struct dma_buf *dmabuf)
{
	return refused(dma_fence_chain_walk(NULL));
}

static s64 null_chain_find(struct dma_buf *dmabuf)
{
	struct dma_fence *fence = NULL;

	return dma_fence_chain_find_seqno(&fence, 1);
}

static s64 null_unwrap(struct dma_buf *dmabuf)
{
	struct dma_fence_unwrap cursor;

	return refused(dma_fence_unwrap_first(NULL, &cursor));
}

static s64 null_array_next(struct dma_buf *dmabuf)
{
	return refused(dma_fence_array_next(NULL, 0));
}

/* ---- which is which ---- */

/**
 * struct null_call - a call without what it needs
 * @warns: the function that warns, NULL: none
 * @run: the call
 */
struct null_call {
	const char *warns;
	s64 (*run)(struct dma_buf *dmabuf);
};

static const struct null_call null_calls[] = {
	[DMABED_NULL_FD] = { NULL, null_fd },
	[DMABED_NULL_PUT] = { "dma_buf_put", null_put },
	[DMABED_NULL_ATTACH] = { "dma_buf_dynamic_attach", null_attach },
	[DMABED_NULL_ATTACH_DEVICE] = { "dma_buf_dynamic_attach",
					null_attach_device },
	[DMABED_NULL_ATTACH_NOTIFY] = { "dma_buf_dynamic_attach",
					null_attach_notify },
	[DMABED_NULL_DETACH] = { "dma_buf_detach", null_detach },
	[DMABED_NULL_MAP] = { "dma_buf_map_attachment", null_map },
	[DMABED_NULL_MAP_UNLOCKED] = { "dma_buf_map_attachment_unlocked",
				       null_map_unlocked },
	[DMABED_NULL_UNMAP] = { "dma_buf_unmap_attachment", null_unmap },
	[DMABED_NULL_UNMAP_UNLOCKED] = { "dma_buf_unmap_attachment_unlocked",
					 null_unmap_unlocked },
	[DMABED_NULL_BEGIN_CPU_ACCESS] = { "dma_buf_begin_cpu_access",
					   null_begin },
	[DMABED_NULL_MMAP] = { "dma_buf_mmap", null_mmap },
	[DMABED_NULL_VMAP] = { "dma_buf_vmap", null_vmap },
	[DMABED_NULL_VMAP_UNLOCKED] = { "dma_buf_vmap_unlocked",
					null_vmap_unlocked },
	[DMABED_NULL_VUNMAP] = { "dma_buf_vunmap", null_vunmap },
	[DMABED_NULL_VUNMAP_UNLOCKED] = { "dma_buf_vunmap_unlocked",
					  null_vunmap_unlocked },
	[DMABED_NULL_FD_FILE] = { NULL, null_fd_file },
	[DMABED_NULL_PUT_FILE] = { "dma_buf_put", null_put_file },
	[DMABED_NULL_DETACH_ATTACHMENT] = { "dma_buf_detach",
					    null_detach_attachment },
	[DMABED_NULL_DETACH_OTHER] = { "dma_buf_detach", null_detach_other },
	[DMABED_NULL_MAP_BUFFER] = { "dma_buf_map_attachment",
				     null_map_buffer },
	[DMABED_NULL_MAP_UNLOCKED_BUFFER] = { "dma_buf_map_attachment_unlocked",
					      null_map_unlocked_buffer },
	[DMABED_NULL_UNMAP_BUFFER] = { "dma_buf_unmap_attachment",
				       null_unmap_buffer },
	[DMABED_NULL_UNMAP_TABLE] = { "dma_buf_unmap_attachment",
				      null_unmap_table },
	[DMABED_NULL_UNMAP_UNLOCKED_BUFFER] = {
		"dma_buf_unmap_attachment_unlocked",
		null_unmap_unlocked_buffer,
	},
	[DMABED_NULL_UNMAP_UNLOCKED_TABLE] = {
		"dma_buf_unmap_attachment_unlocked",
		null_unmap_unlocked_table,
	},
	[DMABED_NULL_MMAP_AREA] = { "dma_buf_mmap", null_mmap_area },
	[DMABED_NULL_FENCE_SIGNAL] = { NULL, null_fence_signal },
	[DMABED_NULL_FENCE_SIGNAL_AT] = { NULL, null_fence_signal_at },
	[DMABED_NULL_FENCE_CALLBACK] = { "dma_fence_add_callback",
					 null_fence_callback },
	[DMABED_NULL_FENCE_CALLBACK_FUNC] = { "dma_fence_add_callback",
					      null_fence_callback_func },
	[DMABED_NULL_FENCE_WAIT] = { "dma_fence_wait_timeout",
				     null_fence_wait },
	[DMABED_NULL_FENCE_WAIT_ANY] = { "dma_fence_wait_any_timeout",
					 null_fence_wait_any },
	[DMABED_NULL_FENCE_WAIT_ANY_OF_0] = { "dma_fence_wait_any_timeout",
					      null_fence_wait_any_of_0 },
	[DMABED_NULL_FENCE_WAIT_ANY_TIME] = { "dma_fence_wait_any_timeout",
					      null_fence_wait_any_time },
	[DMABED_NULL_RESV_RESERVE] = { "dma_resv_reserve_fences",
				       null_resv_reserve },
	[DMABED_NULL_FENCE_CONTEXTS] = { "dma_fence_context_alloc",
					 null_fence_contexts },
	[DMABED_NULL_SYNC_FILE] = { NULL, null_sync_file },
	[DMABED_NULL_CHAIN_WALK] = { NULL, null_chain_walk },
	[DMABED_NULL_CHAIN_FIND] = { NULL, null_chain_find },
	[DMABED_NULL_UNWRAP] = { NULL, null_unwrap },
	[DMABED_NULL_ARRAY_NEXT] = { NULL, null_array_next },
};

/**
 * dmabed_call_null - a function without what it needs
 * @calls: the file
 * @args: DMABED_NULL_*
 */
s64 dmabed_call_null(struct dmabed_calls *calls, const u64 *args)
{
	const struct null_call *call;

	if (args[0] >= ARRAY_SIZE(null_calls) || !null_calls[args[0]].run)
		return -EINVAL;
	call = &null_calls[args[0]];
	if (call->warns)
		dmabed_expect_warning(call->warns);
	return call->run(calls->dmabuf);
}

/* ---- another's file ---- */

static const struct file_operations other_fops = {
	.owner = THIS_MODULE,
};

static s64 poll_other(const struct file_operations *fops, struct file *other)
{
	/* told as a number; the bits are those of poll() */
	return (__force u32)fops->poll(other, NULL);
}

static s64 poll_without_resv(const struct file_operations *fops,
			     struct file *other)
{
	struct dma_buf *hollow = kzalloc(sizeof(*hollow), GFP_KERNEL);
	s64 ret;

	if (!hollow)
		return -ENOMEM;
	other->private_data = hollow;
	ret = poll_other(fops, other);
	other->private_data = NULL;
	kfree(hollow);
	return ret;
}

static s64 run_file_op(const struct file_operations *fops, struct file *other,
		       u64 which)
{
	switch (which) {
	case DMABED_FILE_RELEASE:
		return fops->release(file_inode(other), other);
	case DMABED_FILE_MMAP:
		return fops->mmap(other, NULL);
	case DMABED_FILE_LLSEEK:
		return fops->llseek(other, 0, SEEK_END);
	case DMABED_FILE_POLL:
		return poll_other(fops, other);
	case DMABED_FILE_POLL_NO_RESV:
		return poll_without_resv(fops, other);
	default:
		return -ERANGE;
	}
}

/**
 * dmabed_call_file_op - operations of the buffer's file, on a file of another
 * @calls: the file
 * @args: DMABED_FILE_*
 */
s64 dmabed_call_file_op(struct dmabed_calls *calls, const u64 *args)
{
	struct file *other = anon_inode_getfile("dmabed-other", &other_fops,
						NULL, O_RDWR);
	s64 ret;

	if (IS_ERR(other))
		return PTR_ERR(other);
	ret = run_file_op(calls->dmabuf->file->f_op, other, args[0]);
	fput(other);
	return ret;
}
