// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine on PCI Express.
 */
#include <linux/interrupt.h>
#include <linux/pci.h>
#include <dmabed/engine_regs.h>

#include "engine.h"

static int enable(struct pci_dev *pdev, struct dmabed_hardware *hw)
{
	int ret = pcim_enable_device(pdev);

	if (ret)
		return ret;
	hw->regs = pcim_iomap(pdev, DMABED_PCI_BAR_REGS,
			      DMABED_ENGINE_MMIO_SIZE);
	if (!hw->regs)
		return -ENOMEM;
	pci_set_master(pdev);
	/* given back by the managed device, after the interrupt's handler */
	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI | PCI_IRQ_INTX);
	if (ret < 0)
		return ret;
	hw->irq = pci_irq_vector(pdev, 0);
	hw->irq_flags = pdev->msi_enabled ? 0 : IRQF_SHARED;
	return 0;
}

static int engine_pci_probe(struct pci_dev *pdev,
			    const struct pci_device_id *id)
{
	struct dmabed_hardware hw = {};
	char name[DMABED_NAME_SIZE];
	int ret = enable(pdev, &hw);

	if (ret)
		return dev_err_probe(&pdev->dev, ret, "cannot enable\n");
	/* there is no node of a device tree to ask */
	dmabed_hw_read_name(hw.regs, name);
	hw.name = name;
	if (pci_resource_len(pdev, DMABED_PCI_BAR_LOCAL))
		hw.local = &pdev->resource[DMABED_PCI_BAR_LOCAL];
	return dmabed_engine_create(&pdev->dev, &hw);
}

static void engine_pci_remove(struct pci_dev *pdev)
{
	dmabed_engine_destroy(&pdev->dev);
}

static const struct pci_device_id engine_pci_ids[] = {
	{ PCI_DEVICE(DMABED_PCI_VENDOR_ID, DMABED_PCI_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, engine_pci_ids);

struct pci_driver dmabed_engine_pci_driver = {
	.name = "dmabed-engine-pci",
	.id_table = engine_pci_ids,
	.probe = engine_pci_probe,
	.remove = engine_pci_remove,
};
