/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed IOMMUs: translations that are kept until they are zapped.
 *
 * A real TLB, so that software which forgets to zap is seen to go wrong.  Any
 * entry holds any page, and the one that was filled first goes first: so the
 * last pages are there for certain, and a test does not depend on addresses.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "dmabed_iommu_internal.h"
#include "trace.h"

#define MAX_ENTRIES 4096

bool dmabed_iommu_tlb_init(DmabedIommuState *s, Error **errp)
{
    if (s->tlb_entries > MAX_ENTRIES) {
        error_setg(errp, "tlb: %u is out of range; allowed are 0...%d",
                   s->tlb_entries, MAX_ENTRIES);
        return false;
    }
    s->tlb = g_new0(DmabedIommuEntry, MAX(s->tlb_entries, 1));
    return true;
}

void dmabed_iommu_tlb_fini(DmabedIommuState *s)
{
    g_clear_pointer(&s->tlb, g_free);
}

DmabedIommuEntry *dmabed_iommu_tlb_find(DmabedIommuState *s, uint32_t iova)
{
    for (uint32_t i = 0; i < s->tlb_entries; i++) {
        DmabedIommuEntry *entry = &s->tlb[i];

        if (entry->valid && entry->iova == iova) {
            return entry;
        }
    }
    return NULL;
}

void dmabed_iommu_tlb_keep(DmabedIommuState *s, const DmabedIommuEntry *entry)
{
    if (s->tlb_entries) {
        s->tlb[s->tlb_next] = *entry;
        s->tlb_next = (s->tlb_next + 1) % s->tlb_entries;
    }
}

void dmabed_iommu_tlb_reset(DmabedIommuState *s)
{
    memset(s->tlb, 0, s->tlb_entries * sizeof(*s->tlb));
    s->tlb_next = 0;
}

/* Does the host let a zap happen? */
static bool may_zap(DmabedIommuState *s)
{
    if (s->ignore_zap) {
        dmabed_iommu_count(s, DMABED_IOMMU_IGNORED_ZAPS);
    }
    return !s->ignore_zap;
}

void dmabed_iommu_zap_page(DmabedIommuState *s, uint32_t iova)
{
    uint32_t page = iova & ~(DMABED_IOMMU_PAGE_SIZE - 1);
    DmabedIommuEntry *entry = dmabed_iommu_tlb_find(s, page);

    trace_dmabed_iommu_zap(s->name, page);
    dmabed_iommu_count(s, DMABED_IOMMU_ZAPPED_PAGES);
    if (may_zap(s) && entry) {
        entry->valid = false;
    }
}

void dmabed_iommu_zap_all(DmabedIommuState *s)
{
    trace_dmabed_iommu_zap_all(s->name);
    dmabed_iommu_count(s, DMABED_IOMMU_ZAPPED_ALL);
    if (may_zap(s)) {
        dmabed_iommu_tlb_reset(s);
    }
}
