// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attachments and their mappings.
 *
 * A mapping lives as long as a job uses it, although the exporter may have said
 * meanwhile that the buffer moves: move_notify only makes the attachment forget
 * it, and the next job maps anew.
 */
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include "engine.h"

/* ---- mappings; all under the reservation lock ---- */

static void mapping_end(struct dmabed_mapping *mapping)
{
	if (mapping->sgt)
		dma_buf_unmap_attachment(mapping->attachment->attach,
					 mapping->sgt, mapping->direction);
	mapping->sgt = NULL;
}

static void mapping_release(struct kref *ref)
{
	struct dmabed_mapping *mapping =
		container_of(ref, struct dmabed_mapping, ref);

	mapping_end(mapping);
	kfree(mapping);
}

/**
 * dmabed_mapping_put - a user of the mapping less; the last one ends it
 * @mapping: the mapping
 */
void dmabed_mapping_put(struct dmabed_mapping *mapping)
{
	dma_resv_assert_held(mapping->attachment->dmabuf->resv);
	kref_put(&mapping->ref, mapping_release);
}

static struct dmabed_mapping *
mapping_create(struct dmabed_attachment *attachment,
	       enum dma_data_direction direction)
{
	struct dmabed_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	struct sg_table *sgt;

	if (!mapping)
		return ERR_PTR(-ENOMEM);
	sgt = dma_buf_map_attachment(attachment->attach, direction);
	if (IS_ERR(sgt)) {
		kfree(mapping);
		return ERR_CAST(sgt);
	}
	kref_init(&mapping->ref);
	mapping->attachment = attachment;
	mapping->sgt = sgt;
	mapping->direction = direction;
	return mapping;
}

/**
 * dmabed_mapping_get - the mapping of an attachment, made if need be
 * @attachment: the attachment
 * @direction: DMA_NONE: whatever there is, or was before a move
 *
 * Return: the mapping with a reference for the caller; -EBUSY when it is mapped
 * in another direction; what mapping it said.
 */
struct dmabed_mapping *dmabed_mapping_get(struct dmabed_attachment *attachment,
					  enum dma_data_direction direction)
{
	struct dmabed_mapping *mapping = attachment->mapping;

	dma_resv_assert_held(attachment->dmabuf->resv);
	if (direction == DMA_NONE)
		direction = attachment->direction;
	if (!mapping) {
		mapping = mapping_create(attachment, direction);
		if (IS_ERR(mapping))
			return mapping;
		attachment->mapping = mapping;
		attachment->direction = direction;
	}
	if (mapping->direction != direction)
		return ERR_PTR(-EBUSY);
	kref_get(&mapping->ref);
	return mapping;
}

static void forget_mapping(struct dmabed_attachment *attachment)
{
	struct dmabed_mapping *mapping = attachment->mapping;

	dma_resv_assert_held(attachment->dmabuf->resv);
	attachment->mapping = NULL;
	if (mapping)
		dmabed_mapping_put(mapping);
}

/**
 * dmabed_mapping_end_early - take a mapping away from the job that will use it
 * @mapping: the mapping, which nobody else can get any more
 *
 * A sabotage: the bus addresses that the job has been given lead nowhere then,
 * or, without an IOMMU, still to the same memory.
 */
void dmabed_mapping_end_early(struct dmabed_mapping *mapping)
{
	if (mapping->attachment->mapping == mapping)
		forget_mapping(mapping->attachment);
	mapping_end(mapping);
}

/**
 * dmabed_attachment_unmap - end the mapping; the next may have any direction
 * @attachment: the attachment
 */
void dmabed_attachment_unmap(struct dmabed_attachment *attachment)
{
	forget_mapping(attachment);
	attachment->direction = DMA_BIDIRECTIONAL;
}

static void move_notify(struct dma_buf_attachment *attach)
{
	if (!dmabed_engine_sabotaged(DMABED_ENGINE_STALE_MAPPING))
		forget_mapping(attach->importer_priv);
}

static const struct dma_buf_attach_ops dynamic_ops = {
	.move_notify = move_notify,
};

static const struct dma_buf_attach_ops p2p_ops = {
	.allow_peer2peer = true,
	.move_notify = move_notify,
};

static const struct dma_buf_attach_ops *ops_of(u32 flags)
{
	if (flags & DMABED_ATTACH_P2P)
		return &p2p_ops;
	return flags & DMABED_ATTACH_DYNAMIC ? &dynamic_ops : NULL;
}

/* ---- pins; all under the reservation lock ---- */

/**
 * dmabed_attachment_pin - keep the buffer in its place
 * @attachment: the attachment
 *
 * Return: 0; -EINVAL for a static attachment; what the exporter said.
 */
int dmabed_attachment_pin(struct dmabed_attachment *attachment)
{
	int ret;

	if (!dma_buf_attachment_is_dynamic(attachment->attach))
		return -EINVAL;
	ret = dma_buf_pin(attachment->attach);
	if (!ret)
		attachment->pins++;
	return ret;
}

/**
 * dmabed_attachment_unpin - take a pin back
 * @attachment: the attachment
 *
 * Return: 0; -EINVAL when it has none.
 */
int dmabed_attachment_unpin(struct dmabed_attachment *attachment)
{
	if (!attachment->pins)
		return -EINVAL;
	attachment->pins--;
	dma_buf_unpin(attachment->attach);
	return 0;
}

/* ---- attachments ---- */

/*
 * The one place where an attachment ends: in the call that detaches, or, when
 * the reservation lock is taken for long (a migration waits for a held job), in
 * a work item.
 */
static void attachment_destroy(struct dmabed_attachment *attachment)
{
	struct dma_buf *dmabuf = attachment->dmabuf;

	dma_resv_lock(dmabuf->resv, NULL);
	forget_mapping(attachment);
	while (attachment->pins)
		dmabed_attachment_unpin(attachment);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, attachment->attach);
	dma_buf_put(dmabuf);
	kfree(attachment);
}

static void attachment_release(struct kref *ref)
{
	attachment_destroy(container_of(ref, struct dmabed_attachment, ref));
}

static void attachment_release_work(struct work_struct *work)
{
	attachment_destroy(container_of(work, struct dmabed_attachment,
					release));
}

static void attachment_release_deferred(struct kref *ref)
{
	struct dmabed_attachment *attachment =
		container_of(ref, struct dmabed_attachment, ref);
	struct dma_resv *resv = attachment->dmabuf->resv;

	if (dma_resv_trylock(resv)) {
		dma_resv_unlock(resv);
		attachment_destroy(attachment);
	} else {
		queue_work(attachment->engine->retire, &attachment->release);
	}
}

/**
 * dmabed_attachment_put - a user less; the last one detaches
 * @attachment: the attachment
 */
void dmabed_attachment_put(struct dmabed_attachment *attachment)
{
	struct dmabed_engine *engine = attachment->engine;

	kref_put(&attachment->ref, attachment_release);
	wake_up_all(&engine->idle);
}

/**
 * dmabed_attachment_put_last - wait for all other users, then detach
 * @attachment: the attachment, which nobody can find any more
 *
 * A job's resources go a moment after its fence has signalled; who waited for
 * the fence and then detaches wants to see the device gone.
 */
void dmabed_attachment_put_last(struct dmabed_attachment *attachment)
{
	/* when killed, the last of the others detaches */
	wait_event_killable(attachment->engine->idle,
			    kref_read(&attachment->ref) == 1);
	dmabed_attachment_put(attachment);
}

/**
 * dmabed_attachment_put_deferred - the same for a caller that must not wait
 * @attachment: the attachment
 */
void dmabed_attachment_put_deferred(struct dmabed_attachment *attachment)
{
	kref_put(&attachment->ref, attachment_release_deferred);
}

static struct dmabed_attachment *
attachment_alloc(struct dmabed_engine *engine, struct dma_buf *dmabuf)
{
	struct dmabed_attachment *attachment;

	attachment = kzalloc(sizeof(*attachment), GFP_KERNEL);
	if (!attachment)
		return NULL;
	kref_init(&attachment->ref);
	attachment->engine = engine;
	attachment->dmabuf = dmabuf;
	attachment->direction = DMA_BIDIRECTIONAL;
	INIT_WORK(&attachment->release, attachment_release_work);
	return attachment;
}

/**
 * dmabed_attachment_create - attach the engine to a buffer
 * @engine: the engine
 * @fd: the buffer
 * @flags: DMABED_ATTACH_*
 *
 * Return: the attachment with one reference; -EBADF, -EINVAL when @fd is no
 * dma-buf, or what the exporter said.
 */
struct dmabed_attachment *dmabed_attachment_create(struct dmabed_engine *engine,
						   int fd, u32 flags)
{
	struct dmabed_attachment *attachment;
	struct dma_buf *dmabuf;
	int ret = -ENOMEM;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf);
	attachment = attachment_alloc(engine, dmabuf);
	if (!attachment)
		goto err_put_dmabuf;

	attachment->attach = dma_buf_dynamic_attach(dmabuf, engine->dev,
						    ops_of(flags), attachment);
	if (IS_ERR(attachment->attach)) {
		ret = PTR_ERR(attachment->attach);
		goto err_free_attachment;
	}
	return attachment;

err_free_attachment:
	kfree(attachment);
err_put_dmabuf:
	dma_buf_put(dmabuf);
	return ERR_PTR(ret);
}
