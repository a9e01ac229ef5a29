// SPDX-License-Identifier: GPL-2.0-or-later
/* debugfs, fdinfo, sysfs. */
#include "looking.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters.h"
#include "test.h"

ino_t inode_of(int fd)
{
	struct stat status;

	CHECK_OK(fstat(fd, &status));
	return status.st_ino;
}

void read_text(const char *path, char *text, size_t room)
{
	FILE *file = fopen(path, "r");

	if (!file)
		fail(__FILE__, __LINE__, "%s cannot be opened: %s", path, strerrorname_np(errno));
	text[fread(text, 1, room - 1, file)] = '\0';
	fclose(file);
}

/* size flags mode count exporter inode name */
static bool parse_line(const char *line, ino_t inode, struct bufinfo *info)
{
	unsigned long found;

	info->name[0] = '\0';
	return sscanf(line, "%zu %x %*x %ld %63s %lu %63[^\n]", &info->size, &info->flags,
		      &info->count, info->exporter, &found, info->name) >= 5 &&
	       found == inode;
}

static void append(struct bufinfo *info, const char *line)
{
	size_t used = strlen(info->text);

	snprintf(info->text + used, sizeof(info->text) - used, "%s", line);
}

bool bufinfo_find(ino_t inode, struct bufinfo *info)
{
	FILE *file = fopen(BUFINFO, "r");
	bool found = false, ended = false;
	char line[256];

	if (!file)
		skip("the kernel has no " BUFINFO);
	memset(info, 0, sizeof(*info));
	while (!ended && fgets(line, sizeof(line), file)) {
		if (!found)
			found = parse_line(line, inode, info);
		if (found)
			append(info, line);
		ended = found && strncmp(line, "Total ", 6) == 0;
	}
	fclose(file);
	return found;
}

bool fdinfo_value(int fd, const char *key, char *value, size_t room)
{
	char path[64], text[TEXT_LENGTH], wanted[32];
	const char *at, *end;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	read_text(path, text, sizeof(text));
	snprintf(wanted, sizeof(wanted), "\n%s:\t", key);
	at = strstr(text, wanted);
	if (!at)
		return false;
	at += strlen(wanted);
	end = strchrnul(at, '\n');
	snprintf(value, room, "%.*s", (int)(end - at), at);
	return true;
}

long fdinfo_number(int fd, const char *key)
{
	char value[64];

	if (!fdinfo_value(fd, key, value, sizeof(value)))
		fail(__FILE__, __LINE__, "fdinfo has no %s", key);
	return strtol(value, NULL, 10);
}

static void need_statistics(void)
{
	if (access(BUFFER_STATISTICS, F_OK) != 0)
		skip("the kernel has no CONFIG_DMABUF_SYSFS_STATS");
}

bool has_statistics(ino_t inode)
{
	char path[128];

	need_statistics();
	snprintf(path, sizeof(path), BUFFER_STATISTICS "/%lu", (unsigned long)inode);
	return access(path, F_OK) == 0;
}

bool statistic(ino_t inode, const char *file, char *value, size_t room)
{
	char path[128];

	if (!has_statistics(inode))
		return false;
	snprintf(path, sizeof(path), BUFFER_STATISTICS "/%lu/%s", (unsigned long)inode, file);
	read_text(path, value, room);
	value[strcspn(value, "\n")] = '\0';
	return true;
}
