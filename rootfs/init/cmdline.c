// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel command line.  The kernel takes words with a dot for parameters
 * of modules and does not hand them to init, so /proc/cmdline is read.
 */
#include "init.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CMDLINE_SIZE 4096 /* arm64's COMMAND_LINE_SIZE is 2048 */

bool cmdline_has(const char *word)
{
	static char line[CMDLINE_SIZE];
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[got > 0 ? got : 0] = '\0';
	for (char *next = strtok(line, " \n"); next; next = strtok(NULL, " \n"))
		if (strcmp(next, word) == 0)
			return true;
	return false;
}
