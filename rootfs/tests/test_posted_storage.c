// SPDX-License-Identifier: GPL-2.0-or-later
/* P7 to P15: storage that comes late, is shared, and moves, as it was posted. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "background.h"
#include "engines.h"
#include "exporters.h"
#include "generations.h"
#include "test.h"

#define LENGTH (16 * PAGE)
#define SEED 23

static struct dmabed_buffer_info info_of(int buffer)
{
	struct dmabed_buffer_info info;

	old_info(&posted, buffer, &info);
	return info;
}

static unsigned char *bytes_of(int buffer, size_t length)
{
	void *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, buffer, 0);

	CHECK(bytes != MAP_FAILED);
	return bytes;
}

static bool cpu_sees(const unsigned char *bytes, uint64_t seed)
{
	unsigned char wanted[LENGTH];

	pattern(wanted, seed, LENGTH);
	return memcmp(bytes, wanted, LENGTH) == 0;
}

/* ---- P7 ---- */

TEST(P7, nothing_before_the_first_list)
{
	int buffer = old_buffer(&posted, LENGTH), engine = engine_open();
	int attachment = CHECK_OK(old_attach(&posted, engine, buffer));

	CHECK_EQ(info_of(buffer).storage, DMABED_STORAGE_NONE);
	CHECK(old_map(engine, attachment, DMABED_BIDIRECTIONAL, LENGTH) > 0);
	CHECK(info_of(buffer).storage != DMABED_STORAGE_NONE);
}

TEST(P7, suits_all_that_are_attached)
{
	int buffer = old_high_buffer(&posted, LENGTH);
	int wide = engine_open(), narrow = engine_open_narrow();
	int first = CHECK_OK(old_attach(&posted, wide, buffer));
	int second = CHECK_OK(old_attach(&posted, narrow, buffer));

	CHECK(old_map(wide, first, DMABED_TO_DEVICE, LENGTH) > 0);
	CHECK(old_map(narrow, second, DMABED_TO_DEVICE, LENGTH) > 0);
	CHECK_EQ(info_of(buffer).migrations, 0);
}

/* ---- P8, P9 ---- */

TEST(P8, several_readers)
{
	int buffer = old_buffer(&posted, LENGTH);
	int one = engine_open(), other = engine_open_narrow();
	int first = CHECK_OK(old_attach(&posted, one, buffer));
	int second = CHECK_OK(old_attach(&posted, other, buffer));

	CHECK(old_map(one, first, DMABED_TO_DEVICE, LENGTH) > 0);
	CHECK(old_map(other, second, DMABED_TO_DEVICE, LENGTH) > 0);
	CHECK_EQ(info_of(buffer).mappings, 2);
}

TEST(P9, put_ends_the_access)
{
	int buffer = old_buffer(&posted, LENGTH), engine = engine_open();
	int attachment = CHECK_OK(old_attach(&posted, engine, buffer));

	CHECK(old_map(engine, attachment, DMABED_BIDIRECTIONAL, LENGTH) > 0);
	CHECK_EQ(info_of(buffer).mappings, 1);
	CHECK_OK(engine_unmap(engine, attachment));
	CHECK_EQ(info_of(buffer).mappings, 0);
	/* a job brackets itself */
	old_fill(engine, attachment, SEED, LENGTH);
	CHECK_EQ(info_of(buffer).mappings, 0);
}

/* ---- P10 ---- */

struct getter {
	int engine, attachment;
	int result, error;
};

static void get_list(void *context)
{
	struct getter *getter = context;

	getter->result = engine_map(getter->engine, getter->attachment, DMABED_BIDIRECTIONAL);
	getter->error = errno;
}

struct stalled {
	int buffer, wide, first, narrow;
	struct getter getter;
	struct background thread;
};

/* The wide device holds a list of high pages; the narrow one comes, and waits. */
static void make_stall(struct stalled *stalled)
{
	int second;

	stalled->buffer = old_high_buffer(&posted, LENGTH);
	stalled->wide = engine_open();
	stalled->narrow = engine_open_narrow();
	stalled->first = CHECK_OK(old_attach(&posted, stalled->wide, stalled->buffer));
	CHECK(old_map(stalled->wide, stalled->first, DMABED_BIDIRECTIONAL, LENGTH) > 0);
	old_fill(stalled->wide, stalled->first, SEED, LENGTH);
	second = CHECK_OK(old_attach(&posted, stalled->narrow, stalled->buffer));
	stalled->getter = (struct getter){ .engine = stalled->narrow, .attachment = second };
	background_start(&stalled->thread, get_list, &stalled->getter);
	background_wait_until_in(&stalled->thread, SYS_ioctl);
}

TEST(P10, stalls_and_moves)
{
	struct stalled s;

	make_stall(&s);
	CHECK(stack_has(s.thread.id, "posted_stall"));
	CHECK_EQ(info_of(s.buffer).migrations, 0);
	CHECK_OK(engine_unmap(s.wide, s.first));
	background_join(&s.thread);
	CHECK(s.getter.result > 0);
	CHECK_EQ(info_of(s.buffer).migrations, 1);
	check_old_sees(s.narrow, s.getter.attachment, SEED, LENGTH);
	/* the old device sees the new storage */
	old_fill(s.wide, s.first, SEED + 1, LENGTH);
	check_old_sees(s.narrow, s.getter.attachment, SEED + 1, LENGTH);
	CHECK_EQ(info_of(s.buffer).migrations, 1);
}

TEST(P10, later_gets_queue_up)
{
	struct getter late;
	struct background thread;
	struct stalled s;
	int other;

	make_stall(&s);
	other = engine_open();
	late = (struct getter){ .engine = other };
	late.attachment = CHECK_OK(old_attach(&posted, other, s.buffer));
	background_start(&thread, get_list, &late);
	background_wait_until_in(&thread, SYS_ioctl);
	CHECK(stack_has(thread.id, "posted_stall"));
	CHECK_EQ(info_of(s.buffer).mappings, 1);
	CHECK_OK(engine_unmap(s.wide, s.first));
	background_join(&s.thread);
	background_join(&thread);
	CHECK(late.result > 0);
	CHECK_EQ(info_of(s.buffer).mappings, 2);
}

TEST(P10, interrupted)
{
	struct stalled s;

	make_stall(&s);
	background_interrupt(&s.thread);
	background_join(&s.thread);
	CHECK_EQ(s.getter.result, -1);
	CHECK_EQ(s.getter.error, EINTR);
	CHECK_EQ(info_of(s.buffer).migrations, 0);
	check_old_sees(s.wide, s.first, SEED, LENGTH);
}

TEST(P10, cpu_mappings_move_along)
{
	struct stalled s;
	unsigned char *bytes;

	make_stall(&s);
	bytes = bytes_of(s.buffer, LENGTH);
	CHECK(cpu_sees(bytes, SEED));
	CHECK_OK(engine_unmap(s.wide, s.first));
	background_join(&s.thread);
	old_fill(s.narrow, s.getter.attachment, SEED + 1, LENGTH);
	CHECK(cpu_sees(bytes, SEED + 1));
}

/* ---- P11, P12 ---- */

/* Storage that stays where it is, above what the narrow device reaches. */
static int fixed_high_buffer(void)
{
	const struct dmabed_export like = {
		.length = LENGTH,
		.flags = DMABED_EXPORT_HIGH,
		.storage = DMABED_STORAGE_PAGES,
		.allowed = 1u << DMABED_STORAGE_PAGES,
	};

	return CHECK_OK(old_export_as(&posted, &like));
}

TEST(P11, refused_and_untouched)
{
	int buffer = fixed_high_buffer();
	int wide = engine_open(), narrow = engine_open_narrow();
	int first = CHECK_OK(old_attach(&posted, wide, buffer));

	CHECK(old_map(wide, first, DMABED_BIDIRECTIONAL, LENGTH) > 0);
	old_fill(wide, first, SEED, LENGTH);
	CHECK_FAILS(old_attach(&posted, narrow, buffer), EINVAL);
	CHECK_EQ(info_of(buffer).attachments, 1);
	check_old_sees(wide, first, SEED, LENGTH);
}

TEST(P12, no_attach_after_the_first_list)
{
	int buffer = CHECK_OK(old_export(&posted, LENGTH, DMABED_EXPORT_NO_LATE_ATTACH));
	int one = engine_open(), other = engine_open();
	int first = CHECK_OK(old_attach(&posted, one, buffer));
	int second = CHECK_OK(old_attach(&posted, other, buffer));

	CHECK_OK(engine_detach(other, second));
	CHECK(old_map(one, first, DMABED_BIDIRECTIONAL, LENGTH) > 0);
	CHECK_FAILS(old_attach(&posted, other, buffer), EBUSY);
	CHECK_OK(engine_unmap(one, first));
	CHECK_FAILS(old_attach(&posted, other, buffer), EBUSY);
}

/* Without an attach of its own an exporter is asked nothing, and could not refuse. */
TEST(P12, nobody_to_refuse)
{
	uint32_t both = DMABED_EXPORT_NO_LATE_ATTACH | DMABED_EXPORT_NO_ATTACH_OPS;

	CHECK_FAILS(old_export(&posted, LENGTH, both), EINVAL);
	CHECK_FAILS(old_export(&merged, LENGTH, both), EINVAL);
}

/* ---- P13 ---- */

TEST(P13, mmap)
{
	int buffer = old_buffer(&posted, LENGTH), engine = engine_open();
	int attachment = CHECK_OK(old_attach(&posted, engine, buffer));
	unsigned char *bytes = bytes_of(buffer, LENGTH);

	old_fill(engine, attachment, SEED, LENGTH);
	CHECK(cpu_sees(bytes, SEED));
	pattern(bytes, SEED + 1, LENGTH);
	check_old_sees(engine, attachment, SEED + 1, LENGTH);
}

TEST(P13, mmap_bounds)
{
	int buffer = old_buffer(&posted, LENGTH);

	CHECK(mmap(NULL, LENGTH + PAGE, PROT_READ, MAP_SHARED, buffer, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, buffer, PAGE) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_PRIVATE, buffer, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
}

TEST(P13, exporter_without_mmap)
{
	int buffer = CHECK_OK(old_export(&posted, LENGTH, DMABED_EXPORT_NO_MMAP));

	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, buffer, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
}

/* ---- P14 ---- */

/* High pages for a device that does not reach them: what it writes is bounced. */
static int bouncing_buffer(void)
{
	const struct dmabed_export like = {
		.length = LENGTH,
		.flags = DMABED_EXPORT_HIGH | DMABED_EXPORT_UNCONSTRAINED,
		.storage = DMABED_STORAGE_PAGES,
	};

	return CHECK_OK(old_export_as(&posted, &like));
}

TEST(P14, sync_moves_bounced_bytes)
{
	int buffer = bouncing_buffer(), narrow = engine_open_narrow();
	int attachment = CHECK_OK(old_attach(&posted, narrow, buffer));
	unsigned char *bytes = bytes_of(buffer, LENGTH);

	memset(bytes, 0, LENGTH);
	CHECK(old_map(narrow, attachment, DMABED_BIDIRECTIONAL, LENGTH) > 0);
	old_fill(narrow, attachment, SEED, LENGTH);
	CHECK(!cpu_sees(bytes, SEED));
	CHECK_OK(engine_sync(narrow, attachment, DMABED_SYNC_FOR_CPU));
	CHECK(cpu_sees(bytes, SEED));
	pattern(bytes, SEED + 1, LENGTH);
	CHECK_OK(engine_sync(narrow, attachment, DMABED_SYNC_FOR_DEVICE));
	check_old_sees(narrow, attachment, SEED + 1, LENGTH);
}

/* put_scatterlist brings the bytes, too, although nobody tells it the direction. */
TEST(P14, put_moves_bounced_bytes)
{
	int buffer = bouncing_buffer(), narrow = engine_open_narrow();
	int attachment = CHECK_OK(old_attach(&posted, narrow, buffer));
	unsigned char *bytes = bytes_of(buffer, LENGTH);

	CHECK(old_map(narrow, attachment, DMABED_FROM_DEVICE, LENGTH) > 0);
	old_fill(narrow, attachment, SEED, LENGTH);
	CHECK_OK(engine_unmap(narrow, attachment));
	CHECK(cpu_sees(bytes, SEED));
}

TEST(P14, exporter_without_sync)
{
	int buffer = CHECK_OK(old_export(&posted, LENGTH, DMABED_EXPORT_NO_CPU_ACCESS));
	int engine = engine_open();
	int attachment = CHECK_OK(old_attach(&posted, engine, buffer));

	CHECK_FAILS(engine_sync(engine, attachment, DMABED_SYNC_FOR_CPU), EINVAL);
	CHECK_FAILS(engine_sync(engine, attachment, DMABED_SYNC_FOR_DEVICE), EINVAL);
	CHECK_FAILS(engine_sync(engine, attachment, 3), EINVAL);
}

/* ---- P15 ---- */

TEST(P15, any_order)
{
	CHECK_EQ(old_call(POSTED_DEVICE, DMABED_OLD_PUT_BEFORE_DETACH, -1), 0);
	CHECK_EQ(old_call(POSTED_DEVICE, DMABED_OLD_DETACH_BEFORE_PUT, -1), 0);
}

/* A driver that never puts what it got: the detach does. */
TEST(P15, detach_with_a_list)
{
	int buffer = old_buffer(&posted, LENGTH);

	CHECK_EQ(old_call(POSTED_DEVICE, DMABED_OLD_DETACH_HOLDING, buffer), 0);
	CHECK_EQ(info_of(buffer).mappings, 0);
}

/* Where the exporter has no detach it is the release: the runner counts. */
TEST(P15, release_with_a_list)
{
	int buffer = CHECK_OK(old_export(&posted, LENGTH, DMABED_EXPORT_NO_ATTACH_OPS));

	CHECK_EQ(old_call(POSTED_DEVICE, DMABED_OLD_DETACH_HOLDING, buffer), -ESTALE);
	CHECK_EQ(info_of(buffer).mappings, 1);
}

TEST(P15, detach_ends_lists)
{
	int buffer = old_high_buffer(&posted, LENGTH);
	int wide = engine_open(), narrow = engine_open_narrow();
	int first = CHECK_OK(old_attach(&posted, wide, buffer));
	int second;

	CHECK(old_map(wide, first, DMABED_BIDIRECTIONAL, LENGTH) > 0);
	CHECK_OK(engine_detach(wide, first));
	CHECK_EQ(info_of(buffer).mappings, 0);
	second = CHECK_OK(old_attach(&posted, narrow, buffer));
	CHECK(old_map(narrow, second, DMABED_BIDIRECTIONAL, LENGTH) > 0);
}

static void hold_all_and_exit(void *context)
{
	int buffer = old_buffer(&posted, LENGTH), engine = engine_open();
	int attachment = CHECK_OK(old_attach(&posted, engine, buffer));

	(void)context;
	bytes_of(buffer, LENGTH)[0] = 1;
	CHECK(old_map(engine, attachment, DMABED_BIDIRECTIONAL, LENGTH) > 0);
	CHECK_OK(engine_start_fill(engine, attachment, SEED, LENGTH));
}

/* The runner sees what stays behind. */
TEST(P15, process_exits_with_all_open)
{
	old_open(POSTED_DEVICE);
	check_child_passed(child_start(hold_all_and_exit, NULL));
}

TEST(P15, unload_refused)
{
	int buffer = old_buffer(&posted, LENGTH);

	CHECK_FAILS(syscall(SYS_delete_module, "dmabed_posted", O_NONBLOCK), EWOULDBLOCK);
	CHECK_EQ(info_of(buffer).length, LENGTH);
}

TEST(P15, unload_refused_for_an_attachment)
{
	int buffer = old_buffer(&posted, LENGTH), engine = engine_open();

	CHECK_OK(old_attach(&posted, engine, buffer));
	close(buffer);
	CHECK_FAILS(syscall(SYS_delete_module, "dmabed_posted", O_NONBLOCK), EWOULDBLOCK);
}
