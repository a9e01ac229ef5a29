// SPDX-License-Identifier: GPL-2.0-or-later
/* C8: poll() on a buffer. */
#include <linux/dma-buf.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "background.h"
#include "calls.h"
#include "exporters.h"
#include "looking.h"
#include "test.h"
#include "timelines.h"

#define BOTH (POLLIN | POLLOUT)
#define POLLERS 4

/* A fence as user space's use of the buffer. */
static void use(int buffer, uint32_t flags, int timeline)
{
	int fence = CHECK_OK(timeline_fence(timeline, 1));

	CHECK_OK(buffer_import_fence(buffer, flags, fence));
	close(fence);
}

TEST_EACH(C8, idle)
{
	int buffer = buffer_of(exporter, PAGE);

	CHECK_EQ(ready(buffer, BOTH), BOTH);
	CHECK_EQ(ready(buffer, POLLIN), POLLIN);
	CHECK_EQ(ready(buffer, POLLOUT), POLLOUT);
}

TEST_EACH(C8, other_events)
{
	int buffer = buffer_of(exporter, PAGE);

	CHECK_EQ(ready(buffer, 0), 0);
	CHECK_EQ(ready(buffer, POLLPRI), 0);
}

/* Asked twice: the first question leaves a callback behind that the second finds. */
TEST_EACH(C8, pending_read)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();

	use(buffer, DMA_BUF_SYNC_READ, timeline);
	CHECK_EQ(ready(buffer, BOTH), POLLIN);
	CHECK_EQ(ready(buffer, POLLOUT), 0);
	CHECK_EQ(ready(buffer, POLLIN), POLLIN);
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(ready(buffer, BOTH), BOTH);
}

TEST_EACH(C8, pending_write)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();

	use(buffer, DMA_BUF_SYNC_WRITE, timeline);
	CHECK_EQ(ready(buffer, POLLIN), 0);
	CHECK_EQ(ready(buffer, POLLOUT), 0);
	CHECK_EQ(ready(buffer, BOTH), 0);
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(ready(buffer, BOTH), BOTH);
}

TEST_EACH(C8, pending_both)
{
	int buffer = buffer_of(exporter, PAGE);
	int reader = timeline_new(), writer = timeline_new();

	use(buffer, DMA_BUF_SYNC_READ, reader);
	use(buffer, DMA_BUF_SYNC_WRITE, writer);
	CHECK_EQ(ready(buffer, BOTH), 0);
	CHECK_OK(timeline_advance(writer, 1));
	CHECK_EQ(ready(buffer, POLLIN), POLLIN);
	CHECK_EQ(ready(buffer, POLLOUT), 0);
	CHECK_OK(timeline_advance(reader, 1));
	CHECK_EQ(ready(buffer, BOTH), BOTH);
}

/* A fence that failed has ended, too. */
TEST_EACH(C8, failed_fence)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();

	use(buffer, DMA_BUF_SYNC_WRITE, timeline);
	CHECK_EQ(ready(buffer, BOTH), 0);
	close(timeline);
	CHECK_EQ(ready(buffer, BOTH), BOTH);
}

/* ---- waiting ---- */

struct poller {
	struct pollfd wait;
	struct background background;
};

static void wait_for_ever(void *context)
{
	struct poller *poller = context;

	CHECK_EQ(poll(&poller->wait, 1, -1), 1);
}

static void poller_start(struct poller *poller, int fd, short events)
{
	poller->wait = (struct pollfd){ .fd = fd, .events = events };
	background_start(&poller->background, wait_for_ever, poller);
	background_wait_until_in(&poller->background, SYS_ppoll);
}

TEST_EACH(C8, waits_for_write)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();
	struct poller poller;

	use(buffer, DMA_BUF_SYNC_WRITE, timeline);
	poller_start(&poller, buffer, POLLIN);
	CHECK_OK(timeline_advance(timeline, 1));
	background_join(&poller.background);
	CHECK_EQ(poller.wait.revents, POLLIN);
}

TEST_EACH(C8, several_wait)
{
	static const short events[POLLERS] = { POLLIN, POLLOUT, BOTH, POLLOUT };
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();
	struct poller pollers[POLLERS];
	int i;

	use(buffer, DMA_BUF_SYNC_WRITE, timeline);
	for (i = 0; i < POLLERS; i++)
		poller_start(&pollers[i], buffer, events[i]);
	CHECK_OK(timeline_advance(timeline, 1));
	for (i = 0; i < POLLERS; i++) {
		background_join(&pollers[i].background);
		CHECK(pollers[i].wait.revents & events[i]);
	}
}

/* The reader is let go by the writer's end, while another reader is still there. */
TEST_EACH(C8, wakes_only_whose_turn_it_is)
{
	int buffer = buffer_of(exporter, PAGE);
	int reader = timeline_new(), writer = timeline_new();
	struct poller reads, writes;

	use(buffer, DMA_BUF_SYNC_READ, reader);
	use(buffer, DMA_BUF_SYNC_WRITE, writer);
	poller_start(&reads, buffer, POLLIN);
	poller_start(&writes, buffer, POLLOUT);
	CHECK_OK(timeline_advance(writer, 1));
	background_join(&reads.background);
	background_wait_until_in(&writes.background, SYS_ppoll);
	CHECK_OK(timeline_advance(reader, 1));
	background_join(&writes.background);
}

/* The call in progress keeps the buffer; when it looks again, the number is no fd any more. */
TEST_EACH(C8, closed_while_waiting)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();
	struct poller poller;

	use(buffer, DMA_BUF_SYNC_WRITE, timeline);
	poller_start(&poller, buffer, POLLIN);
	close(buffer);
	background_wait_until_in(&poller.background, SYS_ppoll);
	CHECK_OK(timeline_advance(timeline, 1));
	background_join(&poller.background);
	CHECK_EQ(poller.wait.revents, POLLNVAL);
}

/* So does a callback that nobody waits for any more, until its fence ends. */
TEST_EACH(C8, callback_keeps_the_buffer)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();
	ino_t inode = inode_of(buffer);

	use(buffer, DMA_BUF_SYNC_WRITE, timeline);
	CHECK_EQ(ready(buffer, BOTH), 0);
	close(buffer);
	CHECK(has_statistics(inode));
	CHECK_OK(timeline_advance(timeline, 1));
	while (has_statistics(inode)) /* let go of in a work item */
		;
}

TEST_EACH(C8, times_out)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();
	struct pollfd wait = { .fd = buffer, .events = BOTH };
	struct timespec nothing = { 0 };

	use(buffer, DMA_BUF_SYNC_WRITE, timeline);
	CHECK_EQ(ppoll(&wait, 1, &nothing, NULL), 0);
	CHECK_EQ(wait.revents, 0);
}

TEST_EACH(C8, epoll)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	int epoll = CHECK_OK(epoll_create1(EPOLL_CLOEXEC));

	CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, buffer, &event));
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK_EQ(event.events, EPOLLIN | EPOLLOUT);
	use(buffer, DMA_BUF_SYNC_READ, timeline);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK_EQ(event.events, EPOLLIN);
	CHECK_OK(timeline_advance(timeline, 1));
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK_EQ(event.events, EPOLLIN | EPOLLOUT);
}

TEST_EACH(C8, epoll_wakes)
{
	int buffer = buffer_of(exporter, PAGE);
	int timeline = timeline_new();
	struct epoll_event event = { .events = EPOLLOUT };
	int epoll = CHECK_OK(epoll_create1(EPOLL_CLOEXEC));
	struct poller poller;

	use(buffer, DMA_BUF_SYNC_READ, timeline);
	CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, buffer, &event));
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	poller_start(&poller, epoll, POLLIN);
	CHECK_OK(timeline_advance(timeline, 1));
	background_join(&poller.background);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK_EQ(event.events, EPOLLOUT);
}
