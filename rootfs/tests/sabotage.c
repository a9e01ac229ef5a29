// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of broken behaviours. */
#include "sabotage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sabotage {
	const char *name;
	const char *row; /* whose behaviour it breaks; "-": the runner's */
	const char *effect;
};

static const struct sabotage sabotages[] = {
	{ "crash", "-", "each test ends by SIGSEGV" },
	{ "hang", "-", "no test ends; the timeout is a second" },
	{ "leak", "-", "a buffer stays behind while a test is accounted for" },
	{ "wrong-errno", "-", "each failing call is expected to fail otherwise" },
	{ "cloexec-lost", "C2", "buffers are made without close-on-exec" },
	{ "job-does-not-wait", "C7", "imported fences never reach the buffer" },
	{ "poll-never-waits", "C8", "poll says that all is ready" },
	{ "sync-takes-all", "C9", "invalid flags of SYNC are taken away first" },
	{ "fence-error-lost", "C10", "fence status never says an error" },
	{ "name-lost", "C11", "SET_NAME does nothing" },
	{ "bounds-lost", "C12", "mmap beyond the end is cut to the buffer" },
	{ "other-buffer-passed", "C14", "SCM_RIGHTS carries a copy" },
};

static const struct sabotage *active;

bool sabotage_choose(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(sabotages) / sizeof(sabotages[0]); i++)
		if (strcmp(sabotages[i].name, name) == 0)
			active = &sabotages[i];
	return active;
}

bool sabotaged(const char *name)
{
	return active && strcmp(active->name, name) == 0;
}

void sabotage_list(void)
{
	size_t i;

	for (i = 0; i < sizeof(sabotages) / sizeof(sabotages[0]); i++)
		printf("%-20s %-4s %s\n", sabotages[i].name, sabotages[i].row, sabotages[i].effect);
}
