// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines on the console, which is standard error of process 1. */
#include "init.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void say(const char *format, ...)
{
	char line[256] = "dmabed-init: ";
	size_t used = strlen(line);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
	va_end(arguments);
	strcat(line, "\n");
	/* one write, so that lines of the kernel do not come in between */
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		return; /* no console: nobody to tell */
}

void say_errno(const char *what)
{
	say("%s: %s", what, strerror(errno));
}
