// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a request to a queued job: lock the buffers, map them, write the lists,
 * collect what to wait for, queue, and leave the job's fence in the buffers.
 */
#include <linux/dma-resv.h>
#include <linux/pm_runtime.h>
#include <linux/ww_mutex.h>
#include <dmabed/engine_regs.h>

#include "engine.h"

static struct dma_resv *resv_of(const struct dmabed_job_side *side)
{
	return side->attachment ? side->attachment->resv : NULL;
}

/* ---- the locks of one or two buffers ---- */

static int lock_both(struct dma_resv *first, struct dma_resv *second,
		     struct ww_acquire_ctx *ctx)
{
	int ret = dma_resv_lock_interruptible(first, ctx);

	if (ret)
		return ret;
	while (second) {
		ret = dma_resv_lock_interruptible(second, ctx);
		if (!ret)
			return 0;
		dma_resv_unlock(first);
		if (ret != -EDEADLK)
			return ret;
		/* somebody older has it: wait for that one first */
		ret = dma_resv_lock_slow_interruptible(second, ctx);
		if (ret)
			return ret;
		swap(first, second);
	}
	return 0;
}

static int lock_sides(struct dmabed_job *job, struct ww_acquire_ctx *ctx)
{
	struct dma_resv *src = resv_of(&job->sides[DMABED_SRC]);
	struct dma_resv *dst = resv_of(&job->sides[DMABED_DST]);
	int ret;

	ww_acquire_init(ctx, &reservation_ww_class);
	ret = lock_both(src ?: dst, src && src != dst ? dst : NULL, ctx);
	if (ret)
		ww_acquire_fini(ctx);
	else
		ww_acquire_done(ctx);
	return ret;
}

static void unlock_sides(struct dmabed_job *job, struct ww_acquire_ctx *ctx)
{
	struct dma_resv *src = resv_of(&job->sides[DMABED_SRC]);
	struct dma_resv *dst = resv_of(&job->sides[DMABED_DST]);

	if (src)
		dma_resv_unlock(src);
	if (dst && dst != src)
		dma_resv_unlock(dst);
	ww_acquire_fini(ctx);
}

/* ---- one side ---- */

static bool direction_allows(enum dma_data_direction direction, bool write)
{
	return direction == DMA_BIDIRECTIONAL ||
	       direction == (write ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
}

static int map_side(struct dmabed_job_side *side)
{
	struct dmabed_mapping *mapping;

	mapping = dmabed_mapping_get(side->attachment, DMA_NONE, false);
	if (IS_ERR(mapping))
		return PTR_ERR(mapping);
	side->mapping = mapping;
	return direction_allows(mapping->direction, side->write) ? 0 : -EINVAL;
}

/* The list covers whole granules, as far as the buffer goes. */
static int list_side(struct dmabed_engine *engine, struct dmabed_job_side *side,
		     u64 offset, u64 length)
{
	u64 covered = min_t(u64, round_up(length, engine->info.granule),
			    side->attachment->size - offset);

	return dmabed_list_create(engine, &side->list, side->mapping->sgt,
				  offset, covered);
}

static int prepare_side(struct dmabed_job *job, struct dmabed_job_side *side,
			u64 offset)
{
	int ret;

	if (!side->attachment)
		return 0;
	if (!side->attachment->importer->lasting)
		job->brief = true;
	ret = map_side(side);
	if (ret)
		return ret;
	ret = list_side(job->engine, side, offset, job->length);
	if (ret)
		return ret;
	ret = dma_resv_reserve_fences(resv_of(side), DMABED_SIDES);
	if (ret)
		return ret;
	return dmabed_job_depend(job, side);
}

static enum dma_resv_usage usage_by_direction(bool write)
{
	if (dmabed_engine_sabotaged(DMABED_ENGINE_WRITE_AS_READ))
		write = false;
	if (dmabed_engine_sabotaged(DMABED_ENGINE_READ_AS_WRITE))
		write = true;
	return write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ;
}

static enum dma_resv_usage usage_of(const struct dmabed_job *job,
				    const struct dmabed_job_side *side)
{
	switch (job->usage) {
	case DMABED_USAGE_KERNEL:
		return DMA_RESV_USAGE_KERNEL;
	case DMABED_USAGE_WRITE:
		return DMA_RESV_USAGE_WRITE;
	case DMABED_USAGE_READ:
		return DMA_RESV_USAGE_READ;
	case DMABED_USAGE_BOOKKEEP:
		return DMA_RESV_USAGE_BOOKKEEP;
	default:
		return usage_by_direction(side->write);
	}
}

static void publish_fence(struct dmabed_job *job)
{
	const struct dmabed_job_side *side;

	if (dmabed_engine_sabotaged(DMABED_ENGINE_NO_FENCE))
		return;
	for (side = job->sides; side < job->sides + DMABED_SIDES; side++)
		if (side->attachment)
			dma_resv_add_fence(resv_of(side), job->fence,
					   usage_of(job, side));
	if (dmabed_engine_sabotaged(DMABED_ENGINE_EARLY_FENCE))
		dma_fence_signal(job->fence);
}

static void unmap_early(struct dmabed_job *job)
{
	const struct dmabed_job_side *side;

	for (side = job->sides; side < job->sides + DMABED_SIDES; side++)
		if (side->mapping)
			dmabed_mapping_end_early(side->mapping);
}

/* ---- the job ---- */

static int submit_locked(struct dmabed_job *job,
			 const struct dmabed_submit *request)
{
	int ret;

	ret = prepare_side(job, &job->sides[DMABED_SRC],
			   request->src_offset);
	if (ret)
		return ret;
	ret = prepare_side(job, &job->sides[DMABED_DST],
			   request->dst_offset);
	if (ret)
		return ret;
	ret = dmabed_job_depend_in_fence(job);
	if (ret)
		return ret;
	if (dmabed_engine_sabotaged(DMABED_ENGINE_EARLY_UNMAP))
		unmap_early(job);
	ret = dmabed_queue_add(job);
	if (ret)
		return ret;
	publish_fence(job);
	return 0;
}

static int power_up(struct dmabed_job *job)
{
	int ret;

	if (dmabed_engine_sabotaged(DMABED_ENGINE_NO_RUNTIME_PM))
		return 0;
	ret = pm_runtime_resume_and_get(job->engine->dev);
	job->powered = !ret;
	return ret;
}

/**
 * dmabed_job_submit - queue a job
 * @job: the job, its attachments set
 * @request: the offsets, already checked
 *
 * The engine's state lock is held for reading. The device is powered from here
 * until the job is retired: an IOMMU that is powered through it translates
 * nothing before.
 *
 * Return: 0; -EINVAL when the mapping's direction or the engine's limits do not
 * allow it; what mapping said; -ENODEV. On an error the job holds nothing.
 */
int dmabed_job_submit(struct dmabed_job *job,
		      const struct dmabed_submit *request)
{
	struct ww_acquire_ctx ctx;
	int ret;

	ret = power_up(job);
	if (ret)
		goto err_abandon;
	ret = lock_sides(job, &ctx);
	if (ret)
		goto err_abandon;
	ret = submit_locked(job, request);
	unlock_sides(job, &ctx);
	if (ret)
		goto err_abandon;
	/* the submission itself was the last thing to wait for */
	dmabed_job_dependency_met(job);
	return 0;

err_abandon:
	dmabed_job_abandon(job);
	return ret;
}
