// SPDX-License-Identifier: GPL-2.0-or-later
/* Video devices: V4L2's streaming interface, one request for each of its calls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "answer.h"
#include "nodes.h"
#include "objects.h"
#include "ops.h"

/* of our camera: CAPTURE_CID_SEED in guest-kernel/modules/capture/video.c */
#define CID_SEED (V4L2_CID_USER_BASE | 0xdb00)

static const struct word queues[] = {
	{ "capture", V4L2_BUF_TYPE_VIDEO_CAPTURE },
	{ "output", V4L2_BUF_TYPE_VIDEO_OUTPUT },
	{ 0 },
};

static const struct word memories[] = {
	{ "mmap", V4L2_MEMORY_MMAP },
	{ "dmabuf", V4L2_MEMORY_DMABUF },
	{ 0 },
};

static const struct word controls[] = {
	{ "hflip", V4L2_CID_HFLIP },
	{ "vflip", V4L2_CID_VFLIP },
	{ "rotate", V4L2_CID_ROTATE },
	{ "seed", CID_SEED },
	{ 0 },
};

static uint32_t queue_of(const json_t *request)
{
	return request_word(request, "queue", queues, V4L2_BUF_TYPE_VIDEO_CAPTURE);
}

/* ---- with an open device ---- */

typedef json_t *video_call(int fd, const json_t *request);

static json_t *with_video(const json_t *request, video_call *call)
{
	const char *name = request_text(request, "video");
	struct buffer *video = file_get(FILE_VIDEO, name);
	json_t *answer;

	if (!video)
		return answer_protocol("unknown video '%s'", name);
	answer = call(video->fd, request);
	buffer_put(video);
	return answer;
}

static bool is_driver(int fd, const char *wanted)
{
	struct v4l2_capability capability = { 0 };

	return ioctl(fd, VIDIOC_QUERYCAP, &capability) == 0 &&
	       strncmp((char *)capability.driver, wanted, sizeof(capability.driver)) == 0;
}

static json_t *op_open(const json_t *request)
{
	const char *name = request_text(request, "video");
	struct v4l2_capability capability = { 0 };
	int fd = node_open("/dev", "video", request_text(request, "device"),
			   request_text(request, "driver") ?: "", is_driver);

	if (fd < 0)
		return answer_errno(errno, "open /dev/video");
	if (ioctl(fd, VIDIOC_QUERYCAP, &capability) != 0) {
		close(fd);
		return answer_errno(errno, "VIDIOC_QUERYCAP");
	}
	if (!file_add(FILE_VIDEO, name, fd))
		return answer_protocol("video '%s' is there already", name);
	return answer_ok(json_pack("{s:s, s:s}", "driver", (char *)capability.driver, "card",
				   (char *)capability.card));
}

static json_t *op_close(const json_t *request)
{
	const char *name = request_text(request, "video");

	return file_close(FILE_VIDEO, name) ? answer_ok(NULL) :
					      answer_protocol("unknown video '%s'", name);
}

/* ---- formats and controls ---- */

static json_t *describe(const struct v4l2_pix_format *pix)
{
	char format[5] = { 0 };

	for (int i = 0; i < 4; i++)
		format[i] = pix->pixelformat >> (8 * i);
	return answer_ok(json_pack("{s:I, s:I, s:s, s:I, s:I}", "width", (json_int_t)pix->width,
				   "height", (json_int_t)pix->height, "format", format, "pitch",
				   (json_int_t)pix->bytesperline, "size",
				   (json_int_t)pix->sizeimage));
}

static uint32_t four_letters(const char *text)
{
	return strlen(text) == 4 ? v4l2_fourcc(text[0], text[1], text[2], text[3]) : 0;
}

/* A driver may choose another format than asked for; here that is a refusal. */
static json_t *set_format(int fd, const json_t *request)
{
	struct v4l2_format format = { .type = queue_of(request) };
	struct v4l2_pix_format *pix = &format.fmt.pix;
	struct v4l2_pix_format wanted = {
		.width = request_u64(request, "width", 0),
		.height = request_u64(request, "height", 0),
		.pixelformat = four_letters(request_text(request, "format")),
		.field = V4L2_FIELD_NONE,
	};

	*pix = wanted;
	if (ioctl(fd, VIDIOC_S_FMT, &format) != 0)
		return answer_errno(errno, "VIDIOC_S_FMT");
	if (pix->width != wanted.width || pix->height != wanted.height ||
	    pix->pixelformat != wanted.pixelformat)
		return answer_errno(EINVAL, "VIDIOC_S_FMT, which chose another format");
	return describe(pix);
}

static json_t *op_format(const json_t *request)
{
	return with_video(request, set_format);
}

static json_t *set_control(int fd, const json_t *request)
{
	struct v4l2_control control = {
		.id = request_word(request, "control", controls, 0),
		.value = request_u64(request, "value", 0),
	};

	if (ioctl(fd, VIDIOC_S_CTRL, &control) != 0)
		return answer_errno(errno, "VIDIOC_S_CTRL");
	return answer_ok(NULL);
}

static json_t *op_control(const json_t *request)
{
	return with_video(request, set_control);
}

/* ---- buffers ---- */

static json_t *request_buffers(int fd, const json_t *request)
{
	struct v4l2_requestbuffers buffers = {
		.count = request_u64(request, "count", 0),
		.type = queue_of(request),
		.memory = request_word(request, "memory", memories, V4L2_MEMORY_MMAP),
	};

	if (ioctl(fd, VIDIOC_REQBUFS, &buffers) != 0)
		return answer_errno(errno, "VIDIOC_REQBUFS");
	return answer_ok(json_pack("{s:I}", "count", (json_int_t)buffers.count));
}

static json_t *op_buffers(const json_t *request)
{
	return with_video(request, request_buffers);
}

static json_t *export_buffer(int fd, const json_t *request)
{
	const char *name = request_text(request, "buffer");
	struct v4l2_exportbuffer export = {
		.type = queue_of(request),
		.index = request_u64(request, "index", 0),
		.flags = O_RDWR | O_CLOEXEC,
	};
	off_t length;

	if (!buffer_name_free(name))
		return answer_protocol("buffer '%s' is there already", name);
	if (ioctl(fd, VIDIOC_EXPBUF, &export) != 0)
		return answer_errno(errno, "VIDIOC_EXPBUF");
	length = lseek(export.fd, 0, SEEK_END);
	if (!buffer_add(name, export.fd, length > 0 ? length : 0))
		return answer_protocol("buffer '%s' is there already", name);
	return answer_ok(json_pack("{s:o}", "length", json_hex(length > 0 ? length : 0)));
}

static json_t *op_export(const json_t *request)
{
	return with_video(request, export_buffer);
}

/* What an output buffer holds: a whole picture of its queue's format. */
static uint32_t picture_size(int fd, uint32_t type)
{
	struct v4l2_format format = { .type = type };

	return ioctl(fd, VIDIOC_G_FMT, &format) == 0 ? format.fmt.pix.sizeimage : 0;
}

static json_t *put_buffer(int fd, struct v4l2_buffer *buffer)
{
	buffer->field = V4L2_FIELD_NONE;
	if (V4L2_TYPE_IS_OUTPUT(buffer->type))
		buffer->bytesused = picture_size(fd, buffer->type);
	if (ioctl(fd, VIDIOC_QBUF, buffer) != 0)
		return answer_errno(errno, "VIDIOC_QBUF");
	return answer_ok(NULL);
}

static json_t *queue_buffer(int fd, const json_t *request)
{
	const char *name = request_text(request, "buffer");
	struct buffer *shared = name ? buffer_get(name) : NULL;
	struct v4l2_buffer buffer = {
		.type = queue_of(request),
		.index = request_u64(request, "index", 0),
		.memory = name ? V4L2_MEMORY_DMABUF : V4L2_MEMORY_MMAP,
	};
	json_t *answer;

	if (name && !shared)
		return answer_protocol("unknown buffer '%s'", name);
	if (shared)
		buffer.m.fd = shared->fd;
	answer = put_buffer(fd, &buffer);
	if (shared)
		buffer_put(shared);
	return answer;
}

static json_t *op_queue(const json_t *request)
{
	return with_video(request, queue_buffer);
}

/* 0 when the queue has one, otherwise an errno. */
static int wait_for_buffer(int fd, uint32_t type, int64_t timeout_ms)
{
	struct pollfd wait = { .fd = fd, .events = V4L2_TYPE_IS_OUTPUT(type) ? POLLOUT : POLLIN };
	int ready = poll(&wait, 1, timeout_ms);

	if (ready < 0)
		return errno;
	return ready == 0 ? ETIMEDOUT : 0;
}

static json_t *dequeue_buffer(int fd, const json_t *request)
{
	struct v4l2_buffer buffer = {
		.type = queue_of(request),
		.memory = request_word(request, "memory", memories, V4L2_MEMORY_DMABUF),
	};
	int error = wait_for_buffer(fd, buffer.type,
				    request_ms(request, "timeout-ms", DEFAULT_TIMEOUT_MS));

	if (error)
		return answer_errno(error, "poll");
	if (ioctl(fd, VIDIOC_DQBUF, &buffer) != 0)
		return answer_errno(errno, "VIDIOC_DQBUF");
	if (buffer.flags & V4L2_BUF_FLAG_ERROR)
		return answer_errno(EIO, "VIDIOC_DQBUF, whose buffer has the error flag");
	return answer_ok(json_pack("{s:I, s:I, s:I}", "index", (json_int_t)buffer.index,
				   "sequence", (json_int_t)buffer.sequence, "bytes",
				   (json_int_t)buffer.bytesused));
}

static json_t *op_dequeue(const json_t *request)
{
	return with_video(request, dequeue_buffer);
}

static json_t *stream(int fd, const json_t *request)
{
	bool on = request_bool(request, "on", true);
	int type = queue_of(request);

	if (ioctl(fd, on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &type) != 0)
		return answer_errno(errno, on ? "VIDIOC_STREAMON" : "VIDIOC_STREAMOFF");
	return answer_ok(NULL);
}

static json_t *op_stream(const json_t *request)
{
	return with_video(request, stream);
}

#define VIDEO_KEY { "video", KEY_NAME, true, NULL }
#define QUEUE_KEY { "queue", KEY_WORD, false, queues }

const struct op v4l2_ops[] = {
	{ "video-open", op_open, false, { VIDEO_KEY, { "device", KEY_NAME, false, NULL },
					  { "driver", KEY_NAME, false, NULL } } },
	{ "video-close", op_close, false, { VIDEO_KEY } },
	{ "video-format", op_format, false,
	  { VIDEO_KEY, QUEUE_KEY, { "width", KEY_U64, true, NULL },
	    { "height", KEY_U64, true, NULL }, { "format", KEY_TEXT, true, NULL } } },
	{ "video-control", op_control, false,
	  { VIDEO_KEY, { "control", KEY_WORD, true, controls },
	    { "value", KEY_U64, true, NULL } } },
	{ "video-buffers", op_buffers, false,
	  { VIDEO_KEY, QUEUE_KEY, { "memory", KEY_WORD, true, memories },
	    { "count", KEY_U64, true, NULL } } },
	{ "video-export", op_export, false,
	  { VIDEO_KEY, QUEUE_KEY, { "index", KEY_U64, false, NULL },
	    { "buffer", KEY_NAME, true, NULL } } },
	{ "video-queue", op_queue, false,
	  { VIDEO_KEY, QUEUE_KEY, { "index", KEY_U64, false, NULL },
	    { "buffer", KEY_NAME, false, NULL } } },
	{ "video-dequeue", op_dequeue, false,
	  { VIDEO_KEY, QUEUE_KEY, { "memory", KEY_WORD, false, memories },
	    { "timeout-ms", KEY_MS, false, NULL } } },
	{ "video-stream", op_stream, false,
	  { VIDEO_KEY, QUEUE_KEY, { "on", KEY_BOOL, false, NULL } } },
	{ 0 },
};
