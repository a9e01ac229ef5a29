/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cuts a stream of bytes into lines. */
#ifndef AGENT_LINES_H
#define AGENT_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_LIMIT (1 << 20) /* bytes, with the line feed */
#define CANCEL '\x18' /* ASCII CAN: what came before it is void. Never part of JSON text */

struct lines {
	char pending[LINE_LIMIT];
	size_t length;
	bool too_long; /* the rest of the line is thrown away */
};

struct line_handlers {
	/* a line, without its line feed; NULL for one that was too long */
	void (*line)(const char *line, size_t length);
	/* a CANCEL; the beginning of a line before it is forgotten */
	void (*cancel)(void);
};

void lines_feed(struct lines *lines, const char *bytes, size_t length,
		const struct line_handlers *handlers);

/* Forgets the beginning of a line whose end will never come. */
void lines_forget(struct lines *lines);

#endif
