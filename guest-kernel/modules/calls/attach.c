// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attachments that live as long as the call.
 */
#include <linux/dma-resv.h>
#include <linux/err.h>

#include "calls.h"

static void move_notify(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops dynamic_ops = {
	.move_notify = move_notify,
};

static struct dma_buf_attachment *attach(struct dmabed_calls *calls,
					 bool dynamic)
{
	if (!dynamic)
		return dma_buf_attach(calls->dmabuf, dmabed_calls_device());
	return dma_buf_dynamic_attach(calls->dmabuf, dmabed_calls_device(),
				      &dynamic_ops, calls);
}

/**
 * dmabed_call_attachment_is_dynamic - dma_buf_attachment_is_dynamic()
 * @calls: the file
 * @args: attach dynamically, or not
 */
s64 dmabed_call_attachment_is_dynamic(struct dmabed_calls *calls,
				      const u64 *args)
{
	struct dma_buf_attachment *attachment = attach(calls, args[0]);
	bool dynamic;

	if (IS_ERR(attachment))
		return PTR_ERR(attachment);
	dynamic = dma_buf_attachment_is_dynamic(attachment);
	dma_buf_detach(calls->dmabuf, attachment);
	return dynamic;
}

/**
 * dmabed_call_map_unlocked - the unlocked forms of map and unmap
 * @calls: the file
 * @args: enum dma_data_direction
 *
 * Return: entries of the mapping.
 */
s64 dmabed_call_map_unlocked(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_buf_attachment *attachment;
	struct sg_table *sgt;
	s64 ret;

	if (args[0] > DMA_FROM_DEVICE)
		return -EINVAL;
	attachment = attach(calls, false);
	if (IS_ERR(attachment))
		return PTR_ERR(attachment);
	sgt = dma_buf_map_attachment_unlocked(attachment, args[0]);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
	} else {
		ret = sgt->nents;
		dma_buf_unmap_attachment_unlocked(attachment, sgt, args[0]);
	}
	dma_buf_detach(calls->dmabuf, attachment);
	return ret;
}

/**
 * dmabed_call_pin_static - what only dynamic importers may do
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_pin_static(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_buf_attachment *attachment = attach(calls, false);
	int ret;

	if (IS_ERR(attachment))
		return PTR_ERR(attachment);
	dma_resv_lock(calls->dmabuf->resv, NULL);
	dmabed_expect_warning("dma_buf_pin");
	ret = dma_buf_pin(attachment);
	if (!ret) {
		dmabed_expect_warning("dma_buf_unpin");
		dma_buf_unpin(attachment);
	}
	dma_resv_unlock(calls->dmabuf->resv);
	dma_buf_detach(calls->dmabuf, attachment);
	return ret;
}
