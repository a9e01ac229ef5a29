/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The posted generation.
 *
 * buf.h, buf.c  the framework: file, references, attachments
 * exporter.c    buffers: late allocation, stall and move
 * cpu.c         mmap
 * importer.c    how engines use its buffers
 * calls.c       what core/generation_calls.h needs of it
 * chardev.c     /dev/dmabed-posted
 * sabotage.c    switches, and the defects of the posted text
 * main.c        the module
 *
 * Locking: the buffer's mutex guards its attachments, as the text says, and
 * here also all of struct posted_buffer.  The framework takes it around attach
 * and detach; get and put of a list, mmap faults and ioctls take it themselves.
 * Whoever stalls lets go of it meanwhile, or nobody could put.
 */
#ifndef DMABED_POSTED_H
#define DMABED_POSTED_H

#include <linux/wait.h>

#include "core/core.h"
#include "core/importer.h"
#include "posted/buf.h"

/**
 * struct posted_buffer - a buffer of our exporter
 * @buf: the framework's side
 * @backing: the storage
 * @lists: lists that users hold (&struct dmabed_device_mapping)
 * @moving: somebody waits until there are none, so nobody gets one
 * @idle: woken when a list is put, or a move has ended
 * @ops: of this buffer, as some are absent on request
 */
struct posted_buffer {
	struct posted_buf *buf;
	struct dmabed_backing backing;
	struct list_head lists;
	bool moving;
	wait_queue_head_t idle;
	struct posted_buf_ops ops;
};

/* ---- exporter.c ---- */

struct posted_buf *posted_buffer_export(const struct dmabed_export *request);
struct posted_buffer *posted_buffer_of(struct posted_buf *buf);
int posted_buffer_place(struct posted_buffer *buffer, struct device *dev);
int posted_buffer_info(struct posted_buffer *buffer,
		       struct dmabed_buffer_info *info,
		       struct dmabed_segment *segments, u32 room);
int posted_buffer_migrate(struct posted_buffer *buffer,
			  const struct dmabed_place *place);
u64 posted_buffer_releases(void);

/* ---- cpu.c ---- */

int posted_mmap(struct posted_buf *buf, struct vm_area_struct *vma);

/* ---- importer.c ---- */

extern struct dmabed_importer posted_importer;

/* ---- calls.c ---- */

int posted_run_call(void *context, void *argument);

/* ---- chardev.c ---- */

int posted_chardev_register(void);
void posted_chardev_unregister(void);

/* ---- sabotage.c ---- */

/* in the order of docs/specs/generations.md */
enum posted_sabotage {
	POSTED_SHORT_BUFFER = 1,
	POSTED_OTHER_PROCESS_REFUSED,
	POSTED_ERRORS_SWAPPED,
	POSTED_PUT_KEEPS,
	POSTED_ATTACH_ERROR_LOST,
	POSTED_LIST_WITHOUT_ATTACH,
	POSTED_EARLY_ALLOCATION,
	POSTED_ONE_READER,
	POSTED_PUT_LIST_KEEPS,
	POSTED_NO_STALL,
	POSTED_LATE_ATTACH_ALLOWED,
	POSTED_WRONG_PAGE,
	POSTED_MMAP_ALWAYS,
	POSTED_SYNC_DOES_NOTHING,
	POSTED_LEAK_ATTACHMENT,
	POSTED_OTHER_ERROR,
};

/* likewise */
enum posted_defect {
	POSTED_EXPORT_BUG_ON = 1,
	POSTED_EXPORT_RETURNS_NULL,
	POSTED_OPS_UNCHECKED,
	POSTED_ANON_FILE_UNCHECKED,
	POSTED_SIZE_UNSET,
	POSTED_FD_UNCHECKED,
	POSTED_FD_WITHOUT_CLOEXEC,
	POSTED_FD_STEALS_REFERENCE,
	POSTED_PUT_BUG_ON,
	POSTED_ATTACH_INVERTED_TEST,
	POSTED_ATTACH_DMABUF_UNSET,
	POSTED_ATTACH_RETURNS_NULL,
	POSTED_ATTACH_BUG_ON,
	POSTED_DETACH_BUG_ON,
	POSTED_DETACH_UNCHECKED,
	POSTED_GET_RETURNS_NULL,
	POSTED_GET_UNLOCKED,
	POSTED_STALL_UNINTERRUPTIBLE,
	POSTED_ATTACH_WITHOUT_REFERENCE,
	POSTED_DETACH_FORGETS_LISTS,
	POSTED_NO_OWNER,
	POSTED_MMAP_UNBOUNDED,
	POSTED_SYNC_UNCHECKED,
	POSTED_PUT_WITHOUT_DIRECTION,
};

bool posted_sabotaged(enum posted_sabotage which);
bool posted_defect(enum posted_defect which);
bool posted_alloc_fails(void);

#endif /* DMABED_POSTED_H */
