// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reservation objects of the file and of the buffer.
 */
#include <linux/err.h>

#include "calls.h"

static struct dma_resv *resv_of(struct dmabed_calls *calls, u64 which)
{
	if (!which)
		return &calls->resv;
	if (which == 1 && calls->dmabuf)
		return calls->dmabuf->resv;
	return NULL;
}

static bool is_usage(u64 usage)
{
	return usage >= DMABED_USAGE_KERNEL && usage <= DMABED_USAGE_BOOKKEEP;
}

static enum dma_resv_usage usage_of(u64 usage)
{
	return usage - DMABED_USAGE_KERNEL + DMA_RESV_USAGE_KERNEL;
}

/**
 * dmabed_call_resv_reserve - dma_resv_reserve_fences()
 * @calls: the file
 * @args: resv; for how many
 */
s64 dmabed_call_resv_reserve(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_resv *resv = resv_of(calls, args[0]);
	s64 ret;

	if (!resv || !args[1])
		return -EINVAL;
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, args[1]);
	dma_resv_unlock(resv);
	return ret;
}

/**
 * dmabed_call_resv_add - dma_resv_add_fence(), with a place reserved
 * @calls: the file
 * @args: resv; slot; DMABED_USAGE_*
 */
s64 dmabed_call_resv_add(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_resv *resv = resv_of(calls, args[0]);
	struct dma_fence *fence = dmabed_fence_in(calls, args[1]);
	s64 ret;

	if (!resv || !is_usage(args[2]))
		return -EINVAL;
	if (IS_ERR(fence))
		return PTR_ERR(fence);
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret && dma_fence_is_container(fence))
		dmabed_expect_warning("dma_resv_add_fence");
	if (!ret)
		dma_resv_add_fence(resv, fence, usage_of(args[2]));
	dma_resv_unlock(resv);
	return ret;
}

/**
 * dmabed_call_resv_replace - dma_resv_replace_fences()
 * @calls: the file
 * @args: resv; slot whose context goes; slot of what comes; DMABED_USAGE_*
 */
s64 dmabed_call_resv_replace(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_resv *resv = resv_of(calls, args[0]);
	struct dma_fence *old = dmabed_fence_in(calls, args[1]);
	struct dma_fence *new = dmabed_fence_in(calls, args[2]);

	if (!resv || !is_usage(args[3]))
		return -EINVAL;
	if (IS_ERR(old) || IS_ERR(new))
		return -ENOENT;
	dma_resv_lock(resv, NULL);
	dma_resv_replace_fences(resv, old->context, new, usage_of(args[3]));
	dma_resv_unlock(resv);
	return 0;
}

/**
 * dmabed_call_resv_copy - dma_resv_copy_fences()
 * @calls: the file
 * @args: resv that takes them; the other one has them
 */
s64 dmabed_call_resv_copy(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_resv *to = resv_of(calls, args[0]);
	struct dma_resv *from = resv_of(calls, !args[0]);
	s64 ret;

	if (!to || !from)
		return -EINVAL;
	dma_resv_lock(to, NULL);
	ret = dma_resv_copy_fences(to, from);
	dma_resv_unlock(to);
	return ret;
}

/**
 * dmabed_call_resv_set_deadline - dma_resv_set_deadline()
 * @calls: the file
 * @args: resv; DMABED_USAGE_*; ns
 */
s64 dmabed_call_resv_set_deadline(struct dmabed_calls *calls,
				  const u64 *args)
{
	struct dma_resv *resv = resv_of(calls, args[0]);

	if (!resv || !is_usage(args[1]))
		return -EINVAL;
	dma_resv_set_deadline(resv, usage_of(args[1]), ns_to_ktime(args[2]));
	return 0;
}

/**
 * dmabed_call_resv_test_signaled - dma_resv_test_signaled()
 * @calls: the file
 * @args: resv; DMABED_USAGE_*
 */
s64 dmabed_call_resv_test_signaled(struct dmabed_calls *calls,
				   const u64 *args)
{
	struct dma_resv *resv = resv_of(calls, args[0]);

	if (!resv || !is_usage(args[1]))
		return -EINVAL;
	return dma_resv_test_signaled(resv, usage_of(args[1]));
}

/**
 * dmabed_call_resv_wait - dma_resv_wait_timeout()
 * @calls: the file
 * @args: resv; DMABED_USAGE_*; timeout; DMABED_WAIT_*
 *
 * Return: 1: signalled; 0: timed out; -ERESTARTSYS: a signal came.
 */
s64 dmabed_call_resv_wait(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_resv *resv = resv_of(calls, args[0]);
	long left;

	if (!resv || !is_usage(args[1]))
		return -EINVAL;
	left = dma_resv_wait_timeout(resv, usage_of(args[1]),
				     args[3] & DMABED_WAIT_INTERRUPTIBLE,
				     dmabed_timeout(args[2]));
	return min(left, 1L);
}

/**
 * dmabed_call_resv_count - fences that are pending
 * @calls: the file
 * @args: resv; DMABED_USAGE_*
 */
s64 dmabed_call_resv_count(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_resv *resv = resv_of(calls, args[0]);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	s64 count = 0;

	if (!resv || !is_usage(args[1]))
		return -EINVAL;
	dma_resv_lock(resv, NULL);
	dma_resv_for_each_fence(&cursor, resv, usage_of(args[1]), fence)
		count += !dma_fence_is_signaled(fence);
	dma_resv_unlock(resv);
	return count;
}

/**
 * dmabed_call_resv_singleton - dma_resv_get_singleton()
 * @calls: the file
 * @args: resv; DMABED_USAGE_*; slot, empty when there was none
 */
s64 dmabed_call_resv_singleton(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_resv *resv = resv_of(calls, args[0]);
	struct dma_fence *fence;
	s64 ret;

	if (!resv || !is_usage(args[1]))
		return -EINVAL;
	ret = dma_resv_get_singleton(resv, usage_of(args[1]), &fence);
	return ret ?: dmabed_fence_store(calls, args[2], fence);
}

/* The list of fences moves, as it does whenever it grows. */
static int grow(struct dma_resv *resv, unsigned int count)
{
	int ret;

	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, count);
	dma_resv_unlock(resv);
	return ret;
}

/**
 * dmabed_call_resv_walk_and_grow - another list comes in the middle of a walk
 * @calls: the file
 * @args: resv; DMABED_USAGE_*; how many places it grows by
 *
 * Return: fences seen, those of the walk that was given up included; -EPROTO
 *	when the walk did not start anew.
 */
s64 dmabed_call_resv_walk_and_grow(struct dmabed_calls *calls,
				   const u64 *args)
{
	struct dma_resv *resv = resv_of(calls, args[0]);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int starts = 0;
	s64 ret = 0, count = 0;

	if (!resv || !is_usage(args[1]))
		return -EINVAL;
	dma_resv_iter_begin(&cursor, resv, usage_of(args[1]));
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		starts += dma_resv_iter_is_restarted(&cursor);
		if (!count++)
			ret = grow(resv, args[2]);
		if (ret)
			break;
	}
	dma_resv_iter_end(&cursor);
	if (!ret && count && starts != 2)
		ret = -EPROTO;
	return ret ?: count;
}
