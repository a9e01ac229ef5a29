/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed-soc: an arm64 machine whose map is given on the command line.
 *
 * The contract is docs/specs/dmabed-soc.md of dmabed.
 */
#ifndef HW_ARM_DMABED_SOC_H
#define HW_ARM_DMABED_SOC_H

#include "hw/arm/boot.h"
#include "hw/boards.h"
#include "hw/pci/pci.h"
#include "qemu/bitmap.h"
#include "qom/object.h"

#define TYPE_DMABED_SOC MACHINE_TYPE_NAME("dmabed-soc")
OBJECT_DECLARE_SIMPLE_TYPE(DmabedSocState, DMABED_SOC)

/* SPIs of the interrupt controller; a layout may use 0 up to this, exclusive */
#define DMABED_SOC_NUM_SPI 224
#define DMABED_SOC_MAX_BANKS 8
#define DMABED_SOC_MAX_CPUS 8
#define DMABED_SOC_MAX_VIRTIO 32
#define DMABED_SOC_MAX_MSI 64
/* pcie-ecam of a machine without PCI Express */
#define DMABED_SOC_NO_PCIE UINT64_MAX
/* pcie-smmu of PCI Express without one */
#define DMABED_SOC_NO_SMMU UINT64_MAX
/* Event queue, PRI queue, command sync, global error */
#define DMABED_SOC_SMMU_IRQS 4

typedef struct DmabedSocBank {
    uint64_t base;
    uint64_t size;
    MemoryRegion ram;           /* this bank's slice of the machine's memory */
} DmabedSocBank;

/* Properties pcie-*, and what they are mapped by */
typedef struct DmabedSocPcie {
    uint64_t ecam;
    uint64_t mmio;
    uint64_t mmio_size;
    uint64_t high_mmio;
    uint64_t high_mmio_size;
    uint32_t spi;
    uint64_t msi;
    uint32_t msi_spi;
    uint32_t msi_count;
    uint64_t smmu;
    uint32_t smmu_spi;
    MemoryRegion ecam_mr;
    MemoryRegion mmio_mr;
    MemoryRegion high_mmio_mr;
} DmabedSocPcie;

struct DmabedSocState {
    MachineState parent_obj;

    struct arm_boot_info boot;
    DeviceState *gic;
    DECLARE_BITMAP(spi_used, DMABED_SOC_NUM_SPI);

    /* machine properties */
    char *ram_banks;
    uint64_t gic_dist_base;
    uint64_t gic_redist_base;
    uint64_t uart_base;
    uint32_t uart_spi;
    uint64_t virtio_base;
    uint32_t virtio_spi;
    uint32_t virtio_count;
    DmabedSocPcie pcie;

    /* ram-banks, taken apart */
    unsigned num_banks;
    DmabedSocBank banks[DMABED_SOC_MAX_BANKS];
};

/* ---- for the parts ---- */

/* Whether nothing else is there; @what is the property that is to blame */
bool dmabed_soc_claim_range(const char *what, uint64_t base, uint64_t size,
                            Error **errp);
/* Whether @spi exists and is free */
bool dmabed_soc_check_spi(DmabedSocState *s, const char *what, uint32_t spi,
                          Error **errp);
/* The input for SPI @first + @index, which @what has for itself from now on */
qemu_irq dmabed_soc_claim_spi(DmabedSocState *s, const char *what,
                              uint32_t first, unsigned index);

void dmabed_soc_add_u64(Object *obj, const char *name, uint64_t *field,
                        uint64_t value, const char *description);
void dmabed_soc_add_u32(Object *obj, const char *name, uint32_t *field,
                        uint32_t value, const char *description);

void dmabed_soc_add_pcie_properties(DmabedSocState *s);
/* Nothing without pcie-ecam */
void dmabed_soc_create_pcie(DmabedSocState *s);

/* Nothing without pcie-smmu; before anything is on @bus */
void dmabed_soc_create_smmu(DmabedSocState *s, PCIBus *bus);

void dmabed_soc_iommu_plug(DmabedSocState *s, DeviceState *dev);

#endif /* HW_ARM_DMABED_SOC_H */
