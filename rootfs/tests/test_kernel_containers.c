// SPDX-License-Identifier: GPL-2.0-or-later
/* C10: arrays and chains of fences, as graphics drivers make them. */
#include <linux/dma-buf.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"
#include "exporters.h"
#include "kernel_calls.h"
#include "test.h"

#define PENDING 0
#define SIGNALLED 1
#define TIME 5000000000ULL
#define ANY 1

/* Containers are signalled by an interrupt work; a wait that never ends can be killed. */
static void check_signals(int calls, int slot)
{
	CHECK_EQ(call(calls, FENCE_WAIT, slot, FOREVER, DMABED_WAIT_INTERRUPTIBLE), 1);
}

/* ---- arrays; in slot 8, of new fences in the first slots ---- */

static int array_of(int calls, int count, int any)
{
	int slot;

	for (slot = 0; slot < count; slot++)
		new_fence(calls, slot);
	CHECK_EQ(call(calls, ARRAY, 8, (1u << count) - 1, any), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 8), PENDING);
	return 8;
}

TEST(C10, array_of_all)
{
	int calls = calls_open();
	int array = array_of(calls, 3, 0);

	CHECK_EQ(call(calls, FENCE_SIGNAL, 2), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, array), PENDING);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, array), SIGNALLED);
}

TEST(C10, array_of_any)
{
	int calls = calls_open();
	int array = array_of(calls, 3, ANY);

	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, array), SIGNALLED);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, array), SIGNALLED);
}

/* With somebody waiting, each fence tells the array. */
TEST(C10, array_wakes)
{
	int calls = calls_open();
	int array = array_of(calls, 2, 0);

	CHECK_EQ(call(calls, FENCE_ENABLE, array), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, array), PENDING);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	check_signals(calls, array);
	array = array_of(calls, 2, ANY);
	CHECK_EQ(call(calls, FENCE_ENABLE, array), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	check_signals(calls, array);
	/* the other one comes when nobody needs it any more */
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, array), SIGNALLED);
}

/* All is done, and the work that says so has not run yet. */
TEST(C10, array_seen_before_its_work)
{
	int calls = calls_open();
	int array = array_of(calls, 2, ANY);

	CHECK_EQ(call(calls, FENCE_ENABLE, array), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL_AND_LOOK, 1, array), SIGNALLED);
	/* a fence that never signals would keep the array for ever */
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	array = array_of(calls, 2, 0);
	CHECK_EQ(call(calls, FENCE_ENABLE, array), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL_AND_LOOK, 1, array), PENDING);
	CHECK_EQ(call(calls, FENCE_SIGNAL_AND_LOOK, 0, array), SIGNALLED);
}

TEST(C10, array_of_signalled)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, FENCE_SIGNAL, new_fence(calls, 0)), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, new_fence(calls, 1)), 0);
	CHECK_EQ(call(calls, ARRAY, 8, 3, 0), 0);
	CHECK_EQ(call(calls, FENCE_ENABLE, 8), 1);
	CHECK_EQ(call(calls, FENCE_STATUS, 8), SIGNALLED);
}

/* The first error is the array's, whether it came before or after somebody waits. */
TEST(C10, array_error)
{
	int calls = calls_open();
	int array = array_of(calls, 2, 0);

	CHECK_EQ(call(calls, FENCE_ENABLE, array), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0, (uint64_t)-EIO), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1, (uint64_t)-ENODEV), 0);
	check_signals(calls, array);
	CHECK_EQ(call(calls, FENCE_STATUS, array), -EIO);
	array = array_of(calls, 2, 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0, (uint64_t)-EIO), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(call(calls, FENCE_ENABLE, array), 1);
	CHECK_EQ(call(calls, FENCE_STATUS, array), -EIO);
}

TEST(C10, array_deadline)
{
	int calls = calls_open();
	int array = array_of(calls, 2, 0);

	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(call(calls, FENCE_SET_DEADLINE, array, TIME), 0);
	CHECK_EQ(call(calls, FENCE_DEADLINE, 0), TIME);
	CHECK_EQ(call(calls, FENCE_DEADLINE, 1), 0);
}

TEST(C10, array_walk)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, ARRAY_ANY, array_of(calls, 3, 0)), 3);
	CHECK_EQ(call(calls, UNWRAP, 8), 3);
	/* what is no array is one fence, and nothing is none */
	CHECK_EQ(call(calls, ARRAY_ANY, 0), 1);
	CHECK_EQ(call(calls, UNWRAP, 0), 1);
	CHECK_EQ(call(calls, ARRAY_ANY, 9), 0);
}

/*
 * The framework warns, and makes one.  It is not unwrapped or imported here:
 * dma_fence_unwrap_first() of 6.12 keeps its reference to an array without fences.
 */
TEST(C10, array_of_none)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, ARRAY, 8, 0), 0);
	CHECK_EQ(call(calls, ARRAY_ANY, 8), 0);
}

/* It is to be flattened; the framework says so, and holds it all the same. */
TEST(C10, array_in_array)
{
	int calls = calls_open();

	array_of(calls, 2, 0);
	CHECK_EQ(call(calls, ARRAY, 9, 0x103, 0), 0);
	CHECK_EQ(call(calls, ARRAY_ANY, 9), 3);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	/* looked at without its lock, which is of the same class as that of the array within */
	CHECK_EQ(call(calls, FENCE_SIGNAL_AND_LOOK, 1, 9), SIGNALLED);
}

TEST(C10, match_context)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, FENCE_NEW, 0, DMABED_FENCE_PLAIN, 1), 0);
	CHECK_EQ(call(calls, FENCE_NEW, 1, DMABED_FENCE_PLAIN, 2), 0);
	new_fence(calls, 2);
	CHECK_EQ(call(calls, FENCE_MATCH_CONTEXT, 0, 1), 1);
	CHECK_EQ(call(calls, FENCE_MATCH_CONTEXT, 0, 2), 0);
	CHECK_EQ(call(calls, ARRAY, 8, 3, 0), 0);
	CHECK_EQ(call(calls, FENCE_MATCH_CONTEXT, 8, 0), 1);
	CHECK_EQ(call(calls, ARRAY, 8, 7, 0), 0);
	CHECK_EQ(call(calls, FENCE_MATCH_CONTEXT, 8, 0), 0);
}

/* ---- merging in the kernel ---- */

TEST(C10, merge_in_kernel)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, FENCE_NEW, 0, DMABED_FENCE_PLAIN, 1), 0);
	CHECK_EQ(call(calls, FENCE_NEW, 1, DMABED_FENCE_PLAIN, 2), 0);
	new_fence(calls, 2);
	CHECK_EQ(call(calls, MERGE, 8, 0, 2), 0);
	CHECK_EQ(call(calls, UNWRAP, 8), 2);
	/* of one context the later one is enough */
	CHECK_EQ(call(calls, MERGE, 9, 8, 1), 0);
	CHECK_EQ(call(calls, UNWRAP, 9), 2);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 2), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 8), SIGNALLED);
	CHECK_EQ(call(calls, FENCE_STATUS, 9), PENDING);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 9), SIGNALLED);
}

/* ---- chains; nodes in slots 8 to 10, numbered 1 to 3, of the fences in 0 to 2 ---- */

static int chain_of_3(int calls)
{
	int slot;

	for (slot = 0; slot < 3; slot++)
		CHECK_EQ(call(calls, CHAIN, 8 + slot, slot ? (uint64_t)(7 + slot) : NO_SLOT,
			      new_fence(calls, slot), slot + 1),
			 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 10), PENDING);
	return 10;
}

TEST(C10, chain_signals_in_order)
{
	int calls = calls_open();
	int chain = chain_of_3(calls);

	CHECK_EQ(call(calls, CHAIN_LENGTH, chain), 3);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	/* the one before has not signalled */
	CHECK_EQ(call(calls, FENCE_STATUS, 9), PENDING);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 8), SIGNALLED);
	CHECK_EQ(call(calls, FENCE_STATUS, 9), SIGNALLED);
	CHECK_EQ(call(calls, FENCE_STATUS, chain), PENDING);
	/* what has signalled is taken out of the chain */
	CHECK_EQ(call(calls, CHAIN_LENGTH, chain), 1);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 2), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, chain), SIGNALLED);
}

/* Whoever waits is woken once, by the last of them. */
static void check_wakes(int first, int second, int third)
{
	int calls = calls_open();
	int chain = chain_of_3(calls);

	CHECK_EQ(call(calls, FENCE_ADD_CALLBACK, chain), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, first), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, second), 0);
	CHECK_EQ(call(calls, FENCE_CALLED, chain), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, third), 0);
	check_signals(calls, chain);
	while (!call(calls, FENCE_CALLED, chain)) /* they are called after it has signalled */
		;
	CHECK_EQ(call(calls, FENCE_CALLED, chain), 1);
}

TEST(C10, chain_wakes)
{
	check_wakes(0, 1, 2);
	check_wakes(2, 1, 0);
	check_wakes(1, 2, 0);
}

TEST(C10, chain_of_signalled)
{
	int calls = calls_open();

	chain_of_3(calls);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 2), 0);
	CHECK_EQ(call(calls, FENCE_ENABLE, 10), 1);
}

/* A number is reached with the first node that is not below it. */
TEST(C10, chain_find)
{
	int calls = calls_open();
	int chain = chain_of_3(calls);

	CHECK_EQ(call(calls, CHAIN_FIND, chain, 4, 11), -EINVAL);
	CHECK_EQ(call(calls, CHAIN_FIND, 0, 1, 11), -EINVAL);
	CHECK_EQ(call(calls, CHAIN_FIND, chain, 2, 11), 0);
	CHECK_EQ(call(calls, CHAIN_LENGTH, 11), 2);
	CHECK_EQ(call(calls, CHAIN_FIND, chain, 1, 11), 0);
	CHECK_EQ(call(calls, CHAIN_LENGTH, 11), 1);
	CHECK_EQ(call(calls, CHAIN_FIND, chain, 3, 11), 0);
	CHECK_EQ(call(calls, CHAIN_LENGTH, 11), 3);
	/* 0 asks for nothing */
	CHECK_EQ(call(calls, CHAIN_FIND, chain, 0, 11), 0);
	CHECK_EQ(call(calls, CHAIN_LENGTH, 11), 3);
	/* what is done needs no fence */
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, CHAIN_FIND, chain, 1, 11), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 11), -ENOENT);
}

/* A number that is not later begins a chain of its own, which goes on with the old one. */
TEST(C10, chain_begins_anew)
{
	int calls = calls_open();
	int chain = chain_of_3(calls);

	CHECK_EQ(call(calls, CHAIN, 11, chain, new_fence(calls, 3), 2), 0);
	CHECK_EQ(call(calls, CHAIN_LENGTH, 11), 4);
	CHECK_EQ(call(calls, FENCE_MATCH_CONTEXT, 11, chain), 0);
	CHECK_EQ(call(calls, FENCE_MATCH_CONTEXT, 9, chain), 1);
	/* it has the largest number that came before, and the search ends with its context */
	CHECK_EQ(call(calls, CHAIN_FIND, 11, 3, 12), 0);
	CHECK_EQ(call(calls, CHAIN_LENGTH, 12), 4);
	CHECK_EQ(call(calls, CHAIN_FIND, 11, 4, 12), -EINVAL);
}

/* A search that leaves its context has found what there is. */
TEST(C10, chain_find_beyond_context)
{
	int calls = calls_open();
	int chain = chain_of_3(calls);

	CHECK_EQ(call(calls, CHAIN, 11, chain, new_fence(calls, 3), 2), 0);
	CHECK_EQ(call(calls, CHAIN, 12, 11, new_fence(calls, 4), 4), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 3), 0);
	CHECK_EQ(call(calls, CHAIN_FIND, 12, 2, 13), 0);
	CHECK_EQ(call(calls, FENCE_MATCH_CONTEXT, 13, chain), 1);
	CHECK_EQ(call(calls, CHAIN_LENGTH, 13), 3);
}

/* What stands before the first node may be any fence. */
TEST(C10, chain_behind_a_fence)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, CHAIN, 8, new_fence(calls, 0), new_fence(calls, 1), 1), 0);
	CHECK_EQ(call(calls, CHAIN_LENGTH, 8), 2);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 8), PENDING);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 8), SIGNALLED);
	CHECK_EQ(call(calls, CHAIN_LENGTH, 8), 1);
	/* given back with it */
	CHECK_EQ(call(calls, CHAIN, 9, new_fence(calls, 0), new_fence(calls, 1), 1), 0);
	CHECK_EQ(call(calls, FENCE_PUT, 0), 0);
	CHECK_EQ(call(calls, FENCE_PUT, 9), 0);
}

/* It frees what only it holds, and leaves what others hold. */
TEST(C10, chain_given_back)
{
	int calls = calls_open();
	int chain = chain_of_3(calls);

	CHECK_EQ(call(calls, FENCE_PUT, 9), 0);
	CHECK_EQ(call(calls, FENCE_PUT, chain), 0);
	CHECK_EQ(call(calls, CHAIN_LENGTH, 8), 1);
	chain = chain_of_3(calls);
	CHECK_EQ(call(calls, FENCE_PUT, 8), 0);
	CHECK_EQ(call(calls, FENCE_PUT, 9), 0);
	CHECK_EQ(call(calls, CHAIN_LENGTH, chain), 3);
	CHECK_EQ(call(calls, FENCE_PUT, chain), 0);
}

TEST(C10, chain_deadline)
{
	int calls = calls_open();
	int slot;

	CHECK_EQ(call(calls, FENCE_SET_DEADLINE, chain_of_3(calls), TIME), 0);
	for (slot = 0; slot < 3; slot++)
		CHECK_EQ(call(calls, FENCE_DEADLINE, slot), TIME);
}

/* The framework warns: a chain goes on by its nodes, not by what they contain. */
TEST(C10, chain_in_chain)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, CHAIN, 11, NO_SLOT, chain_of_3(calls), 1), 0);
	CHECK_EQ(call(calls, CHAIN_LENGTH, 11), 1);
}

/* A chain may hold arrays, and unwrapping finds the fences of all. */
TEST(C10, chain_of_arrays)
{
	int calls = calls_open();

	array_of(calls, 3, 0);
	CHECK_EQ(call(calls, CHAIN, 9, NO_SLOT, 8, 1), 0);
	CHECK_EQ(call(calls, CHAIN, 10, 9, new_fence(calls, 3), 2), 0);
	CHECK_EQ(call(calls, UNWRAP, 10), 4);
	CHECK_EQ(call(calls, MERGE, 11, 10, new_fence(calls, 4)), 0);
	CHECK_EQ(call(calls, UNWRAP, 11), 5);
}

/* Seen from user space: each fence of the chain, and a buffer waits for all of them. */
TEST(C10, chain_as_sync_file)
{
	int calls = calls_open();
	int file = (int)call(calls, FENCE_TO_FD, chain_of_3(calls));
	int buffer = buffer_of(exporter_named("system"), PAGE);
	struct sync_file_info info = { 0 };

	CHECK_OK(fence_info(file, &info));
	CHECK_EQ(info.num_fences, 3);
	CHECK(strncmp(info.name, "dma_fence_chain-unbound", 23) == 0);
	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE, file));
	CHECK_EQ(call(calls, FENCE_SIGNAL, 2), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(ready(buffer, POLLIN), 0);
	CHECK_EQ(ready(file, POLLIN), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(ready(buffer, POLLIN), POLLIN);
	check_signals(calls, 10);
	CHECK_EQ(ready(file, POLLIN), POLLIN);
}
