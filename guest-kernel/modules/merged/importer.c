// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How an engine uses a merged buffer.
 */
#include <linux/err.h>

#include "merged/merged.h"

static void *importer_get(int fd)
{
	return merged_buf_get(fd);
}

static void importer_put(void *buffer)
{
	merged_buf_put(buffer);
}

static size_t importer_size(void *buffer)
{
	return ((struct merged_buf *)buffer)->size;
}

static void *importer_attach(void *buffer, struct device *dev, u32 flags,
			     void *priv)
{
	return merged_buf_attach(buffer, dev);
}

static void importer_detach(void *buffer, void *attach)
{
	merged_buf_detach(buffer, attach);
}

static struct sg_table *importer_map(void *attach,
				     enum dma_data_direction direction)
{
	return merged_map_attachment(attach, direction);
}

static void importer_unmap(void *attach, struct sg_table *table,
			   enum dma_data_direction direction)
{
	merged_unmap_attachment(attach, table);
}

struct dmabed_importer merged_importer = {
	.owner = THIS_MODULE,
	.flag = DMABED_ATTACH_MERGED,
	.get = importer_get,
	.put = importer_put,
	.size = importer_size,
	.attach = importer_attach,
	.detach = importer_detach,
	.map = importer_map,
	.unmap = importer_unmap,
};
