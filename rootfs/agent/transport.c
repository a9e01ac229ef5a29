// SPDX-License-Identifier: GPL-2.0-or-later
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "port.h"
#include "rights.h"

#define MAX_FDS 64

static int in_fd = STDIN_FILENO;
static int out_fd = STDOUT_FILENO;
static int wakeups = -1; /* epoll, for a port */
static bool is_socket;
static int fds[MAX_FDS]; /* came over the socket; used by the reader alone */
static unsigned int nr_fds;
static _Thread_local int fd_to_send = -1;
static bool connected;
static atomic_uint connection;
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

void transport_use_stdio(void)
{
	connected = true;
}

void transport_use_socket(void)
{
	connected = true;
	is_socket = true;
	out_fd = in_fd;
}

int transport_take_fd(void)
{
	int fd = nr_fds ? fds[0] : -1;

	if (nr_fds)
		memmove(fds, fds + 1, --nr_fds * sizeof(fds[0]));
	return fd;
}

void transport_send_fd(int fd)
{
	fd_to_send = fd;
}

/*
 * While the host has a port closed, poll() says POLLHUP at once, every time.
 * Edge-triggered epoll sleeps until the driver wakes its queue: on data, and
 * when the host opens or closes.
 */
static void watch_port(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	wakeups = epoll_create1(EPOLL_CLOEXEC);
	if (wakeups < 0 || epoll_ctl(wakeups, EPOLL_CTL_ADD, in_fd, &event) != 0) {
		perror("dmabed-agent: epoll");
		exit(EXIT_FAILURE);
	}
}

void transport_use_port(const char *name)
{
	in_fd = port_open(name);
	out_fd = in_fd;
	watch_port();
}

bool transport_reopens(void)
{
	return wakeups >= 0;
}

unsigned int transport_connection(void)
{
	return atomic_load(&connection);
}

void transport_begin_connection(void)
{
	atomic_fetch_add(&connection, 1);
}

static void wait_for_wakeup(void)
{
	struct epoll_event event;

	epoll_wait(wakeups, &event, 1, -1);
}

/* true when a connection that there was is over */
static bool hang_up(void)
{
	if (!connected)
		return false;
	connected = false;
	transport_begin_connection();
	return true;
}

static ssize_t read_socket(char *bytes, size_t size)
{
	ssize_t got;
	int fd;

	got = rights_receive(in_fd, bytes, size, &fd);
	if (fd >= 0 && nr_fds < MAX_FDS)
		fds[nr_fds++] = fd;
	else if (fd >= 0)
		close(fd);
	return got;
}

ssize_t transport_read(char *bytes, size_t size)
{
	for (;;) {
		ssize_t got = is_socket ? read_socket(bytes, size) : read(in_fd, bytes, size);

		if (got > 0)
			connected = true;
		if (got > 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
			return got;
		if (got == 0 && (!transport_reopens() || hang_up()))
			return 0;
		if (got < 0 && errno == EINTR)
			continue;
		wait_for_wakeup();
	}
}

/* false when nobody listens any more */
static bool wait_writable(unsigned int of_connection)
{
	struct pollfd poller = { .fd = out_fd, .events = POLLOUT };

	if (poll(&poller, 1, -1) < 0)
		return errno == EINTR;
	return !(poller.revents & (POLLHUP | POLLERR)) && of_connection == transport_connection();
}

static void write_all(unsigned int of_connection, const char *bytes, size_t length)
{
	while (length > 0 && of_connection == transport_connection()) {
		ssize_t put = write(out_fd, bytes, length);

		if (put > 0) {
			bytes += put;
			length -= (size_t)put;
		} else if (errno == EAGAIN) {
			if (!wait_writable(of_connection))
				return;
		} else if (errno != EINTR) {
			if (!transport_reopens())
				_exit(EXIT_FAILURE); /* nobody will ever hear us */
			return;
		}
	}
}

static void write_socket(const char *bytes, size_t length)
{
	rights_send(out_fd, bytes, length, fd_to_send);
	if (fd_to_send >= 0)
		close(fd_to_send);
	fd_to_send = -1;
}

void transport_write(unsigned int of_connection, const char *bytes, size_t length)
{
	pthread_mutex_lock(&write_lock);
	if (is_socket)
		write_socket(bytes, length);
	else
		write_all(of_connection, bytes, length);
	pthread_mutex_unlock(&write_lock);
}
