/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent holds between requests, by name.  Whoever uses an object has
 * a reference, so that an fd number is never reused while a thread is still
 * in a system call with it, whatever other threads close.
 */
#ifndef AGENT_OBJECTS_H
#define AGENT_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "request.h"

/* Whose mmap() maps a buffer: its own fd, or its exporter's device (DMABED_IOC_SELECT). */
enum through { THROUGH_FD, THROUGH_EXPORTER };

struct buffer {
	struct buffer *next;
	char name[NAME_MAX_LENGTH + 1];
	unsigned int references;
	int fd;
	uint64_t length;
	uint8_t *mapping; /* kept by `mmap`, or NULL */
	uint64_t mapped; /* its bytes */
	enum through mapped_through; /* what it was made with */
};

struct device {
	struct device *next;
	char name[NAME_MAX_LENGTH + 1];
	unsigned int references;
	int fd;
};

/* It goes on when its buffer is closed: the kernel's attachment does too. */
struct attachment {
	struct attachment *next;
	char device_name[NAME_MAX_LENGTH + 1];
	char buffer_name[NAME_MAX_LENGTH + 1];
	unsigned int references;
	struct device *device;
	uint64_t length; /* the buffer's */
	uint32_t number; /* the kernel's */
	bool ready; /* the kernel has attached it */
};

/* Whether a new buffer can have this name. */
bool buffer_name_free(const char *name);
/* Takes the fd. False, and the fd closed, when the name was taken meanwhile. */
bool buffer_add(const char *name, int fd, uint64_t length);
struct buffer *buffer_get(const char *name);
void buffer_put(struct buffer *buffer);
bool buffer_close(const char *name);

/* Other files are kept like buffers, each kind under names that no buffer can have. */
enum file_kind {
	FILE_FENCE = '/',
	FILE_VIDEO = '=', /* of V4L2 */
	FILE_DRM = '~',
};

struct buffer *file_get(enum file_kind kind, const char *name);
/* Takes the fd, as buffer_add(). */
bool file_add(enum file_kind kind, const char *name, int fd);
bool file_close(enum file_kind kind, const char *name);

struct buffer *fence_get(const char *name);
/* Takes the fd, as buffer_add(). */
bool fence_add(const char *name, int fd);
bool fence_close(const char *name);

/* Opens the device at first use: an engine, or "/NAME" an exporter, /dev/dmabed-NAME. NULL and errno when it can't be opened. */
struct device *device_get(const char *name);
void device_put(struct device *device);

/* Closes it, and with it all that it had attached. False when it is not open. */
bool device_close(const char *name);

/* Takes the place of a new attachment. NULL when the pair has one. */
struct attachment *attachment_reserve(struct device *device, const struct buffer *buffer);
void attachment_ready(struct attachment *attachment, uint32_t number);
struct attachment *attachment_get(const char *device, const char *buffer);
void attachment_put(struct attachment *attachment);
/* Takes it out of the table; the caller keeps its reference. */
void attachment_forget(struct attachment *attachment);

/* Forgets everything. */
void objects_reset(void);

#endif
