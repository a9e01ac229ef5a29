// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What all engines do, whatever bus they are on: ask the hardware for its
 * limits, tell them to the DMA API and to the core, and start the ring.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <dmabed/engine_regs.h>

#include "engine.h"

/* ---- life ---- */

static void engine_free(struct kref *ref)
{
	kfree(container_of(ref, struct dmabed_engine, ref));
}

/**
 * dmabed_engine_put - a user of the engine's memory less
 * @engine: the engine
 */
void dmabed_engine_put(struct dmabed_engine *engine)
{
	kref_put(&engine->ref, engine_free);
}

/**
 * dmabed_engine_enter - begin a call that needs the device
 * @engine: the engine
 *
 * Return: 0, or -ENODEV when it is gone.
 */
int dmabed_engine_enter(struct dmabed_engine *engine)
{
	down_read(&engine->state);
	if (!READ_ONCE(engine->gone))
		return 0;
	up_read(&engine->state);
	return -ENODEV;
}

/**
 * dmabed_engine_leave - end it
 * @engine: the engine
 */
void dmabed_engine_leave(struct dmabed_engine *engine)
{
	up_read(&engine->state);
}

static struct dmabed_engine *engine_alloc(struct device *dev)
{
	struct dmabed_engine *engine = kzalloc(sizeof(*engine), GFP_KERNEL);

	if (!engine)
		return NULL;
	kref_init(&engine->ref);
	engine->dev = dev;
	init_rwsem(&engine->state);
	mutex_init(&engine->clients_lock);
	INIT_LIST_HEAD(&engine->clients);
	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->waiting);
	INIT_LIST_HEAD(&engine->kept);
	init_waitqueue_head(&engine->idle);
	engine->fence_context = dma_fence_context_alloc(1);
	return engine;
}

/* ---- interrupt ---- */

static irqreturn_t engine_irq(int irq, void *data)
{
	struct dmabed_engine *engine = data;

	return dmabed_hw_ack_irq(engine->regs) ? IRQ_WAKE_THREAD : IRQ_NONE;
}

static irqreturn_t engine_irq_thread(int irq, void *data)
{
	struct dmabed_engine *engine = data;
	u32 error;

	dmabed_queue_reap(engine);
	error = dmabed_hw_error(engine->regs);
	if (error != DMABED_ERROR_NONE) {
		dev_err(engine->dev, "the ring stopped, error %u\n", error);
		dmabed_queue_restart(engine);
	}
	return IRQ_HANDLED;
}

/* ---- limits ---- */

/**
 * dmabed_engine_set_mask - the streaming mask, as the hardware says
 * @engine: the engine
 *
 * Nothing to do after probe, unless a sabotage was turned on or off.
 */
void dmabed_engine_set_mask(struct dmabed_engine *engine)
{
	u64 mask = DMA_BIT_MASK(engine->caps.addr_bits);

	if (dmabed_engine_sabotaged(DMABED_ENGINE_WIDE_MASK))
		mask = DMA_BIT_MASK(64);
	if (dma_get_mask(engine->dev) != mask && !dma_set_mask(engine->dev, mask))
		return;
	*engine->dev->dma_mask = mask;
}

/*
 * The DMA API refuses a mask that no memory lies within.  The limit is set all
 * the same: exporters have to see it, so that they refuse the attach.
 */
static void set_masks(struct device *dev, const struct dmabed_hw_caps *caps)
{
	u64 mask = DMA_BIT_MASK(caps->addr_bits);

	if (dma_set_mask(dev, mask)) {
		dev_warn(dev, "no memory within %u address bits\n",
			 caps->addr_bits);
		*dev->dma_mask = mask;
	}
	mask = DMA_BIT_MASK(caps->ring_bits);
	if (dma_set_coherent_mask(dev, mask))
		dev->coherent_dma_mask = mask;
}

static void set_dma_parms(struct device *dev,
			  const struct dmabed_hw_caps *caps)
{
	dma_set_max_seg_size(dev, min_t(u64, caps->max_seg_size, UINT_MAX));
	dma_set_seg_boundary(dev, caps->boundary);
	/* bouncing keeps the offset in a page, and no more unless told */
	if (caps->alignment > 1)
		dma_set_min_align_mask(dev, min_t(u32, caps->alignment,
						  PAGE_SIZE) - 1);
}

static int register_limits(struct device *dev,
			   const struct dmabed_hw_caps *caps)
{
	const struct dmabed_limits limits = {
		.max_segments = caps->max_segments,
		.alignment = caps->alignment,
		.granule = caps->granule,
	};

	return dmabed_limits_register(dev, &limits);
}

static bool caps_sane(const struct dmabed_hw_caps *caps)
{
	return caps->addr_bits && caps->addr_bits <= 64 &&
	       caps->ring_bits && caps->ring_bits <= 64 &&
	       is_power_of_2(caps->alignment) && is_power_of_2(caps->granule);
}

static void fill_info(struct dmabed_engine *engine)
{
	struct dmabed_engine_info *info = &engine->info;
	const struct dmabed_hw_caps *caps = &engine->caps;
	struct device *dev = engine->dev;

	info->size = sizeof(*info);
	info->dma_mask = dma_get_mask(dev);
	info->bus_dma_limit = dev->bus_dma_limit;
	info->seg_boundary = dma_get_seg_boundary(dev);
	info->max_seg_size = dma_get_max_seg_size(dev);
	info->max_segments = caps->max_segments;
	info->alignment = caps->alignment;
	info->granule = caps->granule;
	info->addr_bits = caps->addr_bits;
}

/* ---- probe and remove ---- */

static int take_hardware(struct dmabed_engine *engine,
			 const struct dmabed_hardware *hw)
{
	engine->regs = hw->regs;
	engine->irq = hw->irq;
	engine->irq_flags = hw->irq_flags;
	engine->local = hw->local;
	if (strscpy(engine->info.name, hw->name, sizeof(engine->info.name)) <= 0)
		return dev_err_probe(engine->dev, -EINVAL, "bad name\n");
	if (!dmabed_hw_present(engine->regs))
		return dev_err_probe(engine->dev, -ENODEV,
				     "no engine of a known version\n");
	dmabed_hw_read_caps(engine->regs, &engine->caps);
	if (!caps_sane(&engine->caps))
		return dev_err_probe(engine->dev, -ENODEV,
				     "senseless limits\n");
	return 0;
}

/* Without memory for a ring there are attachments, and no jobs. */
static int start_ring(struct dmabed_engine *engine)
{
	if (dmabed_ring_create(engine)) {
		dev_warn(engine->dev, "no memory for a ring: no jobs\n");
		engine->ring.jobs = NULL;
		return 0;
	}
	if (!dmabed_ring_start(engine))
		return dev_err_probe(engine->dev, -EIO,
				     "the engine refuses its ring\n");
	return devm_request_threaded_irq(engine->dev, engine->irq, engine_irq,
					 engine_irq_thread, engine->irq_flags,
					 dev_name(engine->dev), engine);
}

/* From here on no handler runs, so what it uses can go. */
static void stop_interrupts(struct dmabed_engine *engine)
{
	if (engine->ring.jobs)
		devm_free_irq(engine->dev, engine->irq, engine);
}

static int engine_setup(struct dmabed_engine *engine)
{
	set_masks(engine->dev, &engine->caps);
	set_dma_parms(engine->dev, &engine->caps);
	fill_info(engine);
	return start_ring(engine);
}

/* Memory that nobody else reaches has no other address than its own one. */
static void offer_local_memory(struct dmabed_engine *engine)
{
	struct dmabed_carveout like = {
		.dev = engine->dev,
		.base = engine->local ? engine->local->start :
					engine->caps.local_base,
		.bus = engine->caps.local_base,
		.size = engine->caps.local_size,
		.visible = engine->local,
	};

	if (!like.size)
		return;
	strscpy(like.name, engine->info.name, sizeof(like.name));
	engine->carveout = dmabed_carveout_register(&like);
	if (!engine->carveout)
		dev_warn(engine->dev, "local memory is not offered\n");
}

/**
 * dmabed_engine_create - make an engine ready for use
 * @dev: the device, whose drvdata becomes the engine
 * @hw: what its bus found
 *
 * Return: 0 or a negative errno.
 */
int dmabed_engine_create(struct device *dev, const struct dmabed_hardware *hw)
{
	struct dmabed_engine *engine = engine_alloc(dev);
	int ret;

	if (!engine)
		return -ENOMEM;
	dev_set_drvdata(dev, engine);
	ret = take_hardware(engine, hw);
	if (ret)
		goto err_put_engine;
	engine->retire = alloc_workqueue("%s", WQ_UNBOUND, 0, dev_name(dev));
	if (!engine->retire) {
		ret = -ENOMEM;
		goto err_put_engine;
	}
	ret = register_limits(dev, &engine->caps);
	if (ret)
		goto err_destroy_retire;
	ret = pm_runtime_resume_and_get(dev);
	if (ret)
		goto err_unregister_limits;
	ret = engine_setup(engine);
	pm_runtime_put(dev);
	if (ret)
		goto err_unregister_limits;
	offer_local_memory(engine);
	/* last: who sees the node may use all of the engine */
	ret = dmabed_chardev_register(engine);
	if (ret)
		goto err_take_memory_back;
	return 0;

err_take_memory_back:
	dmabed_carveout_unregister(engine->carveout);
	stop_interrupts(engine);
	dmabed_hw_reset(engine->regs);
err_unregister_limits:
	dmabed_limits_unregister(dev);
err_destroy_retire:
	destroy_workqueue(engine->retire);
err_put_engine:
	dmabed_engine_put(engine);
	return ret;
}

static void drop_all_attachments(struct dmabed_engine *engine)
{
	struct dmabed_client *client;

	mutex_lock(&engine->clients_lock);
	list_for_each_entry(client, &engine->clients, node)
		dmabed_client_drop_attachments(client);
	mutex_unlock(&engine->clients_lock);
}

/**
 * dmabed_engine_destroy - the device goes, whether it is still there or not
 * @dev: the device
 *
 * Jobs end first: a call that waits for one, or for a lock that a waiter holds,
 * comes back by that.  Then no call is inside, and nothing is mapped any more
 * but what others map of its memory: they are told.  The node goes last, so
 * that who misses it knows that all else has gone; until then it says -ENODEV.
 */
void dmabed_engine_destroy(struct device *dev)
{
	struct dmabed_engine *engine = dev_get_drvdata(dev);

	stop_interrupts(engine);
	dmabed_queue_stop(engine);

	down_write(&engine->state);
	drop_all_attachments(engine);
	up_write(&engine->state);
	dmabed_carveout_unregister(engine->carveout);
	destroy_workqueue(engine->retire);

	dmabed_limits_unregister(dev);
	misc_deregister(&engine->misc);
	dmabed_engine_put(engine);
}

/* ---- module ---- */

static int __init engine_init(void)
{
	int ret = platform_driver_register(&dmabed_engine_platform_driver);

	if (ret || !IS_ENABLED(CONFIG_PCI))
		return ret;
	ret = pci_register_driver(&dmabed_engine_pci_driver);
	if (ret)
		platform_driver_unregister(&dmabed_engine_platform_driver);
	return ret;
}
module_init(engine_init);

static void __exit engine_exit(void)
{
	if (IS_ENABLED(CONFIG_PCI))
		pci_unregister_driver(&dmabed_engine_pci_driver);
	platform_driver_unregister(&dmabed_engine_platform_driver);
}
module_exit(engine_exit);

MODULE_DESCRIPTION("dmabed: DMA engine as an importer of dma-bufs");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
