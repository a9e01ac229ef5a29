// SPDX-License-Identifier: GPL-2.0-or-later
/* M1 to M4: the framework as it was merged, and handles beside it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "background.h"
#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "generations.h"
#include "memory.h"
#include "test.h"

#define LENGTH (16 * PAGE)
#define SEED 31

static struct dmabed_buffer_info info_of(int buffer)
{
	struct dmabed_buffer_info info;

	old_info(&merged, buffer, &info);
	return info;
}

/* ---- M1 ---- */

TEST(M1, map_and_unmap)
{
	int buffer = old_buffer(&merged, LENGTH), engine = engine_open();
	int attachment = CHECK_OK(old_attach(&merged, engine, buffer));

	CHECK(old_map(engine, attachment, DMABED_BIDIRECTIONAL, LENGTH) > 0);
	CHECK_EQ(info_of(buffer).mappings, 1);
	old_fill(engine, attachment, SEED, LENGTH);
	check_old_sees(engine, attachment, SEED, LENGTH);
	CHECK_OK(engine_unmap(engine, attachment));
	CHECK_EQ(info_of(buffer).mappings, 0);
	check_old_sees(engine, attachment, SEED, LENGTH);
}

TEST(M1, map_without_attach)
{
	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_LIST_NULL, -1), -EINVAL);
	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_LIST_UNATTACHED, old_buffer(&merged, PAGE)),
		 -EINVAL);
}

TEST(M1, export_incomplete)
{
	uint32_t function;

	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_EXPORT, -1), 0);
	for (function = DMABED_OLD_EXPORT_NO_PRIV; function <= DMABED_OLD_EXPORT_NO_SIZE;
	     function++)
		CHECK_EQ(old_call(MERGED_DEVICE, function, -1), -EINVAL);
}

TEST(M1, wrong_arguments)
{
	int buffer = old_buffer(&merged, PAGE), engine = engine_open();

	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_GET, -1), -EBADF);
	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_GET, old_buffer(&posted, PAGE)), -EINVAL);
	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_GET, buffer), 1);
	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_ATTACH_NULL, -1), -EINVAL);
	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_ATTACH_NO_DEVICE, buffer), -EINVAL);
	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_DETACH_FOREIGN, buffer), 0);
	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_PUT_BEFORE_DETACH, -1), 0);
	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_DETACH_BEFORE_PUT, -1), 0);
	CHECK_FAILS(engine_attach(engine, buffer, 0), EINVAL);
	CHECK_FAILS(engine_attach(engine, buffer, DMABED_ATTACH_POSTED), EINVAL);
}

TEST(M1, detach_with_a_table)
{
	int buffer = old_buffer(&merged, LENGTH);

	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_DETACH_HOLDING, buffer), 0);
	CHECK_EQ(info_of(buffer).mappings, 0);
}

/* Where the exporter has no detach it is the release: the runner counts. */
TEST(M1, release_with_a_table)
{
	int buffer = CHECK_OK(old_export(&merged, LENGTH, DMABED_EXPORT_NO_ATTACH_OPS));

	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_DETACH_HOLDING, buffer), -ESTALE);
	CHECK_EQ(info_of(buffer).mappings, 1);
}

TEST(M1, no_memory)
{
	int buffer = old_buffer(&merged, PAGE), engine = engine_open();

	set_parameter(merged.module, "fail_alloc", "1");
	CHECK_FAILS(old_export(&merged, PAGE, 0), ENOMEM);
	set_parameter(merged.module, "fail_alloc", "2");
	CHECK_FAILS(old_export(&merged, PAGE, 0), ENFILE);
	set_parameter(merged.module, "fail_alloc", "1");
	CHECK_FAILS(old_attach(&merged, engine, buffer), ENOMEM);
	CHECK_EQ(info_of(buffer).attachments, 0);
}

/* What 004 asked: a table counts both sides, whatever the device's DMA joined. */
TEST(M1, table_has_all_pages)
{
	int buffer = old_buffer(&merged, LENGTH), engine = engine_open();

	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_LIST_BYTES, buffer), -ENOENT);
	CHECK_OK(old_attach(&merged, engine, buffer));
	CHECK_EQ(old_call(MERGED_DEVICE, DMABED_OLD_LIST_BYTES, buffer), LENGTH);
}

TEST(M1, unload_refused)
{
	int buffer = old_buffer(&merged, LENGTH);

	CHECK_FAILS(syscall(SYS_delete_module, "dmabed_merged", O_NONBLOCK), EWOULDBLOCK);
	CHECK_EQ(info_of(buffer).length, LENGTH);
}

/* ---- M2 ---- */

TEST(M2, no_mmap_and_no_ioctl)
{
	int buffer = old_buffer(&merged, LENGTH), engine = engine_open();
	int attachment = CHECK_OK(old_attach(&merged, engine, buffer));

	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, buffer, 0) == MAP_FAILED);
	CHECK_EQ(errno, ENODEV);
	CHECK_FAILS(buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW), ENOTTY);
	CHECK_FAILS(engine_sync(engine, attachment, DMABED_SYNC_FOR_CPU), EOPNOTSUPP);
	CHECK(lseek(buffer, 0, SEEK_END) == -1);
}

static int select_buffer(int device, int buffer)
{
	struct dmabed_select request = { .size = sizeof(request), .fd = buffer };

	return ioctl(device, DMABED_IOC_SELECT, &request);
}

TEST(M2, exporter_maps_outside)
{
	int buffer = old_buffer(&merged, LENGTH), engine = engine_open();
	int attachment = CHECK_OK(old_attach(&merged, engine, buffer));
	int device = old_open(MERGED_DEVICE);
	unsigned char *bytes;

	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, device, 0) == MAP_FAILED);
	CHECK_EQ(errno, EBADF);
	CHECK_FAILS(select_buffer(device, old_buffer(&posted, PAGE)), EINVAL);
	CHECK_OK(select_buffer(device, buffer));
	bytes = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
	CHECK(bytes != MAP_FAILED);
	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, device, PAGE) == MAP_FAILED);
	pattern(bytes, SEED, LENGTH);
	check_old_sees(engine, attachment, SEED, LENGTH);
}

/* ---- M3 ---- */

TEST(M3, late_and_for_all)
{
	int buffer = old_high_buffer(&merged, LENGTH);
	int wide = engine_open(), narrow = engine_open_narrow();
	int first = CHECK_OK(old_attach(&merged, wide, buffer));
	int second = CHECK_OK(old_attach(&merged, narrow, buffer));

	CHECK_EQ(info_of(buffer).storage, DMABED_STORAGE_NONE);
	CHECK(old_map(wide, first, DMABED_TO_DEVICE, LENGTH) > 0);
	CHECK(old_map(narrow, second, DMABED_TO_DEVICE, LENGTH) > 0);
	CHECK_EQ(info_of(buffer).migrations, 0);
}

TEST(M3, moves_between_mappings)
{
	int buffer = old_high_buffer(&merged, LENGTH);
	int wide = engine_open(), narrow = engine_open_narrow();
	int first = CHECK_OK(old_attach(&merged, wide, buffer)), second;

	old_fill(wide, first, SEED, LENGTH);
	second = CHECK_OK(old_attach(&merged, narrow, buffer));
	check_old_sees(narrow, second, SEED, LENGTH);
	CHECK_EQ(info_of(buffer).migrations, 1);
}

/* The framework's mutex is held, so nobody can be waited for. */
TEST(M3, busy_while_mapped)
{
	int buffer = old_high_buffer(&merged, LENGTH);
	int wide = engine_open(), narrow = engine_open_narrow();
	int first = CHECK_OK(old_attach(&merged, wide, buffer)), second;

	old_fill(wide, first, SEED, LENGTH);
	second = CHECK_OK(old_attach(&merged, narrow, buffer));
	CHECK(old_map(wide, first, DMABED_TO_DEVICE, LENGTH) > 0);
	CHECK_FAILS(engine_map(narrow, second, DMABED_TO_DEVICE), EBUSY);
	CHECK_OK(engine_detach(narrow, second));
	CHECK_FAILS(old_attach(&merged, narrow, buffer), EBUSY);
	check_old_sees(wide, first, SEED, LENGTH);
}

/* ---- M4 ---- */

static int fd_to_handle(int device, int fd)
{
	struct dmabed_handle request = { .size = sizeof(request), .fd = fd };

	return ioctl(device, DMABED_IOC_FD_TO_HANDLE, &request) ? -1 : (int)request.handle;
}

static int handle_to_fd(int device, int handle)
{
	struct dmabed_handle request = { .size = sizeof(request), .handle = handle };

	return ioctl(device, DMABED_IOC_HANDLE_TO_FD, &request) ? -1 : request.fd;
}

static int handle_close(int device, int handle)
{
	struct dmabed_handle request = { .size = sizeof(request), .handle = handle };

	return ioctl(device, DMABED_IOC_HANDLE_CLOSE, &request);
}

static int handle_export(int device, size_t length)
{
	struct dmabed_handle_export request = {
		.size = sizeof(request),
		.length = length,
		.storage = DMABED_STORAGE_AUTO,
	};

	return ioctl(device, DMABED_IOC_HANDLE_EXPORT, &request) ? -1 : (int)request.handle;
}

static int handle_info(int device, int handle)
{
	struct dmabed_handle_info request = { .size = sizeof(request), .handle = handle };

	return ioctl(device, DMABED_IOC_HANDLE_INFO, &request) ? -1 : (int)request.length;
}

static int sockets[2];

static void use_what_comes(void *context)
{
	int engine = engine_open(), buffer = receive_fd(sockets[1]);
	int attachment = CHECK_OK(old_attach(&merged, engine, buffer));

	(void)context;
	check_old_sees(engine, attachment, SEED, LENGTH);
}

TEST(M4, fd_crosses_processes)
{
	int buffer = old_buffer(&merged, LENGTH), engine = engine_open();
	int attachment = CHECK_OK(old_attach(&merged, engine, buffer));
	pid_t child;

	old_fill(engine, attachment, SEED, LENGTH);
	CHECK_OK(engine_detach(engine, attachment));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = child_start(use_what_comes, NULL);
	send_fd(sockets[0], buffer);
	/* from here on the message, and then the child, keeps it */
	close(buffer);
	check_child_passed(child);
}

static void exit_with_fd(void *context)
{
	(void)context;
	old_buffer(&merged, LENGTH);
}

TEST(M4, fd_is_closed_by_exit)
{
	uint64_t before = old_releases(&merged);

	check_child_passed(child_start(exit_with_fd, NULL));
	CHECK_EQ(old_releases(&merged), (long long)before + 1);
}

TEST(M4, handle_in_its_own_file)
{
	int device = old_open(MERGED_DEVICE), buffer = old_buffer(&merged, LENGTH);
	int handle = CHECK_OK(fd_to_handle(device, buffer));

	CHECK_EQ(fd_to_handle(device, buffer), handle);
	CHECK_EQ(handle_info(device, handle), LENGTH);
	close(buffer);
	buffer = CHECK_OK(handle_to_fd(device, handle));
	CHECK_EQ(info_of(buffer).length, LENGTH);
	CHECK_OK(handle_close(device, handle));
	CHECK_OK(handle_close(device, handle));
	CHECK_FAILS(handle_close(device, handle), ENOENT);
	CHECK_FAILS(handle_to_fd(device, handle), ENOENT);
}

TEST(M4, handle_dies_with_its_file)
{
	int device = old_open(MERGED_DEVICE);
	uint64_t before = old_releases(&merged);

	CHECK_OK(handle_export(device, LENGTH));
	CHECK_EQ(old_releases(&merged), (long long)before);
	close(device);
	CHECK_EQ(old_releases(&merged), (long long)before + 1);
}

TEST(M4, no_number_without_an_answer)
{
	int device = old_open(MERGED_DEVICE), handle = CHECK_OK(handle_export(device, LENGTH));
	const struct dmabed_handle request = { .size = sizeof(request), .handle = handle };
	const struct dmabed_handle_export export = {
		.size = sizeof(export),
		.length = LENGTH,
		.storage = DMABED_STORAGE_AUTO,
	};
	int free = CHECK_OK(dup(device));

	close(free);
	CHECK_FAILS(ioctl(device, DMABED_IOC_HANDLE_TO_FD,
			  read_only_copy(&request, sizeof(request))),
		    EFAULT);
	CHECK_FAILS(ioctl(device, DMABED_IOC_HANDLE_EXPORT,
			  read_only_copy(&export, sizeof(export))),
		    EFAULT);
	CHECK_EQ(dup(device), free);
	CHECK_EQ(handle_export(device, LENGTH), handle + 1);
}

static void look_for_handle(void *context)
{
	CHECK_FAILS(handle_info(old_open(MERGED_DEVICE), *(int *)context), ENOENT);
}

TEST(M4, handle_means_nothing_elsewhere)
{
	int device = old_open(MERGED_DEVICE);
	int handle = CHECK_OK(handle_export(device, LENGTH));

	check_child_passed(child_start(look_for_handle, &handle));
	/* another open file of the same process, too */
	CHECK_FAILS(handle_info(old_open(MERGED_DEVICE), handle), ENOENT);
	CHECK_EQ(handle_info(device, handle), LENGTH);
}

/* A handle whose number no file of this process had before it. */
static int handle_beside_fds(int device)
{
	int handle;

	do
		handle = CHECK_OK(handle_export(device, LENGTH));
	while (handle <= device);
	return handle;
}

/* To be passed, mapped, polled or used by a device it has to become an fd. */
TEST(M4, handle_is_no_fd)
{
	int engine = engine_open(), device = old_open(MERGED_DEVICE);
	int handle = handle_beside_fds(device);
	struct pollfd wait = { .fd = handle, .events = POLLIN };

	CHECK_FAILS(fcntl(handle, F_GETFD), EBADF);
	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, handle, 0) == MAP_FAILED);
	CHECK_EQ(errno, EBADF);
	CHECK_EQ(poll(&wait, 1, 0), 1);
	CHECK_EQ(wait.revents, POLLNVAL);
	CHECK_FAILS(engine_attach(engine, handle, DMABED_ATTACH_MERGED), EBADF);
	CHECK_OK(handle_to_fd(device, handle));
}
