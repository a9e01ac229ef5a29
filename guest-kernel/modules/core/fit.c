// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does given storage suit a given device, without bouncing?
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pci.h>

#include "core.h"

static int add_page(struct dmabed_segments *s, struct device *dev,
		    struct page *page)
{
	dma_addr_t bus = phys_to_dma(dev, page_to_phys(page));

	if (dmabed_core_sabotaged(DMABED_CORE_IGNORE_REACH))
		return dmabed_segments_add(s, page_to_phys(page), PAGE_SIZE);
	/* this is also what a page outside of the device's windows becomes */
	if (bus == DMA_MAPPING_ERROR || !dma_capable(dev, bus, PAGE_SIZE, true))
		return -EINVAL;
	return dmabed_segments_add(s, bus, PAGE_SIZE);
}

/* Does a device reach all of a run by this bus address? */
static bool bus_reaches(struct device *dev, dma_addr_t bus, size_t bytes)
{
	return bus != DMA_MAPPING_ERROR && dma_capable(dev, bus, bytes, false);
}

static bool may_use(const struct dmabed_carveout *carveout,
		    const struct dmabed_backing_user *user)
{
	return !carveout->dev || (user->p2p && carveout->visible);
}

/**
 * dmabed_carveout_bus - where a device reaches storage in a carve-out
 * @storage: the storage
 * @user: the device
 * @bus: filled in
 *
 * dma_map_resource() does not know of bus windows (dma-ranges), so it is not
 * used here.  Behind an IOMMU the caller has to use it.
 *
 * Return: 0; -EINVAL when the device does not reach it, or must not use it.
 */
int dmabed_carveout_bus(const struct dmabed_storage *storage,
			const struct dmabed_backing_user *user,
			dma_addr_t *bus)
{
	const struct dmabed_carveout *carveout = storage->carveout;
	size_t bytes = (size_t)storage->nr_pages << PAGE_SHIFT;

	if (carveout->dev == user->dev) {
		*bus = carveout->bus + (storage->base - carveout->base);
		return 0;
	}
	*bus = phys_to_dma(user->dev, storage->base);
	return may_use(carveout, user) && bus_reaches(user->dev, *bus, bytes) ?
	       0 : -EINVAL;
}
EXPORT_SYMBOL_GPL(dmabed_carveout_bus);

/**
 * dmabed_carveout_behind_iommu - has dma_map_resource() to bring it within reach
 * @storage: storage in a carve-out
 * @user: the device
 *
 * A platform device reaches its own memory past its IOMMU.  A card reaches it,
 * as everybody does, by the bus.
 */
bool dmabed_carveout_behind_iommu(const struct dmabed_storage *storage,
				  const struct dmabed_backing_user *user)
{
	return device_iommu_mapped(user->dev) &&
	       (storage->carveout->dev != user->dev || dev_is_pci(user->dev));
}
EXPORT_SYMBOL_GPL(dmabed_carveout_behind_iommu);

/**
 * dmabed_carveout_reached - can a device use storage in a carve-out at all
 * @storage: the storage
 * @user: the device
 */
bool dmabed_carveout_reached(const struct dmabed_storage *storage,
			     const struct dmabed_backing_user *user)
{
	dma_addr_t bus;

	if (dmabed_carveout_behind_iommu(storage, user))
		return storage->carveout->dev == user->dev ||
		       may_use(storage->carveout, user);
	return !dmabed_carveout_bus(storage, user, &bus);
}

static bool carveout_fits(const struct dmabed_storage *storage,
			  const struct dmabed_backing_user *user)
{
	struct dmabed_segments s = {};
	dma_addr_t bus;

	if (!dmabed_carveout_reached(storage, user))
		return false;
	if (device_iommu_mapped(user->dev) ||
	    dmabed_carveout_bus(storage, user, &bus))
		return true;
	dmabed_list_limits_of(user->dev, &s.limits);
	return !dmabed_segments_add(&s, bus, (u64)storage->nr_pages <<
					     PAGE_SHIFT) &&
	       !dmabed_segments_finish(&s);
}

/**
 * dmabed_keeps_to - does storage keep to limits of its buffer
 * @storage: the storage
 * @own: the limits, NULL: none
 */
bool dmabed_keeps_to(const struct dmabed_storage *storage,
		     const struct dmabed_buffer_limits *own)
{
	struct dmabed_segments s = {};
	unsigned int i;
	u64 start;

	if (!own)
		return true;
	s.limits = own->list;
	for (i = 0; i < storage->nr_pages; i++) {
		start = PFN_PHYS(dmabed_storage_pfn(storage, i));
		if (start + PAGE_SIZE - 1 > own->highest ||
		    dmabed_segments_add(&s, start, PAGE_SIZE))
			return false;
	}
	return !dmabed_segments_finish(&s);
}

static bool region_allows(const struct dmabed_storage *storage,
			  struct device *dev)
{
	u64 start;
	unsigned int i;

	if (!dmabed_region_of(dev))
		return true;
	for (i = 0; i < storage->nr_pages; i++) {
		start = PFN_PHYS(dmabed_storage_pfn(storage, i));
		if (!dmabed_region_allows(dev, start, start + PAGE_SIZE - 1))
			return false;
	}
	return true;
}

/**
 * dmabed_fits - does storage suit a device
 * @storage: the storage
 * @user: the device
 *
 * Builds the list that the device would be given, and sees whether it could.
 */
bool dmabed_fits(const struct dmabed_storage *storage,
		 const struct dmabed_backing_user *user)
{
	struct device *dev = user->dev;
	struct dmabed_segments s = {};
	unsigned int i;

	if (!region_allows(storage, dev))
		return false;
	if (storage->carveout)
		return carveout_fits(storage, user);
	/* the IOMMU makes one reachable run of whatever there is */
	if (device_iommu_mapped(dev))
		return true;
	dmabed_list_limits_of(dev, &s.limits);
	for (i = 0; i < storage->nr_pages; i++)
		if (add_page(&s, dev, storage->pages[i]))
			return false;
	return !dmabed_segments_finish(&s);
}
