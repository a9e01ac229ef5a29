/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Foreign programs: start one, feed it, keep what it says, end it in time. */
#ifndef AGENT_PROGRAM_H
#define AGENT_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OUTPUT_LIMIT (256 << 10)

/* The first OUTPUT_LIMIT bytes; what follows is read and thrown away. */
struct output {
	int fd;
	uint8_t *bytes;
	size_t length;
	bool truncated;
};

struct program {
	char **argv;
	char **environment;
	const char *directory; /* NULL: ours */
	const uint8_t *input;
	size_t input_length;
	int64_t timeout_ms; /* negative: none */

	pid_t pid;
	int pid_fd;
	int input_fd;
	struct output outputs[2]; /* standard output and standard error */
	int wait_status;
	bool timed_out;
};

/* 0 or an errno; program_free() is due in either case. */
int program_run(struct program *program);

void program_free(struct program *program);

#endif
