// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What dma-buf offers to user space beside bytes: names, poll, fences as files.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "answer.h"
#include "files.h"
#include "objects.h"
#include "ops.h"

static const struct word sync_flags[] = {
	{ "read", DMA_BUF_SYNC_READ },
	{ "write", DMA_BUF_SYNC_WRITE },
	{ "start", DMA_BUF_SYNC_START },
	{ "end", DMA_BUF_SYNC_END },
	{ "unknown", 1 << 5 }, /* no flag of the kernel's */
	{ 0 },
};

static const struct word poll_events[] = {
	{ "in", POLLIN },
	{ "out", POLLOUT },
	{ "error", POLLERR },
	{ 0 },
};

static const struct word origins[] = {
	{ "start", SEEK_SET },
	{ "here", SEEK_CUR },
	{ "end", SEEK_END },
	{ 0 },
};

static json_t *new_fence(const char *name, int fd)
{
	if (!fence_add(name, fd))
		return answer_protocol("fence '%s' is there already", name);
	return answer_ok(NULL);
}

/* The buffer or the fence of a request; NULL when there is none. */
static struct buffer *subject_get(const json_t *request)
{
	const char *buffer = request_text(request, "buffer");

	return buffer ? buffer_get(buffer) : fence_get(request_text(request, "fence") ?: "");
}

static json_t *no_subject(const json_t *request)
{
	return answer_protocol("unknown buffer or fence '%s'",
			       request_text(request, "buffer") ?: request_text(request, "fence"));
}

/* ---- fds ---- */

static json_t *op_dup(const json_t *request)
{
	struct buffer *buffer = buffer_get(request_text(request, "buffer"));
	const char *name = request_text(request, "to");
	uint64_t length;
	int fd;

	if (!buffer)
		return no_subject(request);
	fd = fcntl(buffer->fd, F_DUPFD_CLOEXEC, 0);
	length = buffer->length;
	buffer_put(buffer);
	if (fd < 0)
		return answer_errno(errno, "dup");
	if (!buffer_add(name, fd, length))
		return answer_protocol("buffer '%s' is there already", name);
	return answer_ok(NULL);
}

static json_t *op_seek(const json_t *request)
{
	struct buffer *buffer = buffer_get(request_text(request, "buffer"));
	off_t at;

	if (!buffer)
		return no_subject(request);
	at = lseek(buffer->fd, (off_t)request_u64(request, "offset", 0),
		   (int)request_word(request, "from", origins, SEEK_SET));
	buffer_put(buffer);
	if (at < 0)
		return answer_errno(errno, "llseek");
	return answer_ok(json_pack("{s:o}", "at", json_hex((uint64_t)at)));
}

static json_t *op_fdinfo(const json_t *request)
{
	struct buffer *buffer = buffer_get(request_text(request, "buffer"));
	char path[64], text[4096];
	ssize_t got;

	if (!buffer)
		return no_subject(request);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", buffer->fd);
	got = file_read_text(path, text, sizeof(text));
	buffer_put(buffer);
	return got < 0 ? answer_errno(errno, path) : answer_ok(json_pack("{s:s}", "text", text));
}

static json_t *op_set_name(const json_t *request)
{
	struct buffer *buffer = buffer_get(request_text(request, "buffer"));
	int error;

	if (!buffer)
		return no_subject(request);
	error = ioctl(buffer->fd, DMA_BUF_SET_NAME_B, request_text(request, "name")) ? errno : 0;
	buffer_put(buffer);
	return error ? answer_errno(error, "DMA_BUF_SET_NAME_B") : answer_ok(NULL);
}

/* ---- waiting ---- */

/* One call, as it is: no trying again. */
static json_t *op_cpu_sync(const json_t *request)
{
	struct buffer *buffer = buffer_get(request_text(request, "buffer"));
	struct dma_buf_sync sync = { .flags = request_words(request, "flags", sync_flags) };
	int error;

	if (!buffer)
		return no_subject(request);
	error = ioctl(buffer->fd, DMA_BUF_IOCTL_SYNC, &sync) ? errno : 0;
	buffer_put(buffer);
	return error ? answer_errno(error, "DMA_BUF_IOCTL_SYNC") : answer_ok(NULL);
}

static json_t *ready_json(short revents)
{
	json_t *ready = json_array();

	for (const struct word *event = poll_events; event->name; event++)
		if (revents & (short)event->value)
			json_array_append_new(ready, json_string(event->name));
	return json_pack("{s:o}", "ready", ready);
}

static json_t *op_poll(const json_t *request)
{
	struct buffer *subject = subject_get(request);
	struct pollfd poller;
	int count;

	if (!subject)
		return no_subject(request);
	poller = (struct pollfd){ .fd = subject->fd,
				  .events = (short)request_words(request, "events", poll_events) };
	count = poll(&poller, 1, (int)request_ms(request, "timeout-ms", 0));
	buffer_put(subject);
	return count < 0 ? answer_errno(errno, "poll") : answer_ok(ready_json(poller.revents));
}

/* ---- fences ---- */

static json_t *op_export_sync_file(const json_t *request)
{
	struct buffer *buffer = buffer_get(request_text(request, "buffer"));
	struct dma_buf_export_sync_file export = {
		.flags = request_words(request, "flags", sync_flags),
		.fd = -1,
	};
	int error;

	if (!buffer)
		return no_subject(request);
	error = ioctl(buffer->fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &export) ? errno : 0;
	buffer_put(buffer);
	if (error)
		return answer_errno(error, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE");
	return new_fence(request_text(request, "fence"), export.fd);
}

static json_t *op_import_sync_file(const json_t *request)
{
	struct buffer *buffer = buffer_get(request_text(request, "buffer"));
	struct buffer *fence = fence_get(request_text(request, "fence"));
	struct dma_buf_import_sync_file import = {
		.flags = request_words(request, "flags", sync_flags),
		.fd = fence ? fence->fd : -1,
	};
	int error = 0;

	if (buffer && fence)
		error = ioctl(buffer->fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &import) ? errno : 0;
	if (fence)
		buffer_put(fence);
	if (buffer)
		buffer_put(buffer);
	if (!buffer || !fence)
		return no_subject(request);
	return error ? answer_errno(error, "DMA_BUF_IOCTL_IMPORT_SYNC_FILE") : answer_ok(NULL);
}

static json_t *merge(const struct buffer *one, const struct buffer *other, const char *name)
{
	struct sync_merge_data data = { .fd2 = other->fd };

	snprintf(data.name, sizeof(data.name), "%s", name);
	if (ioctl(one->fd, SYNC_IOC_MERGE, &data) != 0)
		return answer_errno(errno, "SYNC_IOC_MERGE");
	return new_fence(name, data.fence);
}

static json_t *op_merge_fences(const json_t *request)
{
	struct buffer *one = fence_get(request_text(request, "one"));
	struct buffer *other = fence_get(request_text(request, "other"));
	json_t *answer;

	if (one && other)
		answer = merge(one, other, request_text(request, "fence"));
	else
		answer = answer_protocol("unknown fence");
	if (one)
		buffer_put(one);
	if (other)
		buffer_put(other);
	return answer;
}

/* 1: signalled, 0: not yet, negative: its error */
static json_t *status_json(int status)
{
	const char *name = status < 0 ? errno_name(-status) : NULL;

	return json_pack("{s:b, s:o}", "signaled", status != 0, "error",
			 name ? json_string(name) : json_null());
}

static json_t *wait_for(const struct buffer *fence, int64_t timeout_ms)
{
	struct pollfd poller = { .fd = fence->fd, .events = POLLIN };
	struct sync_file_info info = { 0 };
	int count = poll(&poller, 1, (int)timeout_ms);

	if (count < 0)
		return answer_errno(errno, "poll");
	if (ioctl(fence->fd, SYNC_IOC_FILE_INFO, &info) != 0)
		return answer_errno(errno, "SYNC_IOC_FILE_INFO");
	return answer_ok(status_json(info.status));
}

static json_t *op_wait_fence(const json_t *request)
{
	struct buffer *fence = fence_get(request_text(request, "fence"));
	json_t *answer;

	if (!fence)
		return no_subject(request);
	answer = wait_for(fence, request_ms(request, "timeout-ms", DEFAULT_TIMEOUT_MS));
	buffer_put(fence);
	return answer;
}

static json_t *op_close_fence(const json_t *request)
{
	return fence_close(request_text(request, "fence")) ? answer_ok(NULL) : no_subject(request);
}

#define BUFFER { "buffer", KEY_NAME, true, NULL }
#define FENCE { "fence", KEY_NAME, true, NULL }
#define FLAGS { "flags", KEY_WORDS, false, sync_flags }

const struct op fence_ops[] = {
	{ "dup", op_dup, false, { BUFFER, { "to", KEY_NAME, true, NULL } } },
	{ "seek", op_seek, false, { BUFFER, { "offset", KEY_U64, false, NULL },
				    { "from", KEY_WORD, false, origins } } },
	{ "fdinfo", op_fdinfo, false, { BUFFER } },
	{ "set-name", op_set_name, false, { BUFFER, { "name", KEY_TEXT, true, NULL } } },
	{ "cpu-sync", op_cpu_sync, false, { BUFFER, FLAGS } },
	{ "poll", op_poll, false, { { "buffer", KEY_NAME, false, NULL },
				    { "fence", KEY_NAME, false, NULL },
				    { "events", KEY_WORDS, true, poll_events },
				    { "timeout-ms", KEY_MS, false, NULL } } },
	{ "export-sync-file", op_export_sync_file, false, { BUFFER, FENCE, FLAGS } },
	{ "import-sync-file", op_import_sync_file, false, { BUFFER, FENCE, FLAGS } },
	{ "merge-fences", op_merge_fences, false, { FENCE, { "one", KEY_NAME, true, NULL },
						    { "other", KEY_NAME, true, NULL } } },
	{ "wait-fence", op_wait_fence, false, { FENCE, { "timeout-ms", KEY_MS, false, NULL } } },
	{ "close-fence", op_close_fence, false, { FENCE } },
	{ 0 },
};
