// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What calls of the framework's functions need of this generation
 * (core/generation_calls.h).
 */
#include <linux/device.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mm.h>

#include "core/generation_calls.h"
#include "merged/merged.h"

/* ---- an exporter that has the least ---- */

static struct sg_table *least_map(struct merged_attachment *attach,
				  enum dma_data_direction direction)
{
	return ERR_PTR(-EIO);
}

static void least_unmap(struct merged_attachment *attach,
			struct sg_table *table)
{
}

static void least_release(struct merged_buf *buf)
{
}

/* Static, as a buffer that should not be is released only after the call. */
static const struct merged_buf_ops least_ops[] = {
	[DMABED_LACKING_NOTHING] = {
		.owner = THIS_MODULE,
		.map = least_map,
		.unmap = least_unmap,
		.release = least_release,
	},
	[DMABED_LACKING_LIST] = {
		.owner = THIS_MODULE,
		.unmap = least_unmap,
		.release = least_release,
	},
	[DMABED_LACKING_PUT_LIST] = {
		.owner = THIS_MODULE,
		.map = least_map,
		.release = least_release,
	},
	[DMABED_LACKING_RELEASE] = {
		.owner = THIS_MODULE,
		.map = least_map,
		.unmap = least_unmap,
	},
};

static void *export_lacking(void *priv, enum dmabed_lacking lacking,
			    size_t size)
{
	const struct merged_buf_ops *ops = NULL;

	if (lacking != DMABED_LACKING_OPS)
		ops = &least_ops[lacking];
	return merged_buf_export(priv, ops, size, O_RDWR);
}

/* ---- buffers ---- */

/* The fd takes a reference along, so it is given one. */
static int another_fd(void *buffer)
{
	struct merged_buf *buf = buffer;
	int fd;

	if (buf)
		get_file(buf->file);
	fd = merged_buf_fd(buf);
	if (fd < 0)
		merged_buf_put(buf);
	return fd;
}

static struct file *file_of(void *buffer)
{
	struct merged_buf *buf = buffer;

	return buf->file;
}

static struct device *first_device(void *buffer)
{
	struct merged_buf *buf = buffer;
	struct merged_attachment *first;
	struct device *dev = NULL;

	mutex_lock(&buf->lock);
	first = list_first_entry_or_null(&buf->attachments,
					 struct merged_attachment, node);
	if (first)
		dev = get_device(first->dev);
	mutex_unlock(&buf->lock);
	return dev;
}

/* ---- tables ---- */

/* The entries as the CPU has them: a table counts both sides. */
static s64 table_bytes(void *attach, bool put)
{
	struct sg_table *table = merged_map_attachment(attach, DMA_TO_DEVICE);
	struct scatterlist *sg;
	s64 bytes = 0;
	int i;

	if (IS_ERR_OR_NULL(table))
		return dmabed_result_of(table);
	for_each_sgtable_sg(table, sg, i)
		bytes += sg->length;
	if (put)
		merged_unmap_attachment(attach, table);
	return bytes;
}

static s64 table_unattached(void *buffer, struct device *dev)
{
	struct merged_attachment attach = { .buf = buffer, .dev = dev };

	return table_bytes(&attach, true);
}

static const struct dmabed_framework framework = {
	.importer = &merged_importer,
	.export = export_lacking,
	.fd = another_fd,
	.file = file_of,
	.first_device = first_device,
	.list_bytes = table_bytes,
	.list_unattached = table_unattached,
	.lists = DMABED_LIVE_MERGED_TABLES,
};

/**
 * merged_run_call - DMABED_IOC_CALL
 * @context: nothing
 * @argument: struct dmabed_call
 */
int merged_run_call(void *context, void *argument)
{
	return dmabed_run_call(&framework, argument);
}
