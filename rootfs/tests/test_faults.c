// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * C1, C2, C10, C15: each call that makes something, with each of its allocations
 * and copies failing in turn.  What was made by halves must not stay; that is
 * accounted for by the runner.
 */
#include <dmabed.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "faults.h"
#include "test.h"
#include "timelines.h"

#define LENGTH (8 * PAGE)
#define LARGE (3u << 20) /* the first MiB that fails leaves enough for a second */

static void close_result(void *context, int result)
{
	(void)context;
	close(result);
}

/* ---- exports; the device is open before, so that its opening does not fail ---- */

struct request {
	int device;
	int memfd;
	size_t length;
	__u32 flags;
	__u32 storage;
};

static int open_device(const char *path)
{
	int device = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (device < 0)
		skip("there is no %s", path ? path : "such heap");
	return device;
}

static int allocate(void *context)
{
	const struct request *request = context;
	struct dma_heap_allocation_data data = { .len = request->length, .fd_flags = O_RDWR };

	return ioctl(request->device, DMA_HEAP_IOCTL_ALLOC, &data) ? -1 : (int)data.fd;
}

struct longer_request {
	struct dma_heap_allocation_data data;
	char more[200];
};

/* So long that the kernel has to allocate room for the request itself. */
static int allocate_longer(void *context)
{
	const struct request *request = context;
	struct longer_request longer = { .data = { .len = request->length, .fd_flags = O_RDWR } };

	return ioctl(request->device, _IOWR(DMA_HEAP_IOC_MAGIC, 0, struct longer_request), &longer) ?
		       -1 :
		       (int)longer.data.fd;
}

static void fail_request(int (*attempt)(void *context), struct request request)
{
	const struct fallible fallible = { attempt, close_result, &request };

	fail_each(&fallible);
}

TEST(C15, faults_of_system_heap)
{
	int device = open_device(SYSTEM_HEAP);

	fail_request(allocate, (struct request){ .device = device, .length = LENGTH });
	fail_request(allocate, (struct request){ .device = device, .length = LARGE + LENGTH });
	fail_request(allocate_longer, (struct request){ .device = device, .length = PAGE });
}

TEST(C15, faults_of_cma_heap)
{
	int device = open_device(cma_heap());

	fail_request(allocate, (struct request){ .device = device, .length = LENGTH });
}

static int create_udmabuf(void *context)
{
	const struct request *request = context;
	struct udmabuf_create create = { .memfd = request->memfd, .size = request->length };

	return ioctl(request->device, UDMABUF_CREATE, &create);
}

/* The first bracket makes a list of the pages. */
static int create_and_begin(void *context)
{
	int buffer = create_udmabuf(context);
	int error;

	if (buffer < 0)
		return -1;
	if (buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW) == 0)
		return buffer;
	error = errno;
	close(buffer);
	errno = error;
	return -1;
}

struct list {
	struct udmabuf_create_list head;
	struct udmabuf_create_item items[2];
};

static int create_udmabuf_list(void *context)
{
	const struct request *request = context;
	const struct list list = {
		.head = { .count = 2 },
		.items = { { .memfd = request->memfd, .size = PAGE },
			   { .memfd = request->memfd, .offset = PAGE, .size = PAGE } },
	};

	return ioctl(request->device, UDMABUF_CREATE_LIST, &list);
}

TEST(C15, faults_of_udmabuf)
{
	int device = open_device(UDMABUF_DEVICE);
	int memfd = memfd_of(LENGTH, F_SEAL_SHRINK);

	fail_request(create_udmabuf,
		     (struct request){ .device = device, .memfd = memfd, .length = LENGTH });
	fail_request(create_and_begin,
		     (struct request){ .device = device, .memfd = memfd, .length = LENGTH });
	fail_request(create_udmabuf_list, (struct request){ .device = device, .memfd = memfd });
}

static int export_own(void *context)
{
	const struct request *request = context;
	struct dmabed_export export = {
		.size = sizeof(export),
		.flags = request->flags,
		.length = request->length,
		.storage = request->storage,
		.fd_flags = O_RDWR,
	};

	return ioctl(request->device, DMABED_IOC_EXPORT, &export) ? -1 : export.fd;
}

TEST(C2, faults_of_export)
{
	struct request request = {
		.device = open_device(EXPORTER_DEVICE),
		.length = LENGTH,
		.storage = DMABED_STORAGE_AUTO,
	};

	fail_request(export_own, request);
	request.flags = DMABED_EXPORT_DYNAMIC;
	fail_request(export_own, request);
}

/* ---- what is done with a buffer ---- */

struct use {
	const struct exporter *exporter;
	int buffer, engine, attachment;
	int fences[3];
	__u32 flags;
};

static int rename_buffer(void *context)
{
	const struct use *use = context;

	return buffer_set_name(use->buffer, "renamed");
}

TEST_EACH(C2, faults_of_name)
{
	struct use use = { .buffer = buffer_of(exporter, PAGE) };
	const struct fallible fallible = { rename_buffer, NULL, &use };

	fail_each(&fallible);
}

static int begin(void *context)
{
	const struct use *use = context;

	return buffer_sync(use->buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
}

TEST_EACH(C2, faults_of_bracket)
{
	struct use use = { .buffer = buffer_of(exporter, LENGTH) };
	const struct fallible fallible = { begin, NULL, &use };

	fail_each(&fallible);
}

static int map_and_touch(void *context)
{
	const struct use *use = context;
	char *bytes = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, use->buffer, 0);

	if (bytes == MAP_FAILED)
		return -1;
	/* a page fault that fails is tried again by the kernel */
	*(volatile char *)bytes = 1;
	return munmap(bytes, LENGTH);
}

TEST_EACH(C2, faults_of_mmap)
{
	struct use use = { .buffer = buffer_of(exporter, LENGTH) };
	const struct fallible fallible = { map_and_touch, NULL, &use };

	fail_each(&fallible);
}

static int attach(void *context)
{
	const struct use *use = context;

	return engine_attach(use->engine, use->buffer, use->flags);
}

static void detach(void *context, int attachment)
{
	const struct use *use = context;

	CHECK_OK(engine_detach(use->engine, attachment));
}

static void fail_attach(const struct exporter *exporter, __u32 flags)
{
	struct use use = {
		.buffer = buffer_of(exporter, LENGTH),
		.engine = engine_open(),
		.flags = flags,
	};
	const struct fallible fallible = { attach, detach, &use };

	fail_each(&fallible);
}

TEST_EACH(C2, faults_of_attach_static)
{
	fail_attach(exporter, 0);
}

TEST_EACH(C2, faults_of_attach_dynamic)
{
	fail_attach(exporter, DMABED_ATTACH_DYNAMIC);
}

/* A buffer of its own for each attempt: the first attachment makes the storage. */
static int make_attach_and_map(void *context)
{
	struct use *use = context;
	int attachment = engine_attach(use->engine, use->buffer, use->flags);
	int result, error;

	if (attachment < 0)
		return -1;
	result = engine_map(use->engine, attachment, DMABED_BIDIRECTIONAL);
	error = errno;
	if (engine_detach(use->engine, attachment) != 0)
		return -1;
	errno = error;
	return result;
}

TEST_EACH(C1, faults_of_map_static)
{
	struct use use = { .buffer = buffer_of(exporter, LENGTH), .engine = engine_open() };
	const struct fallible fallible = { make_attach_and_map, NULL, &use };

	fail_each(&fallible);
}

TEST_EACH(C1, faults_of_map_dynamic)
{
	struct use use = {
		.buffer = buffer_of(exporter, LENGTH),
		.engine = engine_open(),
		.flags = DMABED_ATTACH_DYNAMIC,
	};
	const struct fallible fallible = { make_attach_and_map, NULL, &use };

	fail_each(&fallible);
}

static int submit(void *context)
{
	const struct use *use = context;

	return engine_start_digest(use->engine, use->attachment, LENGTH);
}

static void finish_job(void *context, int job)
{
	const struct use *use = context;
	struct dmabed_wait result;

	CHECK_OK(engine_wait(use->engine, job, -1, &result));
	CHECK_EQ(result.error, 0);
}

TEST_EACH(C7, faults_of_submit)
{
	struct use use = { .buffer = buffer_of(exporter, LENGTH), .engine = engine_open() };
	const struct fallible fallible = { submit, finish_job, &use };

	use.attachment = CHECK_OK(engine_attach(use.engine, use.buffer, 0));
	fail_each(&fallible);
}

/*
 * A static importer pins a dynamic buffer, and that gives it its storage.  With
 * one kind of memory to choose from, a failed allocation is a failed pin.
 */
static int export_and_attach(void *context)
{
	struct use *use = context;
	struct request request = {
		.device = use->buffer,
		.length = LENGTH,
		.flags = DMABED_EXPORT_DYNAMIC,
		.storage = DMABED_STORAGE_PAGES,
	};
	int buffer = export_own(&request);
	int attachment, error;

	if (buffer < 0)
		return -1;
	attachment = engine_attach(use->engine, buffer, 0);
	error = errno;
	close(buffer);
	errno = error;
	return attachment;
}

TEST(C3, faults_of_pin)
{
	struct use use = { .buffer = open_device(EXPORTER_DEVICE), .engine = engine_open() };
	const struct fallible fallible = { export_and_attach, detach, &use };

	fail_each(&fallible);
}

/* ---- fences ---- */

static int export_fence(void *context)
{
	const struct use *use = context;

	return buffer_export_fence(use->buffer, DMA_BUF_SYNC_RW);
}

/* None, one, and several: a fence is told as it is, more than one as an array. */
TEST_EACH(C10, faults_of_fence_export)
{
	struct use use = { .buffer = buffer_of(exporter, PAGE) };
	const struct fallible fallible = { export_fence, close_result, &use };
	int i;

	for (i = 0; i < 3; i++) {
		fail_each(&fallible);
		CHECK_OK(buffer_import_fence(use.buffer, DMA_BUF_SYNC_WRITE,
					     CHECK_OK(timeline_fence(timeline_new(), 1))));
	}
}

static int import_fence(void *context)
{
	const struct use *use = context;

	return buffer_import_fence(use->buffer, DMA_BUF_SYNC_WRITE, use->fences[0]);
}

TEST_EACH(C10, faults_of_fence_import)
{
	struct use use = { .buffer = buffer_of(exporter, PAGE) };
	const struct fallible fallible = { import_fence, NULL, &use };

	use.fences[0] = CHECK_OK(timeline_fence(timeline_new(), 1));
	fail_each(&fallible);
}

static int merge_fences(void *context)
{
	const struct use *use = context;

	return fence_merge("merged", use->fences[0], use->fences[1]);
}

/* Two pending, one of them pending, and none. */
TEST(C10, faults_of_merge)
{
	int first = timeline_new(), second = timeline_new();
	struct use use = { .fences = { timeline_fence(first, 1), timeline_fence(second, 1) } };
	const struct fallible fallible = { merge_fences, close_result, &use };

	fail_each(&fallible);
	CHECK_OK(timeline_advance(first, 1));
	fail_each(&fallible);
	CHECK_OK(timeline_advance(second, 1));
	fail_each(&fallible);
}

static int look_at_fence(void *context)
{
	const struct use *use = context;
	struct sync_fence_info fence;
	struct sync_file_info info = { .num_fences = 1, .sync_fence_info = (uintptr_t)&fence };

	return fence_info(use->fences[0], &info);
}

TEST(C10, faults_of_info)
{
	struct use use = { .fences = { timeline_fence(timeline_new(), 1) } };
	const struct fallible fallible = { look_at_fence, NULL, &use };

	fail_each(&fallible);
}

static int make_timeline(void *context)
{
	(void)context;
	return open(SW_SYNC, O_RDWR | O_CLOEXEC);
}

static int make_point(void *context)
{
	const struct use *use = context;

	return timeline_fence(use->fences[0], 5);
}

TEST(C10, faults_of_timeline)
{
	struct use use = { .fences = { timeline_new() } };
	const struct fallible timeline = { make_timeline, close_result, NULL };
	const struct fallible point = { make_point, close_result, &use };

	fail_each(&timeline);
	fail_each(&point);
}
