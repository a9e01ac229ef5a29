/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus that a master of dmabed sees: an address space of its own.
 *
 * A container as large as the master's address lines reach holds one alias
 * for each window.  What lies outside of a window or beyond the lines is not
 * there, and an access fails by itself.
 */
#ifndef HW_DMA_DMABED_BUS_H
#define HW_DMA_DMABED_BUS_H

#include "exec/memory.h"
#include "hw/dma/dmabed_iommu.h"
#include "hw/qdev-properties.h"

typedef struct DmabedBus {
    /* properties of the master */
    uint32_t addr_bits;
    uint32_t num_ranges;        /* numbers, three a window */
    uint64_t *ranges;
    MemoryRegion *memory;       /* what the windows lead to */
    DmabedIommuState *iommu;

    /* what follows from them */
    MemoryRegion root;
    MemoryRegion *windows;
    AddressSpace as;
} DmabedBus;

/* Properties of a master, beside "addr-bits" and DEFINE_PROP_DMABED_IOMMU() */
#define DEFINE_PROP_DMABED_RANGES(_state, _bus)                              \
    DEFINE_PROP_ARRAY("dma-ranges", _state, _bus.num_ranges, _bus.ranges,    \
                      qdev_prop_uint64, uint64_t)
#define DEFINE_PROP_DMABED_MEMORY(_state, _bus)                              \
    DEFINE_PROP_LINK("dma", _state, _bus.memory, TYPE_MEMORY_REGION,         \
                     MemoryRegion *)

/* Bytes only ever go to RAM, never to registers, the master's own included */
#define DMABED_BUS_RAM_ONLY ((MemTxAttrs) { .memory = 1 })

/* Whether @bits is a width that a master may have; @name is the property's */
bool dmabed_bus_check_addr_bits(const char *name, uint32_t bits,
                                Error **errp);

/*
 * Checks the properties and makes the address space.  @master has the
 * properties, @owner is what holds on to the regions keep alive, @name is
 * what an IOMMU and "info mtree" know the master by.
 */
bool dmabed_bus_init(DmabedBus *bus, Object *master, Object *owner,
                     const char *name, Error **errp);

/* For a master that can be unplugged: takes the windows apart */
void dmabed_bus_fini(DmabedBus *bus);

/* Frees what the properties and dmabed_bus_init() allocated */
void dmabed_bus_free(DmabedBus *bus);

/* The address lines that there are */
uint64_t dmabed_bus_mask(const DmabedBus *bus);

/* False: nobody answers at some of it */
bool dmabed_bus_read(DmabedBus *bus, uint64_t address, void *data,
                     uint64_t length);
bool dmabed_bus_write(DmabedBus *bus, uint64_t address, const void *data,
                      uint64_t length);

#endif /* HW_DMA_DMABED_BUS_H */
