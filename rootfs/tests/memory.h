/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that a system call cannot use as it would like. */
#ifndef TESTS_MEMORY_H
#define TESTS_MEMORY_H

#include <stddef.h>

/* Can be read, not written: a call gets as far as telling its result. */
void *read_only_copy(const void *data, size_t length);
/* The bytes end where no memory follows. */
char *at_end_of_memory(const char *bytes, size_t length);

#endif
