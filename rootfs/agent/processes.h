/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes by name: each is one more agent, on the other end of a socket, with
 * buffers, devices and threads of its own.  Requests go to it as they are, and
 * its answers come back as if they were ours.  File descriptors travel beside
 * them (SCM_RIGHTS).
 */
#ifndef AGENT_PROCESSES_H
#define AGENT_PROCESSES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What a process ended with. */
struct ending {
	int wait_status;
};

/*
 * Sends a request, starting the process if need be.  The fd (-1: none) goes
 * with it and stays the caller's.  @adopt: NULL, or the name that the buffer
 * gets here which comes with the answer.  NULL, or why it can't be done.
 */
const char *processes_forward(const char *name, json_t *request, unsigned int connection, int fd,
			      const char *adopt);

/* Whether there is one of this name. */
bool processes_has(const char *name);

/*
 * Kills it, or has it exit with all that it holds, and waits.  0, ESRCH, or
 * ETIMEDOUT when it is still there after @timeout_ms.
 */
int processes_end(const char *name, bool kill_it, int64_t timeout_ms, struct ending *ending);

/* Kills all of them. */
void processes_reset(void);

#endif
