/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page of a mapping whose storage the kernel could not provide raises
 * SIGBUS at the access.  That is an answer of the kernel's and must not be
 * the end of the agent.
 */
#ifndef AGENT_BUS_ERROR_H
#define AGENT_BUS_ERROR_H

#include <stdbool.h>

/* Once, before there are threads. */
void bus_error_init(void);

/* Calls @work; false when an access in it raised SIGBUS. */
bool bus_error_guard(void (*work)(void *context), void *context);

#endif
