// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jobs in order: those that wait for a dependency or for room, then those in
 * the ring, then those done.  A job that waits holds up all behind it.
 */
#include <linux/dma-fence.h>
#include <linux/list.h>
#include <dmabed/engine_regs.h>

#include "engine.h"

/**
 * dmabed_queue_add - append a job
 * @job: the job; the queue takes a reference of its own
 *
 * Its fence gets its number here, so that numbers and order agree.
 *
 * Return: 0, or -ENODEV when the engine is gone.
 */
int dmabed_queue_add(struct dmabed_job *job)
{
	struct dmabed_engine *engine = job->engine;
	unsigned long flags;
	int ret = -ENODEV;

	spin_lock_irqsave(&engine->lock, flags);
	if (!engine->gone) {
		dmabed_job_init_fence(job, engine->fence_context,
				      ++engine->fence_seqno);
		kref_get(&job->ref);
		list_add_tail(&job->node, &engine->waiting);
		ret = 0;
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return ret;
}

static struct dmabed_job *first_ready(struct dmabed_engine *engine)
{
	struct dmabed_job *job =
		list_first_entry_or_null(&engine->waiting, struct dmabed_job,
					 node);

	return job && !atomic_read(&job->unmet) ? job : NULL;
}

static void feed(struct dmabed_engine *engine)
{
	struct dmabed_job *job;

	lockdep_assert_held(&engine->lock);
	while (!dmabed_ring_full(&engine->ring)) {
		job = first_ready(engine);
		if (!job)
			break;
		list_del(&job->node);
		dmabed_ring_push(engine, job);
	}
}

/**
 * dmabed_job_dependency_met - one thing less to wait for
 * @job: the job, which the caller keeps alive
 *
 * Called in interrupts, and inside the lock of some other fence.
 */
void dmabed_job_dependency_met(struct dmabed_job *job)
{
	struct dmabed_engine *engine = job->engine;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (atomic_dec_and_test(&job->unmet))
		feed(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* A comparison that found a difference is a job that went well. */
static int error_of(const struct dmabed_wait *result)
{
	switch (result->status) {
	case DMABED_COMP_OK:
	case DMABED_COMP_MISMATCH_FOUND:
		return 0;
	default:
		return -EIO;
	}
}

static void take_ring(struct dmabed_engine *engine, u32 tail,
		      struct list_head *out)
{
	struct dmabed_job *job;

	lockdep_assert_held(&engine->lock);
	while (engine->ring.tail != tail) {
		job = dmabed_ring_pop(&engine->ring);
		if (!job)
			break;
		list_add_tail(&job->node, out);
	}
}

/* In the order of their numbers, as a timeline wants. */
static void end_all(struct list_head *jobs, int error)
{
	bool cookie = dma_fence_begin_signalling();
	struct dmabed_job *job, *next;

	list_for_each_entry_safe(job, next, jobs, node) {
		list_del(&job->node);
		dmabed_job_end(job, error ?: error_of(&job->result));
	}
	dma_fence_end_signalling(cookie);
}

/**
 * dmabed_queue_reap - end the jobs that the engine has done
 * @engine: the engine
 */
void dmabed_queue_reap(struct dmabed_engine *engine)
{
	unsigned long flags;
	LIST_HEAD(done);
	u32 tail;

	spin_lock_irqsave(&engine->lock, flags);
	tail = dmabed_hw_tail(engine->regs);
	/* jobs of an unplugged device end with its removal */
	if (tail < DMABED_RING_ENTRIES)
		take_ring(engine, tail, &done);
	feed(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	end_all(&done, 0);
}

/**
 * dmabed_queue_restart - fail what a stopped ring held, and go on with the rest
 * @engine: the engine
 */
void dmabed_queue_restart(struct dmabed_engine *engine)
{
	unsigned long flags;
	LIST_HEAD(failed);
	bool started;

	spin_lock_irqsave(&engine->lock, flags);
	take_ring(engine, engine->ring.head, &failed);
	started = dmabed_ring_start(engine);
	feed(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (!started)
		dev_err(engine->dev, "the engine refuses its ring\n");
	end_all(&failed, -EIO);
}

/**
 * dmabed_queue_stop - the engine goes: fail all jobs, and take no more
 * @engine: the engine, its interrupt off
 */
void dmabed_queue_stop(struct dmabed_engine *engine)
{
	unsigned long flags;
	LIST_HEAD(failed);

	spin_lock_irqsave(&engine->lock, flags);
	engine->gone = true;
	dmabed_hw_reset(engine->regs);
	take_ring(engine, engine->ring.head, &failed);
	list_splice_tail_init(&engine->waiting, &failed);
	if (dmabed_engine_sabotaged(DMABED_ENGINE_UNBIND_KEEPS_JOBS))
		list_splice_tail_init(&failed, &engine->kept);
	spin_unlock_irqrestore(&engine->lock, flags);
	end_all(&failed, -ENODEV);
}

/**
 * dmabed_queue_end_kept - signal what a sabotaged removal left
 * @engine: the engine, whose device is gone: all else that jobs held is leaked
 */
void dmabed_queue_end_kept(struct dmabed_engine *engine)
{
	struct dmabed_job *job, *next;
	unsigned long flags;
	LIST_HEAD(kept);

	spin_lock_irqsave(&engine->lock, flags);
	list_splice_tail_init(&engine->kept, &kept);
	spin_unlock_irqrestore(&engine->lock, flags);
	list_for_each_entry_safe(job, next, &kept, node) {
		list_del(&job->node);
		dma_fence_set_error(job->fence, -ENODEV);
		dma_fence_signal(job->fence);
		dmabed_job_put(job);
	}
}
