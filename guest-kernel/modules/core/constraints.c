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
#include <linux/of_reserved_mem.h>
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

/**
 * dmabed_buffer_limits_init - what was asked for a buffer itself
 * @limits: filled in
 * @request: what user space asked for, already checked
 */
void dmabed_buffer_limits_init(struct dmabed_buffer_limits *limits,
			       const struct dmabed_export *request)
{
	limits->highest = request->highest ?: U64_MAX;
	list_limits_none(&limits->list);
	limits->list.max_size = request->max_segment_size ?: U64_MAX;
	limits->list.max_segments = request->max_segments ?: U32_MAX;
	limits->list.alignment = request->alignment ?: 1;
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

/* ---- reach ---- */

/* The CPU addresses behind one window of the device's bus, as far as it reaches. */
static void region_window(const struct bus_dma_region *region, u64 limit,
			  struct dmabed_window *window)
{
	u64 last = min(region->dma_start + region->size - 1, limit);

	window->first = region->cpu_start;
	window->last = region->cpu_start + (last - region->dma_start);
	/* all of it is beyond the mask: a window that holds nothing */
	if (region->dma_start > limit)
		*window = (struct dmabed_window){ .first = 1, .last = 0 };
}

/*
 * Window number @index of those that a device reaches by; false behind the last.
 * Whoever asks counts from 0, as the end of the table is known by its entry.
 */
static bool device_window(struct device *dev, unsigned int index,
			  struct dmabed_window *window)
{
	u64 limit = min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
	const struct bus_dma_region *map = dev->dma_range_map;

	/* an IOMMU brings every page within reach */
	if (device_iommu_mapped(dev) ||
	    dmabed_core_sabotaged(DMABED_CORE_IGNORE_REACH)) {
		*window = (struct dmabed_window){ .last = U64_MAX };
		return !index;
	}
	if (!map) {
		*window = (struct dmabed_window){ .last = limit };
		return !index;
	}
	if (!map[index].size)
		return false;
	region_window(&map[index], limit, window);
	return true;
}

static bool device_reaches(struct device *dev, u64 first, u64 last)
{
	struct dmabed_window window;
	unsigned int i;

	if (!dmabed_region_allows(dev, first, last))
		return false;
	for (i = 0; device_window(dev, i, &window); i++)
		if (first >= window.first && last <= window.last)
			return true;
	return false;
}

/**
 * dmabed_constraints_collate - what several devices and a buffer ask for
 * @c: filled in
 * @users: the devices, kept by the caller as long as @c; NULL: none
 * @own: the buffer's limits, likewise
 */
void dmabed_constraints_collate(struct dmabed_constraints *c,
				const struct list_head *users,
				const struct dmabed_buffer_limits *own)
{
	c->users = users;
	c->own = own;
	if (dmabed_core_sabotaged(DMABED_CORE_IGNORE_BUFFER_LIMITS))
		c->own = NULL;
}

/**
 * dmabed_constraints_reach - do all devices reach all of a range, and may it be
 * @c: constraints
 * @first: first byte, CPU physical address
 * @last: last byte
 */
bool dmabed_constraints_reach(const struct dmabed_constraints *c,
			      u64 first, u64 last)
{
	struct dmabed_backing_user *user;

	if (c->own && last > c->own->highest)
		return false;
	if (!c->users)
		return true;
	list_for_each_entry(user, c->users, node)
		if (!device_reaches(user->dev, first, last))
			return false;
	return true;
}

/**
 * dmabed_constraints_region - where storage has to come from
 * @c: constraints
 *
 * Return: what one of the devices asks for, NULL when none does. Where another
 * one asks for something else there is no place that all reach.
 */
struct reserved_mem *
dmabed_constraints_region(const struct dmabed_constraints *c)
{
	struct dmabed_backing_user *user;
	struct reserved_mem *region;

	if (!c->users)
		return NULL;
	list_for_each_entry(user, c->users, node) {
		region = dmabed_region_of(user->dev);
		if (region)
			return region;
	}
	return NULL;
}

/* Does a run of so many bytes from @start on end by @last, and is it reached? */
static bool run_reached(const struct dmabed_constraints *c, u64 start,
			u64 last, u64 bytes)
{
	return start <= last && last - start >= bytes - 1 &&
	       dmabed_constraints_reach(c, start, start + bytes - 1);
}

/**
 * dmabed_constraints_hold - is there a run in a range that all devices reach
 * @c: constraints
 * @first: first byte of the range, CPU physical address
 * @last: its last byte
 * @bytes: length of the run, not 0
 *
 * If there is any, one begins where the range does, or the region or a window of
 * a device.
 */
bool dmabed_constraints_hold(const struct dmabed_constraints *c, u64 first,
			     u64 last, u64 bytes)
{
	const struct reserved_mem *region = dmabed_constraints_region(c);
	struct dmabed_backing_user *user;
	struct dmabed_window window;
	unsigned int i;

	if (run_reached(c, first, last, bytes) ||
	    (region && region->base > first &&
	     run_reached(c, region->base, last, bytes)))
		return true;
	if (!c->users)
		return false;
	list_for_each_entry(user, c->users, node)
		for (i = 0; device_window(user->dev, i, &window); i++)
			if (window.first > first &&
			    run_reached(c, window.first, last, bytes))
				return true;
	return false;
}
