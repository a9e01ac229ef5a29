// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device mappings.
 */
#include "exporter.h"

/**
 * dmabed_map_dma_buf - have storage that suits the device, and map it
 * @attach: the attachment
 * @direction: of the transfers
 *
 * Allocates and migrates, so it may wait for fences, interruptibly.
 */
struct sg_table *dmabed_map_dma_buf(struct dma_buf_attachment *attach,
				    enum dma_data_direction direction)
{
	struct dmabed_buffer *buffer = attach->dmabuf->priv;
	struct dmabed_device_mapping *mapping;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);
	ret = dmabed_backing_place(&buffer->backing, attach->priv);
	if (ret)
		return ERR_PTR(ret);
	mapping = dmabed_device_mapping_create(buffer->backing.storage,
					       attach->priv, direction);
	if (IS_ERR(mapping))
		return ERR_CAST(mapping);
	list_add_tail(&mapping->node, &buffer->mappings);
	dmabed_live_add(DMABED_LIVE_MAPPINGS, 1);
	return &mapping->sgt;
}

/**
 * dmabed_unmap_dma_buf - end a mapping
 * @attach: the attachment
 * @sgt: the mapping
 * @direction: as mapped
 *
 * What a bounced device wrote goes to the storage that was mapped, which the
 * mapping has kept, even where the buffer has moved on.
 */
void dmabed_unmap_dma_buf(struct dma_buf_attachment *attach,
			  struct sg_table *sgt,
			  enum dma_data_direction direction)
{
	struct dmabed_device_mapping *mapping =
		container_of(sgt, struct dmabed_device_mapping, sgt);

	dma_resv_assert_held(attach->dmabuf->resv);
	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_LEAK_MAPPING))
		return;
	dmabed_live_add(DMABED_LIVE_MAPPINGS, -1);
	list_del(&mapping->node);
	dmabed_device_mapping_destroy(mapping, mapping->direction);
}

/**
 * dmabed_sync_for_cpu - bring what devices wrote into the storage
 * @buffer: the buffer
 */
void dmabed_sync_for_cpu(struct dmabed_buffer *buffer)
{
	struct dmabed_device_mapping *mapping;

	dma_resv_assert_held(buffer->dmabuf->resv);
	list_for_each_entry(mapping, &buffer->mappings, node)
		if (mapping->storage == buffer->backing.storage)
			dmabed_device_mapping_sync_for_cpu(mapping);
}

/**
 * dmabed_sync_for_device - show devices what the CPU wrote
 * @buffer: the buffer
 */
void dmabed_sync_for_device(struct dmabed_buffer *buffer)
{
	struct dmabed_device_mapping *mapping;

	dma_resv_assert_held(buffer->dmabuf->resv);
	list_for_each_entry(mapping, &buffer->mappings, node)
		if (mapping->storage == buffer->backing.storage)
			dmabed_device_mapping_sync_for_device(mapping);
}
