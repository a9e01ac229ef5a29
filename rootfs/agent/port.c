// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds a virtio-serial port by its name.  There is no udev in the guest that
 * would make links in /dev/virtio-ports.
 */
#include "port.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PORTS "/sys/class/virtio-ports"
#define FIRST_WAIT_NS 2000000L /* the host names its ports while the guest is starting us */
#define LONGEST_WAIT_NS 500000000L

static bool has_name(const char *device, const char *name)
{
	char path[300], found[128] = "";
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), PORTS "/%s/name", device);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, found, sizeof(found) - 1);
	close(fd);
	found[got > 0 ? got : 0] = '\0';
	found[strcspn(found, "\n")] = '\0';
	return strcmp(found, name) == 0;
}

static int open_device(const char *device)
{
	char path[300];

	snprintf(path, sizeof(path), "/dev/%s", device);
	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static int find_and_open(const char *name)
{
	DIR *ports = opendir(PORTS);
	struct dirent *entry;
	int fd = -1;

	if (!ports)
		return -1;
	while (fd < 0 && (entry = readdir(ports)))
		if (entry->d_name[0] != '.' && has_name(entry->d_name, name))
			fd = open_device(entry->d_name);
	closedir(ports);
	return fd;
}

int port_open(const char *name)
{
	struct timespec wait = { .tv_nsec = FIRST_WAIT_NS };
	int fd;

	while ((fd = find_and_open(name)) < 0) {
		nanosleep(&wait, NULL);
		if (wait.tv_nsec < LONGEST_WAIT_NS)
			wait.tv_nsec *= 2;
	}
	return fd;
}
