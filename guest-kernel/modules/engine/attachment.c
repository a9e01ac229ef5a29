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
	struct dmabed_attachment *attachment = mapping->attachment;

	if (mapping->sgt)
		attachment->importer->unmap(attachment->attach, mapping->sgt,
					    mapping->direction);
	mapping->sgt = NULL;
}

static void mapping_release(struct kref *ref)
{
	struct dmabed_mapping *mapping =
		container_of(ref, struct dmabed_mapping, ref);

	if (mapping->attachment->mapping == mapping)
		mapping->attachment->mapping = NULL;
	mapping_end(mapping);
	kfree(mapping);
}

/**
 * dmabed_mapping_put - a user of the mapping less; the last one ends it
 * @mapping: the mapping
 */
void dmabed_mapping_put(struct dmabed_mapping *mapping)
{
	dma_resv_assert_held(mapping->attachment->resv);
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
	sgt = attachment->importer->map(attachment->attach, direction);
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

static struct dmabed_mapping *
mapping_find_or_create(struct dmabed_attachment *attachment,
		       enum dma_data_direction direction)
{
	struct dmabed_mapping *mapping = attachment->mapping;

	if (mapping && mapping->direction != direction)
		return ERR_PTR(-EBUSY);
	if (mapping) {
		kref_get(&mapping->ref);
		return mapping;
	}
	mapping = mapping_create(attachment, direction);
	if (IS_ERR(mapping))
		return mapping;
	attachment->mapping = mapping;
	attachment->direction = direction;
	return mapping;
}

/**
 * dmabed_mapping_get - the mapping of an attachment, made if need be
 * @attachment: the attachment
 * @direction: DMA_NONE: whatever there is, or was before a move
 * @keep: it stays when the caller has done with it, in every generation
 *
 * Return: the mapping with a reference for the caller; -EBUSY when it is mapped
 * in another direction; what mapping it said.
 */
struct dmabed_mapping *dmabed_mapping_get(struct dmabed_attachment *attachment,
					  enum dma_data_direction direction,
					  bool keep)
{
	struct dmabed_mapping *mapping;

	dma_resv_assert_held(attachment->resv);
	if (direction == DMA_NONE)
		direction = attachment->direction;
	mapping = mapping_find_or_create(attachment, direction);
	if (IS_ERR(mapping))
		return mapping;
	if ((keep || attachment->importer->lasting) && !attachment->holds) {
		kref_get(&mapping->ref);
		attachment->holds = true;
	}
	return mapping;
}

/**
 * dmabed_attachment_forget - the next job maps anew
 * @attachment: the attachment; jobs that run keep the mapping that they have
 */
void dmabed_attachment_forget(struct dmabed_attachment *attachment)
{
	struct dmabed_mapping *mapping = attachment->mapping;
	bool held = attachment->holds;

	dma_resv_assert_held(attachment->resv);
	attachment->mapping = NULL;
	attachment->holds = false;
	if (held)
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
		dmabed_attachment_forget(mapping->attachment);
	mapping_end(mapping);
}

static void drop_hold(struct dmabed_attachment *attachment)
{
	if (!attachment->holds)
		return;
	attachment->holds = false;
	dmabed_mapping_put(attachment->mapping);
}

/**
 * dmabed_attachment_unmap - end the mapping; the next may have any direction
 * @attachment: the attachment
 *
 * Where a mapping ends with its jobs, one that an ended job has not let go of
 * yet is found again: mapping anew might wait, under the lock that letting go
 * needs, for somebody who waits for just that.
 */
void dmabed_attachment_unmap(struct dmabed_attachment *attachment)
{
	if (attachment->importer->lasting)
		dmabed_attachment_forget(attachment);
	else
		drop_hold(attachment);
	attachment->direction = DMA_BIDIRECTIONAL;
}

/**
 * dmabed_attachment_sync - synchronise what is mapped
 * @attachment: the attachment
 * @target: DMABED_SYNC_*
 *
 * Return: 0; -EOPNOTSUPP where the generation has its own brackets; -EINVAL
 * where the exporter does not do it.
 */
int dmabed_attachment_sync(struct dmabed_attachment *attachment, u32 target)
{
	if (!attachment->importer->sync)
		return -EOPNOTSUPP;
	return attachment->importer->sync(attachment->attach, target);
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
	int ret = -EINVAL;

	if (attachment->importer->pin)
		ret = attachment->importer->pin(attachment->attach);
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
	attachment->importer->unpin(attachment->attach);
	return 0;
}

/* ---- attachments ---- */

static void attachment_free(struct dmabed_attachment *attachment)
{
	if (attachment->resv == &attachment->own_resv)
		dma_resv_fini(&attachment->own_resv);
	kfree(attachment);
}

/*
 * The one place where an attachment ends: in the call that detaches, or, when
 * the reservation lock is taken for long (a migration waits for a held job), in
 * a work item.
 */
static void attachment_destroy(struct dmabed_attachment *attachment)
{
	const struct dmabed_importer *importer = attachment->importer;

	dma_resv_lock(attachment->resv, NULL);
	dmabed_attachment_forget(attachment);
	while (attachment->pins)
		dmabed_attachment_unpin(attachment);
	dma_resv_unlock(attachment->resv);
	importer->detach(attachment->buffer, attachment->attach);
	importer->put(attachment->buffer);
	attachment_free(attachment);
	dmabed_importer_put(importer);
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
	struct dma_resv *resv = attachment->resv;

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

static void attachment_init_resv(struct dmabed_attachment *attachment)
{
	const struct dmabed_importer *importer = attachment->importer;

	if (importer->resv) {
		attachment->resv = importer->resv(attachment->buffer);
	} else {
		dma_resv_init(&attachment->own_resv);
		attachment->resv = &attachment->own_resv;
	}
}

static struct dmabed_attachment *
attachment_alloc(struct dmabed_engine *engine,
		 const struct dmabed_importer *importer, void *buffer)
{
	struct dmabed_attachment *attachment;

	attachment = kzalloc(sizeof(*attachment), GFP_KERNEL);
	if (!attachment)
		return NULL;
	kref_init(&attachment->ref);
	attachment->engine = engine;
	attachment->importer = importer;
	attachment->buffer = buffer;
	attachment->size = importer->size(buffer);
	attachment_init_resv(attachment);
	attachment->direction = DMA_BIDIRECTIONAL;
	INIT_WORK(&attachment->release, attachment_release_work);
	return attachment;
}

static struct dmabed_attachment *
attach_to(struct dmabed_engine *engine, const struct dmabed_importer *importer,
	  int fd, u32 flags)
{
	struct dmabed_attachment *attachment;
	void *buffer = importer->get(fd);
	int ret = -ENOMEM;

	if (IS_ERR(buffer))
		return buffer;
	attachment = attachment_alloc(engine, importer, buffer);
	if (!attachment)
		goto err_put_buffer;
	attachment->attach = importer->attach(buffer, engine->dev, flags,
					      attachment);
	if (IS_ERR(attachment->attach)) {
		ret = PTR_ERR(attachment->attach);
		goto err_free_attachment;
	}
	return attachment;

err_free_attachment:
	attachment_free(attachment);
err_put_buffer:
	importer->put(buffer);
	return ERR_PTR(ret);
}

#define OLDER (DMABED_ATTACH_POSTED | DMABED_ATTACH_MERGED)

/**
 * dmabed_attachment_create - attach the engine to a buffer
 * @engine: the engine
 * @fd: the buffer
 * @flags: DMABED_ATTACH_*, already checked
 *
 * Return: the attachment with one reference; -EBADF, -EINVAL when @fd is no
 * buffer of that generation; -EOPNOTSUPP when the generation's module is not
 * there; what the exporter said.
 */
struct dmabed_attachment *dmabed_attachment_create(struct dmabed_engine *engine,
						   int fd, u32 flags)
{
	const struct dmabed_importer *importer = &dmabed_current;
	struct dmabed_attachment *attachment;

	if (flags & OLDER)
		importer = dmabed_importer_get(flags & OLDER);
	if (!importer)
		return ERR_PTR(-EOPNOTSUPP);
	attachment = attach_to(engine, importer, fd, flags);
	if (IS_ERR(attachment))
		dmabed_importer_put(importer);
	return attachment;
}
