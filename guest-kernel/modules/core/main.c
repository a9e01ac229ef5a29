// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The core module, and a device without limits: in its name contiguous memory
 * is allocated, and it is the one that attaches in calls (generation_calls.c).
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "core.h"

static struct platform_device *core_device;

/**
 * dmabed_core_device - a device without limits, in whose name storage is allocated
 *
 * The CMA allocator is not exported to modules, dma_alloc_pages() is; for a
 * device without limits and without an area of its own it takes the default
 * CMA area.
 */
struct device *dmabed_core_device(void)
{
	return &core_device->dev;
}

static int __init dmabed_core_init(void)
{
	int ret;

	core_device = platform_device_register_simple("dmabed-core",
						      PLATFORM_DEVID_NONE,
						      NULL, 0);
	if (IS_ERR(core_device))
		return PTR_ERR(core_device);
	ret = dma_set_mask_and_coherent(&core_device->dev, DMA_BIT_MASK(64));
	if (ret)
		platform_device_unregister(core_device);
	if (ret)
		return ret;
	dmabed_live_register();
	dmabed_pools_register();
	dmabed_areas_register();
	return 0;
}
module_init(dmabed_core_init);

static void __exit dmabed_core_exit(void)
{
	dmabed_areas_unregister();
	dmabed_pools_unregister();
	dmabed_live_unregister();
	platform_device_unregister(core_device);
}
module_exit(dmabed_core_exit);

MODULE_DESCRIPTION("dmabed: backing store of shared buffers");
MODULE_LICENSE("GPL");
