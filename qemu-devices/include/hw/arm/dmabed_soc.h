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
#include "qemu/bitmap.h"
#include "qom/object.h"

#define TYPE_DMABED_SOC MACHINE_TYPE_NAME("dmabed-soc")
OBJECT_DECLARE_SIMPLE_TYPE(DmabedSocState, DMABED_SOC)

/* SPIs of the interrupt controller; a layout may use 0 up to this, exclusive */
#define DMABED_SOC_NUM_SPI 224
#define DMABED_SOC_MAX_BANKS 8
#define DMABED_SOC_MAX_CPUS 8
#define DMABED_SOC_MAX_VIRTIO 32

typedef struct DmabedSocBank {
    uint64_t base;
    uint64_t size;
    MemoryRegion ram;           /* this bank's slice of the machine's memory */
} DmabedSocBank;

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

    /* ram-banks, taken apart */
    unsigned num_banks;
    DmabedSocBank banks[DMABED_SOC_MAX_BANKS];
};

#endif /* HW_ARM_DMABED_SOC_H */
