// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions of an older generation's framework, called with good arguments and
 * with bad ones.  The device that attaches is the core's: it has no limits.
 */
#include <linux/export.h>
#include <linux/fs.h>
#include <uapi/dmabed_generations.h>

#include "core/generation_calls.h"

/* ---- exports ---- */

static int least_priv;

static void *export_least(const struct dmabed_framework *framework)
{
	return framework->export(&least_priv, DMABED_LACKING_NOTHING,
				 PAGE_SIZE);
}

static s64 try_export(const struct dmabed_framework *framework, void *priv,
		      enum dmabed_lacking lacking, size_t size)
{
	void *buffer = framework->export(priv, lacking, size);

	if (!IS_ERR_OR_NULL(buffer))
		framework->importer->put(buffer);
	return dmabed_result_of(buffer);
}

static s64 try_lacking(const struct dmabed_framework *framework,
		       enum dmabed_lacking lacking)
{
	return try_export(framework, &least_priv, lacking, PAGE_SIZE);
}

static s64 call_export(const struct dmabed_framework *framework, u32 function)
{
	switch (function) {
	case DMABED_OLD_EXPORT_NO_PRIV:
		return try_export(framework, NULL, DMABED_LACKING_NOTHING,
				  PAGE_SIZE);
	case DMABED_OLD_EXPORT_NO_SIZE:
		return try_export(framework, &least_priv,
				  DMABED_LACKING_NOTHING, 0);
	case DMABED_OLD_EXPORT_NO_OPS:
		return try_lacking(framework, DMABED_LACKING_OPS);
	case DMABED_OLD_EXPORT_NO_LIST:
		return try_lacking(framework, DMABED_LACKING_LIST);
	case DMABED_OLD_EXPORT_NO_PUT_LIST:
		return try_lacking(framework, DMABED_LACKING_PUT_LIST);
	case DMABED_OLD_EXPORT_NO_RELEASE:
		return try_lacking(framework, DMABED_LACKING_RELEASE);
	default:
		return try_lacking(framework, DMABED_LACKING_NOTHING);
	}
}

/* ---- references ---- */

static long references(const struct dmabed_framework *framework, void *buffer)
{
	return file_count(framework->file(buffer));
}

static s64 get_again(const struct dmabed_framework *framework, void *buffer,
		     int fd)
{
	long before = references(framework, buffer);
	void *again = framework->importer->get(fd);
	long between;

	if (IS_ERR(again))
		return PTR_ERR(again);
	between = references(framework, buffer);
	framework->importer->put(again);
	return between - before;
}

/* ---- attachments of the call's own ---- */

static void *attach_to(const struct dmabed_framework *framework, void *buffer,
		       struct device *dev)
{
	return framework->importer->attach(buffer, dev, 0, NULL);
}

static s64 try_attach(const struct dmabed_framework *framework, void *buffer,
		      struct device *dev)
{
	void *attach = attach_to(framework, buffer, dev);

	if (!IS_ERR_OR_NULL(attach))
		framework->importer->detach(buffer, attach);
	return dmabed_result_of(attach);
}

/* A buffer of the call's own, attached. */
struct attached {
	void *buffer;
	void *attach;
};

static s64 make_attached(const struct dmabed_framework *framework,
			 struct attached *own)
{
	own->buffer = export_least(framework);
	if (IS_ERR_OR_NULL(own->buffer))
		return dmabed_result_of(own->buffer);
	own->attach = attach_to(framework, own->buffer, dmabed_core_device());
	if (IS_ERR_OR_NULL(own->attach))
		framework->importer->put(own->buffer);
	return dmabed_result_of(own->attach);
}

/* Without a reference of the attachment there is no buffer left to detach from. */
static s64 put_then_detach(const struct dmabed_framework *framework)
{
	const struct dmabed_importer *importer = framework->importer;
	struct attached own;
	s64 result = make_attached(framework, &own);
	bool kept;

	if (result)
		return result;
	kept = references(framework, own.buffer) > 1;
	if (!kept)
		importer->detach(own.buffer, own.attach);
	importer->put(own.buffer);
	if (kept)
		importer->detach(own.buffer, own.attach);
	return kept ? 0 : -ESTALE;
}

static s64 detach_then_put(const struct dmabed_framework *framework)
{
	struct attached own;
	s64 result = make_attached(framework, &own);

	if (result)
		return result;
	framework->importer->detach(own.buffer, own.attach);
	framework->importer->put(own.buffer);
	return 0;
}

static bool has_device(const struct dmabed_framework *framework, void *buffer)
{
	struct device *dev = framework->first_device(buffer);

	put_device(dev);
	return dev;
}

/* The device of the other buffer must still be there. */
static s64 detach_foreign(const struct dmabed_framework *framework, void *other)
{
	struct attached own;
	s64 result = make_attached(framework, &own);
	bool there;

	if (result)
		return result;
	framework->importer->detach(other, own.attach);
	there = has_device(framework, own.buffer);
	if (there)
		framework->importer->detach(own.buffer, own.attach);
	framework->importer->put(own.buffer);
	return there ? 0 : -ESTALE;
}

/* ---- lists ---- */

/* 0 for a good list, however long. */
static s64 error_of(s64 bytes)
{
	return min_t(s64, bytes, 0);
}

static s64 list_bytes(const struct dmabed_framework *framework, void *buffer)
{
	struct device *dev = framework->first_device(buffer);
	void *attach;
	s64 result;

	if (!dev)
		return -ENOENT;
	attach = attach_to(framework, buffer, dev);
	result = dmabed_result_of(attach);
	if (!result) {
		result = framework->list_bytes(attach, true);
		framework->importer->detach(buffer, attach);
	}
	put_device(dev);
	return result;
}

/* What a driver forgot to give back goes with its attachment. */
static s64 detach_holding(const struct dmabed_framework *framework,
			  void *buffer)
{
	u64 before = dmabed_live_count(framework->lists);
	void *attach = attach_to(framework, buffer, dmabed_core_device());
	s64 result;

	if (IS_ERR_OR_NULL(attach))
		return dmabed_result_of(attach);
	result = error_of(framework->list_bytes(attach, false));
	framework->importer->detach(buffer, attach);
	if (!result && dmabed_live_count(framework->lists) != before)
		return -ESTALE;
	return result;
}

/* ---- which call ---- */

static s64 call_on(const struct dmabed_framework *framework, void *buffer,
		   const struct dmabed_call *call)
{
	switch (call->function) {
	case DMABED_OLD_FD:
		return framework->fd(buffer);
	case DMABED_OLD_GET:
		return get_again(framework, buffer, call->fd);
	case DMABED_OLD_ATTACH_NO_DEVICE:
		return try_attach(framework, buffer, NULL);
	case DMABED_OLD_DETACH_FOREIGN:
		return detach_foreign(framework, buffer);
	case DMABED_OLD_LIST_UNATTACHED:
		return error_of(framework->list_unattached(buffer,
							   dmabed_core_device()));
	case DMABED_OLD_REFERENCES:
		/* without the one that this call has */
		return references(framework, buffer) - 1;
	case DMABED_OLD_LIST_BYTES:
		return list_bytes(framework, buffer);
	case DMABED_OLD_DETACH_HOLDING:
		return detach_holding(framework, buffer);
	default:
		return -EINVAL;
	}
}

static s64 call_on_fd(const struct dmabed_framework *framework,
		      const struct dmabed_call *call)
{
	void *buffer = framework->importer->get(call->fd);
	s64 result;

	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	result = call_on(framework, buffer, call);
	framework->importer->put(buffer);
	return result;
}

static s64 call_on_nothing(const struct dmabed_framework *framework,
			   u32 function)
{
	switch (function) {
	case DMABED_OLD_FD_NULL:
		return framework->fd(NULL);
	case DMABED_OLD_PUT_NULL:
		framework->importer->put(NULL);
		return 0;
	case DMABED_OLD_ATTACH_NULL:
		return try_attach(framework, NULL, dmabed_core_device());
	case DMABED_OLD_DETACH_NULL:
		framework->importer->detach(NULL, NULL);
		return 0;
	case DMABED_OLD_LIST_NULL:
		return error_of(framework->list_bytes(NULL, true));
	case DMABED_OLD_PUT_BEFORE_DETACH:
		return put_then_detach(framework);
	case DMABED_OLD_DETACH_BEFORE_PUT:
		return detach_then_put(framework);
	default:
		return call_export(framework, function);
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
 * dmabed_run_call - DMABED_IOC_CALL
 * @framework: whose function it is
 * @call: which, and its result
 *
 * Return: 0; -EINVAL when there is no such function.
 */
int dmabed_run_call(const struct dmabed_framework *framework,
		    struct dmabed_call *call)
{
	if (call->flags || !call->function ||
	    call->function > DMABED_OLD_DETACH_HOLDING)
		return -EINVAL;
	call->result = needs_buffer(call->function) ?
		       call_on_fd(framework, call) :
		       call_on_nothing(framework, call->function);
	return 0;
}
EXPORT_SYMBOL_GPL(dmabed_run_call);
