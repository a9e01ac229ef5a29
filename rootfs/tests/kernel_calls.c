// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/dmabed-calls. */
#include "kernel_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "test.h"

#define CALLS_DEVICE "/dev/dmabed-calls"
#define CLEAR_WARN_ONCE "/sys/kernel/debug/clear_warn_once"

int calls_open(void)
{
	int calls = open(CALLS_DEVICE, O_RDWR | O_CLOEXEC);

	if (calls < 0 && errno == ENOENT)
		skip("there is no " CALLS_DEVICE);
	return CHECK_OK(calls);
}

void calls_select(int calls, int buffer)
{
	struct dmabed_call call = {
		.size = sizeof(call),
		.function = DMABED_CALL_SELECT,
		.fd = buffer,
	};

	CHECK_OK(ioctl(calls, DMABED_IOC_CALL, &call));
	CHECK_EQ(call.result, 0);
}

int calls_on(int buffer)
{
	int calls = calls_open();

	calls_select(calls, buffer);
	return calls;
}

static int request(int calls, uint32_t function, const uint64_t *args, long long *result)
{
	struct dmabed_call call = { .size = sizeof(call), .function = function };
	int status;

	memcpy(call.args, args, sizeof(call.args));
	status = ioctl(calls, DMABED_IOC_CALL, &call);
	*result = call.result;
	return status;
}

long long kernel_call(int calls, uint32_t function, const uint64_t *args)
{
	long long result;

	CHECK_OK(request(calls, function, args, &result));
	return result;
}

int attempt_call(int calls, uint32_t function, const uint64_t *args)
{
	long long result;

	if (request(calls, function, args, &result) != 0)
		return -1;
	if (result >= 0)
		return (int)result;
	errno = (int)-result;
	return -1;
}

static void write_to(const char *path, const char *text)
{
	int file = CHECK_OK(open(path, O_WRONLY | O_CLOEXEC));

	CHECK_EQ(write(file, text, strlen(text)), (long)strlen(text));
	close(file);
}

void expect_warning(const char *function)
{
	char line[128];

	snprintf(line, sizeof(line), "dmabed-expect: %s\n", function);
	write_to("/dev/kmsg", line);
}

void warn_once_again(void)
{
	write_to(CLEAR_WARN_ONCE, "1");
}

int new_fence(int calls, int slot)
{
	CHECK_EQ(call(calls, FENCE_NEW, slot, DMABED_FENCE_PLAIN), 0);
	return slot;
}

void share_fence(int calls, int slot, int other, int other_slot)
{
	int file = (int)call(calls, FENCE_TO_FD, slot);

	CHECK(file >= 0);
	CHECK_EQ(call(other, FENCE_FROM_FD, other_slot, file), 0);
	close(file);
}
