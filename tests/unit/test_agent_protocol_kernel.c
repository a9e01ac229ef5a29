// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel for the agent's protocol tests: linked into the agent with
 * --wrap=open,--wrap=ioctl, it plays our drivers well enough to see what the
 * agent asks of them.  Buffers are memfds, so that mmap is the real one.
 */
#include <dmabed_generations.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define NR_SEGMENTS 1000u /* more than the agent has room for at first */
#define JOB_STUCK 99
#define JOB_FAILED 98
#define POSTED 0x1000u /* a bit of the number of such an attachment */
#define MERGED 0x2000u
#define HANDLE 7u

int __real_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long command, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long command, void *argument);

int __wrap_open(const char *path, int flags, ...)
{
	static const char *const devices[] = { "/dev/dmabed-exporter", "/dev/dmabed-posted",
					       "/dev/dmabed-merged", "/dev/dmabed/codec",
					       "/dev/dmabed/capture", "/dev/dma_heap/system",
					       "/dev/udmabuf" };

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (strcmp(path, devices[i]) == 0)
			return __real_open("/dev/null", flags);
	return __real_open(path, flags);
}

static int fail(int error)
{
	errno = error;
	return -1;
}

static int new_buffer(uint64_t length)
{
	int fd = memfd_create("buffer", MFD_CLOEXEC);

	if (ftruncate(fd, (off_t)((length + PAGE - 1) / PAGE * PAGE)) != 0)
		return -1;
	return fd;
}

/* Sealed, as udmabuf wants its memfds. */
static int udmabuf(int memfd, uint64_t length)
{
	int seals = fcntl(memfd, F_GET_SEALS);

	return seals > 0 && (seals & F_SEAL_SHRINK) && length ? new_buffer(length) : fail(EINVAL);
}

/* Every page of the memfd once, in whatever order. */
static int udmabuf_list(const struct udmabuf_create_list *list)
{
	uint64_t pages = 0;

	if (list->count > 64)
		return fail(EINVAL);
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->list[i].size != PAGE || list->list[i].offset % PAGE)
			return fail(EINVAL);
		pages |= 1ull << (list->list[i].offset / PAGE);
	}
	if (pages + 1 != 1ull << list->count)
		return fail(EINVAL);
	return udmabuf((int)list->list[0].memfd, (uint64_t)list->count * PAGE);
}

static int export(struct dmabed_export *argument)
{
	if (argument->length == 0 || argument->size != sizeof(*argument))
		return fail(EINVAL);
	if (argument->storage == DMABED_STORAGE_FIXED && argument->address % PAGE)
		return fail(EINVAL);
	argument->fd = new_buffer(argument->length);
	return argument->fd < 0 ? -1 : 0;
}

static int list_segments(uint64_t to, uint32_t *room)
{
	struct dmabed_segment *segments = (void *)(uintptr_t)to;
	uint32_t given = *room;

	*room = NR_SEGMENTS;
	if (given < NR_SEGMENTS)
		return fail(ENOSPC);
	for (uint64_t i = 0; i < NR_SEGMENTS; i++)
		segments[i] = (struct dmabed_segment){ 0x880000000u + i * 2 * PAGE, PAGE };
	return 0;
}

static int buffer_info(struct dmabed_buffer_info *argument)
{
	argument->storage = DMABED_STORAGE_LOW_PAGES;
	argument->length = 0xfffffffffffff000u;
	argument->migrations = 2;
	return list_segments(argument->segments, &argument->nr_segments);
}

static int attach(struct dmabed_attach *argument)
{
	static uint32_t last;

	if (argument->flags & DMABED_ATTACH_DYNAMIC)
		return fail(EOPNOTSUPP);
	if (fcntl(argument->fd, F_GETFD) < 0)
		return fail(EBADF);
	argument->attachment = ++last;
	if (argument->flags & DMABED_ATTACH_POSTED)
		argument->attachment |= POSTED;
	if (argument->flags & DMABED_ATTACH_MERGED)
		argument->attachment |= MERGED;
	return 0;
}

static int map(struct dmabed_map *argument)
{
	if (argument->direction == DMABED_TO_DEVICE)
		return fail(EINVAL);
	return list_segments(argument->segments, &argument->nr_segments);
}

static int info(struct dmabed_engine_info *argument)
{
	memset(argument->name, 'x', sizeof(argument->name)); /* no NUL: a broken driver */
	argument->dma_mask = UINT64_MAX;
	argument->max_seg_size = UINT32_MAX;
	argument->addr_bits = 32;
	return 0;
}

/* Tells in the job's number what it was asked. */
static int submit(struct dmabed_submit *argument)
{
	argument->job = argument->length + argument->seed % 16 * 16 + argument->op;
	if (argument->src == DMABED_NO_ATTACHMENT && argument->dst == DMABED_NO_ATTACHMENT)
		return fail(EINVAL);
	return 0;
}

static int wait_job(struct dmabed_wait *argument)
{
	struct timespec time = { argument->timeout_ns / 1000000000,
				 argument->timeout_ns % 1000000000 };

	argument->bytes = 0x100000000u;
	argument->mismatch = UINT64_MAX;
	argument->status = 1;
	memset(argument->sha256, 0xab, sizeof(argument->sha256));
	if (argument->job == JOB_FAILED) {
		argument->status = 6;
		argument->error = -EIO;
		argument->mismatch = 0;
	}
	if (argument->job != JOB_STUCK)
		return 0;
	nanosleep(&time, NULL);
	return fail(ETIMEDOUT);
}

static int sync_lists(const struct dmabed_sync *argument)
{
	if (!(argument->attachment & POSTED))
		return fail(EOPNOTSUPP);
	return argument->target == DMABED_SYNC_FOR_DEVICE ? fail(EINVAL) : 0;
}

static int handle_to_fd(struct dmabed_handle *argument)
{
	if (argument->handle != HANDLE)
		return fail(ENOENT);
	argument->fd = new_buffer(2 * PAGE);
	return 0;
}

static int handle_info(struct dmabed_handle_info *argument)
{
	argument->length = 2 * PAGE;
	argument->storage = DMABED_STORAGE_NONE;
	return argument->handle == HANDLE ? 0 : fail(ENOENT);
}

static int stats(struct dmabed_stats *argument)
{
	argument->buffers = 3;
	argument->releases = 5;
	return 0;
}

static int call(struct dmabed_call *argument)
{
	switch (argument->function) {
	case DMABED_OLD_FD:
		argument->result = fcntl(argument->fd, F_DUPFD_CLOEXEC, 0);
		return 0;
	case DMABED_OLD_LIST_NULL:
		argument->result = -EINVAL;
		return 0;
	case DMABED_OLD_REFERENCES:
		argument->result = argument->fd < 0 ? -EBADF : 4;
		return 0;
	}
	return fail(EINVAL);
}

static int generation_ioctl(int fd, unsigned long command, void *argument)
{
	switch (command) {
	case DMABED_IOC_SYNC:
		return sync_lists(argument);
	case DMABED_IOC_SELECT: /* from now on this file is mapped as the buffer */
		return dup2(((struct dmabed_select *)argument)->fd, fd) < 0 ? -1 : 0;
	case DMABED_IOC_FD_TO_HANDLE:
		((struct dmabed_handle *)argument)->handle = HANDLE;
		return 0;
	case DMABED_IOC_HANDLE_EXPORT:
		((struct dmabed_handle_export *)argument)->handle = HANDLE + 1;
		return 0;
	case DMABED_IOC_HANDLE_TO_FD:
		return handle_to_fd(argument);
	case DMABED_IOC_HANDLE_INFO:
		return handle_info(argument);
	case DMABED_IOC_HANDLE_CLOSE:
		return ((struct dmabed_handle *)argument)->handle == HANDLE ? 0 : fail(ENOENT);
	case DMABED_IOC_STATS:
		return stats(argument);
	case DMABED_IOC_CALL:
		return call(argument);
	}
	return __real_ioctl(fd, command, argument);
}

int __wrap_ioctl(int fd, unsigned long command, void *argument)
{
	struct dma_heap_allocation_data *heap = argument;
	const struct udmabuf_create *create = argument;

	switch (command) {
	case DMABED_IOC_EXPORT:
		return export(argument);
	case DMABED_IOC_BUFFER_INFO:
		return buffer_info(argument);
	case DMABED_IOC_INFO:
		return info(argument);
	case DMABED_IOC_ATTACH:
		return attach(argument);
	case DMABED_IOC_DETACH:
	case DMABED_IOC_UNMAP:
	case DMA_BUF_IOCTL_SYNC:
		return 0;
	case DMABED_IOC_MAP:
		return map(argument);
	case DMABED_IOC_SUBMIT:
		return submit(argument);
	case DMABED_IOC_WAIT:
		return wait_job(argument);
	case UDMABUF_CREATE:
		return udmabuf((int)create->memfd, create->size);
	case UDMABUF_CREATE_LIST:
		return udmabuf_list(argument);
	case DMA_HEAP_IOCTL_ALLOC:
		heap->fd = (uint32_t)new_buffer(heap->len);
		return 0;
	}
	return generation_ioctl(fd, command, argument);
}
