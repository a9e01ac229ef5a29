// SPDX-License-Identifier: GPL-2.0-or-later
/* Which engines there are, and the calls to one. */
#include "engines.h"

#include <dirent.h>
#include <dmabed/engine_regs.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "test.h"

#define ENGINES "/dev/dmabed"
#define MOST_ENGINES 64

/* ---- which ---- */

struct engine {
	char name[DMABED_NAME_LEN];
	struct dmabed_engine_info info;
};

static int open_engine(const char *name)
{
	char path[sizeof(ENGINES) + DMABED_NAME_LEN + 1];

	snprintf(path, sizeof(path), ENGINES "/%s", name);
	return CHECK_OK(open(path, O_RDWR | O_CLOEXEC));
}

static void look_at(struct engine *engine, const char *name)
{
	int fd;

	snprintf(engine->name, sizeof(engine->name), "%.*s", DMABED_NAME_LEN - 1, name);
	fd = open_engine(engine->name);
	engine->info = (struct dmabed_engine_info){ .size = sizeof(engine->info) };
	CHECK_OK(ioctl(fd, DMABED_IOC_INFO, &engine->info));
	close(fd);
}

/* More segments first, then a wider mask; the name makes the order definite. */
static int by_limits(const void *first, const void *second)
{
	const struct engine *a = first, *b = second;

	if (a->info.max_segments != b->info.max_segments)
		return a->info.max_segments > b->info.max_segments ? -1 : 1;
	if (a->info.addr_bits != b->info.addr_bits)
		return a->info.addr_bits > b->info.addr_bits ? -1 : 1;
	return strcmp(a->name, b->name);
}

static size_t find_engines(struct engine *engines)
{
	DIR *directory = opendir(ENGINES);
	struct dirent *entry;
	size_t count = 0;

	while (directory && count < MOST_ENGINES && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			look_at(&engines[count++], entry->d_name);
	if (directory)
		closedir(directory);
	qsort(engines, count, sizeof(*engines), by_limits);
	return count;
}

int engine_open(void)
{
	struct engine engines[MOST_ENGINES];

	if (find_engines(engines) == 0)
		skip("there is no engine");
	return open_engine(engines[0].name);
}

int engine_open_other(void)
{
	struct engine engines[MOST_ENGINES];

	if (find_engines(engines) < 2 ||
	    engines[1].info.max_segments != engines[0].info.max_segments)
		skip("there is no second engine without limits");
	return open_engine(engines[1].name);
}

int engine_open_narrow(void)
{
	struct engine engines[MOST_ENGINES];
	size_t count = find_engines(engines);
	size_t i, best = 0;

	for (i = 1; i < count; i++)
		if (engines[i].info.addr_bits < engines[best].info.addr_bits)
			best = i;
	if (best == 0)
		skip("no engine is narrower than another");
	return open_engine(engines[best].name);
}

/* ---- calls ---- */

int engine_attach(int engine, int buffer, uint32_t flags)
{
	struct dmabed_attach request = { .size = sizeof(request), .flags = flags, .fd = buffer };

	return ioctl(engine, DMABED_IOC_ATTACH, &request) ? -1 : (int)request.attachment;
}

int engine_detach(int engine, int attachment)
{
	struct dmabed_detach request = { .size = sizeof(request), .attachment = attachment };

	return ioctl(engine, DMABED_IOC_DETACH, &request);
}

int engine_map(int engine, int attachment, uint32_t direction)
{
	struct dmabed_map request = {
		.size = sizeof(request),
		.attachment = attachment,
		.direction = direction,
	};

	return ioctl(engine, DMABED_IOC_MAP, &request) ? -1 : (int)request.nr_segments;
}

int engine_unmap(int engine, int attachment)
{
	struct dmabed_unmap request = { .size = sizeof(request), .attachment = attachment };

	return ioctl(engine, DMABED_IOC_UNMAP, &request);
}

int engine_pin(int engine, int attachment)
{
	struct dmabed_pin request = { .size = sizeof(request), .attachment = attachment };

	return ioctl(engine, DMABED_IOC_PIN, &request);
}

int engine_submit(int engine, struct dmabed_submit *job)
{
	job->size = sizeof(*job);
	return ioctl(engine, DMABED_IOC_SUBMIT, job) ? -1 : (int)job->job;
}

int engine_wait(int engine, uint64_t job, int64_t timeout_ns, struct dmabed_wait *result)
{
	*result = (struct dmabed_wait){
		.size = sizeof(*result),
		.job = job,
		.timeout_ns = timeout_ns,
	};
	return ioctl(engine, DMABED_IOC_WAIT, result);
}

int engine_start_fill(int engine, int attachment, uint64_t seed, size_t length)
{
	struct dmabed_submit job = {
		.op = DMABED_OP_CODE_FILL,
		.src = DMABED_NO_ATTACHMENT,
		.dst = attachment,
		.seed = seed,
		.length = length,
	};

	return engine_submit(engine, &job);
}

int engine_start_digest(int engine, int attachment, size_t length)
{
	struct dmabed_submit job = {
		.op = DMABED_OP_CODE_DIGEST,
		.src = attachment,
		.dst = DMABED_NO_ATTACHMENT,
		.length = length,
	};

	return engine_submit(engine, &job);
}
