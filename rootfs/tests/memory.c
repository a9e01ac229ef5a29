// SPDX-License-Identifier: GPL-2.0-or-later
/* Awkward memory. */
#include "memory.h"

#include <string.h>
#include <sys/mman.h>

#include "exporters.h"
#include "test.h"

static char *pages(size_t count)
{
	void *start = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	CHECK(start != MAP_FAILED);
	return start;
}

void *read_only_copy(const void *data, size_t length)
{
	void *page = pages(1);

	memcpy(page, data, length);
	CHECK_OK(mprotect(page, PAGE, PROT_READ));
	return page;
}

char *at_end_of_memory(const char *bytes, size_t length)
{
	char *start = pages(2);

	CHECK_OK(munmap(start + PAGE, PAGE));
	return memcpy(start + PAGE - length, bytes, length);
}
