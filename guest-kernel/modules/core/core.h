/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backing-store core, shared by the exporters of every generation.
 *
 * constraints.c  what devices ask for, taken together
 * segments.c     how a run of bytes becomes a list that a device takes
 * storage.c      memory of a kind: allocation, copy, runs
 * carveout.c     pools of reserved memory, local memory of engines
 * region.c       reserved memory that a device has to be given
 * fit.c          does given storage suit a given device
 * backing.c      late allocation, choice of a kind, migration
 * gone.c         buffers whose memory goes with a device
 * mapping.c      storage mapped for a device
 * request.c      what exporters are asked for, checked
 * importer.c     generations of the framework that devices import from
 * generation_calls.c
 *                functions of their frameworks, called on request
 * ioctl.c        the rules that all our ioctls share
 * live.c         counts of objects, against leaks
 * sabotage.c     switches that break something on purpose
 *
 * The core knows nothing of dma-buf.  Nothing in it locks: whoever calls has
 * the one lock of the buffer (the reservation lock, in the current generation).
 */
#ifndef DMABED_CORE_H
#define DMABED_CORE_H

#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <uapi/dmabed.h>

#include "core/sabotage.h"

struct reserved_mem;

/* ---- constraints.c ---- */

/**
 * struct dmabed_limits - limits of a device that the DMA API has no field for
 * @max_segments: segments in one list, 0: any number
 * @alignment: start of each segment, bytes, a power of 2
 * @granule: length of each segment is a multiple of this, a power of 2
 */
struct dmabed_limits {
	u32 max_segments;
	u32 alignment;
	u32 granule;
};

int dmabed_limits_register(struct device *dev,
			   const struct dmabed_limits *limits);
void dmabed_limits_unregister(struct device *dev);

/**
 * struct dmabed_list_limits - what a list of segments has to keep to
 * @max_size: largest segment, bytes
 * @boundary: mask; no segment crosses a multiple of mask + 1
 * @max_segments: entries in the list, U32_MAX: any number
 * @alignment: start of each segment, a power of 2
 * @granule: length of each segment is a multiple of this, a power of 2
 */
struct dmabed_list_limits {
	u64 max_size;
	u64 boundary;
	u32 max_segments;
	u32 alignment;
	u32 granule;
};

void dmabed_list_limits_of(struct device *dev,
			   struct dmabed_list_limits *limits);

/**
 * struct dmabed_backing_user - a device that the storage has to suit
 * @node: in &dmabed_backing.users
 * @dev: the device
 * @p2p: it takes memory of another device
 */
struct dmabed_backing_user {
	struct list_head node;
	struct device *dev;
	bool p2p;
};

/**
 * struct dmabed_window - a range of CPU physical addresses
 * @first: first byte
 * @last: last byte
 */
struct dmabed_window {
	u64 first;
	u64 last;
};

/**
 * struct dmabed_buffer_limits - limits of a buffer itself
 * @highest: highest CPU physical address
 * @list: of its segments, by CPU physical addresses
 */
struct dmabed_buffer_limits {
	u64 highest;
	struct dmabed_list_limits list;
};

void dmabed_buffer_limits_init(struct dmabed_buffer_limits *limits,
			       const struct dmabed_export *request);

/**
 * struct dmabed_constraints - the limits of several devices, and a buffer's own
 * @users: the devices (&struct dmabed_backing_user), NULL: none
 * @own: the buffer's, NULL: none
 *
 * Reach is taken together, as one place has to suit all; each device is asked
 * when a place is at hand, so that it can have any number of windows. Limits on
 * lists are not: each device is given a list of its own.
 */
struct dmabed_constraints {
	const struct list_head *users;
	const struct dmabed_buffer_limits *own;
};

void dmabed_constraints_collate(struct dmabed_constraints *c,
				const struct list_head *users,
				const struct dmabed_buffer_limits *own);
bool dmabed_constraints_reach(const struct dmabed_constraints *c,
			      u64 first, u64 last);
struct reserved_mem *
dmabed_constraints_region(const struct dmabed_constraints *c);
bool dmabed_constraints_hold(const struct dmabed_constraints *c, u64 first,
			     u64 last, u64 bytes);

/* ---- segments.c ---- */

/**
 * struct dmabed_segments - turns runs of bus addresses into a list
 * @limits: what the list has to keep to
 * @emit: takes one finished segment
 * @context: for @emit
 * @address: start of the run that is being joined
 * @length: its length so far
 * @count: segments emitted
 */
struct dmabed_segments {
	struct dmabed_list_limits limits;
	int (*emit)(void *context, u64 address, u64 length);
	void *context;
	u64 address;
	u64 length;
	u32 count;
};

int dmabed_segments_add(struct dmabed_segments *s, u64 address, u64 length);
int dmabed_segments_finish(struct dmabed_segments *s);

/* ---- storage.c ---- */

/**
 * struct dmabed_storage - the memory of a buffer, as long as anybody uses it
 * @ref: one for the backing that it serves, one for each device mapping
 * @kind: DMABED_STORAGE_*
 * @nr_pages: size
 * @pages: the pages in order; NULL in a carve-out
 * @handle: for the DMA API, of contiguous storage
 * @allocator: the device in whose name that was allocated
 * @carveout: where it is from, or NULL; of the rest nothing counts then
 * @base: its CPU physical address in the carve-out
 * @cpu: the same for the kernel; NULL where the CPU does not reach
 */
struct dmabed_storage {
	struct kref ref;
	u32 kind;
	unsigned int nr_pages;
	struct page **pages;
	dma_addr_t handle;
	struct device *allocator;
	struct dmabed_carveout *carveout;
	phys_addr_t base;
	void __iomem *cpu;
};

/**
 * struct dmabed_place - where storage is asked for
 * @kind: DMABED_STORAGE_*
 * @address: CPU physical address (FIXED)
 * @source: name of a pool (POOL) or an engine (LOCAL)
 */
struct dmabed_place {
	u32 kind;
	u64 address;
	char source[DMABED_NAME_LEN];
};

/**
 * struct dmabed_storage_request - which storage to allocate
 * @place: of a kind that is neither NONE nor AUTO
 * @nr_pages: size
 * @high: take the highest pages there are (PAGES)
 * @constraints: for the choice of a zone
 */
struct dmabed_storage_request {
	struct dmabed_place place;
	unsigned int nr_pages;
	bool high;
	const struct dmabed_constraints *constraints;
};

bool dmabed_storage_gone(const struct dmabed_storage *storage);
bool dmabed_storage_possible(const struct dmabed_storage_request *request);
struct dmabed_storage *
dmabed_storage_alloc(const struct dmabed_storage_request *request);
void dmabed_storage_get(struct dmabed_storage *storage);
void dmabed_storage_put(struct dmabed_storage *storage);
int dmabed_storage_copyable(const struct dmabed_storage *to,
			    const struct dmabed_storage *from);
int dmabed_storage_copy(struct dmabed_storage *to,
			const struct dmabed_storage *from);
unsigned long dmabed_storage_pfn(const struct dmabed_storage *storage,
				 unsigned int index);
vm_fault_t dmabed_storage_fault(const struct dmabed_storage *storage,
				struct vm_fault *vmf, unsigned int index);
unsigned int dmabed_storage_runs(const struct dmabed_storage *storage,
				 struct dmabed_segment *runs, unsigned int room);

/* ---- fit.c ---- */

bool dmabed_fits(const struct dmabed_storage *storage,
		 const struct dmabed_backing_user *user);
bool dmabed_keeps_to(const struct dmabed_storage *storage,
		     const struct dmabed_buffer_limits *own);
bool dmabed_carveout_behind_iommu(const struct dmabed_storage *storage,
				  const struct dmabed_backing_user *user);
bool dmabed_carveout_reached(const struct dmabed_storage *storage,
			     const struct dmabed_backing_user *user);
int dmabed_carveout_bus(const struct dmabed_storage *storage,
			const struct dmabed_backing_user *user,
			dma_addr_t *bus);

/* ---- carveout.c ---- */

/**
 * struct dmabed_carveout - memory that is set aside
 * @node: in the list of all
 * @ref: one while it is registered, one for each storage in it
 * @name: of the pool or the engine
 * @dev: the engine, NULL for a pool
 * @base: CPU physical address, or what stands for it where there is none
 * @bus: the bus address at which @dev itself reaches it
 * @size: bytes
 * @visible: others than @dev reach it
 * @gone: its device has been removed
 * @pool: what is free of it
 */
struct dmabed_carveout {
	struct list_head node;
	struct kref ref;
	char name[DMABED_NAME_LEN];
	struct device *dev;
	phys_addr_t base;
	dma_addr_t bus;
	size_t size;
	bool visible;
	bool gone;
	struct gen_pool *pool;
};

struct dmabed_carveout *
dmabed_carveout_register(const struct dmabed_carveout *like);
void dmabed_carveout_unregister(struct dmabed_carveout *carveout);
struct dmabed_carveout *dmabed_carveout_get(const struct dmabed_place *place);
void dmabed_carveout_put(struct dmabed_carveout *carveout);
bool dmabed_place_exists(const struct dmabed_place *place);
int dmabed_carveout_alloc(struct dmabed_storage *storage,
			  const struct dmabed_place *place);
void dmabed_carveout_free(struct dmabed_storage *storage);
void dmabed_pools_register(void);
void dmabed_pools_unregister(void);

/* ---- region.c ---- */

bool dmabed_region_is_pool(struct device *dev);
struct reserved_mem *dmabed_region_of(struct device *dev);
bool dmabed_region_allows(struct device *dev, u64 first, u64 last);
void dmabed_region_name(char *name, const char *node_name);
void dmabed_areas_register(void);
void dmabed_areas_unregister(void);
struct device *dmabed_area_device(const struct reserved_mem *region);

/* ---- backing.c ---- */

struct dmabed_backing;
struct file;

/**
 * struct dmabed_backing_ops - what the core needs of a generation's front end
 * @movable: may the storage be replaced at all now
 * @quiesce: comes back 0 when neither a device nor the CPU uses the storage
 * @file: where the buffer has its file, which may be on its way to its release
 * @revoke: if the storage is in the carve-out, end the uses that can be ended;
 *	the buffer is referenced, and its lock is not held
 */
struct dmabed_backing_ops {
	bool (*movable)(struct dmabed_backing *backing);
	int (*quiesce)(struct dmabed_backing *backing);
	struct file **(*file)(struct dmabed_backing *backing);
	void (*revoke)(struct dmabed_backing *backing,
		       const struct dmabed_carveout *carveout);
};

/**
 * struct dmabed_backing - the storage of a buffer over its life
 * @node: in the list of all, see gone.c
 * @ops: the front end
 * @nr_pages: size
 * @wanted: DMABED_STORAGE_AUTO, or the place that it begins with
 * @allowed: bits of the kinds that it may use, 0: see struct dmabed_export
 * @high: take the highest pages there are (PAGES)
 * @unconstrained: ask no device for its limits
 * @limits: of the buffer itself
 * @no_late_attach: no device may attach once one was given the storage
 * @given: one was
 * @users: devices attached
 * @storage: what there is now, NULL before the first use
 * @migrations: how often it was replaced
 */
struct dmabed_backing {
	struct list_head node;
	const struct dmabed_backing_ops *ops;
	unsigned int nr_pages;
	struct dmabed_place wanted;
	u32 allowed;
	bool high;
	bool unconstrained;
	bool no_late_attach;
	bool given;
	struct dmabed_buffer_limits limits;
	struct list_head users;
	struct dmabed_storage *storage;
	u32 migrations;
};

void dmabed_backing_init(struct dmabed_backing *backing,
			 const struct dmabed_backing_ops *ops,
			 const struct dmabed_export *request);
void dmabed_backing_release(struct dmabed_backing *backing);
int dmabed_backing_attach(struct dmabed_backing *backing,
			  struct dmabed_backing_user *user);
void dmabed_backing_detach(struct dmabed_backing *backing,
			   struct dmabed_backing_user *user);
bool dmabed_backing_suits(const struct dmabed_backing *backing,
			  const struct dmabed_backing_user *user);
bool dmabed_backing_is_in(const struct dmabed_backing *backing,
			  const struct dmabed_carveout *carveout);
int dmabed_backing_place(struct dmabed_backing *backing,
			 const struct dmabed_backing_user *user);
void dmabed_backing_describe(const struct dmabed_backing *backing,
			     struct dmabed_buffer_info *info,
			     struct dmabed_segment *segments, u32 room);
int dmabed_backing_migrate(struct dmabed_backing *backing,
			   const struct dmabed_place *place);
int dmabed_backing_add_device(struct dmabed_backing *backing,
			      struct device *dev);
void dmabed_backing_forget_devices(struct dmabed_backing *backing);

/* ---- gone.c ---- */

void dmabed_gone_note(struct dmabed_backing *backing);
void dmabed_gone_forget(struct dmabed_backing *backing);
void dmabed_gone_revoke(const struct dmabed_carveout *carveout);

/* ---- mapping.c ---- */

/**
 * struct dmabed_device_mapping - storage mapped for a device
 * @node: in the exporter's list
 * @sgt: what the importer has
 * @dev: the device
 * @holder: the attachment that has it, for exporters that are not told
 * @direction: as mapped
 * @storage: what is mapped, referenced
 * @resource: by dma_map_resource(), of a carve-out behind an IOMMU
 */
struct dmabed_device_mapping {
	struct list_head node;
	struct sg_table sgt;
	struct device *dev;
	const void *holder;
	enum dma_data_direction direction;
	struct dmabed_storage *storage;
	bool resource;
};

struct dmabed_device_mapping *
dmabed_device_mapping_create(struct dmabed_storage *storage,
			     const struct dmabed_backing_user *user,
			     enum dma_data_direction direction);
void dmabed_device_mapping_destroy(struct dmabed_device_mapping *mapping,
				   enum dma_data_direction direction);
void dmabed_device_mapping_sync_for_cpu(struct dmabed_device_mapping *mapping);
void dmabed_device_mapping_sync_for_device(struct dmabed_device_mapping *mapping);

/* ---- ioctl.c ---- */

/**
 * struct dmabed_ioctl - one ioctl
 * @nr: _IOC_NR of the command
 * @size: sizeof() of its structure
 * @run: does it; @argument is a kernel copy of the structure
 * @first_size: the same in its first version, 0: it never grew
 */
struct dmabed_ioctl {
	unsigned int nr;
	u32 size;
	int (*run)(void *context, void *argument);
	u32 first_size;
};

long dmabed_ioctl_run(const struct dmabed_ioctl *table, unsigned int entries,
		      void *context, unsigned int command, unsigned long user);

/* ---- live.c ---- */

enum dmabed_live {
	DMABED_LIVE_BUFFERS,
	DMABED_LIVE_ATTACHMENTS,
	DMABED_LIVE_MAPPINGS,
	DMABED_LIVE_PAGES,
	DMABED_LIVE_JOBS,
	DMABED_LIVE_POSTED_BUFFERS,
	DMABED_LIVE_POSTED_ATTACHMENTS,
	DMABED_LIVE_POSTED_LISTS,
	DMABED_LIVE_MERGED_BUFFERS,
	DMABED_LIVE_MERGED_ATTACHMENTS,
	DMABED_LIVE_MERGED_TABLES,
	DMABED_LIVE_HANDLES,
};

void dmabed_live_add(enum dmabed_live what, s64 number);
u64 dmabed_live_count(enum dmabed_live what);
void dmabed_live_register(void);
void dmabed_live_unregister(void);

/* ---- request.c ---- */

/* of struct dmabed_export as it was first */
#define DMABED_EXPORT_FIRST_SIZE offsetofend(struct dmabed_export, reserved)

/**
 * struct dmabed_requests - an exporter, as requests about its buffers see it
 * @get: the storage of the buffer behind an fd, referenced, or an ERR_PTR:
 *	-EOPNOTSUPP for a buffer of another exporter
 * @put: ends that
 * @info: fills in @info, and @segments as far as @room goes; 0 or an errno
 * @migrate: moves the buffer
 * @releases: how many buffers were released since the module was loaded
 * @buffers: what counts them
 * @attachments: what counts these
 * @mappings: likewise
 */
struct dmabed_requests {
	struct dmabed_backing *(*get)(int fd);
	void (*put)(struct dmabed_backing *backing);
	int (*info)(struct dmabed_backing *backing,
		    struct dmabed_buffer_info *info,
		    struct dmabed_segment *segments, u32 room);
	int (*migrate)(struct dmabed_backing *backing,
		       const struct dmabed_place *place);
	u64 (*releases)(void);
	enum dmabed_live buffers;
	enum dmabed_live attachments;
	enum dmabed_live mappings;
};

bool dmabed_length_sane(u64 length);
int dmabed_check_export(struct dmabed_export *request, u32 known_flags);
long dmabed_requests_ioctl(const struct dmabed_requests *exporter,
			   unsigned int command, unsigned long user);

/* ---- sabotage.c ---- */

/* in the order of docs/sabotage.md */
enum dmabed_core_sabotage {
	DMABED_CORE_NO_COPY = 1,
	DMABED_CORE_IGNORE_REACH,
	DMABED_CORE_IGNORE_LIST_LIMITS,
	DMABED_CORE_ACCEPT_ANY_ATTACH,
	DMABED_CORE_WRONG_POOL,
	DMABED_CORE_LEAK_STORAGE,
	DMABED_CORE_KEEP_GONE_MEMORY,
	DMABED_CORE_QUIESCE_FIRST,
	DMABED_CORE_IGNORE_POOL,
	DMABED_CORE_IGNORE_BUFFER_LIMITS,
};

bool dmabed_core_sabotaged(enum dmabed_core_sabotage which);

/* ---- main.c ---- */

struct device *dmabed_core_device(void);

#endif /* DMABED_CORE_H */
