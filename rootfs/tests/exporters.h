/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everybody in the guest who makes buffers. */
#ifndef TESTS_EXPORTERS_H
#define TESTS_EXPORTERS_H

#include <stddef.h>
#include <stdint.h>

#define EXPORTER_DEVICE "/dev/dmabed-exporter"
#define UDMABUF_DEVICE "/dev/udmabuf"
#define HEAPS "/dev/dma_heap"
#define SYSTEM_HEAP HEAPS "/system"
#define BUFINFO "/sys/kernel/debug/dma_buf/bufinfo"
#define BUFFER_STATISTICS "/sys/kernel/dmabuf/buffers"
#define SYNC_INFO "/sys/kernel/debug/sync/info"
#define SW_SYNC "/sys/kernel/debug/sync/sw_sync"

#define PAGE 4096u

struct exporter {
	const char *name; /* in the names of tests */
	const char *device; /* NULL: cma_heap() */
	/* a new fd, or -1 and errno */
	int (*make)(const struct exporter *exporter, size_t length, int fd_flags);
	uint32_t flags;
};

const struct exporter *exporter_first(void);
/* The one behind, or NULL. */
const struct exporter *exporter_next(const struct exporter *exporter);
/* One that must be known; the test is skipped when the kernel lacks it. */
const struct exporter *exporter_named(const char *name);

/* As the exporter's own call does it: an fd, or -1 and errno. */
int exporter_make(const struct exporter *exporter, size_t length, int fd_flags);
/* The same for tests that need it: read and write, close-on-exec; skips when there is none. */
int buffer_of(const struct exporter *exporter, size_t length);
/* What the kernel calls the exporter of a buffer. */
const char *exporter_kernel_name(const struct exporter *exporter);

/*
 * One of our exporter's, with DMABED_EXPORT_* flags: an fd, or -1 and errno.
 * Skips when the kernel has no such exporter.
 */
int own_buffer(size_t length, uint32_t flags);
/* Moves one of our exporter's to DMABED_STORAGE_*: 0, or -1 and errno. */
int own_migrate(int buffer, uint32_t storage);
/* How many mappings one of our exporter's has. */
unsigned int own_mappings(int buffer);

/* Before brackets of different directions on a udmabuf. */
void udmabuf_both_ways(int buffer);
/* A sealed memfd of this length. */
int memfd_of(size_t length, unsigned int seals);
/* The device of the contiguous heap, or NULL. */
const char *cma_heap(void);
/* One buffer of a heap; -1 and errno. */
int heap_allocate(const char *heap, size_t length, uint32_t fd_flags, uint64_t heap_flags);

#endif
