// SPDX-License-Identifier: GPL-2.0-or-later
/* Fault injection. */
#include "faults.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#define FAIL_NTH "/proc/thread-self/fail-nth"
#define DEBUGFS "/sys/kernel/debug/"
#define MOST_FAULTS 5000

/* ---- settings of the whole kernel; what is not there needs none ---- */

static void set(const char *path, const char *value)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);

	if (file < 0)
		return;
	CHECK_EQ(write(file, value, strlen(value)), (long)strlen(value));
	close(file);
}

/* Allocations that may sleep count, too, and single pages; no back traces on the console. */
static void prepare_kernel(void)
{
	set(DEBUGFS "failslab/ignore-gfp-wait", "N");
	set(DEBUGFS "failslab/verbose", "0");
	set(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N");
	set(DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N");
	set(DEBUGFS "fail_page_alloc/min-order", "0");
	set(DEBUGFS "fail_page_alloc/verbose", "0");
	set(DEBUGFS "fail_usercopy/verbose", "0");
}

/* ---- one fault ---- */

static int open_switch(void)
{
	int file = open(FAIL_NTH, O_RDWR | O_CLOEXEC);

	if (file < 0 && errno == ENOENT)
		skip("the kernel has no CONFIG_FAULT_INJECTION");
	return CHECK_OK(file);
}

static void arm(int file, unsigned int number)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", number);

	CHECK_EQ(pwrite(file, text, length, 0), length);
}

/* What has not come yet may come in this call itself, and is then gone. */
static void disarm(int file)
{
	if (pwrite(file, "0", 1, 0) != 1)
		CHECK_EQ(pwrite(file, "0", 1, 0), 1);
}

/*
 * Whether the fault was injected before.  Reading copies to user space, which is
 * a fault's place itself: when that one failed, the attempt had none.
 */
static bool was_injected(int file)
{
	char text[16] = "";

	return pread(file, text, sizeof(text) - 1, 0) > 0 && strtol(text, NULL, 10) == 0;
}

static bool is_clean(int error)
{
	return error == ENOMEM || error == EFAULT;
}

static int next_fd(int from)
{
	int fd = CHECK_OK(dup(from));

	close(fd);
	return fd;
}

/* True when the attempt met no fault any more. */
static bool attempt_with(const struct fallible *fallible, int file, unsigned int number)
{
	int fd = next_fd(file);
	int result, error;
	bool injected;

	arm(file, number);
	result = fallible->attempt(fallible->context);
	error = errno;
	injected = was_injected(file);
	disarm(file);
	trying("fault %u", number);
	if (result >= 0 && fallible->undo)
		fallible->undo(fallible->context, result);
	CHECK_EQ(next_fd(file), fd);
	errno = error;
	if (!injected)
		return CHECK_OK(result) >= 0;
	if (result < 0 && !is_clean(error))
		CHECK_FAILS(result, ENOMEM);
	return false;
}

void fail_each(const struct fallible *fallible)
{
	int file = open_switch();
	unsigned int number;

	prepare_kernel();
	for (number = 1; number < MOST_FAULTS; number++)
		if (attempt_with(fallible, file, number))
			break;
	CHECK(number > 1); /* there is something that can fail */
	CHECK(number < MOST_FAULTS);
	close(file);
}
