// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/dmabed/NAME: the engine for user space.
 */
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>
#include <dmabed/engine_regs.h>
#include <uapi/dmabed_generations.h>

#include "engine.h"

#define NUMBERS XA_LIMIT(1, INT_MAX)

/* ---- numbers of an open file ---- */

static struct dmabed_attachment *find_attachment(struct dmabed_client *client,
						 u32 number)
{
	struct dmabed_attachment *attachment;

	xa_lock(&client->attachments);
	attachment = xa_load(&client->attachments, number);
	if (attachment)
		kref_get(&attachment->ref);
	xa_unlock(&client->attachments);
	return attachment;
}

/* The same for a job: from here on detaching says EBUSY. */
static struct dmabed_attachment *claim_attachment(struct dmabed_client *client,
						  u32 number)
{
	struct dmabed_attachment *attachment;

	xa_lock(&client->attachments);
	attachment = xa_load(&client->attachments, number);
	if (attachment) {
		kref_get(&attachment->ref);
		atomic_inc(&attachment->in_flight);
	}
	xa_unlock(&client->attachments);
	return attachment;
}

static void unclaim_attachment(struct dmabed_attachment *attachment)
{
	if (!attachment)
		return;
	atomic_dec(&attachment->in_flight);
	dmabed_attachment_put(attachment);
}

static struct dmabed_attachment *take_attachment(struct dmabed_client *client,
						 u32 number)
{
	struct dmabed_attachment *attachment;

	xa_lock(&client->attachments);
	attachment = xa_load(&client->attachments, number);
	if (!attachment)
		attachment = ERR_PTR(-ENOENT);
	else if (atomic_read(&attachment->in_flight))
		attachment = ERR_PTR(-EBUSY);
	else
		__xa_erase(&client->attachments, number);
	xa_unlock(&client->attachments);
	return attachment;
}

static struct dmabed_job *find_job(struct dmabed_client *client, u64 number)
{
	struct dmabed_job *job;

	xa_lock(&client->jobs);
	job = number <= INT_MAX ? xa_load(&client->jobs, number) : NULL;
	if (job)
		kref_get(&job->ref);
	xa_unlock(&client->jobs);
	return job;
}

/* ---- ioctls ---- */

static int run_info(void *context, void *argument)
{
	struct dmabed_client *client = context;
	struct dmabed_engine_info *info = argument;

	if (info->flags)
		return -EINVAL;
	*info = client->engine->info;
	return 0;
}

static bool attach_flags_sane(u32 flags)
{
	switch (flags) {
	case 0:
	case DMABED_ATTACH_DYNAMIC:
	case DMABED_ATTACH_DYNAMIC | DMABED_ATTACH_P2P:
	case DMABED_ATTACH_POSTED:
	case DMABED_ATTACH_MERGED:
		return true;
	default:
		return false;
	}
}

static int run_attach(void *context, void *argument)
{
	struct dmabed_client *client = context;
	struct dmabed_attach *request = argument;
	struct dmabed_attachment *attachment;
	int ret;

	if (!attach_flags_sane(request->flags))
		return -EINVAL;
	if ((request->flags & DMABED_ATTACH_DYNAMIC) &&
	    !IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY))
		return -EOPNOTSUPP;
	ret = dmabed_engine_enter(client->engine);
	if (ret)
		return ret;
	dmabed_engine_set_mask(client->engine);
	attachment = dmabed_attachment_create(client->engine, request->fd,
					      request->flags);
	if (IS_ERR(attachment)) {
		ret = PTR_ERR(attachment);
		goto out_leave;
	}
	ret = xa_alloc(&client->attachments, &request->attachment, attachment,
		       NUMBERS, GFP_KERNEL);
	if (ret)
		dmabed_attachment_put(attachment);
out_leave:
	dmabed_engine_leave(client->engine);
	return ret;
}

static int run_detach(void *context, void *argument)
{
	struct dmabed_client *client = context;
	struct dmabed_detach *request = argument;
	struct dmabed_attachment *attachment;
	int ret;

	if (request->flags || request->reserved)
		return -EINVAL;
	ret = dmabed_engine_enter(client->engine);
	if (ret)
		return ret;
	attachment = dmabed_engine_sabotaged(DMABED_ENGINE_IGNORE_DETACH) ?
		     NULL : take_attachment(client, request->attachment);
	if (IS_ERR(attachment))
		ret = PTR_ERR(attachment);
	else if (attachment)
		dmabed_attachment_put_last(attachment);
	dmabed_engine_leave(client->engine);
	return ret;
}

static enum dma_data_direction direction_of(u32 direction)
{
	switch (direction) {
	case DMABED_TO_DEVICE:
		return DMA_TO_DEVICE;
	case DMABED_FROM_DEVICE:
		return DMA_FROM_DEVICE;
	case DMABED_BIDIRECTIONAL:
		return DMA_BIDIRECTIONAL;
	default:
		return DMA_NONE;
	}
}

static int map_and_list(struct dmabed_attachment *attachment,
			enum dma_data_direction direction,
			struct dmabed_segment *segments, u32 room)
{
	struct dma_resv *resv = attachment->resv;
	struct dmabed_mapping *mapping;
	int ret;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;
	mapping = dmabed_mapping_get(attachment, direction, true);
	if (IS_ERR(mapping)) {
		ret = PTR_ERR(mapping);
		goto out_unlock;
	}
	ret = dmabed_segments_of(attachment->engine, mapping->sgt, segments,
				 room);
	dmabed_mapping_put(mapping);
	/* a mapping that the engine cannot use is of no use */
	if (ret < 0 && !atomic_read(&attachment->in_flight))
		dmabed_attachment_unmap(attachment);
out_unlock:
	dma_resv_unlock(resv);
	return ret;
}

static int segments_to_user(struct dmabed_map *request, u32 count,
			    const struct dmabed_segment *segments)
{
	u32 room = request->nr_segments;

	request->nr_segments = count;
	if (!request->segments)
		return 0;
	if (count > room)
		return -ENOSPC;
	return copy_to_user(u64_to_user_ptr(request->segments), segments,
			    count * sizeof(*segments)) ? -EFAULT : 0;
}

static int map_attachment(struct dmabed_attachment *attachment, void *argument)
{
	struct dmabed_map *request = argument;
	u32 room = request->segments ? min(request->nr_segments,
					   DMABED_LIST_MAX_SEGMENTS) : 0;
	struct dmabed_segment *segments = NULL;
	int count;

	if (room) {
		segments = kvcalloc(room, sizeof(*segments), GFP_KERNEL);
		if (!segments)
			return -ENOMEM;
	}
	count = map_and_list(attachment, direction_of(request->direction),
			     segments, room);
	if (count >= 0)
		count = segments_to_user(request, count, segments);
	kvfree(segments);
	return count;
}

/* Work on one attachment of the file, which needs the device. */
static int with_attachment(struct dmabed_client *client, u32 number,
			   int (*work)(struct dmabed_attachment *attachment,
				       void *argument),
			   void *argument)
{
	struct dmabed_attachment *attachment;
	int ret = dmabed_engine_enter(client->engine);

	if (ret)
		return ret;
	attachment = find_attachment(client, number);
	if (attachment) {
		ret = work(attachment, argument);
		dmabed_attachment_put(attachment);
	} else {
		ret = -ENOENT;
	}
	dmabed_engine_leave(client->engine);
	return ret;
}

static int run_map(void *context, void *argument)
{
	struct dmabed_map *request = argument;

	if (request->flags || request->reserved ||
	    direction_of(request->direction) == DMA_NONE)
		return -EINVAL;
	return with_attachment(context, request->attachment, map_attachment,
			       request);
}

static int sync_attachment(struct dmabed_attachment *attachment, void *argument)
{
	const struct dmabed_sync *request = argument;

	return dmabed_attachment_sync(attachment, request->target);
}

static int run_sync(void *context, void *argument)
{
	struct dmabed_sync *request = argument;

	if (request->flags || (request->target != DMABED_SYNC_FOR_CPU &&
			       request->target != DMABED_SYNC_FOR_DEVICE))
		return -EINVAL;
	return with_attachment(context, request->attachment, sync_attachment,
			       request);
}

/* The same under the buffer's lock; the argument is what to do there. */
struct locked_work {
	int (*run)(struct dmabed_attachment *attachment);
};

static int work_locked(struct dmabed_attachment *attachment, void *argument)
{
	const struct locked_work *work = argument;
	struct dma_resv *resv = attachment->resv;
	int ret = dma_resv_lock_interruptible(resv, NULL);

	if (ret)
		return ret;
	ret = work->run(attachment);
	dma_resv_unlock(resv);
	return ret;
}

static int unmap_locked(struct dmabed_attachment *attachment)
{
	if (atomic_read(&attachment->in_flight))
		return -EBUSY;
	dmabed_attachment_unmap(attachment);
	return 0;
}

static int run_unmap(void *context, void *argument)
{
	struct locked_work work = { .run = unmap_locked };
	const struct dmabed_unmap *request = argument;

	if (request->flags || request->reserved)
		return -EINVAL;
	return with_attachment(context, request->attachment, work_locked,
			       &work);
}

static int pin_or_unpin(void *context, const struct dmabed_pin *request,
			int (*run)(struct dmabed_attachment *attachment))
{
	struct locked_work work = { .run = run };

	if (request->flags || request->reserved)
		return -EINVAL;
	return with_attachment(context, request->attachment, work_locked,
			       &work);
}

static int run_pin(void *context, void *argument)
{
	return pin_or_unpin(context, argument, dmabed_attachment_pin);
}

static int run_unpin(void *context, void *argument)
{
	return pin_or_unpin(context, argument, dmabed_attachment_unpin);
}

/* ---- submit ---- */

static bool reads(u32 op)
{
	return op != DMABED_OP_FILL;
}

static bool uses_dst(u32 op)
{
	return op != DMABED_OP_DIGEST;
}

static bool writes(u32 op)
{
	return op == DMABED_OP_FILL || op == DMABED_OP_COPY;
}

static bool names_buffer(u32 attachment)
{
	return attachment != DMABED_NO_ATTACHMENT;
}

static int check_submit(const struct dmabed_engine *engine,
			const struct dmabed_submit *request)
{
	if (request->flags & ~(DMABED_SUBMIT_IN_FENCE |
			       DMABED_SUBMIT_OUT_FENCE) ||
	    request->usage > DMABED_USAGE_BOOKKEEP ||
	    request->reserved || request->reserved2)
		return -EINVAL;
	if (!request->op || request->op > 31 ||
	    !(engine->caps.ops & BIT(request->op)))
		return -EOPNOTSUPP;
	if (reads(request->op) != names_buffer(request->src) ||
	    uses_dst(request->op) != names_buffer(request->dst))
		return -EINVAL;
	if (!request->length || request->length > DMABED_JOB_MAX_LENGTH ||
	    request->src_offset % sizeof(u64) ||
	    request->dst_offset % sizeof(u64))
		return -EINVAL;
	return engine->ring.jobs ? 0 : -ENOMEM;
}

static int claim_side(struct dmabed_client *client, struct dmabed_job_side *side,
		      u32 number, u64 offset, u64 length)
{
	struct dmabed_attachment *attachment;

	if (number == DMABED_NO_ATTACHMENT)
		return 0;
	attachment = claim_attachment(client, number);
	if (!attachment)
		return -ENOENT;
	side->attachment = attachment;
	if (offset > attachment->size ||
	    length > attachment->size - offset)
		return -EINVAL;
	return 0;
}

static int claim_sides(struct dmabed_client *client, struct dmabed_job *job,
		       const struct dmabed_submit *request)
{
	struct dmabed_job_side *src = &job->sides[DMABED_SRC];
	struct dmabed_job_side *dst = &job->sides[DMABED_DST];
	int ret;

	dst->write = writes(request->op);
	ret = claim_side(client, src, request->src, request->src_offset,
			 request->length);
	if (ret)
		goto err_unclaim;
	ret = claim_side(client, dst, request->dst, request->dst_offset,
			 request->length);
	if (ret)
		goto err_unclaim;
	return 0;

err_unclaim:
	unclaim_attachment(src->attachment);
	unclaim_attachment(dst->attachment);
	return ret;
}

/* There is a fence only once the job is queued, which nothing takes back. */
static int fence_to_user(struct dmabed_job *job, struct dmabed_submit *request)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct sync_file *sync_file;

	if (fd < 0)
		return fd;
	sync_file = sync_file_create(job->fence);
	if (!sync_file) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	fd_install(fd, sync_file->file);
	request->fence_fd = fd;
	return 0;
}

static int find_in_fence(struct dmabed_job *job,
			 const struct dmabed_submit *request)
{
	if (!(request->flags & DMABED_SUBMIT_IN_FENCE))
		return 0;
	job->in_fence = sync_file_get_fence(request->in_fence);
	return job->in_fence ? 0 : -EINVAL;
}

static int submit(struct dmabed_client *client, struct dmabed_submit *request)
{
	struct dmabed_job *job;
	u32 number;
	int ret;

	job = dmabed_job_create(client->engine, request);
	if (!job)
		return -ENOMEM;
	ret = find_in_fence(job, request);
	if (ret)
		goto err_put_job;
	ret = claim_sides(client, job, request);
	if (ret)
		goto err_put_job;
	/* the number is held, and found by nobody before the job is queued */
	ret = xa_alloc(&client->jobs, &number, NULL, NUMBERS, GFP_KERNEL);
	if (ret) {
		dmabed_job_abandon(job);
		goto err_put_job;
	}
	ret = dmabed_job_submit(job, request);
	if (ret)
		goto err_free_number;
	if (request->flags & DMABED_SUBMIT_OUT_FENCE)
		ret = fence_to_user(job, request);
	if (ret)
		goto err_free_number;
	xa_store(&client->jobs, number, job, GFP_KERNEL);
	request->job = number;
	return 0;

err_free_number:
	xa_erase(&client->jobs, number);
err_put_job:
	dmabed_job_put(job);
	return ret;
}

static int run_submit(void *context, void *argument)
{
	struct dmabed_client *client = context;
	struct dmabed_submit *request = argument;
	int ret;

	ret = check_submit(client->engine, request);
	if (ret)
		return ret;
	ret = dmabed_engine_enter(client->engine);
	if (ret)
		return ret;
	ret = submit(client, request);
	dmabed_engine_leave(client->engine);
	return ret;
}

/* ---- wait ---- */

/* Needs no device: the result of a job outlives its engine. */
static int wait_for(struct dma_fence *fence, s64 timeout_ns)
{
	signed long left = MAX_SCHEDULE_TIMEOUT;

	if (dma_fence_is_signaled(fence))
		return 0;
	if (!timeout_ns)
		return -ETIMEDOUT;
	if (timeout_ns > 0)
		left = min_t(u64, nsecs_to_jiffies64(timeout_ns) + 1,
			     MAX_SCHEDULE_TIMEOUT - 1);
	left = dma_fence_wait_timeout(fence, true, left);
	/* a restart would begin the relative time anew */
	if (left == -ERESTARTSYS)
		return -EINTR;
	if (left < 0)
		return left;
	return left ? 0 : -ETIMEDOUT;
}

static void take_result(struct dmabed_client *client, struct dmabed_job *job,
			struct dmabed_wait *request)
{
	u64 number = request->job;
	s64 timeout_ns = request->timeout_ns;

	*request = job->result;
	request->job = number;
	request->timeout_ns = timeout_ns;
	/* of two callers one frees the number */
	if (xa_cmpxchg(&client->jobs, number, job, NULL, GFP_KERNEL) == job)
		dmabed_job_put(job);
}

static int run_wait(void *context, void *argument)
{
	struct dmabed_client *client = context;
	struct dmabed_wait *request = argument;
	struct dmabed_job *job;
	int ret;

	if (request->flags)
		return -EINVAL;
	job = find_job(client, request->job);
	if (!job)
		return -ENOENT;
	ret = wait_for(job->fence, request->timeout_ns);
	if (!ret)
		ret = dmabed_job_wait_retired(job);
	if (!ret)
		take_result(client, job, request);
	dmabed_job_put(job);
	return ret;
}

static const struct dmabed_ioctl ioctls[] = {
	{ _IOC_NR(DMABED_IOC_INFO), sizeof(struct dmabed_engine_info), run_info },
	{ _IOC_NR(DMABED_IOC_ATTACH), sizeof(struct dmabed_attach), run_attach },
	{ _IOC_NR(DMABED_IOC_DETACH), sizeof(struct dmabed_detach), run_detach },
	{ _IOC_NR(DMABED_IOC_MAP), sizeof(struct dmabed_map), run_map },
	{ _IOC_NR(DMABED_IOC_UNMAP), sizeof(struct dmabed_unmap), run_unmap },
	{ _IOC_NR(DMABED_IOC_SUBMIT), sizeof(struct dmabed_submit), run_submit,
	  offsetofend(struct dmabed_submit, job) },
	{ _IOC_NR(DMABED_IOC_WAIT), sizeof(struct dmabed_wait), run_wait },
	{ _IOC_NR(DMABED_IOC_PIN), sizeof(struct dmabed_pin), run_pin },
	{ _IOC_NR(DMABED_IOC_UNPIN), sizeof(struct dmabed_pin), run_unpin },
	{ _IOC_NR(DMABED_IOC_SYNC), sizeof(struct dmabed_sync), run_sync },
};

/* ---- the file ---- */

static long engine_ioctl(struct file *file, unsigned int command,
			 unsigned long user)
{
	return dmabed_ioctl_run(ioctls, ARRAY_SIZE(ioctls), file->private_data,
				command, user);
}

/* misc_open() keeps the device from being deregistered meanwhile. */
static int engine_open(struct inode *inode, struct file *file)
{
	struct dmabed_engine *engine =
		container_of(file->private_data, struct dmabed_engine, misc);
	struct dmabed_client *client = kzalloc(sizeof(*client), GFP_KERNEL);

	if (!client)
		return -ENOMEM;
	client->engine = engine;
	xa_init_flags(&client->attachments, XA_FLAGS_ALLOC1);
	xa_init_flags(&client->jobs, XA_FLAGS_ALLOC1);
	kref_get(&engine->ref);
	mutex_lock(&engine->clients_lock);
	list_add(&client->node, &engine->clients);
	mutex_unlock(&engine->clients_lock);
	file->private_data = client;
	return 0;
}

/**
 * dmabed_client_drop_attachments - detach as soon as no job uses them
 * @client: an open file; nobody else ends its attachments now
 */
void dmabed_client_drop_attachments(struct dmabed_client *client)
{
	struct dmabed_attachment *attachment;
	unsigned long number;

	lockdep_assert_held(&client->engine->clients_lock);
	xa_for_each(&client->attachments, number, attachment) {
		xa_erase(&client->attachments, number);
		dmabed_attachment_put_deferred(attachment);
	}
}

/* Jobs in flight go on; they hold their attachments until they have ended. */
static int engine_release(struct inode *inode, struct file *file)
{
	struct dmabed_client *client = file->private_data;
	struct dmabed_engine *engine = client->engine;
	struct dmabed_job *job;
	unsigned long number;

	if (dmabed_engine_sabotaged(DMABED_ENGINE_CLOSE_STOPS_RING) &&
	    !dmabed_engine_enter(engine)) {
		dmabed_queue_restart(engine);
		dmabed_engine_leave(engine);
	}
	dmabed_queue_end_kept(engine);

	mutex_lock(&engine->clients_lock);
	list_del(&client->node);
	dmabed_client_drop_attachments(client);
	mutex_unlock(&engine->clients_lock);

	xa_for_each(&client->jobs, number, job)
		dmabed_job_put(job);
	xa_destroy(&client->jobs);
	xa_destroy(&client->attachments);
	kfree(client);
	dmabed_engine_put(engine);
	return 0;
}

static const struct file_operations engine_fops = {
	.owner = THIS_MODULE,
	.open = engine_open,
	.release = engine_release,
	.unlocked_ioctl = engine_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/**
 * dmabed_chardev_register - make /dev/dmabed/NAME
 * @engine: the engine, ready for calls
 *
 * Return: 0 or a negative errno.
 */
int dmabed_chardev_register(struct dmabed_engine *engine)
{
	snprintf(engine->node_name, sizeof(engine->node_name), "dmabed/%s",
		 engine->info.name);
	engine->misc.minor = MISC_DYNAMIC_MINOR;
	engine->misc.name = dev_name(engine->dev);
	engine->misc.nodename = engine->node_name;
	engine->misc.fops = &engine_fops;
	engine->misc.parent = engine->dev;
	return misc_register(&engine->misc);
}
