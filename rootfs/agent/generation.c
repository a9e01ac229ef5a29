// SPDX-License-Identifier: GPL-2.0-or-later
#include "generation.h"

#include <dmabed_generations.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "answer.h"

const struct word generations[] = {
	{ "current", GENERATION_CURRENT },
	{ "posted", GENERATION_POSTED },
	{ "merged", GENERATION_MERGED },
	{ "posted-off", GENERATION_POSTED_OFF },
	{ 0 },
};

/* What objects.c makes of it: /dev/dmabed-NAME. */
static const char *const exporters[] = {
	[GENERATION_CURRENT] = "/exporter",
	[GENERATION_POSTED] = "/posted",
	[GENERATION_MERGED] = "/merged",
	[GENERATION_POSTED_OFF] = "/posted-off",
};

enum generation generation_of(const json_t *request)
{
	return request_word(request, "generation", generations, GENERATION_CURRENT);
}

const char *exporter_name(const json_t *request)
{
	return exporters[generation_of(request)];
}

static void exporter_path(const json_t *request, char *path, size_t size)
{
	snprintf(path, size, "/dev/dmabed-%s", exporter_name(request) + 1);
}

json_t *no_exporter(const json_t *request)
{
	int error = errno;
	char path[64], call[80];

	exporter_path(request, path, sizeof(path));
	snprintf(call, sizeof(call), "open %s", path);
	return answer_errno(error, call);
}

uint32_t generation_attach_flags(const json_t *request)
{
	switch (generation_of(request)) {
	case GENERATION_POSTED:
		return DMABED_ATTACH_POSTED;
	case GENERATION_MERGED:
		return DMABED_ATTACH_MERGED;
	default:
		return 0;
	}
}

int exporter_select(const json_t *request, int fd)
{
	struct dmabed_select select = { .size = sizeof(select), .fd = fd };
	char path[64];
	int exporter, error;

	exporter_path(request, path, sizeof(path));
	exporter = open(path, O_RDWR | O_CLOEXEC);
	if (exporter < 0)
		return -1;
	if (ioctl(exporter, DMABED_IOC_SELECT, &select) == 0)
		return exporter;
	error = errno;
	close(exporter);
	errno = error;
	return -1;
}
