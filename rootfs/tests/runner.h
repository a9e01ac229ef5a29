/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs tests one after the other, each in a process group of its own. */
#ifndef TESTS_RUNNER_H
#define TESTS_RUNNER_H

#include <stdbool.h>

#include "test.h"

#define TEST_NAME_LENGTH 96
#define SKIP_REASON_LENGTH 160

struct chosen {
	const struct test *test;
	const struct exporter *exporter; /* NULL: the test is not on an exporter */
	char name[TEST_NAME_LENGTH];
};

void runner_prepare(unsigned int timeout_seconds);
/* Prints the test's lines; whether it did not fail. */
bool runner_run(const struct chosen *chosen, unsigned int number);
/* Where a skipped test leaves its reason. */
char *runner_skip_reason(void);

#endif
