// SPDX-License-Identifier: GPL-2.0-or-later
/* C14: one buffer in several processes, and processes that end in every state. */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "background.h"
#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "kernel_calls.h"
#include "looking.h"
#include "test.h"
#include "timelines.h"

#define LENGTH (4 * PAGE)

static bool same_file(int first, int second)
{
	long different = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, first, second);

	if (different == -1 && errno == ENOSYS)
		skip("the kernel has no CONFIG_KCMP");
	return different == 0;
}

/* ---- passing ---- */

static void digest_what_comes(void *context)
{
	const int *socket = context;
	int buffer = receive_fd(*socket);

	CHECK_EQ(lseek(buffer, 0, SEEK_END), LENGTH);
	check_engine_sees(engine_open(), buffer, 21, LENGTH);
	engine_fill(engine_open(), buffer, 22, LENGTH);
}

/* The receiver's engine reads what the sender wrote, and the other way round. */
TEST_EACH(C14, passed_to_another_process)
{
	int sockets[2], buffer;
	pid_t child;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = child_start(digest_what_comes, &sockets[1]);
	/* only now, so that the child has it by the socket alone */
	buffer = buffer_of(exporter, LENGTH);
	cpu_writes(buffer, 21, LENGTH);
	send_fd(sockets[0], buffer);
	check_child_passed(child);
	check_cpu_sees(buffer, 22, LENGTH);
}

TEST_EACH(C14, passed_and_closed)
{
	int buffer = buffer_of(exporter, LENGTH), received;
	ino_t inode = inode_of(buffer);
	int sockets[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	send_fd(sockets[0], buffer);
	close(buffer);
	CHECK(has_statistics(inode)); /* on its way it lives */
	received = receive_fd(sockets[1]);
	CHECK_EQ(inode_of(received), inode);
	close(received);
	CHECK(!has_statistics(inode));
}

/* What nobody received goes with the socket. */
TEST_EACH(C14, passed_to_nobody)
{
	int buffer = buffer_of(exporter, LENGTH);
	int sockets[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	send_fd(sockets[0], buffer);
}

/* ---- duplicates ---- */

static void check_same(int first, int second)
{
	char name[64];

	CHECK(same_file(first, second));
	CHECK_EQ(inode_of(first), inode_of(second));
	CHECK_OK(buffer_set_name(first, "shared"));
	CHECK(fdinfo_value(second, "name", name, sizeof(name)));
	CHECK(strcmp(name, "shared") == 0);
}

TEST_EACH(C14, duplicates)
{
	int buffer = buffer_of(exporter, LENGTH);
	int other = CHECK_OK(dup(buffer));

	check_same(buffer, other);
	CHECK_EQ(dup2(buffer, other), other);
	check_same(buffer, other);
	check_same(buffer, CHECK_OK(fcntl(buffer, F_DUPFD, 50)));
	other = CHECK_OK(fcntl(buffer, F_DUPFD_CLOEXEC, 60));
	check_same(buffer, other);
	CHECK_EQ(fcntl(other, F_GETFD), FD_CLOEXEC);
}

TEST_EACH(C14, two_buffers_differ)
{
	int first = buffer_of(exporter, LENGTH), second = buffer_of(exporter, LENGTH);

	CHECK(!same_file(first, second));
	CHECK(inode_of(first) != inode_of(second));
}

/* A buffer has no name in the file system to be opened by. */
TEST_EACH(C14, reopening_refused)
{
	int buffer = buffer_of(exporter, LENGTH);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", buffer);
	CHECK_FAILS(open(path, O_RDWR), ENXIO);
}

static void write_by_inherited(void *context)
{
	const int *buffer = context;

	cpu_writes(*buffer, 31, LENGTH);
	engine_fill(engine_open(), *buffer, 32, LENGTH);
}

TEST_EACH(C14, inherited_by_fork)
{
	int buffer = buffer_of(exporter, LENGTH);

	check_child_passed(child_start(write_by_inherited, &buffer));
	check_cpu_sees(buffer, 32, LENGTH);
}

/* Whether the program that a child becomes has this fd. */
static bool survives_exec(int fd)
{
	char path[64];
	pid_t child = CHECK_OK(fork());
	int status;

	if (child == 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		execl("/bin/busybox", "busybox", "test", "-e", path, NULL);
		_exit(127);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) <= 1);
	return WEXITSTATUS(status) == 0;
}

TEST_EACH(C14, exec)
{
	int closed = buffer_of(exporter, LENGTH);
	int kept = CHECK_OK(exporter_make(exporter, LENGTH, O_RDWR));

	CHECK(!survives_exec(closed));
	CHECK(survives_exec(kept));
}

/* ---- ends ---- */

struct held {
	const struct exporter *exporter;
	int timeline;
	int buffer, engine, attachment, job;
};

/* A job in flight, held by a fence of the parent's timeline. */
static void start_held_job(struct held *held)
{
	held->buffer = buffer_of(held->exporter, LENGTH);
	CHECK_OK(buffer_import_fence(held->buffer, DMA_BUF_SYNC_WRITE,
				     CHECK_OK(timeline_fence(held->timeline, 1))));
	held->engine = engine_open();
	held->attachment = CHECK_OK(engine_attach(held->engine, held->buffer, 0));
	held->job = CHECK_OK(engine_start_fill(held->engine, held->attachment, 41, LENGTH));
}

TEST_EACH(C14, closed_during_a_job)
{
	struct held held = { .exporter = exporter, .timeline = timeline_new() };
	struct dmabed_wait result;

	start_held_job(&held);
	close(held.buffer);
	CHECK_OK(timeline_advance(held.timeline, 1));
	CHECK_OK(engine_wait(held.engine, held.job, -1, &result));
	CHECK_EQ(result.error, 0);
	CHECK_EQ(result.bytes, LENGTH);
}

/* The engine's file goes with its job in flight; a second fd sees what the job wrote. */
TEST_EACH(C14, engine_closed_during_a_job)
{
	struct held held = { .exporter = exporter, .timeline = timeline_new() };

	start_held_job(&held);
	close(held.engine);
	CHECK_OK(timeline_advance(held.timeline, 1));
	check_cpu_sees(held.buffer, 41, LENGTH);
}

static void attach_and_end(void *context)
{
	const struct held *held = context;

	CHECK_OK(engine_attach(engine_open(), buffer_of(held->exporter, LENGTH), 0));
}

static void map_and_end(void *context)
{
	const struct held *held = context;
	int buffer = buffer_of(held->exporter, LENGTH);
	int engine = engine_open();
	int attachment = CHECK_OK(engine_attach(engine, buffer, DMABED_ATTACH_DYNAMIC));

	CHECK_OK(engine_map(engine, attachment, DMABED_BIDIRECTIONAL));
}

static void pin_and_end(void *context)
{
	const struct held *held = context;
	int buffer = buffer_of(held->exporter, LENGTH);
	int engine = engine_open();
	int attachment = CHECK_OK(engine_attach(engine, buffer, DMABED_ATTACH_DYNAMIC));

	CHECK_OK(engine_map(engine, attachment, DMABED_BIDIRECTIONAL));
	CHECK_OK(engine_pin(engine, attachment));
}

static void vmap_and_end(void *context)
{
	const struct held *held = context;

	CHECK_EQ(call(calls_on(buffer_of(held->exporter, LENGTH)), VMAP, 0), 0);
}

static void mmap_and_end(void *context)
{
	const struct held *held = context;
	char *bytes = CHECK_OK(mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
				    buffer_of(held->exporter, LENGTH), 0));

	memset(bytes, 1, LENGTH);
}

static void submit_and_end(void *context)
{
	start_held_job(context);
}

static void bracket_and_end(void *context)
{
	const struct held *held = context;

	CHECK_OK(buffer_sync(buffer_of(held->exporter, LENGTH),
			     DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
}

static void fences_and_end(void *context)
{
	struct held *held = context;
	int buffer = buffer_of(held->exporter, LENGTH);

	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE,
				     CHECK_OK(timeline_fence(held->timeline, 1))));
	CHECK_OK(buffer_export_fence(buffer, DMA_BUF_SYNC_READ));
	CHECK_EQ(ready(buffer, POLLIN), 0);
}

static void (*const states[])(void *context) = {
	attach_and_end, map_and_end,	pin_and_end,	 vmap_and_end,
	mmap_and_end,	submit_and_end, bracket_and_end, fences_and_end,
};

#define STATES (sizeof(states) / sizeof(states[0]))

/* Skips here rather than in a child. */
static void need_every_state(void)
{
	close(calls_open());
}

/* What it leaves is accounted for by the runner. */
TEST_EACH(C14, exit_in_every_state)
{
	struct held held = { .exporter = exporter, .timeline = timeline_new() };
	size_t i;

	need_every_state();
	for (i = 0; i < STATES; i++) {
		trying("state %zu", i);
		check_child_passed(child_start(states[i], &held));
	}
	CHECK_OK(timeline_advance(held.timeline, 1));
}

struct dying {
	void (*state)(void *context);
	struct held held;
};

static void reach_state_and_wait(void *context)
{
	struct dying *dying = context;

	dying->state(&dying->held);
	for (;;)
		pause();
}

/* pause() is ppoll() on arm64, where the child is then known to have reached its state. */
TEST_EACH(C14, killed_in_every_state)
{
	struct dying dying = { .held = { .exporter = exporter, .timeline = timeline_new() } };
	pid_t child;
	size_t i;

	need_every_state();
	for (i = 0; i < STATES; i++) {
		trying("state %zu", i);
		dying.state = states[i];
		child = child_start(reach_state_and_wait, &dying);
		wait_until_in(child, SYS_ppoll);
		kill_child(child);
	}
	CHECK_OK(timeline_advance(dying.held.timeline, 1));
}

static void wait_for_job(void *context)
{
	struct held *held = context;
	struct dmabed_wait result;

	start_held_job(held);
	engine_wait(held->engine, held->job, -1, &result);
}

static void wait_in_bracket(void *context)
{
	struct held *held = context;

	start_held_job(held);
	buffer_sync(held->buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
}

static void check_killed_in_ioctl(void (*work)(void *context), struct held *held)
{
	pid_t child = child_start(work, held);

	wait_until_in(child, SYS_ioctl);
	kill_child(child);
}

TEST_EACH(C14, killed_while_waiting)
{
	struct held held = { .exporter = exporter, .timeline = timeline_new() };

	check_killed_in_ioctl(wait_for_job, &held);
	check_killed_in_ioctl(wait_in_bracket, &held);
	CHECK_OK(timeline_advance(held.timeline, 1));
}
