// SPDX-License-Identifier: GPL-2.0-or-later
/* What a buffer holds, as an engine and as the CPU see it. */
#include <dmabed/engine_regs.h>
#include <endian.h>
#include <linux/dma-buf.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "calls.h"
#include "engines.h"
#include "test.h"

#define FOR_EVER (-1)

/* ---- the pattern: SplitMix64 (Steele et al., OOPSLA 2014), docs/specs/dmabed-engine.md ---- */

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void pattern(void *bytes, uint64_t seed, size_t length)
{
	uint64_t *words = bytes;
	size_t i;

	for (i = 0; i < length / sizeof(*words); i++)
		words[i] = htole64(mix(seed + (i + 1) * 0x9e3779b97f4a7c15u));
}

/* ---- engine ---- */

static void finish(int engine, int attachment, int job, struct dmabed_wait *result)
{
	CHECK_OK(job);
	CHECK_OK(engine_wait(engine, job, FOR_EVER, result));
	CHECK_EQ(result->error, 0);
	CHECK_EQ(result->status, DMABED_COMP_OK);
	CHECK_OK(engine_detach(engine, attachment));
}

void engine_fill(int engine, int buffer, uint64_t seed, size_t length)
{
	int attachment = CHECK_OK(engine_attach(engine, buffer, 0));
	struct dmabed_wait result;

	finish(engine, attachment, engine_start_fill(engine, attachment, seed, length), &result);
}

void engine_digest(int engine, int buffer, size_t length, uint8_t *sha256)
{
	int attachment = CHECK_OK(engine_attach(engine, buffer, 0));
	struct dmabed_wait result;

	finish(engine, attachment, engine_start_digest(engine, attachment, length), &result);
	memcpy(sha256, result.sha256, SHA256_LENGTH);
}

static void pattern_digest(uint64_t seed, size_t length, uint8_t *sha256)
{
	void *bytes = malloc(length);
	SHA2_CTX context;

	CHECK(bytes);
	pattern(bytes, seed, length);
	SHA256Init(&context);
	SHA256Update(&context, bytes, length);
	SHA256Final(sha256, &context);
	free(bytes);
}

void check_engine_sees(int engine, int buffer, uint64_t seed, size_t length)
{
	uint8_t seen[SHA256_LENGTH], wanted[SHA256_LENGTH];

	engine_digest(engine, buffer, length, seen);
	pattern_digest(seed, length, wanted);
	CHECK(memcmp(seen, wanted, SHA256_LENGTH) == 0);
}

/* ---- CPU ---- */

static void *map_all(int buffer, size_t length, int protection)
{
	void *bytes = mmap(NULL, length, protection, MAP_SHARED, buffer, 0);

	CHECK(bytes != MAP_FAILED);
	return bytes;
}

void check_cpu_sees(int buffer, uint64_t seed, size_t length)
{
	void *bytes = map_all(buffer, length, PROT_READ);
	void *wanted = malloc(length);

	CHECK(wanted);
	pattern(wanted, seed, length);
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	CHECK(memcmp(bytes, wanted, length) == 0);
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	free(wanted);
	munmap(bytes, length);
}

void cpu_writes(int buffer, uint64_t seed, size_t length)
{
	void *bytes = map_all(buffer, length, PROT_READ | PROT_WRITE);

	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	pattern(bytes, seed, length);
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
	munmap(bytes, length);
}
