// SPDX-License-Identifier: GPL-2.0-or-later
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static ssize_t read_all(int fd, char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = read(fd, bytes + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

ssize_t file_read(const char *path, void *bytes, size_t size)
{
	/* non-blocking, so that a FIFO without a writer does not hang us */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t got;
	int error;

	if (fd < 0)
		return -1;
	got = read_all(fd, bytes, size);
	error = errno;
	close(fd);
	errno = error;
	return got;
}

ssize_t file_read_text(const char *path, char *text, size_t size)
{
	ssize_t got = file_read(path, text, size - 1);

	if (got >= 0)
		text[got] = '\0';
	return got;
}
