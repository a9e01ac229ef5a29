// SPDX-License-Identifier: GPL-2.0-or-later
/* What tests say: diagnostic lines, and the ends of their processes. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"
#include "sabotage.h"
#include "test.h"

#define LINE_LENGTH 512

static __thread char attempt[LINE_LENGTH / 2];

void trying(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(attempt, sizeof(attempt), format, arguments);
	va_end(arguments);
}

static void write_line(const char *prefix, const char *text)
{
	char line[LINE_LENGTH];
	int length = snprintf(line, sizeof(line), "%s%s", prefix, text);

	if (length >= (int)sizeof(line))
		length = sizeof(line) - 1;
	line[length++] = '\n'; /* in the place of the NUL */
	if (write(STDOUT_FILENO, line, length) != length)
		_exit(TEST_FAILED);
}

void say(const char *format, ...)
{
	char text[LINE_LENGTH - 8];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	write_line("# ", text);
}

void fail(const char *file, int line, const char *format, ...)
{
	const char *base = strrchr(file, '/');
	char text[LINE_LENGTH / 2];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	say("%s:%d %s%s%s", base ? base + 1 : file, line, text, attempt[0] ? "; trying " : "",
	    attempt);
	_exit(TEST_FAILED);
}

/* The reason goes to the runner, which prints it behind the test's name. */
void skip(const char *format, ...)
{
	char *reason = runner_skip_reason();
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, SKIP_REASON_LENGTH, format, arguments);
	va_end(arguments);
	_exit(TEST_SKIPPED);
}

void check_equal(const char *file, int line, const char *what, long long got, long long want)
{
	if (got != want)
		fail(file, line, "expected: %s == %lld (%#llx), got %lld (%#llx)", what, want, want,
		     got, got);
}

void check_errno(const char *file, int line, const char *what, long long result, int want)
{
	int error = errno;

	if (sabotaged("wrong-errno"))
		want = EXDEV; /* no call here ever says so */
	if (result != -1)
		fail(file, line, "expected: %s fails with %s, got %lld", what,
		     strerrorname_np(want), result);
	if (error != want)
		fail(file, line, "expected: %s fails with %s, got %s", what, strerrorname_np(want),
		     strerrorname_np(error));
}

void check_ok(const char *file, int line, const char *what, long long result)
{
	if (result == -1)
		fail(file, line, "expected: %s succeeds, got %s", what, strerrorname_np(errno));
}
