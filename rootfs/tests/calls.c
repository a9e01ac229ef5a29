// SPDX-License-Identifier: GPL-2.0-or-later
/* One function for each call under test. */
#include "calls.h"

#include <linux/dma-buf.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exporters.h"
#include "sabotage.h"
#include "test.h"

int buffer_sync(int buffer, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	if (sabotaged("sync-takes-all"))
		sync.flags = (flags & DMA_BUF_SYNC_VALID_FLAGS_MASK) | DMA_BUF_SYNC_READ;
	return ioctl(buffer, DMA_BUF_IOCTL_SYNC, &sync);
}

int buffer_set_name(int buffer, const char *name)
{
	if (sabotaged("name-lost"))
		return 0;
	return ioctl(buffer, DMA_BUF_SET_NAME_B, name);
}

int buffer_export_fence(int buffer, uint32_t flags)
{
	struct dma_buf_export_sync_file request = { .flags = flags, .fd = -1 };

	return ioctl(buffer, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request) ? -1 : request.fd;
}

int buffer_import_fence(int buffer, uint32_t flags, int fence)
{
	struct dma_buf_import_sync_file request = { .flags = flags, .fd = fence };

	if (sabotaged("job-does-not-wait"))
		return 0;
	return ioctl(buffer, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request);
}

void *buffer_mmap(int buffer, size_t length, int protection, int flags, off_t offset)
{
	if (sabotaged("bounds-lost")) {
		offset = 0;
		length = PAGE;
	}
	return mmap(NULL, length, protection, flags, buffer, offset);
}

short ready(int fd, short events)
{
	struct pollfd wait = { .fd = fd, .events = events };

	CHECK_OK(poll(&wait, 1, 0));
	return sabotaged("poll-never-waits") ? events : wait.revents;
}

int fence_merge(const char *name, int first, int second)
{
	struct sync_merge_data request = { .fd2 = second, .fence = -1 };

	memcpy(request.name, name, strnlen(name, sizeof(request.name)));
	return ioctl(first, SYNC_IOC_MERGE, &request) ? -1 : request.fence;
}

int fence_info(int fence, struct sync_file_info *info)
{
	int result = ioctl(fence, SYNC_IOC_FILE_INFO, info);

	if (sabotaged("fence-error-lost") && info->status < 0)
		info->status = 1;
	return result;
}

int fence_status(int fence)
{
	struct sync_file_info info = { 0 };

	CHECK_OK(fence_info(fence, &info));
	return info.status;
}

int fence_set_deadline(int fence, uint64_t deadline_ns)
{
	struct sync_set_deadline request = { .deadline_ns = deadline_ns };

	return ioctl(fence, SYNC_IOC_SET_DEADLINE, &request);
}

/* ---- passing ---- */

union fd_message {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* What the sabotage sends instead: of the same length, but other memory. */
static int copy_of(int fd)
{
	return exporter_make(exporter_named("system"), (size_t)lseek(fd, 0, SEEK_END), 0);
}

void send_fd(int socket, int fd)
{
	char byte = 'x';
	struct iovec data = { &byte, 1 };
	union fd_message control;
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (sabotaged("other-buffer-passed"))
		fd = CHECK_OK(copy_of(fd));
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	CHECK_OK(sendmsg(socket, &message, 0));
}

int receive_fd(int socket)
{
	char byte;
	struct iovec data = { &byte, 1 };
	union fd_message control;
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	CHECK_EQ(recvmsg(socket, &message, MSG_CMSG_CLOEXEC), 1);
	CHECK(CMSG_FIRSTHDR(&message));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}
