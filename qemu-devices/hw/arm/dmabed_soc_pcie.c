/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed-soc: PCI Express.
 *
 * A generic host bridge, and a GICv2m frame that turns messages into SPIs: it
 * works with a GICv3 and needs no tables in memory, as an ITS would.  Root
 * ports and devices are added with -device.
 *
 * The contract is docs/specs/dmabed-soc.md of dmabed.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "exec/address-spaces.h"
#include "hw/arm/dmabed_soc.h"
#include "hw/pci-host/gpex.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"

/* hw/intc/arm_gicv2m.c has no header */
#define TYPE_ARM_GICV2M "arm-gicv2m"

/* 16 buses of 1 MiB each */
#define ECAM_SIZE (16 * MiB)
/* From GICv2m, Arm's BSA (DEN 0094), appendix on generic MSI frames */
#define MSI_FRAME_SIZE (4 * KiB)

/* What the host bridge has to be mapped, by sysbus index */
#define GPEX_ECAM 0
#define GPEX_MMIO 1

/* A slice of a region of the host bridge, at @base of the map */
static void map_slice(DmabedSocState *s, const char *property,
                      MemoryRegion *alias, SysBusDevice *host, int index,
                      uint64_t offset, uint64_t base, uint64_t size)
{
    dmabed_soc_claim_range(property, base, size, &error_fatal);
    memory_region_init_alias(alias, OBJECT(s), property,
                             sysbus_mmio_get_region(host, index), offset,
                             size);
    memory_region_add_subregion(get_system_memory(), base, alias);
}

static void map_host(DmabedSocState *s, SysBusDevice *host)
{
    DmabedSocPcie *pcie = &s->pcie;

    map_slice(s, "pcie-ecam", &pcie->ecam_mr, host, GPEX_ECAM, 0,
              pcie->ecam, ECAM_SIZE);
    map_slice(s, "pcie-mmio", &pcie->mmio_mr, host, GPEX_MMIO, pcie->mmio,
              pcie->mmio, pcie->mmio_size);
    if (pcie->high_mmio_size) {
        map_slice(s, "pcie-high-mmio", &pcie->high_mmio_mr, host, GPEX_MMIO,
                  pcie->high_mmio, pcie->high_mmio, pcie->high_mmio_size);
    }
}

static void create_msi_frame(DmabedSocState *s)
{
    DmabedSocPcie *pcie = &s->pcie;
    DeviceState *frame = qdev_new(TYPE_ARM_GICV2M);

    dmabed_soc_claim_range("pcie-msi", pcie->msi, MSI_FRAME_SIZE,
                           &error_fatal);
    qdev_prop_set_uint32(frame, "base-spi", pcie->msi_spi);
    qdev_prop_set_uint32(frame, "num-spi", pcie->msi_count);
    sysbus_realize_and_unref(SYS_BUS_DEVICE(frame), &error_fatal);
    sysbus_mmio_map(SYS_BUS_DEVICE(frame), 0, pcie->msi);
    for (unsigned i = 0; i < pcie->msi_count; i++) {
        sysbus_connect_irq(SYS_BUS_DEVICE(frame), i,
                           dmabed_soc_claim_spi(s, "pcie-msi-spi",
                                                pcie->msi_spi, i));
    }
}

static void create_host(DmabedSocState *s)
{
    DeviceState *dev = qdev_new(TYPE_GPEX_HOST);
    SysBusDevice *host = SYS_BUS_DEVICE(dev);

    sysbus_realize_and_unref(host, &error_fatal);
    map_host(s, host);
    for (unsigned i = 0; i < PCI_NUM_PINS; i++) {
        sysbus_connect_irq(host, i,
                           dmabed_soc_claim_spi(s, "pcie-spi",
                                                s->pcie.spi, i));
        gpex_set_irq_num(GPEX_HOST(dev), i, s->pcie.spi + i);
    }
    dmabed_soc_create_smmu(s, PCI_HOST_BRIDGE(dev)->bus);
}

/* Sizes are for aliases, of which none may be empty or wrap */
static void check_properties(const DmabedSocPcie *pcie)
{
    if (!pcie->mmio_size || pcie->mmio_size > 4 * GiB ||
        pcie->mmio > 4 * GiB - pcie->mmio_size) {
        error_setg(&error_fatal, "pcie-mmio: BARs of 32 bits need a window "
                   "below 4 GiB, but this is 0x%" PRIx64 " bytes at 0x%"
                   PRIx64, pcie->mmio_size, pcie->mmio);
    }
    if (pcie->msi_count < 1 || pcie->msi_count > DMABED_SOC_MAX_MSI) {
        error_setg(&error_fatal, "pcie-msi-count: %u is out of range; allowed "
                   "are 1...%d", pcie->msi_count, DMABED_SOC_MAX_MSI);
    }
}

void dmabed_soc_create_pcie(DmabedSocState *s)
{
    if (s->pcie.ecam == DMABED_SOC_NO_PCIE) {
        return;
    }
    check_properties(&s->pcie);
    /* Before any device asks whether messages get anywhere */
    create_msi_frame(s);
    create_host(s);
}

void dmabed_soc_add_pcie_properties(DmabedSocState *s)
{
    DmabedSocPcie *pcie = &s->pcie;
    Object *obj = OBJECT(s);

    dmabed_soc_add_u64(obj, "pcie-ecam", &pcie->ecam, DMABED_SOC_NO_PCIE,
                       "address of PCI Express configuration space; without "
                       "it there is no PCI Express");
    dmabed_soc_add_u64(obj, "pcie-mmio", &pcie->mmio, 0,
                       "address of the window for 32-bit BARs");
    dmabed_soc_add_u64(obj, "pcie-mmio-size", &pcie->mmio_size, 0,
                       "its bytes");
    dmabed_soc_add_u64(obj, "pcie-high-mmio", &pcie->high_mmio, 0,
                       "address of the window for 64-bit prefetchable BARs");
    dmabed_soc_add_u64(obj, "pcie-high-mmio-size", &pcie->high_mmio_size, 0,
                       "its bytes; 0: no such window");
    dmabed_soc_add_u32(obj, "pcie-spi", &pcie->spi, 0,
                       "SPI of INTA; INTB to INTD follow");
    dmabed_soc_add_u64(obj, "pcie-msi", &pcie->msi, 0,
                       "address of the GICv2m frame");
    dmabed_soc_add_u32(obj, "pcie-msi-spi", &pcie->msi_spi, 0,
                       "first SPI of the GICv2m frame");
    dmabed_soc_add_u32(obj, "pcie-msi-count", &pcie->msi_count, 0,
                       "number of its SPIs");
    dmabed_soc_add_u64(obj, "pcie-smmu", &pcie->smmu, DMABED_SOC_NO_SMMU,
                       "address of an SMMUv3 before memory; without it there "
                       "is none");
    dmabed_soc_add_u32(obj, "pcie-smmu-spi", &pcie->smmu_spi, 0,
                       "first of its four SPIs");
}
