// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Buffers of the merged generation.
 *
 * Storage is chosen when the first table is asked for, by all devices that are
 * attached.  It moves between mappings only: whether it does at all is the
 * exporter's choice, and waiting is not possible under the framework's mutex.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "merged/merged.h"

/* ---- the devices ---- */

static int collect_devices(struct merged_buffer *buffer, struct device *dev)
{
	bool alone = dev && merged_sabotaged(MERGED_FIRST_DEVICE_ONLY);
	struct merged_attachment *attach;
	int ret;

	lockdep_assert_held(&buffer->buf->lock);
	list_for_each_entry(attach, &buffer->buf->attachments, node) {
		if (alone && attach->dev != dev)
			continue;
		ret = dmabed_backing_add_device(&buffer->backing, attach->dev);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * merged_buffer_place - have storage that suits a device
 * @buffer: the buffer, locked
 * @dev: one of the devices attached, or NULL for the CPU
 *
 * Return: as dmabed_backing_place().
 */
int merged_buffer_place(struct merged_buffer *buffer, struct device *dev)
{
	struct dmabed_backing_user user = { .dev = dev };
	int ret = collect_devices(buffer, dev);

	if (!ret)
		ret = dmabed_backing_place(&buffer->backing, dev ? &user : NULL);
	dmabed_backing_forget_devices(&buffer->backing);
	return ret;
}

/* ---- attach and detach ---- */

static int buffer_attach(struct merged_buf *buf, struct device *dev,
			 struct merged_attachment *attach)
{
	struct merged_buffer *buffer = buf->priv;
	struct dmabed_backing_user user = { .dev = dev };
	int ret = collect_devices(buffer, NULL);

	if (!ret)
		ret = dmabed_backing_attach(&buffer->backing, &user);
	if (!ret)
		dmabed_backing_detach(&buffer->backing, &user);
	dmabed_backing_forget_devices(&buffer->backing);
	return ret;
}

static struct scatterlist *last_entry(struct sg_table *table)
{
	struct scatterlist *sg, *last = NULL;
	unsigned int i;

	for_each_sgtable_dma_sg(table, sg, i)
		last = sg;
	return last;
}

static u64 bytes_of(struct sg_table *table)
{
	struct scatterlist *sg;
	unsigned int i;
	u64 bytes = 0;

	for_each_sgtable_dma_sg(table, sg, i)
		bytes += sg_dma_len(sg);
	return bytes;
}

/* A sabotage took a page away, which the DMA API wants back. */
static void complete_table(struct dmabed_device_mapping *table)
{
	u64 whole = (u64)table->storage->nr_pages << PAGE_SHIFT;

	sg_dma_len(last_entry(&table->sgt)) += whole - bytes_of(&table->sgt);
}

static void end_table(struct dmabed_device_mapping *table)
{
	complete_table(table);
	list_del(&table->node);
	dmabed_device_mapping_destroy(table, table->direction);
	dmabed_live_add(DMABED_LIVE_MERGED_TABLES, -1);
}

/* Those of one holder, or with NULL all of them. */
static void end_tables_of(struct merged_buffer *buffer, const void *holder)
{
	struct dmabed_device_mapping *table, *next;

	list_for_each_entry_safe(table, next, &buffer->tables, node)
		if (!holder || table->holder == holder)
			end_table(table);
}

static void buffer_detach(struct merged_buf *buf,
			  struct merged_attachment *attach)
{
	lockdep_assert_held(&buf->lock);
	end_tables_of(buf->priv, attach);
}

/* ---- tables ---- */

static struct sg_table *buffer_map(struct merged_attachment *attach,
				   enum dma_data_direction direction)
{
	struct merged_buffer *buffer = attach->buf->priv;
	struct dmabed_backing_user user = { .dev = attach->dev };
	struct dmabed_device_mapping *table;
	int ret = merged_buffer_place(buffer, attach->dev);

	if (ret)
		return ERR_PTR(ret);
	table = dmabed_device_mapping_create(buffer->backing.storage, &user,
					     direction);
	if (IS_ERR(table))
		return ERR_CAST(table);
	table->holder = attach;
	list_add_tail(&table->node, &buffer->tables);
	dmabed_live_add(DMABED_LIVE_MERGED_TABLES, 1);
	if (merged_sabotaged(MERGED_SHORT_TABLE))
		sg_dma_len(last_entry(&table->sgt)) -= PAGE_SIZE;
	return &table->sgt;
}

static void buffer_unmap(struct merged_attachment *attach,
			 struct sg_table *sgt)
{
	end_table(container_of(sgt, struct dmabed_device_mapping, sgt));
}

/* ---- migration ---- */

static struct merged_buffer *buffer_of_backing(struct dmabed_backing *backing)
{
	return container_of(backing, struct merged_buffer, backing);
}

static bool buffer_movable(struct dmabed_backing *backing)
{
	return list_empty(&buffer_of_backing(backing)->tables);
}

static int buffer_quiesce(struct dmabed_backing *backing)
{
	merged_zap(buffer_of_backing(backing));
	return 0;
}

static struct file **buffer_file(struct dmabed_backing *backing)
{
	return &buffer_of_backing(backing)->buf->file;
}

/* The framework has no way to tell those that hold tables. */
static void buffer_revoke(struct dmabed_backing *backing,
			  const struct dmabed_carveout *carveout)
{
	struct merged_buffer *buffer = buffer_of_backing(backing);

	mutex_lock(&buffer->buf->lock);
	if (dmabed_backing_is_in(backing, carveout))
		merged_zap(buffer);
	mutex_unlock(&buffer->buf->lock);
}

static const struct dmabed_backing_ops backing_ops = {
	.movable = buffer_movable,
	.quiesce = buffer_quiesce,
	.file = buffer_file,
	.revoke = buffer_revoke,
};

/* ---- life ---- */

static atomic64_t releases;

/**
 * merged_buffer_releases - how often the framework has released a buffer
 */
u64 merged_buffer_releases(void)
{
	return atomic64_read(&releases);
}

static void buffer_free(struct merged_buffer *buffer)
{
	dmabed_backing_release(&buffer->backing);
	kfree(buffer);
	dmabed_live_add(DMABED_LIVE_MERGED_BUFFERS, -1);
}

static void buffer_release(struct merged_buf *buf)
{
	struct merged_buffer *buffer = buf->priv;

	/* what a driver never unmapped, where no detach was there to end it */
	end_tables_of(buffer, NULL);
	atomic64_inc(&releases);
	dmabed_gone_forget(&buffer->backing);
	buffer_free(buffer);
}

static const struct merged_buf_ops all_ops = {
	.owner = THIS_MODULE,
	.attach = buffer_attach,
	.detach = buffer_detach,
	.map = buffer_map,
	.unmap = buffer_unmap,
	.release = buffer_release,
};

static struct merged_buffer *buffer_alloc(const struct dmabed_export *request)
{
	struct merged_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	if (!buffer)
		return NULL;
	INIT_LIST_HEAD(&buffer->tables);
	dmabed_backing_init(&buffer->backing, &backing_ops, request);
	buffer->ops = all_ops;
	if (request->flags & DMABED_EXPORT_NO_ATTACH_OPS) {
		buffer->ops.attach = NULL;
		buffer->ops.detach = NULL;
	}
	dmabed_live_add(DMABED_LIVE_MERGED_BUFFERS, 1);
	return buffer;
}

static void allocate_early(struct merged_buffer *buffer)
{
	mutex_lock(&buffer->buf->lock);
	merged_buffer_place(buffer, NULL);
	mutex_unlock(&buffer->buf->lock);
}

/**
 * merged_buffer_export - make a buffer, without storage
 * @request: what user space asked for, already checked
 *
 * Return: the buffer with one reference, or what the framework said.
 */
struct merged_buf *merged_buffer_export(const struct dmabed_export *request)
{
	struct merged_buffer *buffer = buffer_alloc(request);
	struct merged_buf *buf;

	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buf = merged_buf_export(buffer, &buffer->ops, request->length,
				request->fd_flags);
	if (IS_ERR(buf)) {
		buffer_free(buffer);
		return buf;
	}
	buffer->buf = buf;
	dmabed_gone_note(&buffer->backing);
	if (merged_sabotaged(MERGED_EARLY_ALLOCATION))
		allocate_early(buffer);
	return buf;
}

/**
 * merged_buffer_of - the buffer behind the framework's
 * @buf: any buffer of the framework
 *
 * Return: the buffer, NULL when somebody else exported it.
 */
struct merged_buffer *merged_buffer_of(struct merged_buf *buf)
{
	return buf->ops->release == buffer_release ? buf->priv : NULL;
}

/* ---- looking and moving ---- */

/**
 * merged_buffer_info - where the buffer is
 * @buffer: the buffer
 * @info: filled in
 * @segments: kernel array for the runs of its storage
 * @room: entries of @segments
 *
 * Return: 0; -EINTR.
 */
int merged_buffer_info(struct merged_buffer *buffer,
		       struct dmabed_buffer_info *info,
		       struct dmabed_segment *segments, u32 room)
{
	struct merged_buf *buf = buffer->buf;

	if (mutex_lock_interruptible(&buf->lock))
		return -EINTR;
	dmabed_backing_describe(&buffer->backing, info, segments, room);
	info->length = buf->size;
	info->attachments = list_count_nodes(&buf->attachments);
	info->mappings = list_count_nodes(&buffer->tables);
	mutex_unlock(&buf->lock);
	return 0;
}

/**
 * merged_buffer_migrate - move the buffer now
 * @buffer: the buffer
 * @place: where to
 *
 * Return: as dmabed_backing_migrate(); -EBUSY while a table is held; -EINTR.
 */
int merged_buffer_migrate(struct merged_buffer *buffer,
			  const struct dmabed_place *place)
{
	int ret;

	if (mutex_lock_interruptible(&buffer->buf->lock))
		return -EINTR;
	ret = collect_devices(buffer, NULL);
	if (!ret)
		ret = dmabed_backing_migrate(&buffer->backing, place);
	dmabed_backing_forget_devices(&buffer->backing);
	mutex_unlock(&buffer->buf->lock);
	return ret;
}
