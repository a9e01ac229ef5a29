// SPDX-License-Identifier: GPL-2.0-or-later
#include "objects.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEVICE_DIRECTORY "/dev/dmabed"

static struct buffer *buffers;
static struct device *devices;
static struct attachment *attachments;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* lists and counts */

static void copy_name(char *to, const char *name)
{
	snprintf(to, NAME_MAX_LENGTH + 1, "%s", name);
}

/* ---- with the lock held ---- */

static struct buffer *find_buffer(const char *name)
{
	for (struct buffer *buffer = buffers; buffer; buffer = buffer->next)
		if (strcmp(buffer->name, name) == 0)
			return buffer;
	return NULL;
}

static struct device *find_device(const char *name)
{
	for (struct device *device = devices; device; device = device->next)
		if (strcmp(device->name, name) == 0)
			return device;
	return NULL;
}

static struct attachment *find_attachment(const char *device, const char *buffer)
{
	for (struct attachment *a = attachments; a; a = a->next)
		if (strcmp(a->device_name, device) == 0 && strcmp(a->buffer_name, buffer) == 0)
			return a;
	return NULL;
}

static bool name_free(const char *name)
{
	if (find_buffer(name))
		return false;
	for (struct attachment *a = attachments; a; a = a->next)
		if (strcmp(a->buffer_name, name) == 0)
			return false; /* of a buffer that was closed */
	return true;
}

static void drop_buffer(struct buffer *buffer)
{
	if (--buffer->references > 0)
		return;
	if (buffer->mapping)
		munmap(buffer->mapping, buffer->mapped);
	close(buffer->fd);
	free(buffer);
}

static void drop_device(struct device *device)
{
	if (--device->references > 0)
		return;
	close(device->fd);
	free(device);
}

static void drop_attachment(struct attachment *attachment)
{
	if (--attachment->references > 0)
		return;
	drop_device(attachment->device);
	free(attachment);
}

/* Takes it out of the list, if it is in there, and drops the list's reference. */
static void unlink_attachment(struct attachment *attachment)
{
	for (struct attachment **link = &attachments; *link; link = &(*link)->next) {
		if (*link != attachment)
			continue;
		*link = attachment->next;
		drop_attachment(attachment);
		return;
	}
}

static void unlink_buffer(struct buffer *buffer)
{
	for (struct buffer **link = &buffers; *link; link = &(*link)->next) {
		if (*link != buffer)
			continue;
		*link = buffer->next;
		drop_buffer(buffer);
		return;
	}
}

static int open_device(const char *name)
{
	char path[sizeof(DEVICE_DIRECTORY) + NAME_MAX_LENGTH + 2];

	if (name[0] == '/')
		snprintf(path, sizeof(path), DEVICE_DIRECTORY "-%s", name + 1);
	else
		snprintf(path, sizeof(path), DEVICE_DIRECTORY "/%s", name);
	return open(path, O_RDWR | O_CLOEXEC);
}

static struct device *add_device(const char *name)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->fd = open_device(name);
	if (device->fd < 0) {
		free(device);
		return NULL;
	}
	copy_name(device->name, name);
	device->references = 1; /* the list's */
	device->next = devices;
	devices = device;
	return device;
}

/* ---- entry points ---- */

bool buffer_name_free(const char *name)
{
	bool is_free;

	pthread_mutex_lock(&lock);
	is_free = name_free(name);
	pthread_mutex_unlock(&lock);
	return is_free;
}

bool buffer_add(const char *name, int fd, uint64_t length)
{
	struct buffer *buffer = calloc(1, sizeof(*buffer));

	pthread_mutex_lock(&lock);
	if (!buffer || !name_free(name)) {
		pthread_mutex_unlock(&lock);
		free(buffer);
		close(fd);
		return false;
	}
	copy_name(buffer->name, name);
	buffer->references = 1;
	buffer->fd = fd;
	buffer->length = length;
	buffer->next = buffers;
	buffers = buffer;
	pthread_mutex_unlock(&lock);
	return true;
}

struct buffer *buffer_get(const char *name)
{
	struct buffer *buffer;

	pthread_mutex_lock(&lock);
	buffer = find_buffer(name);
	if (buffer)
		buffer->references++;
	pthread_mutex_unlock(&lock);
	return buffer;
}

void buffer_put(struct buffer *buffer)
{
	pthread_mutex_lock(&lock);
	drop_buffer(buffer);
	pthread_mutex_unlock(&lock);
}

bool buffer_close(const char *name)
{
	struct buffer *buffer;

	pthread_mutex_lock(&lock);
	buffer = find_buffer(name);
	if (buffer)
		unlink_buffer(buffer);
	pthread_mutex_unlock(&lock);
	return buffer != NULL;
}

/* The name is stored behind a letter that no buffer's can begin with. */
static void stored_name(char *to, enum file_kind kind, const char *name)
{
	snprintf(to, NAME_MAX_LENGTH + 1, "%c%s", kind, name);
}

struct buffer *file_get(enum file_kind kind, const char *name)
{
	char stored[NAME_MAX_LENGTH + 1];

	stored_name(stored, kind, name);
	return buffer_get(stored);
}

bool file_add(enum file_kind kind, const char *name, int fd)
{
	char stored[NAME_MAX_LENGTH + 1];

	stored_name(stored, kind, name);
	return buffer_add(stored, fd, 0);
}

bool file_close(enum file_kind kind, const char *name)
{
	char stored[NAME_MAX_LENGTH + 1];

	stored_name(stored, kind, name);
	return buffer_close(stored);
}

struct buffer *fence_get(const char *name)
{
	return file_get(FILE_FENCE, name);
}

bool fence_add(const char *name, int fd)
{
	return file_add(FILE_FENCE, name, fd);
}

bool fence_close(const char *name)
{
	return file_close(FILE_FENCE, name);
}

struct device *device_get(const char *name)
{
	struct device *device;

	pthread_mutex_lock(&lock);
	device = find_device(name);
	if (!device)
		device = add_device(name);
	if (device)
		device->references++;
	pthread_mutex_unlock(&lock);
	return device;
}

void device_put(struct device *device)
{
	pthread_mutex_lock(&lock);
	drop_device(device);
	pthread_mutex_unlock(&lock);
}

static void unlink_attachments_of(const struct device *device)
{
	struct attachment *attachment = attachments;

	while (attachment) {
		struct attachment *next = attachment->next;

		if (attachment->device == device)
			unlink_attachment(attachment);
		attachment = next;
	}
}

static void unlink_device(struct device *device)
{
	for (struct device **link = &devices; *link; link = &(*link)->next) {
		if (*link != device)
			continue;
		*link = device->next;
		drop_device(device);
		return;
	}
}

bool device_close(const char *name)
{
	struct device *device;

	pthread_mutex_lock(&lock);
	device = find_device(name);
	if (device) {
		unlink_attachments_of(device);
		unlink_device(device);
	}
	pthread_mutex_unlock(&lock);
	return device != NULL;
}

struct attachment *attachment_reserve(struct device *device, const struct buffer *buffer)
{
	struct attachment *attachment = calloc(1, sizeof(*attachment));

	pthread_mutex_lock(&lock);
	if (!attachment || find_attachment(device->name, buffer->name)) {
		pthread_mutex_unlock(&lock);
		free(attachment);
		return NULL;
	}
	copy_name(attachment->device_name, device->name);
	copy_name(attachment->buffer_name, buffer->name);
	attachment->references = 2; /* the list's and the caller's */
	attachment->device = device;
	attachment->length = buffer->length;
	device->references++;
	attachment->next = attachments;
	attachments = attachment;
	pthread_mutex_unlock(&lock);
	return attachment;
}

void attachment_ready(struct attachment *attachment, uint32_t number)
{
	pthread_mutex_lock(&lock);
	attachment->number = number;
	attachment->ready = true;
	pthread_mutex_unlock(&lock);
}

struct attachment *attachment_get(const char *device, const char *buffer)
{
	struct attachment *attachment;

	pthread_mutex_lock(&lock);
	attachment = find_attachment(device, buffer);
	if (attachment && !attachment->ready)
		attachment = NULL;
	if (attachment)
		attachment->references++;
	pthread_mutex_unlock(&lock);
	return attachment;
}

void attachment_put(struct attachment *attachment)
{
	pthread_mutex_lock(&lock);
	drop_attachment(attachment);
	pthread_mutex_unlock(&lock);
}

void attachment_forget(struct attachment *attachment)
{
	pthread_mutex_lock(&lock);
	unlink_attachment(attachment);
	pthread_mutex_unlock(&lock);
}

void objects_reset(void)
{
	pthread_mutex_lock(&lock);
	while (attachments)
		unlink_attachment(attachments);
	while (devices) {
		struct device *device = devices;

		devices = device->next;
		drop_device(device);
	}
	while (buffers)
		unlink_buffer(buffers);
	pthread_mutex_unlock(&lock);
}
