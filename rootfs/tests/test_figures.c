// SPDX-License-Identifier: GPL-2.0-or-later
/* C11: sizes, counts and states as the kernel's files tell them. */
#include <linux/dma-buf.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "looking.h"
#include "test.h"
#include "timelines.h"

#define LENGTH (3 * PAGE)

#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC 0x444d4142
#endif

TEST_EACH(C11, llseek)
{
	int buffer = buffer_of(exporter, LENGTH);

	CHECK_EQ(lseek(buffer, 0, SEEK_END), LENGTH);
	CHECK_EQ(lseek(buffer, 0, SEEK_SET), 0);
	CHECK_FAILS(lseek(buffer, 1, SEEK_SET), EINVAL);
	CHECK_FAILS(lseek(buffer, -1, SEEK_END), EINVAL);
	CHECK_FAILS(lseek(buffer, 1, SEEK_END), EINVAL);
	CHECK_FAILS(lseek(buffer, 0, SEEK_CUR), EINVAL);
	CHECK_FAILS(lseek(buffer, 0, SEEK_DATA), EINVAL);
	CHECK_FAILS(lseek(buffer, 0, SEEK_HOLE), EINVAL);
}

TEST_EACH(C11, fstat)
{
	int buffer = buffer_of(exporter, LENGTH);
	struct statfs filesystem;
	struct stat status;

	CHECK_OK(fstat(buffer, &status));
	CHECK_EQ(status.st_size, LENGTH);
	CHECK_EQ(status.st_blocks, LENGTH / 512);
	CHECK_OK(fstatfs(buffer, &filesystem));
	CHECK_EQ(filesystem.f_type, DMA_BUF_MAGIC);
}

TEST_EACH(C11, fdinfo)
{
	int buffer = buffer_of(exporter, LENGTH);
	char name[64];

	CHECK_EQ(fdinfo_number(buffer, "size"), LENGTH);
	CHECK(fdinfo_value(buffer, "exp_name", name, sizeof(name)));
	CHECK(strcmp(name, exporter_kernel_name(exporter)) == 0);
}

/* Each fd, mapping and attachment holds the buffer's file. */
TEST_EACH(C11, fdinfo_count)
{
	int buffer = buffer_of(exporter, LENGTH);
	int engine = engine_open();
	long alone = fdinfo_number(buffer, "count");
	int attachment, other;
	void *bytes;

	CHECK_EQ(alone, 1);
	other = CHECK_OK(dup(buffer));
	CHECK_EQ(fdinfo_number(buffer, "count"), alone + 1);
	bytes = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, buffer, 0);
	CHECK(bytes != MAP_FAILED);
	CHECK_EQ(fdinfo_number(buffer, "count"), alone + 2);
	attachment = CHECK_OK(engine_attach(engine, buffer, 0));
	CHECK_EQ(fdinfo_number(buffer, "count"), alone + 3);
	CHECK_OK(engine_detach(engine, attachment));
	CHECK_OK(munmap(bytes, LENGTH));
	close(other);
	CHECK_EQ(fdinfo_number(buffer, "count"), alone);
}

TEST_EACH(C11, statistics)
{
	int buffer = buffer_of(exporter, LENGTH);
	ino_t inode = inode_of(buffer);
	char value[64];

	CHECK(statistic(inode, "size", value, sizeof(value)));
	CHECK(strcmp(value, "12288") == 0);
	CHECK(statistic(inode, "exporter_name", value, sizeof(value)));
	CHECK(strcmp(value, exporter_kernel_name(exporter)) == 0);
	close(buffer);
	CHECK(!has_statistics(inode));
}

TEST_EACH(C11, statistics_while_mapped)
{
	int buffer = buffer_of(exporter, LENGTH);
	ino_t inode = inode_of(buffer);
	void *bytes = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, buffer, 0);

	CHECK(bytes != MAP_FAILED);
	close(buffer);
	CHECK(has_statistics(inode));
	CHECK_OK(munmap(bytes, LENGTH));
	CHECK(!has_statistics(inode));
}

TEST_EACH(C11, statistics_while_attached)
{
	int buffer = buffer_of(exporter, LENGTH);
	ino_t inode = inode_of(buffer);
	int engine = engine_open();
	int attachment = CHECK_OK(engine_attach(engine, buffer, 0));

	close(buffer);
	CHECK(has_statistics(inode));
	CHECK_OK(engine_detach(engine, attachment));
	CHECK(!has_statistics(inode));
}

TEST_EACH(C11, bufinfo)
{
	int buffer = buffer_of(exporter, LENGTH);
	ino_t inode = inode_of(buffer);
	struct bufinfo info;

	CHECK(bufinfo_find(inode, &info));
	CHECK_EQ(info.size, LENGTH);
	CHECK_EQ(info.count, 1);
	CHECK(strcmp(info.exporter, exporter_kernel_name(exporter)) == 0);
	CHECK(strstr(info.text, "Total 0 devices attached"));
	close(buffer);
	CHECK(!bufinfo_find(inode, &info));
}

TEST_EACH(C11, bufinfo_attachments)
{
	int buffer = buffer_of(exporter, LENGTH);
	int first = engine_open(), second = engine_open_other();
	ino_t inode = inode_of(buffer);
	struct bufinfo info;
	int attachment;

	attachment = CHECK_OK(engine_attach(first, buffer, 0));
	CHECK_OK(engine_attach(second, buffer, 0));
	CHECK(bufinfo_find(inode, &info));
	CHECK(strstr(info.text, "Total 2 devices attached"));
	CHECK_OK(engine_detach(first, attachment));
	CHECK(bufinfo_find(inode, &info));
	CHECK(strstr(info.text, "Total 1 devices attached"));
}

TEST_EACH(C11, bufinfo_fences)
{
	int buffer = buffer_of(exporter, LENGTH);
	int first = timeline_new(), second = timeline_new();
	struct bufinfo info;

	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_WRITE, timeline_fence(first, 7)));
	CHECK_OK(buffer_import_fence(buffer, DMA_BUF_SYNC_READ, timeline_fence(second, 8)));
	CHECK(bufinfo_find(inode_of(buffer), &info));
	CHECK(strstr(info.text, "write fence:sw_sync dmabed-tests seq 7 unsignalled"));
	CHECK(strstr(info.text, "read fence:sw_sync dmabed-tests seq 8 unsignalled"));
	CHECK_OK(timeline_advance(first, 7));
	CHECK(bufinfo_find(inode_of(buffer), &info));
	CHECK(strstr(info.text, "write fence:sw_sync dmabed-tests seq 7 signalled"));
}

/* A file of statistics that was opened before the buffer went says that it is gone. */
TEST_EACH(C11, statistics_file_outlives)
{
	int buffer = buffer_of(exporter, LENGTH);
	char path[128], text[16];
	FILE *file;

	CHECK(has_statistics(inode_of(buffer)));
	snprintf(path, sizeof(path), BUFFER_STATISTICS "/%lu/size", (unsigned long)inode_of(buffer));
	file = fopen(path, "r");
	CHECK(file);
	close(buffer);
	CHECK_FAILS(read(fileno(file), text, sizeof(text)), ENODEV);
}
