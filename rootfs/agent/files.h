/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files, mostly of /proc and /sys, whose size says nothing. */
#ifndef AGENT_FILES_H
#define AGENT_FILES_H

#include <stddef.h>
#include <sys/types.h>

/* Reads until @size bytes or the end. The bytes read, or -1 and errno. */
ssize_t file_read(const char *path, void *bytes, size_t size);

/* The same, as text that ends with NUL. */
ssize_t file_read_text(const char *path, char *text, size_t size);

#endif
