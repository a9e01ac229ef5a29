// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Driver for the testbed's camera: a vb2 source whose buffers are one run of
 * memory or scatter lists, as a module parameter says.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>

#include "capture.h"

static irqreturn_t capture_irq(int irq, void *data)
{
	struct capture_device *capture = data;
	u32 status = capture_read(capture, DMABED_CAPTURE_INT_STATUS);

	if (!status)
		return IRQ_NONE;
	capture_write(capture, DMABED_CAPTURE_INT_STATUS, status);
	capture_queue_frame_done(capture, status & DMABED_CAPTURE_INT_ERROR ?
						  VB2_BUF_STATE_ERROR : VB2_BUF_STATE_DONE);
	return IRQ_HANDLED;
}

static int alloc_list(struct capture_device *capture)
{
	size_t size = DMABED_CAPTURE_MAX_SEGMENTS * sizeof(*capture->segments);

	capture->segments = dmam_alloc_coherent(capture->dev, size, &capture->segments_bus,
						GFP_KERNEL);
	return capture->segments ? 0 : -ENOMEM;
}

static int capture_probe(struct platform_device *pdev)
{
	struct capture_device *capture;
	int irq = platform_get_irq(pdev, 0);
	int error;

	if (irq < 0)
		return irq;
	capture = devm_kzalloc(&pdev->dev, sizeof(*capture), GFP_KERNEL);
	if (!capture)
		return -ENOMEM;
	capture->dev = &pdev->dev;
	mutex_init(&capture->lock);
	platform_set_drvdata(pdev, capture);
	capture->regs = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(capture->regs))
		return PTR_ERR(capture->regs);
	if (capture_read(capture, DMABED_CAPTURE_ID) != DMABED_CAPTURE_ID_VALUE)
		return dev_err_probe(&pdev->dev, -ENODEV, "no camera of the testbed is there\n");
	/* the mask stays at the 32 bits of a platform device, as with most media drivers */
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	error = alloc_list(capture);
	if (error)
		return error;
	error = devm_pm_runtime_enable(&pdev->dev);
	if (error)
		return error;
	error = devm_request_irq(&pdev->dev, irq, capture_irq, 0, dev_name(&pdev->dev), capture);
	if (error)
		return error;
	return capture_video_register(capture);
}

static void capture_remove(struct platform_device *pdev)
{
	capture_video_unregister(platform_get_drvdata(pdev));
}

static const struct of_device_id capture_of_match[] = {
	{ .compatible = "dmabed,capture" },
	{ }
};
MODULE_DEVICE_TABLE(of, capture_of_match);

static struct platform_driver capture_driver = {
	.driver = {
		.name = "dmabed-capture",
		.of_match_table = capture_of_match,
	},
	.probe = capture_probe,
	.remove = capture_remove,
};
module_platform_driver(capture_driver);

MODULE_DESCRIPTION("Camera of the dmabed testbed");
MODULE_LICENSE("GPL");
