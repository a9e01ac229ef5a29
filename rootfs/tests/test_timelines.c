// SPDX-License-Identifier: GPL-2.0-or-later
/* C10: timelines that user space advances (sw_sync). */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "background.h"
#include "calls.h"
#include "exporters.h"
#include "looking.h"
#include "memory.h"
#include "test.h"
#include "timelines.h"

TEST(C10, timeline_order)
{
	static const __u32 values[] = { 3, 1, 2, 5, 4 };
	int timeline = timeline_new();
	int fences[6];
	__u32 i, value;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		fences[values[i]] = CHECK_OK(timeline_fence(timeline, values[i]));
	for (value = 1; value <= 5; value++) {
		CHECK_EQ(fence_status(fences[value]), 0);
		CHECK_OK(timeline_advance(timeline, 1));
		CHECK_EQ(fence_status(fences[value]), 1);
	}
}

TEST(C10, timeline_skips)
{
	int timeline = timeline_new();
	int first = CHECK_OK(timeline_fence(timeline, 1));
	int third = CHECK_OK(timeline_fence(timeline, 3));
	int tenth = CHECK_OK(timeline_fence(timeline, 10));

	CHECK_OK(timeline_advance(timeline, 0));
	CHECK_EQ(fence_status(first), 0);
	CHECK_OK(timeline_advance(timeline, 5));
	CHECK_EQ(fence_status(first), 1);
	CHECK_EQ(fence_status(third), 1);
	CHECK_EQ(fence_status(tenth), 0);
}

TEST(C10, timeline_fence_of_the_past)
{
	int timeline = timeline_new();

	CHECK_EQ(fence_status(CHECK_OK(timeline_fence(timeline, 0))), 1);
	CHECK_OK(timeline_advance(timeline, 5));
	CHECK_EQ(fence_status(CHECK_OK(timeline_fence(timeline, 4))), 1);
	CHECK_EQ(fence_status(CHECK_OK(timeline_fence(timeline, 5))), 1);
	CHECK_EQ(fence_status(CHECK_OK(timeline_fence(timeline, 6))), 0);
}

/* Two sync files on one point: the second outlives the first. */
TEST(C10, timeline_same_value_twice)
{
	int timeline = timeline_new();
	int first = CHECK_OK(timeline_fence(timeline, 2));
	int second = CHECK_OK(timeline_fence(timeline, 2));

	CHECK_EQ(fence_status(second), 0);
	close(first);
	CHECK_OK(timeline_advance(timeline, 2));
	CHECK_EQ(fence_status(second), 1);
}

/* Numbers wrap: what is less than half of them ahead is later. */
TEST(C10, timeline_wraps)
{
	int timeline = timeline_new();
	int fence;

	CHECK_OK(timeline_advance(timeline, UINT_MAX - 1));
	fence = CHECK_OK(timeline_fence(timeline, 3));
	CHECK_EQ(fence_status(fence), 0);
	CHECK_OK(timeline_advance(timeline, 4));
	CHECK_EQ(fence_status(fence), 0);
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(fence_status(fence), 1);
}

/* More than INT_MAX is done in parts, and signals all that it passes. */
TEST(C10, timeline_advance_by_much)
{
	int timeline = timeline_new();
	int near = CHECK_OK(timeline_fence(timeline, 1));
	int far = CHECK_OK(timeline_fence(timeline, INT_MAX));

	CHECK_OK(timeline_advance(timeline, (__u32)INT_MAX + 5));
	CHECK_EQ(fence_status(near), 1);
	CHECK_EQ(fence_status(far), 1);
}

TEST(C10, timeline_destroyed)
{
	int timeline = timeline_new();
	int signalled = CHECK_OK(timeline_fence(timeline, 1));
	int first = CHECK_OK(timeline_fence(timeline, 2));
	int second = CHECK_OK(timeline_fence(timeline, 3));

	CHECK_OK(timeline_advance(timeline, 1));
	close(timeline);
	CHECK_EQ(fence_status(signalled), 1);
	CHECK_EQ(fence_status(first), -ENOENT);
	CHECK_EQ(fence_status(second), -ENOENT);
}

/* A point that nobody holds any more leaves the timeline. */
TEST(C10, timeline_fence_closed)
{
	int timeline = timeline_new();
	int first = CHECK_OK(timeline_fence(timeline, 1));
	int second = CHECK_OK(timeline_fence(timeline, 2));

	close(first);
	CHECK_OK(timeline_advance(timeline, 2));
	CHECK_EQ(fence_status(second), 1);
}

TEST(C10, timeline_errors)
{
	const struct sw_sync_create_fence_data request = { .value = 1 };
	int timeline = timeline_new();
	void *argument = read_only_copy(&request, sizeof(request));

	CHECK_FAILS(ioctl(timeline, SW_SYNC_IOC_CREATE_FENCE, NULL), EFAULT);
	CHECK_FAILS(ioctl(timeline, SW_SYNC_IOC_CREATE_FENCE, argument), EFAULT);
	CHECK_FAILS(ioctl(timeline, SW_SYNC_IOC_INC, NULL), EFAULT);
	CHECK_FAILS(ioctl(timeline, SW_SYNC_GET_DEADLINE, NULL), EFAULT);
	CHECK_FAILS(ioctl(timeline, _IO('W', 77), 0), ENOTTY);
}

TEST(C10, timeline_in_debugfs)
{
	int timeline = timeline_new();
	char text[TEXT_LENGTH];

	CHECK_OK(timeline_fence(timeline, 41));
	CHECK_OK(timeline_fence(timeline, 43));
	CHECK_OK(timeline_advance(timeline, 40));
	read_text(SYNC_INFO, text, sizeof(text));
	CHECK(strstr(text, "dmabed-tests: 40\n"));
	CHECK(strstr(text, "  fence active: 41 / 40\n"));
	CHECK(strstr(text, "  fence active: 43 / 40\n"));
}

/* Its points stay to be looked at as long as somebody has them. */
TEST(C10, timeline_in_debugfs_destroyed)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 44));
	char text[TEXT_LENGTH];

	close(timeline);
	read_text(SYNC_INFO, text, sizeof(text));
	CHECK(strstr(text, "  fence error@"));
	CHECK(strstr(text, ": 44 / 0\n"));
	close(fence);
	read_text(SYNC_INFO, text, sizeof(text));
	CHECK(!strstr(text, ": 44 / 0\n"));
}

/* ---- deadlines ---- */

static int get_deadline(int timeline, int fence, __u64 *deadline_ns)
{
	struct sw_sync_get_deadline request = { .fence_fd = fence };
	int result = ioctl(timeline, SW_SYNC_GET_DEADLINE, &request);

	*deadline_ns = request.deadline_ns;
	return result;
}

/* The earliest one counts. */
TEST(C10, deadline)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 1));
	__u64 deadline;

	CHECK_FAILS(get_deadline(timeline, fence, &deadline), ENOENT);
	CHECK_OK(fence_set_deadline(fence, 200));
	CHECK_OK(get_deadline(timeline, fence, &deadline));
	CHECK_EQ(deadline, 200);
	CHECK_OK(fence_set_deadline(fence, 300));
	CHECK_OK(get_deadline(timeline, fence, &deadline));
	CHECK_EQ(deadline, 200);
	CHECK_OK(fence_set_deadline(fence, 100));
	CHECK_OK(get_deadline(timeline, fence, &deadline));
	CHECK_EQ(deadline, 100);
}

TEST(C10, deadline_of_merged)
{
	int first_timeline = timeline_new(), second_timeline = timeline_new();
	int first = CHECK_OK(timeline_fence(first_timeline, 1));
	int second = CHECK_OK(timeline_fence(second_timeline, 1));
	__u64 deadline;

	CHECK_OK(fence_set_deadline(CHECK_OK(fence_merge("both", first, second)), 7));
	CHECK_OK(get_deadline(first_timeline, first, &deadline));
	CHECK_EQ(deadline, 7);
	CHECK_OK(get_deadline(second_timeline, second, &deadline));
	CHECK_EQ(deadline, 7);
}

TEST(C10, deadline_of_signalled)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 0));
	__u64 deadline;

	CHECK_OK(fence_set_deadline(fence, 7));
	CHECK_FAILS(get_deadline(timeline, fence, &deadline), ENOENT);
}

TEST(C10, deadline_errors)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 1));
	struct sync_set_deadline padded = { .deadline_ns = 1, .pad = 1 };
	struct sw_sync_get_deadline request = { .fence_fd = fence, .deadline_ns = 1 };

	CHECK_FAILS(ioctl(fence, SYNC_IOC_SET_DEADLINE, &padded), EINVAL);
	CHECK_FAILS(ioctl(fence, SYNC_IOC_SET_DEADLINE, NULL), EFAULT);
	CHECK_FAILS(ioctl(timeline, SW_SYNC_GET_DEADLINE, &request), EINVAL);
	request = (struct sw_sync_get_deadline){ .fence_fd = fence, .pad = 1 };
	CHECK_FAILS(ioctl(timeline, SW_SYNC_GET_DEADLINE, &request), EINVAL);
	request = (struct sw_sync_get_deadline){ .fence_fd = timeline };
	CHECK_FAILS(ioctl(timeline, SW_SYNC_GET_DEADLINE, &request), EINVAL);
	CHECK_OK(fence_set_deadline(fence, 9));
	request.fence_fd = fence;
	CHECK_FAILS(ioctl(timeline, SW_SYNC_GET_DEADLINE,
			  read_only_copy(&request, sizeof(request))),
		    EFAULT);
}

/* Only a fence of sw_sync tells its deadline. */
TEST(C10, deadline_of_another_fence)
{
	int timeline = timeline_new(), other = timeline_new();
	int merged = CHECK_OK(fence_merge("both", timeline_fence(timeline, 1),
					  timeline_fence(other, 1)));
	__u64 deadline;

	CHECK_FAILS(get_deadline(timeline, merged, &deadline), EINVAL);
}

/* ---- poll on a sync file ---- */

TEST(C10, fence_poll)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 1));

	CHECK_EQ(ready(fence, POLLIN), 0);
	CHECK_EQ(ready(fence, POLLIN), 0);
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(ready(fence, POLLIN), POLLIN);
	CHECK_EQ(ready(CHECK_OK(timeline_fence(timeline, 1)), POLLIN), POLLIN);
}

static void wait_for_ever(void *context)
{
	struct pollfd *wait = context;

	CHECK_EQ(poll(wait, 1, -1), 1);
}

TEST(C10, fence_poll_wakes)
{
	int timeline = timeline_new();
	struct pollfd wait = { .fd = CHECK_OK(timeline_fence(timeline, 1)), .events = POLLIN };
	struct background background;

	background_start(&background, wait_for_ever, &wait);
	background_wait_until_in(&background, SYS_ppoll);
	CHECK_OK(timeline_advance(timeline, 1));
	background_join(&background);
	CHECK_EQ(wait.revents, POLLIN);
}

/* The callback of a sync file that goes first is taken away. */
TEST(C10, fence_poll_and_close)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 1));
	int other = CHECK_OK(timeline_fence(timeline, 1));

	CHECK_EQ(ready(fence, POLLIN), 0);
	close(fence);
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(ready(other, POLLIN), POLLIN);
}

TEST(C10, fence_of_destroyed_timeline_wakes)
{
	int timeline = timeline_new();
	struct pollfd wait = { .fd = CHECK_OK(timeline_fence(timeline, 1)), .events = POLLIN };
	struct background background;

	background_start(&background, wait_for_ever, &wait);
	background_wait_until_in(&background, SYS_ppoll);
	close(timeline);
	background_join(&background);
	CHECK_EQ(fence_status(wait.fd), -ENOENT);
}
