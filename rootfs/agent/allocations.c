// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/allocinfo: after two lines of head, a line for each call site, "BYTES CALLS
 * FILE:LINE [MODULE] func:FUNCTION" (lib/alloc_tag.c); [MODULE] only for modules.
 */
#include "allocations.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALLOCATIONS "/proc/allocinfo"
#define SETTLE "/sys/kernel/debug/dmabed/settle"

/* Of a user's kernel tree the file may have the tree's path before it. */
static bool is_subject(const char *site)
{
	return strstr(site, " [dmabed_") || strstr(site, "drivers/dma-buf/") ||
	       strstr(site, "lib/scatterlist.c:");
}

static void add_site(json_t *counts, const char *site, long long calls)
{
	char where[200], function[120], name[360];
	const char *behind = strstr(site, " func:");

	if (!behind || sscanf(site, "%199s", where) != 1 || sscanf(behind, " func:%119s", function) != 1)
		return;
	snprintf(name, sizeof(name), "allocations at %s %s", where, function);
	json_object_set_new(counts, name, json_integer(calls));
}

void add_allocations(json_t *counts)
{
	FILE *file = fopen(ALLOCATIONS, "re");
	char *line = NULL;
	size_t room = 0;
	int at;
	long long calls;

	while (file && getline(&line, &room, file) > 0) {
		if (sscanf(line, "%*d %lld %n", &calls, &at) != 1 || calls == 0)
			continue;
		if (is_subject(line + at))
			add_site(counts, line + at, calls);
	}
	free(line);
	if (file)
		fclose(file);
}

void settle_allocations(void)
{
	int fd = open(SETTLE, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return; /* without our core there is nothing of ours either */
	if (write(fd, "1", 1) < 0)
		perror(SETTLE);
	close(fd);
}
