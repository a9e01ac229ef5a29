// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fences in slots, of our own or from a sync file.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

#include "calls.h"

/**
 * struct own_fence - a fence that signals when it is told to
 * @base: the fence
 * @lock: its lock
 * @deadline: the last one that it was told, 0: none
 */
struct own_fence {
	struct dma_fence base;
	spinlock_t lock;	/* handed to the framework */
	ktime_t deadline;
};

/* ---- operations; a fence may outlive its file, and holds the module ---- */

static const char *driver_name(struct dma_fence *fence)
{
	return "dmabed-calls";
}

static const char *timeline_name(struct dma_fence *fence)
{
	return "on-request";
}

static bool refuse_signaling(struct dma_fence *fence)
{
	return false;
}

static void set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	container_of(fence, struct own_fence, base)->deadline = deadline;
}

static void release(struct dma_fence *fence)
{
	dma_fence_free(fence);
	module_put(THIS_MODULE);
}

static const struct dma_fence_ops plain_ops = {
	.get_driver_name = driver_name,
	.get_timeline_name = timeline_name,
	.set_deadline = set_deadline,
	.release = release,
};

static const struct dma_fence_ops waits_ops = {
	.get_driver_name = driver_name,
	.get_timeline_name = timeline_name,
	.set_deadline = set_deadline,
	.wait = dma_fence_default_wait,
	.release = release,
};

static const struct dma_fence_ops refuses_ops = {
	.get_driver_name = driver_name,
	.get_timeline_name = timeline_name,
	.set_deadline = set_deadline,
	.enable_signaling = refuse_signaling,
	.release = release,
};

static const struct dma_fence_ops *const kinds[] = {
	[DMABED_FENCE_PLAIN] = &plain_ops,
	[DMABED_FENCE_WAITS] = &waits_ops,
	[DMABED_FENCE_REFUSES] = &refuses_ops,
};

static bool is_own(const struct dma_fence *fence)
{
	return fence->ops == &plain_ops || fence->ops == &waits_ops ||
	       fence->ops == &refuses_ops;
}

/* ---- slots ---- */

/**
 * dmabed_fence_in - the fence in a slot
 * @calls: the file
 * @slot: its number
 *
 * Return: the fence, without a reference of the caller's own, or an ERR_PTR.
 */
struct dma_fence *dmabed_fence_in(struct dmabed_calls *calls, u64 slot)
{
	if (slot >= DMABED_FENCE_SLOTS)
		return ERR_PTR(-ERANGE);
	return calls->fences[slot] ?: ERR_PTR(-ENOENT);
}

static void empty(struct dmabed_calls *calls, u64 slot)
{
	dma_fence_put(calls->fences[slot]);
	calls->fences[slot] = NULL;
	memset(&calls->callbacks[slot], 0, sizeof(calls->callbacks[slot]));
}

/**
 * dmabed_fence_store - put a fence into a slot
 * @calls: the file
 * @slot: its number
 * @fence: the reference is taken over, also when it fails; may be NULL
 */
s64 dmabed_fence_store(struct dmabed_calls *calls, u64 slot,
		       struct dma_fence *fence)
{
	struct dmabed_callback *callback;

	if (slot >= DMABED_FENCE_SLOTS) {
		dma_fence_put(fence);
		return -ERANGE;
	}
	callback = &calls->callbacks[slot];
	if (callback->added)
		dma_fence_remove_callback(calls->fences[slot], &callback->base);
	empty(calls, slot);
	calls->fences[slot] = fence;
	return 0;
}

/* ---- where fences come from ---- */

/**
 * dmabed_call_fence_new - a fence of our own
 * @calls: the file
 * @args: slot; DMABED_FENCE_*; sequence number in the file's context, 0: a new
 *	context
 */
s64 dmabed_call_fence_new(struct dmabed_calls *calls, const u64 *args)
{
	u64 context = args[2] ? calls->context : dma_fence_context_alloc(1);
	struct own_fence *fence;

	if (args[1] >= ARRAY_SIZE(kinds))
		return -EINVAL;
	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	if (!fence)
		return -ENOMEM;
	spin_lock_init(&fence->lock);
	__module_get(THIS_MODULE);
	dma_fence_init(&fence->base, kinds[args[1]], &fence->lock, context,
		       args[2] ?: 1);
	return dmabed_fence_store(calls, args[0], &fence->base);
}

/**
 * dmabed_call_fence_stub - a fence that has signalled
 * @calls: the file
 * @args: slot; when it signalled, in ns, 0: the one that everybody shares
 */
s64 dmabed_call_fence_stub(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *fence = dma_fence_get_stub();

	if (args[1]) {
		dma_fence_put(fence);
		fence = dma_fence_allocate_private_stub(ns_to_ktime(args[1]));
		if (!fence)
			return -ENOMEM;
	}
	return dmabed_fence_store(calls, args[0], fence);
}

/**
 * dmabed_call_fence_from_fd - the fence of a sync file
 * @calls: the file
 * @args: slot; fd
 */
s64 dmabed_call_fence_from_fd(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *fence = sync_file_get_fence(args[1]);

	if (!fence)
		return -EINVAL;
	return dmabed_fence_store(calls, args[0], fence);
}

/**
 * dmabed_call_fence_to_fd - a sync file of a fence
 * @calls: the file
 * @args: slot
 */
s64 dmabed_call_fence_to_fd(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);
	struct sync_file *file;

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	file = sync_file_create(fence);
	if (!file)
		return -ENOMEM;
	return dmabed_calls_make_fd(calls, file->file);
}

/**
 * dmabed_call_fence_put - empty a slot
 * @calls: the file
 * @args: slot
 *
 * A callback stays when the last reference goes: the framework warns, and calls
 * it with EDEADLK.
 *
 * Return: how often the callback was called.
 */
s64 dmabed_call_fence_put(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);
	struct dmabed_callback *callback;
	int called;

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	callback = &calls->callbacks[args[0]];
	if (!callback->added || kref_read(&fence->refcount) > 1) {
		called = atomic_read(&callback->called);
		dmabed_fence_store(calls, args[0], NULL);
		return called;
	}
	if (!dma_fence_is_signaled(fence))
		dmabed_expect_warning("dma_fence_release");
	calls->fences[args[0]] = NULL;
	dma_fence_put(fence);
	called = atomic_read(&callback->called);
	empty(calls, args[0]);
	return called;
}

/* ---- what is done with one ---- */

/**
 * dmabed_call_fence_signal - signal a fence
 * @calls: the file
 * @args: slot; an errno, negative, or 0
 */
s64 dmabed_call_fence_signal(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	if (!is_own(fence))
		return -EPERM;
	if (args[1] && !IS_ERR_VALUE(args[1]))
		return -EINVAL;
	if (args[1] && !dma_fence_is_signaled(fence))
		dma_fence_set_error(fence, (int)args[1]);
	return dma_fence_signal(fence);
}

/**
 * dmabed_call_fence_status - dma_fence_get_status()
 * @calls: the file
 * @args: slot
 */
s64 dmabed_call_fence_status(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);

	return IS_ERR(fence) ? PTR_ERR(fence) : dma_fence_get_status(fence);
}

/**
 * dmabed_call_fence_enable - dma_fence_enable_sw_signaling()
 * @calls: the file
 * @args: slot
 */
s64 dmabed_call_fence_enable(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	dma_fence_enable_sw_signaling(fence);
	return dma_fence_is_signaled(fence);
}

/**
 * dmabed_call_fence_set_deadline - dma_fence_set_deadline()
 * @calls: the file
 * @args: slot; ns
 */
s64 dmabed_call_fence_set_deadline(struct dmabed_calls *calls,
				   const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	dma_fence_set_deadline(fence, ns_to_ktime(args[1]));
	return 0;
}

/**
 * dmabed_call_fence_deadline - what a fence of our own was told
 * @calls: the file
 * @args: slot
 */
s64 dmabed_call_fence_deadline(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	if (!is_own(fence))
		return -EINVAL;
	return ktime_to_ns(container_of(fence, struct own_fence,
					base)->deadline);
}

/**
 * dmabed_call_fence_match_context - dma_fence_match_context()
 * @calls: the file
 * @args: slot; slot of the fence whose context is looked for
 */
s64 dmabed_call_fence_match_context(struct dmabed_calls *calls,
				    const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);
	struct dma_fence *other = dmabed_fence_in(calls, args[1]);

	if (IS_ERR(fence) || IS_ERR(other))
		return -ENOENT;
	return dma_fence_match_context(fence, other->context);
}

/**
 * dmabed_call_fence_signal_and_look - before anybody else can look
 * @calls: the file
 * @args: slot of the fence to signal; slot of the fence to look at
 *
 * Containers are signalled by an interrupt work, which has to wait here.
 */
s64 dmabed_call_fence_signal_and_look(struct dmabed_calls *calls,
				      const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);
	struct dma_fence *other = dmabed_fence_in(calls, args[1]);
	unsigned long flags;
	s64 ret;

	if (IS_ERR(fence) || IS_ERR(other))
		return -ENOENT;
	if (!is_own(fence))
		return -EPERM;
	local_irq_save(flags);
	ret = dma_fence_signal(fence);
	if (!ret)
		ret = dma_fence_is_signaled(other);
	local_irq_restore(flags);
	return ret;
}
