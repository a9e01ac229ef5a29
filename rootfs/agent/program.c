// SPDX-License-Identifier: GPL-2.0-or-later
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NR_PIPES 3 /* standard input, output, error */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- start ---- */

static int open_pipes(int pipes[NR_PIPES][2])
{
	memset(pipes, -1, NR_PIPES * sizeof(pipes[0]));
	for (int i = 0; i < NR_PIPES; i++)
		if (pipe2(pipes[i], O_CLOEXEC) != 0)
			return errno;
	return 0;
}

static void close_pipes(int pipes[NR_PIPES][2])
{
	for (int i = 0; i < NR_PIPES; i++) {
		close_fd(&pipes[i][0]);
		close_fd(&pipes[i][1]);
	}
}

/* Our ends, none of which may ever make us wait. */
static void take_ends(struct program *program, int pipes[NR_PIPES][2])
{
	program->input_fd = pipes[0][1];
	program->outputs[0].fd = pipes[1][0];
	program->outputs[1].fd = pipes[2][0];
	pipes[0][1] = pipes[1][0] = pipes[2][0] = -1;
	fcntl(program->input_fd, F_SETFL, O_NONBLOCK);
	fcntl(program->outputs[0].fd, F_SETFL, O_NONBLOCK);
	fcntl(program->outputs[1].fd, F_SETFL, O_NONBLOCK);
}

/* A process group of its own, to be killed whole; signals as if fresh. */
static void set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, pipe_signal;

	sigemptyset(&none);
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &pipe_signal);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						     POSIX_SPAWN_SETSIGDEF);
}

static void set_actions(posix_spawn_file_actions_t *actions, const struct program *program,
			int pipes[NR_PIPES][2])
{
	posix_spawn_file_actions_init(actions);
	posix_spawn_file_actions_adddup2(actions, pipes[0][0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(actions, pipes[1][1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(actions, pipes[2][1], STDERR_FILENO);
	if (program->directory)
		posix_spawn_file_actions_addchdir_np(actions, program->directory);
}

static int spawn(struct program *program, int pipes[NR_PIPES][2])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	set_actions(&actions, program, pipes);
	set_attributes(&attributes);
	error = posix_spawnp(&program->pid, program->argv[0], &actions, &attributes, program->argv,
			     program->environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* The agent is out of the OOM killer's reach; what it starts is not. */
static void allow_oom_kill(pid_t pid)
{
	char path[48];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "0", 1) != 1)
		perror("dmabed-agent: oom_score_adj");
	close(fd);
}

static int start(struct program *program)
{
	int pipes[NR_PIPES][2];
	int error = open_pipes(pipes);

	program->pid_fd = -1;
	program->input_fd = -1;
	program->outputs[0].fd = -1;
	program->outputs[1].fd = -1;
	if (!error)
		error = spawn(program, pipes);
	if (!error) {
		take_ends(program, pipes);
		program->pid_fd = (int)syscall(SYS_pidfd_open, program->pid, 0);
		allow_oom_kill(program->pid);
	}
	close_pipes(pipes);
	return error;
}

/* ---- feed and listen ---- */

static void feed(struct program *program)
{
	ssize_t put = 0;

	if (program->input_length > 0)
		put = write(program->input_fd, program->input, program->input_length);
	if (put > 0) {
		program->input += put;
		program->input_length -= (size_t)put;
	}
	if (program->input_length == 0 || (put < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&program->input_fd);
}

static void keep(struct output *output, const uint8_t *bytes, size_t length)
{
	size_t room = OUTPUT_LIMIT - output->length;

	if (length > room) {
		output->truncated = true;
		length = room;
	}
	memcpy(output->bytes + output->length, bytes, length);
	output->length += length;
}

/* Takes what there is now. */
static void drain(struct output *output)
{
	uint8_t bytes[16384];
	ssize_t got;

	if (output->fd < 0)
		return;
	got = read(output->fd, bytes, sizeof(bytes));
	if (got > 0)
		keep(output, bytes, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		close_fd(&output->fd);
}

/* Milliseconds for poll(): -1 for ever, 0 when the time is over. */
static int left_ms(const struct program *program, int64_t end)
{
	int64_t left = end - now_ms();

	if (program->timeout_ms < 0)
		return -1;
	return left > 0 ? (int)left : 0;
}

/* Kills every process of the program's group; the first of them is reaped later. */
static void kill_all(struct program *program)
{
	program->timed_out = true;
	kill(-program->pid, SIGKILL);
}

/* Serves the program until it ends. */
static void serve(struct program *program)
{
	int64_t end = now_ms() + program->timeout_ms;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = program->pid_fd, .events = POLLIN },
			{ .fd = program->outputs[0].fd, .events = POLLIN },
			{ .fd = program->outputs[1].fd, .events = POLLIN },
			{ .fd = program->input_fd, .events = POLLOUT },
		};
		int ready = poll(fds, 4, left_ms(program, end));

		if (ready == 0) {
			kill_all(program);
			return;
		}
		if (fds[1].revents)
			drain(&program->outputs[0]);
		if (fds[2].revents)
			drain(&program->outputs[1]);
		if (fds[3].revents)
			feed(program);
		if (fds[0].revents)
			return;
	}
}

/*
 * What is left in the pipes.  A child that the program left behind may hold
 * them open: no waiting for their end, and no more than a pipe can hold.
 */
static void drain_rest(struct output *output)
{
	size_t before;

	do {
		before = output->length;
		drain(output);
	} while (output->fd >= 0 && output->length > before);
}

int program_run(struct program *program)
{
	int error;

	for (int i = 0; i < 2; i++)
		program->outputs[i].bytes = malloc(OUTPUT_LIMIT);
	if (!program->outputs[0].bytes || !program->outputs[1].bytes)
		return ENOMEM;
	error = start(program);
	if (error)
		return error;
	serve(program);
	while (waitpid(program->pid, &program->wait_status, 0) < 0 && errno == EINTR)
		;
	drain_rest(&program->outputs[0]);
	drain_rest(&program->outputs[1]);
	close_fd(&program->pid_fd);
	close_fd(&program->input_fd);
	close_fd(&program->outputs[0].fd);
	close_fd(&program->outputs[1].fd);
	return 0;
}

void program_free(struct program *program)
{
	for (int i = 0; i < 2; i++)
		free(program->outputs[i].bytes);
}
