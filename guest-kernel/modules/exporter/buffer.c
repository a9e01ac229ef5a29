// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A buffer of the current generation.
 *
 * The framework tells dynamic from static exporters by whether they can pin.  A
 * dynamic buffer moves with its mappings: importers are told, and their jobs
 * waited for.  A static one moves only while no device has it mapped.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "exporter.h"

/* ---- attach and pin ---- */

static bool allows_p2p(const struct dma_buf_attachment *attach)
{
	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_P2P_NEVER))
		return false;
	return attach->peer2peer ||
	       dmabed_exporter_sabotaged(DMABED_EXPORTER_P2P_ALWAYS);
}

static int buffer_attach(struct dma_buf *dmabuf,
			 struct dma_buf_attachment *attach)
{
	struct dmabed_buffer *buffer = dmabuf->priv;
	struct dmabed_backing_user *user;
	int ret;

	user = kzalloc(sizeof(*user), GFP_KERNEL);
	if (!user)
		return -ENOMEM;
	user->dev = attach->dev;
	user->p2p = allows_p2p(attach);
	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		goto err_free_user;
	ret = dmabed_backing_attach(&buffer->backing, user);
	if (ret)
		goto err_unlock;
	buffer->attachments++;
	dmabed_live_add(DMABED_LIVE_ATTACHMENTS, 1);
	attach->priv = user;
	dma_resv_unlock(dmabuf->resv);
	return 0;

err_unlock:
	dma_resv_unlock(dmabuf->resv);
err_free_user:
	kfree(user);
	return ret;
}

static void buffer_detach(struct dma_buf *dmabuf,
			  struct dma_buf_attachment *attach)
{
	struct dmabed_buffer *buffer = dmabuf->priv;
	struct dmabed_backing_user *user = attach->priv;
	bool leak;

	dma_resv_lock(dmabuf->resv, NULL);
	dmabed_backing_detach(&buffer->backing, user);
	leak = dmabed_exporter_sabotaged(DMABED_EXPORTER_LEAK_ATTACHMENT);
	if (!leak)
		buffer->attachments--;
	dma_resv_unlock(dmabuf->resv);
	if (leak)
		return;
	dmabed_live_add(DMABED_LIVE_ATTACHMENTS, -1);
	if (!dmabed_exporter_sabotaged(DMABED_EXPORTER_LEAK_UNCOUNTED))
		kfree(user);
}

/* The place has to suit before it is fixed: it is the last chance to move. */
static int buffer_pin(struct dma_buf_attachment *attach)
{
	struct dmabed_buffer *buffer = attach->dmabuf->priv;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);
	ret = dmabed_backing_place(&buffer->backing, attach->priv);
	if (ret)
		return ret;
	if (!dmabed_exporter_sabotaged(DMABED_EXPORTER_FORGET_PIN))
		buffer->pins++;
	return 0;
}

static void buffer_unpin(struct dma_buf_attachment *attach)
{
	struct dmabed_buffer *buffer = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	/* fewer pins than unpins: by a sabotage only */
	if (buffer->pins)
		buffer->pins--;
}

static void buffer_free(struct dmabed_buffer *buffer)
{
	dmabed_backing_release(&buffer->backing);
	kfree(buffer);
	dmabed_live_add(DMABED_LIVE_BUFFERS, -1);
}

static atomic64_t releases;

static void buffer_release(struct dma_buf *dmabuf)
{
	struct dmabed_buffer *buffer = dmabuf->priv;

	atomic64_inc(&releases);
	dmabed_gone_forget(&buffer->backing);
	buffer_free(buffer);
}

/**
 * dmabed_buffer_releases - how often the framework has released a buffer
 */
u64 dmabed_buffer_releases(void)
{
	return atomic64_read(&releases);
}

static const struct dma_buf_ops all_ops = {
	.attach = buffer_attach,
	.detach = buffer_detach,
	.pin = buffer_pin,
	.unpin = buffer_unpin,
	.map_dma_buf = dmabed_map_dma_buf,
	.unmap_dma_buf = dmabed_unmap_dma_buf,
	.begin_cpu_access = dmabed_begin_cpu_access,
	.end_cpu_access = dmabed_end_cpu_access,
	.mmap = dmabed_mmap,
	.vmap = dmabed_vmap,
	.vunmap = dmabed_vunmap,
	.release = buffer_release,
};

/* The operations that a buffer has. */
static void choose_ops(struct dma_buf_ops *ops, u32 flags)
{
	*ops = all_ops;
	if (!(flags & DMABED_EXPORT_DYNAMIC)) {
		ops->pin = NULL;
		ops->unpin = NULL;
	}
	if (flags & DMABED_EXPORT_NO_MMAP)
		ops->mmap = NULL;
	if (flags & DMABED_EXPORT_NO_VMAP) {
		ops->vmap = NULL;
		ops->vunmap = NULL;
	}
	if (flags & DMABED_EXPORT_NO_CPU_ACCESS) {
		ops->begin_cpu_access = NULL;
		ops->end_cpu_access = NULL;
	}
	ops->cache_sgt_mapping = flags & DMABED_EXPORT_CACHE_SGT;
}

/* ---- migration ---- */

static struct dmabed_buffer *buffer_of_backing(struct dmabed_backing *backing)
{
	return container_of(backing, struct dmabed_buffer, backing);
}

static bool is_dynamic(const struct dmabed_buffer *buffer)
{
	return dma_buf_is_dynamic(buffer->dmabuf);
}

static bool buffer_movable(struct dmabed_backing *backing)
{
	struct dmabed_buffer *buffer = buffer_of_backing(backing);

	if (buffer->pins &&
	    !dmabed_exporter_sabotaged(DMABED_EXPORTER_MOVE_PINNED))
		return false;
	if (buffer->vmapped &&
	    !dmabed_exporter_sabotaged(DMABED_EXPORTER_MOVE_VMAPPED))
		return false;
	return is_dynamic(buffer) || list_empty(&buffer->mappings);
}

/*
 * What the framework of 2011 asked for, at the place where it can be no more:
 * unmapping takes the lock that is held here, so this ends with the process.
 */
static int wait_for_all_unmaps(struct dmabed_buffer *buffer)
{
	return wait_var_event_killable(&buffer->mappings,
				       list_empty(&buffer->mappings));
}

/* Of all usages: no job that is queued may find the old place gone. */
static enum dma_resv_usage last_usage(void)
{
	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_IGNORE_BOOKKEEP))
		return DMA_RESV_USAGE_READ;
	return DMA_RESV_USAGE_BOOKKEEP;
}

static int wait_for_all_jobs(struct dma_buf *dmabuf)
{
	long ret;

	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_WAIT_IN_MAP))
		return wait_for_all_unmaps(dmabuf->priv);
	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_NO_FENCE_WAIT))
		return 0;
	ret = dma_resv_wait_timeout(dmabuf->resv, last_usage(), true,
				    MAX_SCHEDULE_TIMEOUT);
	return ret < 0 ? ret : 0;
}

/*
 * Importers forget their mappings, but jobs that run go on using them, and the
 * storage behind.  Once all fences have signalled no device touches it any
 * more; bounced bytes are brought home, and the CPU is locked out.
 */
static int buffer_quiesce(struct dmabed_backing *backing)
{
	struct dmabed_buffer *buffer = buffer_of_backing(backing);
	struct dma_buf *dmabuf = buffer->dmabuf;
	int ret;

	dma_resv_assert_held(dmabuf->resv);
	if (is_dynamic(buffer) &&
	    !dmabed_exporter_sabotaged(DMABED_EXPORTER_WAIT_IN_MAP) &&
	    !dmabed_exporter_sabotaged(DMABED_EXPORTER_NO_MOVE_NOTIFY))
		dma_buf_move_notify(dmabuf);
	ret = wait_for_all_jobs(dmabuf);
	if (ret)
		return ret;
	dmabed_sync_for_cpu(buffer);
	if (!dmabed_exporter_sabotaged(DMABED_EXPORTER_NO_ZAP))
		dmabed_zap_cpu_mappings(buffer);
	return 0;
}

static struct file **buffer_file(struct dmabed_backing *backing)
{
	return &buffer_of_backing(backing)->dmabuf->file;
}

/* Importers are told, as of a move: their next mapping finds nothing to map. */
static void buffer_revoke(struct dmabed_backing *backing,
			  const struct dmabed_carveout *carveout)
{
	struct dmabed_buffer *buffer = buffer_of_backing(backing);
	struct dma_buf *dmabuf = buffer->dmabuf;

	dma_resv_lock(dmabuf->resv, NULL);
	if (dmabed_backing_is_in(backing, carveout)) {
		if (is_dynamic(buffer))
			dma_buf_move_notify(dmabuf);
		dmabed_zap_cpu_mappings(buffer);
	}
	dma_resv_unlock(dmabuf->resv);
}

static const struct dmabed_backing_ops backing_ops = {
	.movable = buffer_movable,
	.quiesce = buffer_quiesce,
	.file = buffer_file,
	.revoke = buffer_revoke,
};

/* ---- making and looking ---- */

static void sabotage_export(struct dma_buf_export_info *info)
{
	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_WRONG_EXPORTER_NAME))
		info->exp_name = "dmabed-other";
	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_NO_OWNER))
		info->owner = NULL;
	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_SHORT_BUFFER) &&
	    info->size > PAGE_SIZE)
		info->size -= PAGE_SIZE;
}

static struct dma_buf *export_buffer(struct dmabed_buffer *buffer,
				     const struct dmabed_export *request)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.exp_name = "dmabed-exporter";
	choose_ops(&buffer->ops, request->flags);
	info.ops = &buffer->ops;
	info.size = request->length;
	info.flags = request->fd_flags & O_ACCMODE;
	info.priv = buffer;
	sabotage_export(&info);
	return dma_buf_export(&info);
}

/**
 * dmabed_buffer_export - make a buffer, without storage
 * @request: what user space asked for, already checked
 */
struct dma_buf *dmabed_buffer_export(const struct dmabed_export *request)
{
	struct dmabed_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	struct dma_buf *dmabuf;

	if (!buffer)
		return ERR_PTR(-ENOMEM);
	dmabed_live_add(DMABED_LIVE_BUFFERS, 1);
	INIT_LIST_HEAD(&buffer->mappings);
	dmabed_backing_init(&buffer->backing, &backing_ops, request);
	dmabuf = export_buffer(buffer, request);
	if (IS_ERR(dmabuf)) {
		buffer_free(buffer);
		return dmabuf;
	}
	buffer->dmabuf = dmabuf;
	dmabed_gone_note(&buffer->backing);
	return dmabuf;
}

/**
 * dmabed_buffer_of - the buffer behind a dma-buf
 * @dmabuf: any dma-buf
 *
 * Return: the buffer, NULL when somebody else exported it.
 */
struct dmabed_buffer *dmabed_buffer_of(struct dma_buf *dmabuf)
{
	if (dmabuf->ops->release != buffer_release)
		return NULL;
	return dmabuf->priv;
}

static u32 count_mappings(const struct dmabed_buffer *buffer)
{
	return list_count_nodes((struct list_head *)&buffer->mappings);
}

/**
 * dmabed_buffer_info - where the buffer is
 * @buffer: the buffer
 * @info: filled in
 * @segments: kernel array for the runs of its storage
 * @room: entries of @segments
 *
 * Return: 0; -EINTR.
 */
int dmabed_buffer_info(struct dmabed_buffer *buffer,
		       struct dmabed_buffer_info *info,
		       struct dmabed_segment *segments, u32 room)
{
	int ret = dma_resv_lock_interruptible(buffer->dmabuf->resv, NULL);

	if (ret)
		return ret;
	dmabed_backing_describe(&buffer->backing, info, segments, room);
	info->length = buffer->dmabuf->size;
	info->attachments = buffer->attachments;
	info->mappings = count_mappings(buffer);
	dma_resv_unlock(buffer->dmabuf->resv);
	return 0;
}

/**
 * dmabed_buffer_migrate - move the buffer
 * @buffer: the buffer
 * @place: where to
 *
 * Return: as dmabed_backing_migrate(); -EINTR.
 */
int dmabed_buffer_migrate(struct dmabed_buffer *buffer,
			  const struct dmabed_place *place)
{
	struct dma_resv *resv = buffer->dmabuf->resv;
	int ret = dma_resv_lock_interruptible(resv, NULL);

	if (ret)
		return ret;
	ret = dmabed_backing_migrate(&buffer->backing, place);
	dma_resv_unlock(resv);
	return ret;
}
