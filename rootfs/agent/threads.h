/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads by name.  Each has a queue of its own and does its requests in
 * order, so that a scenario can block one in the kernel and go on in another.
 */
#ifndef AGENT_THREADS_H
#define AGENT_THREADS_H

#include <jansson.h>
#include <stdint.h>

#include "protocol.h"

#define MAIN_THREAD "main"

/* Queues work (NULL: for the main thread). NULL, or why it can't be done. */
const char *threads_submit(const char *name, struct work *work);

/*
 * Waits until the threads in @names (NULL: all) but the caller's are idle.
 * The names of those that are not when the time is over, negative: for ever.
 */
json_t *threads_wait_idle(const json_t *names, int64_t timeout_ms);

/* Ends the idle threads but main and the caller's. */
void threads_end_idle(void);

/* What each is doing, and where in the kernel it is. */
json_t *threads_describe(void);

#endif
