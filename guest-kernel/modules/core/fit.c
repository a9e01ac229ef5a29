// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does given storage suit a given device, without bouncing?
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/mm.h>

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

/**
 * dmabed_fits - does storage suit a device
 * @storage: the storage
 * @dev: the device
 *
 * Builds the list that the device would be given, and sees whether it could.
 */
bool dmabed_fits(const struct dmabed_storage *storage, struct device *dev)
{
	struct dmabed_segments s = {};
	unsigned int i;

	/* the IOMMU makes one reachable run of whatever there is */
	if (device_iommu_mapped(dev))
		return true;
	dmabed_list_limits_of(dev, &s.limits);
	for (i = 0; i < storage->nr_pages; i++)
		if (add_page(&s, dev, storage->pages[i]))
			return false;
	return !dmabed_segments_finish(&s);
}
