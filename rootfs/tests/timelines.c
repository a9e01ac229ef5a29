// SPDX-License-Identifier: GPL-2.0-or-later
/* sw_sync. */
#include "timelines.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include "exporters.h"
#include "test.h"

int timeline_new(void)
{
	int timeline = open(SW_SYNC, O_RDWR | O_CLOEXEC);

	if (timeline < 0 && errno == ENOENT)
		skip("the kernel has no CONFIG_SW_SYNC");
	return CHECK_OK(timeline);
}

int timeline_fence(int timeline, __u32 value)
{
	struct sw_sync_create_fence_data request = { .value = value, .fence = -1 };

	return ioctl(timeline, SW_SYNC_IOC_CREATE_FENCE, &request) ? -1 : request.fence;
}

int timeline_advance(int timeline, __u32 by)
{
	return ioctl(timeline, SW_SYNC_IOC_INC, &by);
}
