/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel tells about a buffer, in its files. */
#ifndef TESTS_LOOKING_H
#define TESTS_LOOKING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TEXT_LENGTH 4096

/* The buffer's entry in debugfs, from its line to "Total N devices attached". */
struct bufinfo {
	size_t size;
	unsigned int flags;
	long count;
	char exporter[64];
	char name[64];
	char text[TEXT_LENGTH];
};

ino_t inode_of(int fd);
/* False when there is none with that number. */
bool bufinfo_find(ino_t inode, struct bufinfo *info);
/* The value of "key:\tvalue" in fdinfo; false when the key is not there. */
bool fdinfo_value(int fd, const char *key, char *value, size_t room);
long fdinfo_number(int fd, const char *key);
/* A file of the buffer's statistics without its line end; false when it is not there. */
bool statistic(ino_t inode, const char *file, char *value, size_t room);
bool has_statistics(ino_t inode);
/* Whole file, cut to the room. */
void read_text(const char *path, char *text, size_t room);

#endif
