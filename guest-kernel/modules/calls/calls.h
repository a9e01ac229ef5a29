/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/dmabed-calls: functions of dma-buf.h that no engine calls by itself.
 *
 * main.c       the device, and which call is which
 * vmap.c       maps into the kernel
 * attach.c     attachments that live as long as the call
 * arguments.c  what the framework refuses
 */
#ifndef DMABED_CALLS_H
#define DMABED_CALLS_H

#include <linux/dma-buf.h>
#include <linux/iosys-map.h>
#include <linux/mutex.h>
#include <uapi/dmabed.h>

/**
 * struct dmabed_calls - an open file
 * @lock: for all below
 * @dmabuf: the buffer selected, referenced, or NULL
 * @map: of the buffer into the kernel, while @maps is not 0
 * @maps: how often it is mapped
 */
struct dmabed_calls {
	struct mutex lock;	/* calls of a file run one by one */
	struct dma_buf *dmabuf;
	struct iosys_map map;
	unsigned int maps;
};

/* What a call returns, to be told as its result. */
typedef s64 (*dmabed_call_fn)(struct dmabed_calls *calls, const u64 *args);

struct device *dmabed_calls_device(void);

/* ---- vmap.c ---- */

s64 dmabed_call_vmap(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vunmap(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vmap_unlocked(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vunmap_unlocked(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vmap_fill(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vmap_compare(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_vmap_is_iomem(struct dmabed_calls *calls, const u64 *args);
void dmabed_calls_vunmap_all(struct dmabed_calls *calls);

/* ---- attach.c ---- */

s64 dmabed_call_attachment_is_dynamic(struct dmabed_calls *calls,
				      const u64 *args);
s64 dmabed_call_map_unlocked(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_pin_static(struct dmabed_calls *calls, const u64 *args);

/* ---- arguments.c ---- */

void dmabed_expect_warning(const char *function);
s64 dmabed_call_export_bad(struct dmabed_calls *calls, const u64 *args);
s64 dmabed_call_null(struct dmabed_calls *calls, const u64 *args);

#endif /* DMABED_CALLS_H */
