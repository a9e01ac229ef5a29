/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The framework as it was posted in 2011 (RFC v3), under names of its own.
 *
 * An exporter makes a buffer, and gets a file descriptor for it.  Users take
 * the buffer from the fd, attach their device, ask for the list of its pages
 * when they begin an access, and put the list when the access has ended.
 *
 * Errors, which the text leaves to each function, are one convention here: a
 * function that returns a pointer returns an error pointer, never NULL.
 *
 * With DMABED_POSTED_OFF the framework is left out: every call says -ENODEV.
 */
#ifndef DMABED_POSTED_BUF_H
#define DMABED_POSTED_BUF_H

#include <linux/dma-direction.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

struct device;
struct file;
struct posted_buf;
struct vm_area_struct;

/**
 * struct posted_attachment - a device that uses a buffer
 * @buf: the buffer
 * @file: the reference to it
 * @dev: the device
 * @node: in the buffer's list
 * @priv: for the exporter
 */
struct posted_attachment {
	struct posted_buf *buf;
	struct file *file;
	struct device *dev;
	struct list_head node;
	void *priv;
};

/**
 * struct posted_buf_ops - what an exporter does
 * @owner: its module, which stays as long as the buffer (not in the text)
 * @attach: a device comes; an error refuses it: -EBUSY when storage is in use
 *	that does not suit, -EINVAL when none can. Optional; the buffer's lock
 *	is held
 * @detach: a device goes, with all lists that it still has. Optional; likewise
 * @get_scatterlist: the list, mapped for the device; the number of its entries
 *	counts those for DMA. May sleep until others have put theirs: -EINTR
 * @put_scatterlist: the access has ended. There is no direction: the exporter
 *	remembers that of the get
 * @mmap: map into a process. Optional
 * @release: the last reference has gone
 * @sync_sg_for_cpu: bring what the device wrote. Optional, with the next
 * @sync_sg_for_device: show the device what the CPU wrote
 */
struct posted_buf_ops {
	struct module *owner;
	int (*attach)(struct posted_buf *buf, struct device *dev,
		      struct posted_attachment *attach);
	void (*detach)(struct posted_buf *buf,
		       struct posted_attachment *attach);
	struct scatterlist *(*get_scatterlist)(struct posted_attachment *attach,
					       enum dma_data_direction direction,
					       int *nents);
	void (*put_scatterlist)(struct posted_attachment *attach,
				struct scatterlist *list, int nents);
	int (*mmap)(struct posted_buf *buf, struct vm_area_struct *vma);
	void (*release)(struct posted_buf *buf);
	void (*sync_sg_for_cpu)(struct posted_buf *buf, struct device *dev);
	void (*sync_sg_for_device)(struct posted_buf *buf, struct device *dev);
};

/**
 * struct posted_buf - a shared buffer
 * @size: bytes, fixed at the export
 * @file: what an fd stands for, and what counts references
 * @attachments: the devices (&struct posted_attachment)
 * @ops: the exporter
 * @lock: for @attachments, and for whatever the exporter guards with it
 * @priv: for the exporter
 * @owner: the exporter's module, referenced
 * @exporting: thread group that exported, for a sabotage
 */
struct posted_buf {
	size_t size;
	struct file *file;
	struct list_head attachments;
	const struct posted_buf_ops *ops;
	struct mutex lock;		/* see above */
	void *priv;
	struct module *owner;
	pid_t exporting;
};

#ifndef DMABED_POSTED_OFF

struct posted_buf *posted_buf_export(void *priv,
				     const struct posted_buf_ops *ops,
				     size_t size, int flags);
int posted_buf_fd(struct posted_buf *buf, int flags);
struct posted_buf *posted_buf_get(int fd);
void posted_buf_put(struct posted_buf *buf);
struct posted_attachment *posted_buf_attach(struct posted_buf *buf,
					    struct device *dev);
void posted_buf_detach(struct posted_buf *buf,
		       struct posted_attachment *attach);
struct scatterlist *posted_get_scatterlist(struct posted_attachment *attach,
					   enum dma_data_direction direction,
					   int *nents);
void posted_put_scatterlist(struct posted_attachment *attach,
			    struct scatterlist *list, int nents);
int posted_sync_for_cpu(struct posted_buf *buf, struct device *dev);
int posted_sync_for_device(struct posted_buf *buf, struct device *dev);

#else

int posted_off_error(void);

static inline struct posted_buf *
posted_buf_export(void *priv, const struct posted_buf_ops *ops, size_t size,
		  int flags)
{
	return ERR_PTR(posted_off_error());
}

static inline int posted_buf_fd(struct posted_buf *buf, int flags)
{
	return posted_off_error();
}

static inline struct posted_buf *posted_buf_get(int fd)
{
	return ERR_PTR(posted_off_error());
}

static inline void posted_buf_put(struct posted_buf *buf)
{
}

static inline struct posted_attachment *
posted_buf_attach(struct posted_buf *buf, struct device *dev)
{
	return ERR_PTR(posted_off_error());
}

static inline void posted_buf_detach(struct posted_buf *buf,
				     struct posted_attachment *attach)
{
}

static inline struct scatterlist *
posted_get_scatterlist(struct posted_attachment *attach,
		       enum dma_data_direction direction, int *nents)
{
	return ERR_PTR(posted_off_error());
}

static inline void posted_put_scatterlist(struct posted_attachment *attach,
					  struct scatterlist *list, int nents)
{
}

static inline int posted_sync_for_cpu(struct posted_buf *buf,
				      struct device *dev)
{
	return posted_off_error();
}

static inline int posted_sync_for_device(struct posted_buf *buf,
					 struct device *dev)
{
	return posted_off_error();
}

#endif /* DMABED_POSTED_OFF */

#endif /* DMABED_POSTED_BUF_H */
