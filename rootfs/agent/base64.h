/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes in JSON: RFC 4648 base64, and lower-case hexadecimal for digests. */
#ifndef AGENT_BASE64_H
#define AGENT_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text of @bytes, to be freed; NULL when there is no memory. */
char *base64_encode(const void *bytes, size_t length);

/* The bytes of @text, to be freed; NULL when it is no base64. */
uint8_t *base64_decode(const char *text, size_t *length);

/* Writes 2 * @length digits and a NUL. */
void hex_encode(const uint8_t *bytes, size_t length, char *text);

#endif
