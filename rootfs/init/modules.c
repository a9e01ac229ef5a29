// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads our drivers.  An image with a user's kernel may have none: that is
 * said, and the guest goes on.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* the others need the symbols of the first */
static const char *const modules[] = {
	"dmabed-core",
	"dmabed-engine",
	"dmabed-exporter",
	"dmabed-calls",
};

static void load_module(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/lib/modules/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		say_errno(path);
		return;
	}
	/* EEXIST: the kernel has it built in */
	if (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST)
		say_errno(path);
	close(fd);
}

void load_modules(void)
{
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		load_module(modules[i]);
}
