/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which generation of dma-buf a request is about, and who exports its buffers. */
#ifndef AGENT_GENERATION_H
#define AGENT_GENERATION_H

#include <jansson.h>
#include <stdint.h>

#include "request.h"

enum generation {
	GENERATION_CURRENT,
	GENERATION_POSTED,
	GENERATION_MERGED,
	GENERATION_POSTED_OFF, /* the posted one, left out of the kernel */
};

extern const struct word generations[];

#define GENERATION_KEY { "generation", KEY_WORD, false, generations }

enum generation generation_of(const json_t *request);

/* Its exporter, for device_get(): a name that no request can have. */
const char *exporter_name(const json_t *request);

/* The same as an errno, when device_get() said NULL. */
json_t *no_exporter(const json_t *request);

/* The bits of struct dmabed_attach that say it. */
uint32_t generation_attach_flags(const json_t *request);

/*
 * Another open file of the exporter, whose mmap() maps the buffer @fd: the way
 * to user space that is outside of the framework.  -1 and errno without one.
 */
int exporter_select(const json_t *request, int fd);

#endif
