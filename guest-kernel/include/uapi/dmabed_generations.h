/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * User-space interface of the older generations of dma-buf, which run beside
 * the kernel's own (docs/specs/generations.md).
 *
 *   /dev/dmabed-posted      exporter of the framework as it was posted in 2011
 *   /dev/dmabed-merged      exporter of the framework as it was merged in 2012
 *   /dev/dmabed-posted-off  the first, built with its framework left out
 *
 * They take the ioctls of /dev/dmabed-exporter (dmabed.h) with the same
 * structures, and those below.  An engine attaches to a buffer of theirs with
 * DMABED_ATTACH_POSTED or DMABED_ATTACH_MERGED; all else that it does to an
 * attachment is the same.
 *
 * Rules of every ioctl: as in dmabed.h.  The errno table of dmabed.h holds, and
 *
 *   EBADF       an fd that is none
 *   EINVAL      an fd of another generation, or of any other kind; an export
 *               with an operation missing; a list asked for without an
 *               attachment; an operation that the buffer's exporter has not
 *   EBUSY       an attach that the exporter does not allow any more (after the
 *               first list, or because storage in use cannot move)
 *   EINTR       a signal came while get_scatterlist stalled; nothing was done
 *   ENOENT      no handle with that number in this open file
 *   ENODEV      the framework is left out of this kernel (posted-off); mmap()
 *               of an fd of the merged generation
 *   ENOTTY      an ioctl that this generation does not have, such as
 *               DMA_BUF_IOCTL_SYNC on an fd of either
 */
#ifndef _UAPI_DMABED_GENERATIONS_H
#define _UAPI_DMABED_GENERATIONS_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "dmabed.h"

/* ---- importer: /dev/dmabed/NAME ---- */

#define DMABED_SYNC_FOR_CPU		1
#define DMABED_SYNC_FOR_DEVICE		2

/**
 * struct dmabed_sync - the engine's driver synchronises what it has mapped
 * @size: sizeof(struct dmabed_sync)
 * @flags: 0
 * @attachment: its number; of the posted generation, otherwise EOPNOTSUPP
 * @target: DMABED_SYNC_FOR_CPU or DMABED_SYNC_FOR_DEVICE
 *
 * sync_sg_for_cpu and sync_sg_for_device of the posted generation, which no fd
 * leads to: they take a device, and so belong to its driver.  For all lists of
 * the buffer that this engine holds; without one there is nothing to do.
 * EINVAL when the exporter has no such operation.
 */
struct dmabed_sync {
	__u32 size;
	__u32 flags;
	__u32 attachment;
	__u32 target;
};

#define DMABED_IOC_SYNC		_IOWR(DMABED_IOC_MAGIC, 0x09, struct dmabed_sync)

/* ---- exporters: /dev/dmabed-posted, -merged, -posted-off ---- */

/**
 * struct dmabed_select - choose the buffer that mmap() of this file maps
 * @size: sizeof(struct dmabed_select)
 * @flags: 0
 * @fd: a buffer of this exporter, or -1: none
 * @reserved: 0
 *
 * /dev/dmabed-merged only: the exporter's own way to user space, outside of the
 * framework.  mmap() then takes the offset in the buffer; EBADF without one.
 * The file holds the buffer until it is closed, or selects another.
 */
struct dmabed_select {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct dmabed_handle - a buffer by number, in a table of this open file
 * @size: sizeof(struct dmabed_handle)
 * @flags: DMABED_IOC_HANDLE_TO_FD: 0 or O_CLOEXEC; otherwise 0
 * @handle: its number, from 1
 * @fd: the same buffer as an fd
 *
 * /dev/dmabed-merged only, after the handles of DRM PRIME.
 *
 * DMABED_IOC_FD_TO_HANDLE: @fd in, @handle out; a buffer that is in the table
 * keeps its number, and its count there goes up.
 * DMABED_IOC_HANDLE_TO_FD: @handle in, @fd out, a new one.
 * DMABED_IOC_HANDLE_CLOSE: @handle in; one count less, and 0 frees the number.
 *
 * Closing the file closes all of its handles.
 */
struct dmabed_handle {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__s32 fd;
};

/**
 * struct dmabed_handle_export - make a buffer that has a handle and no fd
 * @size: sizeof(struct dmabed_handle_export)
 * @flags: DMABED_EXPORT_*
 * @length: as in struct dmabed_export
 * @storage: likewise
 * @handle: out: its number
 */
struct dmabed_handle_export {
	__u32 size;
	__u32 flags;
	__u64 length;
	__u32 storage;
	__u32 handle;
};

/**
 * struct dmabed_handle_info - where the buffer of a handle is
 * @size: sizeof(struct dmabed_handle_info)
 * @flags: 0
 * @handle: its number
 * @storage: out: DMABED_STORAGE_NONE or the kind in use
 * @length: out: bytes
 */
struct dmabed_handle_info {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 storage;
	__u64 length;
};

#define DMABED_IOC_SELECT	_IOWR(DMABED_IOC_MAGIC, 0x80, struct dmabed_select)
#define DMABED_IOC_HANDLE_EXPORT \
	_IOWR(DMABED_IOC_MAGIC, 0x81, struct dmabed_handle_export)
#define DMABED_IOC_FD_TO_HANDLE	_IOWR(DMABED_IOC_MAGIC, 0x82, struct dmabed_handle)
#define DMABED_IOC_HANDLE_TO_FD	_IOWR(DMABED_IOC_MAGIC, 0x83, struct dmabed_handle)
#define DMABED_IOC_HANDLE_CLOSE	_IOWR(DMABED_IOC_MAGIC, 0x84, struct dmabed_handle)
#define DMABED_IOC_HANDLE_INFO \
	_IOWR(DMABED_IOC_MAGIC, 0x85, struct dmabed_handle_info)

/*
 * Functions of the framework, called as a driver might, with good and bad
 * arguments: DMABED_IOC_CALL (dmabed.h) on the exporter's device.  @fd is a
 * buffer where "buffer" stands, otherwise not looked at; @result is what the
 * function returned, a negative errno for an error, 0 for a good pointer, which
 * is given back at once.  NULL where a pointer was to be had is -ENODATA.
 */
#define DMABED_OLD_EXPORT		1	/* all is there */
#define DMABED_OLD_EXPORT_NO_PRIV	2
#define DMABED_OLD_EXPORT_NO_OPS	3
#define DMABED_OLD_EXPORT_NO_LIST	4	/* no get_scatterlist, no map */
#define DMABED_OLD_EXPORT_NO_PUT_LIST	5	/* no put_scatterlist, no unmap */
#define DMABED_OLD_EXPORT_NO_RELEASE	6
#define DMABED_OLD_EXPORT_NO_SIZE	7	/* 0 bytes */
#define DMABED_OLD_FD			8	/* buffer: one more fd, the result */
#define DMABED_OLD_FD_NULL		9
#define DMABED_OLD_GET			10	/* buffer: by how much it raises the count */
#define DMABED_OLD_PUT_NULL		11	/* nothing to return: 0 */
#define DMABED_OLD_ATTACH_NULL		12	/* no buffer */
#define DMABED_OLD_ATTACH_NO_DEVICE	13	/* buffer, but no device */
#define DMABED_OLD_DETACH_NULL		14	/* nothing to return: 0 */
#define DMABED_OLD_DETACH_FOREIGN	15	/* buffer, attachment of another: 0 */
#define DMABED_OLD_LIST_NULL		16	/* no attachment */
#define DMABED_OLD_LIST_UNATTACHED	17	/* buffer: attachment not in its list */
#define DMABED_OLD_PUT_BEFORE_DETACH	18	/* last put, then detach: 0 */
#define DMABED_OLD_DETACH_BEFORE_PUT	19	/* the other way round: 0 */
#define DMABED_OLD_REFERENCES		20	/* buffer: references to its file */
#define DMABED_OLD_LIST_BYTES		21	/* buffer: see below */
#define DMABED_OLD_DETACH_HOLDING	22	/* buffer: a list, not put, detach: 0 */

/*
 * DMABED_OLD_LIST_BYTES: a list for the device that attached first, read as a
 * driver reads it that wants the pages: how many bytes do its entries have?  A
 * bare list comes with one count, that of the DMA side, which is smaller where
 * an IOMMU has joined entries; an sg_table has both.  ENOENT without a device.
 */

#endif /* _UAPI_DMABED_GENERATIONS_H */
