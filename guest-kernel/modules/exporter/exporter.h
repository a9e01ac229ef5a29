/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exporter of the current generation: the backing-store core behind the
 * kernel's own dma-buf.
 *
 * buffer.c   a buffer: making, attaching, pinning, migration, release
 * dma.c      device mappings
 * cpu.c      begin and end of CPU access, mmap, vmap
 * chardev.c  /dev/dmabed-exporter
 * sabotage.c switches that break something on purpose
 * main.c     the module
 *
 * Locking: the buffer's reservation lock guards all of struct dmabed_buffer.
 * dma-buf takes it around pin, unpin, map, unmap, vmap and vunmap; attach,
 * detach, CPU access, page faults and our ioctls take it themselves.  Nothing
 * copies to or from user space under it, as a page fault takes it inside the
 * lock of the address space.
 */
#ifndef DMABED_EXPORTER_H
#define DMABED_EXPORTER_H

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/scatterlist.h>

#include "core/core.h"

/**
 * struct dmabed_buffer - a buffer
 * @dmabuf: the framework's side
 * @backing: storage and who is attached
 * @mappings: device mappings that exist, also those of storage moved away from
 * @attachments: devices attached
 * @pins: how often it is pinned
 * @vmapped: the kernel has it mapped, so that it cannot move
 * @ops: of this buffer, as some are absent on request
 * @decoy: what a sabotaged vmap shows in the place of the first page
 */
struct dmabed_buffer {
	struct dma_buf *dmabuf;
	struct dmabed_backing backing;
	struct list_head mappings;
	u32 attachments;
	u32 pins;
	bool vmapped;
	struct dma_buf_ops ops;
	struct page *decoy;
};

/* ---- buffer.c ---- */

struct dma_buf *dmabed_buffer_export(const struct dmabed_export *request);
struct dmabed_buffer *dmabed_buffer_of(struct dma_buf *dmabuf);
int dmabed_buffer_info(struct dmabed_buffer *buffer,
		       struct dmabed_buffer_info *info,
		       struct dmabed_segment *segments, u32 room);
int dmabed_buffer_migrate(struct dmabed_buffer *buffer,
			  const struct dmabed_place *place);
u64 dmabed_buffer_releases(void);

/* ---- dma.c ---- */

struct sg_table *dmabed_map_dma_buf(struct dma_buf_attachment *attach,
				    enum dma_data_direction direction);
void dmabed_unmap_dma_buf(struct dma_buf_attachment *attach,
			  struct sg_table *sgt,
			  enum dma_data_direction direction);
void dmabed_sync_for_cpu(struct dmabed_buffer *buffer);
void dmabed_sync_for_device(struct dmabed_buffer *buffer);

/* ---- cpu.c ---- */

int dmabed_begin_cpu_access(struct dma_buf *dmabuf,
			    enum dma_data_direction direction);
int dmabed_end_cpu_access(struct dma_buf *dmabuf,
			  enum dma_data_direction direction);
int dmabed_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma);
int dmabed_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
void dmabed_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);
void dmabed_zap_cpu_mappings(struct dmabed_buffer *buffer);

/* ---- sabotage.c ---- */

/* in the order of docs/sabotage.md */
enum dmabed_exporter_sabotage {
	DMABED_EXPORTER_MOVE_PINNED = 1,
	DMABED_EXPORTER_MOVE_VMAPPED,
	DMABED_EXPORTER_FORGET_PIN,
	DMABED_EXPORTER_NO_MOVE_NOTIFY,
	DMABED_EXPORTER_NO_FENCE_WAIT,
	DMABED_EXPORTER_NO_ZAP,
	DMABED_EXPORTER_NO_BEGIN_SYNC,
	DMABED_EXPORTER_NO_END_SYNC,
	DMABED_EXPORTER_FAIL_BEGIN,
	DMABED_EXPORTER_WRONG_PAGE,
	DMABED_EXPORTER_WRONG_VMAP,
	DMABED_EXPORTER_SHORT_BUFFER,
	DMABED_EXPORTER_ACCEPT_ANY_SIZE,
	DMABED_EXPORTER_WRONG_EXPORTER_NAME,
	DMABED_EXPORTER_CLOEXEC_IGNORED,
	DMABED_EXPORTER_P2P_NEVER,
	DMABED_EXPORTER_P2P_ALWAYS,
	DMABED_EXPORTER_NO_OWNER,
	DMABED_EXPORTER_LEAK_ATTACHMENT,
	DMABED_EXPORTER_LEAK_MAPPING,
	DMABED_EXPORTER_LEAK_UNCOUNTED,
	DMABED_EXPORTER_WAIT_IN_MAP,
	DMABED_EXPORTER_IGNORE_BOOKKEEP,
};

bool dmabed_exporter_sabotaged(enum dmabed_exporter_sabotage which);

/* ---- chardev.c ---- */

int dmabed_exporter_register(void);
void dmabed_exporter_unregister(void);

#endif /* DMABED_EXPORTER_H */
