// SPDX-License-Identifier: GPL-2.0-or-later
#include "nodes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PLATFORM "/sys/bus/platform/devices"
#define LABEL_SIZE 64

/* The label in the device tree's node of a device; false when it has none. */
static bool read_label(const char *device, char *label)
{
	char path[PATH_MAX];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/of_node/label", device);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, label, LABEL_SIZE - 1);
	close(fd);
	label[got > 0 ? got : 0] = '\0';
	return got > 0;
}

static bool has_label(int fd, const char *wanted)
{
	char device[64], label[LABEL_SIZE];
	struct stat node;

	if (fstat(fd, &node) != 0)
		return false;
	snprintf(device, sizeof(device), "/sys/dev/char/%u:%u/device", major(node.st_rdev),
		 minor(node.st_rdev));
	return read_label(device, label) && strcmp(label, wanted) == 0;
}

int node_open(const char *directory, const char *prefix, const char *label, const char *driver,
	      node_match *match)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, alphasort), found = -1;

	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		int fd;

		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		if (found < 0 && strncmp(entries[i]->d_name, prefix, strlen(prefix)) == 0) {
			fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
			if (fd >= 0 && (label ? has_label(fd, label) : match(fd, driver)))
				found = fd;
			else if (fd >= 0)
				close(fd);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	if (found < 0)
		errno = ENODEV;
	return found;
}

static bool contains(const json_t *names, const char *name)
{
	size_t index;
	json_t *value;

	json_array_foreach(names, index, value)
		if (strcmp(json_string_value(value), name) == 0)
			return true;
	return false;
}

void node_add_bound(json_t *names)
{
	struct dirent **entries;
	int count = scandir(PLATFORM, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char device[PATH_MAX / 2], driver[PATH_MAX], label[LABEL_SIZE];

		snprintf(device, sizeof(device), PLATFORM "/%s", entries[i]->d_name);
		snprintf(driver, sizeof(driver), "%s/driver", device);
		if (read_label(device, label) && access(driver, F_OK) == 0 &&
		    !contains(names, label))
			json_array_append_new(names, json_string(label));
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}
