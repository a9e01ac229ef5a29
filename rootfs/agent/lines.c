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

static void finish(struct lines *lines, char mark, const struct line_handlers *handlers)
{
	if (mark == CANCEL)
		handlers->cancel();
	else if (lines->too_long)
		handlers->line(NULL, 0);
	else
		handlers->line(lines->pending, lines->length);
	lines_forget(lines);
}

/* How many bytes there are before the next mark. */
static size_t part_length(const char *bytes, size_t length)
{
	size_t part = 0;

	while (part < length && bytes[part] != '\n' && bytes[part] != CANCEL)
		part++;
	return part;
}

void lines_feed(struct lines *lines, const char *bytes, size_t length,
		const struct line_handlers *handlers)
{
	while (length > 0) {
		size_t part = part_length(bytes, length);

		append(lines, bytes, part);
		if (part == length)
			return;
		finish(lines, bytes[part], handlers);
		bytes += part + 1;
		length -= part + 1;
	}
}

void lines_forget(struct lines *lines)
{
	lines->length = 0;
	lines->too_long = false;
}
