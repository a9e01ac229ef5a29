// SPDX-License-Identifier: GPL-2.0-or-later
/* Counts of debugfs and sysfs. */
#include "account.h"

#include <dirent.h>
#include <dmabed.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "exporters.h"
#include "generations.h"
#include "sabotage.h"
#include "test.h"

/* The last reference may go in a work item; nothing takes longer than this. */
#define SETTLE_TRIES 500
#define SETTLE_PAUSE_NS 10000000L

#define CALLS_REFERENCES "/sys/module/dmabed_calls/refcnt"

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

static void count_own_of(struct account *account, const char *device)
{
	struct dmabed_stats stats = { .size = sizeof(stats) };
	int exporter = open(device, O_RDWR | O_CLOEXEC);

	if (exporter < 0)
		return;
	if (ioctl(exporter, DMABED_IOC_STATS, &stats) == 0) {
		account->own_buffers += stats.buffers;
		account->attachments += stats.attachments;
		account->mappings += stats.mappings;
		/* of all of them */
		account->pages = stats.pages;
		account->jobs = stats.jobs;
	}
	close(exporter);
}

static void count_own(struct account *account)
{
	count_own_of(account, EXPORTER_DEVICE);
	count_own_of(account, POSTED_DEVICE);
	count_own_of(account, MERGED_DEVICE);
}

static long count_references(void)
{
	FILE *file = fopen(CALLS_REFERENCES, "r");
	long count = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld", &count) != 1)
		count = 0;
	fclose(file);
	return count;
}

void account_take(struct account *account)
{
	memset(account, 0, sizeof(*account));
	count_buffers(account);
	account->statistics = count_entries(BUFFER_STATISTICS);
	account->timelines = count_timelines();
	count_own(account);
	account->references = count_references();
}

/* What there is more, and less where something was given back once too often. */
static void say_difference(const struct account *before, const struct account *now)
{
	say("left behind: %ld buffers (%ld bytes), %ld statistics, %ld timelines",
	    now->buffers - before->buffers, now->bytes - before->bytes,
	    now->statistics - before->statistics, now->timelines - before->timelines);
	say("left behind in our modules: %lld buffers, %lld attachments, %lld mappings, "
	    "%lld pages, %lld jobs, %ld references to dmabed_calls",
	    now->own_buffers - before->own_buffers, now->attachments - before->attachments,
	    now->mappings - before->mappings, now->pages - before->pages,
	    now->jobs - before->jobs, now->references - before->references);
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
		say_difference(before, &now);
	if (leaked >= 0)
		close(leaked);
	return good;
}
