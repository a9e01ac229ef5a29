// SPDX-License-Identifier: GPL-2.0-or-later
/* SplitMix64 (Steele et al., OOPSLA 2014), as little-endian words. */
#include "pattern.h"

#include <endian.h>
#include <string.h>

#define WORD sizeof(uint64_t)

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t word_at(uint64_t seed, uint64_t index)
{
	return htole64(mix(seed + (index + 1) * 0x9e3779b97f4a7c15u));
}

void pattern_fill(uint8_t *bytes, size_t length, uint64_t seed, uint64_t offset)
{
	uint64_t index = offset / WORD;

	while (length > 0) {
		uint64_t word = word_at(seed, index++);
		size_t part = length < WORD ? length : WORD;

		memcpy(bytes, &word, part);
		bytes += part;
		length -= part;
	}
}
