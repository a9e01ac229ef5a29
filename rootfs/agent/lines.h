/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cuts a stream of bytes into lines. */
#ifndef AGENT_LINES_H
#define AGENT_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_LIMIT (1 << 20) /* bytes, with the line feed */

struct lines {
	char pending[LINE_LIMIT];
	size_t length;
	bool too_long; /* the rest of the line is thrown away */
};

/* Called for each line, without its line feed; NULL for one that was too long. */
typedef void (*line_handler)(const char *line, size_t length);

void lines_feed(struct lines *lines, const char *bytes, size_t length, line_handler handle);

/* Forgets the beginning of a line whose end will never come. */
void lines_forget(struct lines *lines);

#endif
