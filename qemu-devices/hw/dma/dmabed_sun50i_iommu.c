/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IOMMU that Linux's sun50i-iommu drives: registers and tables.
 *
 * The one of Allwinner's H6 and H616.  Two levels of 4096 and 256 entries of
 * 4 bytes map 4 GiB of IOVAs by pages of 4 KiB; addresses have 32 bits on both
 * sides.  It is on from the driver's first attach to the end.
 *
 * Registers and entries: Linux, drivers/iommu/sun50i-iommu.c:31-91 and
 * 144-285.  The contract is docs/specs/sun50i-iommu.md of dmabed.
 */
#include "qemu/osdep.h"
#include "hw/irq.h"
#include "dmabed_iommu_internal.h"
#include "trace.h"

#define TYPE_DMABED_SUN50I_IOMMU "dmabed-sun50i-iommu"
OBJECT_DECLARE_TYPE(DmabedSun50iIommuState, DmabedSun50iIommuClass,
                    DMABED_SUN50I_IOMMU)

/* ---- registers ---- */

#define R_RESET 0x10
#define R_ENABLE 0x20
#define   ENABLE_ON 1u
#define R_BYPASS 0x30
#define R_TTB 0x50
#define R_TLB_FLUSH 0x80
#define R_IVLD_ADDR 0x90
#define R_IVLD_MASK 0x94
#define R_IVLD_ENABLE 0x98
#define R_PC_IVLD_ENABLE 0xa8
#define R_DM_AUT(domain) (0xb0 + (domain) / 2 * 4)
#define R_INT_ENABLE 0x100
#define R_INT_CLR 0x104
#define R_INT_STA 0x108
#define R_ERR_ADDR(master) (0x110 + (master) * 4)
#define R_ERR_ADDR_L1 0x130
#define R_ERR_ADDR_L2 0x134
#define R_ERR_DATA(master) (0x150 + (master) * 4)
#define R_L1PG_INT 0x180
#define R_L2PG_INT 0x184
#define   INT_INVALID_L1 (1u << 16)
#define   INT_INVALID_L2 (1u << 17)
#define NUM_REGS (R_L2PG_INT / 4 + 1)

/* Its line of the SoC's reset controller: 1 lets it run */
#define R_RESET_LINE 0xf00
#define   RESET_LINE_RUN 1u
#define MMIO_SIZE 0x1000

#define MASTERS 6
#define ALL_MASTERS ((1u << MASTERS) - 1)
#define PAGE_MASK_ALL 0xfffff000
#define OUTPUT_BITS 32

struct DmabedSun50iIommuState {
    DmabedIommuState parent_obj;

    uint32_t regs[NUM_REGS];
    uint32_t reset_line;
};

struct DmabedSun50iIommuClass {
    DmabedIommuClass parent_class;

    ResettablePhases parent_phases;
    DeviceRealize parent_realize;
};

static uint32_t *reg(DmabedSun50iIommuState *s, unsigned offset)
{
    return &s->regs[offset / 4];
}

/* ---- tables ---- */

#define DTE_VALID 1u
#define PTE_VALID (1u << 1)

/*
 * What a domain allows.  It is told for each master; the driver tells the same
 * for all, and that of the first counts here.
 */
static uint32_t domain_perm(DmabedSun50iIommuState *s, unsigned domain)
{
    uint32_t denied = *reg(s, R_DM_AUT(domain)) >> (domain % 2 * 16);

    return (denied & 1 ? 0 : IOMMU_RO) | (denied & 2 ? 0 : IOMMU_WO);
}

static DmabedIommuReason sun50i_walk(DmabedIommuState *iommu, uint32_t iova,
                                     DmabedIommuEntry *entry)
{
    DmabedSun50iIommuState *s = DMABED_SUN50I_IOMMU(iommu);
    uint64_t at = (uint64_t)*reg(s, R_TTB) + extract32(iova, 20, 12) * 4;
    uint32_t dte, pte;

    if (!dmabed_iommu_read_table(iommu, at, &dte)) {
        return DMABED_IOMMU_BUS_ERROR;
    }
    if (extract32(dte, 0, 2) != DTE_VALID) {
        return DMABED_IOMMU_NO_TABLE;
    }
    at = (dte & 0xfffffc00) + extract32(iova, 12, 8) * 4;
    if (!dmabed_iommu_read_table(iommu, at, &pte)) {
        return DMABED_IOMMU_BUS_ERROR;
    }
    if (!(pte & PTE_VALID)) {
        return DMABED_IOMMU_NO_PAGE;
    }
    entry->pte = pte;
    entry->page = pte & PAGE_MASK_ALL;
    entry->perm = domain_perm(s, extract32(pte, 4, 4));
    return DMABED_IOMMU_NONE;
}

static bool sun50i_paging(DmabedIommuState *iommu)
{
    DmabedSun50iIommuState *s = DMABED_SUN50I_IOMMU(iommu);

    return (*reg(s, R_ENABLE) & ENABLE_ON) &&
           !(*reg(s, R_BYPASS) & ALL_MASTERS);
}

/* ---- interrupt and faults ---- */

static void update_irq(DmabedSun50iIommuState *s)
{
    qemu_set_irq(s->parent_obj.irq,
                 !!(*reg(s, R_INT_STA) & *reg(s, R_INT_ENABLE)));
}

/* A table that nobody answers for is an invalid one */
static void sun50i_fault(DmabedIommuState *iommu,
                         const DmabedIommuFault *fault)
{
    DmabedSun50iIommuState *s = DMABED_SUN50I_IOMMU(iommu);
    unsigned master = MIN(fault->master, MASTERS - 1);

    switch (fault->reason) {
    case DMABED_IOMMU_NO_TABLE:
    case DMABED_IOMMU_BUS_ERROR:
        *reg(s, R_INT_STA) |= INT_INVALID_L1;
        *reg(s, R_ERR_ADDR_L1) = fault->iova;
        *reg(s, R_L1PG_INT) |= 1u << master;
        break;
    case DMABED_IOMMU_NO_PAGE:
        *reg(s, R_INT_STA) |= INT_INVALID_L2;
        *reg(s, R_ERR_ADDR_L2) = fault->iova;
        *reg(s, R_L2PG_INT) |= 1u << master;
        break;
    default:
        *reg(s, R_INT_STA) |= 1u << master;
        *reg(s, R_ERR_ADDR(master)) = fault->iova;
        *reg(s, R_ERR_DATA(master)) = fault->pte;
    }
    update_irq(s);
}

/* ---- accesses ---- */

static void reset_registers(DmabedSun50iIommuState *s)
{
    memset(s->regs, 0, sizeof(s->regs));
    *reg(s, R_RESET) = UINT32_MAX;
}

/* A mask that leaves bits out means many pages: then all go */
static void invalidate(DmabedSun50iIommuState *s)
{
    if (*reg(s, R_IVLD_MASK) == PAGE_MASK_ALL) {
        dmabed_iommu_zap_page(DMABED_IOMMU(s), *reg(s, R_IVLD_ADDR));
    } else {
        dmabed_iommu_zap_all(DMABED_IOMMU(s));
    }
}

static void write_reset_line(DmabedSun50iIommuState *s, uint32_t value)
{
    s->reset_line = value & RESET_LINE_RUN;
    if (!s->reset_line) {
        reset_registers(s);
        dmabed_iommu_zap_all(DMABED_IOMMU(s));
    }
}

static uint64_t sun50i_read(void *opaque, hwaddr offset, unsigned size)
{
    DmabedSun50iIommuState *s = opaque;

    if (offset == R_RESET_LINE) {
        return s->reset_line;
    }
    if (offset > R_L2PG_INT) {
        dmabed_iommu_guest_error(DMABED_IOMMU(s), "read of offset 0x%x",
                                 (unsigned)offset);
        return 0;
    }
    return *reg(s, offset);
}

/* Writes that do something; what asks for work reads 0 when it is done */
static bool write_command(DmabedSun50iIommuState *s, hwaddr offset,
                          uint32_t value)
{
    switch (offset) {
    case R_TLB_FLUSH:
        dmabed_iommu_zap_all(DMABED_IOMMU(s));
        return true;
    case R_IVLD_ENABLE:
        if (value & 1) {
            invalidate(s);
        }
        return true;
    case R_PC_IVLD_ENABLE:      /* it keeps no tables apart from pages */
        return true;
    case R_INT_CLR:
        *reg(s, R_INT_STA) &= ~value;
        return true;
    case R_RESET:               /* of masters: a bit of 0 */
        *reg(s, R_L1PG_INT) &= value;
        *reg(s, R_L2PG_INT) &= value;
        return false;
    default:
        return false;
    }
}

/* INT_STA and all that tells of a fault; INT_CLR and RESET clear it */
static bool is_read_only(hwaddr offset)
{
    return offset >= R_INT_STA && offset <= R_L2PG_INT;
}

static void sun50i_write(void *opaque, hwaddr offset, uint64_t value,
                         unsigned size)
{
    DmabedSun50iIommuState *s = opaque;

    if (offset == R_RESET_LINE) {
        write_reset_line(s, value);
    } else if (offset > R_L2PG_INT || is_read_only(offset) || !s->reset_line) {
        dmabed_iommu_guest_error(DMABED_IOMMU(s), "write to offset 0x%x%s",
                                 (unsigned)offset,
                                 s->reset_line ? "" : " while in reset");
    } else if (!write_command(s, offset, value)) {
        trace_dmabed_sun50i_iommu_write(s->parent_obj.name, offset, value);
        *reg(s, offset) = value;
    }
    update_irq(s);
}

static const MemoryRegionOps sun50i_ops = {
    .read = sun50i_read,
    .write = sun50i_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
};

/* ---- life ---- */

static uint32_t sun50i_max_output_bits(DmabedIommuState *iommu)
{
    return OUTPUT_BITS;
}

static void sun50i_reset_enter(Object *obj, ResetType type)
{
    DmabedSun50iIommuClass *sc = DMABED_SUN50I_IOMMU_GET_CLASS(obj);
    DmabedSun50iIommuState *s = DMABED_SUN50I_IOMMU(obj);

    if (sc->parent_phases.enter) {
        sc->parent_phases.enter(obj, type);
    }
    reset_registers(s);
    s->reset_line = 0;
}

static void sun50i_reset_hold(Object *obj, ResetType type)
{
    update_irq(DMABED_SUN50I_IOMMU(obj));
}

static void sun50i_realize(DeviceState *dev, Error **errp)
{
    DmabedSun50iIommuState *s = DMABED_SUN50I_IOMMU(dev);

    memory_region_init_io(&s->parent_obj.regs, OBJECT(s), &sun50i_ops, s,
                          TYPE_DMABED_SUN50I_IOMMU, MMIO_SIZE);
    DMABED_SUN50I_IOMMU_GET_CLASS(s)->parent_realize(dev, errp);
}

static const VMStateDescription vmstate_sun50i = {
    .name = TYPE_DMABED_SUN50I_IOMMU,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_DMABED_IOMMU(parent_obj, DmabedSun50iIommuState),
        VMSTATE_UINT32_ARRAY(regs, DmabedSun50iIommuState, NUM_REGS),
        VMSTATE_UINT32(reset_line, DmabedSun50iIommuState),
        VMSTATE_END_OF_LIST()
    }
};

static void sun50i_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    DmabedIommuClass *ic = DMABED_IOMMU_CLASS(oc);
    DmabedSun50iIommuClass *sc = DMABED_SUN50I_IOMMU_CLASS(oc);

    dc->desc = "dmabed: an IOMMU that Linux's sun50i-iommu drives";
    dc->user_creatable = true;
    dc->vmsd = &vmstate_sun50i;
    device_class_set_parent_realize(dc, sun50i_realize, &sc->parent_realize);
    resettable_class_set_parent_phases(RESETTABLE_CLASS(oc),
                                       sun50i_reset_enter, sun50i_reset_hold,
                                       NULL, &sc->parent_phases);
    ic->mmio_size = MMIO_SIZE;
    ic->paging = sun50i_paging;
    ic->walk = sun50i_walk;
    ic->fault = sun50i_fault;
    ic->max_output_bits = sun50i_max_output_bits;
}

static const TypeInfo sun50i_types[] = {
    {
        .name = TYPE_DMABED_SUN50I_IOMMU,
        .parent = TYPE_DMABED_IOMMU,
        .instance_size = sizeof(DmabedSun50iIommuState),
        .class_size = sizeof(DmabedSun50iIommuClass),
        .class_init = sun50i_class_init,
    },
};

DEFINE_TYPES(sun50i_types)
