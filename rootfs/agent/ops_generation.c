// SPDX-License-Identifier: GPL-2.0-or-later
/* What only the older generations of dma-buf have (dmabed_generations.h). */
#include <dmabed_generations.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "answer.h"
#include "generation.h"
#include "objects.h"
#include "ops.h"
#include "storages.h"

/* ---- the lists of a device ---- */

static json_t *sync_for(const json_t *request, uint32_t target)
{
	const char *device = request_text(request, "device");
	const char *buffer = request_text(request, "buffer");
	struct attachment *attachment = attachment_get(device, buffer);
	struct dmabed_sync sync = { .size = sizeof(sync), .target = target };
	int error;

	if (!attachment)
		return answer_protocol("'%s' is not attached to '%s'", device, buffer);
	sync.attachment = attachment->number;
	error = ioctl(attachment->device->fd, DMABED_IOC_SYNC, &sync) ? errno : 0;
	attachment_put(attachment);
	return error ? answer_errno(error, "DMABED_IOC_SYNC") : answer_ok(NULL);
}

static json_t *op_sync_for_cpu(const json_t *request)
{
	return sync_for(request, DMABED_SYNC_FOR_CPU);
}

static json_t *op_sync_for_device(const json_t *request)
{
	return sync_for(request, DMABED_SYNC_FOR_DEVICE);
}

/* ---- exporters ---- */

/* One ioctl of the generation's exporter. NULL, or the answer that says why not. */
static json_t *ask_exporter(const json_t *request, unsigned long command, const char *name,
			    void *argument)
{
	struct device *exporter = device_get(exporter_name(request));
	int error;

	if (!exporter)
		return no_exporter(request);
	error = ioctl(exporter->fd, command, argument) ? errno : 0;
	device_put(exporter);
	return error ? answer_errno(error, name) : NULL;
}

#define ASK_EXPORTER(request, command, argument) \
	ask_exporter(request, command, #command, argument)

static json_t *op_stats(const json_t *request)
{
	struct dmabed_stats stats = { .size = sizeof(stats) };
	json_t *refusal = ASK_EXPORTER(request, DMABED_IOC_STATS, &stats);

	if (refusal)
		return refusal;
	return answer_ok(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "buffers",
				   (json_int_t)stats.buffers, "attachments",
				   (json_int_t)stats.attachments, "mappings",
				   (json_int_t)stats.mappings, "pages", (json_int_t)stats.pages,
				   "jobs", (json_int_t)stats.jobs, "releases",
				   (json_int_t)stats.releases));
}

/* ---- functions of the framework, called as a driver might ---- */

static const struct word functions[] = {
	{ "export", DMABED_OLD_EXPORT },
	{ "export-no-priv", DMABED_OLD_EXPORT_NO_PRIV },
	{ "export-no-ops", DMABED_OLD_EXPORT_NO_OPS },
	{ "export-no-list", DMABED_OLD_EXPORT_NO_LIST },
	{ "export-no-put-list", DMABED_OLD_EXPORT_NO_PUT_LIST },
	{ "export-no-release", DMABED_OLD_EXPORT_NO_RELEASE },
	{ "export-no-size", DMABED_OLD_EXPORT_NO_SIZE },
	{ "fd", DMABED_OLD_FD },
	{ "fd-null", DMABED_OLD_FD_NULL },
	{ "get", DMABED_OLD_GET },
	{ "put-null", DMABED_OLD_PUT_NULL },
	{ "attach-null", DMABED_OLD_ATTACH_NULL },
	{ "attach-no-device", DMABED_OLD_ATTACH_NO_DEVICE },
	{ "detach-null", DMABED_OLD_DETACH_NULL },
	{ "detach-foreign", DMABED_OLD_DETACH_FOREIGN },
	{ "list-null", DMABED_OLD_LIST_NULL },
	{ "list-unattached", DMABED_OLD_LIST_UNATTACHED },
	{ "put-before-detach", DMABED_OLD_PUT_BEFORE_DETACH },
	{ "detach-before-put", DMABED_OLD_DETACH_BEFORE_PUT },
	{ "references", DMABED_OLD_REFERENCES },
	{ "list-bytes", DMABED_OLD_LIST_BYTES },
	{ "detach-holding", DMABED_OLD_DETACH_HOLDING },
	{ 0 },
};

/* A new fd becomes a buffer under the name `to`, or is closed. NULL, or why it cannot. */
static json_t *keep_fd(const json_t *request, int fd, uint64_t length)
{
	const char *name = request_text(request, "to");

	if (name && !buffer_add(name, fd, length))
		return answer_protocol("buffer '%s' is there already", name);
	if (!name)
		close(fd);
	return NULL;
}

/* What it returned: a number, or an errno by name. */
static json_t *returned(int64_t result)
{
	const char *name = result < 0 ? errno_name((int)-result) : NULL;

	return answer_ok(json_pack("{s:o}", "result",
				   name ? json_string(name) : json_integer(result)));
}

static json_t *op_call(const json_t *request)
{
	const char *name = request_text(request, "buffer");
	struct buffer *buffer = name ? buffer_get(name) : NULL;
	struct dmabed_call call = {
		.size = sizeof(call),
		.function = request_word(request, "function", functions, 0),
		.fd = buffer ? buffer->fd : -1,
	};
	json_t *refusal;

	if (name && !buffer)
		return answer_protocol("unknown buffer '%s'", name);
	refusal = ASK_EXPORTER(request, DMABED_IOC_CALL, &call);
	if (!refusal && call.function == DMABED_OLD_FD && call.result >= 0)
		refusal = keep_fd(request, (int)call.result, buffer ? buffer->length : 0);
	if (buffer)
		buffer_put(buffer);
	return refusal ?: returned(call.result);
}

/* ---- handles: of the exporter's file that this process has open ---- */

static json_t *number_of(uint32_t handle)
{
	return answer_ok(json_pack("{s:I}", "handle", (json_int_t)handle));
}

static json_t *op_to_handle(const json_t *request)
{
	const char *name = request_text(request, "buffer");
	struct buffer *buffer = buffer_get(name);
	struct dmabed_handle handle = { .size = sizeof(handle) };
	json_t *refusal;

	if (!buffer)
		return answer_protocol("unknown buffer '%s'", name);
	handle.fd = buffer->fd;
	refusal = ASK_EXPORTER(request, DMABED_IOC_FD_TO_HANDLE, &handle);
	buffer_put(buffer);
	return refusal ?: number_of(handle.handle);
}

static json_t *op_handle_export(const json_t *request)
{
	struct dmabed_handle_export export = {
		.size = sizeof(export),
		.flags = request_words(request, "flags", export_flags),
		.length = request_u64(request, "length", 0),
		.storage = request_word(request, "storage", storages, DMABED_STORAGE_AUTO),
	};
	json_t *refusal = ASK_EXPORTER(request, DMABED_IOC_HANDLE_EXPORT, &export);

	return refusal ?: number_of(export.handle);
}

static json_t *handle_info(const json_t *request, struct dmabed_handle_info *info)
{
	info->size = sizeof(*info);
	info->handle = (uint32_t)request_u64(request, "handle", 0);
	return ASK_EXPORTER(request, DMABED_IOC_HANDLE_INFO, info);
}

static json_t *op_handle_info(const json_t *request)
{
	struct dmabed_handle_info info = { 0 };
	json_t *refusal = handle_info(request, &info);

	if (refusal)
		return refusal;
	return answer_ok(json_pack("{s:s, s:o}", "storage",
				   word_of(storages, info.storage) ?: "unknown", "length",
				   json_hex(info.length)));
}

static json_t *op_from_handle(const json_t *request)
{
	const char *name = request_text(request, "buffer");
	struct dmabed_handle handle = {
		.size = sizeof(handle),
		.flags = O_CLOEXEC,
		.handle = (uint32_t)request_u64(request, "handle", 0),
	};
	struct dmabed_handle_info info = { 0 };
	json_t *refusal;

	if (!buffer_name_free(name))
		return answer_protocol("buffer '%s' is there already", name);
	refusal = ASK_EXPORTER(request, DMABED_IOC_HANDLE_TO_FD, &handle);
	if (refusal)
		return refusal;
	refusal = handle_info(request, &info); /* its length: these fds can't be sought */
	if (refusal) {
		close(handle.fd);
		return refusal;
	}
	if (!buffer_add(name, handle.fd, info.length))
		return answer_protocol("buffer '%s' is there already", name);
	return answer_ok(json_pack("{s:o}", "length", json_hex(info.length)));
}

static json_t *op_close_handle(const json_t *request)
{
	struct dmabed_handle handle = {
		.size = sizeof(handle),
		.handle = (uint32_t)request_u64(request, "handle", 0),
	};
	json_t *refusal = ASK_EXPORTER(request, DMABED_IOC_HANDLE_CLOSE, &handle);

	return refusal ?: answer_ok(NULL);
}

#define BUFFER { "buffer", KEY_NAME, true, NULL }
#define DEVICE { "device", KEY_NAME, true, NULL }
#define HANDLE { "handle", KEY_U64, true, NULL }

const struct op generation_ops[] = {
	{ "sync-for-cpu", op_sync_for_cpu, false, { DEVICE, BUFFER } },
	{ "sync-for-device", op_sync_for_device, false, { DEVICE, BUFFER } },
	{ "stats", op_stats, false, { GENERATION_KEY } },
	{ "call", op_call, false, { { "function", KEY_WORD, true, functions },
				    { "buffer", KEY_NAME, false, NULL },
				    { "to", KEY_NAME, false, NULL },
				    GENERATION_KEY } },
	{ "to-handle", op_to_handle, false, { BUFFER, GENERATION_KEY } },
	{ "from-handle", op_from_handle, false, { HANDLE, BUFFER, GENERATION_KEY } },
	{ "handle-export", op_handle_export, false, { { "length", KEY_U64, true, NULL },
						      { "storage", KEY_WORD, false, storages },
						      { "flags", KEY_WORDS, false, export_flags },
						      GENERATION_KEY } },
	{ "handle-info", op_handle_info, false, { HANDLE, GENERATION_KEY } },
	{ "close-handle", op_close_handle, false, { HANDLE, GENERATION_KEY } },
	{ 0 },
};
