/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fences that user space signals: the kernel's sw_sync, which has no header of its own. */
#ifndef TESTS_TIMELINES_H
#define TESTS_TIMELINES_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* drivers/dma-buf/sw_sync.c */
struct sw_sync_create_fence_data {
	__u32 value;
	char name[32];
	__s32 fence;
};

struct sw_sync_get_deadline {
	__u64 deadline_ns;
	__u32 pad;
	__s32 fence_fd;
};

#define SW_SYNC_IOC_CREATE_FENCE _IOWR('W', 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC _IOW('W', 1, __u32)
#define SW_SYNC_GET_DEADLINE _IOWR('W', 2, struct sw_sync_get_deadline)

/* A new timeline at 0; the test is skipped when the kernel has none. */
int timeline_new(void);
/* A fence that signals when the timeline reaches the value; -1 and errno. */
int timeline_fence(int timeline, __u32 value);
int timeline_advance(int timeline, __u32 by);

#endif
