/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests: which keys an operation takes, and how it gets at them.  A request
 * is checked as a whole before its operation runs, so that the getters below
 * can't fail.
 */
#ifndef AGENT_REQUEST_H
#define AGENT_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_MAX_LENGTH 64
#define MAX_KEYS 16

enum key_kind {
	KEY_NONE, /* ends a list of keys */
	KEY_NAME, /* 1...64 of letters, digits, "-_.,:@+", the first a letter or digit */
	KEY_TEXT, /* any string */
	KEY_TEXTS, /* array of strings */
	KEY_TEXT_MAP, /* object whose values are strings */
	KEY_BASE64,
	KEY_U64, /* "0x…" or an integer that is not negative */
	KEY_MS, /* milliseconds, negative: for ever */
	KEY_BOOL,
	KEY_WORD, /* one of @words */
	KEY_WORDS, /* array of them */
};

/* A word and the number that it stands for; the last has no name. */
struct word {
	const char *name;
	uint32_t value;
};

struct key {
	const char *name;
	enum key_kind kind;
	bool required;
	const struct word *words;
};

struct op {
	const char *name;
	json_t *(*run)(const json_t *request); /* returns an answer of answer.h */
	bool in_reader; /* answered even when the main thread hangs */
	struct key keys[MAX_KEYS];
};

/* NULL when @request suits @op, otherwise the answer that says why not. */
json_t *request_check(const json_t *request, const struct op *op);

/* NULL when the key is absent */
const char *request_text(const json_t *request, const char *key);
uint64_t request_u64(const json_t *request, const char *key, uint64_t otherwise);
int64_t request_ms(const json_t *request, const char *key, int64_t otherwise);
bool request_bool(const json_t *request, const char *key, bool otherwise);
uint32_t request_word(const json_t *request, const char *key, const struct word *words,
		      uint32_t otherwise);
/* the words' values, or'ed */
uint32_t request_words(const json_t *request, const char *key, const struct word *words);

/* The name of a value, NULL when it has none. */
const char *word_of(const struct word *words, uint32_t value);

#endif
