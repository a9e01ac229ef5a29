// SPDX-License-Identifier: GPL-2.0-or-later
#include "base64.h"

#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(const uint8_t *in, size_t count, char *out)
{
	uint32_t bits = (uint32_t)in[0] << 16;

	if (count > 1)
		bits |= (uint32_t)in[1] << 8;
	if (count > 2)
		bits |= in[2];
	out[0] = digits[bits >> 18];
	out[1] = digits[bits >> 12 & 63];
	out[2] = count > 1 ? digits[bits >> 6 & 63] : '=';
	out[3] = count > 2 ? digits[bits & 63] : '=';
}

char *base64_encode(const void *bytes, size_t length)
{
	const uint8_t *in = bytes;
	char *text = malloc((length + 2) / 3 * 4 + 1);
	char *out = text;

	if (!text)
		return NULL;
	for (size_t done = 0; done < length; done += 3, out += 4)
		encode_group(in + done, length - done, out);
	*out = '\0';
	return text;
}

/* 0...63, or -1 */
static int digit_value(char c)
{
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* The bytes of one group of four, 0 when it is none. */
static size_t decode_group(const char *in, bool last, uint8_t *out)
{
	size_t padding = last ? (in[3] == '=') + (in[3] == '=' && in[2] == '=') : 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < 4 - padding ? digit_value(in[i]) : 0;

		if (value < 0)
			return 0;
		bits = bits << 6 | (uint32_t)value;
	}
	for (size_t i = 0; i < 3 - padding; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return 3 - padding;
}

uint8_t *base64_decode(const char *text, size_t *length)
{
	size_t size = strlen(text);
	uint8_t *bytes = size % 4 ? NULL : malloc(size / 4 * 3 + 1);

	*length = 0;
	if (!bytes)
		return NULL;
	for (size_t at = 0; at < size; at += 4) {
		size_t got = decode_group(text + at, at + 4 == size, bytes + *length);

		if (got == 0) {
			free(bytes);
			return NULL;
		}
		*length += got;
	}
	return bytes;
}

void hex_encode(const uint8_t *bytes, size_t length, char *text)
{
	static const char hex_digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		*text++ = hex_digits[bytes[i] >> 4];
		*text++ = hex_digits[bytes[i] & 15];
	}
	*text = '\0';
}
