// SPDX-License-Identifier: GPL-2.0-or-later
#include "request.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base64.h"

#define MS_LIMIT 1000000000 /* eleven days: far from overflow in nanoseconds */

static const struct key common_keys[] = {
	{ "id", KEY_NONE, true, NULL }, /* protocol.c has looked at it */
	{ "op", KEY_TEXT, true, NULL },
	{ "thread", KEY_NAME, false, NULL },
	{ "process", KEY_NAME, false, NULL },
};

#define NR_COMMON_KEYS (sizeof(common_keys) / sizeof(common_keys[0]))

static bool is_name(const char *text)
{
	size_t length = strlen(text);

	if (length > NAME_MAX_LENGTH || !isalnum((unsigned char)text[0]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-_.,:@+", text[i]))
			return false;
	return true;
}

static bool parse_hex(const char *text, uint64_t *value)
{
	char *end;

	if (strncmp(text, "0x", 2) != 0 || !isxdigit((unsigned char)text[2]))
		return false;
	errno = 0;
	*value = strtoull(text + 2, &end, 16);
	return errno == 0 && *end == '\0';
}

static bool parse_u64(const json_t *value, uint64_t *number)
{
	if (json_is_string(value))
		return parse_hex(json_string_value(value), number);
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*number = (uint64_t)json_integer_value(value);
	return true;
}

static bool is_ms(const json_t *value)
{
	json_int_t ms = json_integer_value(value);

	return json_is_integer(value) && ms >= -MS_LIMIT && ms <= MS_LIMIT;
}

static bool is_base64(const json_t *value)
{
	uint8_t *bytes;
	size_t length;

	if (!json_is_string(value))
		return false;
	bytes = base64_decode(json_string_value(value), &length);
	free(bytes);
	return bytes != NULL;
}

static const struct word *find_word(const struct word *words, const char *name)
{
	for (; name && words->name; words++)
		if (strcmp(words->name, name) == 0)
			return words;
	return NULL;
}

static bool all_texts(const json_t *array, const struct word *words)
{
	size_t i;
	json_t *value;

	if (!json_is_array(array))
		return false;
	json_array_foreach(array, i, value) {
		if (!json_is_string(value))
			return false;
		if (words && !find_word(words, json_string_value(value)))
			return false;
	}
	return true;
}

static bool is_text_map(const json_t *map)
{
	const char *name;
	json_t *value;

	if (!json_is_object(map))
		return false;
	json_object_foreach((json_t *)map, name, value)
		if (!json_is_string(value))
			return false;
	return true;
}

/* NULL when the value suits the key, otherwise what it should be. */
static const char *expected(const struct key *key, const json_t *value)
{
	uint64_t number;

	switch (key->kind) {
	case KEY_NONE:
		return NULL;
	case KEY_NAME:
		return json_is_string(value) && is_name(json_string_value(value)) ?
			       NULL : "a name: at most 64 letters, digits and -_.,:@+";
	case KEY_TEXT:
		return json_is_string(value) ? NULL : "a string";
	case KEY_TEXTS:
		return all_texts(value, NULL) ? NULL : "a list of strings";
	case KEY_TEXT_MAP:
		return is_text_map(value) ? NULL : "an object of strings";
	case KEY_BASE64:
		return is_base64(value) ? NULL : "base64";
	case KEY_U64:
		return parse_u64(value, &number) ?
			       NULL : "\"0x...\" or an integer that is not negative";
	case KEY_MS:
		return is_ms(value) ? NULL : "milliseconds, at most 1000000000";
	case KEY_BOOL:
		return json_is_boolean(value) ? NULL : "true or false";
	case KEY_WORD:
		return find_word(key->words, json_string_value(value)) ?
			       NULL : "one of the protocol's words";
	case KEY_WORDS:
		return all_texts(value, key->words) ? NULL : "a list of the protocol's words";
	}
	return "something else";
}

static const struct key *find_key(const struct op *op, const char *name)
{
	for (size_t i = 0; i < NR_COMMON_KEYS; i++)
		if (strcmp(common_keys[i].name, name) == 0)
			return &common_keys[i];
	for (size_t i = 0; i < MAX_KEYS && op->keys[i].name; i++)
		if (strcmp(op->keys[i].name, name) == 0)
			return &op->keys[i];
	return NULL;
}

static json_t *check_present(const json_t *request, const struct op *op)
{
	for (size_t i = 0; i < MAX_KEYS && op->keys[i].name; i++)
		if (op->keys[i].required && !json_object_get(request, op->keys[i].name))
			return answer_protocol("%s: needs '%s'", op->name, op->keys[i].name);
	return NULL;
}

json_t *request_check(const json_t *request, const struct op *op)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)request, name, value) {
		const struct key *key = find_key(op, name);
		const char *problem;

		if (!key)
			return answer_protocol("%s: unknown key '%.64s'", op->name, name);
		problem = expected(key, value);
		if (problem)
			return answer_protocol("%s: '%s' must be %s", op->name, name, problem);
	}
	return check_present(request, op);
}

const char *request_text(const json_t *request, const char *key)
{
	return json_string_value(json_object_get(request, key));
}

uint64_t request_u64(const json_t *request, const char *key, uint64_t otherwise)
{
	uint64_t number;

	return parse_u64(json_object_get(request, key), &number) ? number : otherwise;
}

int64_t request_ms(const json_t *request, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(request, key);

	return value ? json_integer_value(value) : otherwise;
}

bool request_bool(const json_t *request, const char *key, bool otherwise)
{
	const json_t *value = json_object_get(request, key);

	return value ? json_is_true(value) : otherwise;
}

uint32_t request_word(const json_t *request, const char *key, const struct word *words,
		      uint32_t otherwise)
{
	const struct word *word = find_word(words, request_text(request, key));

	return word ? word->value : otherwise;
}

uint32_t request_words(const json_t *request, const char *key, const struct word *words)
{
	uint32_t values = 0;
	size_t i;
	json_t *name;

	json_array_foreach(json_object_get(request, key), i, name)
		values |= find_word(words, json_string_value(name))->value;
	return values;
}

const char *word_of(const struct word *words, uint32_t value)
{
	for (; words->name; words++)
		if (words->value == value)
			return words->name;
	return NULL;
}
