// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How an engine uses a posted buffer.  What it gets is a bare list, which is
 * put into a table so that the rest of the driver is the same.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <uapi/dmabed_generations.h>

#include "posted/posted.h"

static void *importer_get(int fd)
{
	return posted_buf_get(fd);
}

static void importer_put(void *buffer)
{
	posted_buf_put(buffer);
}

static size_t importer_size(void *buffer)
{
	return ((struct posted_buf *)buffer)->size;
}

static void *importer_attach(void *buffer, struct device *dev, u32 flags,
			     void *priv)
{
	return posted_buf_attach(buffer, dev);
}

static void importer_detach(void *buffer, void *attach)
{
	posted_buf_detach(buffer, attach);
}

static struct sg_table *importer_map(void *attach,
				     enum dma_data_direction direction)
{
	struct sg_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	struct scatterlist *list;
	int nents;

	if (!table)
		return ERR_PTR(-ENOMEM);
	list = posted_get_scatterlist(attach, direction, &nents);
	if (IS_ERR(list)) {
		kfree(table);
		return ERR_CAST(list);
	}
	/* one count is all there is */
	table->sgl = list;
	table->nents = nents;
	table->orig_nents = nents;
	return table;
}

static void importer_unmap(void *attach, struct sg_table *table,
			   enum dma_data_direction direction)
{
	posted_put_scatterlist(attach, table->sgl, table->nents);
	kfree(table);
}

static int importer_sync(void *attach, u32 target)
{
	struct posted_attachment *ours = attach;

	if (!ours || !ours->buf)
		return -EINVAL;
	if (target == DMABED_SYNC_FOR_CPU)
		return posted_sync_for_cpu(ours->buf, ours->dev);
	return posted_sync_for_device(ours->buf, ours->dev);
}

struct dmabed_importer posted_importer = {
	.owner = THIS_MODULE,
	.flag = DMABED_ATTACH_POSTED,
	.get = importer_get,
	.put = importer_put,
	.size = importer_size,
	.attach = importer_attach,
	.detach = importer_detach,
	.map = importer_map,
	.unmap = importer_unmap,
	.sync = importer_sync,
};
