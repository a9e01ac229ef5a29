// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads our drivers.  An image with a user's kernel may have none: that is
 * said, and the guest goes on.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* the others need the symbols of the first */
static const char *const modules[] = {
	"dmabed-core",
	"dmabed-engine",
	"dmabed-exporter",
	"dmabed-calls",
	"dmabed-posted",
	"dmabed-posted-off",
	"dmabed-merged",
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

/* Replaces this process. */
static void exec_modprobe(char *names)
{
	char *argv[32] = { "modprobe", "-a" };
	size_t count = 2;

	for (char *name = strtok(names, ","); name && count < 31; name = strtok(NULL, ","))
		argv[count++] = name;
	execv("/bin/modprobe", argv);
	say_errno("modprobe");
	_exit(1);
}

/* The kernel's own, which layouts with media blocks name on the command line. */
static void load_named(void)
{
	char *names = cmdline_value("dmabed.modules=");
	int status = 0;
	pid_t child;

	if (!names)
		return;
	child = fork();
	if (child == 0)
		exec_modprobe(names);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		say_errno("modprobe");
	else if (status != 0)
		say("modprobe: not all of %s", names);
}

void load_modules(void)
{
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		load_module(modules[i]);
	load_named();
}
