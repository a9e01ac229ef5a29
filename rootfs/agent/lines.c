// SPDX-License-Identifier: GPL-2.0-or-later
#include "lines.h"

#include <string.h>

static void append(struct lines *lines, const char *bytes, size_t length)
{
	if (lines->too_long || lines->length + length >= LINE_LIMIT) {
		lines->too_long = true;
		return;
	}
	memcpy(lines->pending + lines->length, bytes, length);
	lines->length += length;
}

static void finish(struct lines *lines, line_handler handle)
{
	if (lines->too_long)
		handle(NULL, 0);
	else
		handle(lines->pending, lines->length);
	lines_forget(lines);
}

void lines_feed(struct lines *lines, const char *bytes, size_t length, line_handler handle)
{
	while (length > 0) {
		const char *end = memchr(bytes, '\n', length);
		size_t part = end ? (size_t)(end - bytes) : length;

		append(lines, bytes, part);
		if (!end)
			return;
		finish(lines, handle);
		bytes += part + 1;
		length -= part + 1;
	}
}

void lines_forget(struct lines *lines)
{
	lines->length = 0;
	lines->too_long = false;
}
