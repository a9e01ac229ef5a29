// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Locks the layout of the user-space interface: a change that moves a field
 * does not compile.
 */
#include <linux/build_bug.h>
#include <linux/ioctl.h>
#include <linux/stddef.h>
#include <uapi/dmabed.h>

#define CHECK_SIZE(type, size) \
	static_assert(sizeof(struct type) == (size))
#define CHECK_FIELD(type, field, offset) \
	static_assert(offsetof(struct type, field) == (offset))

CHECK_SIZE(dmabed_segment, 16);
CHECK_FIELD(dmabed_segment, address, 0);
CHECK_FIELD(dmabed_segment, length, 8);

CHECK_SIZE(dmabed_engine_info, 88);
CHECK_FIELD(dmabed_engine_info, size, 0);
CHECK_FIELD(dmabed_engine_info, flags, 4);
CHECK_FIELD(dmabed_engine_info, name, 8);
CHECK_FIELD(dmabed_engine_info, dma_mask, 40);
CHECK_FIELD(dmabed_engine_info, bus_dma_limit, 48);
CHECK_FIELD(dmabed_engine_info, seg_boundary, 56);
CHECK_FIELD(dmabed_engine_info, max_seg_size, 64);
CHECK_FIELD(dmabed_engine_info, max_segments, 68);
CHECK_FIELD(dmabed_engine_info, alignment, 72);
CHECK_FIELD(dmabed_engine_info, granule, 76);
CHECK_FIELD(dmabed_engine_info, addr_bits, 80);
CHECK_FIELD(dmabed_engine_info, reserved, 84);

CHECK_SIZE(dmabed_attach, 16);
CHECK_FIELD(dmabed_attach, size, 0);
CHECK_FIELD(dmabed_attach, flags, 4);
CHECK_FIELD(dmabed_attach, fd, 8);
CHECK_FIELD(dmabed_attach, attachment, 12);

CHECK_SIZE(dmabed_detach, 16);
CHECK_FIELD(dmabed_detach, size, 0);
CHECK_FIELD(dmabed_detach, flags, 4);
CHECK_FIELD(dmabed_detach, attachment, 8);
CHECK_FIELD(dmabed_detach, reserved, 12);

CHECK_SIZE(dmabed_map, 32);
CHECK_FIELD(dmabed_map, size, 0);
CHECK_FIELD(dmabed_map, flags, 4);
CHECK_FIELD(dmabed_map, attachment, 8);
CHECK_FIELD(dmabed_map, direction, 12);
CHECK_FIELD(dmabed_map, nr_segments, 16);
CHECK_FIELD(dmabed_map, reserved, 20);
CHECK_FIELD(dmabed_map, segments, 24);

CHECK_SIZE(dmabed_unmap, 16);
CHECK_FIELD(dmabed_unmap, size, 0);
CHECK_FIELD(dmabed_unmap, flags, 4);
CHECK_FIELD(dmabed_unmap, attachment, 8);
CHECK_FIELD(dmabed_unmap, reserved, 12);

CHECK_SIZE(dmabed_pin, 16);
CHECK_FIELD(dmabed_pin, size, 0);
CHECK_FIELD(dmabed_pin, flags, 4);
CHECK_FIELD(dmabed_pin, attachment, 8);
CHECK_FIELD(dmabed_pin, reserved, 12);

CHECK_SIZE(dmabed_submit, 80);
CHECK_FIELD(dmabed_submit, size, 0);
CHECK_FIELD(dmabed_submit, flags, 4);
CHECK_FIELD(dmabed_submit, op, 8);
CHECK_FIELD(dmabed_submit, src, 12);
CHECK_FIELD(dmabed_submit, dst, 16);
CHECK_FIELD(dmabed_submit, reserved, 20);
CHECK_FIELD(dmabed_submit, seed, 24);
CHECK_FIELD(dmabed_submit, src_offset, 32);
CHECK_FIELD(dmabed_submit, dst_offset, 40);
CHECK_FIELD(dmabed_submit, length, 48);
CHECK_FIELD(dmabed_submit, job, 56);
CHECK_FIELD(dmabed_submit, in_fence, 64);
CHECK_FIELD(dmabed_submit, fence_fd, 68);
CHECK_FIELD(dmabed_submit, usage, 72);
CHECK_FIELD(dmabed_submit, reserved2, 76);

CHECK_SIZE(dmabed_wait, 80);
CHECK_FIELD(dmabed_wait, size, 0);
CHECK_FIELD(dmabed_wait, flags, 4);
CHECK_FIELD(dmabed_wait, job, 8);
CHECK_FIELD(dmabed_wait, timeout_ns, 16);
CHECK_FIELD(dmabed_wait, status, 24);
CHECK_FIELD(dmabed_wait, error, 28);
CHECK_FIELD(dmabed_wait, bytes, 32);
CHECK_FIELD(dmabed_wait, mismatch, 40);
CHECK_FIELD(dmabed_wait, sha256, 48);

CHECK_SIZE(dmabed_export, 104);
CHECK_FIELD(dmabed_export, size, 0);
CHECK_FIELD(dmabed_export, flags, 4);
CHECK_FIELD(dmabed_export, length, 8);
CHECK_FIELD(dmabed_export, storage, 16);
CHECK_FIELD(dmabed_export, fd_flags, 20);
CHECK_FIELD(dmabed_export, address, 24);
CHECK_FIELD(dmabed_export, fd, 32);
CHECK_FIELD(dmabed_export, reserved, 36);
CHECK_FIELD(dmabed_export, source, 40);
CHECK_FIELD(dmabed_export, allowed, 72);
CHECK_FIELD(dmabed_export, reserved2, 76);
CHECK_FIELD(dmabed_export, highest, 80);
CHECK_FIELD(dmabed_export, max_segment_size, 88);
CHECK_FIELD(dmabed_export, max_segments, 96);
CHECK_FIELD(dmabed_export, alignment, 100);

CHECK_SIZE(dmabed_buffer_info, 48);
CHECK_FIELD(dmabed_buffer_info, size, 0);
CHECK_FIELD(dmabed_buffer_info, flags, 4);
CHECK_FIELD(dmabed_buffer_info, fd, 8);
CHECK_FIELD(dmabed_buffer_info, storage, 12);
CHECK_FIELD(dmabed_buffer_info, length, 16);
CHECK_FIELD(dmabed_buffer_info, migrations, 24);
CHECK_FIELD(dmabed_buffer_info, attachments, 28);
CHECK_FIELD(dmabed_buffer_info, mappings, 32);
CHECK_FIELD(dmabed_buffer_info, nr_segments, 36);
CHECK_FIELD(dmabed_buffer_info, segments, 40);

CHECK_SIZE(dmabed_migrate, 56);
CHECK_FIELD(dmabed_migrate, size, 0);
CHECK_FIELD(dmabed_migrate, flags, 4);
CHECK_FIELD(dmabed_migrate, fd, 8);
CHECK_FIELD(dmabed_migrate, storage, 12);
CHECK_FIELD(dmabed_migrate, address, 16);
CHECK_FIELD(dmabed_migrate, source, 24);

CHECK_SIZE(dmabed_stats, 56);
CHECK_FIELD(dmabed_stats, size, 0);
CHECK_FIELD(dmabed_stats, flags, 4);
CHECK_FIELD(dmabed_stats, buffers, 8);
CHECK_FIELD(dmabed_stats, attachments, 16);
CHECK_FIELD(dmabed_stats, mappings, 24);
CHECK_FIELD(dmabed_stats, pages, 32);
CHECK_FIELD(dmabed_stats, jobs, 40);
CHECK_FIELD(dmabed_stats, releases, 48);

CHECK_SIZE(dmabed_call, 56);
CHECK_FIELD(dmabed_call, size, 0);
CHECK_FIELD(dmabed_call, flags, 4);
CHECK_FIELD(dmabed_call, function, 8);
CHECK_FIELD(dmabed_call, fd, 12);
CHECK_FIELD(dmabed_call, args, 16);
CHECK_FIELD(dmabed_call, result, 48);

static_assert(_IOC_NR(DMABED_IOC_INFO) == 0x00);
static_assert(_IOC_NR(DMABED_IOC_ATTACH) == 0x01);
static_assert(_IOC_NR(DMABED_IOC_DETACH) == 0x02);
static_assert(_IOC_NR(DMABED_IOC_MAP) == 0x03);
static_assert(_IOC_NR(DMABED_IOC_UNMAP) == 0x04);
static_assert(_IOC_NR(DMABED_IOC_SUBMIT) == 0x05);
static_assert(_IOC_NR(DMABED_IOC_WAIT) == 0x06);
static_assert(_IOC_NR(DMABED_IOC_PIN) == 0x07);
static_assert(_IOC_NR(DMABED_IOC_UNPIN) == 0x08);
static_assert(_IOC_NR(DMABED_IOC_EXPORT) == 0x40);
static_assert(_IOC_NR(DMABED_IOC_BUFFER_INFO) == 0x41);
static_assert(_IOC_NR(DMABED_IOC_MIGRATE) == 0x42);
static_assert(_IOC_NR(DMABED_IOC_STATS) == 0x43);
static_assert(_IOC_NR(DMABED_IOC_CALL) == 0x60);
