// SPDX-License-Identifier: GPL-2.0-or-later
/* run: a foreign program, from start to end. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "base64.h"
#include "ops.h"
#include "program.h"

/* The strings stay the request's; the array is to be freed. */
static char **copy_argv(const json_t *list)
{
	size_t count = json_array_size(list);
	char **argv = calloc(count + 1, sizeof(*argv));

	for (size_t i = 0; argv && i < count; i++)
		argv[i] = (char *)json_string_value(json_array_get(list, i));
	return argv;
}

static void free_strings(char **strings)
{
	for (char **string = strings; string && *string; string++)
		free(*string);
	free(strings);
}

static bool is_overridden(const json_t *map, const char *variable)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)map, name, value) {
		size_t length = strlen(name);

		if (strncmp(variable, name, length) == 0 && variable[length] == '=')
			return true;
	}
	return false;
}

static bool append_variable(char **environment, size_t *count, const char *name, const char *value)
{
	return asprintf(&environment[(*count)++], "%s=%s", name, value) >= 0;
}

/* Ours, and over it what the request says. */
static char **make_environment(const json_t *map)
{
	size_t ours = 0, count = 0;
	char **made;
	const char *name;
	json_t *value;

	while (environ[ours])
		ours++;
	made = calloc(ours + json_object_size(map) + 1, sizeof(*made));
	if (!made)
		return NULL;
	for (size_t i = 0; i < ours; i++)
		if (!is_overridden(map, environ[i]))
			made[count++] = strdup(environ[i]);
	json_object_foreach((json_t *)map, name, value)
		append_variable(made, &count, name, json_string_value(value));
	return made;
}

static json_t *describe(const struct program *program)
{
	int status = program->wait_status;
	json_t *exited = WIFEXITED(status) ? json_integer(WEXITSTATUS(status)) : json_null();
	json_t *killed = WIFSIGNALED(status) ? json_integer(WTERMSIG(status)) : json_null();
	const struct output *out = &program->outputs[0], *err = &program->outputs[1];

	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:b}", "status", exited, "signal", killed,
			 "stdout", json_bytes(out->bytes, out->length),
			 "stderr", json_bytes(err->bytes, err->length),
			 "truncated", out->truncated || err->truncated,
			 "timed-out", program->timed_out);
}

static json_t *run(struct program *program)
{
	int error = program_run(program);
	json_t *answer;

	if (error)
		answer = answer_errno(error, program->argv[0]);
	else
		answer = answer_ok(describe(program));
	program_free(program);
	return answer;
}

static json_t *op_run(const json_t *request)
{
	const json_t *argv = json_object_get(request, "argv");
	const char *input = request_text(request, "stdin");
	struct program program = {
		.directory = request_text(request, "cwd"),
		.timeout_ms = request_ms(request, "timeout-ms", DEFAULT_TIMEOUT_MS),
	};
	uint8_t *bytes = input ? base64_decode(input, &program.input_length) : NULL;
	json_t *answer = NULL;

	if (json_array_size(argv) == 0)
		answer = answer_protocol("run: 'argv' is empty");
	program.input = bytes;
	program.argv = copy_argv(argv);
	program.environment = make_environment(json_object_get(request, "env"));
	if (!answer && program.argv && program.environment)
		answer = run(&program);
	free(program.argv);
	free_strings(program.environment);
	free(bytes);
	return answer;
}

const struct op run_ops[] = {
	{ "run", op_run, false, { { "argv", KEY_TEXTS, true, NULL },
				  { "env", KEY_TEXT_MAP, false, NULL },
				  { "cwd", KEY_TEXT, false, NULL },
				  { "stdin", KEY_BASE64, false, NULL },
				  { "timeout-ms", KEY_MS, false, NULL } } },
	{ 0 },
};
