/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed-soc: IOMMUs of the platform, and the SMMU of PCI Express.
 *
 * The first are added with -device and say where they want to be, as engines
 * do; the second is a part of the machine, for a bus has no more than one.
 *
 * The contract is docs/specs/dmabed-soc.md of dmabed.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/arm/dmabed_soc.h"
#include "hw/arm/smmuv3.h"
#include "hw/dma/dmabed_iommu.h"
#include "hw/pci/pci_bus.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"

/* ---- IOMMUs of the platform ---- */

void dmabed_soc_iommu_plug(DmabedSocState *s, DeviceState *dev)
{
    const DmabedIommuState *iommu = DMABED_IOMMU(dev);

    sysbus_mmio_map(SYS_BUS_DEVICE(dev), 0, iommu->mmio_base);
    sysbus_connect_irq(SYS_BUS_DEVICE(dev), 0,
                       dmabed_soc_claim_spi(s, "spi", iommu->spi, 0));
}

/* ---- the SMMU of PCI Express ---- */

/* Two pages of 64 KiB: Arm's IHI 0070, 6.1 */
#define SMMU_SIZE (128 * KiB)

void dmabed_soc_create_smmu(DmabedSocState *s, PCIBus *bus)
{
    DmabedSocPcie *pcie = &s->pcie;
    DeviceState *smmu;

    if (pcie->smmu == DMABED_SOC_NO_SMMU) {
        return;
    }
    dmabed_soc_claim_range("pcie-smmu", pcie->smmu, SMMU_SIZE, &error_fatal);
    smmu = qdev_new(TYPE_ARM_SMMUV3);
    object_property_set_link(OBJECT(smmu), "primary-bus", OBJECT(bus),
                             &error_fatal);
    qdev_prop_set_string(smmu, "stage", "1");
    sysbus_realize_and_unref(SYS_BUS_DEVICE(smmu), &error_fatal);
    sysbus_mmio_map(SYS_BUS_DEVICE(smmu), 0, pcie->smmu);
    for (unsigned i = 0; i < DMABED_SOC_SMMU_IRQS; i++) {
        sysbus_connect_irq(SYS_BUS_DEVICE(smmu), i,
                           dmabed_soc_claim_spi(s, "pcie-smmu-spi",
                                                pcie->smmu_spi, i));
    }
}
