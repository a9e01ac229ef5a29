// SPDX-License-Identifier: GPL-2.0-or-later
/* C1: buffers of our exporter that lack an operation, or keep their mappings. */
#include <sys/mman.h>

#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "test.h"

#define LENGTH (2 * PAGE)
#define FIRST_UNKNOWN_FLAG 16 /* with room for flags to come */
#define FLAG_BITS 32

/* Of uapi/dmabed.h, but an exporter may be older than that. */
static int export_lacking(__u32 flags)
{
	int buffer = own_buffer(LENGTH, flags);

	if (buffer < 0 && errno == EINVAL)
		skip("the exporter does not know flags %#x", flags);
	return CHECK_OK(buffer);
}

static void check_without_mmap(__u32 flags)
{
	int buffer = export_lacking(DMABED_EXPORT_NO_MMAP | flags);
	int engine = engine_open();

	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, buffer, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	engine_fill(engine, buffer, 81, LENGTH);
	check_engine_sees(engine, buffer, 81, LENGTH);
}

TEST(C1, without_mmap)
{
	check_without_mmap(0);
	check_without_mmap(DMABED_EXPORT_DYNAMIC);
}

/* The brackets still wait for fences, and there is nobody to ask else. */
TEST(C1, without_cpu_access)
{
	int buffer = export_lacking(DMABED_EXPORT_NO_CPU_ACCESS);
	int engine = engine_open();

	cpu_writes(buffer, 82, LENGTH);
	check_engine_sees(engine, buffer, 82, LENGTH);
	engine_fill(engine, buffer, 83, LENGTH);
	check_cpu_sees(buffer, 83, LENGTH);
}

/* Unmapped by the importer it goes; kept by the framework it stays to the detach. */
TEST(C1, mapping_not_kept)
{
	int buffer = CHECK_OK(own_buffer(LENGTH, 0));
	int engine = engine_open();
	int attachment = CHECK_OK(engine_attach(engine, buffer, 0));

	CHECK_OK(engine_map(engine, attachment, DMABED_BIDIRECTIONAL));
	CHECK_EQ(own_mappings(buffer), 1);
	CHECK_OK(engine_unmap(engine, attachment));
	CHECK_EQ(own_mappings(buffer), 0);
}

TEST(C1, mapping_kept)
{
	int buffer = export_lacking(DMABED_EXPORT_CACHE_SGT);
	int engine = engine_open();
	int attachment = CHECK_OK(engine_attach(engine, buffer, 0));

	CHECK_OK(engine_map(engine, attachment, DMABED_TO_DEVICE));
	CHECK_OK(engine_unmap(engine, attachment));
	CHECK_EQ(own_mappings(buffer), 1);
	CHECK_FAILS(engine_map(engine, attachment, DMABED_FROM_DEVICE), EBUSY);
	CHECK_OK(engine_map(engine, attachment, DMABED_TO_DEVICE));
	CHECK_EQ(own_mappings(buffer), 1);
	CHECK_OK(engine_detach(engine, attachment));
	CHECK_EQ(own_mappings(buffer), 0);
}

/* A dynamic importer of a static buffer is mapped both ways for as long as it is attached. */
TEST(C1, mapping_of_the_framework)
{
	int buffer = CHECK_OK(own_buffer(LENGTH, 0));
	int engine = engine_open();
	int attachment = CHECK_OK(engine_attach(engine, buffer, DMABED_ATTACH_DYNAMIC));

	CHECK_EQ(own_mappings(buffer), 1);
	CHECK_OK(engine_map(engine, attachment, DMABED_FROM_DEVICE));
	CHECK_OK(engine_unmap(engine, attachment));
	CHECK_EQ(own_mappings(buffer), 1);
	CHECK_OK(engine_detach(engine, attachment));
	CHECK_EQ(own_mappings(buffer), 0);
}

/* What is kept cannot move. */
TEST(C1, kept_and_dynamic_refused)
{
	CHECK_FAILS(own_buffer(LENGTH, DMABED_EXPORT_CACHE_SGT | DMABED_EXPORT_DYNAMIC), EINVAL);
}

TEST(C1, unknown_export_flags)
{
	int bit;

	for (bit = FIRST_UNKNOWN_FLAG; bit < FLAG_BITS; bit++) {
		trying("flag %#x", 1u << bit);
		CHECK_FAILS(own_buffer(LENGTH, 1u << bit), EINVAL);
	}
}
