// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments that the framework refuses, most of them with a warning.
 */
#include <linux/dma-direction.h>
#include <linux/err.h>
#include <linux/module.h>

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
