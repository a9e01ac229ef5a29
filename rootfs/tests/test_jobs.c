// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * C7: implicit synchronisation of an engine's jobs.
 *
 * A job is held by a pending fence in its buffer: it waits for that one first.
 */
#include <linux/dma-buf.h>
#include <stdio.h>
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
/* for what two engines finish in another order than they began */
#define SOON_NS (20 * 1000 * 1000)

struct setting {
	int buffer, engine, attachment, timeline;
};

static struct setting set_up(const struct exporter *exporter)
{
	struct setting setting = {
		.buffer = buffer_of(exporter, LENGTH),
		.engine = engine_open(),
		.timeline = timeline_new(),
	};

	setting.attachment = CHECK_OK(engine_attach(setting.engine, setting.buffer, 0));
	return setting;
}

static void hold(const struct setting *setting, uint32_t flags)
{
	int fence = CHECK_OK(timeline_fence(setting->timeline, 1));

	CHECK_OK(buffer_import_fence(setting->buffer, flags, fence));
	close(fence);
}

static void let_go(const struct setting *setting)
{
	CHECK_OK(timeline_advance(setting->timeline, 1));
}

/* A job that need not wait has ended by the time that a later one of another engine has. */
static void let_another_job_end(const struct exporter *exporter)
{
	int buffer = buffer_of(exporter, LENGTH);
	int engine = engine_open_other();
	int attachment = CHECK_OK(engine_attach(engine, buffer, 0));
	struct dmabed_wait result;

	CHECK_OK(engine_wait(engine, CHECK_OK(engine_start_fill(engine, attachment, 9, LENGTH)),
			     -1, &result));
	close(engine);
	close(buffer);
}

static void check_waits(int engine, int job)
{
	struct dmabed_wait result;

	CHECK_FAILS(engine_wait(engine, job, SOON_NS, &result), ETIMEDOUT);
}

static void check_done(int engine, int job)
{
	struct dmabed_wait result;

	CHECK_OK(engine_wait(engine, job, -1, &result));
	CHECK_EQ(result.error, 0);
}

TEST_EACH(C7, write_waits_for_write)
{
	struct setting on = set_up(exporter);
	int job;

	hold(&on, DMA_BUF_SYNC_WRITE);
	job = CHECK_OK(engine_start_fill(on.engine, on.attachment, 1, LENGTH));
	let_another_job_end(exporter);
	check_waits(on.engine, job);
	let_go(&on);
	check_done(on.engine, job);
	check_cpu_sees(on.buffer, 1, LENGTH);
}

TEST_EACH(C7, write_waits_for_read)
{
	struct setting on = set_up(exporter);
	int job;

	hold(&on, DMA_BUF_SYNC_READ);
	job = CHECK_OK(engine_start_fill(on.engine, on.attachment, 1, LENGTH));
	let_another_job_end(exporter);
	check_waits(on.engine, job);
	let_go(&on);
	check_done(on.engine, job);
}

TEST_EACH(C7, read_waits_for_write)
{
	struct setting on = set_up(exporter);
	int job;

	hold(&on, DMA_BUF_SYNC_WRITE);
	job = CHECK_OK(engine_start_digest(on.engine, on.attachment, LENGTH));
	let_another_job_end(exporter);
	check_waits(on.engine, job);
	let_go(&on);
	check_done(on.engine, job);
}

/* No let_go() before its end. */
TEST_EACH(C7, read_shares_with_read)
{
	struct setting on = set_up(exporter);

	hold(&on, DMA_BUF_SYNC_READ);
	check_done(on.engine,
		   CHECK_OK(engine_start_digest(on.engine, on.attachment, LENGTH)));
}

/* The second engine waits for the first one's job, which itself is held. */
TEST_EACH(C7, jobs_of_two_engines)
{
	struct setting on = set_up(exporter);
	int other = engine_open_other();
	int attachment = CHECK_OK(engine_attach(other, on.buffer, 0));
	int first, second;

	hold(&on, DMA_BUF_SYNC_READ);
	first = CHECK_OK(engine_start_fill(on.engine, on.attachment, 2, LENGTH));
	let_another_job_end(exporter);
	second = CHECK_OK(engine_start_digest(other, attachment, LENGTH));
	check_waits(on.engine, first);
	check_waits(other, second);
	let_go(&on);
	check_done(other, second);
	check_done(on.engine, first);
}

/* The fences of jobs are the buffer's: exported, polled, and told by debugfs. */
TEST_EACH(C7, fence_of_a_job)
{
	struct setting on = set_up(exporter);
	struct bufinfo info;
	int job, fence;

	hold(&on, DMA_BUF_SYNC_READ);
	job = CHECK_OK(engine_start_fill(on.engine, on.attachment, 3, LENGTH));
	fence = CHECK_OK(buffer_export_fence(on.buffer, DMA_BUF_SYNC_READ));
	CHECK_EQ(fence_status(fence), 0);
	CHECK(bufinfo_find(inode_of(on.buffer), &info));
	CHECK(strstr(info.text, "write fence:dmabed-engine"));
	let_go(&on);
	check_done(on.engine, job);
	CHECK_EQ(fence_status(fence), 1);
}

TEST_EACH(C7, busy_while_in_flight)
{
	struct setting on = set_up(exporter);
	int job;

	hold(&on, DMA_BUF_SYNC_WRITE);
	job = CHECK_OK(engine_start_fill(on.engine, on.attachment, 4, LENGTH));
	CHECK_FAILS(engine_detach(on.engine, on.attachment), EBUSY);
	CHECK_FAILS(engine_unmap(on.engine, on.attachment), EBUSY);
	let_go(&on);
	check_done(on.engine, job);
	CHECK_OK(engine_unmap(on.engine, on.attachment));
	CHECK_OK(engine_detach(on.engine, on.attachment));
}

/* ---- the CPU's brackets wait, too ---- */

struct bracket {
	int buffer;
	uint64_t flags;
	int error;
};

static void start_bracket(void *context)
{
	struct bracket *bracket = context;

	bracket->error = buffer_sync(bracket->buffer, bracket->flags) ? errno : 0;
}

static void check_bracket_waits(const struct exporter *exporter, uint32_t held, uint64_t flags)
{
	struct setting on = set_up(exporter);
	struct bracket bracket = { .buffer = on.buffer, .flags = flags };
	struct background background;

	hold(&on, held);
	background_start(&background, start_bracket, &bracket);
	background_wait_until_in(&background, SYS_ioctl);
	let_go(&on);
	background_join(&background);
	CHECK_EQ(bracket.error, 0);
}

TEST_EACH(C7, cpu_read_waits_for_write)
{
	check_bracket_waits(exporter, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
}

TEST_EACH(C7, cpu_write_waits_for_read)
{
	check_bracket_waits(exporter, DMA_BUF_SYNC_READ, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
}

TEST_EACH(C7, cpu_read_shares_with_read)
{
	struct setting on = set_up(exporter);

	hold(&on, DMA_BUF_SYNC_READ);
	CHECK_OK(buffer_sync(on.buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	CHECK_OK(buffer_sync(on.buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
}

/* The end of a bracket waits for nothing. */
TEST_EACH(C7, bracket_ends_at_once)
{
	struct setting on = set_up(exporter);

	CHECK_OK(buffer_sync(on.buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	hold(&on, DMA_BUF_SYNC_WRITE);
	CHECK_OK(buffer_sync(on.buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
}

TEST_EACH(C7, bracket_interrupted)
{
	struct setting on = set_up(exporter);
	struct bracket bracket = {
		.buffer = on.buffer,
		.flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW,
	};
	struct background background;

	hold(&on, DMA_BUF_SYNC_WRITE);
	background_start(&background, start_bracket, &bracket);
	background_wait_until_in(&background, SYS_ioctl);
	background_interrupt(&background);
	background_join(&background);
	CHECK_EQ(bracket.error, EINTR);
}
