// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory that is set aside: pools of reserved memory, and the local memory of
 * engines.  Neither is in the kernel's linear map, so it is used by address,
 * without struct pages.
 *
 * A carve-out outlives its device as long as storage in it does.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/genalloc.h>
#include <linux/io.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/slab.h>

#include "core.h"

static LIST_HEAD(carveouts);
static DEFINE_MUTEX(carveouts_lock);

static void carveout_free(struct kref *ref)
{
	struct dmabed_carveout *carveout =
		container_of(ref, struct dmabed_carveout, ref);

	gen_pool_destroy(carveout->pool);
	kfree(carveout);
}

static void carveout_put(struct dmabed_carveout *carveout)
{
	kref_put(&carveout->ref, carveout_free);
}

static struct dmabed_carveout *
carveout_create(const struct dmabed_carveout *like)
{
	struct dmabed_carveout *carveout;

	carveout = kmemdup(like, sizeof(*like), GFP_KERNEL);
	if (!carveout)
		return NULL;
	kref_init(&carveout->ref);
	carveout->pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!carveout->pool)
		goto err_free;
	if (gen_pool_add(carveout->pool, carveout->base, carveout->size,
			 NUMA_NO_NODE))
		goto err_destroy_pool;
	return carveout;

err_destroy_pool:
	gen_pool_destroy(carveout->pool);
err_free:
	kfree(carveout);
	return NULL;
}

/**
 * dmabed_carveout_register - offer memory to buffers
 * @like: all but its reference count and its pool, copied
 *
 * Return: the carve-out, or NULL without memory.
 */
struct dmabed_carveout *
dmabed_carveout_register(const struct dmabed_carveout *like)
{
	struct dmabed_carveout *carveout = carveout_create(like);

	if (!carveout)
		return NULL;
	mutex_lock(&carveouts_lock);
	list_add(&carveout->node, &carveouts);
	mutex_unlock(&carveouts_lock);
	return carveout;
}
EXPORT_SYMBOL_GPL(dmabed_carveout_register);

/* First the mark, then the call: who maps meanwhile is seen by one of them. */
static void mark_gone(struct dmabed_carveout *carveout)
{
	if (dmabed_core_sabotaged(DMABED_CORE_KEEP_GONE_MEMORY))
		return;
	WRITE_ONCE(carveout->gone, true);
	dmabed_gone_revoke(carveout);
}

/**
 * dmabed_carveout_unregister - the memory is going, nobody may touch it
 * @carveout: the carve-out, or NULL
 *
 * Takes the lock of each buffer in it, so a migration that waits for a job
 * holds it up.
 */
void dmabed_carveout_unregister(struct dmabed_carveout *carveout)
{
	if (!carveout)
		return;
	mutex_lock(&carveouts_lock);
	list_del(&carveout->node);
	mutex_unlock(&carveouts_lock);
	mark_gone(carveout);
	carveout_put(carveout);
}
EXPORT_SYMBOL_GPL(dmabed_carveout_unregister);

static bool is_kind(const struct dmabed_carveout *carveout, u32 kind)
{
	return kind == (carveout->dev ? DMABED_STORAGE_LOCAL :
					DMABED_STORAGE_POOL);
}

/**
 * dmabed_carveout_get - find a carve-out
 * @place: its kind and name
 *
 * Return: the carve-out with a reference for the caller, or NULL.
 */
struct dmabed_carveout *dmabed_carveout_get(const struct dmabed_place *place)
{
	struct dmabed_carveout *carveout, *found = NULL;

	mutex_lock(&carveouts_lock);
	list_for_each_entry(carveout, &carveouts, node) {
		if (is_kind(carveout, place->kind) &&
		    !strcmp(carveout->name, place->source)) {
			found = carveout;
			kref_get(&found->ref);
			break;
		}
	}
	mutex_unlock(&carveouts_lock);
	return found;
}

/**
 * dmabed_carveout_put - a user less
 * @carveout: the carve-out
 */
void dmabed_carveout_put(struct dmabed_carveout *carveout)
{
	carveout_put(carveout);
}

/**
 * dmabed_place_exists - is there a pool, or local memory, of that name
 * @place: any place; those of other kinds always exist
 */
bool dmabed_place_exists(const struct dmabed_place *place)
{
	struct dmabed_carveout *carveout;

	if (place->kind != DMABED_STORAGE_POOL &&
	    place->kind != DMABED_STORAGE_LOCAL)
		return true;
	carveout = dmabed_carveout_get(place);
	if (carveout)
		carveout_put(carveout);
	return carveout;
}
EXPORT_SYMBOL_GPL(dmabed_place_exists);

/* ---- storage in it ---- */

/* Where the CPU does not reach, what the memory held before stays in it. */
static int map_for_cpu(struct dmabed_storage *storage, size_t bytes)
{
	if (!storage->carveout->visible)
		return 0;
	storage->cpu = ioremap_wc(storage->base, bytes);
	if (!storage->cpu)
		return -ENOMEM;
	memset_io(storage->cpu, 0, bytes);
	return 0;
}

/**
 * dmabed_carveout_alloc - take a run out of a carve-out
 * @storage: filled in
 * @place: which carve-out
 *
 * Return: 0 or -ENOMEM, also when no run is long enough.
 */
int dmabed_carveout_alloc(struct dmabed_storage *storage,
			  const struct dmabed_place *place)
{
	size_t bytes = (size_t)storage->nr_pages << PAGE_SHIFT;
	struct dmabed_carveout *carveout = dmabed_carveout_get(place);

	if (!carveout)
		return -ENOMEM;
	storage->base = gen_pool_alloc(carveout->pool, bytes);
	if (!storage->base)
		goto err_put;
	storage->carveout = carveout;
	if (!map_for_cpu(storage, bytes))
		return 0;
	gen_pool_free(carveout->pool, storage->base, bytes);
	storage->carveout = NULL;
err_put:
	carveout_put(carveout);
	return -ENOMEM;
}

/**
 * dmabed_carveout_free - give a run back
 * @storage: storage in a carve-out
 */
void dmabed_carveout_free(struct dmabed_storage *storage)
{
	if (storage->cpu)
		iounmap(storage->cpu);
	gen_pool_free(storage->carveout->pool, storage->base,
		      (size_t)storage->nr_pages << PAGE_SHIFT);
	carveout_put(storage->carveout);
}

/* ---- pools of the device tree ---- */

/* A reusable one belongs to CMA, one without a fixed place to nobody yet. */
static bool is_pool(struct device_node *node, const struct reserved_mem *area)
{
	return area && of_device_is_compatible(node, "shared-dma-pool") &&
	       of_property_read_bool(node, "no-map") &&
	       !of_property_read_bool(node, "reusable");
}

static void pool_register(struct device_node *node,
			  const struct reserved_mem *area)
{
	struct dmabed_carveout like = {
		.base = area->base,
		.size = area->size,
		.visible = true,
	};

	dmabed_region_name(like.name, kbasename(node->full_name));
	dmabed_carveout_register(&like);
}

/**
 * dmabed_pools_register - offer the pools of the device tree
 */
void dmabed_pools_register(void)
{
	struct device_node *parent = of_find_node_by_path("/reserved-memory");
	struct device_node *node;

	for_each_child_of_node(parent, node)
		if (is_pool(node, of_reserved_mem_lookup(node)))
			pool_register(node, of_reserved_mem_lookup(node));
	of_node_put(parent);
}

/**
 * dmabed_pools_unregister - no more; nobody has storage in them any more
 */
void dmabed_pools_unregister(void)
{
	struct dmabed_carveout *carveout, *next;

	list_for_each_entry_safe(carveout, next, &carveouts, node)
		dmabed_carveout_unregister(carveout);
}
