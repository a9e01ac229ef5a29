// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel says of itself, for the kernels that watch themselves. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DMA_REPORTS "/sys/kernel/debug/dma-api/num_errors"

/*
 * CONFIG_DMA_API_DEBUG prints one report a boot (show_num_errors in
 * kernel/dma/debug.c), and that one might be known and tell nothing.
 */
void let_dma_debug_speak(void)
{
	const char *reports = "16";
	int fd = open(DMA_REPORTS, O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		if (errno != ENOENT)
			say_errno(DMA_REPORTS);
		return;
	}
	if (write(fd, reports, strlen(reports)) < 0)
		say_errno(DMA_REPORTS);
	close(fd);
}
