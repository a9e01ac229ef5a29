// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * C4, C11, C14: while a migration waits for a fence it holds the buffer's lock,
 * and whoever needs that lock waits, but can be interrupted, as can the one who
 * migrates, and be killed.
 *
 * A buffer in memory that a narrow engine does not reach, and a pending fence:
 * the narrow engine's mapping then moves the buffer, and waits for the fence.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "background.h"
#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "looking.h"
#include "test.h"
#include "timelines.h"

#define LENGTH (2 * PAGE)

struct migration {
	int buffer, narrow, timeline;
	int attachment, error;
	struct background background;
};

/* It can move; its first storage is where the first engine wants it. */
static int movable_buffer(void)
{
	return CHECK_OK(own_buffer(LENGTH, DMABED_EXPORT_DYNAMIC));
}

static void map_narrow(void *context)
{
	struct migration *migration = context;

	migration->error = engine_map(migration->narrow, migration->attachment,
				      DMABED_BIDIRECTIONAL) < 0 ? errno : 0;
}

/* Returns when the migration waits. */
static void start(struct migration *migration)
{
	int fence;

	migration->buffer = movable_buffer();
	migration->timeline = timeline_new();
	migration->narrow = engine_open_narrow();
	engine_fill(engine_open(), migration->buffer, 71, LENGTH);
	fence = CHECK_OK(timeline_fence(migration->timeline, 1));
	CHECK_OK(buffer_import_fence(migration->buffer, DMA_BUF_SYNC_READ, fence));
	migration->attachment = CHECK_OK(engine_attach(migration->narrow, migration->buffer,
						       DMABED_ATTACH_DYNAMIC));
	background_start(&migration->background, map_narrow, migration);
	background_wait_until_in(&migration->background, SYS_ioctl);
}

static void finish(struct migration *migration)
{
	CHECK_OK(timeline_advance(migration->timeline, 1));
	background_join(&migration->background);
	CHECK_EQ(migration->error, 0);
	check_cpu_sees(migration->buffer, 71, LENGTH);
}

TEST(C4, migration_waits_for_a_fence)
{
	struct migration migration;

	start(&migration);
	finish(&migration);
}

TEST(C4, migration_interrupted)
{
	struct migration migration;

	start(&migration);
	background_interrupt(&migration.background);
	background_join(&migration.background);
	CHECK_EQ(migration.error, EINTR);
	check_cpu_sees(migration.buffer, 71, LENGTH);
}

/* ---- whoever migrates is killed ---- */

/* LOW_PAGES: their allocation sleeps for nothing. */
static int migrate(int buffer)
{
	return own_migrate(buffer, DMABED_STORAGE_LOW_PAGES);
}

static void migrate_on_request(void *context)
{
	const int *buffer = context;

	migrate(*buffer);
}

static void migrate_by_mapping(void *context)
{
	const int *buffer = context;
	int narrow = engine_open_narrow();

	engine_map(narrow, CHECK_OK(engine_attach(narrow, *buffer, DMABED_ATTACH_DYNAMIC)),
		   DMABED_BIDIRECTIONAL);
}

/* Nothing has moved, nobody has the lock, and the next one to migrate can. */
static void check_killed_in(void (*migration)(void *context))
{
	int buffer = movable_buffer();
	int timeline = timeline_new();
	pid_t child;

	engine_fill(engine_open(), buffer, 72, LENGTH);
	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_READ,
				     CHECK_OK(timeline_fence(timeline, 1))));
	child = child_start(migration, &buffer);
	wait_until_in(child, SYS_ioctl);
	kill_child(child);
	CHECK_OK(timeline_advance(timeline, 1));
	check_cpu_sees(buffer, 72, LENGTH);
	CHECK_OK(migrate(buffer));
	check_cpu_sees(buffer, 72, LENGTH);
}

TEST(C14, killed_while_migrating)
{
	check_killed_in(migrate_on_request);
}

TEST(C14, killed_while_a_map_migrates)
{
	close(engine_open_narrow()); /* skips here rather than in the child */
	check_killed_in(migrate_by_mapping);
}

/* ---- readers of debugfs ---- */

struct reader {
	struct background background;
	int error;
};

static void read_bufinfo(void *context)
{
	struct reader *reader = context;
	int file = CHECK_OK(open(BUFINFO, O_RDONLY | O_CLOEXEC));
	char bytes[64];

	reader->error = read(file, bytes, sizeof(bytes)) < 0 ? errno : 0;
	close(file);
}

/* The first waits for the buffer's lock, the second for the list's, which the first has. */
TEST(C11, bufinfo_interrupted)
{
	struct migration migration;
	struct reader first, second;

	start(&migration);
	background_start(&first.background, read_bufinfo, &first);
	background_wait_until_in(&first.background, SYS_read);
	background_start(&second.background, read_bufinfo, &second);
	background_wait_until_in(&second.background, SYS_read);
	background_interrupt(&second.background);
	background_join(&second.background);
	CHECK_EQ(second.error, EINTR);
	background_interrupt(&first.background);
	background_join(&first.background);
	CHECK_EQ(first.error, EINTR);
	finish(&migration);
}
