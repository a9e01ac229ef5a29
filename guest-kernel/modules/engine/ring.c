// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the engine reads and writes of its own accord: the ring of jobs, their
 * completions, and segment lists.  All of it is coherent memory.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <dmabed/engine_regs.h>

#include "engine.h"

/*
 * One run even behind an IOMMU, so that it comes from the memory region of a
 * device that has one: there are IOMMUs that do not reach all pages.
 */
#define OWN_MEMORY DMA_ATTR_FORCE_CONTIGUOUS

static void put32(void *at, u32 offset, u32 value)
{
	*(__le32 *)(at + offset) = cpu_to_le32(value);
}

static void put64(void *at, u32 offset, u64 value)
{
	*(__le64 *)(at + offset) = cpu_to_le64(value);
}

static u32 take32(const void *at, u32 offset)
{
	return le32_to_cpu(*(const __le32 *)(at + offset));
}

static u64 take64(const void *at, u32 offset)
{
	return le64_to_cpu(*(const __le64 *)(at + offset));
}

/* ---- ring ---- */

/**
 * dmabed_ring_create - allocate ring and completions
 * @engine: the engine; both go with its device
 *
 * Return: 0, or -ENOMEM, also when no memory is within the engine's reach.
 */
int dmabed_ring_create(struct dmabed_engine *engine)
{
	struct dmabed_ring *ring = &engine->ring;

	ring->jobs = dmam_alloc_attrs(engine->dev,
				      DMABED_RING_ENTRIES * DMABED_JOB_SIZE,
				      &ring->jobs_bus, GFP_KERNEL, OWN_MEMORY);
	if (!ring->jobs)
		return -ENOMEM;
	ring->completions =
		dmam_alloc_attrs(engine->dev,
				 DMABED_RING_ENTRIES * DMABED_COMP_SIZE,
				 &ring->completions_bus, GFP_KERNEL,
				 OWN_MEMORY);
	return ring->completions ? 0 : -ENOMEM;
}

/**
 * dmabed_ring_start - reset the engine and give it an empty ring
 * @engine: the engine
 *
 * Return: did the hardware take it.
 */
bool dmabed_ring_start(struct dmabed_engine *engine)
{
	struct dmabed_ring *ring = &engine->ring;

	dmabed_hw_reset(engine->regs);
	ring->head = 0;
	ring->tail = 0;
	return dmabed_hw_start(engine->regs, ring->jobs_bus,
			       ring->completions_bus, DMABED_RING_ENTRIES);
}

static u32 next_index(u32 index)
{
	return (index + 1) % DMABED_RING_ENTRIES;
}

/**
 * dmabed_ring_full - is there no room
 * @ring: the ring; one entry stays empty, as head == tail means empty
 */
bool dmabed_ring_full(const struct dmabed_ring *ring)
{
	return next_index(ring->head) == ring->tail;
}

static void write_job(void *entry, const struct dmabed_job *job)
{
	const struct dmabed_list *src = &job->sides[DMABED_SRC].list;
	const struct dmabed_list *dst = &job->sides[DMABED_DST].list;

	put32(entry, DMABED_JOB_OP, job->op);
	put32(entry, DMABED_JOB_FLAGS, DMABED_JOB_FLAG_IRQ);
	put64(entry, DMABED_JOB_COOKIE, job->fence->seqno);
	put64(entry, DMABED_JOB_SEED, job->seed);
	put64(entry, DMABED_JOB_LENGTH, job->length);
	put64(entry, DMABED_JOB_SRC_LIST, src->bus);
	put64(entry, DMABED_JOB_DST_LIST, dst->bus);
	put32(entry, DMABED_JOB_SRC_SEGMENTS, src->count);
	put32(entry, DMABED_JOB_DST_SEGMENTS, dst->count);
	put64(entry, DMABED_JOB_PATTERN_OFFSET, job->pattern_offset);
}

/**
 * dmabed_ring_push - give a job to the engine
 * @engine: the engine, its ring not full
 * @job: the job
 */
void dmabed_ring_push(struct dmabed_engine *engine, struct dmabed_job *job)
{
	struct dmabed_ring *ring = &engine->ring;

	lockdep_assert_held(&engine->lock);
	memset(ring->completions + ring->head * DMABED_COMP_SIZE, 0,
	       DMABED_COMP_SIZE);
	write_job(ring->jobs + ring->head * DMABED_JOB_SIZE, job);
	ring->owner[ring->head] = job;
	ring->head = next_index(ring->head);
	dmabed_hw_doorbell(engine->regs, ring->head);
}

static void read_completion(const void *entry, struct dmabed_wait *result)
{
	result->status = take32(entry, DMABED_COMP_STATUS);
	result->bytes = take64(entry, DMABED_COMP_BYTES);
	result->mismatch = take64(entry, DMABED_COMP_MISMATCH);
	memcpy(result->sha256, entry + DMABED_COMP_SHA256,
	       sizeof(result->sha256));
}

/**
 * dmabed_ring_pop - take the oldest job out, with its completion
 * @ring: the ring
 *
 * Return: the job, NULL when the ring is empty.
 */
struct dmabed_job *dmabed_ring_pop(struct dmabed_ring *ring)
{
	struct dmabed_job *job;

	if (ring->tail == ring->head)
		return NULL;
	job = ring->owner[ring->tail];
	read_completion(ring->completions + ring->tail * DMABED_COMP_SIZE,
			&job->result);
	ring->owner[ring->tail] = NULL;
	ring->tail = next_index(ring->tail);
	return job;
}

/* ---- segment lists ---- */

/* Where the CPU has what the device reaches at @bus. */
static u64 cpu_address(struct device *dev, dma_addr_t bus)
{
	if (device_iommu_mapped(dev))
		return iommu_iova_to_phys(iommu_get_domain_for_dev(dev), bus);
	return dma_to_phys(dev, bus);
}

static u64 address_of(struct device *dev, const struct scatterlist *sg)
{
	if (dmabed_engine_sabotaged(DMABED_ENGINE_NO_BUS_OFFSET))
		return cpu_address(dev, sg_dma_address(sg));
	return sg_dma_address(sg);
}

/* Runs the DMA segments of @sgt from @offset through the engine's limits. */
static int cut_mapping(struct dmabed_segments *s, struct device *dev,
		       struct sg_table *sgt, u64 offset, u64 length)
{
	struct scatterlist *sg;
	u64 skip, part;
	int i, ret;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (!length)
			break;
		skip = min_t(u64, offset, sg_dma_len(sg));
		offset -= skip;
		part = min_t(u64, length, sg_dma_len(sg) - skip);
		if (!part)
			continue;
		length -= part;
		ret = dmabed_segments_add(s, address_of(dev, sg) + skip, part);
		if (ret)
			return ret;
	}
	if (length)
		return -EINVAL;
	return dmabed_segments_finish(s);
}

static int count_segments(struct dmabed_engine *engine, struct sg_table *sgt,
			  u64 offset, u64 length)
{
	struct dmabed_segments s = {};
	int ret;

	dmabed_list_limits_of(engine->dev, &s.limits);
	ret = cut_mapping(&s, engine->dev, sgt, offset, length);
	if (ret)
		return ret;
	return s.count <= DMABED_LIST_MAX_SEGMENTS ? s.count : -EINVAL;
}

static int emit_to_list(void *context, u64 address, u64 length)
{
	struct dmabed_list *list = context;
	void *entry = list->memory + list->count++ * DMABED_SEGMENT_SIZE;

	put64(entry, DMABED_SEGMENT_ADDRESS, address);
	put64(entry, DMABED_SEGMENT_LENGTH, length);
	return 0;
}

/**
 * dmabed_list_create - write the list for a part of a mapping
 * @engine: the engine
 * @list: filled in
 * @sgt: the mapping
 * @offset: first byte
 * @length: bytes, a multiple of the granule
 *
 * Return: 0; -EINVAL when the engine takes no such list; -ENOMEM.
 */
int dmabed_list_create(struct dmabed_engine *engine, struct dmabed_list *list,
		       struct sg_table *sgt, u64 offset, u64 length)
{
	struct dmabed_segments s = { .emit = emit_to_list, .context = list };
	int count = count_segments(engine, sgt, offset, length);

	if (count < 0)
		return count;
	list->memory = dma_alloc_attrs(engine->dev,
				       count * DMABED_SEGMENT_SIZE, &list->bus,
				       GFP_KERNEL, OWN_MEMORY);
	if (!list->memory)
		return -ENOMEM;
	list->count = 0;
	dmabed_list_limits_of(engine->dev, &s.limits);
	return cut_mapping(&s, engine->dev, sgt, offset, length);
}

/**
 * dmabed_list_destroy - free a list
 * @engine: the engine
 * @list: the list, may be empty
 */
void dmabed_list_destroy(struct dmabed_engine *engine,
			 struct dmabed_list *list)
{
	if (list->memory)
		dma_free_attrs(engine->dev,
			       list->count * DMABED_SEGMENT_SIZE,
			       list->memory, list->bus, OWN_MEMORY);
	list->memory = NULL;
}

struct user_list {
	struct dmabed_segment *segments;
	u32 room;
	u32 count;
};

static int emit_to_user(void *context, u64 address, u64 length)
{
	struct user_list *list = context;

	if (list->count < list->room) {
		list->segments[list->count].address = address;
		list->segments[list->count].length = length;
	}
	list->count++;
	return 0;
}

/**
 * dmabed_segments_of - the list for all of a mapping, for user space
 * @engine: the engine
 * @sgt: the mapping
 * @segments: array to fill
 * @room: entries of @segments; further ones are only counted
 *
 * Return: how many there are; -EINVAL when the engine takes no such list.
 */
int dmabed_segments_of(struct dmabed_engine *engine, struct sg_table *sgt,
		       struct dmabed_segment *segments, u32 room)
{
	struct user_list list = { .segments = segments, .room = room };
	struct dmabed_segments s = {
		.emit = emit_to_user, .context = &list,
	};
	struct scatterlist *sg;
	u64 length = 0;
	int i, ret;

	for_each_sgtable_dma_sg(sgt, sg, i)
		length += sg_dma_len(sg);
	dmabed_list_limits_of(engine->dev, &s.limits);
	ret = cut_mapping(&s, engine->dev, sgt, 0, length);
	return ret ?: list.count;
}
