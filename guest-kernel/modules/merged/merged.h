/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The merged generation.
 *
 * buf.h, buf.c  the framework: file, references, attachments, tables
 * exporter.c    buffers: late allocation, moves between mappings
 * mmap.c        the exporter's own way to user space, outside of the framework
 * handles.c     buffers by number in an open file, as DRM PRIME has them
 * importer.c    how engines use its buffers
 * calls.c       what core/generation_calls.h needs of it
 * chardev.c     /dev/dmabed-merged
 * sabotage.c    switches that break something on purpose
 * main.c        the module
 *
 * Locking: the buffer's mutex guards its attachments, and here also all of
 * struct merged_buffer.  The framework holds it around map and unmap, so an
 * exporter that waited in map for an unmap would wait for ever; what cannot be
 * had at once is -EBUSY.
 *
 *   client->lock     handles and the selected buffer of an open file
 *   merged_buf->lock
 */
#ifndef DMABED_MERGED_H
#define DMABED_MERGED_H

#include <linux/mutex.h>
#include <linux/xarray.h>

#include "core/core.h"
#include "core/importer.h"
#include "merged/buf.h"

/**
 * struct merged_buffer - a buffer of our exporter
 * @buf: the framework's side
 * @backing: the storage
 * @tables: tables that users hold (&struct dmabed_device_mapping)
 * @ops: of this buffer, as some are absent on request
 */
struct merged_buffer {
	struct merged_buf *buf;
	struct dmabed_backing backing;
	struct list_head tables;
	struct merged_buf_ops ops;
};

/* ---- exporter.c ---- */

struct merged_buf *merged_buffer_export(const struct dmabed_export *request);
struct merged_buffer *merged_buffer_of(struct merged_buf *buf);
int merged_buffer_place(struct merged_buffer *buffer, struct device *dev);
int merged_buffer_info(struct merged_buffer *buffer,
		       struct dmabed_buffer_info *info,
		       struct dmabed_segment *segments, u32 room);
int merged_buffer_migrate(struct merged_buffer *buffer,
			  const struct dmabed_place *place);
u64 merged_buffer_releases(void);

/* ---- handles.c ---- */

/**
 * struct merged_client - an open file
 * @lock: for all below
 * @handles: buffers by number (&struct merged_handle)
 * @selected: the buffer that mmap() maps, referenced, or NULL
 */
struct merged_client {
	struct mutex lock;	/* see above */
	struct xarray handles;
	struct merged_buf *selected;
};

int merged_run_handle_export(void *context, void *argument);
int merged_run_fd_to_handle(void *context, void *argument);
int merged_run_handle_to_fd(void *context, void *argument);
int merged_run_handle_close(void *context, void *argument);
int merged_run_handle_info(void *context, void *argument);
void merged_handles_init(struct merged_client *client);
void merged_handles_drop(struct merged_client *client);

/* ---- mmap.c ---- */

int merged_run_select(void *context, void *argument);
int merged_mmap(struct merged_client *client, struct vm_area_struct *vma);
void merged_zap(struct merged_buffer *buffer);

/* ---- importer.c ---- */

extern struct dmabed_importer merged_importer;

/* ---- calls.c ---- */

int merged_run_call(void *context, void *argument);

/* ---- chardev.c ---- */

int merged_check_export(struct dmabed_export *request);
int merged_chardev_register(void);
void merged_chardev_unregister(void);

/* ---- sabotage.c ---- */

/* in the order of docs/specs/generations.md */
enum merged_sabotage {
	MERGED_TABLE_WITHOUT_ATTACH = 1,
	MERGED_SHORT_TABLE,
	MERGED_HAS_MMAP,
	MERGED_EARLY_ALLOCATION,
	MERGED_FIRST_DEVICE_ONLY,
	MERGED_GLOBAL_HANDLES,
	MERGED_HANDLES_SURVIVE,
};

bool merged_sabotaged(enum merged_sabotage which);
bool merged_alloc_fails(void);

#endif /* DMABED_MERGED_H */
