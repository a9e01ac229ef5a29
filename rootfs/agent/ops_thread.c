// SPDX-License-Identifier: GPL-2.0-or-later
/* sync and threads: what the agent's own threads are at. */
#include "answer.h"
#include "ops.h"
#include "threads.h"

static json_t *op_sync(const json_t *request)
{
	const json_t *names = json_object_get(request, "threads");
	int64_t timeout = request_ms(request, "timeout-ms", DEFAULT_TIMEOUT_MS);

	return answer_ok(json_pack("{s:o}", "busy", threads_wait_idle(names, timeout)));
}

static json_t *op_threads(const json_t *request)
{
	(void)request;
	return answer_ok(threads_describe());
}

const struct op thread_ops[] = {
	{ "sync", op_sync, false, { { "threads", KEY_TEXTS, false, NULL },
				    { "timeout-ms", KEY_MS, false, NULL } } },
	{ "threads", op_threads, true, { { 0 } } },
	{ 0 },
};
