// SPDX-License-Identifier: GPL-2.0-or-later
#include "rights.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Room for one fd, aligned as unix(7) asks. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static void attach_fd(struct msghdr *message, union control *control, int fd)
{
	struct cmsghdr *header = &control->header;

	memset(control, 0, sizeof(*control));
	message->msg_control = control;
	message->msg_controllen = sizeof(*control);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
}

static ssize_t send_part(int socket, const char *bytes, size_t length, int fd)
{
	struct iovec part = { .iov_base = (void *)bytes, .iov_len = length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control;
	ssize_t put;

	if (fd >= 0)
		attach_fd(&message, &control, fd);
	do
		put = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	return put;
}

bool rights_send(int socket, const char *bytes, size_t length, int fd)
{
	while (length > 0) {
		ssize_t put = send_part(socket, bytes, length, fd);

		if (put < 0)
			return false;
		bytes += put;
		length -= (size_t)put;
		fd = -1;
	}
	return true;
}

ssize_t rights_receive(int socket, char *bytes, size_t size, int *fd)
{
	struct iovec part = { .iov_base = bytes, .iov_len = size };
	union control control;
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	const struct cmsghdr *header;
	ssize_t got;

	do
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	*fd = -1;
	header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return got;
}
