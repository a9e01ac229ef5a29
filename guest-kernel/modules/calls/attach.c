// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attachments: those that live as long as the call, and the file's own.
 */
#include <linux/dma-resv.h>
#include <linux/err.h>

#include "calls.h"

/* Called with the buffer locked, and from a call of the file: it has its lock. */
static void move_notify(struct dma_buf_attachment *attach)
{
	struct dmabed_calls *calls = attach->importer_priv;

	calls->moves++;
}

static const struct dma_buf_attach_ops dynamic_ops = {
	.move_notify = move_notify,
};

static const struct dma_buf_attach_ops p2p_ops = {
	.allow_peer2peer = true,
	.move_notify = move_notify,
};

static struct dma_buf_attachment *attach_by(struct dmabed_calls *calls,
					    struct device *device, u64 flags)
{
	if (!(flags & DMABED_BY_DYNAMIC))
		return dma_buf_attach(calls->dmabuf, device);
	return dma_buf_dynamic_attach(calls->dmabuf, device,
				      flags & DMABED_BY_P2P ? &p2p_ops :
							      &dynamic_ops,
				      calls);
}

static struct dma_buf_attachment *attach(struct dmabed_calls *calls,
					 bool dynamic)
{
	return attach_by(calls, dmabed_calls_device(),
			 dynamic ? DMABED_BY_DYNAMIC : 0);
}

/**
 * dmabed_call_attachment_is_dynamic - dma_buf_attachment_is_dynamic()
 * @calls: the file
 * @args: attach dynamically, or not
 */
s64 dmabed_call_attachment_is_dynamic(struct dmabed_calls *calls,
				      const u64 *args)
{
	struct dma_buf_attachment *attachment = attach(calls, args[0]);
	bool dynamic;

	if (IS_ERR(attachment))
		return PTR_ERR(attachment);
	dynamic = dma_buf_attachment_is_dynamic(attachment);
	dma_buf_detach(calls->dmabuf, attachment);
	return dynamic;
}

/**
 * dmabed_call_map_unlocked - the unlocked forms of map and unmap
 * @calls: the file
 * @args: enum dma_data_direction
 *
 * Return: entries of the mapping.
 */
s64 dmabed_call_map_unlocked(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_buf_attachment *attachment;
	struct sg_table *sgt;
	s64 ret;

	if (args[0] > DMA_FROM_DEVICE)
		return -EINVAL;
	attachment = attach(calls, false);
	if (IS_ERR(attachment))
		return PTR_ERR(attachment);
	sgt = dma_buf_map_attachment_unlocked(attachment, args[0]);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
	} else {
		ret = sgt->nents;
		dma_buf_unmap_attachment_unlocked(attachment, sgt, args[0]);
	}
	dma_buf_detach(calls->dmabuf, attachment);
	return ret;
}

/**
 * dmabed_call_pin_static - what only dynamic importers may do
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_pin_static(struct dmabed_calls *calls, const u64 *args)
{
	struct dma_buf_attachment *attachment = attach(calls, false);
	int ret;

	if (IS_ERR(attachment))
		return PTR_ERR(attachment);
	dma_resv_lock(calls->dmabuf->resv, NULL);
	dmabed_expect_warning("dma_buf_pin");
	ret = dma_buf_pin(attachment);
	if (!ret) {
		dmabed_expect_warning("dma_buf_unpin");
		dma_buf_unpin(attachment);
	}
	dma_resv_unlock(calls->dmabuf->resv);
	dma_buf_detach(calls->dmabuf, attachment);
	return ret;
}

/* ---- the file's own ---- */

/**
 * dmabed_call_attach - attach until the file detaches
 * @calls: the file
 * @args: DMABED_BY_*
 */
s64 dmabed_call_attach(struct dmabed_calls *calls, const u64 *args)
{
	/* never registered: its name is not a kobject's */
	static struct device unregistered = { .init_name = "dmabed-unnamed" };
	struct dma_buf_attachment *attachment;
	struct device *device = dmabed_calls_device();

	if (calls->attachment)
		return -EBUSY;
	if (args[0] & DMABED_BY_UNREGISTERED)
		device = &unregistered;
	calls->moves = 0;
	attachment = attach_by(calls, device, args[0]);
	if (IS_ERR(attachment))
		return PTR_ERR(attachment);
	calls->attachment = attachment;
	return 0;
}

/**
 * dmabed_call_map - dma_buf_map_attachment()
 * @calls: the file
 * @args: enum dma_data_direction
 *
 * Return: entries of the mapping.
 */
s64 dmabed_call_map(struct dmabed_calls *calls, const u64 *args)
{
	struct sg_table *table;

	if (!dmabed_is_direction(args[0]))
		return -EINVAL;
	if (!calls->attachment)
		return -ENOENT;
	dma_resv_lock(calls->dmabuf->resv, NULL);
	table = dma_buf_map_attachment(calls->attachment, args[0]);
	/* a mapping that is kept comes twice, and is unmapped once */
	if (calls->table && !IS_ERR(table) && table != calls->table) {
		dma_buf_unmap_attachment(calls->attachment, table, args[0]);
		table = ERR_PTR(-EBUSY);
	}
	dma_resv_unlock(calls->dmabuf->resv);
	if (IS_ERR(table))
		return PTR_ERR(table);
	calls->table = table;
	calls->direction = args[0];
	return table->nents;
}

static void unmap(struct dmabed_calls *calls)
{
	dma_buf_unmap_attachment(calls->attachment, calls->table,
				 calls->direction);
	calls->table = NULL;
}

/**
 * dmabed_call_unmap - dma_buf_unmap_attachment()
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_unmap(struct dmabed_calls *calls, const u64 *args)
{
	if (!calls->table)
		return -ENOENT;
	dma_resv_lock(calls->dmabuf->resv, NULL);
	unmap(calls);
	dma_resv_unlock(calls->dmabuf->resv);
	return 0;
}

/**
 * dmabed_calls_detach - end what the file has attached
 * @calls: the file
 */
void dmabed_calls_detach(struct dmabed_calls *calls)
{
	if (calls->table)
		dmabed_call_unmap(calls, NULL);
	if (calls->attachment)
		dma_buf_detach(calls->dmabuf, calls->attachment);
	calls->attachment = NULL;
}

/**
 * dmabed_call_detach - dma_buf_detach()
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_detach(struct dmabed_calls *calls, const u64 *args)
{
	if (!calls->attachment)
		return -ENOENT;
	dmabed_calls_detach(calls);
	return 0;
}

/**
 * dmabed_call_pin - dma_buf_pin()
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_pin(struct dmabed_calls *calls, const u64 *args)
{
	int ret;

	if (!calls->attachment)
		return -ENOENT;
	dma_resv_lock(calls->dmabuf->resv, NULL);
	ret = dma_buf_pin(calls->attachment);
	dma_resv_unlock(calls->dmabuf->resv);
	return ret;
}

/**
 * dmabed_call_unpin - dma_buf_unpin()
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_unpin(struct dmabed_calls *calls, const u64 *args)
{
	if (!calls->attachment)
		return -ENOENT;
	dma_resv_lock(calls->dmabuf->resv, NULL);
	dma_buf_unpin(calls->attachment);
	dma_resv_unlock(calls->dmabuf->resv);
	return 0;
}

/**
 * dmabed_call_move - dma_buf_move_notify(), as if the buffer moved
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_move(struct dmabed_calls *calls, const u64 *args)
{
	/* other importers would be told of what did not happen */
	if (!calls->attachment)
		return -ENOENT;
	dma_resv_lock(calls->dmabuf->resv, NULL);
	dma_buf_move_notify(calls->dmabuf);
	dma_resv_unlock(calls->dmabuf->resv);
	return 0;
}

/**
 * dmabed_call_moves - how often the attachment was told of a move
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_moves(struct dmabed_calls *calls, const u64 *args)
{
	return calls->moves;
}
