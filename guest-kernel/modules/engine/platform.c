// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine as a platform device of the device tree.
 */
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/property.h>

#include "engine.h"

static int find_hardware(struct platform_device *pdev,
			 struct dmabed_hardware *hw)
{
	struct device *dev = &pdev->dev;
	int ret;

	hw->regs = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(hw->regs))
		return PTR_ERR(hw->regs);
	hw->irq = platform_get_irq(pdev, 0);
	if (hw->irq < 0)
		return hw->irq;
	hw->local = platform_get_resource_byname(pdev, IORESOURCE_MEM, "local");
	ret = device_property_read_string(dev, "label", &hw->name);
	return ret ? dev_err_probe(dev, ret, "no label\n") : 0;
}

static void release_memory_region(void *dev)
{
	of_reserved_mem_device_release(dev);
}

/*
 * An area of its own is optional; ring and lists then come from it.  It is let
 * go of when the ring is freed, which devres does last.  A pool is for buffers.
 */
static int init_memory_region(struct device *dev)
{
	int ret;

	if (dmabed_region_is_pool(dev))
		return 0;
	ret = of_reserved_mem_device_init(dev);
	if (ret)
		return ret == -ENODEV ? 0 : ret;
	return devm_add_action_or_reset(dev, release_memory_region, dev);
}

/* Whoever powers the device, or an IOMMU through it, hooks in here. */
static int engine_platform_probe(struct platform_device *pdev)
{
	struct dmabed_hardware hw = {};
	int ret = find_hardware(pdev, &hw);

	if (ret)
		return ret;
	ret = init_memory_region(&pdev->dev);
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "no memory region\n");
	pm_runtime_enable(&pdev->dev);
	ret = dmabed_engine_create(&pdev->dev, &hw);
	if (ret)
		pm_runtime_disable(&pdev->dev);
	return ret;
}

static void engine_platform_remove(struct platform_device *pdev)
{
	dmabed_engine_destroy(&pdev->dev);
	pm_runtime_disable(&pdev->dev);
}

static const struct of_device_id engine_of_match[] = {
	{ .compatible = "dmabed,engine" },
	{ }
};
MODULE_DEVICE_TABLE(of, engine_of_match);

struct platform_driver dmabed_engine_platform_driver = {
	.probe = engine_platform_probe,
	.remove = engine_platform_remove,
	.driver = {
		.name = "dmabed-engine",
		.of_match_table = engine_of_match,
	},
};
