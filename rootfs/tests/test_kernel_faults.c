// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * C1, C2, C7, C10: functions that only drivers call, with each of their
 * allocations failing in turn.
 */
#include <linux/dma-buf.h>
#include <string.h>
#include <unistd.h>

#include "exporters.h"
#include "faults.h"
#include "kernel_calls.h"
#include "test.h"

#define LENGTH (8 * PAGE)

struct attempt {
	int calls;
	uint32_t function;
	uint64_t args[4];
	bool invalid; /* what has no memory says EINVAL */
};

static int run(void *context)
{
	const struct attempt *attempt = context;
	int result = attempt_call(attempt->calls, attempt->function, attempt->args);

	if (result < 0 && errno == EINVAL && attempt->invalid)
		errno = ENOMEM;
	return result;
}

static void fail_call(int calls, uint32_t function, const uint64_t *args)
{
	struct attempt attempt = { .calls = calls, .function = function };
	const struct fallible fallible = { run, NULL, &attempt };

	memcpy(attempt.args, args, sizeof(attempt.args));
	fail_each(&fallible);
}

/* ---- buffers ---- */

/* The framework warns of it, once a boot; that is spent here. */
static void spend_warning(void)
{
	int calls = calls_open();
	int buffer = (int)call(calls, EXPORT, DMABED_ODD_VMAP_FAILS);

	calls_select(calls, buffer);
	close(buffer);
	warn_once_again();
	expect_warning("dma_buf_vmap");
	CHECK_EQ(call(calls, VMAP), -ENOSPC);
	close(calls);
}

static void vunmap(void *context, int result)
{
	const struct attempt *attempt = context;

	(void)result;
	CHECK_EQ(call(attempt->calls, VUNMAP), 0);
}

TEST_EACH(C1, faults_of_vmap)
{
	struct attempt attempt = {
		.calls = calls_on(buffer_of(exporter, LENGTH)),
		.function = DMABED_CALL_VMAP,
		.invalid = strcmp(exporter->name, "udmabuf") == 0,
	};
	const struct fallible fallible = { run, vunmap, &attempt };

	spend_warning();
	fail_each(&fallible);
}

static void close_result(void *context, int result)
{
	(void)context;
	close(result);
}

TEST(C2, faults_of_export_with_resv)
{
	struct attempt attempt = {
		.calls = calls_open(),
		.function = DMABED_CALL_EXPORT,
		.args = { DMABED_ODD_OWN_RESV },
	};
	const struct fallible fallible = { run, close_result, &attempt };

	fail_each(&fallible);
}

/* ---- fences ---- */

TEST(C10, faults_of_driver_fence)
{
	int calls = calls_open();

	fail_call(calls, DMABED_CALL_FENCE_NEW, (const uint64_t[4]){ 0 });
	fail_call(calls, DMABED_CALL_FENCE_STUB, (const uint64_t[4]){ 0, 1 });
}

TEST(C10, faults_of_wait_any)
{
	int calls = calls_open();

	CHECK_EQ(call(calls, FENCE_SIGNAL, new_fence(calls, 0)), 0);
	new_fence(calls, 1);
	fail_call(calls, DMABED_CALL_FENCE_WAIT_ANY, (const uint64_t[4]){ 3, A_MOMENT });
}

TEST(C10, faults_of_containers)
{
	int calls = calls_open();

	new_fence(calls, 0);
	new_fence(calls, 1);
	fail_call(calls, DMABED_CALL_ARRAY, (const uint64_t[4]){ 8, 3 });
	fail_call(calls, DMABED_CALL_CHAIN, (const uint64_t[4]){ 8, NO_SLOT, 0, 1 });
	fail_call(calls, DMABED_CALL_MERGE, (const uint64_t[4]){ 8, 0, 1 });
}

/* ---- reservation objects ---- */

TEST(C7, faults_of_reserve)
{
	fail_call(calls_open(), DMABED_CALL_RESV_RESERVE, (const uint64_t[4]){ 0, 20 });
}

TEST(C7, faults_of_resv)
{
	int calls = calls_on(buffer_of(exporter_named("system"), PAGE));
	int slot;

	for (slot = 0; slot < 3; slot++)
		CHECK_EQ(call(calls, RESV_ADD, 0, new_fence(calls, slot), DMABED_USAGE_READ), 0);
	fail_call(calls, DMABED_CALL_RESV_COPY, (const uint64_t[4]){ 1 });
	CHECK_EQ(call(calls, RESV_COUNT, 1, DMABED_USAGE_READ), 3);
	fail_call(calls, DMABED_CALL_RESV_SINGLETON, (const uint64_t[4]){ 0, DMABED_USAGE_READ, 8 });
	CHECK_EQ(call(calls, UNWRAP, 8), 3);
}
