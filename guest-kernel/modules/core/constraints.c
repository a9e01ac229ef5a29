// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What devices ask for.
 *
 * The DMA API tells the address width, the bus windows, the largest segment and
 * the boundary of a device.  Segment count, start alignment and length granule
 * have no field there, so drivers register them here.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "core.h"

struct registered_limits {
	struct list_head node;
	struct device *dev;
	struct dmabed_limits limits;
};

static LIST_HEAD(registry);
static DEFINE_MUTEX(registry_lock);

/**
 * dmabed_limits_register - tell the limits that the DMA API has no field for
 * @dev: the device
 * @limits: its limits, copied
 *
 * Return: 0 or -ENOMEM.
 */
int dmabed_limits_register(struct device *dev,
			   const struct dmabed_limits *limits)
{
	struct registered_limits *entry = kzalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry)
		return -ENOMEM;
	entry->dev = dev;
	entry->limits = *limits;

	mutex_lock(&registry_lock);
	list_add(&entry->node, &registry);
	mutex_unlock(&registry_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(dmabed_limits_register);

static struct registered_limits *registry_find(struct device *dev)
{
	struct registered_limits *entry;

	lockdep_assert_held(&registry_lock);
	list_for_each_entry(entry, &registry, node)
		if (entry->dev == dev)
			return entry;
	return NULL;
}

/**
 * dmabed_limits_unregister - forget the limits of a device
 * @dev: the device
 */
void dmabed_limits_unregister(struct device *dev)
{
	struct registered_limits *entry;

	mutex_lock(&registry_lock);
	entry = registry_find(dev);
	if (entry)
		list_del(&entry->node);
	mutex_unlock(&registry_lock);
	kfree(entry);
}
EXPORT_SYMBOL_GPL(dmabed_limits_unregister);

static void list_limits_none(struct dmabed_list_limits *limits)
{
	limits->max_size = U64_MAX;
	limits->boundary = U64_MAX;
	limits->max_segments = U32_MAX;
	limits->alignment = 1;
	limits->granule = 1;
}

static void list_limits_registered(struct device *dev,
				   struct dmabed_list_limits *limits)
{
	struct registered_limits *entry;

	mutex_lock(&registry_lock);
	entry = registry_find(dev);
	if (entry) {
		limits->max_segments = entry->limits.max_segments ?: U32_MAX;
		limits->alignment = entry->limits.alignment;
		limits->granule = entry->limits.granule;
	}
	mutex_unlock(&registry_lock);
}

/**
 * dmabed_list_limits_of - what a segment list for one device has to keep to
 * @dev: the device
 * @limits: filled in
 */
void dmabed_list_limits_of(struct device *dev,
			   struct dmabed_list_limits *limits)
{
	list_limits_none(limits);
	if (dmabed_core_sabotaged(DMABED_CORE_IGNORE_LIST_LIMITS))
		return;
	list_limits_registered(dev, limits);
	/*
	 * Where a driver set no largest segment the DMA API answers 64 KiB, a
	 * convention of block requests that says nothing of the device.
	 */
	if (dev->dma_parms && dev->dma_parms->max_segment_size)
		limits->max_size = dma_get_max_seg_size(dev);
	/* as much as the field holds: no limit */
	if (limits->max_size == UINT_MAX)
		limits->max_size = U64_MAX;
	limits->boundary = dma_get_seg_boundary(dev);
}
EXPORT_SYMBOL_GPL(dmabed_list_limits_of);

static void window_push(struct dmabed_constraints *c, u64 first, u64 last)
{
	if (first > last || c->nr_windows == DMABED_MAX_WINDOWS)
		return;
	c->windows[c->nr_windows].first = first;
	c->windows[c->nr_windows].last = last;
	c->nr_windows++;
}

/* The CPU addresses behind one window of the device's bus, as far as it reaches. */
static void region_push(struct dmabed_constraints *c,
			const struct bus_dma_region *region, u64 limit)
{
	u64 last = min(region->dma_start + region->size - 1, limit);

	if (region->dma_start <= limit)
		window_push(c, region->cpu_start,
			    region->cpu_start + (last - region->dma_start));
}

static void device_windows(struct device *dev, struct dmabed_constraints *c)
{
	u64 limit = min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
	const struct bus_dma_region *region = dev->dma_range_map;

	c->nr_windows = 0;
	/* an IOMMU brings every page within reach */
	if (device_iommu_mapped(dev)) {
		window_push(c, 0, U64_MAX);
		return;
	}
	if (!region) {
		window_push(c, 0, limit);
		return;
	}
	for (; region->size; region++)
		region_push(c, region, limit);
}

static void windows_intersect(struct dmabed_constraints *c,
			      const struct dmabed_constraints *with)
{
	struct dmabed_constraints old = *c;
	unsigned int i, j;

	c->nr_windows = 0;
	for (i = 0; i < old.nr_windows; i++)
		for (j = 0; j < with->nr_windows; j++)
			window_push(c, max(old.windows[i].first,
					   with->windows[j].first),
				    min(old.windows[i].last,
					with->windows[j].last));
}

/**
 * dmabed_constraints_collate - what several devices ask for
 * @c: filled in
 * @users: the devices, kept by the caller as long as @c; NULL: none
 */
void dmabed_constraints_collate(struct dmabed_constraints *c,
				const struct list_head *users)
{
	struct dmabed_backing_user *user;
	struct dmabed_constraints one;

	c->nr_windows = 0;
	c->users = users;
	window_push(c, 0, U64_MAX);
	if (!users || dmabed_core_sabotaged(DMABED_CORE_IGNORE_REACH))
		return;
	list_for_each_entry(user, users, node) {
		device_windows(user->dev, &one);
		windows_intersect(c, &one);
	}
}

/**
 * dmabed_constraints_reach - do all devices reach all of a range
 * @c: constraints
 * @first: first byte, CPU physical address
 * @last: last byte
 */
bool dmabed_constraints_reach(const struct dmabed_constraints *c,
			      u64 first, u64 last)
{
	unsigned int i;

	for (i = 0; i < c->nr_windows; i++)
		if (first >= c->windows[i].first && last <= c->windows[i].last)
			return true;
	return false;
}
