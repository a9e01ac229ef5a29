/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an operation comes to.  The three kinds never mix: a result, the
 * kernel's refusal, or a request that the agent itself can't take.
 */
#ifndef AGENT_ANSWER_H
#define AGENT_ANSWER_H

#include <jansson.h>
#include <stdint.h>

/* Takes the reference to @result; NULL stands for an empty one. */
json_t *answer_ok(json_t *result);

/* @error is a positive errno that @call returned. */
json_t *answer_errno(int error, const char *call);

json_t *answer_protocol(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What an operation returns whose answer comes from somebody else. */
#define ANSWERED_ELSEWHERE ((json_t *)-1)

/* "0x…": for numbers that may pass 2^53, which JSON readers round */
json_t *json_hex(uint64_t value);

/* The bytes as base64. */
json_t *json_bytes(const void *bytes, size_t length);

/* "EINVAL" for EINVAL, NULL for what is no errno. */
const char *errno_name(int error);

#endif
