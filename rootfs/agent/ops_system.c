// SPDX-License-Identifier: GPL-2.0-or-later
/* The guest and the agent itself: hello, reset, read. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "files.h"
#include "nodes.h"
#include "objects.h"
#include "ops.h"
#include "processes.h"
#include "protocol.h"
#include "threads.h"

#define DEVICE_DIRECTORY "/dev/dmabed"
#define READ_DEFAULT (64 << 10)
#define READ_MOST (512 << 10) /* as base64 that still fits into a line */

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The names in /dev/dmabed, sorted, then those of blocks that other drivers took. */
static json_t *device_names(void)
{
	json_t *names = json_array();
	struct dirent **entries;
	int count = scandir(DEVICE_DIRECTORY, &entries, visible, alphasort);

	for (int i = 0; i < count; i++) {
		json_array_append_new(names, json_string(entries[i]->d_name));
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	node_add_bound(names);
	return names;
}

static json_int_t uptime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (json_int_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static json_t *op_hello(const json_t *request)
{
	struct utsname system;

	(void)request;
	uname(&system);
	return answer_ok(json_pack("{s:i, s:i, s:I, s:s, s:o}", "protocol", PROTOCOL_VERSION, "pid",
				   (int)getpid(), "uptime-ns", uptime_ns(), "kernel",
				   system.release, "devices", device_names()));
}

static json_t *op_reset(const json_t *request)
{
	(void)request;
	processes_reset();
	objects_reset();
	kernel_reset();
	threads_end_idle();
	return answer_ok(NULL);
}

static json_t *read_path(const char *path, size_t limit)
{
	char *bytes = malloc(limit + 1); /* one more tells whether that was all */
	bool truncated;
	json_t *answer;
	ssize_t got;

	if (!bytes)
		return answer_protocol("out of memory");
	got = file_read(path, bytes, limit + 1);
	if (got < 0) {
		free(bytes);
		return answer_errno(errno, path);
	}
	truncated = (size_t)got > limit;
	answer = answer_ok(json_pack("{s:o, s:b}", "data",
				     json_bytes(bytes, truncated ? limit : (size_t)got),
				     "truncated", truncated));
	free(bytes);
	return answer;
}

static json_t *op_read(const json_t *request)
{
	uint64_t limit = request_u64(request, "limit", READ_DEFAULT);

	if (limit > READ_MOST)
		return answer_protocol("'limit' is at most %d", READ_MOST);
	return read_path(request_text(request, "path"), (size_t)limit);
}

const struct op system_ops[] = {
	{ "hello", op_hello, true, { { 0 } } },
	{ "reset", op_reset, false, { { 0 } } },
	{ "read", op_read, false, { { "path", KEY_TEXT, true, NULL },
				    { "limit", KEY_U64, false, NULL } } },
	{ 0 },
};
