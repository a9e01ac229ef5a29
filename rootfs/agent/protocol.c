// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocol.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "lines.h"
#include "ops.h"
#include "processes.h"
#include "threads.h"
#include "transport.h"

static const struct op *const tables[] = { dmabuf_ops, udmabuf_ops, job_ops, cpu_ops, system_ops,
					   thread_ops, run_ops, accounting_ops, generation_ops,
					   process_ops, fence_ops, kernel_ops, v4l2_ops, drm_ops };

#define NR_TABLES (sizeof(tables) / sizeof(tables[0]))

/* Says something even when there is no memory to say it with. */
static const char out_of_memory[] = "{\"id\":null,\"ok\":false,\"protocol\":\"out of memory\"}\n";

static const struct op *find_op(const char *name)
{
	for (size_t i = 0; i < NR_TABLES; i++)
		for (const struct op *op = tables[i]; op->name; op++)
			if (strcmp(op->name, name) == 0)
				return op;
	return NULL;
}

/* The answer as a line, to be freed; NULL when there is no memory. */
static char *answer_line(json_t *answer, json_t *id, size_t *length)
{
	char *text;

	if (!answer || json_object_set(answer, "id", id) != 0)
		return NULL;
	text = json_dumps(answer, JSON_COMPACT);
	*length = text ? strlen(text) : 0;
	if (text)
		text[(*length)++] = '\n'; /* in the place of the NUL */
	return text;
}

static void send_too_long(unsigned int connection, json_t *id, size_t length);

void protocol_answer(unsigned int connection, json_t *id, json_t *answer)
{
	size_t length = 0;
	char *line = answer_line(answer, id, &length);

	if (!line)
		transport_write(connection, out_of_memory, strlen(out_of_memory));
	else if (length > LINE_LIMIT)
		send_too_long(connection, id, length);
	else
		transport_write(connection, line, length);
	free(line);
	json_decref(answer);
}

static void send_too_long(unsigned int connection, json_t *id, size_t length)
{
	protocol_answer(connection, id, answer_protocol("the answer would take %zu bytes, at most %d",
						    length, LINE_LIMIT));
}

/* For what can't be said to belong to a request. */
static void refuse(json_t *answer)
{
	json_t *null = json_null();

	protocol_answer(transport_connection(), null, answer);
}

void protocol_run(struct work *work)
{
	json_t *answer = work->op->run(work->request);

	if (answer != ANSWERED_ELSEWHERE)
		protocol_answer(work->connection, json_object_get(work->request, "id"), answer);
	json_decref(work->request);
	free(work);
}

/* NULL, or the answer that says why the request is not taken. */
static json_t *start(const struct op *op, json_t *request)
{
	const char *thread = request_text(request, "thread");
	struct work *work = malloc(sizeof(*work));
	const char *problem;

	if (!work)
		return answer_protocol("out of memory");
	*work = (struct work){ .op = op, .request = json_incref(request),
			       .connection = transport_connection() };
	if (op->in_reader && !thread) {
		protocol_run(work);
		return NULL;
	}
	problem = threads_submit(thread, work);
	if (!problem)
		return NULL;
	json_decref(request);
	free(work);
	return answer_protocol("%s", problem);
}

/* To a process of its own, which answers. */
static json_t *forward(json_t *request)
{
	const char *problem = processes_forward(request_text(request, "process"), request,
						transport_connection(), -1, NULL);

	return problem ? answer_protocol("%s", problem) : NULL;
}

static json_t *check_and_start(json_t *request)
{
	const json_t *name = json_object_get(request, "op");
	const struct op *op;
	json_t *refusal;

	if (!json_is_string(name))
		return answer_protocol("'op' must be a string");
	op = find_op(json_string_value(name));
	if (!op)
		return answer_protocol("unknown op '%.64s'", json_string_value(name));
	refusal = request_check(request, op);
	if (refusal)
		return refusal;
	return json_object_get(request, "process") ? forward(request) : start(op, request);
}

static void take_request(json_t *request)
{
	json_t *id = json_object_get(request, "id");
	json_t *refusal;

	if (!json_is_object(request)) {
		refuse(answer_protocol("a request is an object"));
		return;
	}
	if (!json_is_integer(id) && !json_is_string(id)) {
		refuse(answer_protocol("'id' must be an integer or a string"));
		return;
	}
	refusal = check_and_start(request);
	if (refusal)
		protocol_answer(transport_connection(), id, refusal);
}

void protocol_receive(const char *line, size_t length)
{
	json_error_t error;
	json_t *request;

	if (!line) {
		refuse(answer_protocol("the line has more than %d bytes", LINE_LIMIT));
		return;
	}
	if (length == 0)
		return;
	request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (request)
		take_request(request);
	else
		refuse(answer_protocol("no JSON: %s (byte %d)", error.text, error.position));
	json_decref(request);
}
