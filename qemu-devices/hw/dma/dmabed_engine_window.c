/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: the engine's own address space.
 *
 * A container as large as the engine's address lines reach holds one alias
 * for each window of its bus.  What lies outside of a window or beyond the
 * lines is not there, and an access fails by itself.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "exec/address-spaces.h"
#include "hw/dma/dmabed_ranges.h"
#include "dmabed_engine_internal.h"

/* Bytes only ever go to RAM, never to registers, the engine's own included */
static const MemTxAttrs ram_only = { .memory = 1 };

static void add_window(DmabedEngineState *s, MemoryRegion *alias,
                       DmabedRange w)
{
    memory_region_init_alias(alias, dmabed_engine_owner(s),
                             "dmabed-engine.window", s->dma_mr, w.cpu, w.size);
    memory_region_add_subregion(&s->dma_root, w.bus, alias);
}

/* What the windows lead to: an IOMMU, what the front end gave, or all of RAM */
static bool find_memory(DmabedEngineState *s, Error **errp)
{
    MemoryRegion *memory = get_system_memory();

    if (s->iommu && s->dma_mr) {
        error_setg(errp, "iommu: not together with dma, which leads past it");
        return false;
    }
    if (s->iommu) {
        memory = dmabed_iommu_attach(s->iommu, s->name);
    }
    if (!s->dma_mr) {
        object_property_set_link(OBJECT(s), "dma", OBJECT(memory),
                                 &error_abort);
    }
    return true;
}

uint64_t dmabed_window_mask(const DmabedEngineState *s)
{
    return MAKE_64BIT_MASK(0, s->addr_bits);
}

bool dmabed_window_init(DmabedEngineState *s, Error **errp)
{
    unsigned windows = s->num_dma_ranges / DMABED_RANGE_NUMBERS;
    const DmabedRange everything = { .size = UINT64_MAX };

    if (!dmabed_ranges_check(s->dma_ranges, s->num_dma_ranges, errp) ||
        !find_memory(s, errp)) {
        return false;
    }
    /* UINT64_MAX stands for all of 64 bits, see memory_region_init() */
    memory_region_init(&s->dma_root, dmabed_engine_owner(s),
                       "dmabed-engine.dma",
                       s->addr_bits == 64 ? UINT64_MAX
                                          : dmabed_window_mask(s) + 1);
    s->dma_windows = g_new0(MemoryRegion, MAX(windows, 1));
    for (unsigned i = 0; i < windows; i++) {
        add_window(s, &s->dma_windows[i], dmabed_range(s->dma_ranges, i));
    }
    if (windows == 0) {
        add_window(s, &s->dma_windows[0], everything);
    }
    address_space_init(&s->dma_as, &s->dma_root, s->name);
    return true;
}

/* A region holds a reference to the owner of what is in it: here, its own */
static void empty_root(DmabedEngineState *s)
{
    unsigned windows = MAX(s->num_dma_ranges / DMABED_RANGE_NUMBERS, 1);

    for (unsigned i = 0; i < windows; i++) {
        memory_region_del_subregion(&s->dma_root, &s->dma_windows[i]);
        /* An alias may go at any time; its memory goes before its owner's */
        object_unparent(OBJECT(&s->dma_windows[i]));
    }
    if (memory_region_is_mapped(&s->local_window)) {
        memory_region_del_subregion(&s->dma_root, &s->local_window);
    }
}

void dmabed_window_fini(DmabedEngineState *s)
{
    empty_root(s);
    address_space_destroy(&s->dma_as);
}

uint64_t dmabed_window_reach(DmabedEngineState *s, uint64_t bus,
                             uint64_t length, bool is_write)
{
    hwaddr reach = length, offset;
    MemoryRegion *mr;

    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(&s->dma_as, bus, &offset, &reach, is_write,
                                 ram_only);
    if (!memory_region_is_ram(mr) || (is_write && mr->readonly)) {
        return 0;
    }
    return reach;
}

bool dmabed_window_read(DmabedEngineState *s, uint64_t bus, void *data,
                        uint64_t length)
{
    return address_space_read(&s->dma_as, bus, ram_only, data,
                              length) == MEMTX_OK;
}

bool dmabed_window_find(DmabedEngineState *s, uint64_t bus, bool is_write,
                        uint64_t *system)
{
    IOMMUTLBEntry entry;

    RCU_READ_LOCK_GUARD();
    entry = address_space_get_iotlb_entry(&s->dma_as, bus, is_write, ram_only);
    /* It is ours as long as no IOMMU has led it on to another one */
    if (entry.target_as == &s->dma_as || entry.perm == IOMMU_NONE) {
        return false;
    }
    *system = entry.translated_addr + (bus & entry.addr_mask);
    return true;
}

bool dmabed_window_write(DmabedEngineState *s, uint64_t bus, const void *data,
                         uint64_t length)
{
    return address_space_write(&s->dma_as, bus, ram_only, data,
                               length) == MEMTX_OK;
}
