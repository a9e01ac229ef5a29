// SPDX-License-Identifier: GPL-2.0-or-later
/* C11: the buffer's name, and where it is shown. */
#include <linux/dma-buf.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"
#include "engines.h"
#include "exporters.h"
#include "looking.h"
#include "memory.h"
#include "test.h"

/* DMA_BUF_NAME_LEN of include/linux/dma-buf.h, with the NUL */
#define NAME_ROOM 32

static void check_name(int buffer, const char *name)
{
	char shown[64], path[64], link[64] = "", wanted[64];
	struct bufinfo info;

	CHECK(fdinfo_value(buffer, "name", shown, sizeof(shown)));
	CHECK(strcmp(shown, name) == 0);
	CHECK(bufinfo_find(inode_of(buffer), &info));
	CHECK(strcmp(info.name, name) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", buffer);
	CHECK_OK(readlink(path, link, sizeof(link) - 1));
	snprintf(wanted, sizeof(wanted), "/dmabuf:%s", name);
	CHECK(strcmp(link, wanted) == 0);
}

TEST_EACH(C11, name_shown)
{
	int buffer = buffer_of(exporter, PAGE);

	CHECK_OK(buffer_set_name(buffer, "first"));
	check_name(buffer, "first");
	CHECK_OK(buffer_set_name(buffer, "second name"));
	check_name(buffer, "second name");
	CHECK_OK(buffer_set_name(buffer, ""));
	check_name(buffer, "");
}

TEST_EACH(C11, no_name)
{
	int buffer = buffer_of(exporter, PAGE);
	char path[64], link[64] = "", value[8];
	struct bufinfo info;

	CHECK(!fdinfo_value(buffer, "name", value, sizeof(value)));
	CHECK(bufinfo_find(inode_of(buffer), &info));
	CHECK(strcmp(info.name, "<none>") == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", buffer);
	CHECK_OK(readlink(path, link, sizeof(link) - 1));
	CHECK(strcmp(link, "/dmabuf:") == 0);
}

TEST_EACH(C11, name_in_maps)
{
	int buffer = buffer_of(exporter, PAGE);
	static char text[1 << 16];

	CHECK_OK(buffer_set_name(buffer, "mapped"));
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, buffer, 0) != MAP_FAILED);
	read_text("/proc/self/maps", text, sizeof(text));
	CHECK(strstr(text, "/dmabuf:mapped\n"));
}

TEST_EACH(C11, name_length)
{
	int buffer = buffer_of(exporter, PAGE);
	char name[NAME_ROOM + 1];

	memset(name, 'n', NAME_ROOM);
	name[NAME_ROOM] = '\0';
	CHECK_FAILS(buffer_set_name(buffer, name), EINVAL);
	name[NAME_ROOM - 1] = '\0';
	CHECK_OK(buffer_set_name(buffer, name));
	check_name(buffer, name);
}

/* A name that is refused leaves the old one. */
TEST_EACH(C11, name_refused)
{
	int buffer = buffer_of(exporter, PAGE);

	CHECK_OK(buffer_set_name(buffer, "kept"));
	CHECK_FAILS(buffer_set_name(buffer, NULL), EFAULT);
	CHECK_FAILS(buffer_set_name(buffer, at_end_of_memory("no end", 6)), EFAULT);
	CHECK_FAILS(buffer_set_name(buffer, "a name that is much longer than allowed"), EINVAL);
	check_name(buffer, "kept");
	CHECK_OK(buffer_set_name(buffer, at_end_of_memory("just", 5)));
	check_name(buffer, "just");
}

/* The two numbers differ in the size of the pointer that they were made for. */
TEST_EACH(C11, both_numbers)
{
	int buffer = buffer_of(exporter, PAGE);

	CHECK_OK(ioctl(buffer, DMA_BUF_SET_NAME_A, "a"));
	check_name(buffer, "a");
	CHECK_OK(ioctl(buffer, DMA_BUF_SET_NAME_B, "b"));
	check_name(buffer, "b");
}

/* In the past a buffer in use could not be renamed. */
TEST_EACH(C11, name_while_attached)
{
	int buffer = buffer_of(exporter, PAGE);
	int engine = engine_open();

	CHECK_OK(engine_attach(engine, buffer, 0));
	CHECK_OK(buffer_set_name(buffer, "attached"));
	check_name(buffer, "attached");
}
