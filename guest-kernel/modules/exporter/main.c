// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The exporter's module.
 */
#include <linux/module.h>

#include "exporter.h"

static int __init exporter_init(void)
{
	return dmabed_exporter_register();
}
module_init(exporter_init);

/* Buffers hold the module, so there are none. */
static void __exit exporter_exit(void)
{
	dmabed_exporter_unregister();
}
module_exit(exporter_exit);

MODULE_DESCRIPTION("dmabed: exporter of dma-bufs with late allocation");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
