// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Waiting for fences, and being called by them.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "calls.h"

/**
 * dmabed_timeout - as the framework's functions want it
 * @ns: negative: for ever; 0: only look
 */
signed long dmabed_timeout(u64 ns)
{
	return (s64)ns < 0 ? MAX_SCHEDULE_TIMEOUT : nsecs_to_jiffies(ns);
}

static s64 wait_once(struct dma_fence *fence, const u64 *args)
{
	long left = dma_fence_wait_timeout(fence,
					   args[2] & DMABED_WAIT_INTERRUPTIBLE,
					   dmabed_timeout(args[1]));

	return min(left, 1L);
}

/**
 * dmabed_call_fence_wait - dma_fence_wait_timeout()
 * @calls: the file
 * @args: slot; timeout; DMABED_WAIT_*
 *
 * Return: 1: signalled; 0: timed out; -ERESTARTSYS: a signal came.
 */
s64 dmabed_call_fence_wait(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);
	s64 ret;

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	ret = wait_once(fence, args);
	if (ret == -ERESTARTSYS && args[2] & DMABED_WAIT_TWICE)
		ret = wait_once(fence, args);
	return ret;
}

/* The slot of the @nth fence of a mask. */
static unsigned int nth_of(u64 mask, unsigned int nth)
{
	while (nth--)
		mask &= mask - 1;
	return __ffs64(mask);
}

/**
 * dmabed_call_fence_wait_any - dma_fence_wait_any_timeout()
 * @calls: the file
 * @args: mask of slots; timeout; DMABED_WAIT_*
 *
 * Return: the slot whose fence had signalled; -ETIME: none had.
 */
s64 dmabed_call_fence_wait_any(struct dmabed_calls *calls, const u64 *args)
{
	u32 *wanted, index = 0;
	struct dma_fence **fences;
	unsigned int count;
	long left;

	if (!args[0])
		return -EINVAL;
	fences = dmabed_fences_of(calls, args[0], &count);
	if (IS_ERR(fences))
		return PTR_ERR(fences);
	wanted = args[2] & DMABED_WAIT_NO_INDEX ? NULL : &index;
	left = dma_fence_wait_any_timeout(fences, count,
					  args[2] & DMABED_WAIT_INTERRUPTIBLE,
					  dmabed_timeout(args[1]), wanted);
	kfree(fences);
	if (left <= 0)
		return left ?: -ETIME;
	return wanted ? nth_of(args[0], index) : 0;
}

/* ---- callbacks ---- */

static void count_call(struct dma_fence *fence, struct dma_fence_cb *base)
{
	atomic_inc(&container_of(base, struct dmabed_callback, base)->called);
}

/**
 * dmabed_call_fence_add_callback - dma_fence_add_callback()
 * @calls: the file
 * @args: slot; it has one callback
 */
s64 dmabed_call_fence_add_callback(struct dmabed_calls *calls,
				   const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);
	struct dmabed_callback *callback;
	int ret;

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	callback = &calls->callbacks[args[0]];
	if (callback->added)
		return -EBUSY;
	ret = dma_fence_add_callback(fence, &callback->base, count_call);
	callback->added = !ret;
	return ret;
}

/**
 * dmabed_call_fence_remove_callback - dma_fence_remove_callback()
 * @calls: the file
 * @args: slot
 */
s64 dmabed_call_fence_remove_callback(struct dmabed_calls *calls,
				      const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);
	struct dmabed_callback *callback;

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	callback = &calls->callbacks[args[0]];
	if (!callback->added)
		return -ENOENT;
	callback->added = false;
	return dma_fence_remove_callback(fence, &callback->base);
}

/**
 * dmabed_call_fence_called - how often the callback was called
 * @calls: the file
 * @args: slot
 */
s64 dmabed_call_fence_called(struct dmabed_calls *calls, const u64 *args)
{
	if (args[0] >= DMABED_FENCE_SLOTS)
		return -ERANGE;
	return atomic_read(&calls->callbacks[args[0]].called);
}
