// SPDX-License-Identifier: GPL-2.0-or-later
/* C10: what a sync file tells, and merging. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "calls.h"
#include "exporters.h"
#include "memory.h"
#include "test.h"
#include "timelines.h"

#define ROOM 4

struct full_info {
	struct sync_file_info info;
	struct sync_fence_info fences[ROOM];
};

static void look(int fence, struct full_info *full, unsigned int room)
{
	memset(full, 0, sizeof(*full));
	full->info.num_fences = room;
	full->info.sync_fence_info = (uintptr_t)full->fences;
	CHECK_OK(fence_info(fence, &full->info));
}

static int merged_of(const char *name, int first, int second)
{
	int merged = CHECK_OK(fence_merge(name, first, second));

	close(first);
	close(second);
	return merged;
}

/* ---- information ---- */

TEST(C10, info_of_one)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 9));
	struct full_info full;

	look(fence, &full, ROOM);
	CHECK_EQ(full.info.num_fences, 1);
	CHECK_EQ(full.info.status, 0);
	CHECK_EQ(full.fences[0].status, 0);
	CHECK_EQ(full.fences[0].timestamp_ns, 0);
	CHECK(strcmp(full.fences[0].driver_name, "sw_sync") == 0);
	CHECK(strcmp(full.fences[0].obj_name, "dmabed-tests") == 0);
	CHECK(strncmp(full.info.name, "sw_sync-dmabed-tests", 20) == 0);
	CHECK(strcmp(full.info.name + strlen(full.info.name) - 2, "-9") == 0);
}

TEST(C10, info_when_signalled)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 1));
	struct full_info full;

	CHECK_OK(timeline_advance(timeline, 1));
	look(fence, &full, 1);
	CHECK_EQ(full.info.status, 1);
	CHECK_EQ(full.fences[0].status, 1);
	CHECK(full.fences[0].timestamp_ns > 0);
}

/* 0: only the number is asked for. */
TEST(C10, info_counts)
{
	int first = timeline_new(), second = timeline_new();
	int merged = merged_of("two", timeline_fence(first, 1), timeline_fence(second, 1));
	struct full_info full;

	look(merged, &full, 0);
	CHECK_EQ(full.info.num_fences, 2);
	CHECK_EQ(full.fences[0].driver_name[0], '\0');
	look(merged, &full, 2);
	CHECK_EQ(full.info.num_fences, 2);
	look(merged, &full, ROOM);
	CHECK_EQ(full.info.num_fences, 2);
	full.info = (struct sync_file_info){ .num_fences = 1 };
	CHECK_FAILS(fence_info(merged, &full.info), EINVAL);
}

/* The worst of the fences: pending before signalled, and an error before both. */
TEST(C10, info_of_several)
{
	int first = timeline_new(), second = timeline_new();
	int merged = merged_of("two", timeline_fence(first, 1), timeline_fence(second, 1));
	struct full_info full;

	CHECK_OK(timeline_advance(first, 1));
	look(merged, &full, 2);
	CHECK_EQ(full.info.status, 0);
	CHECK_EQ(full.fences[0].status + full.fences[1].status, 1);
	close(second);
	look(merged, &full, 2);
	CHECK_EQ(full.info.status, -ENOENT);
}

TEST(C10, info_errors)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 1));
	struct sync_file_info info = { .flags = 1 };

	CHECK_FAILS(fence_info(fence, &info), EINVAL);
	info = (struct sync_file_info){ .pad = 1 };
	CHECK_FAILS(fence_info(fence, &info), EINVAL);
	info = (struct sync_file_info){ .num_fences = 1, .sync_fence_info = 1 };
	CHECK_FAILS(fence_info(fence, &info), EFAULT);
	CHECK_FAILS(ioctl(fence, SYNC_IOC_FILE_INFO, NULL), EFAULT);
	info = (struct sync_file_info){ 0 };
	CHECK_FAILS(ioctl(fence, SYNC_IOC_FILE_INFO, read_only_copy(&info, sizeof(info))), EFAULT);
	CHECK_FAILS(ioctl(fence, _IO(SYNC_IOC_MAGIC, 77), 0), ENOTTY);
}

/* ---- merging ---- */

TEST(C10, merge_of_two_timelines)
{
	int first = timeline_new(), second = timeline_new();
	int merged = merged_of("both", timeline_fence(first, 1), timeline_fence(second, 1));
	struct full_info full;

	look(merged, &full, ROOM);
	CHECK_EQ(full.info.num_fences, 2);
	CHECK(strcmp(full.info.name, "both") == 0);
	CHECK_OK(timeline_advance(second, 1));
	CHECK_EQ(fence_status(merged), 0);
	CHECK_OK(timeline_advance(first, 1));
	CHECK_EQ(fence_status(merged), 1);
}

/* On one timeline the later one is enough, in whichever order they come. */
static void check_later_remains(__u32 first, __u32 second)
{
	int timeline = timeline_new();
	int merged = merged_of("later", timeline_fence(timeline, first),
			       timeline_fence(timeline, second));
	struct full_info full;

	look(merged, &full, ROOM);
	CHECK_EQ(full.info.num_fences, 1);
	CHECK_OK(timeline_advance(timeline, 2));
	CHECK_EQ(fence_status(merged), 0);
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(fence_status(merged), 1);
}

TEST(C10, merge_of_one_timeline)
{
	check_later_remains(2, 3);
	check_later_remains(3, 2);
	check_later_remains(3, 3);
}

/* Merged with merged: each timeline once. */
TEST(C10, merge_of_merged)
{
	int timelines[] = { timeline_new(), timeline_new(), timeline_new() };
	int first = merged_of("first", timeline_fence(timelines[0], 1),
			      timeline_fence(timelines[1], 2));
	int second = merged_of("second", timeline_fence(timelines[1], 1),
			       timeline_fence(timelines[2], 1));
	int merged = merged_of("all", first, second);
	struct full_info full;

	look(merged, &full, ROOM);
	CHECK_EQ(full.info.num_fences, 3);
	CHECK_OK(timeline_advance(timelines[0], 1));
	CHECK_OK(timeline_advance(timelines[2], 1));
	CHECK_OK(timeline_advance(timelines[1], 1));
	CHECK_EQ(fence_status(merged), 0);
	CHECK_OK(timeline_advance(timelines[1], 1));
	CHECK_EQ(fence_status(merged), 1);
}

TEST(C10, merge_with_signalled)
{
	int first = timeline_new(), second = timeline_new();
	int merged = merged_of("one", timeline_fence(first, 0), timeline_fence(second, 1));
	struct full_info full;

	look(merged, &full, ROOM);
	CHECK_EQ(full.info.num_fences, 1);
	CHECK_EQ(full.info.status, 0);
	CHECK_OK(timeline_advance(second, 1));
	CHECK_EQ(fence_status(merged), 1);
}

/* The moment of the last one is kept. */
TEST(C10, merge_of_signalled)
{
	int first = timeline_new(), second = timeline_new();
	int a = CHECK_OK(timeline_fence(first, 1)), b = CHECK_OK(timeline_fence(second, 1));
	struct full_info full;
	__u64 last;

	CHECK_OK(timeline_advance(first, 1));
	CHECK_OK(timeline_advance(second, 1));
	look(b, &full, ROOM);
	last = full.fences[0].timestamp_ns;
	look(merged_of("none", a, b), &full, ROOM);
	CHECK_EQ(full.info.status, 1);
	CHECK_EQ(full.fences[0].timestamp_ns, last);
}

TEST(C10, merge_with_itself)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 1));
	int merged = CHECK_OK(fence_merge("same", fence, fence));

	CHECK_EQ(fence_status(merged), 0);
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(fence_status(merged), 1);
}

/* Each of two waits is woken once all have signalled. */
TEST(C10, merge_poll)
{
	int first = timeline_new(), second = timeline_new();
	int merged = merged_of("both", timeline_fence(first, 1), timeline_fence(second, 1));
	struct pollfd wait = { .fd = merged, .events = POLLIN };

	CHECK_EQ(ready(merged, POLLIN), 0);
	CHECK_OK(timeline_advance(first, 1));
	CHECK_EQ(ready(merged, POLLIN), 0);
	CHECK_OK(timeline_advance(second, 1));
	CHECK_EQ(poll(&wait, 1, -1), 1);
}

/* One has signalled between merging and the first wait. */
TEST(C10, merge_poll_late)
{
	int first = timeline_new(), second = timeline_new();
	int merged = merged_of("both", timeline_fence(first, 1), timeline_fence(second, 1));

	CHECK_OK(timeline_advance(first, 1));
	CHECK_EQ(ready(merged, POLLIN), 0);
	CHECK_OK(timeline_advance(second, 1));
	while (!ready(merged, POLLIN)) /* told by an interrupt work */
		;
	merged = merged_of("again", timeline_fence(first, 2), timeline_fence(second, 2));
	CHECK_OK(timeline_advance(first, 1));
	CHECK_OK(timeline_advance(second, 1));
	CHECK_EQ(ready(merged, POLLIN), POLLIN);
}

/* A name without end is cut. */
TEST(C10, merge_name)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 1));
	struct full_info full;

	look(CHECK_OK(fence_merge("0123456789012345678901234567890123456789", fence, fence)), &full,
	     0);
	CHECK(strcmp(full.info.name, "0123456789012345678901234567890") == 0);
	look(CHECK_OK(fence_merge("", fence, fence)), &full, 0);
	CHECK(strncmp(full.info.name, "sw_sync-", 8) == 0);
}

TEST(C10, merge_errors)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 1));
	struct sync_merge_data request = { .fd2 = fence, .flags = 1 };

	CHECK_FAILS(ioctl(fence, SYNC_IOC_MERGE, &request), EINVAL);
	request = (struct sync_merge_data){ .fd2 = fence, .pad = 1 };
	CHECK_FAILS(ioctl(fence, SYNC_IOC_MERGE, &request), EINVAL);
	CHECK_FAILS(fence_merge("none", fence, -1), ENOENT);
	CHECK_FAILS(fence_merge("no fence", fence, timeline), ENOENT);
	CHECK_FAILS(ioctl(fence, SYNC_IOC_MERGE, NULL), EFAULT);
	request = (struct sync_merge_data){ .fd2 = fence };
	CHECK_FAILS(ioctl(fence, SYNC_IOC_MERGE, read_only_copy(&request, sizeof(request))),
		    EFAULT);
}
