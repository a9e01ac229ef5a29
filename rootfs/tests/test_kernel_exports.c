// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * C1, C2, C3: an exporter that does as little as it may, and whose operations
 * fail (guest-kernel/modules/calls/export.c).
 */
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"
#include "exporters.h"
#include "kernel_calls.h"
#include "looking.h"
#include "test.h"

/* enum dma_data_direction of Linux */
#define BIDIRECTIONAL 0
#define TO_DEVICE 1
#define FROM_DEVICE 2
#define OWN 0

static int export_odd(int calls, uint64_t flags)
{
	int buffer = (int)call(calls, EXPORT, flags);

	CHECK(buffer >= 0);
	return buffer;
}

/* A file with such a buffer selected. */
static int calls_on_odd(uint64_t flags)
{
	int calls = calls_open();
	int buffer = export_odd(calls, flags);

	calls_select(calls, buffer);
	close(buffer);
	return calls;
}

/* ---- export ---- */

/* Buffers that share their fences have one reservation object, the exporter's. */
TEST(C7, exporters_own_resv)
{
	int calls = calls_open();
	int first = export_odd(calls, DMABED_ODD_OWN_RESV);
	int second = export_odd(calls, DMABED_ODD_OWN_RESV);
	int other = export_odd(calls, 0);

	CHECK_EQ(call(calls, RESV_ADD, OWN, new_fence(calls, 0), DMABED_USAGE_WRITE), 0);
	CHECK_EQ(ready(first, POLLIN), 0);
	CHECK_EQ(ready(second, POLLIN), 0);
	CHECK_EQ(ready(other, POLLIN), POLLIN);
	CHECK_EQ(call(calls, FENCE_SIGNAL, 0), 0);
	CHECK_EQ(ready(first, POLLIN), POLLIN);
	CHECK_EQ(ready(second, POLLIN), POLLIN);
	/* it lives as long as the last buffer */
	close(calls);
	CHECK_EQ(ready(second, POLLIN | POLLOUT), POLLIN | POLLOUT);
}

TEST(C2, export_without_name)
{
	int calls = calls_open();
	int buffer = (int)call(calls, EXPORT, DMABED_ODD_NO_NAME);

	if (buffer >= 0)
		skip("the kernel has no CONFIG_DMABUF_SYSFS_STATS");
	CHECK_EQ(buffer, -EINVAL);
	CHECK_EQ(call(calls, EXPORT, DMABED_ODD_NO_NAME | DMABED_ODD_OWN_RESV), -EINVAL);
}

TEST(C2, export_by_going_module)
{
	CHECK_EQ(call(calls_open(), EXPORT, DMABED_ODD_OWNER_GOES), -ENOENT);
}

/* The framework warns of who was forgotten, and the buffer goes. */
TEST(C2, release_while_attached)
{
	CHECK_EQ(call(calls_open(), EXPORT, DMABED_ODD_LEFT_ATTACHED), 0);
}

/* ---- operations that are not there ---- */

TEST(C1, fewest_operations)
{
	int calls = calls_on_odd(DMABED_ODD_NO_VMAP);

	CHECK_EQ(call(calls, VMAP), -EINVAL);
	CHECK_EQ(call(calls, VMAP_UNLOCKED), -EINVAL);
	CHECK_EQ(call(calls, BEGIN_CPU_ACCESS, BIDIRECTIONAL), 0);
	CHECK_EQ(call(calls, END_CPU_ACCESS, BIDIRECTIONAL), 0);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, calls, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(call(calls, ATTACH), 0);
	CHECK_EQ(call(calls, MAP, TO_DEVICE), 1);
	CHECK_EQ(call(calls, UNMAP), 0);
	CHECK_EQ(call(calls, DETACH), 0);
}

/* A static exporter has nothing to pin, and a dynamic importer may ask for it. */
TEST(C2, pin_without_operation)
{
	int calls = calls_on_odd(0);

	CHECK_EQ(call(calls, ATTACH, DMABED_BY_DYNAMIC), 0);
	CHECK_EQ(call(calls, PIN), 0);
	CHECK_EQ(call(calls, UNPIN), 0);
}

TEST(C1, vunmap_without_operation)
{
	int calls = calls_on_odd(DMABED_ODD_NO_VUNMAP);
	int round;

	for (round = 0; round < 2; round++) {
		CHECK_EQ(call(calls, VMAP), 0);
		CHECK_EQ(call(calls, VMAP_FILL, 5), 0);
		CHECK_EQ(call(calls, VUNMAP), 0);
	}
}

/* Mapped twice, it is mapped once, and says each time that it is a device's memory. */
TEST(C1, vmap_of_device_memory)
{
	int calls = calls_on_odd(DMABED_ODD_IOMEM);

	CHECK_EQ(call(calls, VMAP), 0);
	CHECK_EQ(call(calls, VMAP_IS_IOMEM), 1);
	CHECK_EQ(call(calls, VMAP_UNLOCKED), 0);
	CHECK_EQ(call(calls, VMAP_IS_IOMEM), 1);
	CHECK_EQ(call(calls, VMAP_FILL, 5), 0);
	CHECK_EQ(call(calls, VUNMAP), 0);
	CHECK_EQ(call(calls, VMAP_COMPARE, 5), -1);
	CHECK_EQ(call(calls, VUNMAP_UNLOCKED), 0);
}

/* ---- operations that fail ---- */

TEST(C1, vmap_fails)
{
	int calls = calls_on_odd(DMABED_ODD_VMAP_FAILS);

	warn_once_again();
	expect_warning("dma_buf_vmap");
	CHECK_EQ(call(calls, VMAP), -ENOSPC);
	/* the warning comes once, the error each time */
	CHECK_EQ(call(calls, VMAP_UNLOCKED), -ENOSPC);
	CHECK_EQ(call(calls, VUNMAP), -ENOENT);
}

static void check_map_fails(uint64_t flags, int error)
{
	int calls = calls_on_odd(flags);

	CHECK_EQ(call(calls, ATTACH), 0);
	CHECK_EQ(call(calls, MAP, BIDIRECTIONAL), error);
	CHECK_EQ(call(calls, UNMAP), -ENOENT);
	/* of a dynamic exporter, a static importer maps when it attaches */
	calls = calls_on_odd(flags | DMABED_ODD_DYNAMIC);
	CHECK_EQ(call(calls, ATTACH), error);
	CHECK_EQ(call(calls, DETACH), -ENOENT);
	CHECK_EQ(call(calls, ATTACH, DMABED_BY_DYNAMIC), 0);
	CHECK_EQ(call(calls, MAP, BIDIRECTIONAL), error);
}

TEST(C1, map_fails)
{
	check_map_fails(DMABED_ODD_MAP_FAILS, -EIO);
}

/* Nothing is as good as an error. */
TEST(C1, map_returns_nothing)
{
	check_map_fails(DMABED_ODD_MAP_NULL, -ENOMEM);
}

TEST(C3, pin_fails)
{
	int calls = calls_on_odd(DMABED_ODD_DYNAMIC | DMABED_ODD_PIN_FAILS);

	CHECK_EQ(call(calls, ATTACH), -EBUSY);
	CHECK_EQ(call(calls, ATTACH, DMABED_BY_DYNAMIC), 0);
	CHECK_EQ(call(calls, PIN), -EBUSY);
}

/* ---- mappings that are kept ---- */

TEST(C1, cached_mapping)
{
	int calls = calls_on_odd(DMABED_ODD_CACHED);

	CHECK_EQ(call(calls, ATTACH), 0);
	CHECK_EQ(call(calls, MAP, TO_DEVICE), 1);
	CHECK_EQ(call(calls, UNMAP), 0);
	CHECK_EQ(call(calls, MAP, TO_DEVICE), 1);
	CHECK_EQ(call(calls, MAP, FROM_DEVICE), -EBUSY);
	CHECK_EQ(call(calls, UNMAP), 0);
	CHECK_EQ(call(calls, DETACH), 0);
	/* kept in both directions, it serves for each */
	CHECK_EQ(call(calls, ATTACH), 0);
	CHECK_EQ(call(calls, MAP, BIDIRECTIONAL), 1);
	CHECK_EQ(call(calls, MAP, FROM_DEVICE), 1);
}

TEST(C1, mapping_not_cached)
{
	int calls = calls_on_odd(0);

	CHECK_EQ(call(calls, ATTACH), 0);
	CHECK_EQ(call(calls, MAP, TO_DEVICE), 1);
	CHECK_EQ(call(calls, MAP, TO_DEVICE), -EBUSY); /* says /dev/dmabed-calls: another one */
	CHECK_EQ(call(calls, UNMAP), 0);
	CHECK_EQ(call(calls, MAP, FROM_DEVICE), 1);
}

/* ---- importers ---- */

TEST(C2, move_notify)
{
	int calls = calls_on_odd(DMABED_ODD_DYNAMIC);
	int buffer = export_odd(calls, DMABED_ODD_DYNAMIC);
	int other = calls_on(buffer);

	calls_select(calls, buffer);
	CHECK_EQ(call(calls, ATTACH, DMABED_BY_DYNAMIC | DMABED_BY_P2P), 0);
	CHECK_EQ(call(other, ATTACH), 0);
	CHECK_EQ(call(calls, MOVE), 0);
	CHECK_EQ(call(calls, MOVE), 0);
	CHECK_EQ(call(calls, MOVES), 2);
	/* a static importer has pinned the buffer, and is not told */
	CHECK_EQ(call(other, MOVES), 0);
}

/* The list of buffers names who is attached, also a device that has not been registered yet. */
TEST(C11, attached_device_without_registration)
{
	int calls = calls_open();
	int buffer = export_odd(calls, 0);
	struct bufinfo info;

	calls_select(calls, buffer);
	CHECK_EQ(call(calls, ATTACH, DMABED_BY_UNREGISTERED), 0);
	CHECK(bufinfo_find(inode_of(buffer), &info));
	CHECK(strstr(info.text, "\tdmabed-unnamed\n"));
	CHECK(strstr(info.text, "Total 1 devices attached"));
	CHECK_EQ(call(calls, DETACH), 0);
	CHECK(bufinfo_find(inode_of(buffer), &info));
	CHECK(!strstr(info.text, "dmabed-unnamed"));
}

TEST(C2, attachments_of_the_file)
{
	int calls = calls_on_odd(0);

	CHECK_EQ(call(calls, MAP, BIDIRECTIONAL), -ENOENT);
	CHECK_EQ(call(calls, MOVE), -ENOENT);
	CHECK_EQ(call(calls, PIN), -ENOENT);
	CHECK_EQ(call(calls, ATTACH), 0);
	CHECK_EQ(call(calls, ATTACH), -EBUSY);
	CHECK_EQ(call(calls, MAP, 3), -EINVAL);
}
