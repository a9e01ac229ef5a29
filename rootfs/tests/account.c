// SPDX-License-Identifier: GPL-2.0-or-later
/* Counts of debugfs and sysfs. */
#include "account.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exporters.h"
#include "sabotage.h"
#include "test.h"

/* The last reference may go in a work item; nothing takes longer than this. */
#define SETTLE_TRIES 500
#define SETTLE_PAUSE_NS 10000000L

/* "Total 3 objects, 12288 bytes" is the last line. */
static void count_buffers(struct account *account)
{
	FILE *file = fopen(BUFINFO, "r");
	char line[256];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		sscanf(line, "Total %ld objects, %ld bytes", &account->buffers, &account->bytes);
	fclose(file);
}

static long count_entries(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	long count = 0;

	if (!directory)
		return 0;
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

/* The objects stand before the line "fences:", and begin with "NAME: VALUE". */
static long count_timelines(void)
{
	FILE *file = fopen(SYNC_INFO, "r");
	char line[256];
	long count = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && strncmp(line, "fences:", 7) != 0)
		count += line[0] != ' ' && strchr(line, ':') && strncmp(line, "objs:", 5) != 0;
	fclose(file);
	return count;
}

void account_take(struct account *account)
{
	memset(account, 0, sizeof(*account));
	count_buffers(account);
	account->statistics = count_entries(BUFFER_STATISTICS);
	account->timelines = count_timelines();
}

static bool settles(const struct account *before, struct account *now)
{
	const struct timespec pause = { .tv_nsec = SETTLE_PAUSE_NS };
	int tries;

	for (tries = 0; tries < SETTLE_TRIES; tries++) {
		account_take(now);
		if (memcmp(before, now, sizeof(*now)) == 0)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

bool account_returns_to(const struct account *before)
{
	int leaked = sabotaged("leak") ? exporter_make(exporter_first(), 4096, 0) : -1;
	struct account now;
	bool good = settles(before, &now);

	if (!good)
		say("left behind: %ld buffers (%ld bytes), %ld statistics, %ld timelines",
		    now.buffers - before->buffers, now.bytes - before->bytes,
		    now.statistics - before->statistics, now.timelines - before->timelines);
	if (leaked >= 0)
		close(leaked);
	return good;
}
