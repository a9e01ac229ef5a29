/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of segments, which the kernel fills in and whose length only it knows. */
#ifndef AGENT_SEGMENTS_H
#define AGENT_SEGMENTS_H

#include <dmabed.h>
#include <jansson.h>
#include <stdint.h>

struct segments {
	struct dmabed_segment *at;
	uint32_t room;
	uint32_t count;
};

/*
 * Calls @ask with more and more room until it says something other than
 * ENOSPC.  0 or an errno; segments_free() is due in either case.
 */
int segments_ask(struct segments *segments, int (*ask)(struct segments *segments, void *context),
		 void *context);

/* [["0x<address>", "0x<length>"], …] */
json_t *segments_json(const struct segments *segments);

void segments_free(struct segments *segments);

#endif
