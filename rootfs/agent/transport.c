// SPDX-License-Identifier: GPL-2.0-or-later
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "port.h"

static int in_fd = STDIN_FILENO;
static int out_fd = STDOUT_FILENO;
static int wakeups = -1; /* epoll, for a port */
static bool connected;
static atomic_uint connection;
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

void transport_use_stdio(void)
{
	connected = true;
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

ssize_t transport_read(char *bytes, size_t size)
{
	for (;;) {
		ssize_t got = read(in_fd, bytes, size);

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

void transport_write(unsigned int of_connection, const char *bytes, size_t length)
{
	pthread_mutex_lock(&write_lock);
	write_all(of_connection, bytes, length);
	pthread_mutex_unlock(&write_lock);
}
