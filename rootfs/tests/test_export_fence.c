// SPDX-License-Identifier: GPL-2.0-or-later
/* C10: fences out of a buffer and into it, as sync files. */
#include <linux/dma-buf.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "memory.h"
#include "test.h"
#include "timelines.h"

#define FLAG_BITS 32
#define MANY 20 /* more than the reservation object has room for at first */

/* ---- arguments ---- */

static void check_flags(int (*call)(int buffer, uint32_t flags), int buffer)
{
	uint32_t known;
	int bit;

	CHECK_FAILS(call(buffer, 0), EINVAL);
	for (bit = 0; bit < FLAG_BITS; bit++) {
		if ((1u << bit) & DMA_BUF_SYNC_RW)
			continue;
		for (known = 0; known <= DMA_BUF_SYNC_RW; known++) {
			trying("flags %#x", known | 1u << bit);
			CHECK_FAILS(call(buffer, known | 1u << bit), EINVAL);
		}
	}
	for (known = DMA_BUF_SYNC_READ; known <= DMA_BUF_SYNC_RW; known++)
		close(CHECK_OK(call(buffer, known)));
}

TEST_EACH(C10, export_flags)
{
	check_flags(buffer_export_fence, buffer_of(exporter, PAGE));
}

/* An fd, too, so that it can be closed as an exported one. */
static int import_signalled(int buffer, uint32_t flags)
{
	int timeline = timeline_new();
	int fence = CHECK_OK(timeline_fence(timeline, 0));
	int result = buffer_import_fence(buffer, flags, fence);
	int error = errno;

	close(timeline);
	if (result == 0)
		return fence;
	close(fence);
	errno = error;
	return -1;
}

TEST_EACH(C10, import_flags)
{
	check_flags(import_signalled, buffer_of(exporter, PAGE));
}

TEST_EACH(C10, import_what_is_no_fence)
{
	int buffer = buffer_of(exporter, PAGE);

	CHECK_FAILS(buffer_import_fence(buffer, DMA_BUF_SYNC_READ, -1), EINVAL);
	CHECK_FAILS(buffer_import_fence(buffer, DMA_BUF_SYNC_READ, buffer), EINVAL);
	CHECK_FAILS(buffer_import_fence(buffer, DMA_BUF_SYNC_READ, STDOUT_FILENO), EINVAL);
}

TEST_EACH(C10, bad_pointer)
{
	const struct dma_buf_export_sync_file request = { .flags = DMA_BUF_SYNC_READ };
	int buffer = buffer_of(exporter, PAGE);
	void *argument = read_only_copy(&request, sizeof(request));
	int next = CHECK_OK(dup(buffer));

	CHECK_FAILS(ioctl(buffer, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, NULL), EFAULT);
	CHECK_FAILS(ioctl(buffer, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, NULL), EFAULT);
	/* the fd that could not be told is free again */
	close(next);
	CHECK_FAILS(ioctl(buffer, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, argument), EFAULT);
	CHECK_EQ(dup(buffer), next);
}

/* ---- which fences ---- */

TEST_EACH(C10, export_of_an_idle_buffer)
{
	int buffer = buffer_of(exporter, PAGE);

	CHECK_EQ(fence_status(CHECK_OK(buffer_export_fence(buffer, DMA_BUF_SYNC_READ))), 1);
	CHECK_EQ(fence_status(CHECK_OK(buffer_export_fence(buffer, DMA_BUF_SYNC_RW))), 1);
}

static int status_of(int buffer, uint32_t flags)
{
	int fence = CHECK_OK(buffer_export_fence(buffer, flags));
	int status = fence_status(fence);

	close(fence);
	return status;
}

/* Who reads waits for writers; who writes waits for all. */
TEST_EACH(C10, readers_share)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();

	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_READ, timeline_fence(timeline, 1)));
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_READ), 1);
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_WRITE), 0);
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_RW), 0);
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_WRITE), 1);
}

TEST_EACH(C10, writer_excludes)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();

	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE, timeline_fence(timeline, 1)));
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_READ), 0);
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_WRITE), 0);
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_READ), 1);
}

static unsigned int fences_in(int fence)
{
	struct sync_file_info info = { 0 };

	CHECK_OK(fence_info(fence, &info));
	return info.num_fences;
}

/* Two fences of two new timelines in one sync file. */
static int merged_pair(int *timelines)
{
	timelines[0] = timeline_new();
	timelines[1] = timeline_new();
	return CHECK_OK(fence_merge("pair", timeline_fence(timelines[0], 1),
				    timeline_fence(timelines[1], 1)));
}

/* The buffer takes them one by one. */
TEST_EACH(C10, import_many)
{
	int buffer = buffer_of(exporter, PAGE);
	int timelines[MANY];
	int i, fence;

	for (i = 0; i < MANY; i += 2)
		CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE,
					     merged_pair(&timelines[i])));
	fence = CHECK_OK(buffer_export_fence(buffer, DMA_BUF_SYNC_RW));
	CHECK_EQ(fences_in(fence), MANY);
	for (i = 0; i < MANY; i++) {
		CHECK_EQ(fence_status(fence), 0);
		CHECK_OK(timeline_advance(timelines[i], 1));
	}
	CHECK_EQ(fence_status(fence), 1);
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_RW), 1);
}

/* A list of many, of which some have signalled, is made anew for the next. */
TEST_EACH(C10, import_after_some_signalled)
{
	int buffer = buffer_of(exporter, PAGE);
	int timelines[MANY];
	int i;

	for (i = 0; i < MANY; i++) {
		timelines[i] = timeline_new();
		CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_READ,
					     timeline_fence(timelines[i], 1)));
		if (i % 2)
			CHECK_OK(timeline_advance(timelines[i], 1));
	}
	CHECK_EQ(fences_in(CHECK_OK(buffer_export_fence(buffer, DMA_BUF_SYNC_RW))), MANY / 2);
}

/* The later fence of a timeline stands for the earlier one. */
TEST_EACH(C10, import_replaces_earlier)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();
	int value;

	for (value = 1; value <= 3; value++)
		CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE,
					     timeline_fence(timeline, value)));
	CHECK_EQ(fences_in(CHECK_OK(buffer_export_fence(buffer, DMA_BUF_SYNC_RW))), 1);
	CHECK_OK(timeline_advance(timeline, 2));
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_RW), 0);
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_RW), 1);
}

/* As a read fence it does not replace the write fence of the same timeline. */
TEST_EACH(C10, import_weaker_is_kept_apart)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();

	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE, timeline_fence(timeline, 1)));
	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_READ, timeline_fence(timeline, 2)));
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_READ), 1);
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_WRITE), 0);
}

/* A snapshot: what comes later does not count. */
TEST_EACH(C10, export_is_a_snapshot)
{
	int buffer = buffer_of(exporter, PAGE);
	int first = timeline_new(), second = timeline_new();
	int fence;

	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE, timeline_fence(first, 1)));
	fence = CHECK_OK(buffer_export_fence(buffer, DMA_BUF_SYNC_READ));
	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE, timeline_fence(second, 1)));
	CHECK_OK(timeline_advance(first, 1));
	CHECK_EQ(fence_status(fence), 1);
	CHECK_EQ(status_of(buffer, DMA_BUF_SYNC_READ), 0);
}

/* ---- errors ---- */

TEST_EACH(C10, error_carried)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();
	int fence;

	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE, timeline_fence(timeline, 1)));
	fence = CHECK_OK(buffer_export_fence(buffer, DMA_BUF_SYNC_READ));
	close(timeline);
	CHECK_EQ(fence_status(fence), -ENOENT);
}

/* One of several: the whole has the error, and says it only when all have ended. */
TEST_EACH(C10, error_of_one_of_several)
{
	int buffer = buffer_of(exporter, PAGE);
	int failing = timeline_new(), other = timeline_new();
	int fence;

	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE, timeline_fence(failing, 1)));
	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE, timeline_fence(other, 1)));
	fence = CHECK_OK(buffer_export_fence(buffer, DMA_BUF_SYNC_READ));
	CHECK_EQ(ready(fence, POLLIN), 0); /* from now on it is told */
	close(failing);
	CHECK_EQ(fence_status(fence), 0);
	CHECK_OK(timeline_advance(other, 1));
	while (!ready(fence, POLLIN))
		;
	CHECK_EQ(fence_status(fence), -ENOENT);
}
