// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * C1, C2, C3: functions of dma-buf that only drivers call, by way of
 * /dev/dmabed-calls.
 */
#include <dmabed.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "calls.h"
#include "exporters.h"
#include "test.h"

#define CALLS_DEVICE "/dev/dmabed-calls"
#define LENGTH (2 * PAGE)
#define SEED 77
#define SAME (-1) /* of a comparison */
/* enum dma_data_direction of Linux */
#define DIRECTIONS 3

/* What the function returned; the request itself has to be taken. */
static long long result_of(int calls, uint32_t function, uint64_t argument)
{
	struct dmabed_call call = {
		.size = sizeof(call),
		.function = function,
		.args = { argument },
	};

	CHECK_OK(ioctl(calls, DMABED_IOC_CALL, &call));
	return call.result;
}

static int calls_on(int buffer)
{
	struct dmabed_call call = {
		.size = sizeof(call),
		.function = DMABED_CALL_SELECT,
		.fd = buffer,
	};
	int calls = open(CALLS_DEVICE, O_RDWR | O_CLOEXEC);

	if (calls < 0 && errno == ENOENT)
		skip("there is no " CALLS_DEVICE);
	CHECK_OK(calls);
	CHECK_OK(ioctl(calls, DMABED_IOC_CALL, &call));
	CHECK_EQ(call.result, 0);
	return calls;
}

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

	CHECK_EQ(result_of(calls, DMABED_CALL_VMAP, 0), 0);
	memset(bytes, 0xa5, LENGTH);
	CHECK_EQ(result_of(calls, DMABED_CALL_VMAP_COMPARE, SEED), 0);
	CHECK_EQ(result_of(calls, DMABED_CALL_VMAP_FILL, SEED), 0);
	CHECK_EQ(result_of(calls, DMABED_CALL_VMAP_COMPARE, SEED), SAME);
	CHECK_EQ(result_of(calls, DMABED_CALL_VMAP_IS_IOMEM, 0), 0);
	for (at = 0; at < (int)LENGTH; at += PAGE) {
		CHECK(memcmp(bytes + at, "\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5", 8) != 0);
		bytes[at] ^= 1;
		CHECK_EQ(result_of(calls, DMABED_CALL_VMAP_COMPARE, SEED), at);
		bytes[at] ^= 1;
	}
	CHECK_EQ(result_of(calls, DMABED_CALL_VUNMAP, 0), 0);
}

TEST_EACH(C2, vmap_counts)
{
	int calls = calls_on(buffer_of(exporter, LENGTH));

	CHECK_EQ(result_of(calls, DMABED_CALL_VUNMAP, 0), -ENOENT);
	CHECK_EQ(result_of(calls, DMABED_CALL_VMAP_UNLOCKED, 0), 0);
	CHECK_EQ(result_of(calls, DMABED_CALL_VMAP, 0), 0);
	CHECK_EQ(result_of(calls, DMABED_CALL_VUNMAP_UNLOCKED, 0), 0);
	/* one is left, and still maps */
	CHECK_EQ(result_of(calls, DMABED_CALL_VMAP_FILL, SEED), 0);
	CHECK_EQ(result_of(calls, DMABED_CALL_VMAP_COMPARE, SEED), SAME);
	CHECK_EQ(result_of(calls, DMABED_CALL_VUNMAP, 0), 0);
	CHECK_EQ(result_of(calls, DMABED_CALL_VUNMAP, 0), -ENOENT);
}

TEST_EACH(C1, kernel_cpu_access)
{
	int calls = calls_on(buffer_of(exporter, LENGTH));
	int direction;

	for (direction = 0; direction < DIRECTIONS; direction++) {
		CHECK_EQ(result_of(calls, DMABED_CALL_BEGIN_CPU_ACCESS, direction), 0);
		CHECK_EQ(result_of(calls, DMABED_CALL_END_CPU_ACCESS, direction), 0);
	}
}

TEST_EACH(C2, is_dynamic)
{
	int calls = calls_on(buffer_of(exporter, LENGTH));

	CHECK_EQ(result_of(calls, DMABED_CALL_IS_DYNAMIC, 0),
		 strcmp(exporter->name, "dynamic") == 0);
	CHECK_EQ(result_of(calls, DMABED_CALL_ATTACHMENT_IS_DYNAMIC, 0), 0);
	CHECK_EQ(result_of(calls, DMABED_CALL_ATTACHMENT_IS_DYNAMIC, 1), 1);
}

TEST_EACH(C2, map_unlocked)
{
	int calls = calls_on(buffer_of(exporter, LENGTH));
	int direction;

	for (direction = 0; direction < DIRECTIONS; direction++)
		CHECK(result_of(calls, DMABED_CALL_MAP_UNLOCKED, direction) > 0);
}

TEST_EACH(C2, get_and_put)
{
	CHECK_EQ(result_of(calls_on(buffer_of(exporter, LENGTH)), DMABED_CALL_REFERENCES, 0), 1);
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

	CHECK_EQ(result_of(calls, DMABED_CALL_EXPORT_BAD, DMABED_BAD_NONE), 0);
	for (what = DMABED_BAD_NO_PRIV; what <= DMABED_BAD_CACHED_AND_PINNED; what++)
		CHECK_EQ(result_of(calls, DMABED_CALL_EXPORT_BAD, what), -EINVAL);
}

/* Those that return nothing have nothing to say but their warning. */
static bool returns_nothing(int function)
{
	return function == DMABED_NULL_PUT || function == DMABED_NULL_DETACH ||
	       function == DMABED_NULL_UNMAP || function == DMABED_NULL_UNMAP_UNLOCKED ||
	       function == DMABED_NULL_VUNMAP || function == DMABED_NULL_VUNMAP_UNLOCKED;
}

TEST(C2, null_arguments)
{
	int calls = calls_on(buffer_of(exporter_named("static"), LENGTH));
	int function;

	/* a number that no function has is EINVAL, too */
	for (function = DMABED_NULL_FD; function <= DMABED_NULL_VUNMAP_UNLOCKED; function++)
		CHECK_EQ(result_of(calls, DMABED_CALL_NULL, function),
			 returns_nothing(function) ? 0 : -EINVAL);
}

/* It pins, and the framework says that it was not to. */
TEST(C2, pin_of_static_attachment)
{
	int calls = calls_on(buffer_of(exporter_named("dynamic"), LENGTH));

	CHECK_EQ(result_of(calls, DMABED_CALL_PIN_STATIC, 0), 0);
}

TEST(C2, call_refused)
{
	int calls = calls_on(buffer_of(exporter_named("static"), LENGTH));
	struct dmabed_call call = { .size = sizeof(call), .function = 1000 };

	CHECK_FAILS(ioctl(calls, DMABED_IOC_CALL, &call), EINVAL);
	call.function = DMABED_CALL_IS_DYNAMIC;
	call.flags = 1;
	CHECK_FAILS(ioctl(calls, DMABED_IOC_CALL, &call), EINVAL);
	calls = CHECK_OK(open(CALLS_DEVICE, O_RDWR | O_CLOEXEC));
	call.flags = 0;
	CHECK_FAILS(ioctl(calls, DMABED_IOC_CALL, &call), EBADF);
}
