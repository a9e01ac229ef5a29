// SPDX-License-Identifier: GPL-2.0-or-later
/* C7: reservation objects as drivers use them (dma-resv.h). */
#include <poll.h>
#include <sys/syscall.h>

#include "background.h"
#include "calls.h"
#include "exporters.h"
#include "kernel_calls.h"
#include "test.h"

#define OWN 0
#define BUFFERS 1
#define KERNEL DMABED_USAGE_KERNEL
#define WRITE DMABED_USAGE_WRITE
#define READ DMABED_USAGE_READ
#define BOOKKEEP DMABED_USAGE_BOOKKEEP
#define TIME 5000000000ULL

static void add(int calls, int resv, int slot, int usage)
{
	CHECK_EQ(call(calls, RESV_ADD, resv, slot, usage), 0);
}

/* New fences in the first slots, each for reading. */
static int with_readers(int count)
{
	int calls = calls_open();
	int slot;

	for (slot = 0; slot < count; slot++)
		add(calls, OWN, new_fence(calls, slot), READ);
	return calls;
}

/* Each usage sees itself and those before it. */
TEST(C7, resv_usages)
{
	int calls = calls_open();
	int usage, other;

	for (usage = KERNEL; usage <= BOOKKEEP; usage++)
		add(calls, OWN, new_fence(calls, usage), usage);
	for (usage = KERNEL; usage <= BOOKKEEP; usage++)
		CHECK_EQ(call(calls, RESV_COUNT, OWN, usage), usage);
	for (usage = KERNEL; usage <= BOOKKEEP; usage++) {
		CHECK_EQ(call(calls, RESV_TEST_SIGNALED, OWN, usage), 0);
		CHECK_EQ(call(calls, FENCE_SIGNAL, usage), 0);
		for (other = KERNEL; other <= BOOKKEEP; other++)
			CHECK_EQ(call(calls, RESV_TEST_SIGNALED, OWN, other), other <= usage);
	}
}

/* A later fence of the context takes the place of one whose usage it covers; no other does. */
TEST(C7, resv_one_of_a_context)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, FENCE_NEW, 0, DMABED_FENCE_PLAIN, 1), 0);
	CHECK_EQ(call(calls, FENCE_NEW, 1, DMABED_FENCE_PLAIN, 2), 0);
	CHECK_EQ(call(calls, FENCE_NEW, 2, DMABED_FENCE_PLAIN, 3), 0);
	add(calls, OWN, 0, READ);
	add(calls, OWN, 1, READ);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), 1);
	/* whoever waits for readers waits for writers, too */
	add(calls, OWN, 2, WRITE);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), 1);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, WRITE), 1);
	/* and not the other way round */
	add(calls, OWN, 1, BOOKKEEP);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, BOOKKEEP), 2);
}

TEST(C7, resv_takes_the_place_of_signalled)
{
	int calls = with_readers(4);

	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 3), 0);
	add(calls, OWN, new_fence(calls, 4), READ);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), 3);
}

/* The list grows; what has signalled does not come along. */
TEST(C7, resv_grows)
{
	int calls = with_readers(DMABED_FENCE_SLOTS);

	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), DMABED_FENCE_SLOTS);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 9), 0);
	CHECK_EQ(call(calls, RESV_RESERVE, OWN, 100), 0);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), DMABED_FENCE_SLOTS - 2);
	/* there is room */
	CHECK_EQ(call(calls, RESV_RESERVE, OWN, 50), 0);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), DMABED_FENCE_SLOTS - 2);
	/* the first list may be long, too */
	CHECK_EQ(call(calls_open(), RESV_RESERVE, OWN, 33), 0);
}

/* The framework warns: fences are to be added one by one. */
TEST(C7, resv_container)
{
	int calls = calls_open();

	new_fence(calls, 0);
	new_fence(calls, 1);
	CHECK_EQ(call(calls, ARRAY, 8, 3, 0), 0);
	add(calls, OWN, 8, READ);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), 1);
}

/* As when a device has been reset: all fences of a context give way to another. */
TEST(C7, resv_replace)
{
	int calls = with_readers(3);

	new_fence(calls, 4);
	CHECK_EQ(call(calls, RESV_REPLACE, OWN, 1, 4, READ), 0);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), 3);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), 3);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 4), 0);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), 2);
	/* nothing is added where there was none */
	CHECK_EQ(call(calls, RESV_REPLACE, OWN, 1, new_fence(calls, 5), READ), 0);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), 2);
	CHECK_EQ(call(calls_open(), RESV_REPLACE, OWN, 0, 1, READ), -ENOENT);
}

TEST(C7, resv_replace_in_empty)
{
	int calls = calls_open();

	new_fence(calls, 0);
	CHECK_EQ(call(calls, RESV_REPLACE, OWN, 0, new_fence(calls, 1), READ), 0);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, BOOKKEEP), 0);
}

/* The copy is of pending fences with their usage, and takes the place of what was there. */
TEST_EACH(C7, resv_copy)
{
	int buffer = buffer_of(exporter, PAGE);
	int calls = with_readers(2);

	calls_select(calls, buffer);
	add(calls, BUFFERS, new_fence(calls, 4), WRITE);
	CHECK_EQ(ready(buffer, POLLIN), 0);
	CHECK_EQ(call(calls, RESV_COPY, BUFFERS), 0);
	CHECK_EQ(call(calls, RESV_COUNT, BUFFERS, READ), 2);
	CHECK_EQ(call(calls, RESV_COUNT, BUFFERS, WRITE), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, RESV_COPY, BUFFERS), 0);
	CHECK_EQ(call(calls, RESV_COUNT, BUFFERS, READ), 1);
	CHECK_EQ(ready(buffer, POLLOUT), 0);
	/* the fence of the poll before is no longer in the buffer, but still to be waited for */
	CHECK_EQ(call(calls, FENCE_SIGNAL, 4), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(call(calls, RESV_COPY, BUFFERS), 0);
	CHECK_EQ(call(calls, RESV_COUNT, BUFFERS, BOOKKEEP), 0);
	CHECK_EQ(ready(buffer, POLLIN | POLLOUT), POLLIN | POLLOUT);
}

TEST(C7, resv_deadline)
{
	int calls = with_readers(2);

	add(calls, OWN, new_fence(calls, 2), BOOKKEEP);
	CHECK_EQ(call(calls, RESV_SET_DEADLINE, OWN, READ, TIME), 0);
	CHECK_EQ(call(calls, FENCE_DEADLINE, 0), TIME);
	CHECK_EQ(call(calls, FENCE_DEADLINE, 1), TIME);
	CHECK_EQ(call(calls, FENCE_DEADLINE, 2), 0);
}

TEST(C7, resv_singleton)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, RESV_SINGLETON, OWN, READ, 8), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 8), -ENOENT);
	add(calls, OWN, new_fence(calls, 0), READ);
	CHECK_EQ(call(calls, RESV_SINGLETON, OWN, READ, 8), 0);
	CHECK_EQ(call(calls, FENCE_MATCH_CONTEXT, 8, 0), 1);
	add(calls, OWN, new_fence(calls, 1), WRITE);
	CHECK_EQ(call(calls, RESV_SINGLETON, OWN, READ, 8), 0);
	CHECK_EQ(call(calls, UNWRAP, 8), 2);
	CHECK_EQ(call(calls, RESV_SINGLETON, OWN, WRITE, 8), 0);
	CHECK_EQ(call(calls, FENCE_MATCH_CONTEXT, 8, 1), 1);
}

/* The list grows in the middle of a walk: that begins anew. */
TEST(C7, resv_walk_begins_anew)
{
	int calls = with_readers(3);

	CHECK_EQ(call(calls, RESV_WALK_AND_GROW, OWN, READ, 5), 1 + 3);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), 3);
}

/* ---- waiting ---- */

TEST(C7, resv_wait)
{
	int calls = with_readers(2);

	CHECK_EQ(call(calls, RESV_WAIT, OWN, WRITE, 0), 1);
	CHECK_EQ(call(calls, RESV_WAIT, OWN, READ, 0), 0);
	CHECK_EQ(call(calls, RESV_WAIT, OWN, READ, A_MOMENT), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	CHECK_EQ(call(calls, RESV_WAIT, OWN, READ, 0), 1);
	CHECK_EQ(call(calls, RESV_WAIT, OWN, READ, FOREVER), 1);
}

/* They signal when they are asked to, which even who does not wait does. */
TEST(C7, resv_wait_for_late)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, FENCE_NEW, 0, DMABED_FENCE_REFUSES), 0);
	CHECK_EQ(call(calls, FENCE_NEW, 1, DMABED_FENCE_REFUSES), 0);
	add(calls, OWN, 0, READ);
	add(calls, OWN, 1, READ);
	CHECK_EQ(call(calls, RESV_COUNT, OWN, READ), 2);
	CHECK_EQ(call(calls, RESV_WAIT, OWN, READ, 0), 1);
	CHECK_EQ(call(calls, FENCE_STATUS, 1), 1);
}

struct waiter {
	int calls;
	long long result;
};

static void wait_for_readers(void *context)
{
	struct waiter *waiter = context;

	waiter->result = call(waiter->calls, RESV_WAIT, OWN, READ, (uint64_t)FOREVER,
			      DMABED_WAIT_INTERRUPTIBLE);
}

TEST(C7, resv_wait_interrupted)
{
	struct waiter waiter = { .calls = with_readers(2) };
	struct background background;

	background_start(&background, wait_for_readers, &waiter);
	background_wait_until_in(&background, SYS_ioctl);
	background_interrupt(&background);
	background_join(&background);
	CHECK_EQ(waiter.result, -ERESTARTSYS);
}
