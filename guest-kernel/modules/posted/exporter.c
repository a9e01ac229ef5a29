// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Buffers of the posted generation.
 *
 * Storage is chosen when the first list is asked for, by all devices that are
 * attached.  A stricter device may come later: its get stalls until all lists
 * are put, then the storage moves, and all that were made to wait go on.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "posted/posted.h"

/* ---- the devices ---- */

/* As the text says: scan the list of attachments, collate what they ask for. */
static int collect_devices(struct posted_buffer *buffer)
{
	struct posted_attachment *attach;
	int ret;

	WARN_ONCE(!mutex_is_locked(&buffer->buf->lock),
		  "attachments are walked without their lock\n");
	list_for_each_entry(attach, &buffer->buf->attachments, node) {
		ret = dmabed_backing_add_device(&buffer->backing, attach->dev);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * posted_buffer_place - have storage that suits a device
 * @buffer: the buffer, locked
 * @dev: one of the devices attached, or NULL for the CPU
 *
 * Return: as dmabed_backing_place().
 */
int posted_buffer_place(struct posted_buffer *buffer, struct device *dev)
{
	struct dmabed_backing_user user = { .dev = dev };
	bool unlocked = posted_defect(POSTED_GET_UNLOCKED);
	int ret;

	lockdep_assert_held(&buffer->buf->lock);
	if (unlocked)
		mutex_unlock(&buffer->buf->lock);
	ret = collect_devices(buffer);
	if (unlocked)
		mutex_lock(&buffer->buf->lock);
	if (!ret)
		ret = dmabed_backing_place(&buffer->backing, dev ? &user : NULL);
	dmabed_backing_forget_devices(&buffer->backing);
	return ret;
}

/* ---- attach and detach ---- */

static int buffer_attach(struct posted_buf *buf, struct device *dev,
			 struct posted_attachment *attach)
{
	struct posted_buffer *buffer = buf->priv;
	struct dmabed_backing_user user = { .dev = dev };
	int ret;

	lockdep_assert_held(&buf->lock);
	ret = collect_devices(buffer);
	if (!ret)
		ret = dmabed_backing_attach(&buffer->backing, &user);
	if (!ret)
		dmabed_backing_detach(&buffer->backing, &user);
	dmabed_backing_forget_devices(&buffer->backing);
	if (ret == -EBUSY && posted_sabotaged(POSTED_LATE_ATTACH_ALLOWED))
		ret = 0;
	return ret;
}

static void end_list(struct posted_buffer *buffer,
		     struct dmabed_device_mapping *list)
{
	enum dma_data_direction direction = list->direction;

	/* as posted: nobody says what it was, and a guess has to do */
	if (posted_defect(POSTED_PUT_WITHOUT_DIRECTION))
		direction = DMA_TO_DEVICE;
	list_del(&list->node);
	dmabed_device_mapping_destroy(list, direction);
	dmabed_live_add(DMABED_LIVE_POSTED_LISTS, -1);
	wake_up_all(&buffer->idle);
}

/* Those of one holder, or with NULL all of them. */
static void end_lists_of(struct posted_buffer *buffer, const void *holder)
{
	struct dmabed_device_mapping *list, *next;

	list_for_each_entry_safe(list, next, &buffer->lists, node)
		if (!holder || list->holder == holder)
			end_list(buffer, list);
}

static void buffer_detach(struct posted_buf *buf,
			  struct posted_attachment *attach)
{
	lockdep_assert_held(&buf->lock);
	if (!posted_defect(POSTED_DETACH_FORGETS_LISTS))
		end_lists_of(buf->priv, attach);
}

/* ---- waiting ---- */

static bool nobody_moves(struct posted_buffer *buffer)
{
	return !READ_ONCE(buffer->moving);
}

static bool nobody_holds(struct posted_buffer *buffer)
{
	return list_empty_careful(&buffer->lists);
}

/* By this name a task that stalls is found in its kernel stack. */
static noinline int posted_stall(struct posted_buffer *buffer,
				 bool (*until)(struct posted_buffer *buffer))
{
	int ret = 0;

	mutex_unlock(&buffer->buf->lock);
	/* as posted: versions that can be interrupted are a TODO */
	if (posted_defect(POSTED_STALL_UNINTERRUPTIBLE))
		wait_event(buffer->idle, until(buffer));
	else
		ret = wait_event_interruptible(buffer->idle, until(buffer));
	mutex_lock(&buffer->buf->lock);
	return ret ? -EINTR : 0;
}

/* Those that come while somebody wants to move queue up behind. */
static int wait_for_turn(struct posted_buffer *buffer)
{
	int ret = 0;

	while (!ret && buffer->moving)
		ret = posted_stall(buffer, nobody_moves);
	return ret;
}

static int wait_for_all_puts(struct posted_buffer *buffer)
{
	int ret = 0;

	buffer->moving = true;
	while (!ret && !list_empty(&buffer->lists))
		ret = posted_stall(buffer, nobody_holds);
	WRITE_ONCE(buffer->moving, false);
	wake_up_all(&buffer->idle);
	return ret;
}

static bool has_to_move(const struct posted_buffer *buffer, struct device *dev)
{
	const struct dmabed_backing_user user = { .dev = dev };

	return buffer->backing.storage &&
	       !dmabed_backing_suits(&buffer->backing, &user);
}

static int enter(struct posted_buffer *buffer, struct device *dev)
{
	int ret = wait_for_turn(buffer);

	if (ret)
		return ret;
	if (posted_sabotaged(POSTED_ONE_READER) && !list_empty(&buffer->lists))
		return -EBUSY;
	if (!has_to_move(buffer, dev) || posted_sabotaged(POSTED_NO_STALL))
		return 0;
	return wait_for_all_puts(buffer);
}

/* ---- lists ---- */

static struct dmabed_device_mapping *
make_list(struct posted_buffer *buffer, const struct posted_attachment *attach,
	  enum dma_data_direction direction)
{
	struct dmabed_backing_user user = { .dev = attach->dev };
	struct dmabed_device_mapping *list;

	list = dmabed_device_mapping_create(buffer->backing.storage, &user,
					    direction);
	if (IS_ERR(list))
		return list;
	list->holder = attach;
	list_add_tail(&list->node, &buffer->lists);
	dmabed_live_add(DMABED_LIVE_POSTED_LISTS, 1);
	return list;
}

static struct scatterlist *buffer_get(struct posted_attachment *attach,
				      enum dma_data_direction direction,
				      int *nents)
{
	struct posted_buffer *buffer = attach->buf->priv;
	struct dmabed_device_mapping *list = NULL;
	int ret;

	mutex_lock(&attach->buf->lock);
	ret = enter(buffer, attach->dev);
	if (!ret)
		ret = posted_buffer_place(buffer, attach->dev);
	if (!ret)
		list = make_list(buffer, attach, direction);
	mutex_unlock(&attach->buf->lock);
	if (ret)
		return ERR_PTR(ret);
	if (IS_ERR(list))
		return ERR_CAST(list);
	*nents = list->sgt.nents;
	return list->sgt.sgl;
}

static void buffer_put(struct posted_attachment *attach,
		       struct scatterlist *sgl, int nents)
{
	struct posted_buffer *buffer = attach->buf->priv;
	struct dmabed_device_mapping *list;

	if (posted_sabotaged(POSTED_PUT_LIST_KEEPS))
		return;
	mutex_lock(&attach->buf->lock);
	list_for_each_entry(list, &buffer->lists, node) {
		if (list->sgt.sgl == sgl) {
			end_list(buffer, list);
			break;
		}
	}
	mutex_unlock(&attach->buf->lock);
}

/* ---- sync ---- */

static void with_lists_of(struct posted_buf *buf, struct device *dev,
			  void (*work)(struct dmabed_device_mapping *list))
{
	struct posted_buffer *buffer = buf->priv;
	struct dmabed_device_mapping *list;

	mutex_lock(&buf->lock);
	list_for_each_entry(list, &buffer->lists, node)
		if (list->dev == dev)
			work(list);
	mutex_unlock(&buf->lock);
}

static void buffer_sync_for_cpu(struct posted_buf *buf, struct device *dev)
{
	with_lists_of(buf, dev, dmabed_device_mapping_sync_for_cpu);
}

static void buffer_sync_for_device(struct posted_buf *buf, struct device *dev)
{
	with_lists_of(buf, dev, dmabed_device_mapping_sync_for_device);
}

/* ---- migration ---- */

/* Who wants to move waits before; at the attach that counts as possible. */
static bool buffer_movable(struct dmabed_backing *backing)
{
	return true;
}

static struct posted_buf *buf_of(struct dmabed_backing *backing)
{
	return container_of(backing, struct posted_buffer, backing)->buf;
}

static int buffer_quiesce(struct dmabed_backing *backing)
{
	struct posted_buf *buf = buf_of(backing);

	lockdep_assert_held(&buf->lock);
	unmap_mapping_range(buf->file->f_mapping, 0, 0, 1);
	return 0;
}

static struct file **buffer_file(struct dmabed_backing *backing)
{
	return &buf_of(backing)->file;
}

/* The text has no way to tell those that hold lists. */
static void buffer_revoke(struct dmabed_backing *backing,
			  const struct dmabed_carveout *carveout)
{
	struct posted_buf *buf = buf_of(backing);

	mutex_lock(&buf->lock);
	if (dmabed_backing_is_in(backing, carveout))
		unmap_mapping_range(buf->file->f_mapping, 0, 0, 1);
	mutex_unlock(&buf->lock);
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
 * posted_buffer_releases - how often the framework has released a buffer
 */
u64 posted_buffer_releases(void)
{
	return atomic64_read(&releases);
}

static void buffer_free(struct posted_buffer *buffer)
{
	dmabed_backing_release(&buffer->backing);
	kfree(buffer);
	dmabed_live_add(DMABED_LIVE_POSTED_BUFFERS, -1);
}

static void buffer_release(struct posted_buf *buf)
{
	struct posted_buffer *buffer = buf->priv;

	/* what a driver never put, where no detach was there to end it */
	end_lists_of(buffer, NULL);
	atomic64_inc(&releases);
	dmabed_gone_forget(&buffer->backing);
	buffer_free(buffer);
}

static const struct posted_buf_ops all_ops = {
	.owner = THIS_MODULE,
	.attach = buffer_attach,
	.detach = buffer_detach,
	.get_scatterlist = buffer_get,
	.put_scatterlist = buffer_put,
	.mmap = posted_mmap,
	.release = buffer_release,
	.sync_sg_for_cpu = buffer_sync_for_cpu,
	.sync_sg_for_device = buffer_sync_for_device,
};

static void choose_ops(struct posted_buf_ops *ops, u32 flags)
{
	*ops = all_ops;
	if ((flags & DMABED_EXPORT_NO_MMAP) &&
	    !posted_sabotaged(POSTED_MMAP_ALWAYS))
		ops->mmap = NULL;
	if (flags & DMABED_EXPORT_NO_CPU_ACCESS) {
		ops->sync_sg_for_cpu = NULL;
		ops->sync_sg_for_device = NULL;
	}
	if (flags & DMABED_EXPORT_NO_ATTACH_OPS) {
		ops->attach = NULL;
		ops->detach = NULL;
	}
}

static size_t size_of(const struct dmabed_export *request)
{
	if (posted_sabotaged(POSTED_SHORT_BUFFER) &&
	    request->length > PAGE_SIZE)
		return request->length - PAGE_SIZE;
	return request->length;
}

static int allocate_early(struct posted_buffer *buffer)
{
	int ret;

	mutex_lock(&buffer->buf->lock);
	ret = posted_buffer_place(buffer, NULL);
	mutex_unlock(&buffer->buf->lock);
	return ret;
}

static struct posted_buffer *buffer_alloc(const struct dmabed_export *request)
{
	struct posted_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	if (!buffer)
		return NULL;
	INIT_LIST_HEAD(&buffer->lists);
	init_waitqueue_head(&buffer->idle);
	dmabed_backing_init(&buffer->backing, &backing_ops, request);
	choose_ops(&buffer->ops, request->flags);
	dmabed_live_add(DMABED_LIVE_POSTED_BUFFERS, 1);
	return buffer;
}

/**
 * posted_buffer_export - make a buffer, without storage
 * @request: what user space asked for, already checked
 *
 * Return: the buffer with one reference, or what the framework said.
 */
struct posted_buf *posted_buffer_export(const struct dmabed_export *request)
{
	struct posted_buffer *buffer = buffer_alloc(request);
	struct posted_buf *buf;

	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buf = posted_buf_export(buffer, &buffer->ops, size_of(request),
				request->fd_flags);
	if (IS_ERR_OR_NULL(buf)) {
		buffer_free(buffer);
		return buf;
	}
	buffer->buf = buf;
	dmabed_gone_note(&buffer->backing);
	if (posted_sabotaged(POSTED_EARLY_ALLOCATION))
		allocate_early(buffer);
	return buf;
}

/**
 * posted_buffer_of - the buffer behind the framework's
 * @buf: any buffer of the framework
 *
 * Return: the buffer, NULL when somebody else exported it.
 */
struct posted_buffer *posted_buffer_of(struct posted_buf *buf)
{
	return buf->ops->release == buffer_release ? buf->priv : NULL;
}

/* ---- looking and moving ---- */

/**
 * posted_buffer_info - where the buffer is
 * @buffer: the buffer
 * @info: filled in
 * @segments: kernel array for the runs of its storage
 * @room: entries of @segments
 *
 * Return: 0; -EINTR.
 */
int posted_buffer_info(struct posted_buffer *buffer,
		       struct dmabed_buffer_info *info,
		       struct dmabed_segment *segments, u32 room)
{
	struct posted_buf *buf = buffer->buf;

	if (mutex_lock_interruptible(&buf->lock))
		return -EINTR;
	dmabed_backing_describe(&buffer->backing, info, segments, room);
	info->length = buf->size;
	info->attachments = list_count_nodes(&buf->attachments);
	info->mappings = list_count_nodes(&buffer->lists);
	mutex_unlock(&buf->lock);
	return 0;
}

static int migrate_locked(struct posted_buffer *buffer,
			  const struct dmabed_place *place)
{
	int ret = wait_for_turn(buffer);

	if (!ret)
		ret = wait_for_all_puts(buffer);
	if (ret)
		return ret;
	ret = collect_devices(buffer);
	if (!ret)
		ret = dmabed_backing_migrate(&buffer->backing, place);
	dmabed_backing_forget_devices(&buffer->backing);
	return ret;
}

/**
 * posted_buffer_migrate - move the buffer, once all lists are put
 * @buffer: the buffer
 * @place: where to
 *
 * Return: as dmabed_backing_migrate(); -EINTR.
 */
int posted_buffer_migrate(struct posted_buffer *buffer,
			  const struct dmabed_place *place)
{
	int ret;

	if (mutex_lock_interruptible(&buffer->buf->lock))
		return -EINTR;
	ret = migrate_locked(buffer, place);
	mutex_unlock(&buffer->buf->lock);
	return ret;
}
