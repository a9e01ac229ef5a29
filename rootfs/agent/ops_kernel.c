// SPDX-License-Identifier: GPL-2.0-or-later
/* What a scenario does to the kernel around the buffers: modules, drivers, memory. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "answer.h"
#include "ops.h"

/* ---- files of /sys and /proc ---- */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t put;
	int error;

	if (fd < 0)
		return errno;
	put = write(fd, text, strlen(text));
	error = put < 0 ? errno : 0;
	close(fd);
	return error;
}

static json_t *op_write(const json_t *request)
{
	const char *path = request_text(request, "path");
	int error = write_file(path, request_text(request, "text"));

	return error ? answer_errno(error, path) : answer_ok(NULL);
}

/* Where a link of the device behind /dev/dmabed/NAME leads, NULL and errno when it has none. */
static char *device_link(const char *name, const char *link)
{
	char path[256];
	struct stat node;

	snprintf(path, sizeof(path), "/dev/dmabed/%s", name);
	if (stat(path, &node) != 0)
		return NULL;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device%s", major(node.st_rdev),
		 minor(node.st_rdev), link);
	return realpath(path, NULL);
}

/* What unbind and bind are told, which nobody can find out after the unbind. */
static json_t *op_driver(const json_t *request)
{
	const char *name = request_text(request, "device");
	char *device = device_link(name, ""), *driver = device_link(name, "/driver");
	json_t *answer;

	if (device && driver)
		answer = answer_ok(json_pack("{s:s, s:s}", "driver", driver, "name",
					     strrchr(device, '/') + 1));
	else
		answer = answer_errno(errno, "driver");
	free(device);
	free(driver);
	return answer;
}

/* ---- modules ---- */

static json_t *op_unload(const json_t *request)
{
	if (syscall(SYS_delete_module, request_text(request, "module"), O_NONBLOCK) != 0)
		return answer_errno(errno, "delete_module");
	return answer_ok(NULL);
}

static json_t *op_load(const json_t *request)
{
	const char *path = request_text(request, "path");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return answer_errno(errno, path);
	error = syscall(SYS_finit_module, fd, request_text(request, "options") ?: "", 0) ? errno : 0;
	close(fd);
	return error ? answer_errno(error, "finit_module") : answer_ok(NULL);
}

/* ---- memory ---- */

static void *hog;
static size_t hog_length;
static pthread_mutex_t hog_lock = PTHREAD_MUTEX_INITIALIZER;

static void let_go(void)
{
	if (hog)
		munmap(hog, hog_length);
	hog = NULL;
}

/* Populated, so that the pages are really taken. */
static int take(size_t length)
{
	void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		return errno;
	hog = memory;
	hog_length = length;
	return 0;
}

/* Takes this much memory in the place of what it has; 0: gives it back. */
static json_t *op_pressure(const json_t *request)
{
	uint64_t length = request_u64(request, "length", 0);
	int error = 0;

	pthread_mutex_lock(&hog_lock);
	let_go();
	if (length)
		error = take(length);
	pthread_mutex_unlock(&hog_lock);
	return error ? answer_errno(error, "mmap") : answer_ok(NULL);
}

void kernel_reset(void)
{
	pthread_mutex_lock(&hog_lock);
	let_go();
	pthread_mutex_unlock(&hog_lock);
}

const struct op kernel_ops[] = {
	{ "write", op_write, false, { { "path", KEY_TEXT, true, NULL },
				      { "text", KEY_TEXT, true, NULL } } },
	{ "driver", op_driver, false, { { "device", KEY_NAME, true, NULL } } },
	{ "unload", op_unload, false, { { "module", KEY_NAME, true, NULL } } },
	{ "load", op_load, false, { { "path", KEY_TEXT, true, NULL },
				    { "options", KEY_TEXT, false, NULL } } },
	{ "pressure", op_pressure, false, { { "length", KEY_U64, true, NULL } } },
	{ 0 },
};
