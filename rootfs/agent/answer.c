// SPDX-License-Identifier: GPL-2.0-or-later
#include "answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"

json_t *answer_ok(json_t *result)
{
	if (!result)
		result = json_object();
	return json_pack("{s:b, s:o}", "ok", 1, "result", result);
}

const char *errno_name(int error)
{
	return strerrorname_np(error);
}

json_t *answer_errno(int error, const char *call)
{
	const char *name = errno_name(error);
	char number[16];

	if (!name) {
		snprintf(number, sizeof(number), "E%d", error);
		name = number;
	}
	return json_pack("{s:b, s:s, s:s, s:s}", "ok", 0, "errno", name, "call", call, "why",
			 strerrordesc_np(error) ?: "unknown error");
}

/* Parts of a bad request are quoted; cut in mid-character they would be no UTF-8. */
static void make_ascii(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

json_t *answer_protocol(const char *format, ...)
{
	char why[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	make_ascii(why);
	return json_pack("{s:b, s:s}", "ok", 0, "protocol", why);
}

json_t *json_hex(uint64_t value)
{
	return json_sprintf("0x%llx", (unsigned long long)value);
}

json_t *json_bytes(const void *bytes, size_t length)
{
	char *text = base64_encode(bytes, length);
	json_t *string = text ? json_string(text) : NULL;

	free(text);
	return string;
}
