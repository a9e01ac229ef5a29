// SPDX-License-Identifier: GPL-2.0-or-later
/* C12: the bounds of mmap, and what a mapping is good for. */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "background.h"
#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "looking.h"
#include "test.h"

#define PAGES 4
#define LENGTH (PAGES * PAGE)
#define READ_WRITE (PROT_READ | PROT_WRITE)

/* ---- bounds ---- */

static long try(int buffer, size_t length, off_t offset)
{
	void *bytes = buffer_mmap(buffer, length, PROT_READ, MAP_SHARED, offset);

	if (bytes == MAP_FAILED)
		return -1;
	CHECK_OK(munmap(bytes, length));
	return 0;
}

TEST_EACH(C12, mmap_within)
{
	int buffer = buffer_of(exporter, LENGTH);
	size_t first, count;

	for (first = 0; first < PAGES; first++)
		for (count = 1; first + count <= PAGES; count++) {
			trying("%zu pages from page %zu", count, first);
			CHECK_OK(try(buffer, count * PAGE, first * PAGE));
		}
}

TEST_EACH(C12, mmap_beyond)
{
	int buffer = buffer_of(exporter, LENGTH);

	CHECK_FAILS(try(buffer, LENGTH + PAGE, 0), EINVAL);
	CHECK_FAILS(try(buffer, LENGTH + 1, 0), EINVAL);
	CHECK_FAILS(try(buffer, LENGTH, PAGE), EINVAL);
	CHECK_FAILS(try(buffer, 2 * PAGE, LENGTH - PAGE), EINVAL);
	CHECK_FAILS(try(buffer, PAGE, LENGTH), EINVAL);
	CHECK_FAILS(try(buffer, PAGE, LENGTH + PAGE), EINVAL);
	CHECK_FAILS(try(buffer, PAGE, LONG_MAX & ~(long)(PAGE - 1)), EINVAL);
}

/* As a number without sign, offset and length go beyond the last address, or just not. */
TEST_EACH(C12, mmap_overflow)
{
	int buffer = buffer_of(exporter, LENGTH);

	CHECK_FAILS(try(buffer, 2 * PAGE, -(off_t)PAGE), EOVERFLOW);
	CHECK_FAILS(try(buffer, PAGE, -(off_t)PAGE), EOVERFLOW);
	CHECK_FAILS(try(buffer, PAGE, -(off_t)(2 * PAGE)), EINVAL);
}

TEST_EACH(C12, mmap_senseless)
{
	int buffer = buffer_of(exporter, LENGTH);

	CHECK_FAILS(try(buffer, 0, 0), EINVAL);
	CHECK_FAILS(try(buffer, PAGE, 1), EINVAL);
	CHECK_FAILS(try(buffer, PAGE, 512), EINVAL);
	CHECK_FAILS(try(buffer, SIZE_MAX, 0), ENOMEM);
}

/* A length that is no whole pages is rounded up, and the rest belongs to the buffer. */
TEST_EACH(C12, mmap_part_of_a_page)
{
	int buffer = buffer_of(exporter, LENGTH);

	CHECK_OK(try(buffer, 1, 0));
	CHECK_OK(try(buffer, LENGTH - 1, 0));
	CHECK_OK(try(buffer, 1, LENGTH - PAGE));
}

/* A copy on write would not be the buffer's memory. */
TEST_EACH(C12, mmap_private)
{
	int buffer = buffer_of(exporter, LENGTH);

	CHECK(mmap(NULL, LENGTH, READ_WRITE, MAP_PRIVATE, buffer, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_PRIVATE, buffer, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
}

/* ---- protection ---- */

static int read_only(const struct exporter *exporter)
{
	int buffer = CHECK_OK(exporter_make(exporter, LENGTH, O_RDONLY | O_CLOEXEC));

	if ((CHECK_OK(fcntl(buffer, F_GETFL)) & O_ACCMODE) != O_RDONLY)
		skip("%s gives read and write access only", exporter->name);
	return buffer;
}

TEST_EACH(C12, mmap_read_only)
{
	int buffer = read_only(exporter);
	void *bytes;

	CHECK(mmap(NULL, LENGTH, READ_WRITE, MAP_SHARED, buffer, 0) == MAP_FAILED);
	CHECK_EQ(errno, EACCES);
	bytes = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, buffer, 0);
	if (bytes == MAP_FAILED && exporter->make == exporter_named("static")->make)
		skip("a defect: our exporter refuses to map a read-only fd, which others allow");
	CHECK_OK(bytes);
	CHECK_FAILS(mprotect(bytes, LENGTH, READ_WRITE), EACCES);
	CHECK_EQ(*(volatile char *)bytes, 0);
}

TEST_EACH(C12, mmap_write_only)
{
	int buffer = CHECK_OK(exporter_make(exporter, LENGTH, O_WRONLY | O_CLOEXEC));

	if ((CHECK_OK(fcntl(buffer, F_GETFL)) & O_ACCMODE) != O_WRONLY)
		skip("%s gives read and write access only", exporter->name);
	/* there is no mapping that can be written and not read */
	CHECK(mmap(NULL, LENGTH, PROT_WRITE, MAP_SHARED, buffer, 0) == MAP_FAILED);
	CHECK_EQ(errno, EACCES);
}

static int status_of_access(char *bytes, bool write)
{
	pid_t child = CHECK_OK(fork());
	int status;

	if (child == 0) {
		if (write)
			*(volatile char *)bytes = 1;
		else
			(void)*(volatile char *)bytes;
		_exit(TEST_PASSED);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_EACH(C12, mmap_protection)
{
	int buffer = buffer_of(exporter, LENGTH);
	char *bytes = CHECK_OK(mmap(NULL, LENGTH, PROT_NONE, MAP_SHARED, buffer, 0));

	CHECK_EQ(status_of_access(bytes, false), SIGSEGV);
	CHECK_OK(mprotect(bytes, LENGTH, PROT_READ));
	CHECK_EQ(status_of_access(bytes, false), 0);
	CHECK_EQ(status_of_access(bytes, true), SIGSEGV);
	CHECK_OK(mprotect(bytes, LENGTH, READ_WRITE));
	CHECK_EQ(status_of_access(bytes, true), 0);
	CHECK_EQ(bytes[0], 1); /* the child wrote to shared memory */
}

/* ---- contents ---- */

static char *map_buffer(int buffer)
{
	return CHECK_OK(mmap(NULL, LENGTH, READ_WRITE, MAP_SHARED, buffer, 0));
}

TEST_EACH(C12, new_buffer_is_zero)
{
	int buffer = buffer_of(exporter, LENGTH);
	char *bytes = map_buffer(buffer);
	size_t i;

	for (i = 0; i < LENGTH; i++)
		CHECK_EQ(bytes[i], 0);
}

/* Each page is where the offset says, in a second mapping and for an engine. */
TEST_EACH(C12, mmap_offset)
{
	int buffer = buffer_of(exporter, LENGTH);
	char *page;
	int i;

	cpu_writes(buffer, 11, LENGTH);
	for (i = 0; i < PAGES; i++) {
		char *all = map_buffer(buffer);

		page = CHECK_OK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, buffer, i * PAGE));
		CHECK(memcmp(page, all + i * PAGE, PAGE) == 0);
		CHECK_OK(munmap(page, PAGE));
		CHECK_OK(munmap(all, LENGTH));
	}
	check_engine_sees(engine_open(), buffer, 11, LENGTH);
}

TEST_EACH(C12, mapping_outlives_fd)
{
	int buffer = buffer_of(exporter, LENGTH);
	char *first = map_buffer(buffer), *second = map_buffer(buffer);

	close(buffer);
	memset(first, 0x5a, LENGTH);
	CHECK(memcmp(first, second, LENGTH) == 0);
	CHECK_OK(munmap(first, LENGTH));
	CHECK_EQ(second[LENGTH - 1], 0x5a);
}

TEST_EACH(C12, munmap_in_parts)
{
	int buffer = buffer_of(exporter, LENGTH);
	char *bytes = map_buffer(buffer);

	memset(bytes, 0x5a, LENGTH);
	CHECK_OK(munmap(bytes + PAGE, PAGE));
	CHECK_EQ(bytes[0], 0x5a);
	CHECK_EQ(bytes[2 * PAGE], 0x5a);
	CHECK_EQ(status_of_access(bytes + PAGE, false), SIGSEGV);
	CHECK_OK(munmap(bytes + 2 * PAGE, 2 * PAGE));
	CHECK_OK(munmap(bytes, PAGE));
}

/* In the place of another mapping, which goes. */
TEST_EACH(C12, mmap_fixed)
{
	int first = buffer_of(exporter, LENGTH), second = buffer_of(exporter, LENGTH);
	char *bytes = map_buffer(first), *again;

	memset(bytes, 1, LENGTH);
	again = mmap(bytes, LENGTH, READ_WRITE, MAP_SHARED | MAP_FIXED, second, 0);
	CHECK(again == bytes);
	CHECK_EQ(bytes[0], 0);
	CHECK_EQ(fdinfo_number(first, "count"), 1);
	CHECK_EQ(fdinfo_number(second, "count"), 2);
}

/* It cannot grow, as the exporter said what there is. */
TEST_EACH(C12, mremap)
{
	int buffer = buffer_of(exporter, LENGTH);
	char *bytes = map_buffer(buffer);
	char *place = CHECK_OK(mmap(NULL, LENGTH, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	memset(bytes, 0x5a, LENGTH);
	CHECK(mremap(bytes, LENGTH, 2 * LENGTH, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK_EQ(errno, EFAULT);
	bytes = CHECK_OK(mremap(bytes, LENGTH, LENGTH, MREMAP_MAYMOVE | MREMAP_FIXED, place));
	CHECK(bytes == place);
	CHECK_EQ(bytes[LENGTH - 1], 0x5a);
	CHECK(mremap(bytes, LENGTH, PAGE, 0) == bytes);
	CHECK_EQ(bytes[PAGE - 1], 0x5a);
	CHECK_EQ(status_of_access(bytes + PAGE, false), SIGSEGV);
}

struct shared_page {
	volatile char *bytes;
};

static void write_first_byte(void *context)
{
	struct shared_page *page = context;

	page->bytes[0] = 0x77;
}

TEST_EACH(C12, mapping_over_fork)
{
	int buffer = buffer_of(exporter, LENGTH);
	struct shared_page page = { .bytes = map_buffer(buffer) };

	close(buffer);
	check_child_passed(child_start(write_first_byte, &page));
	CHECK_EQ(page.bytes[0], 0x77);
}

/* These mappings have no pages that the kernel could take away. */
TEST_EACH(C12, madvise_dontneed)
{
	int buffer = buffer_of(exporter, LENGTH);
	char *bytes = map_buffer(buffer);

	memset(bytes, 0x5a, LENGTH);
	CHECK_FAILS(madvise(bytes, LENGTH, MADV_DONTNEED), EINVAL);
	CHECK_EQ(bytes[0], 0x5a);
	CHECK_EQ(bytes[LENGTH - 1], 0x5a);
}

/* ---- lengths that are asked for ---- */

TEST_EACH(C12, length_rounded_up)
{
	int buffer;

	if (exporter == exporter_named("udmabuf"))
		skip("udmabuf takes whole pages only: see C15.udmabuf-alignment");
	buffer = CHECK_OK(exporter_make(exporter, 1, O_RDWR));
	CHECK_EQ(lseek(buffer, 0, SEEK_END), PAGE);
	buffer = CHECK_OK(exporter_make(exporter, PAGE + 1, O_RDWR));
	CHECK_EQ(lseek(buffer, 0, SEEK_END), 2 * PAGE);
}

TEST_EACH(C12, length_zero)
{
	CHECK_FAILS(exporter_make(exporter, 0, O_RDWR), EINVAL);
}

/* So near the end of numbers that rounding up makes it 0. */
TEST_EACH(C12, length_overflows)
{
	if (exporter == exporter_named("udmabuf"))
		skip("the memfd would have to be that long");
	CHECK_FAILS(exporter_make(exporter, SIZE_MAX, O_RDWR), EINVAL);
	CHECK_FAILS(exporter_make(exporter, SIZE_MAX - PAGE + 2, O_RDWR), EINVAL);
}
