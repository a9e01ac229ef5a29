// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device mappings.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "exporter.h"

/*
 * Bouncing has an upper size for each entry, and an entry beyond it fails as a
 * whole; for a device that reaches everything there is no such limit.
 */
static unsigned int largest_entry(struct device *dev)
{
	size_t size = min_t(size_t, dma_get_max_seg_size(dev),
			    dma_max_mapping_size(dev));

	return max_t(size_t, ALIGN_DOWN(min_t(size_t, size, UINT_MAX),
					PAGE_SIZE), PAGE_SIZE);
}

static int alloc_table(struct dmabed_device_mapping *mapping,
		       unsigned int largest)
{
	const struct dmabed_storage *storage = mapping->storage;

	return sg_alloc_table_from_pages_segment(&mapping->sgt, storage->pages,
						 storage->nr_pages, 0,
						 (u64)storage->nr_pages <<
						 PAGE_SHIFT,
						 largest, GFP_KERNEL);
}

static bool crosses_boundary(struct device *dev, struct sg_table *sgt)
{
	u64 boundary = dma_get_seg_boundary(dev);
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(sgt, sg, i) {
		u64 start = phys_to_dma(dev, sg_phys(sg)) & boundary;

		if (sg->length - 1 > boundary - start)
			return true;
	}
	return false;
}

/*
 * The DMA API takes no entry that crosses a boundary of the device.  One of a
 * page crosses none; importers join what follows each other on the bus.
 */
static int alloc_table_for(struct dmabed_device_mapping *mapping)
{
	int ret = alloc_table(mapping, largest_entry(mapping->dev));

	if (ret || !crosses_boundary(mapping->dev, &mapping->sgt))
		return ret;
	sg_free_table(&mapping->sgt);
	return alloc_table(mapping, PAGE_SIZE);
}

static int map_carveout(struct dmabed_device_mapping *mapping, size_t bytes,
			dma_addr_t *bus)
{
	const struct dmabed_storage *storage = mapping->storage;

	if (!dmabed_carveout_behind_iommu(storage, mapping->user))
		return dmabed_carveout_bus(storage, mapping->user, bus);
	*bus = dma_map_resource(mapping->dev, storage->base, bytes,
				mapping->direction, 0);
	if (dma_mapping_error(mapping->dev, *bus))
		return -EIO;
	mapping->resource = true;
	return 0;
}

/* No struct pages: an entry has its bus address and nothing else. */
static int fill_carveout_table(struct dmabed_device_mapping *mapping)
{
	size_t bytes = (size_t)mapping->storage->nr_pages << PAGE_SHIFT;
	dma_addr_t bus;
	int ret;

	ret = sg_alloc_table(&mapping->sgt, 1, GFP_KERNEL);
	if (ret)
		return ret;
	ret = map_carveout(mapping, bytes, &bus);
	if (ret) {
		sg_free_table(&mapping->sgt);
		return ret;
	}
	sg_set_page(mapping->sgt.sgl, NULL, bytes, 0);
	sg_dma_address(mapping->sgt.sgl) = bus;
	sg_dma_len(mapping->sgt.sgl) = bytes;
	return 0;
}

static int fill_table(struct dmabed_device_mapping *mapping)
{
	int ret;

	if (mapping->storage->carveout)
		return fill_carveout_table(mapping);
	ret = alloc_table_for(mapping);
	if (ret)
		return ret;
	ret = dma_map_sgtable(mapping->dev, &mapping->sgt, mapping->direction,
			      0);
	if (ret)
		sg_free_table(&mapping->sgt);
	return ret;
}

static void unmap(struct dmabed_device_mapping *mapping)
{
	struct scatterlist *sg = mapping->sgt.sgl;

	if (mapping->resource)
		dma_unmap_resource(mapping->dev, sg_dma_address(sg),
				   sg_dma_len(sg), mapping->direction, 0);
	else if (!mapping->storage->carveout)
		dma_unmap_sgtable(mapping->dev, &mapping->sgt,
				  mapping->direction, 0);
}

static struct dmabed_device_mapping *
mapping_create(struct dmabed_storage *storage,
	       const struct dmabed_backing_user *user,
	       enum dma_data_direction direction)
{
	struct dmabed_device_mapping *mapping;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	mapping->user = user;
	mapping->dev = user->dev;
	mapping->direction = direction;
	mapping->storage = storage;
	ret = fill_table(mapping);
	if (ret) {
		kfree(mapping);
		return ERR_PTR(ret);
	}
	dmabed_storage_get(storage);
	return mapping;
}

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
	mapping = mapping_create(buffer->backing.storage, attach->priv,
				 direction);
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
	unmap(mapping);
	sg_free_table(sgt);
	dmabed_storage_put(mapping->storage);
	kfree(mapping);
}

/*
 * The direction is the mapping's, not the access's: the DMA API wants the one
 * that it was mapped with, and a partial write must not lose what the device
 * wrote to the rest.
 */

/* Carve-outs are never cached and never bounced. */
static bool can_be_stale(const struct dmabed_buffer *buffer,
			 const struct dmabed_device_mapping *mapping)
{
	return mapping->storage == buffer->backing.storage &&
	       !mapping->storage->carveout;
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
		if (can_be_stale(buffer, mapping))
			dma_sync_sgtable_for_cpu(mapping->dev, &mapping->sgt,
						 mapping->direction);
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
		if (can_be_stale(buffer, mapping))
			dma_sync_sgtable_for_device(mapping->dev, &mapping->sgt,
						    mapping->direction);
}
