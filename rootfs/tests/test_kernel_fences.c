// SPDX-License-Identifier: GPL-2.0-or-later
/* C10: fences as drivers use them (dma-fence.h). */
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "background.h"
#include "calls.h"
#include "kernel_calls.h"
#include "test.h"

#define PENDING 0
#define SIGNALLED 1
#define TIME 5000000000ULL

TEST(C10, fence_signals_once)
{
	int calls = calls_open();
	int fence = new_fence(calls, 0);

	CHECK_EQ(call(calls, FENCE_STATUS, fence), PENDING);
	CHECK_EQ(call(calls, FENCE_SIGNAL, fence), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, fence), SIGNALLED);
	CHECK_EQ(call(calls, FENCE_SIGNAL, fence), -EINVAL);
	CHECK_EQ(call(calls, FENCE_STATUS, fence), SIGNALLED);
}

TEST(C10, fence_has_error)
{
	int calls = calls_open();
	int fence = new_fence(calls, 0);

	CHECK_EQ(call(calls, FENCE_SIGNAL, fence, (uint64_t)-EIO), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, fence), -EIO);
}

/* Asked to signal, the driver says that it has. */
TEST(C10, fence_enabled_late)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, FENCE_NEW, 0, DMABED_FENCE_REFUSES), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 0), PENDING);
	CHECK_EQ(call(calls, FENCE_ENABLE, 0), 1);
	CHECK_EQ(call(calls, FENCE_STATUS, 0), SIGNALLED);
	CHECK_EQ(call(calls, FENCE_NEW, 0, DMABED_FENCE_REFUSES), 0);
	CHECK_EQ(call(calls, FENCE_ADD_CALLBACK, 0), -ENOENT);
	CHECK_EQ(call(calls, FENCE_ENABLE, new_fence(calls, 1)), 0);
}

TEST(C10, fence_stubs)
{
	int calls = calls_open();
	struct sync_fence_info fence;
	struct sync_file_info info = { .num_fences = 1, .sync_fence_info = (uintptr_t)&fence };
	int file;

	CHECK_EQ(call(calls, FENCE_STUB, 0), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 0), SIGNALLED);
	CHECK_EQ(call(calls, FENCE_STUB, 1, TIME), 0);
	CHECK_EQ(call(calls, FENCE_STATUS, 1), SIGNALLED);
	file = (int)call(calls, FENCE_TO_FD, 1);
	CHECK_OK(fence_info(file, &info));
	CHECK_EQ(fence.timestamp_ns, TIME);
	/* it is nobody's to signal */
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), -EPERM);
}

/* A driver's fence, seen from user space. */
TEST(C10, fence_as_sync_file)
{
	int calls = calls_open();
	int file = (int)call(calls, FENCE_TO_FD, new_fence(calls, 0));
	struct sync_fence_info fence;
	struct sync_file_info info = { .num_fences = 1, .sync_fence_info = (uintptr_t)&fence };

	CHECK_OK(fence_info(file, &info));
	CHECK(strcmp(fence.driver_name, "dmabed-calls") == 0);
	CHECK(strcmp(fence.obj_name, "on-request") == 0);
	CHECK_EQ(ready(file, POLLIN), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0, (uint64_t)-ENODEV), 0);
	CHECK_EQ(ready(file, POLLIN), POLLIN);
	CHECK_EQ(fence_status(file), -ENODEV);
}

TEST(C10, fence_slots)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, FENCE_STATUS, 0), -ENOENT);
	CHECK_EQ(call(calls, FENCE_STATUS, DMABED_FENCE_SLOTS), -ERANGE);
	CHECK_EQ(call(calls, FENCE_NEW, DMABED_FENCE_SLOTS), -ERANGE);
	CHECK_EQ(call(calls, FENCE_NEW, 0, 77), -EINVAL);
}

/* ---- waiting ---- */

static void check_wait(int kind)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, FENCE_NEW, 0, kind), 0);
	CHECK_EQ(call(calls, FENCE_WAIT, 0, 0), 0);
	CHECK_EQ(call(calls, FENCE_WAIT, 0, A_MOMENT), 0);
	CHECK_EQ(call(calls, FENCE_WAIT, 0, A_MOMENT, DMABED_WAIT_INTERRUPTIBLE), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(call(calls, FENCE_WAIT, 0, 0), 1);
	CHECK_EQ(call(calls, FENCE_WAIT, 0, FOREVER), 1);
}

TEST(C10, fence_wait)
{
	check_wait(DMABED_FENCE_PLAIN);
}

TEST(C10, fence_wait_of_its_own)
{
	check_wait(DMABED_FENCE_WAITS);
}

struct waiter {
	int calls;
	uint32_t function;
	uint64_t what, flags;
	long long result;
};

static void wait_in_call(void *context)
{
	struct waiter *waiter = context;
	const uint64_t args[4] = { waiter->what, (uint64_t)FOREVER, waiter->flags };

	waiter->result = kernel_call(waiter->calls, waiter->function, args);
}

/* Waits in another file, whose slots 0 and 1 are fences of this one, until something is done. */
static long long wait_until_done(int calls, struct waiter waiter, bool interrupt)
{
	struct background background;

	waiter.calls = calls_open();
	share_fence(calls, new_fence(calls, 0), waiter.calls, 0);
	share_fence(calls, new_fence(calls, 1), waiter.calls, 1);
	background_start(&background, wait_in_call, &waiter);
	background_wait_until_in(&background, SYS_ioctl);
	if (interrupt)
		background_interrupt(&background);
	else
		CHECK_EQ(call(calls, FENCE_SIGNAL, 1), 0);
	background_join(&background);
	return waiter.result;
}

TEST(C10, fence_wait_ends)
{
	struct waiter waiter = { .function = DMABED_CALL_FENCE_WAIT, .what = 1 };

	CHECK_EQ(wait_until_done(calls_open(), waiter, false), 1);
	waiter.flags = DMABED_WAIT_INTERRUPTIBLE;
	CHECK_EQ(wait_until_done(calls_open(), waiter, false), 1);
}

/* The second time the signal is there before. */
TEST(C10, fence_wait_interrupted)
{
	struct waiter waiter = {
		.function = DMABED_CALL_FENCE_WAIT,
		.what = 1,
		.flags = DMABED_WAIT_INTERRUPTIBLE,
	};

	CHECK_EQ(wait_until_done(calls_open(), waiter, true), -ERESTARTSYS);
	waiter.flags |= DMABED_WAIT_TWICE;
	CHECK_EQ(wait_until_done(calls_open(), waiter, true), -ERESTARTSYS);
}

/* ---- waiting for any of several ---- */

TEST(C10, fence_wait_any)
{
	int calls = calls_open();

	new_fence(calls, 2);
	new_fence(calls, 5);
	new_fence(calls, 7);
	CHECK_EQ(call(calls, FENCE_WAIT_ANY, 0xa4, 0), -ETIME);
	CHECK_EQ(call(calls, FENCE_WAIT_ANY, 0xa4, A_MOMENT), -ETIME);
	CHECK_EQ(call(calls, FENCE_WAIT_ANY, 0xa4, A_MOMENT, DMABED_WAIT_INTERRUPTIBLE), -ETIME);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 5), 0);
	CHECK_EQ(call(calls, FENCE_WAIT_ANY, 0xa4, 0), 5);
	CHECK_EQ(call(calls, FENCE_WAIT_ANY, 0xa4, FOREVER), 5);
	CHECK_EQ(call(calls, FENCE_WAIT_ANY, 0xa4, 0, DMABED_WAIT_NO_INDEX), 0);
	CHECK_EQ(call(calls, FENCE_WAIT_ANY, 0xa4, FOREVER, DMABED_WAIT_NO_INDEX), 0);
	CHECK_EQ(call(calls, FENCE_WAIT_ANY, 0x84, 0), -ETIME);
	CHECK_EQ(call(calls, FENCE_WAIT_ANY, 0x85, 0), -ENOENT);
}

TEST(C10, fence_wait_any_ends)
{
	struct waiter waiter = { .function = DMABED_CALL_FENCE_WAIT_ANY, .what = 3 };

	CHECK_EQ(wait_until_done(calls_open(), waiter, false), 1);
	waiter.flags = DMABED_WAIT_INTERRUPTIBLE;
	CHECK_EQ(wait_until_done(calls_open(), waiter, false), 1);
	waiter.flags = DMABED_WAIT_NO_INDEX;
	CHECK_EQ(wait_until_done(calls_open(), waiter, false), 0);
}

TEST(C10, fence_wait_any_interrupted)
{
	struct waiter waiter = {
		.function = DMABED_CALL_FENCE_WAIT_ANY,
		.what = 3,
		.flags = DMABED_WAIT_INTERRUPTIBLE,
	};

	CHECK_EQ(wait_until_done(calls_open(), waiter, true), -ERESTARTSYS);
}

/* ---- callbacks ---- */

TEST(C10, fence_callback)
{
	int calls = calls_open();
	int fence = new_fence(calls, 0);

	CHECK_EQ(call(calls, FENCE_ADD_CALLBACK, fence), 0);
	CHECK_EQ(call(calls, FENCE_CALLED, fence), 0);
	CHECK_EQ(call(calls, FENCE_SIGNAL, fence), 0);
	CHECK_EQ(call(calls, FENCE_CALLED, fence), 1);
	CHECK_EQ(call(calls, FENCE_REMOVE_CALLBACK, fence), 0);
	CHECK_EQ(call(calls, FENCE_ADD_CALLBACK, fence), -ENOENT);
}

TEST(C10, fence_callback_removed)
{
	int calls = calls_open();
	int fence = new_fence(calls, 0);

	CHECK_EQ(call(calls, FENCE_REMOVE_CALLBACK, fence), -ENOENT);
	CHECK_EQ(call(calls, FENCE_ADD_CALLBACK, fence), 0);
	CHECK_EQ(call(calls, FENCE_REMOVE_CALLBACK, fence), 1);
	CHECK_EQ(call(calls, FENCE_SIGNAL, fence), 0);
	CHECK_EQ(call(calls, FENCE_CALLED, fence), 0);
}

/* Whoever waits is called, and the kernel complains of whoever forgot to signal. */
TEST(C10, fence_released_pending)
{
	int calls = calls_open();
	int fence = new_fence(calls, 0);

	CHECK_EQ(call(calls, FENCE_ADD_CALLBACK, fence), 0);
	CHECK_EQ(call(calls, FENCE_PUT, fence), 1);
	CHECK_EQ(call(calls, FENCE_STATUS, fence), -ENOENT);
}

/* ---- deadlines ---- */

TEST(C10, fence_deadline)
{
	int calls = calls_open();
	int fence = new_fence(calls, 0);

	CHECK_EQ(call(calls, FENCE_DEADLINE, fence), 0);
	CHECK_EQ(call(calls, FENCE_SET_DEADLINE, fence, TIME), 0);
	CHECK_EQ(call(calls, FENCE_DEADLINE, fence), TIME);
	CHECK_EQ(call(calls, FENCE_SIGNAL, fence), 0);
	/* too late */
	CHECK_EQ(call(calls, FENCE_SET_DEADLINE, fence, TIME + 1), 0);
	CHECK_EQ(call(calls, FENCE_DEADLINE, fence), TIME);
	/* some take none */
	CHECK_EQ(call(calls, FENCE_STUB, 1), 0);
	CHECK_EQ(call(calls, FENCE_SET_DEADLINE, 1, TIME), 0);
	CHECK_EQ(call(calls, FENCE_DEADLINE, 1), -EINVAL);
}

TEST(C10, fence_deadline_from_user_space)
{
	int calls = calls_open();
	int file = (int)call(calls, FENCE_TO_FD, new_fence(calls, 0));

	CHECK_OK(fence_set_deadline(file, TIME));
	CHECK_EQ(call(calls, FENCE_DEADLINE, 0), TIME);
}
