// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Locks the layout of the older generations' user-space interface: a change
 * that moves a field does not compile.
 */
#include <linux/build_bug.h>
#include <linux/ioctl.h>
#include <linux/stddef.h>
#include <uapi/dmabed_generations.h>

#define CHECK_SIZE(type, size) \
	static_assert(sizeof(struct type) == (size))
#define CHECK_FIELD(type, field, offset) \
	static_assert(offsetof(struct type, field) == (offset))

CHECK_SIZE(dmabed_sync, 16);
CHECK_FIELD(dmabed_sync, size, 0);
CHECK_FIELD(dmabed_sync, flags, 4);
CHECK_FIELD(dmabed_sync, attachment, 8);
CHECK_FIELD(dmabed_sync, target, 12);

CHECK_SIZE(dmabed_select, 16);
CHECK_FIELD(dmabed_select, size, 0);
CHECK_FIELD(dmabed_select, flags, 4);
CHECK_FIELD(dmabed_select, fd, 8);
CHECK_FIELD(dmabed_select, reserved, 12);

CHECK_SIZE(dmabed_handle, 16);
CHECK_FIELD(dmabed_handle, size, 0);
CHECK_FIELD(dmabed_handle, flags, 4);
CHECK_FIELD(dmabed_handle, handle, 8);
CHECK_FIELD(dmabed_handle, fd, 12);

CHECK_SIZE(dmabed_handle_export, 24);
CHECK_FIELD(dmabed_handle_export, size, 0);
CHECK_FIELD(dmabed_handle_export, flags, 4);
CHECK_FIELD(dmabed_handle_export, length, 8);
CHECK_FIELD(dmabed_handle_export, storage, 16);
CHECK_FIELD(dmabed_handle_export, handle, 20);

CHECK_SIZE(dmabed_handle_info, 24);
CHECK_FIELD(dmabed_handle_info, size, 0);
CHECK_FIELD(dmabed_handle_info, flags, 4);
CHECK_FIELD(dmabed_handle_info, handle, 8);
CHECK_FIELD(dmabed_handle_info, storage, 12);
CHECK_FIELD(dmabed_handle_info, length, 16);

static_assert(_IOC_NR(DMABED_IOC_SYNC) == 0x09);
static_assert(_IOC_NR(DMABED_IOC_SELECT) == 0x80);
static_assert(_IOC_NR(DMABED_IOC_HANDLE_EXPORT) == 0x81);
static_assert(_IOC_NR(DMABED_IOC_FD_TO_HANDLE) == 0x82);
static_assert(_IOC_NR(DMABED_IOC_HANDLE_TO_FD) == 0x83);
static_assert(_IOC_NR(DMABED_IOC_HANDLE_CLOSE) == 0x84);
static_assert(_IOC_NR(DMABED_IOC_HANDLE_INFO) == 0x85);
