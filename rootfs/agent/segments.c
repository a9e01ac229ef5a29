// SPDX-License-Identifier: GPL-2.0-or-later
#include "segments.h"

#include <errno.h>
#include <stdlib.h>

#include "answer.h"

#define FIRST_ROOM 256
#define MOST_ROOM (1u << 20) /* a list of 4 GiB in pages */

static int make_room(struct segments *segments, uint32_t room)
{
	struct dmabed_segment *at;

	if (room > MOST_ROOM)
		return ENOSPC;
	at = realloc(segments->at, room * sizeof(*at));
	if (!at)
		return ENOMEM;
	segments->at = at;
	segments->room = room;
	return 0;
}

int segments_ask(struct segments *segments, int (*ask)(struct segments *segments, void *context),
		 void *context)
{
	uint32_t room = FIRST_ROOM;
	int error;

	*segments = (struct segments){ 0 };
	for (;;) {
		error = make_room(segments, room);
		if (error)
			return error;
		error = ask(segments, context);
		if (error != ENOSPC)
			return error;
		/* the list may grow between two calls: always go up */
		room = segments->count > room ? segments->count : room * 2;
	}
}

json_t *segments_json(const struct segments *segments)
{
	json_t *list = json_array();
	uint32_t count = segments->count < segments->room ? segments->count : segments->room;

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("[o, o]", json_hex(segments->at[i].address),
						      json_hex(segments->at[i].length)));
	return list;
}

void segments_free(struct segments *segments)
{
	free(segments->at);
}
