// SPDX-License-Identifier: GPL-2.0-or-later
#include "processes.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "lines.h"
#include "objects.h"
#include "protocol.h"
#include "rights.h"

#define MAX_PROCESSES 16
#define RESET_TIMEOUT_MS 10000

/* A request that was sent on. */
struct pending {
	struct pending *next;
	json_int_t number; /* its id on the socket */
	json_t *id; /* its id with the host */
	unsigned int connection;
	char adopt[NAME_MAX_LENGTH + 1];
};

struct process {
	struct process *next;
	char name[NAME_MAX_LENGTH + 1];
	pid_t pid;
	int socket;
	int received; /* an fd that came with the present line, or -1 */
	json_int_t last_number;
	struct pending *pending;
	struct lines lines;
};

static struct process *processes;
static unsigned int nr_processes;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all of the above */
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static int last_status; /* of the process that ended last */
static _Thread_local struct process *relayed; /* whose answers this thread takes */

static struct process *find(const char *name)
{
	for (struct process *process = processes; process; process = process->next)
		if (strcmp(process->name, name) == 0)
			return process;
	return NULL;
}

/* ---- answers ---- */

static struct pending *take_pending(struct process *process, json_int_t number)
{
	for (struct pending **link = &process->pending; *link; link = &(*link)->next) {
		struct pending *pending = *link;

		if (pending->number != number)
			continue;
		*link = pending->next;
		return pending;
	}
	return NULL;
}

/* Takes the references to @pending and @answer. */
static void answer_pending(struct pending *pending, json_t *answer)
{
	protocol_answer(pending->connection, pending->id, answer);
	json_decref(pending->id);
	free(pending);
}

/* The fd that came with the answer becomes a buffer of ours. */
static void adopt(const char *name, int fd, const json_t *answer)
{
	const json_t *result = json_object_get(answer, "result");

	buffer_add(name, fd, request_u64(result, "length", 0));
}

static void relay(const char *line, size_t length)
{
	json_t *answer = line ? json_loadb(line, length, 0, NULL) : NULL;
	struct pending *pending;

	pthread_mutex_lock(&lock);
	pending = take_pending(relayed, json_integer_value(json_object_get(answer, "id")));
	pthread_mutex_unlock(&lock);
	if (!pending) {
		json_decref(answer);
		return;
	}
	if (pending->adopt[0] && relayed->received >= 0) {
		adopt(pending->adopt, relayed->received, answer);
		relayed->received = -1;
	}
	answer_pending(pending, answer);
}

static void ignore(void)
{
}

static const struct line_handlers handlers = { .line = relay, .cancel = ignore };

static void take_answers(struct process *process)
{
	char bytes[65536];
	ssize_t got;
	int fd;

	while ((got = rights_receive(process->socket, bytes, sizeof(bytes), &fd)) > 0) {
		if (fd >= 0)
			process->received = fd;
		lines_feed(&process->lines, bytes, (size_t)got, &handlers);
	}
}

/* ---- start and end ---- */

static void unlink_process(struct process *process)
{
	for (struct process **link = &processes; *link; link = &(*link)->next) {
		if (*link != process)
			continue;
		*link = process->next;
		nr_processes--;
		return;
	}
}

/* Requests that a process took with it have no answer of the kernel's. */
static void fail_pending(struct pending *pending)
{
	while (pending) {
		struct pending *next = pending->next;

		answer_pending(pending, answer_errno(ESRCH, "the process ended"));
		pending = next;
	}
}

static void *process_main(void *argument)
{
	struct process *process = argument;
	int status = 0;

	relayed = process;
	take_answers(process);
	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&lock);
	unlink_process(process);
	last_status = status;
	close(process->socket);
	pthread_cond_broadcast(&ended);
	pthread_mutex_unlock(&lock);
	fail_pending(process->pending);
	free(process);
	return NULL;
}

/* Between fork and exec of a program with threads only little is allowed. */
static pid_t spawn(int theirs)
{
	char *const argv[] = { "dmabed-agent", "--worker", NULL };
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	dup2(theirs, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO); /* the host's stream is not for it */
	execv("/proc/self/exe", argv);
	_exit(127);
}

static bool launch(struct process *process)
{
	pthread_t thread;
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
		return false;
	process->socket = sockets[0];
	process->pid = spawn(sockets[1]);
	close(sockets[1]);
	if (process->pid > 0 && pthread_create(&thread, NULL, process_main, process) == 0) {
		pthread_detach(thread);
		return true;
	}
	close(sockets[0]); /* a worker without a host ends */
	return false;
}

static struct process *start(const char *name)
{
	struct process *process = nr_processes < MAX_PROCESSES ? calloc(1, sizeof(*process)) : NULL;

	if (!process)
		return NULL;
	snprintf(process->name, sizeof(process->name), "%s", name);
	process->received = -1;
	if (!launch(process)) {
		free(process);
		return NULL;
	}
	process->next = processes;
	processes = process;
	nr_processes++;
	return process;
}

/* ---- requests ---- */

/* The request as the process gets it, to be freed. */
static char *line_of(json_t *request, json_int_t number)
{
	json_t *copy = json_copy(request);
	char *text;

	json_object_del(copy, "process");
	json_object_set_new(copy, "id", json_integer(number));
	text = json_dumps(copy, JSON_COMPACT);
	json_decref(copy);
	return text;
}

static bool send_line(struct process *process, char *text, int fd)
{
	size_t length = strlen(text);

	text[length] = '\n'; /* in the place of the NUL */
	return rights_send(process->socket, text, length + 1, fd);
}

static void expect_answer(struct process *process, struct pending *pending, json_int_t number,
			  const char *name)
{
	pending->number = number;
	snprintf(pending->adopt, sizeof(pending->adopt), "%s", name ?: "");
	pending->next = process->pending;
	process->pending = pending;
}

static const char *forward_locked(const char *name, json_t *request, struct pending *pending, int fd,
				  const char *adopt_name)
{
	struct process *process = find(name) ?: start(name);
	char *text;

	if (!process)
		return "no more processes";
	text = line_of(request, ++process->last_number);
	if (!text)
		return "out of memory";
	expect_answer(process, pending, process->last_number, adopt_name);
	/* when it is ending, that answers */
	send_line(process, text, fd);
	free(text);
	return NULL;
}

const char *processes_forward(const char *name, json_t *request, unsigned int connection, int fd,
			      const char *adopt_name)
{
	struct pending *pending = calloc(1, sizeof(*pending));
	const char *problem;

	if (!pending)
		return "out of memory";
	pending->id = json_incref(json_object_get(request, "id"));
	pending->connection = connection;
	pthread_mutex_lock(&lock);
	problem = forward_locked(name, request, pending, fd, adopt_name);
	pthread_mutex_unlock(&lock);
	if (problem) {
		json_decref(pending->id);
		free(pending);
	}
	return problem;
}

bool processes_has(const char *name)
{
	bool there;

	pthread_mutex_lock(&lock);
	there = find(name) != NULL;
	pthread_mutex_unlock(&lock);
	return there;
}

static void end_locked(struct process *process, bool kill_it)
{
	static const char exit_line[] = "{\"id\":0,\"op\":\"exit\"}\n";

	if (kill_it)
		kill(process->pid, SIGKILL);
	else
		rights_send(process->socket, exit_line, strlen(exit_line), -1);
}

static struct timespec from_now(int64_t ms)
{
	struct timespec when;

	clock_gettime(CLOCK_REALTIME, &when);
	when.tv_sec += ms / 1000;
	return when;
}

int processes_end(const char *name, bool kill_it, int64_t timeout_ms, struct ending *ending)
{
	struct timespec limit = from_now(timeout_ms);
	struct process *process;
	int error = 0;

	pthread_mutex_lock(&lock);
	process = find(name);
	if (process)
		end_locked(process, kill_it);
	else
		error = ESRCH;
	while (!error && find(name))
		error = pthread_cond_timedwait(&ended, &lock, &limit);
	ending->wait_status = last_status;
	pthread_mutex_unlock(&lock);
	return error;
}

void processes_reset(void)
{
	struct timespec limit = from_now(RESET_TIMEOUT_MS);

	pthread_mutex_lock(&lock);
	for (struct process *process = processes; process; process = process->next)
		end_locked(process, true);
	while (processes && pthread_cond_timedwait(&ended, &lock, &limit) == 0)
		;
	pthread_mutex_unlock(&lock);
}
