// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * C1, C2, C3: functions of dma-buf that only drivers call, by way of
 * /dev/dmabed-calls.
 */
#include <dmabed.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "calls.h"
#include "exporters.h"
#include "kernel_calls.h"
#include "test.h"

#define LENGTH (2 * PAGE)
#define SEED 77
#define SAME (-1) /* of a comparison */
/* enum dma_data_direction of Linux */
#define DIRECTIONS 3

static unsigned char *bytes_of(int buffer)
{
	void *bytes = buffer_mmap(buffer, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

	CHECK(bytes != MAP_FAILED);
	return bytes;
}

/* What is written through one map is read through the other. */
TEST_EACH(C1, vmap_and_mmap)
{
	int buffer = buffer_of(exporter, LENGTH);
	int calls = calls_on(buffer);
	unsigned char *bytes = bytes_of(buffer);
	int at;

	CHECK_EQ(call(calls, VMAP, 0), 0);
	memset(bytes, 0xa5, LENGTH);
	CHECK_EQ(call(calls, VMAP_COMPARE, SEED), 0);
	CHECK_EQ(call(calls, VMAP_FILL, SEED), 0);
	CHECK_EQ(call(calls, VMAP_COMPARE, SEED), SAME);
	CHECK_EQ(call(calls, VMAP_IS_IOMEM, 0), 0);
	for (at = 0; at < (int)LENGTH; at += PAGE) {
		CHECK(memcmp(bytes + at, "\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5", 8) != 0);
		bytes[at] ^= 1;
		CHECK_EQ(call(calls, VMAP_COMPARE, SEED), at);
		bytes[at] ^= 1;
	}
	CHECK_EQ(call(calls, VUNMAP, 0), 0);
}

TEST_EACH(C2, vmap_counts)
{
	int calls = calls_on(buffer_of(exporter, LENGTH));

	CHECK_EQ(call(calls, VUNMAP, 0), -ENOENT);
	CHECK_EQ(call(calls, VMAP_UNLOCKED, 0), 0);
	CHECK_EQ(call(calls, VMAP, 0), 0);
	CHECK_EQ(call(calls, VUNMAP_UNLOCKED, 0), 0);
	/* one is left, and still maps */
	CHECK_EQ(call(calls, VMAP_FILL, SEED), 0);
	CHECK_EQ(call(calls, VMAP_COMPARE, SEED), SAME);
	CHECK_EQ(call(calls, VUNMAP, 0), 0);
	CHECK_EQ(call(calls, VUNMAP, 0), -ENOENT);
}

/* The kernel has an address of the pages: they stay until the last vunmap. */
static void check_vmapped_stays(uint32_t flags)
{
	int buffer = CHECK_OK(own_buffer(LENGTH, flags));
	int calls = calls_on(buffer);

	CHECK_EQ(call(calls, VMAP, 0), 0);
	CHECK_EQ(call(calls, VMAP_UNLOCKED, 0), 0);
	CHECK_EQ(call(calls, VMAP_FILL, SEED), 0);
	CHECK_FAILS(own_migrate(buffer, DMABED_STORAGE_CONTIGUOUS), EBUSY);
	CHECK_EQ(call(calls, VUNMAP, 0), 0);
	CHECK_FAILS(own_migrate(buffer, DMABED_STORAGE_CONTIGUOUS), EBUSY);
	CHECK_EQ(call(calls, VMAP_COMPARE, SEED), SAME);
	CHECK_EQ(call(calls, VUNMAP, 0), 0);
	CHECK_OK(own_migrate(buffer, DMABED_STORAGE_CONTIGUOUS));
	CHECK_EQ(call(calls, VMAP, 0), 0);
	CHECK_EQ(call(calls, VMAP_COMPARE, SEED), SAME);
	CHECK_EQ(call(calls, VUNMAP, 0), 0);
}

TEST(C1, vmapped_does_not_move)
{
	check_vmapped_stays(0);
	check_vmapped_stays(DMABED_EXPORT_DYNAMIC);
}

/* Without the operation there is nothing to undo either, and the buffer moves. */
static void check_without_vmap(uint32_t flags)
{
	int buffer = CHECK_OK(own_buffer(LENGTH, DMABED_EXPORT_NO_VMAP | flags));
	int calls = calls_on(buffer);

	CHECK_EQ(call(calls, VMAP, 0), -EINVAL);
	CHECK_EQ(call(calls, VMAP_UNLOCKED, 0), -EINVAL);
	CHECK_EQ(call(calls, VUNMAP, 0), -ENOENT);
	CHECK_OK(own_migrate(buffer, DMABED_STORAGE_CONTIGUOUS));
	/* the other operations are there */
	memset(bytes_of(buffer), 0xa5, LENGTH);
}

TEST(C1, without_vmap)
{
	check_without_vmap(0);
	check_without_vmap(DMABED_EXPORT_DYNAMIC);
}

TEST_EACH(C1, kernel_cpu_access)
{
	int calls = calls_on(buffer_of(exporter, LENGTH));
	int direction;

	for (direction = 0; direction < DIRECTIONS; direction++) {
		CHECK_EQ(call(calls, BEGIN_CPU_ACCESS, direction), 0);
		CHECK_EQ(call(calls, END_CPU_ACCESS, direction), 0);
	}
}

TEST_EACH(C2, is_dynamic)
{
	int calls = calls_on(buffer_of(exporter, LENGTH));

	CHECK_EQ(call(calls, IS_DYNAMIC, 0),
		 strcmp(exporter->name, "dynamic") == 0);
	CHECK_EQ(call(calls, ATTACHMENT_IS_DYNAMIC, 0), 0);
	CHECK_EQ(call(calls, ATTACHMENT_IS_DYNAMIC, 1), 1);
}

TEST_EACH(C2, map_unlocked)
{
	int calls = calls_on(buffer_of(exporter, LENGTH));
	int direction;

	for (direction = 0; direction < DIRECTIONS; direction++)
		CHECK(call(calls, MAP_UNLOCKED, direction) > 0);
}

TEST_EACH(C2, get_and_put)
{
	CHECK_EQ(call(calls_on(buffer_of(exporter, LENGTH)), REFERENCES, 0), 1);
}

/* Another driver's file maps the buffer, within the buffer's bounds. */
TEST_EACH(C2, mmap_by_another)
{
	int buffer = buffer_of(exporter, LENGTH);
	int calls = calls_on(buffer);
	unsigned char *bytes = bytes_of(buffer), *second;

	second = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, calls, PAGE);
	CHECK(second != MAP_FAILED);
	bytes[PAGE] = 0x5a;
	CHECK_EQ(second[0], 0x5a);
	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, calls, PAGE) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
}

TEST(C2, export_incomplete)
{
	int calls = calls_on(buffer_of(exporter_named("static"), LENGTH));
	int what;

	CHECK_EQ(call(calls, EXPORT_BAD, DMABED_BAD_NONE), 0);
	for (what = DMABED_BAD_NO_PRIV; what <= DMABED_BAD_CACHED_AND_UNPINNED; what++)
		CHECK_EQ(call(calls, EXPORT_BAD, what), -EINVAL);
}

/* Those that return nothing have nothing to say but their warning; 0 contexts are none. */
static bool returns_nothing(int function)
{
	switch (function) {
	case DMABED_NULL_PUT:
	case DMABED_NULL_PUT_FILE:
	case DMABED_NULL_DETACH:
	case DMABED_NULL_DETACH_ATTACHMENT:
	case DMABED_NULL_DETACH_OTHER:
	case DMABED_NULL_UNMAP:
	case DMABED_NULL_UNMAP_BUFFER:
	case DMABED_NULL_UNMAP_TABLE:
	case DMABED_NULL_UNMAP_UNLOCKED:
	case DMABED_NULL_UNMAP_UNLOCKED_BUFFER:
	case DMABED_NULL_UNMAP_UNLOCKED_TABLE:
	case DMABED_NULL_VUNMAP:
	case DMABED_NULL_VUNMAP_UNLOCKED:
	case DMABED_NULL_FENCE_CONTEXTS:
		return true;
	default:
		return false;
	}
}

TEST(C2, null_arguments)
{
	int calls = calls_on(buffer_of(exporter_named("static"), LENGTH));
	int function;

	/* a number that no function has is EINVAL, too */
	for (function = DMABED_NULL_FD; function <= DMABED_NULL_ARRAY_NEXT; function++) {
		trying("DMABED_NULL number %d", function);
		CHECK_EQ(call(calls, NULL, function), returns_nothing(function) ? 0 : -EINVAL);
	}
}

/* Operations of a buffer's file refuse a file that is no buffer's. */
TEST(C2, operations_on_another_file)
{
	int calls = calls_on(buffer_of(exporter_named("static"), LENGTH));

	CHECK_EQ(call(calls, FILE_OP, DMABED_FILE_RELEASE), -EINVAL);
	CHECK_EQ(call(calls, FILE_OP, DMABED_FILE_MMAP), -EINVAL);
	CHECK_EQ(call(calls, FILE_OP, DMABED_FILE_LLSEEK), -EBADF);
	CHECK_EQ(call(calls, FILE_OP, DMABED_FILE_POLL), POLLERR);
	CHECK_EQ(call(calls, FILE_OP, DMABED_FILE_POLL_NO_RESV), POLLERR);
}

/* Page numbers that add up to more than there are. */
TEST_EACH(C2, mmap_overflow)
{
	int calls = calls_on(buffer_of(exporter, LENGTH));

	CHECK_EQ(call(calls, MMAP_FROM, ~0ULL), 0);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, calls, 0) == MAP_FAILED);
	CHECK_EQ(errno, EOVERFLOW);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, calls, 0) != MAP_FAILED);
}

/* It pins, and the framework says that it was not to. */
TEST(C2, pin_of_static_attachment)
{
	int calls = calls_on(buffer_of(exporter_named("dynamic"), LENGTH));

	CHECK_EQ(call(calls, PIN_STATIC, 0), 0);
}

TEST(C2, call_refused)
{
	int calls = calls_on(buffer_of(exporter_named("static"), LENGTH));
	struct dmabed_call request = { .size = sizeof(request), .function = 1000 };

	CHECK_FAILS(ioctl(calls, DMABED_IOC_CALL, &request), EINVAL);
	request.function = DMABED_CALL_IS_DYNAMIC;
	request.flags = 1;
	CHECK_FAILS(ioctl(calls, DMABED_IOC_CALL, &request), EINVAL);
	calls = calls_open();
	request.flags = 0;
	CHECK_FAILS(ioctl(calls, DMABED_IOC_CALL, &request), EBADF);
}
