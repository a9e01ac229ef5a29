/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device nodes of the kernel's subsystems, found by what is behind them. */
#ifndef AGENT_NODES_H
#define AGENT_NODES_H

#include <jansson.h>
#include <stdbool.h>

/* Whether the open file is what somebody looks for. */
typedef bool node_match(int fd, const char *wanted);

/*
 * Opens the node in @directory whose name begins with @prefix, and which
 * belongs to the device with this label in the device tree (@label), or which
 * @match takes (@driver).  -1 and errno: ENODEV when there is none.
 */
int node_open(const char *directory, const char *prefix, const char *label, const char *driver,
	      node_match *match);

/* Adds the labels of platform devices that have a driver, but for our engines, which @names has. */
void node_add_bound(json_t *names);

#endif
