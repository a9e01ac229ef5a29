/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a test is, and how it says what it saw.
 *
 * A test is a function that returns when all went as expected.  It runs in a
 * process of its own; the first expectation that fails ends that process, from
 * whichever thread or child it was seen in.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

struct exporter;

struct test {
	const char *row; /* of docs/semantics.md */
	const char *id; /* the function's name; '_' is shown as '-' */
	void (*run)(void);
	void (*run_on)(const struct exporter *exporter);
};

#define TEST_SECTION "dmabed_tests"

#define REGISTER_TEST(row_, id_, plain_, on_)                                                     \
	static const struct test test_##row_##_##id_ = { #row_, #id_, plain_, on_ };              \
	static const struct test *const entry_##row_##_##id_                                      \
		__attribute__((section(TEST_SECTION), used)) = &test_##row_##_##id_

/* TEST(C9, sync_flags) { ... } is test "C9.sync-flags" */
#define TEST(row_, id_)                                                                           \
	static void row_##_##id_(void);                                                           \
	REGISTER_TEST(row_, id_, row_##_##id_, NULL);                                             \
	static void row_##_##id_(void)

/* The same once for each exporter: "C9.sync-flags.system" and so on. */
#define TEST_EACH(row_, id_)                                                                      \
	static void row_##_##id_(const struct exporter *exporter);                                \
	REGISTER_TEST(row_, id_, NULL, row_##_##id_);                                             \
	static void row_##_##id_(const struct exporter *exporter)

/* How the process of a test ends. */
enum outcome { TEST_PASSED = 0, TEST_FAILED = 1, TEST_SKIPPED = 2 };

/* A word on what is tried now; shown with the next failure. */
void trying(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One diagnostic line; whole, also when several processes write. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void fail(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
void skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

void check_equal(const char *file, int line, const char *what, long long got, long long want);
void check_errno(const char *file, int line, const char *what, long long result, int want);
void check_ok(const char *file, int line, const char *what, long long result);

#define CHECK(condition)                                                                          \
	do {                                                                                      \
		if (!(condition))                                                                 \
			fail(__FILE__, __LINE__, "expected: %s", #condition);                     \
	} while (0)
#define CHECK_EQ(got, want) check_equal(__FILE__, __LINE__, #got, (long long)(got), (want))
/* A system call that returns -1 with this errno. */
#define CHECK_FAILS(call, error) check_errno(__FILE__, __LINE__, #call, (long long)(call), (error))
/* A system call that does not return -1; its value. */
#define CHECK_OK(call)                                                                            \
	({                                                                                        \
		__auto_type result_ = (call);                                                     \
		check_ok(__FILE__, __LINE__, #call, (long long)result_);                          \
		result_;                                                                          \
	})

#endif
