// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Storage: the pages of a buffer, of one of these kinds.
 *
 *   PAGES       single pages of any zone
 *   LOW_PAGES   single pages of the low zones that every device reaches
 *   CONTIGUOUS  one run, from the default CMA area, or that of a device
 *   FIXED       one run at a given address
 *   POOL        one run of a pool of reserved memory
 *   LOCAL       one run of an engine's own memory
 *
 * Storage is counted, because a device that was told to let go of it may still
 * have it mapped when the buffer has long moved on.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/slab.h>

#include "core.h"

/* Pages may be in use for a moment (per-CPU lists, LRU): asked again so often. */
#define FIXED_ATTEMPTS 5

static u64 request_bytes(const struct dmabed_storage_request *request)
{
	return (u64)request->nr_pages << PAGE_SHIFT;
}

/* ---- zones: what the page allocator can be asked for ---- */

static bool zone_reached(const struct zone *zone,
			 const struct dmabed_constraints *c)
{
	return dmabed_constraints_reach(c, PFN_PHYS(zone->zone_start_pfn),
					PFN_PHYS(zone_end_pfn(zone)) - 1);
}

/* Do all devices reach every zone up to and including @highest? */
static bool zones_reached(enum zone_type highest,
			  const struct dmabed_constraints *c)
{
	struct zone *zone;
	int node, i;

	for_each_online_node(node) {
		for (i = 0; i <= highest; i++) {
			zone = &NODE_DATA(node)->node_zones[i];
			if (populated_zone(zone) && !zone_reached(zone, c))
				return false;
		}
	}
	return true;
}

static bool zone_exists(enum zone_type type)
{
	int node;

	for_each_online_node(node)
		if (populated_zone(&NODE_DATA(node)->node_zones[type]))
			return true;
	return false;
}

static enum zone_type highest_zone(void)
{
	enum zone_type type = MAX_NR_ZONES - 1;

	while (type && !zone_exists(type))
		type--;
	return type;
}

/* The flag of the highest low zone that is reached with all below it, or 0. */
static gfp_t low_zone_flag(const struct dmabed_constraints *c)
{
	if (IS_ENABLED(CONFIG_ZONE_DMA32) && zones_reached(ZONE_DMA32, c))
		return __GFP_DMA32;
	if (IS_ENABLED(CONFIG_ZONE_DMA) && zone_exists(ZONE_DMA) &&
	    zones_reached(ZONE_DMA, c))
		return __GFP_DMA;
	return 0;
}

/* ---- what could be, before anything is allocated ---- */

/* In the worst case no two pages follow each other. */
static bool takes_pages(const struct dmabed_list_limits *list, u64 bytes)
{
	u64 each = DIV_ROUND_UP_ULL(PAGE_SIZE, min(list->max_size, PAGE_SIZE));

	return list->alignment <= PAGE_SIZE && list->granule <= PAGE_SIZE &&
	       each * (bytes >> PAGE_SHIFT) <= list->max_segments;
}

/* In the best case the run starts at a multiple of every limit. */
static bool takes_run(const struct dmabed_list_limits *list, u64 bytes)
{
	/* boundary + 1 would be 0 without a limit, and such a run is never cut */
	u64 window = list->boundary == U64_MAX ? U64_MAX : list->boundary + 1;
	u64 cut = min(list->max_size, window);

	return DIV64_U64_ROUND_UP(bytes, cut) <= list->max_segments;
}

/* Each device for itself: one may want few segments, another small ones. */
static bool all_take(const struct dmabed_storage_request *request,
		     bool (*takes)(const struct dmabed_list_limits *list,
				   u64 bytes))
{
	const struct list_head *users = request->constraints->users;
	struct dmabed_backing_user *user;
	const struct dmabed_buffer_limits *own = request->constraints->own;
	struct dmabed_list_limits list;

	if (own && !takes(&own->list, request_bytes(request)))
		return false;
	if (!users)
		return true;
	list_for_each_entry(user, users, node) {
		/* behind an IOMMU the pages of any list become one run */
		if (device_iommu_mapped(user->dev))
			continue;
		dmabed_list_limits_of(user->dev, &list);
		if (!takes(&list, request_bytes(request)))
			return false;
	}
	return true;
}

static bool pages_listable(const struct dmabed_storage_request *request)
{
	return all_take(request, takes_pages);
}

static bool run_listable(const struct dmabed_storage_request *request)
{
	return all_take(request, takes_run);
}

/* The default CMA area as the device tree describes it. */
static struct reserved_mem *default_cma_area(void)
{
	struct device_node *parent = of_find_node_by_path("/reserved-memory");
	struct reserved_mem *area = NULL;
	struct device_node *node;

	for_each_child_of_node(parent, node)
		if (of_property_read_bool(node, "linux,cma-default"))
			area = of_reserved_mem_lookup(node);
	of_node_put(parent);
	return area;
}

static bool zone_holds(const struct zone *zone,
		       const struct dmabed_constraints *c, u64 bytes)
{
	return dmabed_constraints_hold(c, PFN_PHYS(zone->zone_start_pfn),
				       PFN_PHYS(zone_end_pfn(zone)) - 1, bytes);
}

static bool ram_holds(const struct dmabed_constraints *c, u64 bytes)
{
	struct zone *zone;
	int node, i;

	for_each_online_node(node) {
		for (i = 0; i < MAX_NR_ZONES; i++) {
			zone = &NODE_DATA(node)->node_zones[i];
			if (populated_zone(zone) &&
			    zone_holds(zone, c, bytes))
				return true;
		}
	}
	return false;
}

/* Without a node in the device tree the kernel alone knows where its area is. */
static bool contiguous_reached(const struct dmabed_storage_request *request)
{
	struct reserved_mem *region =
		dmabed_constraints_region(request->constraints);
	struct reserved_mem *area = region ?: default_cma_area();
	u64 bytes = request_bytes(request);

	/* a pool is no area */
	if (region && !dmabed_area_device(region))
		return false;
	if (!area)
		return ram_holds(request->constraints, bytes);
	return dmabed_constraints_hold(request->constraints, area->base,
				       area->base + area->size - 1, bytes);
}

/* Reach and use of local memory differ from device to device. */
static bool local_reached(const struct dmabed_carveout *carveout,
			  const struct dmabed_storage_request *request)
{
	const struct list_head *users = request->constraints->users;
	struct dmabed_storage whole = {
		.nr_pages = carveout->size >> PAGE_SHIFT,
		.carveout = (struct dmabed_carveout *)carveout,
		.base = carveout->base,
	};
	const struct dmabed_buffer_limits *own = request->constraints->own;
	struct dmabed_backing_user *user;

	if (own && whole.base + request_bytes(request) - 1 > own->highest)
		return false;
	if (!users)
		return true;
	list_for_each_entry(user, users, node)
		if (!dmabed_carveout_reached(&whole, user) ||
		    !dmabed_region_allows(user->dev, whole.base,
					  whole.base + carveout->size - 1))
			return false;
	return true;
}

static bool carveout_possible(const struct dmabed_storage_request *request)
{
	struct dmabed_carveout *carveout = dmabed_carveout_get(&request->place);
	u64 bytes = request_bytes(request);
	bool possible;

	if (!carveout)
		return false;
	/* one entry of a table holds it */
	possible = bytes <= min_t(u64, carveout->size, U32_MAX) &&
		   run_listable(request);
	if (carveout->dev)
		possible = possible && local_reached(carveout, request);
	else
		possible = possible &&
			   dmabed_constraints_hold(request->constraints,
						   carveout->base,
						   carveout->base +
						   carveout->size - 1, bytes);
	dmabed_carveout_put(carveout);
	return possible;
}

/**
 * dmabed_storage_possible - can storage of a kind suit the devices at all
 * @request: the kind, and the constraints of all devices
 *
 * Allocates nothing, so it can say yes to what then is not free, or is not free
 * at a suitable place; no is final.
 */
bool dmabed_storage_possible(const struct dmabed_storage_request *request)
{
	const struct dmabed_constraints *c = request->constraints;

	switch (request->place.kind) {
	case DMABED_STORAGE_PAGES:
		return zones_reached(MAX_NR_ZONES - 1, c) &&
		       pages_listable(request);
	case DMABED_STORAGE_LOW_PAGES:
		return low_zone_flag(c) && pages_listable(request);
	case DMABED_STORAGE_CONTIGUOUS:
		return contiguous_reached(request) && run_listable(request);
	case DMABED_STORAGE_FIXED:
		return run_listable(request) &&
		       dmabed_constraints_reach(c, request->place.address,
						request->place.address +
						request_bytes(request) - 1);
	case DMABED_STORAGE_POOL:
	case DMABED_STORAGE_LOCAL:
		return carveout_possible(request);
	default:
		return false;
	}
}

/* ---- allocation ---- */

static void free_single_pages(struct dmabed_storage *storage)
{
	unsigned int i;

	for (i = 0; i < storage->nr_pages && storage->pages[i]; i++)
		__free_page(storage->pages[i]);
}

static int alloc_single_pages(struct dmabed_storage *storage, gfp_t gfp)
{
	unsigned int i;

	for (i = 0; i < storage->nr_pages; i++) {
		storage->pages[i] = alloc_page(gfp | __GFP_ZERO | __GFP_NOWARN |
					       __GFP_RETRY_MAYFAIL);
		if (!storage->pages[i]) {
			free_single_pages(storage);
			return -ENOMEM;
		}
	}
	return 0;
}

/* alloc_contig_range() wants memory, and all of it in one zone. */
static bool is_ram_of_one_zone(u64 address, u64 bytes)
{
	if (region_intersects(address, bytes, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_INTERSECTS)
		return false;
	return page_zone(pfn_to_page(PHYS_PFN(address))) ==
	       page_zone(pfn_to_page(PHYS_PFN(address + bytes - 1)));
}

/* Takes these very pages, each of which can be freed on its own. */
static int alloc_range(unsigned long start, unsigned long count,
		       unsigned int type)
{
	if (!is_ram_of_one_zone(PFN_PHYS(start), PFN_PHYS(count)))
		return -EINVAL;
	return alloc_contig_range(start, start + count, type,
				  GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
}

static void fill_run(struct dmabed_storage *storage, unsigned int at,
		     unsigned long start, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		storage->pages[at + i] = pfn_to_page(start + i);
}

static unsigned long end_of_zone(enum zone_type type)
{
	unsigned long end = 0;
	int node;

	for_each_online_node(node)
		end = max(end, zone_end_pfn(&NODE_DATA(node)->node_zones[type]));
	return end;
}

/*
 * The page allocator gives any page of a zone, so the highest are taken by
 * address: block by block downwards, over what the kernel itself has there.
 */
static int alloc_high_pages(struct dmabed_storage *storage)
{
	unsigned long end = ALIGN(end_of_zone(highest_zone()),
				  pageblock_nr_pages);
	unsigned int done = 0;
	unsigned int count;

	while (done < storage->nr_pages && end > pageblock_nr_pages) {
		count = min_t(unsigned int, storage->nr_pages - done,
			      pageblock_nr_pages);
		if (!alloc_range(end - count, count, MIGRATE_MOVABLE)) {
			fill_run(storage, done, end - count, count);
			done += count;
		}
		end -= pageblock_nr_pages;
	}
	if (done == storage->nr_pages)
		return 0;
	free_single_pages(storage);
	return -ENOMEM;
}

static void free_contiguous(struct dmabed_storage *storage)
{
	dma_free_pages(storage->allocator,
		       (size_t)storage->nr_pages << PAGE_SHIFT,
		       storage->pages[0], storage->handle, DMA_BIDIRECTIONAL);
}

/* When its area is full the DMA API goes on to the page allocator. */
static bool outside_of_area(const struct page *page,
			    const struct reserved_mem *area)
{
	phys_addr_t start = page_to_phys(page);

	return area && (start < area->base ||
			start >= area->base + area->size);
}

static int alloc_contiguous(struct dmabed_storage *storage,
			    const struct dmabed_constraints *c)
{
	const struct reserved_mem *region = dmabed_constraints_region(c);
	struct page *first;

	storage->allocator = region ? dmabed_area_device(region) :
				      dmabed_core_device();
	first = dma_alloc_pages(storage->allocator,
				(size_t)storage->nr_pages << PAGE_SHIFT,
				&storage->handle, DMA_BIDIRECTIONAL,
				GFP_KERNEL | __GFP_NOWARN);
	if (!first)
		return -ENOMEM;
	fill_run(storage, 0, page_to_pfn(first), storage->nr_pages);
	/* a single page is not taken from the default area, and contiguous */
	if ((region || storage->nr_pages > 1) &&
	    outside_of_area(first, region ?: default_cma_area())) {
		free_contiguous(storage);
		return -ENOMEM;
	}
	return 0;
}

static bool in_reusable_area(u64 address, u64 bytes)
{
	struct device_node *parent = of_find_node_by_path("/reserved-memory");
	struct reserved_mem *area;
	struct device_node *node;
	bool found = false;

	for_each_child_of_node(parent, node) {
		area = of_reserved_mem_lookup(node);
		if (area && of_property_read_bool(node, "reusable") &&
		    address >= area->base &&
		    address + bytes <= area->base + area->size)
			found = true;
	}
	of_node_put(parent);
	return found;
}

/* The type of the page blocks has to be told; it decides who gets them back. */
static int alloc_fixed(struct dmabed_storage *storage,
		       const struct dmabed_storage_request *request)
{
	unsigned long start = PHYS_PFN(request->place.address);
	unsigned int type = MIGRATE_MOVABLE;
	int ret = -EBUSY;
	int i;

	if (in_reusable_area(request->place.address, request_bytes(request)))
		type = MIGRATE_CMA;
	for (i = 0; i < FIXED_ATTEMPTS && ret == -EBUSY; i++)
		ret = alloc_range(start, request->nr_pages, type);
	if (ret)
		return -ENOMEM;
	fill_run(storage, 0, start, request->nr_pages);
	return 0;
}

static int alloc_by_kind(struct dmabed_storage *storage,
			 const struct dmabed_storage_request *request)
{
	switch (request->place.kind) {
	case DMABED_STORAGE_PAGES:
		return request->high ? alloc_high_pages(storage) :
				       alloc_single_pages(storage, GFP_HIGHUSER);
	case DMABED_STORAGE_LOW_PAGES:
		return alloc_single_pages(storage, GFP_KERNEL |
					  low_zone_flag(request->constraints));
	case DMABED_STORAGE_CONTIGUOUS:
		return alloc_contiguous(storage, request->constraints);
	case DMABED_STORAGE_FIXED:
		return alloc_fixed(storage, request);
	case DMABED_STORAGE_POOL:
		if (dmabed_core_sabotaged(DMABED_CORE_WRONG_POOL))
			return alloc_single_pages(storage, GFP_HIGHUSER);
		fallthrough;
	case DMABED_STORAGE_LOCAL:
		return dmabed_carveout_alloc(storage, &request->place);
	default:
		return -EINVAL;
	}
}

/**
 * dmabed_storage_alloc - allocate storage
 * @request: what for; it has to be possible
 *
 * Return: storage filled with 0 and one reference to it, or ERR_PTR(-ENOMEM).
 */
struct dmabed_storage *
dmabed_storage_alloc(const struct dmabed_storage_request *request)
{
	struct dmabed_storage *storage;
	int ret = -ENOMEM;

	storage = kzalloc(sizeof(*storage), GFP_KERNEL);
	if (!storage)
		return ERR_PTR(-ENOMEM);
	kref_init(&storage->ref);
	storage->kind = request->place.kind;
	storage->nr_pages = request->nr_pages;
	storage->pages = kvcalloc(request->nr_pages, sizeof(*storage->pages),
				  GFP_KERNEL);
	if (!storage->pages)
		goto err_free_storage;

	ret = alloc_by_kind(storage, request);
	if (ret)
		goto err_free_page_list;
	dmabed_live_add(DMABED_LIVE_PAGES, storage->nr_pages);
	return storage;

err_free_page_list:
	kvfree(storage->pages);
err_free_storage:
	kfree(storage);
	return ERR_PTR(ret);
}

static void free_memory(struct dmabed_storage *storage)
{
	if (storage->carveout) {
		dmabed_carveout_free(storage);
		return;
	}
	switch (storage->kind) {
	case DMABED_STORAGE_CONTIGUOUS:
		free_contiguous(storage);
		break;
	case DMABED_STORAGE_FIXED:
		free_contig_range(page_to_pfn(storage->pages[0]),
				  storage->nr_pages);
		break;
	default:
		free_single_pages(storage);
	}
}

static void storage_release(struct kref *ref)
{
	struct dmabed_storage *storage =
		container_of(ref, struct dmabed_storage, ref);

	if (dmabed_core_sabotaged(DMABED_CORE_LEAK_STORAGE))
		return;
	dmabed_live_add(DMABED_LIVE_PAGES, -(s64)storage->nr_pages);
	free_memory(storage);
	kvfree(storage->pages);
	kfree(storage);
}

/**
 * dmabed_storage_get - one more user
 * @storage: the storage
 */
void dmabed_storage_get(struct dmabed_storage *storage)
{
	kref_get(&storage->ref);
}
EXPORT_SYMBOL_GPL(dmabed_storage_get);

/**
 * dmabed_storage_put - one user less; the last one frees it
 * @storage: the storage
 */
void dmabed_storage_put(struct dmabed_storage *storage)
{
	kref_put(&storage->ref, storage_release);
}
EXPORT_SYMBOL_GPL(dmabed_storage_put);

/**
 * dmabed_storage_gone - did its memory go with a device
 * @storage: the storage
 */
bool dmabed_storage_gone(const struct dmabed_storage *storage)
{
	return storage->carveout && READ_ONCE(storage->carveout->gone);
}
EXPORT_SYMBOL_GPL(dmabed_storage_gone);

/* Can the CPU copy to or from it? */
static int reached_by_cpu(const struct dmabed_storage *storage)
{
	if (!storage->carveout)
		return 0;
	if (dmabed_storage_gone(storage))
		return -ENODEV;
	return storage->cpu ? 0 : -EOPNOTSUPP;
}

/* By way of @page, which may be neither's. */
static void copy_page_of(struct dmabed_storage *to,
			 const struct dmabed_storage *from, unsigned int index,
			 void *page)
{
	size_t offset = (size_t)index << PAGE_SHIFT;

	if (from->carveout)
		memcpy_fromio(page, from->cpu + offset, PAGE_SIZE);
	else
		memcpy_from_page(page, from->pages[index], 0, PAGE_SIZE);
	if (to->carveout)
		memcpy_toio(to->cpu + offset, page, PAGE_SIZE);
	else
		memcpy_to_page(to->pages[index], 0, page, PAGE_SIZE);
}

/**
 * dmabed_storage_copyable - could all bytes be copied
 * @to: storage of the same size
 * @from: the storage
 *
 * It may come to be gone after this.
 *
 * Return: 0; -EOPNOTSUPP where the CPU does not reach; -ENODEV when the memory
 * is gone.
 */
int dmabed_storage_copyable(const struct dmabed_storage *to,
			    const struct dmabed_storage *from)
{
	return reached_by_cpu(from) ?: reached_by_cpu(to);
}

/**
 * dmabed_storage_copy - copy all bytes
 * @to: storage of the same size
 * @from: storage that nobody writes to now
 *
 * Return: 0; as dmabed_storage_copyable(); -ENOMEM.
 */
int dmabed_storage_copy(struct dmabed_storage *to,
			const struct dmabed_storage *from)
{
	int ret = dmabed_storage_copyable(to, from);
	unsigned int i;
	void *page;

	if (ret || dmabed_core_sabotaged(DMABED_CORE_NO_COPY))
		return ret;
	page = (void *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	for (i = 0; i < to->nr_pages; i++)
		copy_page_of(to, from, i, page);
	free_page((unsigned long)page);
	return 0;
}

/**
 * dmabed_storage_pfn - number of one page of the storage
 * @storage: the storage
 * @index: which page
 */
unsigned long dmabed_storage_pfn(const struct dmabed_storage *storage,
				 unsigned int index)
{
	if (storage->carveout)
		return PHYS_PFN(storage->base) + index;
	return page_to_pfn(storage->pages[index]);
}
EXPORT_SYMBOL_GPL(dmabed_storage_pfn);

/**
 * dmabed_storage_fault - give a process one page of the storage
 * @storage: the storage
 * @vmf: the fault, in a mapping of page numbers (VM_PFNMAP)
 * @index: which page
 *
 * Return: VM_FAULT_NOPAGE; VM_FAULT_SIGBUS where the CPU does not reach it.
 */
vm_fault_t dmabed_storage_fault(const struct dmabed_storage *storage,
				struct vm_fault *vmf, unsigned int index)
{
	pgprot_t protection = vmf->vma->vm_page_prot;

	if (storage->carveout) {
		if (!storage->cpu || dmabed_storage_gone(storage))
			return VM_FAULT_SIGBUS;
		protection = pgprot_writecombine(protection);
	}
	return vmf_insert_pfn_prot(vmf->vma, vmf->address,
				   dmabed_storage_pfn(storage, index),
				   protection);
}
EXPORT_SYMBOL_GPL(dmabed_storage_fault);

static bool follows_its_neighbour(const struct dmabed_storage *storage,
				  unsigned int index)
{
	return index && dmabed_storage_pfn(storage, index) ==
			dmabed_storage_pfn(storage, index - 1) + 1;
}

/**
 * dmabed_storage_runs - list the runs of the storage
 * @storage: the storage
 * @runs: array to fill
 * @room: entries of @runs; further runs are only counted
 *
 * Return: how many runs there are.
 */
unsigned int dmabed_storage_runs(const struct dmabed_storage *storage,
				 struct dmabed_segment *runs, unsigned int room)
{
	unsigned int count = 0;
	unsigned int i;

	for (i = 0; i < storage->nr_pages; i++) {
		if (!follows_its_neighbour(storage, i)) {
			if (count++ < room) {
				runs[count - 1].address =
					PFN_PHYS(dmabed_storage_pfn(storage, i));
				runs[count - 1].length = 0;
			}
		}
		if (count <= room)
			runs[count - 1].length += PAGE_SIZE;
	}
	return count;
}
EXPORT_SYMBOL_GPL(dmabed_storage_runs);
