// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions of the framework, called as a driver might, with good arguments and
 * with bad ones.  Also built with the framework left out.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <uapi/dmabed_generations.h>

#include "posted/posted.h"

static struct platform_device *device;

/* ---- an exporter that has the least ---- */

static struct scatterlist *least_get(struct posted_attachment *attach,
				     enum dma_data_direction direction,
				     int *nents)
{
	return ERR_PTR(-EIO);
}

static void least_put(struct posted_attachment *attach,
		      struct scatterlist *list, int nents)
{
}

static void least_release(struct posted_buf *buf)
{
}

static const struct posted_buf_ops least_ops = {
	.owner = THIS_MODULE,
	.get_scatterlist = least_get,
	.put_scatterlist = least_put,
	.release = least_release,
};

static int least_priv;

static struct posted_buf *export_least(void)
{
	return posted_buf_export(&least_priv, &least_ops, PAGE_SIZE, O_RDWR);
}

/* 0, what the error is, or -ENODATA for NULL. */
static s64 result_of(const void *pointer)
{
	return pointer ? PTR_ERR_OR_ZERO(pointer) : -ENODATA;
}

static s64 try_export(void *priv, const struct posted_buf_ops *ops, size_t size)
{
	struct posted_buf *buf = posted_buf_export(priv, ops, size, O_RDWR);

	if (!IS_ERR_OR_NULL(buf))
		posted_buf_put(buf);
	return result_of(buf);
}

/* Static, as a buffer that should not be is released only after the call. */
static const struct posted_buf_ops ops_without_list = {
	.owner = THIS_MODULE,
	.put_scatterlist = least_put,
	.release = least_release,
};

static const struct posted_buf_ops ops_without_put = {
	.owner = THIS_MODULE,
	.get_scatterlist = least_get,
	.release = least_release,
};

static const struct posted_buf_ops ops_without_release = {
	.owner = THIS_MODULE,
	.get_scatterlist = least_get,
	.put_scatterlist = least_put,
};

static s64 call_export(u32 function)
{
	switch (function) {
	case DMABED_OLD_EXPORT_NO_PRIV:
		return try_export(NULL, &least_ops, PAGE_SIZE);
	case DMABED_OLD_EXPORT_NO_OPS:
		return try_export(&least_priv, NULL, PAGE_SIZE);
	case DMABED_OLD_EXPORT_NO_SIZE:
		return try_export(&least_priv, &least_ops, 0);
	case DMABED_OLD_EXPORT_NO_LIST:
		return try_export(&least_priv, &ops_without_list, PAGE_SIZE);
	case DMABED_OLD_EXPORT_NO_PUT_LIST:
		return try_export(&least_priv, &ops_without_put, PAGE_SIZE);
	case DMABED_OLD_EXPORT_NO_RELEASE:
		return try_export(&least_priv, &ops_without_release, PAGE_SIZE);
	default:
		return try_export(&least_priv, &least_ops, PAGE_SIZE);
	}
}

/* ---- attachments of the call's own ---- */

static s64 try_attach(struct posted_buf *buf, struct device *dev)
{
	struct posted_attachment *attach = posted_buf_attach(buf, dev);

	if (!IS_ERR_OR_NULL(attach))
		posted_buf_detach(buf, attach);
	return result_of(attach);
}

static s64 try_list(struct posted_attachment *attach)
{
	struct scatterlist *list;
	int nents;

	list = posted_get_scatterlist(attach, DMA_BIDIRECTIONAL, &nents);
	if (!IS_ERR_OR_NULL(list))
		posted_put_scatterlist(attach, list, nents);
	return result_of(list);
}

/* An attachment that the framework has not made. */
static s64 call_unattached(struct posted_buf *buf)
{
	struct posted_attachment attach = {
		.buf = buf, .dev = &device->dev,
	};

	return try_list(&attach);
}

static s64 with_attachment(s64 (*work)(struct posted_buf *buf,
				       struct posted_attachment *attach))
{
	struct posted_buf *buf = export_least();
	struct posted_attachment *attach;

	if (IS_ERR_OR_NULL(buf))
		return result_of(buf);
	attach = posted_buf_attach(buf, &device->dev);
	if (IS_ERR_OR_NULL(attach)) {
		posted_buf_put(buf);
		return result_of(attach);
	}
	return work(buf, attach);
}

/* Without a reference of the attachment there is no buffer left to detach from. */
static s64 put_then_detach(struct posted_buf *buf,
			   struct posted_attachment *attach)
{
	struct file *file = buf->file;
	bool kept = file_count(file) > 1;

	if (!kept)
		posted_buf_detach(buf, attach);
	posted_buf_put(buf);
	if (kept)
		posted_buf_detach(buf, attach);
	return kept ? 0 : -ESTALE;
}

static s64 detach_then_put(struct posted_buf *buf,
			   struct posted_attachment *attach)
{
	posted_buf_detach(buf, attach);
	posted_buf_put(buf);
	return 0;
}

/* The device of the other buffer must still be there. */
static s64 call_detach_foreign(struct posted_buf *other)
{
	struct posted_attachment *attach;
	struct posted_buf *own = export_least();
	bool there;

	if (IS_ERR_OR_NULL(own))
		return result_of(own);
	attach = posted_buf_attach(own, &device->dev);
	if (IS_ERR_OR_NULL(attach)) {
		posted_buf_put(own);
		return result_of(attach);
	}
	posted_buf_detach(other, attach);
	there = !list_empty(&own->attachments);
	if (there)
		posted_buf_detach(own, attach);
	posted_buf_put(own);
	return there ? 0 : -ESTALE;
}

/* ---- of a buffer ---- */

static s64 call_get(struct posted_buf *buf, int fd)
{
	long before = file_count(buf->file);
	struct posted_buf *again = posted_buf_get(fd);
	long between;

	if (IS_ERR(again))
		return PTR_ERR(again);
	between = file_count(buf->file);
	posted_buf_put(again);
	return between - before;
}

static struct device *first_device(struct posted_buf *buf)
{
	struct posted_attachment *first;
	struct device *dev = NULL;

	mutex_lock(&buf->lock);
	first = list_first_entry_or_null(&buf->attachments,
					 struct posted_attachment, node);
	if (first)
		dev = get_device(first->dev);
	mutex_unlock(&buf->lock);
	return dev;
}

static s64 bytes_of(struct posted_attachment *attach)
{
	struct scatterlist *list, *sg;
	s64 bytes = 0;
	int nents, i;

	list = posted_get_scatterlist(attach, DMA_TO_DEVICE, &nents);
	if (IS_ERR_OR_NULL(list))
		return result_of(list);
	for_each_sg(list, sg, nents, i)
		bytes += sg->length;
	posted_put_scatterlist(attach, list, nents);
	return bytes;
}

static s64 call_list_bytes(struct posted_buf *buf)
{
	struct device *dev = first_device(buf);
	struct posted_attachment *attach;
	s64 result;

	if (!dev)
		return -ENOENT;
	attach = posted_buf_attach(buf, dev);
	result = result_of(attach);
	if (!result) {
		result = bytes_of(attach);
		posted_buf_detach(buf, attach);
	}
	put_device(dev);
	return result;
}

/* What a driver forgot to give back goes with its attachment. */
static s64 call_detach_holding(struct posted_buf *buf)
{
	u64 before = dmabed_live_count(DMABED_LIVE_POSTED_LISTS);
	struct posted_attachment *attach = posted_buf_attach(buf, &device->dev);
	struct scatterlist *list;
	s64 result;
	int nents;

	if (IS_ERR_OR_NULL(attach))
		return result_of(attach);
	list = posted_get_scatterlist(attach, DMA_TO_DEVICE, &nents);
	result = result_of(list);
	posted_buf_detach(buf, attach);
	if (!result && dmabed_live_count(DMABED_LIVE_POSTED_LISTS) != before)
		return -ESTALE;
	return result;
}

static s64 call_on(struct posted_buf *buf, const struct dmabed_call *call)
{
	switch (call->function) {
	case DMABED_OLD_FD:
		return posted_buf_fd(buf, O_CLOEXEC);
	case DMABED_OLD_GET:
		return call_get(buf, call->fd);
	case DMABED_OLD_ATTACH_NO_DEVICE:
		return try_attach(buf, NULL);
	case DMABED_OLD_DETACH_FOREIGN:
		return call_detach_foreign(buf);
	case DMABED_OLD_LIST_UNATTACHED:
		return call_unattached(buf);
	case DMABED_OLD_REFERENCES:
		/* without the one that this call has */
		return file_count(buf->file) - 1;
	case DMABED_OLD_LIST_BYTES:
		return call_list_bytes(buf);
	case DMABED_OLD_DETACH_HOLDING:
		return call_detach_holding(buf);
	default:
		return -EINVAL;
	}
}

static s64 call_on_fd(const struct dmabed_call *call)
{
	struct posted_buf *buf = posted_buf_get(call->fd);
	s64 result;

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	result = call_on(buf, call);
	posted_buf_put(buf);
	return result;
}

/* ---- of nothing ---- */

static s64 call_on_nothing(u32 function)
{
	switch (function) {
	case DMABED_OLD_FD_NULL:
		return posted_buf_fd(NULL, 0);
	case DMABED_OLD_PUT_NULL:
		posted_buf_put(NULL);
		return 0;
	case DMABED_OLD_ATTACH_NULL:
		return try_attach(NULL, &device->dev);
	case DMABED_OLD_DETACH_NULL:
		posted_buf_detach(NULL, NULL);
		return 0;
	case DMABED_OLD_LIST_NULL:
		return try_list(NULL);
	case DMABED_OLD_PUT_BEFORE_DETACH:
		return with_attachment(put_then_detach);
	case DMABED_OLD_DETACH_BEFORE_PUT:
		return with_attachment(detach_then_put);
	default:
		return call_export(function);
	}
}

static bool needs_buffer(u32 function)
{
	switch (function) {
	case DMABED_OLD_FD:
	case DMABED_OLD_GET:
	case DMABED_OLD_ATTACH_NO_DEVICE:
	case DMABED_OLD_DETACH_FOREIGN:
	case DMABED_OLD_LIST_UNATTACHED:
	case DMABED_OLD_REFERENCES:
	case DMABED_OLD_LIST_BYTES:
	case DMABED_OLD_DETACH_HOLDING:
		return true;
	default:
		return false;
	}
}

/**
 * posted_run_call - DMABED_IOC_CALL
 * @context: nothing
 * @argument: struct dmabed_call
 */
int posted_run_call(void *context, void *argument)
{
	struct dmabed_call *call = argument;

	if (call->flags || !call->function ||
	    call->function > DMABED_OLD_DETACH_HOLDING)
		return -EINVAL;
	call->result = needs_buffer(call->function) ?
		       call_on_fd(call) : call_on_nothing(call->function);
	return 0;
}

/**
 * posted_calls_init - make the device that attaches in calls
 */
int posted_calls_init(void)
{
	int ret;

	device = platform_device_register_simple(KBUILD_MODNAME,
						 PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	ret = dma_set_mask_and_coherent(&device->dev, DMA_BIT_MASK(64));
	if (ret)
		platform_device_unregister(device);
	return ret;
}

/**
 * posted_calls_exit - take it away
 */
void posted_calls_exit(void)
{
	platform_device_unregister(device);
}
