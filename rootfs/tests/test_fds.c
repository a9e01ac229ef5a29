// SPDX-License-Identifier: GPL-2.0-or-later
/* C2: the fd of a buffer, and fds that are none. */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "test.h"
#include "timelines.h"

#define ACCESS_MODES 3

TEST_EACH(C2, close_on_exec)
{
	int with = buffer_of(exporter, PAGE);
	int without = CHECK_OK(exporter_make(exporter, PAGE, O_RDWR));

	CHECK_EQ(CHECK_OK(fcntl(with, F_GETFD)), FD_CLOEXEC);
	CHECK_EQ(CHECK_OK(fcntl(without, F_GETFD)), 0);
}

/* udmabuf has no access modes to ask for. */
static bool fixed_access(const struct exporter *exporter)
{
	return exporter == exporter_named("udmabuf");
}

TEST_EACH(C2, access_mode)
{
	static const int modes[ACCESS_MODES] = { O_RDONLY, O_WRONLY, O_RDWR };
	int i, buffer;

	for (i = 0; i < ACCESS_MODES; i++) {
		buffer = CHECK_OK(exporter_make(exporter, PAGE, modes[i] | O_CLOEXEC));
		CHECK_EQ(CHECK_OK(fcntl(buffer, F_GETFL)) & O_ACCMODE,
			 fixed_access(exporter) ? O_RDWR : modes[i]);
		close(buffer);
	}
}

TEST_EACH(C2, status_flags)
{
	int buffer = buffer_of(exporter, PAGE);

	CHECK_EQ(CHECK_OK(fcntl(buffer, F_GETFL)) & O_NONBLOCK, 0);
	CHECK_OK(fcntl(buffer, F_SETFL, O_NONBLOCK));
	CHECK(CHECK_OK(fcntl(buffer, F_GETFL)) & O_NONBLOCK);
}

TEST_EACH(C2, unknown_fd_flags)
{
	if (fixed_access(exporter))
		skip("udmabuf looks at one flag only");
	CHECK_FAILS(exporter_make(exporter, PAGE, O_RDWR | O_NONBLOCK), EINVAL);
	CHECK_FAILS(exporter_make(exporter, PAGE, O_RDWR | O_APPEND), EINVAL);
	CHECK_FAILS(exporter_make(exporter, PAGE, -1), EINVAL);
}

/* A buffer is mapped, not read. */
TEST_EACH(C2, no_read_or_write)
{
	int buffer = buffer_of(exporter, PAGE);
	char byte = 0;

	CHECK_FAILS(read(buffer, &byte, 1), EINVAL);
	CHECK_FAILS(write(buffer, &byte, 1), EINVAL);
	CHECK_FAILS(ftruncate(buffer, 2 * PAGE), EINVAL);
}

/* Leaves so many numbers free. */
static void use_up_fds(int but)
{
	struct rlimit limit;
	int fd = CHECK_OK(dup(STDOUT_FILENO));

	CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = fd + but;
	close(fd);
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
}

/* One is for the device, and for udmabuf one for the memory: the buffer is made, and gets no fd. */
TEST_EACH(C2, no_fd_free)
{
	close(buffer_of(exporter, PAGE));
	use_up_fds(fixed_access(exporter) ? 2 : 1);
	CHECK_FAILS(exporter_make(exporter, PAGE, O_RDWR), EMFILE);
}

TEST_EACH(C2, no_fd_free_for_export)
{
	int buffer = buffer_of(exporter, PAGE);

	use_up_fds(0);
	CHECK_FAILS(buffer_export_fence(buffer, DMA_BUF_SYNC_READ), EMFILE);
}

TEST(C2, no_fd_free_for_fences)
{
	int timeline = timeline_new();
	int first = CHECK_OK(timeline_fence(timeline, 1));
	int second = CHECK_OK(timeline_fence(timeline, 2));

	use_up_fds(0);
	CHECK_FAILS(timeline_fence(timeline, 3), EMFILE);
	CHECK_FAILS(fence_merge("merged", first, second), EMFILE);
}

TEST(C2, attach_what_is_no_buffer)
{
	int engine = engine_open();
	int ends[2];

	CHECK_OK(pipe(ends));
	CHECK_FAILS(engine_attach(engine, ends[0], 0), EINVAL);
	CHECK_FAILS(engine_attach(engine, engine, 0), EINVAL);
	CHECK_FAILS(engine_attach(engine, -1, 0), EBADF);
	close(ends[0]);
	CHECK_FAILS(engine_attach(engine, ends[0], 0), EBADF);
}

TEST_EACH(C2, attach_closed)
{
	int buffer = buffer_of(exporter, PAGE);
	int engine = engine_open();

	close(buffer);
	CHECK_FAILS(engine_attach(engine, buffer, 0), EBADF);
}

TEST_EACH(C2, attach_often)
{
	int buffer = buffer_of(exporter, PAGE);
	int engine = engine_open();
	int first = CHECK_OK(engine_attach(engine, buffer, 0));
	int second = CHECK_OK(engine_attach(engine, buffer, DMABED_ATTACH_DYNAMIC));

	CHECK(first != second);
	CHECK_OK(engine_detach(engine, first));
	CHECK_FAILS(engine_detach(engine, first), ENOENT);
	CHECK_OK(engine_detach(engine, second));
}

/* Static and dynamic on both sides: the framework keeps the mapping where they differ. */
static void map_and_use(int buffer, uint32_t flags)
{
	int engine = engine_open();
	int attachment = CHECK_OK(engine_attach(engine, buffer, flags));
	struct dmabed_wait result;
	int job;

	CHECK_OK(engine_map(engine, attachment, DMABED_BIDIRECTIONAL));
	job = CHECK_OK(engine_start_fill(engine, attachment, 6, PAGE));
	CHECK_OK(engine_wait(engine, job, -1, &result));
	CHECK_OK(engine_unmap(engine, attachment));
	CHECK_OK(engine_detach(engine, attachment));
	check_cpu_sees(buffer, 6, PAGE);
	close(engine);
}

TEST_EACH(C2, attach_static)
{
	map_and_use(buffer_of(exporter, PAGE), 0);
}

TEST_EACH(C2, attach_dynamic)
{
	map_and_use(buffer_of(exporter, PAGE), DMABED_ATTACH_DYNAMIC);
}

/* What the framework has mapped both ways serves each direction. */
TEST_EACH(C2, map_each_direction)
{
	int buffer = buffer_of(exporter, PAGE);
	int engine = engine_open();
	int attachment = CHECK_OK(engine_attach(engine, buffer, DMABED_ATTACH_DYNAMIC));
	uint32_t direction;

	if (exporter == exporter_named("dynamic") || fixed_access(exporter))
		skip("nothing is kept, or in one direction: see C1.cached-direction");
	for (direction = DMABED_TO_DEVICE; direction <= DMABED_BIDIRECTIONAL; direction++) {
		CHECK_OK(engine_map(engine, attachment, direction));
		CHECK_OK(engine_unmap(engine, attachment));
	}
}

/* udmabuf asks the framework to keep mappings: the kept one has one direction. */
TEST(C1, cached_direction)
{
	int buffer = buffer_of(exporter_named("udmabuf"), PAGE);
	int engine = engine_open();
	int attachment = CHECK_OK(engine_attach(engine, buffer, 0));

	CHECK_OK(engine_map(engine, attachment, DMABED_TO_DEVICE));
	CHECK_OK(engine_unmap(engine, attachment));
	CHECK_FAILS(engine_map(engine, attachment, DMABED_FROM_DEVICE), EBUSY);
	CHECK_OK(engine_map(engine, attachment, DMABED_TO_DEVICE));
	CHECK_OK(engine_unmap(engine, attachment));
	CHECK_OK(engine_detach(engine, attachment));
	/* a new attachment has nothing kept */
	attachment = CHECK_OK(engine_attach(engine, buffer, 0));
	CHECK_OK(engine_map(engine, attachment, DMABED_FROM_DEVICE));
}
