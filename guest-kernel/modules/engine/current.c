// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's own dma-buf as a generation like the others (core/importer.h).
 */
#include <linux/dma-resv.h>

#include "engine.h"

static void *current_get(int fd)
{
	return dma_buf_get(fd);
}

static void current_put(void *buffer)
{
	dma_buf_put(buffer);
}

static size_t current_size(void *buffer)
{
	return ((struct dma_buf *)buffer)->size;
}

static struct dma_resv *current_resv(void *buffer)
{
	return ((struct dma_buf *)buffer)->resv;
}

/* ---- attachments ---- */

static void move_notify(struct dma_buf_attachment *attach)
{
	if (!dmabed_engine_sabotaged(DMABED_ENGINE_STALE_MAPPING))
		dmabed_attachment_forget(attach->importer_priv);
}

static const struct dma_buf_attach_ops dynamic_ops = {
	.move_notify = move_notify,
};

static const struct dma_buf_attach_ops p2p_ops = {
	.allow_peer2peer = true,
	.move_notify = move_notify,
};

static const struct dma_buf_attach_ops *ops_of(u32 flags)
{
	if (flags & DMABED_ATTACH_P2P)
		return &p2p_ops;
	return flags & DMABED_ATTACH_DYNAMIC ? &dynamic_ops : NULL;
}

static void *current_attach(void *buffer, struct device *dev, u32 flags,
			    void *priv)
{
	return dma_buf_dynamic_attach(buffer, dev, ops_of(flags), priv);
}

static void current_detach(void *buffer, void *attach)
{
	dma_buf_detach(buffer, attach);
}

/* ---- mappings; all under the reservation lock ---- */

static struct sg_table *current_map(void *attach,
				    enum dma_data_direction direction)
{
	return dma_buf_map_attachment(attach, direction);
}

static void current_unmap(void *attach, struct sg_table *sgt,
			  enum dma_data_direction direction)
{
	dma_buf_unmap_attachment(attach, sgt, direction);
}

static int current_pin(void *attach)
{
	if (!dma_buf_attachment_is_dynamic(attach))
		return -EINVAL;
	return dma_buf_pin(attach);
}

static void current_unpin(void *attach)
{
	dma_buf_unpin(attach);
}

const struct dmabed_importer dmabed_current = {
	.lasting = true,
	.get = current_get,
	.put = current_put,
	.size = current_size,
	.resv = current_resv,
	.attach = current_attach,
	.detach = current_detach,
	.map = current_map,
	.unmap = current_unmap,
	.pin = current_pin,
	.unpin = current_unpin,
};
