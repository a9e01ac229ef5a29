/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: the engine's view of its bus, with its own memory in it.
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "dmabed_engine_internal.h"

bool dmabed_window_init(DmabedEngineState *s, Error **errp)
{
    return dmabed_bus_init(&s->bus, OBJECT(s), dmabed_engine_owner(s), s->name,
                           errp);
}

void dmabed_window_fini(DmabedEngineState *s)
{
    /* A region holds a reference to the owner of what is in it */
    if (memory_region_is_mapped(&s->local_window)) {
        memory_region_del_subregion(&s->bus.root, &s->local_window);
    }
    dmabed_bus_fini(&s->bus);
}

uint64_t dmabed_window_reach(DmabedEngineState *s, uint64_t bus,
                             uint64_t length, bool is_write)
{
    hwaddr reach = length, offset;
    MemoryRegion *mr;

    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(&s->bus.as, bus, &offset, &reach, is_write,
                                 DMABED_BUS_RAM_ONLY);
    if (!memory_region_is_ram(mr) || (is_write && mr->readonly)) {
        return 0;
    }
    return reach;
}

bool dmabed_window_find(DmabedEngineState *s, uint64_t bus, bool is_write,
                        uint64_t *system)
{
    IOMMUTLBEntry entry;

    RCU_READ_LOCK_GUARD();
    entry = address_space_get_iotlb_entry(&s->bus.as, bus, is_write,
                                          DMABED_BUS_RAM_ONLY);
    /* It is ours as long as no IOMMU has led it on to another one */
    if (entry.target_as == &s->bus.as || entry.perm == IOMMU_NONE) {
        return false;
    }
    *system = entry.translated_addr + (bus & entry.addr_mask);
    return true;
}
