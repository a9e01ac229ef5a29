/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the dmabed IOMMUs offer each other.
 *
 *   dmabed_iommu            the object, and translation
 *   dmabed_iommu_tlb        translations that are kept
 *   dmabed_iommu_evidence   what the host reads
 *   dmabed_rk_iommu         registers and tables of Rockchip's
 */
#ifndef HW_DMA_DMABED_IOMMU_INTERNAL_H
#define HW_DMA_DMABED_IOMMU_INTERNAL_H

#include "hw/dma/dmabed_iommu.h"

/* ---- TLB ---- */

bool dmabed_iommu_tlb_init(DmabedIommuState *s, Error **errp);
void dmabed_iommu_tlb_fini(DmabedIommuState *s);
/* The entry for a page, NULL: it is not kept */
DmabedIommuEntry *dmabed_iommu_tlb_find(DmabedIommuState *s, uint32_t iova);
void dmabed_iommu_tlb_keep(DmabedIommuState *s, const DmabedIommuEntry *entry);
/* As at power on, whatever the host wants */
void dmabed_iommu_tlb_reset(DmabedIommuState *s);

/* ---- evidence ---- */

/* What the hardware does and should not have to */
typedef enum DmabedIommuViolation {
    DMABED_IOMMU_STALE,         /* a kept translation is not the table's */
    DMABED_IOMMU_OUTPUT_WIDTH,  /* address lines that are not there */
    DMABED_IOMMU_VIOLATIONS,
} DmabedIommuViolation;

typedef struct DmabedIommuUse {
    const char *master;
    uint32_t iova;              /* of the page */
    bool is_write;
    uint64_t used;              /* where the access goes */
    uint64_t table;             /* where the table says, UINT64_MAX: nowhere */
} DmabedIommuUse;

/* Counters, as the property "evidence" has them */
typedef enum DmabedIommuCount {
    DMABED_IOMMU_HITS,
    DMABED_IOMMU_WALKS,
    DMABED_IOMMU_UNTRANSLATED,
    DMABED_IOMMU_ZAPPED_PAGES,
    DMABED_IOMMU_ZAPPED_ALL,
    DMABED_IOMMU_IGNORED_ZAPS,
    DMABED_IOMMU_GUEST_ERRORS,
    DMABED_IOMMU_COUNTS,
} DmabedIommuCount;

void dmabed_iommu_evidence_add_property(Object *obj);
void dmabed_iommu_evidence_init(DmabedIommuState *s);
void dmabed_iommu_evidence_fini(DmabedIommuState *s);
void dmabed_iommu_evidence_clear(DmabedIommuState *s);
void dmabed_iommu_count(DmabedIommuState *s, DmabedIommuCount what);
void dmabed_iommu_record_fault(DmabedIommuState *s,
                               const DmabedIommuFault *fault,
                               const char *master);
void dmabed_iommu_record_violation(DmabedIommuState *s,
                                   DmabedIommuViolation kind,
                                   const DmabedIommuUse *use);
const char *dmabed_iommu_reason_name(DmabedIommuReason reason);
const char *dmabed_iommu_violation_name(DmabedIommuViolation kind);

#endif /* HW_DMA_DMABED_IOMMU_INTERNAL_H */
