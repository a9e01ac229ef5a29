/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests in, answers out: docs/specs/agent-protocol.md. */
#ifndef AGENT_PROTOCOL_H
#define AGENT_PROTOCOL_H

#include <jansson.h>
#include <stddef.h>

#include "request.h"

#define PROTOCOL_VERSION 1

/* A request that was accepted, and whom its answer is for. */
struct work {
	struct work *next;
	const struct op *op;
	json_t *request;
	unsigned int connection;
};

/* Takes a line of the reader's; NULL for one that was too long. */
void protocol_receive(const char *line, size_t length);

/* Sends an answer to the request with this id, and takes the reference to it. */
void protocol_answer(unsigned int connection, json_t *id, json_t *answer);

/* Runs the operation, sends the answer and frees the work. */
void protocol_run(struct work *work);

#endif
