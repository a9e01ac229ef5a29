/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The framework as it was merged in 2012 (v3.3), under names of its own.
 *
 * Against the posted one: a table (&struct sg_table) in the place of a bare
 * list; map and unmap, which the framework does under the buffer's mutex; the
 * size is an argument of the export; no mmap and no CPU access.
 *
 * A function that returns a pointer returns an error pointer, never NULL.
 */
#ifndef DMABED_MERGED_BUF_H
#define DMABED_MERGED_BUF_H

#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

struct device;
struct file;
struct merged_buf;

/**
 * struct merged_attachment - a device that uses a buffer
 * @buf: the buffer
 * @dev: the device
 * @node: in the buffer's list
 * @priv: for the exporter
 */
struct merged_attachment {
	struct merged_buf *buf;
	struct device *dev;
	struct list_head node;
	void *priv;
};

/**
 * struct merged_buf_ops - what an exporter does; all under the buffer's mutex,
 * but @release
 * @owner: its module, which stays as long as the buffer
 * @attach: a device comes; an error refuses it. Optional
 * @detach: a device goes. Optional
 * @map: the table, mapped for the device
 * @unmap: its end; there was no direction before 3.4
 * @release: the last reference has gone
 */
struct merged_buf_ops {
	struct module *owner;
	int (*attach)(struct merged_buf *buf, struct device *dev,
		      struct merged_attachment *attach);
	void (*detach)(struct merged_buf *buf,
		       struct merged_attachment *attach);
	struct sg_table *(*map)(struct merged_attachment *attach,
				enum dma_data_direction direction);
	void (*unmap)(struct merged_attachment *attach,
		      struct sg_table *table);
	void (*release)(struct merged_buf *buf);
};

/**
 * struct merged_buf - a shared buffer
 * @size: bytes
 * @file: what an fd stands for, and what counts references
 * @attachments: the devices (&struct merged_attachment)
 * @ops: the exporter
 * @lock: for @attachments, and around all operations of the exporter
 * @priv: for the exporter
 */
struct merged_buf {
	size_t size;
	struct file *file;
	struct list_head attachments;
	const struct merged_buf_ops *ops;
	struct mutex lock;		/* see above */
	void *priv;
};

struct merged_buf *merged_buf_export(void *priv,
				     const struct merged_buf_ops *ops,
				     size_t size, int flags);
int merged_buf_fd(struct merged_buf *buf);
struct merged_buf *merged_buf_get(int fd);
void merged_buf_put(struct merged_buf *buf);
struct merged_attachment *merged_buf_attach(struct merged_buf *buf,
					    struct device *dev);
void merged_buf_detach(struct merged_buf *buf,
		       struct merged_attachment *attach);
struct sg_table *merged_map_attachment(struct merged_attachment *attach,
				       enum dma_data_direction direction);
void merged_unmap_attachment(struct merged_attachment *attach,
			     struct sg_table *table);

#endif /* DMABED_MERGED_BUF_H */
