/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the IOMMUs of a dmabed machine share: masters, TLB, evidence.
 *
 * An IOMMU stands between DMA masters and the system's memory.  A master that
 * is to be behind one has a link to it among its properties
 * (DEFINE_PROP_DMABED_IOMMU) and, when it is realized, asks for the region
 * that it shall see in place of system memory: dmabed_iommu_attach().  All
 * else (aliases, windows, widths) it does with that region as with any other.
 * Masters of one IOMMU share its address space, and are told apart by name.
 *
 * The contract is docs/specs/rockchip-iommu.md of dmabed.
 */
#ifndef HW_DMA_DMABED_IOMMU_H
#define HW_DMA_DMABED_IOMMU_H

#include "exec/memory.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#include "migration/vmstate.h"

#define TYPE_DMABED_IOMMU "dmabed-iommu"
OBJECT_DECLARE_TYPE(DmabedIommuState, DmabedIommuClass, DMABED_IOMMU)

/* ---- for masters ---- */

#define DEFINE_PROP_DMABED_IOMMU(_state, _field)                             \
    DEFINE_PROP_LINK("iommu", _state, _field, TYPE_DMABED_IOMMU,             \
                     DmabedIommuState *)

/* What @master sees: IOVAs from 0 on; @master is its name in the evidence */
MemoryRegion *dmabed_iommu_attach(DmabedIommuState *s, const char *master);

/* ---- for the machine ---- */

#define DMABED_IOMMU_BASE_UNSET UINT64_MAX
#define DMABED_IOMMU_SPI_UNSET UINT32_MAX

/* ---- for the kinds of IOMMU ---- */

#define DMABED_IOMMU_IOVA_BITS 32
#define DMABED_IOMMU_PAGE_SIZE 0x1000u

/* Why an access is not translated; NONE: it is */
typedef enum DmabedIommuReason {
    DMABED_IOMMU_NONE,
    DMABED_IOMMU_NO_TABLE,      /* the directory has no table for it */
    DMABED_IOMMU_NO_PAGE,       /* the table has no page for it */
    DMABED_IOMMU_NOT_READABLE,
    DMABED_IOMMU_NOT_WRITABLE,
    DMABED_IOMMU_BUS_ERROR,     /* nobody answers where a table should be */
    DMABED_IOMMU_REASONS,
} DmabedIommuReason;

typedef struct DmabedIommuEntry {
    bool valid;
    uint32_t iova;              /* of its page */
    uint32_t pte;               /* as it stands in the table */
    uint64_t page;              /* where that is, as the table says */
    uint32_t perm;              /* IOMMU_RO, IOMMU_WO */
} DmabedIommuEntry;

typedef struct DmabedIommuFault {
    DmabedIommuReason reason;
    uint32_t iova;
    bool is_write;
    unsigned master;            /* in the order of their attaching */
    uint32_t pte;               /* that lacks the permission */
} DmabedIommuFault;

typedef struct DmabedIommuEvidence DmabedIommuEvidence;

struct DmabedIommuState {
    SysBusDevice parent_obj;

    MemoryRegion regs;          /* the kind's own */
    qemu_irq irq;
    char *name;
    GPtrArray *masters;

    /* properties */
    uint64_t mmio_base;
    uint32_t spi;
    uint32_t output_bits;
    uint32_t tlb_entries;

    /* what it remembers of its tables */
    DmabedIommuEntry *tlb;
    uint32_t tlb_next;          /* the entry that is filled next */
    bool ignore_zap;            /* the host's: nothing empties the TLB */

    /* of the walk under way: a table's address that lost lines, 0: none did */
    uint64_t cut_table;

    DmabedIommuEvidence *evidence;
};

struct DmabedIommuClass {
    SysBusDeviceClass parent_class;

    /* Bytes of registers, a power of 2 at a multiple of which they are */
    uint32_t mmio_size;
    /* Is translation on?  If not, IOVAs are addresses */
    bool (*paging)(DmabedIommuState *s);
    /* Looks a page up in the tables; leaves ->valid and ->iova alone */
    DmabedIommuReason (*walk)(DmabedIommuState *s, uint32_t iova,
                              DmabedIommuEntry *entry);
    /* An access was refused: registers and interrupt */
    void (*fault)(DmabedIommuState *s, const DmabedIommuFault *fault);
    /* The most that @output_bits may be */
    uint32_t (*max_output_bits)(DmabedIommuState *s);
};

/* An entry of a table in memory; false: nobody answers there */
bool dmabed_iommu_read_table(DmabedIommuState *s, uint64_t address,
                             uint32_t *entry);
void dmabed_iommu_zap_page(DmabedIommuState *s, uint32_t iova);
void dmabed_iommu_zap_all(DmabedIommuState *s);
void G_GNUC_PRINTF(2, 3) dmabed_iommu_guest_error(DmabedIommuState *s,
                                                  const char *format, ...);

extern const VMStateDescription vmstate_dmabed_iommu;

#define VMSTATE_DMABED_IOMMU(_field, _state)                                 \
    VMSTATE_STRUCT(_field, _state, 1, vmstate_dmabed_iommu, DmabedIommuState)

#endif /* HW_DMA_DMABED_IOMMU_H */
