// SPDX-License-Identifier: GPL-2.0-or-later
/* Buffers, and the devices that are attached to them. */
#include <dmabed.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "answer.h"
#include "generation.h"
#include "objects.h"
#include "ops.h"
#include "segments.h"
#include "storages.h"

static const struct word directions[] = {
	{ "to-device", DMABED_TO_DEVICE },
	{ "from-device", DMABED_FROM_DEVICE },
	{ "bidirectional", DMABED_BIDIRECTIONAL },
	{ 0 },
};

static json_t *no_buffer(const char *name)
{
	return answer_protocol("unknown buffer '%s'", name);
}

static json_t *not_attached(const char *device, const char *buffer)
{
	return answer_protocol("'%s' is not attached to '%s'", device, buffer);
}

static json_t *no_device(const char *name)
{
	char call[NAME_MAX_LENGTH + 32];

	snprintf(call, sizeof(call), "open /dev/dmabed/%s", name);
	return answer_errno(errno, call);
}

static json_t *op_info(const json_t *request)
{
	const char *name = request_text(request, "device");
	struct dmabed_engine_info info = { .size = sizeof(info) };
	struct device *device = device_get(name);
	int error;

	if (!device)
		return no_device(name);
	error = ioctl(device->fd, DMABED_IOC_INFO, &info) ? errno : 0;
	device_put(device);
	if (error)
		return answer_errno(error, "DMABED_IOC_INFO");
	info.name[sizeof(info.name) - 1] = '\0';
	return answer_ok(json_pack(
		"{s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "name", info.name,
		"dma-mask", json_hex(info.dma_mask), "bus-dma-limit", json_hex(info.bus_dma_limit),
		"seg-boundary", json_hex(info.seg_boundary),
		"max-seg-size", (json_int_t)info.max_seg_size,
		"max-segments", (json_int_t)info.max_segments,
		"alignment", (json_int_t)info.alignment, "granule", (json_int_t)info.granule,
		"addr-bits", (json_int_t)info.addr_bits));
}

/* The kernel rounds a length up to pages; seeking to the end tells by how much. */
static uint64_t true_length(int fd, uint64_t asked)
{
	off_t end = lseek(fd, 0, SEEK_END);

	return end > 0 ? (uint64_t)end : asked;
}

static json_t *new_buffer(const char *name, int fd, uint64_t asked)
{
	uint64_t length = true_length(fd, asked);

	if (!buffer_add(name, fd, length))
		return answer_protocol("buffer '%s' is there already", name);
	return answer_ok(json_pack("{s:o}", "length", json_hex(length)));
}

/* A name that is too long is not cut: the kernel must not find another. */
static void copy_source(char *to, const json_t *request)
{
	const char *source = request_text(request, "source") ?: "";

	memset(to, 0, DMABED_NAME_LEN);
	memcpy(to, source, strnlen(source, DMABED_NAME_LEN));
}

/* One that is too large is not cut: the kernel must not find another. */
static uint32_t limit_u32(const json_t *request, const char *key)
{
	uint64_t value = request_u64(request, key, 0);

	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static json_t *op_export(const json_t *request)
{
	const char *name = request_text(request, "buffer");
	struct dmabed_export export = {
		.size = sizeof(export),
		.flags = request_words(request, "flags", export_flags),
		.length = request_u64(request, "length", 0),
		.storage = request_word(request, "storage", storages, DMABED_STORAGE_AUTO),
		.fd_flags = O_RDWR | O_CLOEXEC,
		.address = request_u64(request, "address", 0),
		.fd = -1,
		.allowed = request_words(request, "allowed", storage_bits),
		.highest = request_u64(request, "highest", 0),
		.max_segment_size = request_u64(request, "max-segment-size", 0),
		.max_segments = limit_u32(request, "max-segments"),
		.alignment = limit_u32(request, "alignment"),
	};
	struct device *exporter;
	int error;

	copy_source(export.source, request);
	if (!buffer_name_free(name))
		return answer_protocol("buffer '%s' is there already", name);
	exporter = device_get(exporter_name(request));
	if (!exporter)
		return no_exporter(request);
	error = ioctl(exporter->fd, DMABED_IOC_EXPORT, &export) ? errno : 0;
	device_put(exporter);
	if (error)
		return answer_errno(error, "DMABED_IOC_EXPORT");
	return new_buffer(name, export.fd, export.length);
}

static json_t *op_heap(const json_t *request)
{
	const char *name = request_text(request, "buffer");
	struct dma_heap_allocation_data data = {
		.len = request_u64(request, "length", 0),
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	char path[NAME_MAX_LENGTH + 32];
	int fd, error;

	if (!buffer_name_free(name))
		return answer_protocol("buffer '%s' is there already", name);
	snprintf(path, sizeof(path), "/dev/dma_heap/%s", request_text(request, "heap"));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return answer_errno(errno, path);
	error = ioctl(fd, DMA_HEAP_IOCTL_ALLOC, &data) ? errno : 0;
	close(fd);
	if (error)
		return answer_errno(error, "DMA_HEAP_IOCTL_ALLOC");
	return new_buffer(name, (int)data.fd, data.len);
}

static json_t *migrate(const json_t *request, const struct buffer *buffer,
		       const struct device *exporter)
{
	struct dmabed_migrate migrate = {
		.size = sizeof(migrate),
		.fd = buffer->fd,
		.storage = request_word(request, "storage", storages, DMABED_STORAGE_AUTO),
		.address = request_u64(request, "address", 0),
	};

	copy_source(migrate.source, request);
	if (ioctl(exporter->fd, DMABED_IOC_MIGRATE, &migrate) != 0)
		return answer_errno(errno, "DMABED_IOC_MIGRATE");
	return answer_ok(NULL);
}

static json_t *op_migrate(const json_t *request)
{
	const char *name = request_text(request, "buffer");
	struct buffer *buffer = buffer_get(name);
	struct device *exporter;
	json_t *answer;

	if (!buffer)
		return no_buffer(name);
	exporter = device_get(exporter_name(request));
	if (exporter) {
		answer = migrate(request, buffer, exporter);
		device_put(exporter);
	} else {
		answer = no_exporter(request);
	}
	buffer_put(buffer);
	return answer;
}

struct buffer_query {
	int exporter;
	struct dmabed_buffer_info info;
};

static int ask_buffer(struct segments *segments, void *context)
{
	struct buffer_query *query = context;
	int error;

	query->info.size = sizeof(query->info);
	query->info.nr_segments = segments->room;
	query->info.segments = (uintptr_t)segments->at;
	error = ioctl(query->exporter, DMABED_IOC_BUFFER_INFO, &query->info) ? errno : 0;
	segments->count = query->info.nr_segments;
	return error;
}

static json_t *describe_buffer(const struct dmabed_buffer_info *info,
			       const struct segments *segments)
{
	const char *storage = word_of(storages, info->storage);

	return json_pack("{s:s, s:o, s:I, s:I, s:I, s:o}", "storage", storage ?: "unknown",
			 "length", json_hex(info->length),
			 "migrations", (json_int_t)info->migrations,
			 "attachments", (json_int_t)info->attachments,
			 "mappings", (json_int_t)info->mappings,
			 "segments", segments_json(segments));
}

static json_t *query_buffer(int fd, const struct device *exporter)
{
	struct buffer_query query = { .exporter = exporter->fd, .info = { .fd = fd } };
	struct segments segments;
	int error = segments_ask(&segments, ask_buffer, &query);
	json_t *answer;

	if (error)
		answer = answer_errno(error, "DMABED_IOC_BUFFER_INFO");
	else
		answer = answer_ok(describe_buffer(&query.info, &segments));
	segments_free(&segments);
	return answer;
}

static json_t *op_buffer(const json_t *request)
{
	const char *name = request_text(request, "buffer");
	struct buffer *buffer = buffer_get(name);
	struct device *exporter;
	json_t *answer;

	if (!buffer)
		return no_buffer(name);
	exporter = device_get(exporter_name(request));
	if (exporter) {
		answer = query_buffer(buffer->fd, exporter);
		device_put(exporter);
	} else {
		answer = no_exporter(request);
	}
	buffer_put(buffer);
	return answer;
}

static json_t *attach(struct attachment *attachment, const struct buffer *buffer, uint32_t flags)
{
	struct dmabed_attach attach = {
		.size = sizeof(attach),
		.flags = flags,
		.fd = buffer->fd,
	};

	if (ioctl(attachment->device->fd, DMABED_IOC_ATTACH, &attach) != 0) {
		int error = errno;

		attachment_forget(attachment);
		return answer_errno(error, "DMABED_IOC_ATTACH");
	}
	attachment_ready(attachment, attach.attachment);
	return answer_ok(json_pack("{s:I}", "attachment", (json_int_t)attach.attachment));
}

static uint32_t attach_flags(const json_t *request)
{
	return (request_bool(request, "dynamic", false) ? DMABED_ATTACH_DYNAMIC : 0) |
	       (request_bool(request, "p2p", false) ? DMABED_ATTACH_P2P : 0) |
	       generation_attach_flags(request);
}

static json_t *reserve_and_attach(const json_t *request, struct device *device,
				  const struct buffer *buffer)
{
	struct attachment *attachment = attachment_reserve(device, buffer);
	json_t *answer;

	if (!attachment)
		return answer_protocol("'%s' is attached to '%s' already", device->name,
				       buffer->name);
	answer = attach(attachment, buffer, attach_flags(request));
	attachment_put(attachment);
	return answer;
}

static json_t *op_attach(const json_t *request)
{
	const char *buffer_name = request_text(request, "buffer");
	const char *device_name = request_text(request, "device");
	struct buffer *buffer = buffer_get(buffer_name);
	struct device *device;
	json_t *answer;

	if (!buffer)
		return no_buffer(buffer_name);
	device = device_get(device_name);
	if (device) {
		answer = reserve_and_attach(request, device, buffer);
		device_put(device);
	} else {
		answer = no_device(device_name);
	}
	buffer_put(buffer);
	return answer;
}

/* For the three operations on an attachment that is there. */
static json_t *with_attachment(const json_t *request,
			       json_t *(*work)(const json_t *, struct attachment *))
{
	const char *device = request_text(request, "device");
	const char *buffer = request_text(request, "buffer");
	struct attachment *attachment = attachment_get(device, buffer);
	json_t *answer;

	if (!attachment)
		return not_attached(device, buffer);
	answer = work(request, attachment);
	attachment_put(attachment);
	return answer;
}

static json_t *detach(const json_t *request, struct attachment *attachment)
{
	struct dmabed_detach detach = {
		.size = sizeof(detach),
		.attachment = attachment->number,
	};

	(void)request;
	if (ioctl(attachment->device->fd, DMABED_IOC_DETACH, &detach) != 0)
		return answer_errno(errno, "DMABED_IOC_DETACH");
	attachment_forget(attachment);
	return answer_ok(NULL);
}

static json_t *op_detach(const json_t *request)
{
	return with_attachment(request, detach);
}

static json_t *pin_ioctl(struct attachment *attachment, unsigned long command, const char *name)
{
	struct dmabed_pin pin = {
		.size = sizeof(pin),
		.attachment = attachment->number,
	};

	if (ioctl(attachment->device->fd, command, &pin) != 0)
		return answer_errno(errno, name);
	return answer_ok(NULL);
}

static json_t *pin(const json_t *request, struct attachment *attachment)
{
	(void)request;
	return pin_ioctl(attachment, DMABED_IOC_PIN, "DMABED_IOC_PIN");
}

static json_t *unpin(const json_t *request, struct attachment *attachment)
{
	(void)request;
	return pin_ioctl(attachment, DMABED_IOC_UNPIN, "DMABED_IOC_UNPIN");
}

static json_t *op_pin(const json_t *request)
{
	return with_attachment(request, pin);
}

static json_t *op_unpin(const json_t *request)
{
	return with_attachment(request, unpin);
}

struct map_query {
	const struct attachment *attachment;
	uint32_t direction;
};

static int ask_map(struct segments *segments, void *context)
{
	const struct map_query *query = context;
	struct dmabed_map map = {
		.size = sizeof(map),
		.attachment = query->attachment->number,
		.direction = query->direction,
		.nr_segments = segments->room,
		.segments = (uintptr_t)segments->at,
	};
	int error = ioctl(query->attachment->device->fd, DMABED_IOC_MAP, &map) ? errno : 0;

	segments->count = map.nr_segments;
	return error;
}

static json_t *map(const json_t *request, struct attachment *attachment)
{
	struct map_query query = {
		.attachment = attachment,
		.direction = request_word(request, "direction", directions, DMABED_BIDIRECTIONAL),
	};
	struct segments segments;
	int error = segments_ask(&segments, ask_map, &query);
	json_t *answer;

	if (error)
		answer = answer_errno(error, "DMABED_IOC_MAP");
	else
		answer = answer_ok(json_pack("{s:o}", "segments", segments_json(&segments)));
	segments_free(&segments);
	return answer;
}

static json_t *op_map(const json_t *request)
{
	return with_attachment(request, map);
}

static json_t *unmap(const json_t *request, struct attachment *attachment)
{
	struct dmabed_unmap unmap = {
		.size = sizeof(unmap),
		.attachment = attachment->number,
	};

	(void)request;
	if (ioctl(attachment->device->fd, DMABED_IOC_UNMAP, &unmap) != 0)
		return answer_errno(errno, "DMABED_IOC_UNMAP");
	return answer_ok(NULL);
}

static json_t *op_unmap(const json_t *request)
{
	return with_attachment(request, unmap);
}

static json_t *op_close(const json_t *request)
{
	const char *name = request_text(request, "buffer");

	return buffer_close(name) ? answer_ok(NULL) : no_buffer(name);
}

/* The file of an engine, or without a name that of the exporter. */
static json_t *op_close_device(const json_t *request)
{
	const char *name = request_text(request, "device") ?: exporter_name(request);

	return device_close(name) ? answer_ok(NULL) : answer_protocol("'%s' is not open", name);
}

#define BUFFER { "buffer", KEY_NAME, true, NULL }
#define DEVICE { "device", KEY_NAME, true, NULL }

const struct op dmabuf_ops[] = {
	{ "info", op_info, false, { DEVICE } },
	{ "export", op_export, false, { BUFFER, { "length", KEY_U64, true, NULL },
					{ "storage", KEY_WORD, false, storages },
					{ "address", KEY_U64, false, NULL },
					{ "flags", KEY_WORDS, false, export_flags },
					{ "source", KEY_TEXT, false, NULL },
					{ "allowed", KEY_WORDS, false, storage_bits },
					{ "highest", KEY_U64, false, NULL },
					{ "max-segment-size", KEY_U64, false, NULL },
					{ "max-segments", KEY_U64, false, NULL },
					{ "alignment", KEY_U64, false, NULL },
					GENERATION_KEY } },
	{ "migrate", op_migrate, false, { BUFFER, { "storage", KEY_WORD, false, storages },
					  { "address", KEY_U64, false, NULL },
					  { "source", KEY_TEXT, false, NULL },
					  GENERATION_KEY } },
	{ "heap", op_heap, false, { BUFFER, { "length", KEY_U64, true, NULL },
				    { "heap", KEY_NAME, true, NULL } } },
	{ "buffer", op_buffer, false, { BUFFER, GENERATION_KEY } },
	{ "attach", op_attach, false, { DEVICE, BUFFER, { "dynamic", KEY_BOOL, false, NULL },
					{ "p2p", KEY_BOOL, false, NULL },
					GENERATION_KEY } },
	{ "pin", op_pin, false, { DEVICE, BUFFER } },
	{ "unpin", op_unpin, false, { DEVICE, BUFFER } },
	{ "detach", op_detach, false, { DEVICE, BUFFER } },
	{ "map", op_map, false, { DEVICE, BUFFER, { "direction", KEY_WORD, false, directions } } },
	{ "unmap", op_unmap, false, { DEVICE, BUFFER } },
	{ "close", op_close, false, { BUFFER } },
	{ "close-device", op_close_device, false, { { "device", KEY_NAME, false, NULL },
						    GENERATION_KEY } },
	{ 0 },
};
