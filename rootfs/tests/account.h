/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is in the kernel, to see that a test left nothing behind. */
#ifndef TESTS_ACCOUNT_H
#define TESTS_ACCOUNT_H

#include <stdbool.h>

struct account {
	long buffers; /* debugfs dma_buf/bufinfo */
	long bytes; /* of those */
	long statistics; /* directories of /sys/kernel/dmabuf/buffers */
	long timelines; /* debugfs sync/info */
	/* DMABED_IOC_STATS: what our modules hold */
	unsigned long long own_buffers, attachments, mappings, pages, jobs;
	long references; /* to the module behind /dev/dmabed-calls: its files, fences and buffers */
};

void account_take(struct account *account);
/* Waits until all that was made since is gone; says what stays. */
bool account_returns_to(const struct account *before);

#endif
