// SPDX-License-Identifier: GPL-2.0-or-later
/* Buffers that go from process to process, and how processes end. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "objects.h"
#include "ops.h"
#include "processes.h"
#include "protocol.h"
#include "threads.h"
#include "transport.h"

#define END_TIMEOUT_MS 10000

static const struct word manners[] = {
	{ "exit", 0 },
	{ "kill", 1 },
	{ 0 },
};

/* What a process is asked in the course of a `pass`. */
static json_t *request_to(const json_t *pass, const char *op, const char *buffer)
{
	return json_pack("{s:O, s:s, s:s}", "id", json_object_get(pass, "id"), "op", op, "buffer",
			 buffer);
}

static json_t *pass_to(const json_t *request, const char *name, const char *process)
{
	struct buffer *buffer = buffer_get(name);
	const char *problem;
	json_t *adopt;

	if (!buffer)
		return answer_protocol("unknown buffer '%s'", name);
	adopt = request_to(request, "adopt", name);
	json_object_set_new(adopt, "length", json_hex(buffer->length));
	problem = processes_forward(process, adopt, transport_connection(), buffer->fd, NULL);
	json_decref(adopt);
	buffer_put(buffer);
	return problem ? answer_protocol("%s", problem) : ANSWERED_ELSEWHERE;
}

static json_t *pass_from(const json_t *request, const char *name, const char *process)
{
	const char *problem;
	json_t *give;

	if (!buffer_name_free(name))
		return answer_protocol("buffer '%s' is there already", name);
	give = request_to(request, "give", name);
	problem = processes_forward(process, give, transport_connection(), -1, name);
	json_decref(give);
	return problem ? answer_protocol("%s", problem) : ANSWERED_ELSEWHERE;
}

static json_t *op_pass(const json_t *request)
{
	const char *from = request_text(request, "from"), *to = request_text(request, "to");
	const char *buffer = request_text(request, "buffer");

	if (!from == !to)
		return answer_protocol("either 'from' or 'to'");
	return from ? pass_from(request, buffer, from) : pass_to(request, buffer, to);
}

/* In a process: the fd came with the request. */
static json_t *op_adopt(const json_t *request)
{
	const char *name = request_text(request, "buffer");
	int fd = transport_take_fd();

	if (fd < 0)
		return answer_protocol("no fd came with it");
	if (!buffer_add(name, fd, request_u64(request, "length", 0)))
		return answer_protocol("buffer '%s' is there already", name);
	return answer_ok(NULL);
}

/* In a process: the fd goes with the answer. */
static json_t *op_give(const json_t *request)
{
	const char *name = request_text(request, "buffer");
	struct buffer *buffer = buffer_get(name);
	json_t *answer;

	if (!buffer)
		return answer_protocol("unknown buffer '%s'", name);
	transport_send_fd(fcntl(buffer->fd, F_DUPFD_CLOEXEC, 0));
	answer = answer_ok(json_pack("{s:o}", "length", json_hex(buffer->length)));
	buffer_put(buffer);
	return answer;
}

static json_t *describe(int status)
{
	return json_pack("{s:o, s:o}", "status",
			 WIFEXITED(status) ? json_integer(WEXITSTATUS(status)) : json_null(),
			 "signal",
			 WIFSIGNALED(status) ? json_integer(WTERMSIG(status)) : json_null());
}

static json_t *op_exit_process(const json_t *request)
{
	bool kill_it = request_word(request, "how", manners, 0);
	struct ending ending;
	int error = processes_end(request_text(request, "name"), kill_it, END_TIMEOUT_MS, &ending);

	if (error == ESRCH)
		return answer_protocol("there is no process '%s'", request_text(request, "name"));
	return error ? answer_errno(error, "exit") : answer_ok(describe(ending.wait_status));
}

/* In a process: with all that it holds, whatever its threads are at. */
static json_t *op_exit(const json_t *request)
{
	(void)request;
	_Exit(EXIT_SUCCESS);
}

const struct op process_ops[] = {
	{ "pass", op_pass, false, { { "buffer", KEY_NAME, true, NULL },
				    { "from", KEY_NAME, false, NULL },
				    { "to", KEY_NAME, false, NULL } } },
	{ "adopt", op_adopt, true, { { "buffer", KEY_NAME, true, NULL },
				     { "length", KEY_U64, true, NULL } } },
	{ "give", op_give, false, { { "buffer", KEY_NAME, true, NULL } } },
	{ "exit-process", op_exit_process, false, { { "name", KEY_NAME, true, NULL },
						    { "how", KEY_WORD, false, manners } } },
	{ "exit", op_exit, true, { { 0 } } },
	{ 0 },
};
