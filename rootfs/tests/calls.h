/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls under test, one function each: -1 and errno as the kernel says.
 * Only here a sabotage can come between.
 */
#ifndef TESTS_CALLS_H
#define TESTS_CALLS_H

#include <linux/sync_file.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* younger than the headers of Debian 12: include/uapi/linux/sync_file.h of Linux 6.12 */
#ifndef SYNC_IOC_SET_DEADLINE
struct sync_set_deadline {
	__u64 deadline_ns;
	__u64 pad;
};
#define SYNC_IOC_SET_DEADLINE _IOW(SYNC_IOC_MAGIC, 5, struct sync_set_deadline)
#endif

/* ---- the buffer's own ioctls ---- */
int buffer_sync(int buffer, uint64_t flags);
int buffer_set_name(int buffer, const char *name);
/* The new sync file. */
int buffer_export_fence(int buffer, uint32_t flags);
int buffer_import_fence(int buffer, uint32_t flags, int fence);
/* MAP_FAILED and errno. */
void *buffer_mmap(int buffer, size_t length, int protection, int flags, off_t offset);
/* Which of these events poll() reports at once. */
short ready(int fd, short events);

/* ---- sync files ---- */
int fence_merge(const char *name, int first, int second);
int fence_info(int fence, struct sync_file_info *info);
/* 0 pending, 1 signalled, or a negative errno. */
int fence_status(int fence);
int fence_set_deadline(int fence, uint64_t deadline_ns);

/* ---- passing an fd over a socket ---- */
void send_fd(int socket, int fd);
int receive_fd(int socket);

#endif
