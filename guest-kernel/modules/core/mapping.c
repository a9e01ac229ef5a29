// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Storage mapped for a device, as exporters of every generation hand it out.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "core.h"

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

static int map_carveout(struct dmabed_device_mapping *mapping,
			const struct dmabed_backing_user *user, size_t bytes,
			dma_addr_t *bus)
{
	const struct dmabed_storage *storage = mapping->storage;

	if (!dmabed_carveout_behind_iommu(storage, user))
		return dmabed_carveout_bus(storage, user, bus);
	*bus = dma_map_resource(mapping->dev, storage->base, bytes,
				mapping->direction, 0);
	if (dma_mapping_error(mapping->dev, *bus))
		return -EIO;
	mapping->resource = true;
	return 0;
}

/* No struct pages: an entry has its bus address and nothing else. */
static int fill_carveout_table(struct dmabed_device_mapping *mapping,
			       const struct dmabed_backing_user *user)
{
	size_t bytes = (size_t)mapping->storage->nr_pages << PAGE_SHIFT;
	dma_addr_t bus;
	int ret;

	ret = sg_alloc_table(&mapping->sgt, 1, GFP_KERNEL);
	if (ret)
		return ret;
	ret = map_carveout(mapping, user, bytes, &bus);
	if (ret) {
		sg_free_table(&mapping->sgt);
		return ret;
	}
	sg_set_page(mapping->sgt.sgl, NULL, bytes, 0);
	sg_dma_address(mapping->sgt.sgl) = bus;
	sg_dma_len(mapping->sgt.sgl) = bytes;
	return 0;
}

static int fill_table(struct dmabed_device_mapping *mapping,
		      const struct dmabed_backing_user *user)
{
	int ret;

	if (mapping->storage->carveout)
		return fill_carveout_table(mapping, user);
	ret = alloc_table_for(mapping);
	if (ret)
		return ret;
	ret = dma_map_sgtable(mapping->dev, &mapping->sgt, mapping->direction,
			      0);
	if (ret)
		sg_free_table(&mapping->sgt);
	return ret;
}

/**
 * dmabed_device_mapping_create - map storage for a device
 * @storage: the storage, which the mapping keeps
 * @user: the device
 * @direction: of the transfers
 *
 * Return: the mapping, in no list; -ENOMEM; what the DMA API said.
 */
struct dmabed_device_mapping *
dmabed_device_mapping_create(struct dmabed_storage *storage,
			     const struct dmabed_backing_user *user,
			     enum dma_data_direction direction)
{
	struct dmabed_device_mapping *mapping;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	mapping->dev = user->dev;
	mapping->direction = direction;
	mapping->storage = storage;
	ret = fill_table(mapping, user);
	if (ret) {
		kfree(mapping);
		return ERR_PTR(ret);
	}
	dmabed_storage_get(storage);
	return mapping;
}
EXPORT_SYMBOL_GPL(dmabed_device_mapping_create);

/* Carve-outs are never cached and never bounced. */
static bool through_dma_api(const struct dmabed_device_mapping *mapping)
{
	return !mapping->storage->carveout;
}

/**
 * dmabed_device_mapping_destroy - end a mapping
 * @mapping: the mapping, in no list any more
 * @direction: as it was mapped, which a generation may not know
 *
 * What a bounced device wrote goes to the storage that was mapped, even where
 * the buffer has moved on.
 */
void dmabed_device_mapping_destroy(struct dmabed_device_mapping *mapping,
				   enum dma_data_direction direction)
{
	struct scatterlist *sg = mapping->sgt.sgl;

	if (mapping->resource)
		dma_unmap_resource(mapping->dev, sg_dma_address(sg),
				   sg_dma_len(sg), direction, 0);
	else if (through_dma_api(mapping))
		dma_unmap_sgtable(mapping->dev, &mapping->sgt, direction, 0);
	sg_free_table(&mapping->sgt);
	dmabed_storage_put(mapping->storage);
	kfree(mapping);
}
EXPORT_SYMBOL_GPL(dmabed_device_mapping_destroy);

/*
 * The direction is the mapping's, not the access's: the DMA API wants the one
 * that it was mapped with, and a partial write must not lose what the device
 * wrote to the rest.
 */

/**
 * dmabed_device_mapping_sync_for_cpu - bring what the device wrote
 * @mapping: the mapping
 */
void dmabed_device_mapping_sync_for_cpu(struct dmabed_device_mapping *mapping)
{
	if (through_dma_api(mapping))
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->sgt,
					 mapping->direction);
}
EXPORT_SYMBOL_GPL(dmabed_device_mapping_sync_for_cpu);

/**
 * dmabed_device_mapping_sync_for_device - show the device what the CPU wrote
 * @mapping: the mapping
 */
void dmabed_device_mapping_sync_for_device(struct dmabed_device_mapping *mapping)
{
	if (through_dma_api(mapping))
		dma_sync_sgtable_for_device(mapping->dev, &mapping->sgt,
					    mapping->direction);
}
EXPORT_SYMBOL_GPL(dmabed_device_mapping_sync_for_device);
