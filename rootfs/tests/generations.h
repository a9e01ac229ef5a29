/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The older generations of dma-buf: their exporters, and engines that use them. */
#ifndef TESTS_GENERATIONS_H
#define TESTS_GENERATIONS_H

#include <dmabed_generations.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSTED_DEVICE "/dev/dmabed-posted"
#define POSTED_OFF_DEVICE "/dev/dmabed-posted-off"
#define MERGED_DEVICE "/dev/dmabed-merged"

struct generation {
	const char *device;
	const char *module;
	uint32_t attach; /* DMABED_ATTACH_* */
};

extern const struct generation posted, merged;

/* The exporter's device; skips when it is not there. */
int old_open(const char *device);
/* Storage as the devices ask for it, or as here; a new fd, or -1 and errno. */
int old_export(const struct generation *generation, size_t length, uint32_t flags);
int old_export_as(const struct generation *generation, const struct dmabed_export *like);
/* The same, of pages that begin high and may move; for tests that need one. */
int old_high_buffer(const struct generation *generation, size_t length);
int old_buffer(const struct generation *generation, size_t length);
/* What a function of the framework returns; the request itself has to be taken. */
long long old_call(const char *device, uint32_t function, int fd);
void old_info(const struct generation *generation, int buffer, struct dmabed_buffer_info *info);
uint64_t old_releases(const struct generation *generation);

/* ---- engines ---- */
int old_attach(const struct generation *generation, int engine, int buffer);
/* -1 and errno; the count of segments, which have to be the whole buffer. */
int old_map(int engine, int attachment, uint32_t direction, size_t length);
int engine_sync(int engine, int attachment, uint32_t target);
/* A job from its beginning to its end, on what is attached. */
void old_fill(int engine, int attachment, uint64_t seed, size_t length);
void check_old_sees(int engine, int attachment, uint64_t seed, size_t length);

/* ---- the modules ---- */
void set_parameter(const char *module, const char *name, const char *value);
/* The kernel stack of a task has this function in it. */
bool stack_has(int task, const char *function);

#endif
