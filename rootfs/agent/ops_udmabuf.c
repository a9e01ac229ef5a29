// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Buffers of udmabuf: pages of a memfd, in the order in which user space names
 * them.  On request that order is one in which no page follows its neighbour in
 * memory, so that a device which needs one run never gets one by luck.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "answer.h"
#include "objects.h"
#include "ops.h"

/* Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PFN ((1ull << 55) - 1)

struct place {
	uint64_t pfn;
	uint64_t offset; /* in the memfd */
};

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A memfd as udmabuf wants it; -1 and errno. */
static int sealed_memfd(uint64_t length)
{
	int fd = memfd_create("udmabuf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error;

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)length) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int downwards(const void *one, const void *other)
{
	const struct place *a = one, *b = other;

	return (a->pfn < b->pfn) - (a->pfn > b->pfn);
}

/* Where the pages that are mapped at @bytes are, as far as the kernel says. */
static int find_pages(const volatile uint8_t *bytes, struct place *places, uint64_t count)
{
	uint64_t page = page_size();
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t i, entry;
	off_t at;

	for (i = 0; fd >= 0 && i < count; i++) {
		at = (off_t)((uintptr_t)(bytes + i * page) / page * sizeof(entry));
		if (pread(fd, &entry, sizeof(entry), at) != sizeof(entry))
			break;
		places[i].pfn = entry & PAGEMAP_PFN;
		places[i].offset = i * page;
	}
	if (fd >= 0)
		close(fd);
	return fd >= 0 && i == count ? 0 : -1;
}

/* Allocates all pages and sorts them so that addresses only fall; -1 and errno. */
static int scatter(int memfd, struct place *places, uint64_t count)
{
	uint64_t length = count * page_size();
	uint8_t *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			      memfd, 0);
	int ret;

	if (bytes == MAP_FAILED)
		return -1;
	ret = find_pages(bytes, places, count);
	munmap(bytes, length);
	if (ret == 0)
		qsort(places, count, sizeof(*places), downwards);
	return ret;
}

static int create_list(int udmabuf, int memfd, const struct place *places, uint64_t count)
{
	struct udmabuf_create_list *list;
	int fd;

	list = calloc(1, sizeof(*list) + count * sizeof(list->list[0]));
	if (!list)
		return -1;
	list->flags = UDMABUF_FLAGS_CLOEXEC;
	list->count = (uint32_t)count;
	for (uint64_t i = 0; i < count; i++) {
		list->list[i].memfd = (uint32_t)memfd;
		list->list[i].offset = places[i].offset;
		list->list[i].size = page_size();
	}
	fd = ioctl(udmabuf, UDMABUF_CREATE_LIST, list);
	free(list);
	return fd;
}

static int create_scattered(int udmabuf, int memfd, uint64_t length)
{
	uint64_t count = length / page_size();
	struct place *places = calloc(count ?: 1, sizeof(*places));
	int fd = -1;

	if (places && scatter(memfd, places, count) == 0)
		fd = create_list(udmabuf, memfd, places, count);
	free(places);
	return fd;
}

static int create_in_order(int udmabuf, int memfd, uint64_t length)
{
	struct udmabuf_create create = {
		.memfd = (uint32_t)memfd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = length,
	};

	return ioctl(udmabuf, UDMABUF_CREATE, &create);
}

static json_t *create(const json_t *request, int udmabuf)
{
	const char *name = request_text(request, "buffer");
	uint64_t length = request_u64(request, "length", 0);
	int memfd = sealed_memfd(length);
	int fd, error;

	if (memfd < 0)
		return answer_errno(errno, "memfd_create");
	fd = request_bool(request, "scattered", false) ?
		     create_scattered(udmabuf, memfd, length) :
		     create_in_order(udmabuf, memfd, length);
	error = errno;
	close(memfd);
	if (fd < 0)
		return answer_errno(error, "UDMABUF_CREATE");
	if (!buffer_add(name, fd, length))
		return answer_protocol("buffer '%s' is there already", name);
	return answer_ok(json_pack("{s:o}", "length", json_hex(length)));
}

static json_t *op_udmabuf(const json_t *request)
{
	const char *name = request_text(request, "buffer");
	json_t *answer;
	int udmabuf;

	if (!buffer_name_free(name))
		return answer_protocol("buffer '%s' is there already", name);
	udmabuf = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (udmabuf < 0)
		return answer_errno(errno, "open /dev/udmabuf");
	answer = create(request, udmabuf);
	close(udmabuf);
	return answer;
}

const struct op udmabuf_ops[] = {
	{ "udmabuf", op_udmabuf, false, { { "buffer", KEY_NAME, true, NULL },
					  { "length", KEY_U64, true, NULL },
					  { "scattered", KEY_BOOL, false, NULL } } },
	{ 0 },
};
