/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DMA engines as importers. */
#ifndef TESTS_ENGINES_H
#define TESTS_ENGINES_H

#include <dmabed.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_LENGTH 32

/* The engine with the fewest limits: it takes any list of pages. Skips when there is none. */
int engine_open(void);
/* A second one of that kind, another device; skips when there is none. */
int engine_open_other(void);
/* The one that reaches least; skips when all reach the same. */
int engine_open_narrow(void);

/* Each as the ioctl says: -1 and errno; a number where there is one to tell. */
int engine_attach(int engine, int buffer, uint32_t flags);
int engine_detach(int engine, int attachment);
int engine_map(int engine, int attachment, uint32_t direction);
int engine_unmap(int engine, int attachment);
int engine_pin(int engine, int attachment);
int engine_submit(int engine, struct dmabed_submit *job);
int engine_wait(int engine, uint64_t job, int64_t timeout_ns, struct dmabed_wait *result);

/* Queue a job over a whole buffer; its number, or -1 and errno. */
int engine_start_fill(int engine, int attachment, uint64_t seed, size_t length);
int engine_start_digest(int engine, int attachment, size_t length);

/* Attach, run a job to its end, detach. */
void engine_fill(int engine, int buffer, uint64_t seed, size_t length);
void engine_digest(int engine, int buffer, size_t length, uint8_t *sha256);

/* What a fill writes, made by the CPU. */
void pattern(void *bytes, uint64_t seed, size_t length);
/* The engine sees in the buffer the pattern of this seed. */
void check_engine_sees(int engine, int buffer, uint64_t seed, size_t length);
/* The CPU sees it, within a bracket of SYNC. */
void check_cpu_sees(int buffer, uint64_t seed, size_t length);
/* The CPU writes it, within a bracket. */
void cpu_writes(int buffer, uint64_t seed, size_t length);

#endif
