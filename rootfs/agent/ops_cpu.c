// SPDX-License-Identifier: GPL-2.0-or-later
/* The CPU's access to buffers: mmap, DMA_BUF_IOCTL_SYNC, bytes. */
#include <errno.h>
#include <linux/dma-buf.h>
#include <sha256.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "answer.h"
#include "base64.h"
#include "bus_error.h"
#include "generation.h"
#include "objects.h"
#include "ops.h"
#include "pattern.h"

#define CHUNK 65536

static const struct word ways[] = {
	{ "fd", THROUGH_FD },
	{ "exporter", THROUGH_EXPORTER },
	{ 0 },
};

static enum through way_of(const json_t *request)
{
	return (enum through)request_word(request, "through", ways, THROUGH_FD);
}

/* The buffer's own fd, or a new one of the exporter's device, which then maps this buffer: -1 and errno. */
static int map_fd_open(const json_t *request, int fd)
{
	return way_of(request) == THROUGH_FD ? fd : exporter_select(request, fd);
}

static void map_fd_close(int map_fd, int fd)
{
	if (map_fd != fd)
		close(map_fd);
}

/* One access, from a request's checked values. */
struct access {
	const struct buffer *buffer;
	int fd; /* for the brackets */
	int map_fd; /* for mmap */
	enum through way; /* whose that is */
	uint64_t seed;
	uint64_t offset;
	uint64_t length;
	bool sync;
	uint64_t direction; /* DMA_BUF_SYNC_READ or _WRITE */
	uint8_t *bytes; /* the mapping, from the buffer's start */
	SHA2_CTX sha256;
};

static void write_chunk(struct access *access, uint64_t done, size_t part)
{
	uint8_t chunk[CHUNK];

	pattern_fill(chunk, part, access->seed, access->offset + done);
	memcpy(access->bytes + access->offset + done, chunk, part);
	SHA256Update(&access->sha256, chunk, part);
}

static void read_chunk(struct access *access, uint64_t done, size_t part)
{
	uint8_t chunk[CHUNK];

	/* copied once, so that the digest is of bytes that were there at one time */
	memcpy(chunk, access->bytes + access->offset + done, part);
	SHA256Update(&access->sha256, chunk, part);
}

static void touch_bytes(void *context)
{
	struct access *access = context;

	SHA256Init(&access->sha256);
	for (uint64_t done = 0; done < access->length; done += CHUNK) {
		uint64_t left = access->length - done;
		size_t part = left < CHUNK ? (size_t)left : CHUNK;

		if (access->direction == DMA_BUF_SYNC_WRITE)
			write_chunk(access, done, part);
		else
			read_chunk(access, done, part);
	}
}

static int sync_ioctl(const struct access *access, uint64_t phase)
{
	struct dma_buf_sync sync = { .flags = phase | access->direction };
	int result;

	if (!access->sync)
		return 0;
	do /* Documentation/driver-api/dma-buf.rst asks to try again on these two */
		result = ioctl(access->fd, DMA_BUF_IOCTL_SYNC, &sync);
	while (result != 0 && (errno == EINTR || errno == EAGAIN));
	return result;
}

static json_t *digest_json(struct access *access)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char text[2 * SHA256_DIGEST_LENGTH + 1];

	SHA256Final(digest, &access->sha256);
	hex_encode(digest, sizeof(digest), text);
	return json_pack("{s:s}", "sha256", text);
}

static json_t *bracketed(struct access *access)
{
	bool done;

	if (sync_ioctl(access, DMA_BUF_SYNC_START) != 0)
		return answer_errno(errno, "DMA_BUF_IOCTL_SYNC start");
	done = bus_error_guard(touch_bytes, access);
	if (sync_ioctl(access, DMA_BUF_SYNC_END) != 0)
		return answer_errno(errno, "DMA_BUF_IOCTL_SYNC end");
	return done ? answer_ok(digest_json(access)) : answer_errno(EFAULT, "SIGBUS at an access");
}

/*
 * Maps from the buffer's start to the end of the access.  Whether the buffer
 * is that long is for the kernel to say.  A mapping that is kept serves again.
 */
static json_t *mapped(struct access *access)
{
	int protection = PROT_READ | (access->direction == DMA_BUF_SYNC_WRITE ? PROT_WRITE : 0);
	uint64_t size;
	json_t *answer;

	if (__builtin_add_overflow(access->offset, access->length, &size) || size > PTRDIFF_MAX)
		return answer_protocol("'offset' and 'length' are beyond any buffer");
	if (access->buffer->mapping && access->buffer->mapped_through == access->way &&
	    size <= access->buffer->mapped) {
		access->bytes = access->buffer->mapping;
		return bracketed(access);
	}
	access->bytes = mmap(NULL, size, protection, MAP_SHARED, access->map_fd, 0);
	if (access->bytes == MAP_FAILED)
		return answer_errno(errno, "mmap");
	answer = bracketed(access);
	munmap(access->bytes, size);
	return answer;
}

static json_t *mapped_through(const json_t *request, struct access *access)
{
	json_t *answer;

	access->way = way_of(request);
	access->map_fd = map_fd_open(request, access->fd);
	if (access->map_fd < 0)
		return answer_errno(errno, "DMABED_IOC_SELECT");
	answer = mapped(access);
	map_fd_close(access->map_fd, access->fd);
	return answer;
}

static json_t *access_buffer(const json_t *request, uint64_t direction)
{
	const char *name = request_text(request, "buffer");
	uint64_t offset = request_u64(request, "offset", 0);
	struct buffer *buffer = buffer_get(name);
	struct access access = {
		.seed = request_u64(request, "seed", 0),
		.offset = offset,
		.sync = request_bool(request, "sync", true),
		.direction = direction,
	};
	json_t *answer;

	if (!buffer)
		return answer_protocol("unknown buffer '%s'", name);
	access.buffer = buffer;
	access.fd = buffer->fd;
	access.length = request_u64(request, "length",
				    buffer->length > offset ? buffer->length - offset : 0);
	answer = mapped_through(request, &access);
	buffer_put(buffer);
	return answer;
}

static json_t *op_cpu_write(const json_t *request)
{
	if (request_u64(request, "offset", 0) % sizeof(uint64_t))
		return answer_protocol("'offset' must be a multiple of 8");
	return access_buffer(request, DMA_BUF_SYNC_WRITE);
}

static json_t *op_cpu_digest(const json_t *request)
{
	return access_buffer(request, DMA_BUF_SYNC_READ);
}

/* A mapping that stays, from the buffer's start: the kernel has to change it when the buffer moves. */
static json_t *keep_mapping(const json_t *request, struct buffer *buffer, int map_fd)
{
	uint64_t offset = request_u64(request, "offset", 0);
	uint64_t size = request_u64(request, "length", buffer->length);
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, (off_t)offset);

	if (bytes == MAP_FAILED)
		return answer_errno(errno, "mmap");
	if (buffer->mapping || offset) {
		munmap(bytes, size); /* it was about the errno only */
		return answer_ok(NULL);
	}
	buffer->mapping = bytes;
	buffer->mapped = size;
	buffer->mapped_through = way_of(request);
	return answer_ok(NULL);
}

static json_t *op_mmap(const json_t *request)
{
	struct buffer *buffer = buffer_get(request_text(request, "buffer"));
	json_t *answer;
	int map_fd;

	if (!buffer)
		return answer_protocol("unknown buffer '%s'", request_text(request, "buffer"));
	map_fd = map_fd_open(request, buffer->fd);
	if (map_fd < 0) {
		answer = answer_errno(errno, "DMABED_IOC_SELECT");
	} else {
		answer = keep_mapping(request, buffer, map_fd);
		map_fd_close(map_fd, buffer->fd);
	}
	buffer_put(buffer);
	return answer;
}

static json_t *op_munmap(const json_t *request)
{
	struct buffer *buffer = buffer_get(request_text(request, "buffer"));

	if (!buffer)
		return answer_protocol("unknown buffer '%s'", request_text(request, "buffer"));
	if (buffer->mapping)
		munmap(buffer->mapping, buffer->mapped);
	buffer->mapping = NULL;
	buffer_put(buffer);
	return answer_ok(NULL);
}

#define RANGE { "buffer", KEY_NAME, true, NULL }, { "offset", KEY_U64, false, NULL }, \
	      { "length", KEY_U64, false, NULL }, { "sync", KEY_BOOL, false, NULL }, \
	      { "through", KEY_WORD, false, ways }, GENERATION_KEY

const struct op cpu_ops[] = {
	{ "cpu-write", op_cpu_write, false, { RANGE, { "seed", KEY_U64, false, NULL } } },
	{ "cpu-digest", op_cpu_digest, false, { RANGE } },
	{ "mmap", op_mmap, false, { { "buffer", KEY_NAME, true, NULL },
				    { "offset", KEY_U64, false, NULL },
				    { "length", KEY_U64, false, NULL },
				    { "through", KEY_WORD, false, ways }, GENERATION_KEY } },
	{ "munmap", op_munmap, false, { { "buffer", KEY_NAME, true, NULL } } },
	{ 0 },
};
