// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An exporter of one page with as few operations as are allowed, each of which
 * fails on request.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "calls.h"

/**
 * struct odd_buffer - what is behind a buffer
 * @ops: its own set of operations
 * @flags: DMABED_ODD_*
 * @page: its bytes
 * @calls: the file whose reservation object it has, referenced, or NULL
 * @left: an attachment that nobody detaches, or NULL
 */
struct odd_buffer {
	struct dma_buf_ops ops;
	u64 flags;
	void *page;
	struct dmabed_calls *calls;
	struct dma_buf_attachment *left;
};

/* ---- operations ---- */

static struct sg_table *map_page(struct device *device, void *page,
				 enum dma_data_direction direction)
{
	struct sg_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	int ret;

	if (!table)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(table, 1, GFP_KERNEL);
	if (ret)
		goto err_free_table;
	sg_set_buf(table->sgl, page, PAGE_SIZE);
	ret = dma_map_sgtable(device, table, direction, 0);
	if (ret)
		goto err_free_entries;
	return table;

err_free_entries:
	sg_free_table(table);
err_free_table:
	kfree(table);
	return ERR_PTR(ret);
}

static struct sg_table *map(struct dma_buf_attachment *attach,
			    enum dma_data_direction direction)
{
	struct odd_buffer *odd = attach->dmabuf->priv;

	if (odd->flags & DMABED_ODD_MAP_NULL)
		return NULL;
	if (odd->flags & DMABED_ODD_MAP_FAILS)
		return ERR_PTR(-EIO);
	return map_page(attach->dev, odd->page, direction);
}

static void unmap(struct dma_buf_attachment *attach, struct sg_table *table,
		  enum dma_data_direction direction)
{
	dma_unmap_sgtable(attach->dev, table, direction, 0);
	sg_free_table(table);
	kfree(table);
}

static int pin(struct dma_buf_attachment *attach)
{
	struct odd_buffer *odd = attach->dmabuf->priv;

	return odd->flags & DMABED_ODD_PIN_FAILS ? -EBUSY : 0;
}

static void unpin(struct dma_buf_attachment *attach)
{
}

static int vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct odd_buffer *odd = dmabuf->priv;

	if (odd->flags & DMABED_ODD_VMAP_FAILS)
		return -ENOSPC;
	if (odd->flags & DMABED_ODD_IOMEM)
		iosys_map_set_vaddr_iomem(map, (void __iomem *)odd->page);
	else
		iosys_map_set_vaddr(map, odd->page);
	return 0;
}

static void vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
}

static void free_odd(struct odd_buffer *odd)
{
	if (odd->calls)
		dmabed_calls_put(odd->calls);
	kfree(odd->left);
	free_page((unsigned long)odd->page);
	kfree(odd);
}

static void release(struct dma_buf *dmabuf)
{
	free_odd(dmabuf->priv);
}

static void choose_ops(struct dma_buf_ops *ops, u64 flags)
{
	ops->map_dma_buf = map;
	ops->unmap_dma_buf = unmap;
	ops->release = release;
	ops->cache_sgt_mapping = flags & DMABED_ODD_CACHED;
	if (flags & DMABED_ODD_DYNAMIC) {
		ops->pin = pin;
		ops->unpin = unpin;
	}
	if (!(flags & DMABED_ODD_NO_VMAP))
		ops->vmap = vmap;
	if (!(flags & DMABED_ODD_NO_VUNMAP))
		ops->vunmap = vunmap;
}

/* ---- export ---- */

static struct odd_buffer *new_odd(struct dmabed_calls *calls, u64 flags)
{
	struct odd_buffer *odd = kzalloc(sizeof(*odd), GFP_KERNEL);

	if (!odd)
		return NULL;
	odd->page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!odd->page) {
		kfree(odd);
		return NULL;
	}
	odd->flags = flags;
	choose_ops(&odd->ops, flags);
	if (flags & DMABED_ODD_OWN_RESV) {
		kref_get(&calls->kref);
		odd->calls = calls;
	}
	return odd;
}

static struct dma_buf *export(struct odd_buffer *odd, struct module *owner)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.ops = &odd->ops;
	info.size = PAGE_SIZE;
	info.priv = odd;
	info.flags = O_RDWR;
	info.owner = owner;
	if (odd->calls)
		info.resv = &odd->calls->resv;
	if (odd->flags & DMABED_ODD_NO_NAME)
		info.exp_name = NULL;
	return dma_buf_export(&info);
}

static struct dma_buf *export_for_going_module(struct odd_buffer *odd)
{
	struct module *going = kzalloc(sizeof(*going), GFP_KERNEL);
	struct dma_buf *dmabuf;

	if (!going)
		return ERR_PTR(-ENOMEM);
	going->state = MODULE_STATE_GOING;
	dmabuf = export(odd, going);
	kfree(going);
	return dmabuf;
}

/* Given back with an attachment: the framework warns, and lets go of it. */
static s64 leave_attached(struct dma_buf *dmabuf)
{
	struct odd_buffer *odd = dmabuf->priv;
	struct dma_buf_attachment *attachment;

	attachment = dma_buf_attach(dmabuf, dmabed_calls_device());
	if (!IS_ERR(attachment)) {
		odd->left = attachment;
		dmabed_expect_warning("dma_buf_release");
	}
	dma_buf_put(dmabuf);
	return PTR_ERR_OR_ZERO(attachment);
}

/**
 * dmabed_call_export - export a page
 * @calls: the file
 * @args: DMABED_ODD_*
 *
 * Return: an fd, or what came before there was one.
 */
s64 dmabed_call_export(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_buf *dmabuf;
	struct odd_buffer *odd;

	/* what is left must not be mapped */
	if (args[0] & DMABED_ODD_LEFT_ATTACHED && args[0] & DMABED_ODD_DYNAMIC)
		return -EINVAL;
	odd = new_odd(calls, args[0]);
	if (!odd)
		return -ENOMEM;
	dmabuf = args[0] & DMABED_ODD_OWNER_GOES ?
			 export_for_going_module(odd) :
			 export(odd, THIS_MODULE);
	if (IS_ERR(dmabuf)) {
		free_odd(odd);
		return PTR_ERR(dmabuf);
	}
	if (args[0] & DMABED_ODD_LEFT_ATTACHED)
		return leave_attached(dmabuf);
	return dmabed_calls_make_fd(calls, dmabuf->file);
}
