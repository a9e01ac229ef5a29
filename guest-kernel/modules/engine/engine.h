/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The importer: one DMA engine as a character device.
 *
 * driver.c      what all engines do at probe and remove
 * platform.c    engines of the device tree
 * pci.c         engines on PCI Express
 * hw.c          registers
 * ring.c        ring, completions and segment lists in memory
 * job.c         one job: fence, dependencies, life
 * queue.c       jobs in order: waiting, in the ring, done
 * attachment.c  attachments and their mappings
 * current.c     the kernel's dma-buf, seen as one generation among others
 * submit.c      from a request to a queued job
 * chardev.c     ioctls
 * sabotage.c    switches that break something on purpose
 *
 * Locking, outermost first:
 *
 *   engine->state         read: a call that needs the device; write: remove()
 *   engine->clients_lock  the list of open files, and who ends an attachment
 *   dma_resv              mappings of an attachment to that buffer; where the
 *                         buffer's generation has none, the attachment's own
 *   engine->lock          queue and ring; taken in interrupts and inside the
 *                         fence locks of others, so no fence is signalled, and
 *                         no memory allocated, under it
 */
#ifndef DMABED_ENGINE_H
#define DMABED_ENGINE_H

#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <uapi/dmabed.h>

#include "core/core.h"
#include "core/importer.h"
#include "engine/hw.h"

#define DMABED_RING_ENTRIES 64

struct dmabed_job;

/**
 * struct dmabed_ring - ring and completions, and whose each entry is
 * @jobs: the ring, NULL when no memory is within the engine's reach
 * @jobs_bus: its bus address
 * @completions: what the engine wrote
 * @completions_bus: its bus address
 * @head: entry to fill next
 * @tail: entry that completes next
 * @owner: the job in each entry
 */
struct dmabed_ring {
	void *jobs;
	dma_addr_t jobs_bus;
	void *completions;
	dma_addr_t completions_bus;
	u32 head;
	u32 tail;
	struct dmabed_job *owner[DMABED_RING_ENTRIES];
};

/**
 * struct dmabed_engine - an engine, as long as its driver or a file refers to it
 * @ref: one for the driver, one for each open file
 * @dev: the device; valid until remove() has ended
 * @regs: its registers, as long
 * @irq: its interrupt
 * @irq_flags: how it is requested
 * @local: its own memory as others reach it, NULL: they do not
 * @carveout: the same for buffers, NULL: it has none
 * @caps: what it said of itself
 * @info: the same for user space, with what the DMA API made of it
 * @misc: the character device
 * @node_name: its path below /dev
 * @state: held for reading by calls that need the device
 * @clients_lock: for @clients
 * @clients: open files
 * @lock: for all below
 * @gone: remove() has begun, nothing is queued any more
 * @ring: jobs that the engine sees
 * @waiting: jobs that it does not see yet, in order
 * @kept: jobs that a sabotaged removal leaves unsignalled
 * @fence_context: timeline of its fences
 * @fence_seqno: last number given
 * @retire: frees what jobs used, and attachments that a closed file left
 * @idle: woken when an attachment has a user less
 */
struct dmabed_engine {
	struct kref ref;
	struct device *dev;
	void __iomem *regs;
	int irq;
	unsigned long irq_flags;
	const struct resource *local;
	struct dmabed_carveout *carveout;
	struct dmabed_hw_caps caps;
	struct dmabed_engine_info info;
	struct miscdevice misc;
	char node_name[DMABED_NAME_LEN + 8];

	struct rw_semaphore state;
	struct mutex clients_lock;	/* see the head of the file */
	struct list_head clients;

	spinlock_t lock;		/* see the head of the file */
	bool gone;
	struct dmabed_ring ring;
	struct list_head waiting;
	struct list_head kept;
	u64 fence_context;
	u64 fence_seqno;
	struct workqueue_struct *retire;
	wait_queue_head_t idle;
};

/**
 * struct dmabed_hardware - what a bus found, for as long as the device is there
 * @regs: the registers
 * @irq: the interrupt
 * @irq_flags: IRQF_*
 * @local: where others reach its own memory, NULL: nowhere
 * @name: for /dev/dmabed, needed during the call only
 */
struct dmabed_hardware {
	void __iomem *regs;
	int irq;
	unsigned long irq_flags;
	const struct resource *local;
	const char *name;
};

int dmabed_engine_create(struct device *dev, const struct dmabed_hardware *hw);
void dmabed_engine_destroy(struct device *dev);
extern struct platform_driver dmabed_engine_platform_driver;
extern struct pci_driver dmabed_engine_pci_driver;

void dmabed_engine_put(struct dmabed_engine *engine);
int dmabed_engine_enter(struct dmabed_engine *engine);
void dmabed_engine_leave(struct dmabed_engine *engine);
void dmabed_engine_set_mask(struct dmabed_engine *engine);

/* ---- attachment.c ---- */

/**
 * struct dmabed_mapping - a mapping, as long as a job uses it
 * @ref: one for the attachment, one for each job; under the reservation lock
 * @attachment: whose it is
 * @sgt: what the buffer's generation gave; NULL when a sabotage has ended it
 * @direction: that it was made with
 */
struct dmabed_mapping {
	struct kref ref;
	struct dmabed_attachment *attachment;
	struct sg_table *sgt;
	enum dma_data_direction direction;
};

/**
 * struct dmabed_attachment - this engine's attachment to a buffer
 * @ref: one for the file's table, one for each job and each call
 * @engine: the engine
 * @importer: the generation of the framework
 * @buffer: the buffer, referenced
 * @size: its bytes
 * @resv: the buffer's reservation object, or @own_resv
 * @own_resv: of a buffer whose generation has none
 * @attach: the framework's side
 * @mapping: current mapping or NULL; under the reservation lock
 * @holds: @mapping stays without a job; otherwise it is there as long as jobs
 * @direction: of the last mapping, for the next after a move
 * @pins: how often it holds the buffer in its place; likewise
 * @in_flight: jobs whose fence has not signalled
 * @release: does the end where the file's close must not wait
 */
struct dmabed_attachment {
	struct kref ref;
	struct dmabed_engine *engine;
	const struct dmabed_importer *importer;
	void *buffer;
	size_t size;
	struct dma_resv *resv;
	struct dma_resv own_resv;
	void *attach;
	struct dmabed_mapping *mapping;
	bool holds;
	enum dma_data_direction direction;
	u32 pins;
	atomic_t in_flight;
	struct work_struct release;
};

struct dmabed_attachment *dmabed_attachment_create(struct dmabed_engine *engine,
						   int fd, u32 flags);
void dmabed_attachment_put(struct dmabed_attachment *attachment);
void dmabed_attachment_put_deferred(struct dmabed_attachment *attachment);
void dmabed_attachment_put_last(struct dmabed_attachment *attachment);
struct dmabed_mapping *dmabed_mapping_get(struct dmabed_attachment *attachment,
					  enum dma_data_direction direction,
					  bool keep);
void dmabed_mapping_put(struct dmabed_mapping *mapping);
void dmabed_mapping_end_early(struct dmabed_mapping *mapping);
void dmabed_attachment_forget(struct dmabed_attachment *attachment);
void dmabed_attachment_unmap(struct dmabed_attachment *attachment);
int dmabed_attachment_pin(struct dmabed_attachment *attachment);
int dmabed_attachment_unpin(struct dmabed_attachment *attachment);
int dmabed_attachment_sync(struct dmabed_attachment *attachment, u32 target);

/* ---- current.c ---- */

extern const struct dmabed_importer dmabed_current;

/* ---- ring.c ---- */

/**
 * struct dmabed_list - a segment list in memory that the engine reads
 * @memory: the entries
 * @bus: their bus address
 * @count: how many
 */
struct dmabed_list {
	void *memory;
	dma_addr_t bus;
	u32 count;
};

int dmabed_ring_create(struct dmabed_engine *engine);
bool dmabed_ring_start(struct dmabed_engine *engine);
bool dmabed_ring_full(const struct dmabed_ring *ring);
void dmabed_ring_push(struct dmabed_engine *engine, struct dmabed_job *job);
struct dmabed_job *dmabed_ring_pop(struct dmabed_ring *ring);
int dmabed_list_create(struct dmabed_engine *engine, struct dmabed_list *list,
		       struct sg_table *sgt, u64 offset, u64 length);
void dmabed_list_destroy(struct dmabed_engine *engine,
			 struct dmabed_list *list);
int dmabed_segments_of(struct dmabed_engine *engine, struct sg_table *sgt,
		       struct dmabed_segment *segments, u32 room);

/* ---- job.c ---- */

/**
 * struct dmabed_job_side - what a job reads or writes
 * @attachment: the buffer, NULL when the operation has no such side
 * @mapping: the mapping that the job uses
 * @list: its bytes as the engine takes them
 * @write: does the engine write to it
 */
struct dmabed_job_side {
	struct dmabed_attachment *attachment;
	struct dmabed_mapping *mapping;
	struct dmabed_list list;
	bool write;
};

/**
 * struct dmabed_dependency - a fence that a job waits for
 * @node: in &dmabed_job.dependencies
 * @cb: called when it signals
 * @fence: the fence
 * @job: the job
 */
struct dmabed_dependency {
	struct list_head node;
	struct dma_fence_cb cb;
	struct dma_fence *fence;
	struct dmabed_job *job;
};

enum { DMABED_SRC, DMABED_DST, DMABED_SIDES };

/**
 * struct dmabed_job - one job
 * @ref: one for the file's table, one for the queue
 * @engine: where it runs
 * @node: in the list of waiting jobs, then in one of done ones
 * @op: DMABED_OP_*
 * @seed: of a fill
 * @length: bytes
 * @pattern_offset: first word of a fill's pattern
 * @sides: source and destination
 * @dependencies: fences that it waits for, or has waited for
 * @unmet: dependencies to come, and one for the submission itself
 * @fence: signals when the job has ended
 * @in_fence: to wait for, beside those of the buffers, or NULL
 * @usage: of its fence in the buffers, DMABED_USAGE_*
 * @powered: the device was resumed for this job
 * @brief: its mappings may end with it, not with the attachment
 * @retired: complete once it holds no mapping any more
 * @result: status, bytes, mismatch and digest, valid once the fence signalled
 * @retire: frees all but the result
 */
struct dmabed_job {
	struct kref ref;
	struct dmabed_engine *engine;
	struct list_head node;
	u32 op;
	u64 seed;
	u64 length;
	u64 pattern_offset;
	struct dmabed_job_side sides[DMABED_SIDES];
	struct list_head dependencies;
	atomic_t unmet;
	struct dma_fence *fence;
	struct dma_fence *in_fence;
	u32 usage;
	bool powered;
	bool brief;
	struct completion retired;
	struct dmabed_wait result;
	struct work_struct retire;
};

struct dmabed_job *dmabed_job_create(struct dmabed_engine *engine,
				     const struct dmabed_submit *request);
void dmabed_job_put(struct dmabed_job *job);
void dmabed_job_init_fence(struct dmabed_job *job, u64 context, u64 seqno);
int dmabed_job_depend(struct dmabed_job *job,
		      const struct dmabed_job_side *side);
int dmabed_job_depend_in_fence(struct dmabed_job *job);
void dmabed_job_dependency_met(struct dmabed_job *job);
void dmabed_job_end(struct dmabed_job *job, int error);
void dmabed_job_abandon(struct dmabed_job *job);
int dmabed_job_wait_retired(struct dmabed_job *job);

/* ---- queue.c ---- */

int dmabed_queue_add(struct dmabed_job *job);
void dmabed_queue_reap(struct dmabed_engine *engine);
void dmabed_queue_restart(struct dmabed_engine *engine);
void dmabed_queue_stop(struct dmabed_engine *engine);
void dmabed_queue_end_kept(struct dmabed_engine *engine);

/* ---- submit.c ---- */

int dmabed_job_submit(struct dmabed_job *job,
		      const struct dmabed_submit *request);

/* ---- sabotage.c ---- */

/* in the order of docs/sabotage.md */
enum dmabed_engine_sabotage {
	DMABED_ENGINE_WIDE_MASK = 1,
	DMABED_ENGINE_NO_BUS_OFFSET,
	DMABED_ENGINE_NO_DEPENDENCIES,
	DMABED_ENGINE_NO_FENCE,
	DMABED_ENGINE_EARLY_FENCE,
	DMABED_ENGINE_WRITE_AS_READ,
	DMABED_ENGINE_READ_AS_WRITE,
	DMABED_ENGINE_STALE_MAPPING,
	DMABED_ENGINE_NO_FENCE_ERROR,
	DMABED_ENGINE_IGNORE_IN_FENCE,
	DMABED_ENGINE_IGNORE_DETACH,
	DMABED_ENGINE_CLOSE_STOPS_RING,
	DMABED_ENGINE_UNBIND_KEEPS_JOBS,
	DMABED_ENGINE_LEAK_JOB,
	DMABED_ENGINE_EARLY_UNMAP,
	DMABED_ENGINE_NO_RUNTIME_PM,
};

bool dmabed_engine_sabotaged(enum dmabed_engine_sabotage which);

/* ---- chardev.c ---- */

/**
 * struct dmabed_client - an open file
 * @node: in &dmabed_engine.clients
 * @engine: the engine
 * @attachments: by number
 * @jobs: by number
 */
struct dmabed_client {
	struct list_head node;
	struct dmabed_engine *engine;
	struct xarray attachments;
	struct xarray jobs;
};

int dmabed_chardev_register(struct dmabed_engine *engine);
void dmabed_client_drop_attachments(struct dmabed_client *client);

#endif /* DMABED_ENGINE_H */
