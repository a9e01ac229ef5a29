// SPDX-License-Identifier: GPL-2.0-or-later
/* C15: buffers out of memfds (drivers/dma-buf/udmabuf.c). */
#include <fcntl.h>
#include <limits.h>
#include <linux/dma-buf.h>
#include <linux/memfd.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "looking.h"
#include "memory.h"
#include "test.h"

#define LENGTH (4 * PAGE)
#define ITEMS 3
#define PARAMETERS "/sys/module/udmabuf/parameters/"
#define MEBIBYTE (1ull << 20)
#define TOO_MANY_MEBIBYTES 96
#define HUGE_PAGE (2 * MEBIBYTE)

static int open_udmabuf(void)
{
	int device = open(UDMABUF_DEVICE, O_RDWR | O_CLOEXEC);

	if (device < 0)
		skip("the kernel has no CONFIG_UDMABUF");
	return device;
}

static int create(int memfd, __u64 offset, __u64 size)
{
	struct udmabuf_create request = { .memfd = memfd, .offset = offset, .size = size };

	return ioctl(open_udmabuf(), UDMABUF_CREATE, &request);
}

struct list {
	struct udmabuf_create_list head;
	struct udmabuf_create_item items[ITEMS];
};

static int create_list(const struct list *list)
{
	return ioctl(open_udmabuf(), UDMABUF_CREATE_LIST, list);
}

/* ---- seals ---- */

TEST(C15, udmabuf_seals)
{
	CHECK_FAILS(create(memfd_of(LENGTH, 0), 0, LENGTH), EINVAL);
	CHECK_FAILS(create(memfd_of(LENGTH, F_SEAL_GROW), 0, LENGTH), EINVAL);
	CHECK_FAILS(create(memfd_of(LENGTH, F_SEAL_SHRINK | F_SEAL_WRITE), 0, LENGTH), EINVAL);
	CHECK_FAILS(create(memfd_of(LENGTH, F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE), 0, LENGTH),
		    EINVAL);
	CHECK_OK(create(memfd_of(LENGTH, F_SEAL_SHRINK), 0, LENGTH));
	CHECK_OK(create(memfd_of(LENGTH, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0, LENGTH));
}

TEST(C15, udmabuf_of_what_is_no_memfd)
{
	int ends[2];

	CHECK_OK(pipe(ends));
	CHECK_FAILS(create(-1, 0, LENGTH), EBADFD);
	CHECK_FAILS(create(ends[0], 0, LENGTH), EBADFD);
	CHECK_FAILS(create(open_udmabuf(), 0, LENGTH), EBADFD);
}

/* A file of tmpfs is like a memfd, but for the seals, of which it has none to be set. */
TEST(C15, udmabuf_of_a_file)
{
	int file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	CHECK_OK(file);
	CHECK_OK(ftruncate(file, LENGTH));
	CHECK_FAILS(create(file, 0, LENGTH), EINVAL);
}

/* ---- ranges ---- */

TEST(C15, udmabuf_alignment)
{
	int memfd = memfd_of(LENGTH, F_SEAL_SHRINK);

	CHECK_FAILS(create(memfd, 1, PAGE), EINVAL);
	CHECK_FAILS(create(memfd, 0, PAGE - 1), EINVAL);
	CHECK_FAILS(create(memfd, 512, PAGE), EINVAL);
	CHECK_FAILS(create(memfd, 0, 0), EINVAL);
	CHECK_OK(create(memfd, PAGE, PAGE));
}

TEST(C15, udmabuf_beyond_the_end)
{
	int memfd = memfd_of(LENGTH, F_SEAL_SHRINK);

	CHECK(create(memfd, 0, LENGTH + PAGE) == -1);
	CHECK(create(memfd, LENGTH, PAGE) == -1);
	CHECK(create(memfd, -(__u64)PAGE, PAGE) == -1);
}

static long parameter(const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	if (access(path, F_OK) != 0)
		skip("the kernel has no " PARAMETERS);
	read_text(path, text, sizeof(text));
	return strtol(text, NULL, 10);
}

static void set_parameter(const char *name, long value)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	file = fopen(path, "w");
	CHECK(file);
	fprintf(file, "%ld\n", value);
	CHECK_EQ(fclose(file), 0);
}

/* The memfd has no pages yet, so that the largest buffer is the limit's and not the memory's. */
TEST(C15, udmabuf_size_limit)
{
	long limit = parameter("size_limit_mb");
	int memfd, buffer;

	set_parameter("size_limit_mb", 1);
	memfd = memfd_of(2 * MEBIBYTE, F_SEAL_SHRINK);
	buffer = create(memfd, 0, MEBIBYTE);
	CHECK(create(memfd, 0, MEBIBYTE + PAGE) == -1);
	CHECK_EQ(errno, EINVAL);
	set_parameter("size_limit_mb", limit);
	CHECK_OK(buffer);
	CHECK_OK(create(memfd, 0, MEBIBYTE + PAGE));
}

TEST(C15, udmabuf_list_limit)
{
	long limit = parameter("list_limit");
	struct list list = { .head = { .count = 2 } };
	int item, refused, taken;

	for (item = 0; item < 2; item++)
		list.items[item] = (struct udmabuf_create_item){
			.memfd = memfd_of(PAGE, F_SEAL_SHRINK),
			.size = PAGE,
		};
	set_parameter("list_limit", 1);
	refused = create_list(&list) == -1 && errno == EINVAL;
	list.head.count = 1;
	taken = create_list(&list);
	set_parameter("list_limit", limit);
	CHECK(refused);
	CHECK_OK(taken);
}

/* ---- lists ---- */

/* Parts of two memfds, one of them twice, in another order than in the memory. */
static struct list three_parts(int first, int second)
{
	return (struct list){
		.head = { .flags = UDMABUF_FLAGS_CLOEXEC, .count = ITEMS },
		.items = { { .memfd = first, .offset = 2 * PAGE, .size = 2 * PAGE },
			   { .memfd = second, .offset = 0, .size = PAGE },
			   { .memfd = first, .offset = 0, .size = PAGE } },
	};
}

TEST(C15, udmabuf_list)
{
	int first = memfd_of(LENGTH, F_SEAL_SHRINK), second = memfd_of(LENGTH, F_SEAL_SHRINK);
	struct list list = three_parts(first, second);
	int buffer = CHECK_OK(create_list(&list));
	char *memory = CHECK_OK(mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, first, 0));
	char wanted[LENGTH];

	CHECK_EQ(lseek(buffer, 0, SEEK_END), LENGTH);
	CHECK_EQ(fcntl(buffer, F_GETFD), FD_CLOEXEC);
	engine_fill(engine_open(), buffer, 61, LENGTH);
	check_cpu_sees(buffer, 61, LENGTH);
	pattern(wanted, 61, LENGTH);
	CHECK(memcmp(memory + 2 * PAGE, wanted, 2 * PAGE) == 0);
	CHECK(memcmp(memory, wanted + 3 * PAGE, PAGE) == 0);
}

TEST(C15, udmabuf_list_errors)
{
	struct list list = three_parts(memfd_of(LENGTH, F_SEAL_SHRINK), -1);
	int device = open_udmabuf();

	/* the second item is bad: the first one's pages are let go of */
	CHECK_FAILS(create_list(&list), EBADFD);
	list.items[1].memfd = memfd_of(LENGTH, 0);
	CHECK_FAILS(create_list(&list), EINVAL);
	list.items[1].offset = 1;
	CHECK_FAILS(create_list(&list), EINVAL);
	list.head.count = 0;
	CHECK_FAILS(create_list(&list), EINVAL);
	CHECK_FAILS(ioctl(device, UDMABUF_CREATE_LIST, NULL), EFAULT);
	list.head.count = 1;
	CHECK_FAILS(ioctl(device, UDMABUF_CREATE_LIST,
			  at_end_of_memory((char *)&list.head, sizeof(list.head))),
		    EFAULT);
}

TEST(C15, udmabuf_ioctl_errors)
{
	int device = open_udmabuf();

	CHECK_FAILS(ioctl(device, UDMABUF_CREATE, NULL), EFAULT);
	CHECK_FAILS(ioctl(device, _IO('u', 0x77), 0), ENOTTY);
}

/* ---- one memory, seen from both sides ---- */

TEST(C15, udmabuf_is_the_memfd)
{
	int memfd = memfd_of(LENGTH, F_SEAL_SHRINK);
	int buffer = CHECK_OK(create(memfd, 0, LENGTH));
	int engine = engine_open();
	char *memory = CHECK_OK(mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0));
	char wanted[LENGTH];

	close(memfd);
	pattern(memory, 62, LENGTH);
	check_engine_sees(engine, buffer, 62, LENGTH);
	engine_fill(engine, buffer, 63, LENGTH);
	pattern(wanted, 63, LENGTH);
	CHECK(memcmp(memory, wanted, LENGTH) == 0);
}

/* Pages that are not there yet are made. */
TEST(C15, udmabuf_of_a_hole)
{
	int buffer = CHECK_OK(create(memfd_of(LENGTH, F_SEAL_SHRINK), 0, LENGTH));

	engine_fill(engine_open(), buffer, 64, LENGTH);
	check_cpu_sees(buffer, 64, LENGTH);
}

TEST(C15, udmabuf_two_of_one_memfd)
{
	int memfd = memfd_of(LENGTH, F_SEAL_SHRINK);
	int first = CHECK_OK(create(memfd, 0, LENGTH)), second = CHECK_OK(create(memfd, 0, LENGTH));

	cpu_writes(first, 65, LENGTH);
	check_cpu_sees(second, 65, LENGTH);
	close(first);
	check_cpu_sees(second, 65, LENGTH);
}

/* While a buffer is there, a hole cannot be punched into its pages for others to see. */
TEST(C15, udmabuf_keeps_its_pages)
{
	int memfd = memfd_of(LENGTH, F_SEAL_SHRINK);
	int buffer = CHECK_OK(create(memfd, 0, LENGTH));

	udmabuf_both_ways(buffer);
	cpu_writes(buffer, 66, LENGTH);
	CHECK_OK(fallocate(memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, LENGTH));
	check_cpu_sees(buffer, 66, LENGTH);
}

/* Without a bracket before it, the end of one has nothing to end. */
TEST(C15, udmabuf_end_without_begin)
{
	int buffer = CHECK_OK(create(memfd_of(LENGTH, F_SEAL_SHRINK), 0, LENGTH));

	CHECK_FAILS(buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ), EINVAL);
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
}

/* More than there is to bounce with (64 MiB by default): the mapping fails as a whole. */
TEST(C15, udmabuf_beyond_reach)
{
	long limit = parameter("size_limit_mb");
	int narrow = engine_open_narrow();
	int buffer, attachment;

	set_parameter("size_limit_mb", TOO_MANY_MEBIBYTES);
	buffer = create(memfd_of(TOO_MANY_MEBIBYTES * MEBIBYTE, F_SEAL_SHRINK), 0,
			TOO_MANY_MEBIBYTES * MEBIBYTE);
	set_parameter("size_limit_mb", limit);
	CHECK_OK(buffer);
	attachment = CHECK_OK(engine_attach(narrow, buffer, 0));
	if (engine_map(narrow, attachment, DMABED_BIDIRECTIONAL) >= 0)
		skip("each engine reaches the memfd's memory");
	CHECK(errno == EIO || errno == EINVAL);
	/* what could be bounced is free again */
	buffer = buffer_of(exporter_named("system"), PAGE);
	engine_fill(narrow, buffer, 68, PAGE);
	check_cpu_sees(buffer, 68, PAGE);
}

/* ---- huge pages ---- */

#define HUGE_PAGES "/proc/sys/vm/nr_hugepages"

static void write_huge_pages(const char *count)
{
	int file = CHECK_OK(open(HUGE_PAGES, O_WRONLY | O_CLOEXEC));

	CHECK_EQ(write(file, count, strlen(count)), (long)strlen(count));
	close(file);
}

/*
 * The kernel keeps one as long as it is in use, whatever number it is told after
 * that.  The page is there before udmabuf asks: one that memfd_pin_folios() makes
 * itself has no reservation, and 6.12 counts HugePages_Rsvd down below 0.
 */
static bool make_huge_page(int memfd)
{
	char before[16] = "";
	char *bytes;

	read_text(HUGE_PAGES, before, sizeof(before));
	write_huge_pages("1");
	bytes = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (bytes != MAP_FAILED) {
		bytes[0] = 1;
		CHECK_OK(munmap(bytes, HUGE_PAGE));
	}
	write_huge_pages(before);
	return bytes != MAP_FAILED;
}

TEST(C15, udmabuf_of_huge_pages)
{
	int memfd = memfd_create("dmabed-tests", MFD_ALLOW_SEALING | MFD_HUGETLB);
	int buffer;

	if (memfd < 0)
		skip("the kernel has no CONFIG_HUGETLBFS: %s", strerrorname_np(errno));
	CHECK_OK(ftruncate(memfd, HUGE_PAGE));
	CHECK_OK(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	if (!make_huge_page(memfd))
		skip("no huge page is free");
	buffer = CHECK_OK(create(memfd, PAGE, LENGTH));
	cpu_writes(buffer, 67, LENGTH);
	check_engine_sees(engine_open(), buffer, 67, LENGTH);
}
