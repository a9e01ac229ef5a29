// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arrays and chains of fences, and what looks into them.
 */
#include <linux/bitops.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "calls.h"

/**
 * dmabed_fences_of - the fences in some slots
 * @calls: the file
 * @mask: bit 0 is slot 0
 * @count: out: how many there are
 *
 * Return: a list to be freed, without references of its own, or an ERR_PTR.
 */
struct dma_fence **dmabed_fences_of(struct dmabed_calls *calls, u64 mask,
				    unsigned int *count)
{
	struct dma_fence **fences, *fence;

	fences = kcalloc(DMABED_FENCE_SLOTS, sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return ERR_PTR(-ENOMEM);
	for (*count = 0; mask; mask &= mask - 1) {
		fence = dmabed_fence_in(calls, __ffs64(mask));
		if (IS_ERR(fence)) {
			kfree(fences);
			return ERR_CAST(fence);
		}
		fences[(*count)++] = fence;
	}
	return fences;
}

/* ---- arrays ---- */

/* None at all, and each that has fences within itself; told by either function. */
static void expect_warnings(struct dma_fence **fences, unsigned int count)
{
	unsigned int i;

	if (!count)
		dmabed_expect_warning("dma_fence_array_");
	for (i = 0; i < count; i++)
		if (dma_fence_is_container(fences[i]))
			dmabed_expect_warning("dma_fence_array_");
}

/**
 * dmabed_call_array - dma_fence_array_create()
 * @calls: the file
 * @args: slot; mask of slots; whether it signals with the first of them
 */
s64 dmabed_call_array(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence_array *array;
	struct dma_fence **fences;
	unsigned int count, i;

	fences = dmabed_fences_of(calls, args[1], &count);
	if (IS_ERR(fences))
		return PTR_ERR(fences);
	expect_warnings(fences, count);
	array = dma_fence_array_create(count, fences,
				       dma_fence_context_alloc(1), 1, args[2]);
	if (!array) {
		kfree(fences);
		return -ENOMEM;
	}
	for (i = 0; i < count; i++)
		dma_fence_get(fences[i]);
	return dmabed_fence_store(calls, args[0], &array->base);
}

/**
 * dmabed_call_array_any - walk an array, or what is none
 * @calls: the file
 * @args: slot
 */
s64 dmabed_call_array_any(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *head = dmabed_fence_in(calls, args[0]), *fence;
	unsigned int index;
	s64 count = 0;

	if (head == ERR_PTR(-ENOENT))
		head = NULL;
	if (IS_ERR(head))
		return PTR_ERR(head);
	dma_fence_array_for_each(fence, index, head)
		count++;
	return count;
}

/* ---- chains ---- */

/**
 * dmabed_call_chain - a new node at the end of a chain
 * @calls: the file
 * @args: slot; slot of the node before, ~0: none; slot of the fence; number
 */
s64 dmabed_call_chain(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[2]);
	struct dma_fence *before = NULL;
	struct dma_fence_chain *chain;

	if (args[1] != ~0ULL)
		before = dmabed_fence_in(calls, args[1]);
	if (IS_ERR(fence) || IS_ERR(before))
		return -ENOENT;
	chain = dma_fence_chain_alloc();
	if (!chain)
		return -ENOMEM;
	if (dma_fence_is_chain(fence))
		dmabed_expect_warning("dma_fence_chain_init");
	dma_fence_chain_init(chain, dma_fence_get(before),
			     dma_fence_get(fence), args[3]);
	return dmabed_fence_store(calls, args[0], &chain->base);
}

/**
 * dmabed_call_chain_find - dma_fence_chain_find_seqno()
 * @calls: the file
 * @args: slot; sequence number; slot for the node that was found
 */
s64 dmabed_call_chain_find(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *fence = dmabed_fence_in(calls, args[0]);
	s64 ret;

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	dma_fence_get(fence);
	ret = dma_fence_chain_find_seqno(&fence, args[1]);
	if (ret) {
		dma_fence_put(fence);
		return ret;
	}
	return dmabed_fence_store(calls, args[2], fence);
}

/**
 * dmabed_call_chain_length - nodes that are left of a chain
 * @calls: the file
 * @args: slot
 */
s64 dmabed_call_chain_length(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *head = dmabed_fence_in(calls, args[0]), *fence;
	s64 count = 0;

	if (IS_ERR(head))
		return PTR_ERR(head);
	dma_fence_chain_for_each(fence, head)
		count++;
	return count;
}

/* ---- both ---- */

/**
 * dmabed_call_merge - dma_fence_unwrap_merge()
 * @calls: the file
 * @args: slot; slots of two fences
 */
s64 dmabed_call_merge(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *first = dmabed_fence_in(calls, args[1]);
	struct dma_fence *second = dmabed_fence_in(calls, args[2]);
	struct dma_fence *merged;

	if (IS_ERR(first) || IS_ERR(second))
		return -ENOENT;
	merged = dma_fence_unwrap_merge(first, second);
	if (!merged)
		return -ENOMEM;
	return dmabed_fence_store(calls, args[0], merged);
}

/**
 * dmabed_call_unwrap - the fences within a fence
 * @calls: the file
 * @args: slot
 */
s64 dmabed_call_unwrap(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_fence *head = dmabed_fence_in(calls, args[0]), *fence;
	struct dma_fence_unwrap cursor;
	s64 count = 0;

	if (IS_ERR(head))
		return PTR_ERR(head);
	dma_fence_unwrap_for_each(fence, &cursor, head)
		count++;
	return count;
}
