// SPDX-License-Identifier: GPL-2.0-or-later
/* Buffers of our exporter, of the heaps, and of udmabuf. */
#include "exporters.h"

#include <dirent.h>
#include <dmabed.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"
#include "sabotage.h"
#include "test.h"

#define HEAP_NAME_LENGTH 64

/* Runs one ioctl on a device that is opened for it. */
static int device_ioctl(const char *path, unsigned long request, void *argument)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int result, error;

	if (fd < 0)
		return -1;
	result = ioctl(fd, request, argument);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

static int export_own(size_t length, uint32_t flags, int fd_flags)
{
	struct dmabed_export request = {
		.size = sizeof(request),
		.flags = flags,
		.length = length,
		.storage = DMABED_STORAGE_AUTO,
		.fd_flags = fd_flags,
		.fd = -1,
	};

	return device_ioctl(EXPORTER_DEVICE, DMABED_IOC_EXPORT, &request) ? -1 : request.fd;
}

static int make_own(const struct exporter *exporter, size_t length, int fd_flags)
{
	return export_own(length, exporter->flags, fd_flags);
}

int own_buffer(size_t length, uint32_t flags)
{
	if (access(EXPORTER_DEVICE, F_OK) != 0)
		skip("there is no " EXPORTER_DEVICE);
	return export_own(length, flags, O_RDWR | O_CLOEXEC);
}

int own_migrate(int buffer, uint32_t storage)
{
	struct dmabed_migrate request = {
		.size = sizeof(request),
		.fd = buffer,
		.storage = storage,
	};

	return device_ioctl(EXPORTER_DEVICE, DMABED_IOC_MIGRATE, &request);
}

unsigned int own_mappings(int buffer)
{
	struct dmabed_buffer_info info = { .size = sizeof(info), .fd = buffer };

	CHECK_OK(device_ioctl(EXPORTER_DEVICE, DMABED_IOC_BUFFER_INFO, &info));
	return info.mappings;
}

int heap_allocate(const char *heap, size_t length, uint32_t fd_flags, uint64_t heap_flags)
{
	struct dma_heap_allocation_data data = {
		.len = length,
		.fd_flags = fd_flags,
		.heap_flags = heap_flags,
	};

	return device_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) ? -1 : (int)data.fd;
}

static int make_system(const struct exporter *exporter, size_t length, int fd_flags)
{
	(void)exporter;
	return heap_allocate(SYSTEM_HEAP, length, fd_flags, 0);
}

/* Its name is that of the memory region; there is only one other heap. */
const char *cma_heap(void)
{
	static char path[sizeof(HEAPS) + HEAP_NAME_LENGTH];
	DIR *directory = opendir(HEAPS);
	struct dirent *entry;

	path[0] = '\0';
	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "system") != 0)
			snprintf(path, sizeof(path), HEAPS "/%.*s", HEAP_NAME_LENGTH - 1,
				 entry->d_name);
	if (directory)
		closedir(directory);
	return path[0] ? path : NULL;
}

static int make_cma(const struct exporter *exporter, size_t length, int fd_flags)
{
	const char *heap = cma_heap();

	(void)exporter;
	if (!heap) {
		errno = ENOENT;
		return -1;
	}
	return heap_allocate(heap, length, fd_flags, 0);
}

int memfd_of(size_t length, unsigned int seals)
{
	int fd = CHECK_OK(memfd_create("dmabed-tests", MFD_CLOEXEC | MFD_ALLOW_SEALING));

	CHECK_OK(ftruncate(fd, (off_t)length));
	if (seals)
		CHECK_OK(fcntl(fd, F_ADD_SEALS, seals));
	return fd;
}

/*
 * udmabuf maps itself in the direction of its first bracket and synchronises in
 * that of each one, which DMA API debugging warns of, unless the first was both.
 */
void udmabuf_both_ways(int buffer)
{
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	CHECK_OK(buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
}

/* Access modes cannot be asked for: it always is read and write. */
static int make_udmabuf(const struct exporter *exporter, size_t length, int fd_flags)
{
	struct udmabuf_create create = {
		.memfd = memfd_of(length, F_SEAL_SHRINK),
		.flags = fd_flags & O_CLOEXEC ? UDMABUF_FLAGS_CLOEXEC : 0,
		.size = length,
	};
	int fd = device_ioctl(UDMABUF_DEVICE, UDMABUF_CREATE, &create);
	int error = errno;

	(void)exporter;
	close(create.memfd);
	if (fd >= 0)
		udmabuf_both_ways(fd);
	errno = error;
	return fd;
}

static const struct exporter exporters[] = {
	{ "static", EXPORTER_DEVICE, make_own, 0 },
	{ "dynamic", EXPORTER_DEVICE, make_own, DMABED_EXPORT_DYNAMIC },
	{ "system", SYSTEM_HEAP, make_system, 0 },
	{ "cma", NULL, make_cma, 0 },
	{ "udmabuf", UDMABUF_DEVICE, make_udmabuf, 0 },
};

#define EXPORTERS (sizeof(exporters) / sizeof(exporters[0]))

const struct exporter *exporter_first(void)
{
	return exporters;
}

const struct exporter *exporter_next(const struct exporter *exporter)
{
	return exporter + 1 < exporters + EXPORTERS ? exporter + 1 : NULL;
}

const struct exporter *exporter_named(const char *name)
{
	const struct exporter *exporter;

	for (exporter = exporters; exporter; exporter = exporter_next(exporter))
		if (strcmp(exporter->name, name) == 0)
			return exporter;
	fail(__FILE__, __LINE__, "no exporter is called %s", name);
}

const char *exporter_kernel_name(const struct exporter *exporter)
{
	if (exporter->make == make_own)
		return "dmabed-exporter";
	if (exporter->make == make_cma)
		return strrchr(cma_heap(), '/') + 1;
	return exporter->name;
}

int exporter_make(const struct exporter *exporter, size_t length, int fd_flags)
{
	if (sabotaged("cloexec-lost"))
		fd_flags &= ~O_CLOEXEC;
	return exporter->make(exporter, length, fd_flags);
}

int buffer_of(const struct exporter *exporter, size_t length)
{
	const char *device = exporter->device ? exporter->device : cma_heap();

	if (!device || access(device, F_OK) != 0)
		skip("there is no %s exporter", exporter->name);
	return CHECK_OK(exporter_make(exporter, length, O_RDWR | O_CLOEXEC));
}
