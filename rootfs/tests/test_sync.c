// SPDX-License-Identifier: GPL-2.0-or-later
/* C9: DMA_BUF_IOCTL_SYNC, and the brackets around what the CPU does. */
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "test.h"

#define LENGTH (4 * PAGE)
#define HIGHEST_BIT 63

TEST_EACH(C9, sync_flags_valid)
{
	int buffer = buffer_of(exporter, LENGTH);
	uint64_t access;

	for (access = DMA_BUF_SYNC_READ; access <= DMA_BUF_SYNC_RW; access++) {
		trying("access %llu", (unsigned long long)access);
		CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_START | access));
		CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_END | access));
	}
}

/* Neither read nor write says nothing about the access. */
TEST_EACH(C9, sync_flags_without_access)
{
	int buffer = buffer_of(exporter, LENGTH);

	CHECK_FAILS(buffer_sync(buffer, DMA_BUF_SYNC_START), EINVAL);
	CHECK_FAILS(buffer_sync(buffer, DMA_BUF_SYNC_END), EINVAL);
}

/* Each bit that has no meaning, together with each combination that has one. */
TEST_EACH(C9, sync_flags_unknown)
{
	int buffer = buffer_of(exporter, LENGTH);
	uint64_t known, bit;

	for (bit = 0; bit <= HIGHEST_BIT; bit++) {
		if ((1ull << bit) & DMA_BUF_SYNC_VALID_FLAGS_MASK)
			continue;
		for (known = 0; known <= DMA_BUF_SYNC_VALID_FLAGS_MASK; known++) {
			trying("bit %llu with %llu", (unsigned long long)bit,
			       (unsigned long long)known);
			CHECK_FAILS(buffer_sync(buffer, known | 1ull << bit), EINVAL);
		}
	}
	CHECK_FAILS(buffer_sync(buffer, ~0ull), EINVAL);
}

TEST_EACH(C9, sync_bad_pointer)
{
	int buffer = buffer_of(exporter, LENGTH);

	CHECK_FAILS(ioctl(buffer, DMA_BUF_IOCTL_SYNC, NULL), EFAULT);
	CHECK_FAILS(ioctl(buffer, DMA_BUF_IOCTL_SYNC, -1l), EFAULT);
}

/* Brackets nest and overlap: nothing is counted. */
TEST_EACH(C9, sync_brackets_nest)
{
	int buffer = buffer_of(exporter, LENGTH);

	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
}

TEST_EACH(C9, cpu_writes_engine_reads)
{
	int buffer = buffer_of(exporter, LENGTH);
	int engine = engine_open();

	cpu_writes(buffer, 1, LENGTH);
	check_engine_sees(engine, buffer, 1, LENGTH);
	cpu_writes(buffer, 2, LENGTH);
	check_engine_sees(engine, buffer, 2, LENGTH);
}

TEST_EACH(C9, engine_writes_cpu_reads)
{
	int buffer = buffer_of(exporter, LENGTH);
	int engine = engine_open();

	engine_fill(engine, buffer, 3, LENGTH);
	check_cpu_sees(buffer, 3, LENGTH);
}

/* The same with the device attached and mapped all the time. */
TEST_EACH(C9, brackets_while_mapped)
{
	int buffer = buffer_of(exporter, LENGTH);
	int engine = engine_open();
	int attachment = CHECK_OK(engine_attach(engine, buffer, 0));
	struct dmabed_wait result;
	int job;

	CHECK_OK(engine_map(engine, attachment, DMABED_BIDIRECTIONAL));
	cpu_writes(buffer, 4, LENGTH);
	check_engine_sees(engine, buffer, 4, LENGTH);
	job = CHECK_OK(engine_start_fill(engine, attachment, 5, LENGTH));
	CHECK_OK(engine_wait(engine, job, -1, &result));
	check_cpu_sees(buffer, 5, LENGTH);
}

TEST_EACH(C9, unknown_ioctl)
{
	int buffer = buffer_of(exporter, LENGTH);

	CHECK_FAILS(ioctl(buffer, _IO(DMA_BUF_BASE, 0x7f), 0), ENOTTY);
	/* the right number with another size is another request */
	CHECK_FAILS(ioctl(buffer, _IOW(DMA_BUF_BASE, 0, uint32_t), 0), ENOTTY);
}
