// SPDX-License-Identifier: GPL-2.0-or-later
/* P1 to P6, P16: the framework as it was posted. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "background.h"
#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "generations.h"
#include "memory.h"
#include "test.h"

#define LENGTH (4 * PAGE)
#define SEED 11

static long long call(uint32_t function, int fd)
{
	return old_call(POSTED_DEVICE, function, fd);
}

/* ---- P1 ---- */

TEST(P1, export_incomplete)
{
	uint32_t function;

	CHECK_EQ(call(DMABED_OLD_EXPORT, -1), 0);
	for (function = DMABED_OLD_EXPORT_NO_PRIV; function <= DMABED_OLD_EXPORT_NO_SIZE;
	     function++)
		CHECK_EQ(call(function, -1), -EINVAL);
}

TEST(P1, size_is_fixed)
{
	struct dmabed_buffer_info info;
	int buffer = old_buffer(&posted, LENGTH - 1);

	old_info(&posted, buffer, &info);
	CHECK_EQ(info.length, LENGTH);
	CHECK_FAILS(old_export(&posted, 0, 0), EINVAL);
	CHECK_FAILS(old_export(&posted, LENGTH, DMABED_EXPORT_DYNAMIC), EINVAL);
}

TEST(P1, flags_of_the_file)
{
	const struct dmabed_export like = { .length = PAGE, .fd_flags = O_RDONLY | O_CLOEXEC };
	int buffer = CHECK_OK(old_export_as(&posted, &like));

	CHECK_EQ(fcntl(buffer, F_GETFL) & O_ACCMODE, O_RDONLY);
	CHECK(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, buffer, 0) == MAP_FAILED);
	CHECK_EQ(errno, EACCES);
}

/* The buffer itself is the first allocation of the framework, its file the second. */
TEST(P1, no_memory)
{
	close(old_open(POSTED_DEVICE));
	set_parameter(posted.module, "fail_alloc", "1");
	CHECK_FAILS(old_export(&posted, PAGE, 0), ENOMEM);
	set_parameter(posted.module, "fail_alloc", "2");
	CHECK_FAILS(old_export(&posted, PAGE, 0), ENFILE);
	close(old_buffer(&posted, PAGE));
}

/* A buffer that nobody can be told of is not made. */
TEST(P1, no_fd_without_an_answer)
{
	const struct dmabed_export request = {
		.size = sizeof(request),
		.length = PAGE,
		.storage = DMABED_STORAGE_AUTO,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	const struct dmabed_call call = {
		.size = sizeof(call),
		.function = DMABED_OLD_FD,
		.fd = old_buffer(&posted, PAGE),
	};
	int device = old_open(POSTED_DEVICE), free = CHECK_OK(dup(device));

	close(free);
	CHECK_FAILS(ioctl(device, DMABED_IOC_EXPORT, read_only_copy(&request, sizeof(request))),
		    EFAULT);
	CHECK_FAILS(ioctl(device, DMABED_IOC_CALL, read_only_copy(&call, sizeof(call))), EFAULT);
	CHECK_EQ(dup(device), free);
}

/* ---- P2 ---- */

static int sockets[2];

static void use_what_comes(void *context)
{
	int engine = engine_open(), buffer = receive_fd(sockets[1]);
	int attachment = CHECK_OK(old_attach(&posted, engine, buffer));

	(void)context;
	check_old_sees(engine, attachment, SEED, LENGTH);
}

TEST(P2, passed_and_used)
{
	int buffer = old_buffer(&posted, LENGTH), engine = engine_open();
	int attachment = CHECK_OK(old_attach(&posted, engine, buffer));
	pid_t child;

	old_fill(engine, attachment, SEED, LENGTH);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = child_start(use_what_comes, NULL);
	send_fd(sockets[0], buffer);
	close(buffer);
	check_child_passed(child);
}

TEST(P2, two_fds)
{
	int buffer = old_buffer(&posted, PAGE), second;
	struct dmabed_buffer_info info;

	CHECK_EQ(call(DMABED_OLD_REFERENCES, buffer), 1);
	second = (int)call(DMABED_OLD_FD, buffer);
	CHECK(second >= 0);
	CHECK_EQ(call(DMABED_OLD_REFERENCES, buffer), 2);
	close(buffer);
	old_info(&posted, second, &info);
	CHECK_EQ(call(DMABED_OLD_REFERENCES, second), 1);
	CHECK_EQ(call(DMABED_OLD_FD_NULL, -1), -EINVAL);
}

TEST(P2, close_on_exec)
{
	CHECK_EQ(fcntl(old_buffer(&posted, PAGE), F_GETFD), FD_CLOEXEC);
}

/* ---- P3 ---- */

TEST(P3, wrong_fds)
{
	int null = CHECK_OK(open("/dev/null", O_RDWR));

	CHECK_EQ(call(DMABED_OLD_GET, -1), -EBADF);
	CHECK_EQ(call(DMABED_OLD_GET, 999), -EBADF);
	CHECK_EQ(call(DMABED_OLD_GET, null), -EINVAL);
	CHECK_EQ(call(DMABED_OLD_GET, buffer_of(exporter_named("static"), PAGE)), -EINVAL);
	CHECK_EQ(call(DMABED_OLD_GET, old_buffer(&merged, PAGE)), -EINVAL);
	CHECK_EQ(call(DMABED_OLD_GET, old_buffer(&posted, PAGE)), 1);
}

TEST(P3, not_the_kernels)
{
	int engine = engine_open(), buffer = old_buffer(&posted, PAGE);

	CHECK_FAILS(engine_attach(engine, buffer, 0), EINVAL);
	CHECK_FAILS(engine_attach(engine, buffer, DMABED_ATTACH_MERGED), EINVAL);
	CHECK_FAILS(engine_attach(engine, -1, DMABED_ATTACH_POSTED), EBADF);
	CHECK_FAILS(engine_attach(engine, buffer, DMABED_ATTACH_POSTED | DMABED_ATTACH_DYNAMIC),
		    EINVAL);
}

/* ---- P4 ---- */

TEST(P4, released_once)
{
	int buffer = old_buffer(&posted, PAGE), second = CHECK_OK(dup(buffer));
	uint64_t before = old_releases(&posted);

	close(buffer);
	CHECK_EQ(old_releases(&posted), (long long)before);
	close(second);
	CHECK_EQ(old_releases(&posted), (long long)before + 1);
	CHECK_EQ(call(DMABED_OLD_PUT_NULL, -1), 0);
}

TEST(P4, put_lowers)
{
	int buffer = old_buffer(&posted, PAGE);

	CHECK_EQ(call(DMABED_OLD_GET, buffer), 1);
	CHECK_EQ(call(DMABED_OLD_REFERENCES, buffer), 1);
}

/* ---- P5 ---- */

static unsigned int attachments_of(int buffer)
{
	struct dmabed_buffer_info info;

	old_info(&posted, buffer, &info);
	return info.attachments;
}

static void attach_and_detach(uint32_t flags)
{
	int buffer = CHECK_OK(old_export(&posted, LENGTH, flags)), engine = engine_open();
	int attachment = CHECK_OK(old_attach(&posted, engine, buffer));

	CHECK_EQ(attachments_of(buffer), 1);
	old_fill(engine, attachment, SEED, LENGTH);
	CHECK_OK(engine_detach(engine, attachment));
	CHECK_EQ(attachments_of(buffer), 0);
}

TEST(P5, attach_and_detach)
{
	attach_and_detach(0);
}

TEST(P5, without_the_operations)
{
	attach_and_detach(DMABED_EXPORT_NO_ATTACH_OPS);
}

TEST(P5, wrong_arguments)
{
	int buffer = old_buffer(&posted, PAGE);

	CHECK_EQ(call(DMABED_OLD_ATTACH_NULL, -1), -EINVAL);
	CHECK_EQ(call(DMABED_OLD_ATTACH_NO_DEVICE, buffer), -EINVAL);
	CHECK_EQ(call(DMABED_OLD_DETACH_NULL, -1), 0);
	CHECK_EQ(call(DMABED_OLD_DETACH_FOREIGN, buffer), 0);
}

TEST(P5, no_memory)
{
	int buffer = old_buffer(&posted, PAGE), engine = engine_open();

	set_parameter(posted.module, "fail_alloc", "1");
	CHECK_FAILS(old_attach(&posted, engine, buffer), ENOMEM);
	CHECK_EQ(attachments_of(buffer), 0);
}

/* ---- P6 ---- */

TEST(P6, list_without_attach)
{
	CHECK_EQ(call(DMABED_OLD_LIST_NULL, -1), -EINVAL);
	CHECK_EQ(call(DMABED_OLD_LIST_UNATTACHED, old_buffer(&posted, PAGE)), -EINVAL);
}

TEST(P6, list_and_length)
{
	int buffer = old_buffer(&posted, LENGTH), engine = engine_open();
	int attachment = CHECK_OK(old_attach(&posted, engine, buffer));

	CHECK(old_map(engine, attachment, DMABED_BIDIRECTIONAL, LENGTH) > 0);
	old_fill(engine, attachment, SEED, LENGTH);
	check_old_sees(engine, attachment, SEED, LENGTH);
}

/* ---- P16 ---- */

TEST(P16, compiled_out)
{
	int device = old_open(POSTED_OFF_DEVICE);
	struct dmabed_export request = {
		.size = sizeof(request),
		.length = PAGE,
		.storage = DMABED_STORAGE_AUTO,
		.fd_flags = O_RDWR,
	};
	struct dmabed_buffer_info info = { .size = sizeof(info), .fd = 0 };
	struct dmabed_migrate migrate = {
		.size = sizeof(migrate),
		.storage = DMABED_STORAGE_AUTO,
	};

	CHECK_FAILS(ioctl(device, DMABED_IOC_EXPORT, &request), ENODEV);
	CHECK_FAILS(ioctl(device, DMABED_IOC_BUFFER_INFO, &info), ENODEV);
	CHECK_FAILS(ioctl(device, DMABED_IOC_MIGRATE, &migrate), ENODEV);
}

TEST(P16, every_call)
{
	static const uint32_t functions[] = {
		DMABED_OLD_EXPORT,	DMABED_OLD_EXPORT_NO_PRIV,    DMABED_OLD_FD,
		DMABED_OLD_FD_NULL,	DMABED_OLD_GET,		      DMABED_OLD_ATTACH_NULL,
		DMABED_OLD_LIST_NULL,	DMABED_OLD_LIST_UNATTACHED,   DMABED_OLD_REFERENCES,
		DMABED_OLD_LIST_BYTES,	DMABED_OLD_PUT_BEFORE_DETACH, DMABED_OLD_DETACH_HOLDING,
	};
	size_t i;

	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		trying("function %u", functions[i]);
		CHECK_EQ(old_call(POSTED_OFF_DEVICE, functions[i], -1), -ENODEV);
	}
	CHECK_EQ(old_call(POSTED_OFF_DEVICE, DMABED_OLD_PUT_NULL, -1), 0);
	CHECK_EQ(old_call(POSTED_OFF_DEVICE, DMABED_OLD_DETACH_NULL, -1), 0);
}
