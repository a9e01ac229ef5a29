// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls to the older generations. */
#include "generations.h"

#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engines.h"
#include "exporters.h"
#include "looking.h"
#include "test.h"

#define FOR_EVER (-1)
#define MOST_SEGMENTS 1024

const struct generation posted = { POSTED_DEVICE, "dmabed_posted", DMABED_ATTACH_POSTED };
const struct generation merged = { MERGED_DEVICE, "dmabed_merged", DMABED_ATTACH_MERGED };

/* ---- exporters ---- */

int old_open(const char *device)
{
	int fd = open(device, O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		skip("there is no %s", device);
	return CHECK_OK(fd);
}

static int old_ioctl(const char *device, unsigned long request, void *argument)
{
	int fd = old_open(device);
	int result = ioctl(fd, request, argument);
	int error = errno;

	close(fd);
	errno = error;
	return result;
}

int old_export_as(const struct generation *generation, const struct dmabed_export *like)
{
	struct dmabed_export request = *like;

	request.size = sizeof(request);
	if (!request.fd_flags)
		request.fd_flags = O_RDWR | O_CLOEXEC;
	if (!request.storage)
		request.storage = DMABED_STORAGE_AUTO;
	return old_ioctl(generation->device, DMABED_IOC_EXPORT, &request) ? -1 : request.fd;
}

int old_export(const struct generation *generation, size_t length, uint32_t flags)
{
	return old_export_as(generation,
			     &(struct dmabed_export){ .length = length, .flags = flags });
}

int old_buffer(const struct generation *generation, size_t length)
{
	return CHECK_OK(old_export(generation, length, 0));
}

int old_high_buffer(const struct generation *generation, size_t length)
{
	const struct dmabed_export like = {
		.length = length,
		.flags = DMABED_EXPORT_HIGH,
		.storage = DMABED_STORAGE_PAGES,
		.allowed = 1u << DMABED_STORAGE_PAGES | 1u << DMABED_STORAGE_LOW_PAGES |
			   1u << DMABED_STORAGE_CONTIGUOUS,
	};

	return CHECK_OK(old_export_as(generation, &like));
}

long long old_call(const char *device, uint32_t function, int fd)
{
	struct dmabed_call call = { .size = sizeof(call), .function = function, .fd = fd };

	CHECK_OK(old_ioctl(device, DMABED_IOC_CALL, &call));
	return call.result;
}

void old_info(const struct generation *generation, int buffer, struct dmabed_buffer_info *info)
{
	*info = (struct dmabed_buffer_info){ .size = sizeof(*info), .fd = buffer };
	CHECK_OK(old_ioctl(generation->device, DMABED_IOC_BUFFER_INFO, info));
}

uint64_t old_releases(const struct generation *generation)
{
	struct dmabed_stats stats = { .size = sizeof(stats) };

	CHECK_OK(old_ioctl(generation->device, DMABED_IOC_STATS, &stats));
	return stats.releases;
}

/* ---- engines ---- */

int old_attach(const struct generation *generation, int engine, int buffer)
{
	return engine_attach(engine, buffer, generation->attach);
}

int old_map(int engine, int attachment, uint32_t direction, size_t length)
{
	struct dmabed_segment segments[MOST_SEGMENTS];
	struct dmabed_map request = {
		.size = sizeof(request),
		.attachment = attachment,
		.direction = direction,
		.nr_segments = MOST_SEGMENTS,
		.segments = (uintptr_t)segments,
	};
	size_t total = 0;
	unsigned int i;

	if (ioctl(engine, DMABED_IOC_MAP, &request))
		return -1;
	for (i = 0; i < request.nr_segments; i++)
		total += segments[i].length;
	CHECK_EQ(total, (long long)length);
	return (int)request.nr_segments;
}

int engine_sync(int engine, int attachment, uint32_t target)
{
	struct dmabed_sync request = {
		.size = sizeof(request),
		.attachment = attachment,
		.target = target,
	};

	return ioctl(engine, DMABED_IOC_SYNC, &request);
}

static void finish(int engine, int job, struct dmabed_wait *result)
{
	CHECK_OK(job);
	CHECK_OK(engine_wait(engine, job, FOR_EVER, result));
	CHECK_EQ(result->error, 0);
	CHECK_EQ(result->bytes > 0, true);
}

void old_fill(int engine, int attachment, uint64_t seed, size_t length)
{
	struct dmabed_wait result;

	finish(engine, engine_start_fill(engine, attachment, seed, length), &result);
}

void check_old_sees(int engine, int attachment, uint64_t seed, size_t length)
{
	uint8_t wanted[SHA256_LENGTH];
	void *bytes = malloc(length);
	struct dmabed_wait result;
	SHA2_CTX context;

	CHECK(bytes);
	pattern(bytes, seed, length);
	SHA256Init(&context);
	SHA256Update(&context, bytes, length);
	SHA256Final(wanted, &context);
	free(bytes);
	finish(engine, engine_start_digest(engine, attachment, length), &result);
	CHECK(memcmp(result.sha256, wanted, SHA256_LENGTH) == 0);
}

/* ---- the modules ---- */

void set_parameter(const char *module, const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name);
	fd = CHECK_OK(open(path, O_WRONLY | O_CLOEXEC));
	CHECK_EQ(write(fd, value, strlen(value)), (long long)strlen(value));
	close(fd);
}

bool stack_has(int task, const char *function)
{
	char path[64], text[TEXT_LENGTH];

	snprintf(path, sizeof(path), "/proc/%d/stack", task);
	read_text(path, text, sizeof(text));
	return strstr(text, function);
}
