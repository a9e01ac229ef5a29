// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reserved memory that a device names as its memory-region: what it is given has
 * to come from there.
 *
 * A pool (no-map) is a carve-out; a reusable area belongs to CMA, which allocates
 * from it for a device of ours that has it assigned.  The default area asks for
 * nothing: who names it says where its driver's own memory is from.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

/**
 * dmabed_region_is_pool - is the memory-region of a device a pool
 * @dev: the device
 *
 * The DMA API would hand out its memory a second time if it were assigned.
 */
bool dmabed_region_is_pool(struct device *dev)
{
	struct device_node *node = of_parse_phandle(dev->of_node,
						    "memory-region", 0);
	bool is = node && of_property_read_bool(node, "no-map");

	of_node_put(node);
	return is;
}
EXPORT_SYMBOL_GPL(dmabed_region_is_pool);

/**
 * dmabed_region_of - where the storage for a device has to come from
 * @dev: the device
 *
 * Return: the reserved memory, NULL for anywhere.
 */
struct reserved_mem *dmabed_region_of(struct device *dev)
{
	struct reserved_mem *region = NULL;
	struct device_node *node;

	if (!dev->of_node || dmabed_core_sabotaged(DMABED_CORE_IGNORE_POOL))
		return NULL;
	node = of_parse_phandle(dev->of_node, "memory-region", 0);
	if (node && !of_property_read_bool(node, "linux,cma-default"))
		region = of_reserved_mem_lookup(node);
	of_node_put(node);
	return region;
}

/**
 * dmabed_region_allows - may a device be given this memory
 * @dev: the device
 * @first: first byte, CPU physical address
 * @last: last byte
 */
bool dmabed_region_allows(struct device *dev, u64 first, u64 last)
{
	const struct reserved_mem *region = dmabed_region_of(dev);

	return !region || (first >= region->base &&
			   last <= region->base + region->size - 1);
}

/**
 * dmabed_region_name - what a region is called
 * @name: filled in, DMABED_NAME_LEN bytes
 * @node_name: the name of its node, which ends at the address
 */
void dmabed_region_name(char *name, const char *node_name)
{
	snprintf(name, DMABED_NAME_LEN, "%.*s", (int)strcspn(node_name, "@"),
		 node_name);
}

/* ---- areas of CMA ---- */

struct area {
	struct list_head node;
	struct platform_device *device;
	struct reserved_mem *memory;
};

/* Only while the module is loaded or unloaded it changes. */
static LIST_HEAD(areas);

static bool is_area(const struct device_node *node,
		    const struct reserved_mem *memory)
{
	return memory && memory->ops &&
	       of_property_read_bool(node, "reusable") &&
	       !of_property_read_bool(node, "linux,cma-default");
}

static int assign(struct area *area)
{
	struct device *dev;

	area->device = platform_device_register_simple("dmabed-area",
						       PLATFORM_DEVID_AUTO,
						       NULL, 0);
	if (IS_ERR(area->device))
		return PTR_ERR(area->device);
	dev = &area->device->dev;
	if (dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)) ||
	    area->memory->ops->device_init(area->memory, dev)) {
		platform_device_unregister(area->device);
		return -ENODEV;
	}
	return 0;
}

/* Without it no storage suits the devices of that area: they are refused. */
static void area_register(struct reserved_mem *memory)
{
	struct area *area = kzalloc(sizeof(*area), GFP_KERNEL);

	if (!area)
		return;
	area->memory = memory;
	if (assign(area)) {
		pr_warn("dmabed: %s is not offered\n", memory->name);
		kfree(area);
		return;
	}
	list_add(&area->node, &areas);
}

/**
 * dmabed_areas_register - offer the areas of the device tree
 */
void dmabed_areas_register(void)
{
	struct device_node *parent = of_find_node_by_path("/reserved-memory");
	struct reserved_mem *memory;
	struct device_node *node;

	for_each_child_of_node(parent, node) {
		memory = of_reserved_mem_lookup(node);
		if (is_area(node, memory))
			area_register(memory);
	}
	of_node_put(parent);
}

/**
 * dmabed_areas_unregister - no more; nobody has storage in them any more
 */
void dmabed_areas_unregister(void)
{
	struct area *area, *next;

	list_for_each_entry_safe(area, next, &areas, node) {
		area->memory->ops->device_release(area->memory,
						  &area->device->dev);
		platform_device_unregister(area->device);
		kfree(area);
	}
}

/**
 * dmabed_area_device - in whose name an area is allocated from
 * @region: reserved memory
 *
 * Return: the device, NULL when CMA does not have that memory.
 */
struct device *dmabed_area_device(const struct reserved_mem *region)
{
	struct area *area;

	list_for_each_entry(area, &areas, node)
		if (area->memory == region)
			return &area->device->dev;
	return NULL;
}
