/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/dmabed-calls: functions of the dma-buf headers that no engine calls.
 *
 * main.c       the device, and which call is which
 * vmap.c       maps into the kernel
 * attach.c     attachments
 * arguments.c  what the framework refuses
 * export.c     an exporter with few operations, to be chosen
 * fence.c      fences in slots
 * wait.c       waiting for them, and callbacks
 * container.c  arrays and chains of them
 * resv.c       reservation objects
 */
#ifndef DMABED_CALLS_H
#define DMABED_CALLS_H

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <uapi/dmabed.h>

struct dmabed_calls;

/**
 * struct dmabed_callback - of a fence in a slot
 * @base: what the fence knows
 * @called: how often it was called
 * @added: it is with the fence, or was
 */
struct dmabed_callback {
	struct dma_fence_cb base;
	atomic_t called;
	bool added;
};

/**
 * struct dmabed_calls - an open file
 * @kref: the file, and buffers with its reservation object
 * @lock: for all below
 * @dmabuf: the buffer selected, referenced, or NULL
 * @map: of the buffer into the kernel, while @maps is not 0
 * @maps: how often it is mapped
 * @mmap_from: page at which the next mmap() begins, added to its own
 * @attachment: of the buffer, or NULL
 * @table: its mapping, or NULL
 * @direction: of @table
 * @moves: how often @attachment was told of a move
 * @resv: its own
 * @context: of its own fences that have a sequence number
 * @fences: the slots
 * @callbacks: of each
 * @made: a file that the call has made, or NULL
 * @made_fd: the number reserved for it
 */
struct dmabed_calls {
	struct kref kref;
	struct mutex lock;	/* calls of a file run one by one */
	struct dma_buf *dmabuf;
	struct iosys_map map;
	unsigned int maps;
	unsigned long mmap_from;
	struct dma_buf_attachment *attachment;
	struct sg_table *table;
	enum dma_data_direction direction;
	unsigned int moves;
	struct dma_resv resv;
	u64 context;
	struct dma_fence *fences[DMABED_FENCE_SLOTS];
	struct dmabed_callback callbacks[DMABED_FENCE_SLOTS];
	struct file *made;
	int made_fd;
};

/* What a call returns, to be told as its result. */
typedef s64 (*dmabed_call_fn)(struct dmabed_calls *calls, const u64 *args);

struct device *dmabed_calls_device(void);
void dmabed_calls_put(struct dmabed_calls *calls);
s64 dmabed_calls_make_fd(struct dmabed_calls *calls, struct file *file);

static inline bool dmabed_is_direction(u64 direction)
{
	return direction <= DMA_FROM_DEVICE;
}

/* ---- vmap.c ---- */

s64 dmabed_call_vmap(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vunmap(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vmap_unlocked(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vunmap_unlocked(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vmap_fill(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vmap_compare(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vmap_is_iomem(struct dmabed_calls *calls, const u64 *args);
void dmabed_calls_vunmap_all(struct dmabed_calls *calls);

/* ---- attach.c ---- */

s64 dmabed_call_attachment_is_dynamic(struct dmabed_calls *calls,
				      const u64 *args);
s64 dmabed_call_map_unlocked(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_pin_static(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_attach(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_detach(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_map(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_unmap(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_pin(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_unpin(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_move(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_moves(struct dmabed_calls *calls, const u64 *args);
void dmabed_calls_detach(struct dmabed_calls *calls);

/* ---- arguments.c ---- */

void dmabed_expect_warning(const char *function);
s64 dmabed_call_export_bad(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_null(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_file_op(struct dmabed_calls *calls, const u64 *args);

/* ---- export.c ---- */

s64 dmabed_call_export(struct dmabed_calls *calls, const u64 *args);

/* ---- fence.c ---- */

struct dma_fence *dmabed_fence_in(struct dmabed_calls *calls, u64 slot);
s64 dmabed_fence_store(struct dmabed_calls *calls, u64 slot,
		       struct dma_fence *fence);
s64 dmabed_call_fence_new(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_fence_stub(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_fence_from_fd(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_fence_to_fd(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_fence_put(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_fence_signal(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_fence_status(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_fence_enable(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_fence_set_deadline(struct dmabed_calls *calls,
				   const u64 *args);
s64 dmabed_call_fence_deadline(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_fence_match_context(struct dmabed_calls *calls,
				    const u64 *args);
s64 dmabed_call_fence_signal_and_look(struct dmabed_calls *calls,
				      const u64 *args);

/* ---- wait.c ---- */

signed long dmabed_timeout(u64 ns);
s64 dmabed_call_fence_wait(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_fence_wait_any(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_fence_add_callback(struct dmabed_calls *calls,
				   const u64 *args);
s64 dmabed_call_fence_remove_callback(struct dmabed_calls *calls,
				      const u64 *args);
s64 dmabed_call_fence_called(struct dmabed_calls *calls, const u64 *args);

/* ---- container.c ---- */

struct dma_fence **dmabed_fences_of(struct dmabed_calls *calls, u64 mask,
				    unsigned int *count);
s64 dmabed_call_array(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_array_any(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_chain(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_chain_find(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_chain_length(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_merge(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_unwrap(struct dmabed_calls *calls, const u64 *args);

/* ---- resv.c ---- */

s64 dmabed_call_resv_reserve(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_resv_add(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_resv_replace(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_resv_copy(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_resv_set_deadline(struct dmabed_calls *calls,
				  const u64 *args);
s64 dmabed_call_resv_test_signaled(struct dmabed_calls *calls,
				   const u64 *args);
s64 dmabed_call_resv_wait(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_resv_count(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_resv_singleton(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_resv_walk_and_grow(struct dmabed_calls *calls,
				   const u64 *args);

#endif /* DMABED_CALLS_H */
