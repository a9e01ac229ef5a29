// SPDX-License-Identifier: GPL-2.0-or-later
/* Children and threads. */
#include "background.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define LOOK_PAUSE_NS 1000000L

static void pause_a_little(void)
{
	const struct timespec pause = { .tv_nsec = LOOK_PAUSE_NS };

	nanosleep(&pause, NULL);
}

/* ---- processes ---- */

pid_t child_start(void (*work)(void *context), void *context)
{
	pid_t child = CHECK_OK(fork());

	if (child == 0) {
		work(context);
		_exit(TEST_PASSED);
	}
	return child;
}

void check_child_passed(pid_t child)
{
	int status;

	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), TEST_PASSED);
}

void kill_child(pid_t child)
{
	int status;

	CHECK_OK(kill(child, SIGKILL));
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status));
}

/* The file says "running", or the number of the call that the task sleeps in. */
static bool sleeps_in(pid_t task, long system_call)
{
	char path[64], text[32] = "";
	FILE *file;
	bool there;

	snprintf(path, sizeof(path), "/proc/%d/syscall", task);
	file = fopen(path, "r");
	if (!file)
		fail(__FILE__, __LINE__, "task %d is gone", task);
	there = fgets(text, sizeof(text), file) && strtol(text, NULL, 10) == system_call &&
		text[0] != 'r';
	fclose(file);
	return there;
}

void wait_until_in(pid_t task, long system_call)
{
	while (!sleeps_in(task, system_call))
		pause_a_little();
}

/* ---- threads ---- */

static void *background_main(void *argument)
{
	struct background *background = argument;

	atomic_store(&background->id, (int)syscall(SYS_gettid));
	background->work(background->context);
	atomic_store(&background->done, true);
	return NULL;
}

void background_start(struct background *background, void (*work)(void *context), void *context)
{
	*background = (struct background){ .work = work, .context = context };
	CHECK_EQ(pthread_create(&background->thread, NULL, background_main, background), 0);
	while (!atomic_load(&background->id))
		pause_a_little();
}

void background_wait_until_in(struct background *background, long system_call)
{
	wait_until_in(atomic_load(&background->id), system_call);
	CHECK(!atomic_load(&background->done));
}

static void ignore(int signal)
{
	(void)signal;
}

/* A signal that comes just before the call does nothing, hence the repetition. */
void background_interrupt(struct background *background)
{
	struct sigaction action = { .sa_handler = ignore };

	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	while (!atomic_load(&background->done)) {
		pthread_kill(background->thread, SIGUSR1);
		pause_a_little();
	}
}

void background_join(struct background *background)
{
	CHECK_EQ(pthread_join(background->thread, NULL), 0);
	CHECK(atomic_load(&background->done));
}
