// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * accounting: how many of everything there are that a scenario can leave
 * behind.  What this kernel does not tell is null, which is not 0.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocations.h"
#include "answer.h"
#include "files.h"
#include "ops.h"

#define FDS "/proc/self/fd"
#define SYSFS_BUFFERS "/sys/kernel/dmabuf/buffers"
#define DEBUGFS_BUFFERS "/sys/kernel/debug/dma_buf/bufinfo"
#define LIVE_OBJECTS "/sys/kernel/debug/dmabed/live"
#define CMA_AREAS "/sys/kernel/mm/cma"
#define MODULES "/sys/module"
#define TEXT_SIZE (256 << 10)

static void set_count(json_t *counts, const char *name, long value)
{
	json_object_set_new(counts, name, value < 0 ? json_null() : json_integer(value));
}

/* -1 when there is no such directory */
static long count_entries(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	long count = 0;

	if (!directory)
		return -1;
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

/* Without the one that looks. */
static long count_fds(void)
{
	long count = count_entries(FDS);

	return count > 0 ? count - 1 : count;
}

/* The text of a file, to be freed, or NULL. */
static char *read_text(const char *path)
{
	char *text = malloc(TEXT_SIZE);

	if (text && file_read_text(path, text, TEXT_SIZE) < 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* The last line is "Total N objects, M bytes": __dma_buf_debug_show() of the kernel. */
static long count_debugfs_buffers(void)
{
	char *text = read_text(DEBUGFS_BUFFERS);
	const char *total = text ? strstr(text, "\nTotal ") : NULL;
	long count = -1;

	if (total)
		sscanf(total, "\nTotal %ld", &count);
	free(text);
	return count;
}

/* -1 when there is no such file */
static long read_number(const char *directory, const char *area, const char *file)
{
	char path[400], text[32];

	snprintf(path, sizeof(path), "%s/%s/%s", directory, area, file);
	return file_read_text(path, text, sizeof(text)) < 0 ? -1 : atol(text);
}

/* Pages that were taken out of all CMA areas and not given back. */
static long count_cma_pages(void)
{
	DIR *directory = opendir(CMA_AREAS);
	const struct dirent *entry;
	long taken = 0;

	if (!directory)
		return -1;
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		taken += read_number(CMA_AREAS, entry->d_name, "alloc_pages_success") -
			 read_number(CMA_AREAS, entry->d_name, "release_pages_success");
	}
	closedir(directory);
	return taken;
}

static void add_modules(json_t *counts)
{
	DIR *directory = opendir(MODULES);
	const struct dirent *entry;
	char name[300];

	while (directory && (entry = readdir(directory))) {
		if (strncmp(entry->d_name, "dmabed_", strlen("dmabed_")) != 0)
			continue;
		snprintf(name, sizeof(name), "references to %s", entry->d_name);
		set_count(counts, name, read_number(MODULES, entry->d_name, "refcnt"));
	}
	if (directory)
		closedir(directory);
}

/* Lines of "name value", what our modules count themselves. */
static void add_live_objects(json_t *counts)
{
	char *text = read_text(LIVE_OBJECTS), *rest = text, *line, name[80], key[96];
	long value;

	while (rest && (line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%79s %ld", name, &value) != 2)
			continue;
		snprintf(key, sizeof(key), "live %s", name);
		set_count(counts, key, value);
	}
	free(text);
}

static json_t *op_accounting(const json_t *request)
{
	json_t *counts = json_object();

	(void)request;
	settle_allocations();
	set_count(counts, "fds", count_fds());
	set_count(counts, "dma-bufs", count_debugfs_buffers());
	set_count(counts, "dma-buf statistics", count_entries(SYSFS_BUFFERS));
	set_count(counts, "pages of CMA", count_cma_pages());
	add_modules(counts);
	add_live_objects(counts);
	add_allocations(counts);
	return answer_ok(json_pack("{s:o}", "counts", counts));
}

const struct op accounting_ops[] = {
	{ "accounting", op_accounting, false, { { 0 } } },
	{ 0 },
};
