/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * User-space interface of the dmabed guest drivers.
 *
 * Two kinds of character device:
 *
 *   /dev/dmabed/NAME       an importer: one DMA engine; NAME is its DT label
 *   /dev/dmabed-exporter   an exporter with late allocation
 *
 * Rules of every ioctl: @size is sizeof() of the structure as the caller knows
 * it (larger with a non-zero tail: E2BIG; smaller than the first version:
 * EINVAL).  Unknown flags and reserved fields that are not 0 are EINVAL.
 *
 * errno table
 *
 *   EBADF       an fd that is none
 *   EINVAL      an fd that is no dma-buf; a bad size, flag, offset or length;
 *               an attach that no storage can suit; a mapping that makes no
 *               list within the engine's limits, or whose direction forbids
 *               the job
 *   EINTR       a signal came while the call waited; nothing was done
 *   EBUSY       an attach that the storage in use does not suit, and the
 *               storage cannot move; an unmap or detach with jobs in flight;
 *               a map in another direction than the mapping that there is
 *   ENOENT      no attachment or job with that number
 *   ENOMEM      no storage of the kind that the attached devices need is free;
 *               a job for an engine that reaches no memory for its ring
 *   ENOSPC      the caller's segment array is too small; the count is filled in
 *   EOPNOTSUPP  the engine lacks the operation, the buffer is not the
 *               exporter's own, or an attach asked for a flag that it lacks
 *   ETIMEDOUT   DMABED_IOC_WAIT ran out of time; the job goes on
 *   ENODEV      the engine is gone
 *   EIO         the engine reports a failed job (fence error; in wait.error);
 *               a comparison that found a difference did not fail
 */
#ifndef _UAPI_DMABED_H
#define _UAPI_DMABED_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMABED_NAME_LEN 32

/**
 * struct dmabed_segment - a run of bytes
 * @address: bus address (importer) or CPU physical address (exporter)
 * @length: bytes
 */
struct dmabed_segment {
	__u64 address;
	__u64 length;
};

/* ---- importer: /dev/dmabed/NAME ---- */

/**
 * struct dmabed_engine_info - what the engine said and what the driver made of it
 * @size: sizeof(struct dmabed_engine_info)
 * @flags: 0
 * @name: the DT label, ends with NUL
 * @dma_mask: streaming mask that was set from the reported address width
 * @bus_dma_limit: largest bus address by dma-ranges, 0 when there are none
 * @seg_boundary: dma_get_seg_boundary()
 * @max_seg_size: dma_get_max_seg_size(), bytes
 * @max_segments: segments in one list
 * @alignment: start of each segment, bytes
 * @granule: length of each segment is a multiple of this, bytes
 * @addr_bits: address width as reported by the hardware
 * @reserved: 0
 */
struct dmabed_engine_info {
	__u32 size;
	__u32 flags;
	char name[DMABED_NAME_LEN];
	__u64 dma_mask;
	__u64 bus_dma_limit;
	__u64 seg_boundary;
	__u32 max_seg_size;
	__u32 max_segments;
	__u32 alignment;
	__u32 granule;
	__u32 addr_bits;
	__u32 reserved;
};

/* a dynamic importer: move_notify instead of pinning */
#define DMABED_ATTACH_DYNAMIC		0x00000001

/**
 * struct dmabed_attach - attach this engine to a dma-buf
 * @size: sizeof(struct dmabed_attach)
 * @flags: DMABED_ATTACH_*
 * @fd: the dma-buf
 * @attachment: out: number of the attachment, for this open file only
 */
struct dmabed_attach {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 attachment;
};

/**
 * struct dmabed_detach - end an attachment; it is unmapped first if need be
 * @size: sizeof(struct dmabed_detach)
 * @flags: 0
 * @attachment: its number
 * @reserved: 0
 */
struct dmabed_detach {
	__u32 size;
	__u32 flags;
	__u32 attachment;
	__u32 reserved;
};

#define DMABED_TO_DEVICE		1
#define DMABED_FROM_DEVICE		2
#define DMABED_BIDIRECTIONAL		3

/**
 * struct dmabed_map - map an attachment, and tell the bus addresses
 * @size: sizeof(struct dmabed_map)
 * @flags: 0
 * @attachment: its number
 * @direction: DMABED_TO_DEVICE, _FROM_DEVICE or _BIDIRECTIONAL
 * @nr_segments: in: room at @segments; out: segments of the mapping
 * @reserved: 0
 * @segments: user pointer to struct dmabed_segment[@nr_segments], or 0
 *
 * Neighbouring segments are joined as far as the engine's limits allow.
 * Mapping twice in the same direction returns the same mapping.
 */
struct dmabed_map {
	__u32 size;
	__u32 flags;
	__u32 attachment;
	__u32 direction;
	__u32 nr_segments;
	__u32 reserved;
	__u64 segments;
};

/**
 * struct dmabed_unmap - end the mapping of an attachment
 * @size: sizeof(struct dmabed_unmap)
 * @flags: 0
 * @attachment: its number
 * @reserved: 0
 */
struct dmabed_unmap {
	__u32 size;
	__u32 flags;
	__u32 attachment;
	__u32 reserved;
};

#define DMABED_OP_CODE_FILL		1	/* pattern of @seed to dst */
#define DMABED_OP_CODE_DIGEST		2	/* SHA-256 of src */
#define DMABED_OP_CODE_COPY		3	/* src to dst */
#define DMABED_OP_CODE_COMPARE		4	/* src with dst */

#define DMABED_NO_ATTACHMENT		0xffffffffu

/**
 * struct dmabed_submit - queue a job
 * @size: sizeof(struct dmabed_submit)
 * @flags: 0
 * @op: DMABED_OP_CODE_*
 * @src: attachment that is read, or DMABED_NO_ATTACHMENT
 * @dst: attachment that is written, or DMABED_NO_ATTACHMENT
 * @reserved: 0
 * @seed: pattern of a fill; the pattern starts at the buffer's byte 0, so that
 *	a fill in two parts is the same as one (offsets are multiples of 8)
 * @src_offset: first byte of src
 * @dst_offset: first byte of dst
 * @length: bytes
 * @job: out: its number, for this open file only
 *
 * An attachment that is not mapped, or was invalidated by move_notify, is
 * mapped first.  The job waits for the fences that implicit synchronisation
 * asks for, and adds its own: read usage to src, write usage to dst.
 */
struct dmabed_submit {
	__u32 size;
	__u32 flags;
	__u32 op;
	__u32 src;
	__u32 dst;
	__u32 reserved;
	__u64 seed;
	__u64 src_offset;
	__u64 dst_offset;
	__u64 length;
	__u64 job;
};

/**
 * struct dmabed_wait - wait for a job and take its result
 * @size: sizeof(struct dmabed_wait)
 * @flags: 0
 * @job: its number; after a result was taken the number is free again
 * @timeout_ns: from now; 0: only look; negative: for ever
 * @status: out: the engine's DMABED_COMP_* code
 * @error: out: the fence's error, 0 or a negative errno
 * @bytes: out: bytes that the engine says it did
 * @mismatch: out: first differing byte of a compare, or ~0
 * @sha256: out: digest as the engine wrote it to memory
 */
struct dmabed_wait {
	__u32 size;
	__u32 flags;
	__u64 job;
	__s64 timeout_ns;
	__u32 status;
	__s32 error;
	__u64 bytes;
	__u64 mismatch;
	__u8 sha256[32];
};

#define DMABED_IOC_MAGIC	0xdb
#define DMABED_IOC_INFO		_IOWR(DMABED_IOC_MAGIC, 0x00, struct dmabed_engine_info)
#define DMABED_IOC_ATTACH	_IOWR(DMABED_IOC_MAGIC, 0x01, struct dmabed_attach)
#define DMABED_IOC_DETACH	_IOWR(DMABED_IOC_MAGIC, 0x02, struct dmabed_detach)
#define DMABED_IOC_MAP		_IOWR(DMABED_IOC_MAGIC, 0x03, struct dmabed_map)
#define DMABED_IOC_UNMAP	_IOWR(DMABED_IOC_MAGIC, 0x04, struct dmabed_unmap)
#define DMABED_IOC_SUBMIT	_IOWR(DMABED_IOC_MAGIC, 0x05, struct dmabed_submit)
#define DMABED_IOC_WAIT		_IOWR(DMABED_IOC_MAGIC, 0x06, struct dmabed_wait)

/* ---- exporter: /dev/dmabed-exporter ---- */

#define DMABED_STORAGE_NONE		0	/* nothing allocated yet */
#define DMABED_STORAGE_AUTO		1	/* by the attached devices, late */
#define DMABED_STORAGE_PAGES		2	/* single pages of any zone */
#define DMABED_STORAGE_LOW_PAGES	3	/* single pages below 4 GiB or the DMA zone */
#define DMABED_STORAGE_CONTIGUOUS	4	/* one run, from the default CMA area */
#define DMABED_STORAGE_FIXED		5	/* one run at a given CPU physical address */

/* pin, unpin and move_notify; without it the buffer moves only while unmapped */
#define DMABED_EXPORT_DYNAMIC		0x00000001
/* ask no device for its limits, as the system heap does */
#define DMABED_EXPORT_UNCONSTRAINED	0x00000002
/* take the highest pages there are (PAGES) */
#define DMABED_EXPORT_HIGH		0x00000004

/**
 * struct dmabed_export - make a buffer
 * @size: sizeof(struct dmabed_export)
 * @flags: DMABED_EXPORT_*
 * @length: bytes, rounded up to pages; 0 or more than half of RAM: EINVAL
 * @storage: DMABED_STORAGE_AUTO, or the one kind that it may use
 * @fd_flags: O_CLOEXEC | O_ACCMODE bits for the fd
 * @address: DMABED_STORAGE_FIXED: where, page aligned; otherwise 0
 * @fd: out: the dma-buf
 * @reserved: 0
 *
 * Storage is allocated by the first mapping (device, or CPU by mmap).
 */
struct dmabed_export {
	__u32 size;
	__u32 flags;
	__u64 length;
	__u32 storage;
	__u32 fd_flags;
	__u64 address;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct dmabed_buffer_info - where a buffer is
 * @size: sizeof(struct dmabed_buffer_info)
 * @flags: 0
 * @fd: the dma-buf, one of this exporter
 * @storage: out: DMABED_STORAGE_NONE or the kind in use
 * @length: out: bytes
 * @migrations: out: how often the storage moved
 * @attachments: out: devices attached
 * @mappings: out: device mappings that exist
 * @nr_segments: in: room at @segments; out: runs of the storage
 * @segments: user pointer to struct dmabed_segment[@nr_segments], or 0
 */
struct dmabed_buffer_info {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 storage;
	__u64 length;
	__u32 migrations;
	__u32 attachments;
	__u32 mappings;
	__u32 nr_segments;
	__u64 segments;
};

#define DMABED_IOC_EXPORT	_IOWR(DMABED_IOC_MAGIC, 0x40, struct dmabed_export)
#define DMABED_IOC_BUFFER_INFO	_IOWR(DMABED_IOC_MAGIC, 0x41, struct dmabed_buffer_info)

#endif /* _UAPI_DMABED_H */
