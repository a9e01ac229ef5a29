/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed: the bus that a master sees, an engine or a media block.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "exec/address-spaces.h"
#include "hw/dma/dmabed_bus.h"
#include "hw/dma/dmabed_ranges.h"

#define MIN_ADDR_BITS 24
#define MAX_ADDR_BITS 64

/* ---- properties ---- */

bool dmabed_bus_check_addr_bits(const char *name, uint32_t bits,
                                Error **errp)
{
    if (bits >= MIN_ADDR_BITS && bits <= MAX_ADDR_BITS) {
        return true;
    }
    error_setg(errp, "%s: %u is out of range; allowed are %d...%d", name, bits,
               MIN_ADDR_BITS, MAX_ADDR_BITS);
    return false;
}

/* What the windows lead to: an IOMMU, what "dma" names, or all of RAM */
static bool find_memory(DmabedBus *bus, Object *master, const char *name,
                        Error **errp)
{
    MemoryRegion *memory = get_system_memory();

    if (bus->iommu && bus->memory) {
        error_setg(errp, "iommu: not together with dma, which leads past it");
        return false;
    }
    if (bus->iommu) {
        memory = dmabed_iommu_attach(bus->iommu, name);
    }
    if (!bus->memory) {
        object_property_set_link(master, "dma", OBJECT(memory), &error_abort);
    }
    return true;
}

uint64_t dmabed_bus_mask(const DmabedBus *bus)
{
    return MAKE_64BIT_MASK(0, bus->addr_bits);
}

/* ---- windows ---- */

/* Without any there is one, which is everything */
static unsigned count_windows(const DmabedBus *bus)
{
    return MAX(bus->num_ranges / DMABED_RANGE_NUMBERS, 1);
}

static DmabedRange window(const DmabedBus *bus, unsigned i)
{
    return bus->num_ranges ? dmabed_range(bus->ranges, i)
                           : (DmabedRange) { .size = UINT64_MAX };
}

static void add_windows(DmabedBus *bus, Object *owner)
{
    bus->windows = g_new0(MemoryRegion, count_windows(bus));
    for (unsigned i = 0; i < count_windows(bus); i++) {
        DmabedRange w = window(bus, i);

        memory_region_init_alias(&bus->windows[i], owner, "dmabed-bus.window",
                                 bus->memory, w.cpu, w.size);
        memory_region_add_subregion(&bus->root, w.bus, &bus->windows[i]);
    }
}

/* ---- life ---- */

bool dmabed_bus_init(DmabedBus *bus, Object *master, Object *owner,
                     const char *name, Error **errp)
{
    if (!dmabed_bus_check_addr_bits("addr-bits", bus->addr_bits, errp) ||
        !dmabed_ranges_check(bus->ranges, bus->num_ranges, errp) ||
        !find_memory(bus, master, name, errp)) {
        return false;
    }
    /* UINT64_MAX stands for all of 64 bits, see memory_region_init() */
    memory_region_init(&bus->root, owner, "dmabed-bus.root",
                       bus->addr_bits == 64 ? UINT64_MAX
                                            : dmabed_bus_mask(bus) + 1);
    add_windows(bus, owner);
    address_space_init(&bus->as, &bus->root, name);
    return true;
}

/* A region holds a reference to the owner of what is in it: here, its own */
void dmabed_bus_fini(DmabedBus *bus)
{
    for (unsigned i = 0; i < count_windows(bus); i++) {
        memory_region_del_subregion(&bus->root, &bus->windows[i]);
        /* An alias may go at any time; its memory goes before its owner's */
        object_unparent(OBJECT(&bus->windows[i]));
    }
    address_space_destroy(&bus->as);
}

void dmabed_bus_free(DmabedBus *bus)
{
    g_free(bus->windows);
    g_free(bus->ranges);
}

/* ---- moving bytes ---- */

bool dmabed_bus_read(DmabedBus *bus, uint64_t address, void *data,
                     uint64_t length)
{
    return address_space_read(&bus->as, address, DMABED_BUS_RAM_ONLY, data,
                              length) == MEMTX_OK;
}

bool dmabed_bus_write(DmabedBus *bus, uint64_t address, const void *data,
                      uint64_t length)
{
    return address_space_write(&bus->as, address, DMABED_BUS_RAM_ONLY, data,
                               length) == MEMTX_OK;
}
