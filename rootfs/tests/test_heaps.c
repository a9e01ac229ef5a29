// SPDX-License-Identifier: GPL-2.0-or-later
/* C15: the kernel's heaps (drivers/dma-buf/dma-heap.c). */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "background.h"
#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "looking.h"
#include "memory.h"
#include "test.h"

#define FLAG_BITS 32
#define HEAP_FLAG_BITS 64
#define MANY_PAGES 300 /* the system heap takes 1 MiB, 64 KiB and 4 KiB of it */
#define UNKNOWN_MINOR 120

static int open_heap(const char *path)
{
	int heap = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (heap < 0)
		skip("the kernel has no such heap");
	return heap;
}

static void check_flags(const char *heap)
{
	int bit;

	for (bit = 0; bit < FLAG_BITS; bit++) {
		if ((1u << bit) & DMA_HEAP_VALID_FD_FLAGS)
			continue;
		trying("fd flag %#x", 1u << bit);
		CHECK_FAILS(heap_allocate(heap, PAGE, 1u << bit, 0), EINVAL);
	}
	for (bit = 0; bit < HEAP_FLAG_BITS; bit++) {
		trying("heap flag %#llx", 1ull << bit);
		CHECK_FAILS(heap_allocate(heap, PAGE, O_RDWR, 1ull << bit), EINVAL);
	}
}

TEST(C15, heap_flags_system)
{
	close(open_heap(SYSTEM_HEAP));
	check_flags(SYSTEM_HEAP);
}

TEST(C15, heap_flags_cma)
{
	close(open_heap(cma_heap()));
	check_flags(cma_heap());
}

/* The field is for the answer only. */
TEST(C15, heap_fd_given)
{
	struct dma_heap_allocation_data request = { .len = PAGE, .fd = 1, .fd_flags = O_RDWR };

	CHECK_FAILS(ioctl(open_heap(SYSTEM_HEAP), DMA_HEAP_IOCTL_ALLOC, &request), EINVAL);
}

TEST(C15, heap_bad_pointer)
{
	const struct dma_heap_allocation_data request = { .len = PAGE, .fd_flags = O_RDWR };
	int heap = open_heap(SYSTEM_HEAP);
	int next;

	CHECK_FAILS(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, NULL), EFAULT);
	next = CHECK_OK(dup(heap));
	close(next);
	CHECK_FAILS(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, read_only_copy(&request, sizeof(request))),
		    EFAULT);
	CHECK_EQ(dup(heap), next);
}

/* Numbers behind the known ones. Those of other devices are not told from its own. */
TEST(C15, heap_unknown_ioctl)
{
	int heap = open_heap(SYSTEM_HEAP);

	CHECK_FAILS(ioctl(heap, _IO(DMA_HEAP_IOC_MAGIC, 1), 0), EINVAL);
	CHECK_FAILS(ioctl(heap, _IO(DMA_HEAP_IOC_MAGIC, 0xff), 0), EINVAL);
}

/* Programs of the future say more, those of the past less; the size is part of the number. */
struct longer_request {
	struct dma_heap_allocation_data data;
	char more[200];
};

TEST(C15, heap_longer_request)
{
	struct longer_request request = { .data = { .len = PAGE, .fd_flags = O_RDWR } };
	int heap = open_heap(SYSTEM_HEAP);

	CHECK_OK(ioctl(heap, _IOWR(DMA_HEAP_IOC_MAGIC, 0, struct longer_request), &request));
	CHECK_EQ(lseek((int)request.data.fd, 0, SEEK_END), PAGE);
}

/* Only the length: the flags are taken as 0, and the fd has no room to be told in. */
TEST(C15, heap_shorter_request)
{
	__u64 length = 0;
	int heap = open_heap(SYSTEM_HEAP);

	CHECK_FAILS(ioctl(heap, _IOWR(DMA_HEAP_IOC_MAGIC, 0, __u64), &length), EINVAL);
}

/* Nothing goes in, so nothing is asked for. */
TEST(C15, heap_without_input)
{
	struct dma_heap_allocation_data request = { .len = PAGE };
	int heap = open_heap(SYSTEM_HEAP);

	CHECK_FAILS(ioctl(heap, _IOR(DMA_HEAP_IOC_MAGIC, 0, struct dma_heap_allocation_data),
			  &request),
		    EINVAL);
	CHECK_FAILS(ioctl(heap, _IO(DMA_HEAP_IOC_MAGIC, 0), &request), EINVAL);
}

/* A node of the right kind with a number that no heap has. */
TEST(C15, heap_unknown_minor)
{
	static const char path[] = "/tmp/dmabed-tests-heap";
	struct stat status;

	close(open_heap(SYSTEM_HEAP));
	CHECK_OK(stat(SYSTEM_HEAP, &status));
	CHECK_OK(mknod(path, S_IFCHR | 0600, makedev(major(status.st_rdev), UNKNOWN_MINOR)));
	errno = 0;
	CHECK(open(path, O_RDWR) == -1);
	CHECK(errno == ENXIO || errno == ENODEV);
	CHECK_OK(unlink(path));
}

TEST(C15, heap_too_large_cma)
{
	close(open_heap(cma_heap()));
	CHECK_FAILS(heap_allocate(cma_heap(), 1ul << 40, O_RDWR, 0), ENOMEM);
}

/* ---- ends in the middle ---- */

static long free_kibibytes(void)
{
	char text[TEXT_LENGTH], *line;

	read_text("/proc/meminfo", text, sizeof(text));
	line = strstr(text, "MemFree:");
	CHECK(line);
	return strtol(line + strlen("MemFree:"), NULL, 10);
}

static void allocate_half(void *context)
{
	const long *kibibytes = context;

	heap_allocate(SYSTEM_HEAP, *kibibytes * 1024 / 2, O_RDWR, 0);
	pause();
}

/* Killed once part of the memory is taken; what it had by then comes back. */
TEST(C15, heap_killed_while_allocating)
{
	long before = free_kibibytes();
	pid_t child;

	close(open_heap(SYSTEM_HEAP));
	child = child_start(allocate_half, &before);
	while (free_kibibytes() > before - before / 16)
		;
	kill_child(child);
	while (free_kibibytes() < before - before / 16)
		; /* freed pages are counted a little later */
}

/* ---- memory that an engine does not reach ---- */

/*
 * Bouncing takes pieces of 256 KiB at most (kernel/dma/swiotlb.c), and the heap's
 * large pages are larger: the mapping fails and the buffer remains usable.
 */
TEST(C15, heap_beyond_reach)
{
	int narrow = engine_open_narrow();
	int buffer, attachment;

	close(open_heap(SYSTEM_HEAP));
	buffer = CHECK_OK(heap_allocate(SYSTEM_HEAP, MANY_PAGES * PAGE, O_RDWR, 0));
	attachment = CHECK_OK(engine_attach(narrow, buffer, 0));
	if (engine_map(narrow, attachment, DMABED_BIDIRECTIONAL) >= 0)
		skip("each engine reaches the heap's memory");
	CHECK(errno == EIO || errno == EINVAL);
	engine_fill(engine_open(), buffer, 50, MANY_PAGES * PAGE);
	check_cpu_sees(buffer, 50, MANY_PAGES * PAGE);
}

/* ---- what comes out of them ---- */

static void check_usable(int buffer, size_t length)
{
	int engine = engine_open();

	engine_fill(engine, buffer, 51, length);
	check_cpu_sees(buffer, 51, length);
	cpu_writes(buffer, 52, length);
	check_engine_sees(engine, buffer, 52, length);
}

TEST(C15, heap_large_system)
{
	close(open_heap(SYSTEM_HEAP));
	check_usable(CHECK_OK(heap_allocate(SYSTEM_HEAP, MANY_PAGES * PAGE, O_RDWR, 0)),
		     MANY_PAGES * PAGE);
}

TEST(C15, heap_large_cma)
{
	close(open_heap(cma_heap()));
	check_usable(CHECK_OK(heap_allocate(cma_heap(), MANY_PAGES * PAGE, O_RDWR, 0)),
		     MANY_PAGES * PAGE);
}

/* Contiguous memory is one segment for an engine. */
TEST(C15, heap_cma_is_contiguous)
{
	int engine = engine_open();
	int buffer, attachment;

	close(open_heap(cma_heap()));
	buffer = CHECK_OK(heap_allocate(cma_heap(), MANY_PAGES * PAGE, O_RDWR, 0));
	attachment = CHECK_OK(engine_attach(engine, buffer, 0));
	CHECK_EQ(engine_map(engine, attachment, DMABED_BIDIRECTIONAL), 1);
}

/* Part of the large pages of the system heap, from a page that is not the first of one. */
TEST(C15, heap_system_part_mapped)
{
	size_t page = MANY_PAGES / 2;
	int buffer;
	char *whole, *part;

	close(open_heap(SYSTEM_HEAP));
	buffer = CHECK_OK(heap_allocate(SYSTEM_HEAP, MANY_PAGES * PAGE, O_RDWR, 0));
	cpu_writes(buffer, 53, MANY_PAGES * PAGE);
	whole = CHECK_OK(mmap(NULL, MANY_PAGES * PAGE, PROT_READ, MAP_SHARED, buffer, 0));
	part = CHECK_OK(mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, buffer, page * PAGE));
	CHECK(memcmp(part, whole + page * PAGE, 3 * PAGE) == 0);
}

/* Brackets with some attachments mapped and some not. */
static void check_brackets(const char *heap)
{
	int buffer = CHECK_OK(heap_allocate(heap, 2 * PAGE, O_RDWR, 0));
	int first = engine_open(), second = engine_open_other();
	int mapped = CHECK_OK(engine_attach(first, buffer, 0));

	CHECK_OK(engine_attach(second, buffer, 0));
	CHECK_OK(engine_map(first, mapped, DMABED_BIDIRECTIONAL));
	cpu_writes(buffer, 54, 2 * PAGE);
	check_cpu_sees(buffer, 54, 2 * PAGE);
	CHECK_OK(engine_unmap(first, mapped));
	check_cpu_sees(buffer, 54, 2 * PAGE);
}

TEST(C15, heap_brackets_system)
{
	close(open_heap(SYSTEM_HEAP));
	check_brackets(SYSTEM_HEAP);
}

TEST(C15, heap_brackets_cma)
{
	close(open_heap(cma_heap()));
	check_brackets(cma_heap());
}
