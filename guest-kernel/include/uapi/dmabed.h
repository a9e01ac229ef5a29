/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * User-space interface of the dmabed guest drivers.
 *
 * Three kinds of character device:
 *
 *   /dev/dmabed/NAME       an importer: one DMA engine; NAME is its DT label,
 *                          or, on PCI, what the hardware calls itself
 *   /dev/dmabed-exporter   an exporter with late allocation
 *   /dev/dmabed-calls      functions of dma-buf that no engine calls by itself
 *
 * Rules of every ioctl: @size is sizeof() of the structure as the caller knows
 * it (larger with a non-zero tail: E2BIG; smaller than the first version:
 * EINVAL).  What a caller does not know of is 0.  Unknown flags and reserved
 * fields that are not 0 are EINVAL.
 *
 * errno table
 *
 *   EBADF       an fd that is none
 *   EINVAL      an fd that is no dma-buf, or no sync file where one is wanted;
 *               a bad size, flag, offset or length; an attach or a migration
 *               that no storage can suit, or to a kind that the buffer does
 *               not allow; a mapping that makes no list within the engine's
 *               limits, or whose direction forbids the job; a pin of a static
 *               attachment; an unpin without a pin
 *   EINTR       a signal came while the call waited; nothing was done
 *   EBUSY       an attach that the storage in use does not suit, and the
 *               storage cannot move; a migration of a buffer that is pinned,
 *               mapped into the kernel, or static and mapped for a device; an
 *               unmap or detach with jobs in flight; a map in another
 *               direction than the mapping that there is
 *   ENOENT      no attachment or job with that number; no pool, or no engine
 *               with local memory, of that name
 *   ENOMEM      no storage of the kind that the attached devices need is free
 *               (a pool that is full or too fragmented, too); a job for an
 *               engine that reaches no memory for its ring; a fence fd that
 *               could not be made, though the job runs
 *   ENOSPC      the caller's segment array is too small; the count is filled in
 *   EOPNOTSUPP  the engine lacks the operation, the buffer is not the
 *               exporter's own, an attach asked for a flag that the kernel
 *               lacks, or a migration of local memory that the CPU cannot
 *               reach
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
/* takes memory without struct pages, of another device; only with DYNAMIC */
#define DMABED_ATTACH_P2P		0x00000002
/* a buffer of an older generation (dmabed_generations.h); not with the others */
#define DMABED_ATTACH_POSTED		0x00000004
#define DMABED_ATTACH_MERGED		0x00000008

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

/**
 * struct dmabed_pin - keep the buffer where it is, or no longer
 * @size: sizeof(struct dmabed_pin)
 * @flags: 0
 * @attachment: number of a dynamic attachment
 * @reserved: 0
 *
 * Pins count; a detach takes those of its attachment along.  A pinned buffer is
 * somewhere where this engine reaches it.
 */
struct dmabed_pin {
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

/* the job waits for the sync file @in_fence */
#define DMABED_SUBMIT_IN_FENCE		0x00000001
/* @fence_fd becomes a sync file that signals with the job */
#define DMABED_SUBMIT_OUT_FENCE		0x00000002

/* usage of the job's fence in its buffers; dma-resv.h says what each means */
#define DMABED_USAGE_DEFAULT		0	/* READ for src, WRITE for dst */
#define DMABED_USAGE_KERNEL		1
#define DMABED_USAGE_WRITE		2
#define DMABED_USAGE_READ		3
#define DMABED_USAGE_BOOKKEEP		4

/**
 * struct dmabed_submit - queue a job
 * @size: sizeof(struct dmabed_submit)
 * @flags: DMABED_SUBMIT_*
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
 * @in_fence: DMABED_SUBMIT_IN_FENCE: the sync file; otherwise not looked at
 * @fence_fd: out: with DMABED_SUBMIT_OUT_FENCE a sync file (O_CLOEXEC)
 * @usage: DMABED_USAGE_*, for all buffers of the job
 * @reserved2: 0
 *
 * An attachment that is not mapped, or was invalidated by move_notify, is
 * mapped first.  The job waits for the fences that implicit synchronisation
 * asks for, and adds its own with @usage.  An engine does its jobs in order, so
 * one that waits holds up those behind it.
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
	__s32 in_fence;
	__s32 fence_fd;
	__u32 usage;
	__u32 reserved2;
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
#define DMABED_IOC_PIN		_IOWR(DMABED_IOC_MAGIC, 0x07, struct dmabed_pin)
#define DMABED_IOC_UNPIN	_IOWR(DMABED_IOC_MAGIC, 0x08, struct dmabed_pin)

/* ---- exporter: /dev/dmabed-exporter ---- */

#define DMABED_STORAGE_NONE		0	/* nothing allocated yet */
#define DMABED_STORAGE_AUTO		1	/* by the attached devices, late */
#define DMABED_STORAGE_PAGES		2	/* single pages of any zone */
#define DMABED_STORAGE_LOW_PAGES	3	/* single pages below 4 GiB or the DMA zone */
#define DMABED_STORAGE_CONTIGUOUS	4	/* one run, of the default CMA area or a device's */
#define DMABED_STORAGE_FIXED		5	/* one run at a given CPU physical address */
#define DMABED_STORAGE_POOL		6	/* one run of a reserved-memory pool */
#define DMABED_STORAGE_LOCAL		7	/* one run of an engine's own memory */

/* pin, unpin and move_notify; without it the buffer moves only while unmapped */
#define DMABED_EXPORT_DYNAMIC		0x00000001
/* ask no device for its limits, as the system heap does */
#define DMABED_EXPORT_UNCONSTRAINED	0x00000002
/* take the highest pages there are (PAGES) */
#define DMABED_EXPORT_HIGH		0x00000004
/* operations that the buffer lacks */
#define DMABED_EXPORT_NO_MMAP		0x00000008
#define DMABED_EXPORT_NO_VMAP		0x00000010
#define DMABED_EXPORT_NO_CPU_ACCESS	0x00000020
/* the framework keeps mappings until the detach; not with DYNAMIC */
#define DMABED_EXPORT_CACHE_SGT		0x00000040
/* once a device was given a list, no further one may attach: EBUSY */
#define DMABED_EXPORT_NO_LATE_ATTACH	0x00000080
/*
 * an exporter without attach and detach: asks nobody before the first list; not
 * with NO_LATE_ATTACH, which it could not keep
 */
#define DMABED_EXPORT_NO_ATTACH_OPS	0x00000100

/**
 * struct dmabed_export - make a buffer
 * @size: sizeof(struct dmabed_export)
 * @flags: DMABED_EXPORT_*
 * @length: bytes, rounded up to pages; 0 or more than half of RAM: EINVAL
 * @storage: DMABED_STORAGE_AUTO, or the one kind that it starts with
 * @fd_flags: O_CLOEXEC | O_ACCMODE bits for the fd
 * @address: DMABED_STORAGE_FIXED: where, page aligned; otherwise 0
 * @fd: out: the dma-buf
 * @reserved: 0
 * @source: POOL: node name of the pool in the device tree, without @address;
 *	LOCAL: name of the engine; otherwise empty. Ends with NUL
 * @allowed: bits 1 << DMABED_STORAGE_*: the kinds that AUTO chooses from, and
 *	that the buffer may move to. 0: AUTO chooses from all, DMABED_IOC_MIGRATE
 *	moves to all, and what began as one kind does not leave it by itself
 * @reserved2: 0
 * @highest: highest CPU physical address of the storage, 0: any
 * @max_segment_size: longest segment of the storage, bytes, 0: any
 * @max_segments: segments of the storage, none longer than that, 0: any number
 * @alignment: start of each of its segments, bytes, a power of 2, 0: any
 *
 * The last four are limits of the buffer itself, also with UNCONSTRAINED: they
 * are taken together with those of the devices, as if one more were attached.
 * Limits that no storage of this length can keep to are EINVAL at once; what
 * this machine has not is, as with devices, EINVAL at the attach or the first
 * mapping.
 *
 * Storage is allocated by the first mapping (device, or CPU by mmap).  AUTO
 * takes PAGES, LOW_PAGES or CONTIGUOUS, or the POOL that a device has to have;
 * the other kinds only when asked for.
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
	char source[DMABED_NAME_LEN];
	__u32 allowed;
	__u32 reserved2;
	__u64 highest;
	__u64 max_segment_size;
	__u32 max_segments;
	__u32 alignment;
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

/**
 * struct dmabed_migrate - move a buffer now
 * @size: sizeof(struct dmabed_migrate)
 * @flags: 0
 * @fd: the dma-buf, one of this exporter
 * @storage: DMABED_STORAGE_AUTO (chosen anew) or a kind
 * @address: DMABED_STORAGE_FIXED: where, page aligned; otherwise 0
 * @source: as in struct dmabed_export
 *
 * The new storage suits every device that is attached.  Waits for all fences
 * of the buffer.  A buffer without storage is given it.
 */
struct dmabed_migrate {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 storage;
	__u64 address;
	char source[DMABED_NAME_LEN];
};

/**
 * struct dmabed_stats - what the modules hold now, in the whole guest
 * @size: sizeof(struct dmabed_stats)
 * @flags: 0
 * @buffers: out: buffers of this exporter
 * @attachments: out: devices attached to them
 * @mappings: out: device mappings of them
 * @pages: out: pages of storage
 * @jobs: out: jobs of engines, until their result is taken
 * @releases: out: how often a buffer was released, since the module was loaded
 *
 * All but @releases stand in debugfs too, dmabed/live.
 */
struct dmabed_stats {
	__u32 size;
	__u32 flags;
	__u64 buffers;
	__u64 attachments;
	__u64 mappings;
	__u64 pages;
	__u64 jobs;
	__u64 releases;
};

#define DMABED_IOC_EXPORT	_IOWR(DMABED_IOC_MAGIC, 0x40, struct dmabed_export)
#define DMABED_IOC_BUFFER_INFO	_IOWR(DMABED_IOC_MAGIC, 0x41, struct dmabed_buffer_info)
#define DMABED_IOC_MIGRATE	_IOWR(DMABED_IOC_MAGIC, 0x42, struct dmabed_migrate)
#define DMABED_IOC_STATS	_IOWR(DMABED_IOC_MAGIC, 0x43, struct dmabed_stats)

/* ---- calls: /dev/dmabed-calls ---- */

/*
 * What an open file holds (the buffer, maps into the kernel, an attachment,
 * fences, a reservation object) goes with it; slots of fences are counted from 0,
 * what is put into a slot takes the place of what was there.
 * DMABED_CALL_SELECT comes first where a call is of a buffer; mmap() of the file
 * calls dma_buf_mmap() for it, with the offset as given.
 */
#define DMABED_CALL_SELECT		1	/* take the buffer @fd */
#define DMABED_CALL_VMAP		2	/* dma_buf_vmap() */
#define DMABED_CALL_VUNMAP		3
#define DMABED_CALL_VMAP_UNLOCKED	4
#define DMABED_CALL_VUNMAP_UNLOCKED	5
#define DMABED_CALL_VMAP_FILL		6	/* pattern of seed @args[0] */
#define DMABED_CALL_VMAP_COMPARE	7	/* @result: first differing byte or -1 */
#define DMABED_CALL_VMAP_IS_IOMEM	8	/* @result: 0 or 1 */
#define DMABED_CALL_BEGIN_CPU_ACCESS	9	/* direction @args[0] */
#define DMABED_CALL_END_CPU_ACCESS	10	/* direction @args[0] */
#define DMABED_CALL_IS_DYNAMIC		11	/* @result: 0 or 1 */
#define DMABED_CALL_ATTACHMENT_IS_DYNAMIC 12	/* @args[0]: attach dynamically */
#define DMABED_CALL_MAP_UNLOCKED	13	/* attach, map, unmap, direction @args[0] */
#define DMABED_CALL_REFERENCES		14	/* @result: after get_dma_buf(), before */
#define DMABED_CALL_EXPORT_BAD		15	/* what is wrong: @args[0], DMABED_BAD_* */
#define DMABED_CALL_NULL		16	/* function @args[0], DMABED_NULL_* */
#define DMABED_CALL_PIN_STATIC		17	/* dma_buf_pin(), _unpin() of a static one */
#define DMABED_CALL_FILE_OP		18	/* of the buffer, on another file: DMABED_FILE_* */
#define DMABED_CALL_MMAP_FROM		19	/* the next mmap() begins at page @args[0] */

/* one attachment of the file */
#define DMABED_CALL_ATTACH		20	/* @args[0]: DMABED_BY_* */
#define DMABED_CALL_DETACH		21
#define DMABED_CALL_MAP			22	/* direction @args[0]; @result: entries */
#define DMABED_CALL_UNMAP		23	/* direction @args[0] */
#define DMABED_CALL_PIN			24
#define DMABED_CALL_UNPIN		25
#define DMABED_CALL_MOVE		26	/* dma_buf_move_notify() */
#define DMABED_CALL_MOVES		27	/* @result: how often it was told of one */

/* a buffer of one page, made by an exporter with few operations */
#define DMABED_CALL_EXPORT		28	/* @args[0]: DMABED_ODD_*; @result: fd */

/* fences; a timeout is in ns, negative: for ever */
#define DMABED_CALL_FENCE_NEW		32	/* slot, DMABED_FENCE_*, seqno or 0 */
#define DMABED_CALL_FENCE_STUB		33	/* slot, time in ns, 0: the one that is shared */
#define DMABED_CALL_FENCE_FROM_FD	34	/* slot, sync file */
#define DMABED_CALL_FENCE_TO_FD		35	/* slot; @result: a sync file */
#define DMABED_CALL_FENCE_PUT		36	/* slot */
#define DMABED_CALL_FENCE_SIGNAL	37	/* slot, error or 0 */
#define DMABED_CALL_FENCE_STATUS	38	/* slot */
#define DMABED_CALL_FENCE_ENABLE	39	/* slot; @result: signalled */
#define DMABED_CALL_FENCE_WAIT		40	/* slot, timeout, DMABED_WAIT_*; 0: timed out */
#define DMABED_CALL_FENCE_WAIT_ANY	41	/* mask of slots, as above; @result: which */
#define DMABED_CALL_FENCE_SET_DEADLINE	42	/* slot, time in ns */
#define DMABED_CALL_FENCE_DEADLINE	43	/* slot; @result: what it was told last, or 0 */
#define DMABED_CALL_FENCE_ADD_CALLBACK	44	/* slot */
#define DMABED_CALL_FENCE_REMOVE_CALLBACK 45	/* slot; @result: it was in time */
#define DMABED_CALL_FENCE_CALLED	46	/* slot; @result: how often */
#define DMABED_CALL_FENCE_MATCH_CONTEXT	47	/* slot, slot of the context */
#define DMABED_CALL_FENCE_SIGNAL_AND_LOOK 48	/* slot to signal; @result: status of slot */

/* fences of fences */
#define DMABED_CALL_ARRAY		56	/* slot, mask of slots, on any */
#define DMABED_CALL_CHAIN		57	/* slot, slot before or ~0, slot, seqno */
#define DMABED_CALL_CHAIN_FIND		58	/* slot, seqno, slot for what was found */
#define DMABED_CALL_CHAIN_LENGTH	59	/* slot */
#define DMABED_CALL_MERGE		60	/* slot, two slots */
#define DMABED_CALL_UNWRAP		61	/* slot; @result: fences within */
#define DMABED_CALL_ARRAY_ANY		62	/* slot; @result: fences of an array */

/* reservation objects: of the file (@args[0] 0) or of the buffer (1) */
#define DMABED_CALL_RESV_RESERVE	64	/* resv, number */
#define DMABED_CALL_RESV_ADD		65	/* resv, slot, DMABED_USAGE_* */
#define DMABED_CALL_RESV_REPLACE	66	/* resv, slot of the context, slot, usage */
#define DMABED_CALL_RESV_COPY		67	/* to resv, from the other */
#define DMABED_CALL_RESV_SET_DEADLINE	68	/* resv, usage, time in ns */
#define DMABED_CALL_RESV_TEST_SIGNALED	69	/* resv, usage */
#define DMABED_CALL_RESV_WAIT		70	/* resv, usage, timeout, DMABED_WAIT_* */
#define DMABED_CALL_RESV_COUNT		71	/* resv, usage; pending ones */
#define DMABED_CALL_RESV_SINGLETON	72	/* resv, usage, slot */
#define DMABED_CALL_RESV_WALK_AND_GROW	73	/* resv, usage; @result: fences, both rounds */

#define DMABED_FENCE_SLOTS		16

#define DMABED_FENCE_PLAIN		0
#define DMABED_FENCE_WAITS		1	/* has an operation to wait with */
#define DMABED_FENCE_REFUSES		2	/* asked to signal, it says that it has */

#define DMABED_WAIT_INTERRUPTIBLE	0x1
#define DMABED_WAIT_TWICE		0x2	/* once more if interrupted */
#define DMABED_WAIT_NO_INDEX		0x4	/* does not ask which; @result: 0 */

#define DMABED_BY_DYNAMIC		0x1
#define DMABED_BY_P2P			0x2
#define DMABED_BY_UNREGISTERED		0x4	/* for a device that has only an init_name */

#define DMABED_FILE_RELEASE		0
#define DMABED_FILE_MMAP		1
#define DMABED_FILE_LLSEEK		2
#define DMABED_FILE_POLL		3	/* a file without a buffer */
#define DMABED_FILE_POLL_NO_RESV	4

#define DMABED_ODD_OWN_RESV		0x001	/* the reservation object of the file */
#define DMABED_ODD_NO_NAME		0x002	/* no name of the exporter */
#define DMABED_ODD_MAP_NULL		0x004	/* map_dma_buf returns NULL */
#define DMABED_ODD_MAP_FAILS		0x008	/* EIO */
#define DMABED_ODD_DYNAMIC		0x010
#define DMABED_ODD_PIN_FAILS		0x020	/* EBUSY */
#define DMABED_ODD_NO_VMAP		0x040
#define DMABED_ODD_VMAP_FAILS		0x080	/* ENOSPC */
#define DMABED_ODD_IOMEM		0x100	/* vmap says that it is a device's memory */
#define DMABED_ODD_NO_VUNMAP		0x200
#define DMABED_ODD_CACHED		0x400	/* cache_sgt_mapping */
#define DMABED_ODD_OWNER_GOES		0x800	/* its module is being unloaded */
#define DMABED_ODD_LEFT_ATTACHED	0x1000	/* @result 0: given back with an attachment */

#define DMABED_BAD_NONE			0	/* nothing: it works, and is given back */
#define DMABED_BAD_NO_PRIV		1
#define DMABED_BAD_NO_OPS		2
#define DMABED_BAD_NO_MAP		3
#define DMABED_BAD_NO_UNMAP		4
#define DMABED_BAD_NO_RELEASE		5
#define DMABED_BAD_PIN_WITHOUT_UNPIN	6
#define DMABED_BAD_CACHED_AND_PINNED	7
#define DMABED_BAD_CACHED_AND_UNPINNED	8

#define DMABED_NULL_FD			1	/* dma_buf_fd(NULL) */
#define DMABED_NULL_PUT			2
#define DMABED_NULL_ATTACH		3
#define DMABED_NULL_ATTACH_DEVICE	4	/* a buffer, no device */
#define DMABED_NULL_ATTACH_NOTIFY	5	/* importer ops without move_notify */
#define DMABED_NULL_DETACH		6
#define DMABED_NULL_MAP			7
#define DMABED_NULL_MAP_UNLOCKED	8
#define DMABED_NULL_UNMAP		9
#define DMABED_NULL_UNMAP_UNLOCKED	10
#define DMABED_NULL_BEGIN_CPU_ACCESS	11
/* 12: dma_buf_end_cpu_access() warns, and then reads what it was not given */
#define DMABED_NULL_MMAP		13
#define DMABED_NULL_VMAP		14
#define DMABED_NULL_VMAP_UNLOCKED	15
#define DMABED_NULL_VUNMAP		16
#define DMABED_NULL_VUNMAP_UNLOCKED	17
#define DMABED_NULL_FD_FILE		18	/* a buffer without file */
#define DMABED_NULL_PUT_FILE		19
#define DMABED_NULL_DETACH_ATTACHMENT	20	/* a buffer, no attachment */
#define DMABED_NULL_DETACH_OTHER	21	/* an attachment of another buffer */
#define DMABED_NULL_MAP_BUFFER		22	/* an attachment without buffer */
#define DMABED_NULL_MAP_UNLOCKED_BUFFER	23
#define DMABED_NULL_UNMAP_BUFFER	24
#define DMABED_NULL_UNMAP_TABLE		25	/* an attachment, no table */
#define DMABED_NULL_UNMAP_UNLOCKED_BUFFER 26
#define DMABED_NULL_UNMAP_UNLOCKED_TABLE 27
#define DMABED_NULL_MMAP_AREA		28	/* a buffer, no area */
#define DMABED_NULL_FENCE_SIGNAL	29
#define DMABED_NULL_FENCE_SIGNAL_AT	30	/* dma_fence_signal_timestamp() */
#define DMABED_NULL_FENCE_CALLBACK	31
#define DMABED_NULL_FENCE_CALLBACK_FUNC	32	/* a fence, no function */
#define DMABED_NULL_FENCE_WAIT		33	/* timeout -1 */
#define DMABED_NULL_FENCE_WAIT_ANY	34	/* no fences */
#define DMABED_NULL_FENCE_WAIT_ANY_OF_0	35	/* 0 fences */
#define DMABED_NULL_FENCE_WAIT_ANY_TIME	36	/* timeout -1 */
#define DMABED_NULL_RESV_RESERVE	37	/* for 0 fences */
#define DMABED_NULL_FENCE_CONTEXTS	38	/* 0 contexts */
#define DMABED_NULL_SYNC_FILE		39	/* of no fd */
#define DMABED_NULL_CHAIN_WALK		40
#define DMABED_NULL_CHAIN_FIND		41
#define DMABED_NULL_UNWRAP		42
#define DMABED_NULL_ARRAY_NEXT		43

/**
 * struct dmabed_call - call a function of dma-buf
 * @size: sizeof(struct dmabed_call)
 * @flags: 0
 * @function: DMABED_CALL_*
 * @fd: DMABED_CALL_SELECT: the dma-buf; otherwise not looked at
 * @args: what the function wants, otherwise 0
 * @result: out: what it returned, a negative errno for an error
 *
 * The ioctl's own errors are those of a call that cannot be made: EINVAL for an
 * unknown function, EBADF where it is of a buffer and none is selected.  A slot
 * that is none is @result -ERANGE, an empty one -ENOENT, like a vunmap without
 * a vmap and what needs an attachment or a mapping and finds none.  Where the
 * framework warns of an argument, the module says so before in the kernel's log
 * ("dmabed-expect: ").
 */
struct dmabed_call {
	__u32 size;
	__u32 flags;
	__u32 function;
	__s32 fd;
	__u64 args[4];
	__s64 result;
};

#define DMABED_IOC_CALL		_IOWR(DMABED_IOC_MAGIC, 0x60, struct dmabed_call)

#endif /* _UAPI_DMABED_H */
