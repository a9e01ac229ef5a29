// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What calls of the framework's functions need of this generation
 * (core/generation_calls.h).  Also built with the framework left out.
 */
#include <linux/device.h>
#include <linux/fcntl.h>
#include <linux/mm.h>

#include "core/generation_calls.h"
#include "posted/posted.h"

/* ---- an exporter that has the least ---- */

static struct scatterlist *least_get(struct posted_attachment *attach,
				     enum dma_data_direction direction,
				     int *nents)
{
	return ERR_PTR(-EIO);
}

static void least_put(struct posted_attachment *attach,
		      struct scatterlist *list, int nents)
{
}

static void least_release(struct posted_buf *buf)
{
}

/* Static, as a buffer that should not be is released only after the call. */
static const struct posted_buf_ops least_ops[] = {
	[DMABED_LACKING_NOTHING] = {
		.owner = THIS_MODULE,
		.get_scatterlist = least_get,
		.put_scatterlist = least_put,
		.release = least_release,
	},
	[DMABED_LACKING_LIST] = {
		.owner = THIS_MODULE,
		.put_scatterlist = least_put,
		.release = least_release,
	},
	[DMABED_LACKING_PUT_LIST] = {
		.owner = THIS_MODULE,
		.get_scatterlist = least_get,
		.release = least_release,
	},
	[DMABED_LACKING_RELEASE] = {
		.owner = THIS_MODULE,
		.get_scatterlist = least_get,
		.put_scatterlist = least_put,
	},
};

static void *export_lacking(void *priv, enum dmabed_lacking lacking,
			    size_t size)
{
	const struct posted_buf_ops *ops = NULL;

	if (lacking != DMABED_LACKING_OPS)
		ops = &least_ops[lacking];
	return posted_buf_export(priv, ops, size, O_RDWR);
}

/* ---- buffers ---- */

static int another_fd(void *buffer)
{
	return posted_buf_fd(buffer, O_CLOEXEC);
}

static struct file *file_of(void *buffer)
{
	struct posted_buf *buf = buffer;

	return buf->file;
}

static struct device *first_device(void *buffer)
{
	struct posted_buf *buf = buffer;
	struct posted_attachment *first;
	struct device *dev = NULL;

	mutex_lock(&buf->lock);
	first = list_first_entry_or_null(&buf->attachments,
					 struct posted_attachment, node);
	if (first)
		dev = get_device(first->dev);
	mutex_unlock(&buf->lock);
	return dev;
}

/* ---- lists ---- */

/* One count is all there is: that of the DMA side. */
static s64 list_bytes(void *attach, bool put)
{
	struct scatterlist *list, *sg;
	s64 bytes = 0;
	int nents, i;

	list = posted_get_scatterlist(attach, DMA_TO_DEVICE, &nents);
	if (IS_ERR_OR_NULL(list))
		return dmabed_result_of(list);
	for_each_sg(list, sg, nents, i)
		bytes += sg->length;
	if (put)
		posted_put_scatterlist(attach, list, nents);
	return bytes;
}

static s64 list_unattached(void *buffer, struct device *dev)
{
	struct posted_attachment attach = { .buf = buffer, .dev = dev };

	return list_bytes(&attach, true);
}

static const struct dmabed_framework framework = {
	.importer = &posted_importer,
	.export = export_lacking,
	.fd = another_fd,
	.file = file_of,
	.first_device = first_device,
	.list_bytes = list_bytes,
	.list_unattached = list_unattached,
	.lists = DMABED_LIVE_POSTED_LISTS,
};

/**
 * posted_run_call - DMABED_IOC_CALL
 * @context: nothing
 * @argument: struct dmabed_call
 */
int posted_run_call(void *context, void *argument)
{
	return dmabed_run_call(&framework, argument);
}
