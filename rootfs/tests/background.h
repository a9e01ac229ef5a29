/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work beside the test: children, and threads that are expected to wait in a system call. */
#ifndef TESTS_BACKGROUND_H
#define TESTS_BACKGROUND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* A process that does this and passes. */
pid_t child_start(void (*work)(void *context), void *context);
/* Waits; it must have ended by itself, without a failure. */
void check_child_passed(pid_t child);
void kill_child(pid_t child);

struct background {
	void (*work)(void *context);
	void *context;
	pthread_t thread;
	atomic_int id; /* of the task, once it runs */
	atomic_bool done;
};

void background_start(struct background *background, void (*work)(void *context), void *context);
/* Returns when the thread sleeps in this system call; no clock is involved. */
void background_wait_until_in(struct background *background, long system_call);
/* Signals it until it has returned from what it waits in. */
void background_interrupt(struct background *background);
void background_join(struct background *background);
/* The same for a process. */
void wait_until_in(pid_t task, long system_call);

#endif
