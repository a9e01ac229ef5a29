// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One job: its fence, what it waits for, and what it holds.
 *
 * The fence signals first; what the job held (lists, mappings, attachments) is
 * let go of in a work item, because that takes the reservation lock.
 */
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "engine.h"

/* ---- fence ---- */

/* It may outlive engine and file in somebody's reservation object. */
struct engine_fence {
	struct dma_fence base;		/* first: dma_fence_free() frees it */
	spinlock_t lock;		/* of the fence */
	char name[DMABED_NAME_LEN];
};

static const char *fence_driver_name(struct dma_fence *fence)
{
	return "dmabed-engine";
}

static const char *fence_timeline_name(struct dma_fence *fence)
{
	return container_of(fence, struct engine_fence, base)->name;
}

/* A fence keeps the module, as its ops are here. */
static void fence_release(struct dma_fence *fence)
{
	dma_fence_free(fence);
	module_put(THIS_MODULE);
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_driver_name,
	.get_timeline_name = fence_timeline_name,
	.release = fence_release,
};

/* Memory only: the number on the timeline is given when the job is queued. */
static struct dma_fence *fence_alloc(const char *name)
{
	struct engine_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (!fence)
		return NULL;
	spin_lock_init(&fence->lock);
	strscpy(fence->name, name, sizeof(fence->name));
	return &fence->base;
}

/**
 * dmabed_job_init_fence - give the job its place on the engine's timeline
 * @job: the job; from now on the fence has to signal
 * @context: the timeline
 * @seqno: the place
 */
void dmabed_job_init_fence(struct dmabed_job *job, u64 context, u64 seqno)
{
	struct engine_fence *fence =
		container_of(job->fence, struct engine_fence, base);

	__module_get(THIS_MODULE);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, context, seqno);
}

static void fence_free(struct dma_fence *fence)
{
	if (fence->ops)
		dma_fence_put(fence);
	else
		kfree(container_of(fence, struct engine_fence, base));
}

/* ---- life ---- */

static void side_release(struct dmabed_engine *engine,
			 struct dmabed_job_side *side)
{
	struct dma_resv *resv;

	if (!side->attachment)
		return;
	dmabed_list_destroy(engine, &side->list);
	if (side->mapping) {
		resv = side->attachment->resv;
		dma_resv_lock(resv, NULL);
		dmabed_mapping_put(side->mapping);
		dma_resv_unlock(resv);
	}
	dmabed_attachment_put(side->attachment);
}

static void dependencies_release(struct dmabed_job *job)
{
	struct dmabed_dependency *dependency, *next;

	list_for_each_entry_safe(dependency, next, &job->dependencies, node) {
		/* also waits for a callback that runs now */
		dma_fence_remove_callback(dependency->fence, &dependency->cb);
		dma_fence_put(dependency->fence);
		kfree(dependency);
	}
	INIT_LIST_HEAD(&job->dependencies);
}

/* All that the job held, but its result. */
static void release_resources(struct dmabed_job *job)
{
	unsigned int i;

	dependencies_release(job);
	for (i = 0; i < DMABED_SIDES; i++)
		side_release(job->engine, &job->sides[i]);
	if (job->powered)
		pm_runtime_put(job->engine->dev);
}

static void retire(struct work_struct *work)
{
	struct dmabed_job *job = container_of(work, struct dmabed_job, retire);

	if (!dmabed_engine_sabotaged(DMABED_ENGINE_LEAK_JOB))
		release_resources(job);
	complete_all(&job->retired);
	dmabed_job_put(job);
}

/**
 * dmabed_job_wait_retired - wait until what the job wrote can be read
 * @job: a job whose fence has signalled
 *
 * In a generation whose mappings end with the job, it is the end of the mapping
 * that brings the bytes of a device that bounces.
 *
 * Return: 0; -EINTR.
 */
int dmabed_job_wait_retired(struct dmabed_job *job)
{
	if (!job->brief)
		return 0;
	return wait_for_completion_interruptible(&job->retired) ? -EINTR : 0;
}

/**
 * dmabed_job_create - a job that does nothing yet
 * @engine: where it will run
 * @request: what user space asked for, already checked
 *
 * Return: the job with one reference, or NULL.
 */
struct dmabed_job *dmabed_job_create(struct dmabed_engine *engine,
				     const struct dmabed_submit *request)
{
	struct dmabed_job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return NULL;
	job->fence = fence_alloc(engine->info.name);
	if (!job->fence) {
		kfree(job);
		return NULL;
	}
	kref_init(&job->ref);
	job->engine = engine;
	job->op = request->op;
	job->usage = request->usage;
	job->seed = request->seed;
	job->length = request->length;
	job->pattern_offset = request->dst_offset / sizeof(u64);
	INIT_LIST_HEAD(&job->dependencies);
	atomic_set(&job->unmet, 1);
	init_completion(&job->retired);
	INIT_WORK(&job->retire, retire);
	dmabed_live_add(DMABED_LIVE_JOBS, 1);
	return job;
}

static void job_free(struct kref *ref)
{
	struct dmabed_job *job = container_of(ref, struct dmabed_job, ref);

	fence_free(job->fence);
	dma_fence_put(job->in_fence);
	kfree(job);
	dmabed_live_add(DMABED_LIVE_JOBS, -1);
}

/**
 * dmabed_job_put - a user of the job less
 * @job: the job
 */
void dmabed_job_put(struct dmabed_job *job)
{
	kref_put(&job->ref, job_free);
}

static void leave_flight(struct dmabed_job *job)
{
	unsigned int i;

	for (i = 0; i < DMABED_SIDES; i++)
		if (job->sides[i].attachment)
			atomic_dec(&job->sides[i].attachment->in_flight);
}

/**
 * dmabed_job_abandon - let go of all that a job holds that was not queued
 * @job: the job
 */
void dmabed_job_abandon(struct dmabed_job *job)
{
	leave_flight(job);
	release_resources(job);
}

/**
 * dmabed_job_end - signal the fence, and let go of the rest later
 * @job: a job out of the queue, whose reference this takes
 * @error: 0 or a negative errno for the fence
 */
void dmabed_job_end(struct dmabed_job *job, int error)
{
	if (dmabed_engine_sabotaged(DMABED_ENGINE_NO_FENCE_ERROR))
		error = 0;
	job->result.error = error;
	leave_flight(job);
	/* signalled already: by a sabotage only */
	if (error && !dma_fence_is_signaled(job->fence))
		dma_fence_set_error(job->fence, error);
	dma_fence_signal(job->fence);
	queue_work(job->engine->retire, &job->retire);
}

/* ---- dependencies ---- */

static void dependency_signalled(struct dma_fence *fence,
				 struct dma_fence_cb *cb)
{
	dmabed_job_dependency_met(container_of(cb, struct dmabed_dependency,
					       cb)->job);
}

static int depend_on(struct dmabed_job *job, struct dma_fence *fence)
{
	struct dmabed_dependency *dependency;

	dependency = kzalloc(sizeof(*dependency), GFP_KERNEL);
	if (!dependency)
		return -ENOMEM;
	dependency->fence = dma_fence_get(fence);
	dependency->job = job;
	list_add(&dependency->node, &job->dependencies);
	atomic_inc(&job->unmet);
	/* it may have signalled already */
	if (dma_fence_add_callback(fence, &dependency->cb,
				   dependency_signalled))
		atomic_dec(&job->unmet);
	return 0;
}

/**
 * dmabed_job_depend - wait for what implicit synchronisation asks for
 * @job: the job
 * @side: one of its sides, the buffer's reservation lock held
 *
 * The engine does its own jobs in order, so that its fences need no waiting; a
 * lost interrupt then stops nobody, as the next one tells of both jobs.
 *
 * Return: 0 or -ENOMEM.
 */
int dmabed_job_depend(struct dmabed_job *job,
		      const struct dmabed_job_side *side)
{
	enum dma_resv_usage usage = dma_resv_usage_rw(side->write);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int ret;

	if (dmabed_engine_sabotaged(DMABED_ENGINE_NO_DEPENDENCIES))
		return 0;
	dma_resv_for_each_fence(&cursor, side->attachment->resv, usage,
				fence) {
		if (fence->context == job->engine->fence_context)
			continue;
		ret = depend_on(job, fence);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * dmabed_job_depend_in_fence - wait for the fence that user space gave
 * @job: the job
 *
 * Return: 0 or -ENOMEM.
 */
int dmabed_job_depend_in_fence(struct dmabed_job *job)
{
	if (!job->in_fence ||
	    dmabed_engine_sabotaged(DMABED_ENGINE_IGNORE_IN_FENCE) ||
	    job->in_fence->context == job->engine->fence_context)
		return 0;
	return depend_on(job, job->in_fence);
}
