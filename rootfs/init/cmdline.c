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

static char *read_line(void)
{
	static char line[CMDLINE_SIZE];
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	line[0] = '\0';
	if (fd < 0)
		return line;
	got = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[got > 0 ? got : 0] = '\0';
	return line;
}

char *cmdline_value(const char *beginning)
{
	size_t length = strlen(beginning);

	for (char *word = strtok(read_line(), " \n"); word; word = strtok(NULL, " \n"))
		if (strncmp(word, beginning, length) == 0)
			return word + length;
	return NULL;
}

bool cmdline_has(const char *word)
{
	for (char *next = strtok(read_line(), " \n"); next; next = strtok(NULL, " \n"))
		if (strcmp(next, word) == 0)
			return true;
	return false;
}
