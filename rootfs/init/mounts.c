// SPDX-License-Identifier: GPL-2.0-or-later
/* The file systems that programs expect. */
#include "init.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

struct mount_point {
	const char *type;
	const char *where;
	const char *options;
	bool optional; /* kernels of users may lack it */
};

static const struct mount_point mount_points[] = {
	{ "devtmpfs", "/dev", "mode=0755", false },
	{ "proc", "/proc", NULL, false },
	{ "sysfs", "/sys", NULL, false },
	{ "devpts", "/dev/pts", "gid=0,mode=0620,ptmxmode=0666", true },
	{ "tmpfs", "/dev/shm", "mode=1777", true },
	{ "tmpfs", "/tmp", "mode=1777", true },
	{ "tmpfs", "/run", "mode=0755", true },
	{ "debugfs", "/sys/kernel/debug", NULL, true },
	{ "tracefs", "/sys/kernel/tracing", NULL, true },
};

static void mount_one(const struct mount_point *point)
{
	mkdir(point->where, 0755); /* those below /dev are not in the image */
	if (mount(point->type, point->where, point->type, 0, point->options) == 0)
		return;
	if (errno == EBUSY)
		return; /* the kernel did it: CONFIG_DEVTMPFS_MOUNT */
	if (point->optional && (errno == ENODEV || errno == ENOENT))
		return;
	say_errno(point->where);
}

void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mount_points) / sizeof(mount_points[0]); i++)
		mount_one(&mount_points[i]);
}
