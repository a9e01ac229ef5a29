/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IOMMU that Linux's rockchip-iommu drives: registers and tables.
 *
 * Two levels of 1024 entries of 4 bytes map 4 GiB of IOVAs by pages of 4 KiB.
 * Version 1 (rockchip,iommu) has addresses of 32 bits in its entries, version
 * 2 (rockchip,rk3568-iommu) of 40.
 *
 * Registers and entries: Linux, drivers/iommu/rockchip-iommu.c:31-84 and
 * 169-286.  The contract is docs/specs/rockchip-iommu.md of dmabed.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/irq.h"
#include "dmabed_iommu_internal.h"
#include "trace.h"

#define TYPE_DMABED_RK_IOMMU "dmabed-rk-iommu"
OBJECT_DECLARE_TYPE(DmabedRkIommuState, DmabedRkIommuClass, DMABED_RK_IOMMU)

/* ---- registers ---- */

#define R_DTE_ADDR 0x00
#define R_STATUS 0x04
#define   STATUS_PAGING (1u << 0)
#define   STATUS_FAULT (1u << 1)
#define   STATUS_STALL (1u << 2)
#define   STATUS_IDLE (1u << 3)
#define   STATUS_EMPTY (1u << 4)
#define   STATUS_WRITE (1u << 5)
#define R_COMMAND 0x08
#define R_FAULT_ADDR 0x0c
#define R_ZAP_ONE_LINE 0x10
#define R_INT_RAWSTAT 0x14
#define R_INT_CLEAR 0x18
#define R_INT_MASK 0x1c
#define R_INT_STATUS 0x20
#define   INT_PAGE_FAULT (1u << 0)
#define   INT_BUS_ERROR (1u << 1)
#define   INT_ALL (INT_PAGE_FAULT | INT_BUS_ERROR)
#define R_AUTO_GATING 0x24
/* rk_iommu_enable(): bit 31 is 1 by default */
#define   AUTO_GATING_RESET (1u << 31)
#define MMIO_SIZE 0x100

enum {
    COMMAND_ENABLE_PAGING,
    COMMAND_DISABLE_PAGING,
    COMMAND_ENABLE_STALL,
    COMMAND_DISABLE_STALL,
    COMMAND_ZAP_CACHE,
    COMMAND_FAULT_DONE,
    COMMAND_FORCE_RESET,
};

struct DmabedRkIommuState {
    DmabedIommuState parent_obj;

    uint32_t version;

    uint32_t dte_addr;
    uint32_t status;
    uint32_t fault_addr;
    uint32_t int_rawstat;
    uint32_t int_mask;
    uint32_t auto_gating;
};

struct DmabedRkIommuClass {
    DmabedIommuClass parent_class;

    DeviceRealize parent_realize;
    ResettablePhases parent_phases;
};

/* ---- tables ---- */

#define ENTRY_VALID (1u << 0)
#define PTE_READABLE (1u << 1)
#define PTE_WRITABLE (1u << 2)

#define V1_OUTPUT_BITS 32
#define V2_OUTPUT_BITS 40

static uint64_t entry_address(const DmabedRkIommuState *s, uint32_t entry)
{
    uint64_t address = entry & 0xfffff000;

    if (s->version == 2) {
        address |= (uint64_t)extract32(entry, 8, 4) << 32;
        address |= (uint64_t)extract32(entry, 4, 4) << 36;
    }
    return address;
}

static uint32_t entry_perm(uint32_t pte)
{
    return (pte & PTE_READABLE ? IOMMU_RO : 0) |
           (pte & PTE_WRITABLE ? IOMMU_WO : 0);
}

static DmabedIommuReason rk_walk(DmabedIommuState *iommu, uint32_t iova,
                                 DmabedIommuEntry *entry)
{
    DmabedRkIommuState *s = DMABED_RK_IOMMU(iommu);
    uint64_t at = entry_address(s, s->dte_addr) + extract32(iova, 22, 10) * 4;
    uint32_t dte, pte;

    if (!dmabed_iommu_read_table(iommu, at, &dte)) {
        return DMABED_IOMMU_BUS_ERROR;
    }
    if (!(dte & ENTRY_VALID)) {
        return DMABED_IOMMU_NO_TABLE;
    }
    at = entry_address(s, dte) + extract32(iova, 12, 10) * 4;
    if (!dmabed_iommu_read_table(iommu, at, &pte)) {
        return DMABED_IOMMU_BUS_ERROR;
    }
    if (!(pte & ENTRY_VALID)) {
        return DMABED_IOMMU_NO_PAGE;
    }
    entry->pte = pte;
    entry->page = entry_address(s, pte);
    entry->perm = entry_perm(pte);
    return DMABED_IOMMU_NONE;
}

static bool rk_paging(DmabedIommuState *iommu)
{
    return DMABED_RK_IOMMU(iommu)->status & STATUS_PAGING;
}

/* ---- interrupt and faults ---- */

static void update_irq(DmabedRkIommuState *s)
{
    qemu_set_irq(s->parent_obj.irq, !!(s->int_rawstat & s->int_mask));
}

/*
 * The address is that of the first page fault, until that is acknowledged.  The
 * driver acknowledges no bus error (rk_iommu_irq()), so one must not keep the
 * address for itself.
 */
static void rk_fault(DmabedIommuState *iommu, const DmabedIommuFault *fault)
{
    DmabedRkIommuState *s = DMABED_RK_IOMMU(iommu);

    bool is_page_fault = fault->reason != DMABED_IOMMU_BUS_ERROR;

    s->int_rawstat |= is_page_fault ? INT_PAGE_FAULT : INT_BUS_ERROR;
    if (!(s->status & STATUS_FAULT)) {
        s->fault_addr = fault->iova;
        if (is_page_fault) {
            s->status |= STATUS_FAULT | (fault->is_write ? STATUS_WRITE : 0);
        }
    }
    update_irq(s);
}

/* ---- commands ---- */

static void reset_registers(DmabedRkIommuState *s)
{
    s->dte_addr = 0;
    s->status = STATUS_IDLE | STATUS_EMPTY;
    s->fault_addr = 0;
    s->int_rawstat = 0;
    s->int_mask = 0;
    s->auto_gating = AUTO_GATING_RESET;
}

static void command(DmabedRkIommuState *s, uint32_t value)
{
    DmabedIommuState *iommu = DMABED_IOMMU(s);

    trace_dmabed_rk_iommu_command(iommu->name, value, s->status);
    switch (value) {
    case COMMAND_ENABLE_PAGING:
        s->status |= STATUS_PAGING;
        break;
    case COMMAND_DISABLE_PAGING:
        s->status &= ~STATUS_PAGING;
        break;
    case COMMAND_ENABLE_STALL:
        /* rk_iommu_enable_stall(): neither without paging nor in a fault */
        if ((s->status & (STATUS_PAGING | STATUS_FAULT)) == STATUS_PAGING) {
            s->status |= STATUS_STALL;
        }
        break;
    case COMMAND_DISABLE_STALL:
        s->status &= ~STATUS_STALL;
        break;
    case COMMAND_ZAP_CACHE:
        dmabed_iommu_zap_all(iommu);
        break;
    case COMMAND_FAULT_DONE:
        s->status &= ~(STATUS_FAULT | STATUS_WRITE);
        break;
    case COMMAND_FORCE_RESET:
        reset_registers(s);
        dmabed_iommu_zap_all(iommu);
        break;
    default:
        dmabed_iommu_guest_error(iommu, "there is no command %u", value);
    }
}

/* ---- accesses ---- */

static uint64_t rk_read(void *opaque, hwaddr offset, unsigned size)
{
    DmabedRkIommuState *s = opaque;

    switch (offset) {
    case R_DTE_ADDR:
        return s->dte_addr;
    case R_STATUS:
        return s->status;
    case R_FAULT_ADDR:
        return s->fault_addr;
    case R_INT_RAWSTAT:
        return s->int_rawstat;
    case R_INT_MASK:
        return s->int_mask;
    case R_INT_STATUS:
        return s->int_rawstat & s->int_mask;
    case R_AUTO_GATING:
        return s->auto_gating;
    default:
        dmabed_iommu_guest_error(DMABED_IOMMU(s), "read of offset 0x%x",
                                 (unsigned)offset);
        return 0;
    }
}

static uint32_t dte_addr_bits(const DmabedRkIommuState *s)
{
    return s->version == 2 ? 0xfffffff0 : 0xfffff000;
}

static void rk_write(void *opaque, hwaddr offset, uint64_t value,
                     unsigned size)
{
    DmabedRkIommuState *s = opaque;

    switch (offset) {
    case R_DTE_ADDR:
        s->dte_addr = value & dte_addr_bits(s);
        break;
    case R_COMMAND:
        command(s, value);
        break;
    case R_ZAP_ONE_LINE:
        dmabed_iommu_zap_page(DMABED_IOMMU(s), value);
        break;
    case R_INT_CLEAR:
        s->int_rawstat &= ~value;
        break;
    case R_INT_MASK:
        s->int_mask = value & INT_ALL;
        break;
    case R_AUTO_GATING:
        s->auto_gating = value;
        break;
    default:
        dmabed_iommu_guest_error(DMABED_IOMMU(s), "write to offset 0x%x",
                                 (unsigned)offset);
    }
    update_irq(s);
}

static const MemoryRegionOps rk_ops = {
    .read = rk_read,
    .write = rk_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
};

/* ---- life ---- */

static uint32_t rk_max_output_bits(DmabedIommuState *iommu)
{
    return DMABED_RK_IOMMU(iommu)->version == 2 ? V2_OUTPUT_BITS
                                                : V1_OUTPUT_BITS;
}

static void rk_reset_enter(Object *obj, ResetType type)
{
    DmabedRkIommuClass *rc = DMABED_RK_IOMMU_GET_CLASS(obj);

    if (rc->parent_phases.enter) {
        rc->parent_phases.enter(obj, type);
    }
    reset_registers(DMABED_RK_IOMMU(obj));
}

static void rk_reset_hold(Object *obj, ResetType type)
{
    update_irq(DMABED_RK_IOMMU(obj));
}

static void rk_realize(DeviceState *dev, Error **errp)
{
    DmabedRkIommuState *s = DMABED_RK_IOMMU(dev);

    if (s->version != 1 && s->version != 2) {
        error_setg(errp, "version: %u is unknown; allowed are 1 and 2",
                   s->version);
        return;
    }
    memory_region_init_io(&s->parent_obj.regs, OBJECT(s), &rk_ops, s,
                          TYPE_DMABED_RK_IOMMU, MMIO_SIZE);
    DMABED_RK_IOMMU_GET_CLASS(s)->parent_realize(dev, errp);
}

static const VMStateDescription vmstate_rk = {
    .name = TYPE_DMABED_RK_IOMMU,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_DMABED_IOMMU(parent_obj, DmabedRkIommuState),
        VMSTATE_UINT32(dte_addr, DmabedRkIommuState),
        VMSTATE_UINT32(status, DmabedRkIommuState),
        VMSTATE_UINT32(fault_addr, DmabedRkIommuState),
        VMSTATE_UINT32(int_rawstat, DmabedRkIommuState),
        VMSTATE_UINT32(int_mask, DmabedRkIommuState),
        VMSTATE_UINT32(auto_gating, DmabedRkIommuState),
        VMSTATE_END_OF_LIST()
    }
};

static const Property rk_properties[] = {
    DEFINE_PROP_UINT32("version", DmabedRkIommuState, version, 2),
};

static void rk_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    DmabedIommuClass *ic = DMABED_IOMMU_CLASS(oc);
    DmabedRkIommuClass *rc = DMABED_RK_IOMMU_CLASS(oc);

    dc->desc = "dmabed: an IOMMU that Linux's rockchip-iommu drives";
    dc->user_creatable = true;
    dc->vmsd = &vmstate_rk;
    device_class_set_props(dc, rk_properties);
    device_class_set_parent_realize(dc, rk_realize, &rc->parent_realize);
    resettable_class_set_parent_phases(RESETTABLE_CLASS(oc), rk_reset_enter,
                                       rk_reset_hold, NULL,
                                       &rc->parent_phases);
    ic->mmio_size = MMIO_SIZE;
    ic->paging = rk_paging;
    ic->walk = rk_walk;
    ic->fault = rk_fault;
    ic->max_output_bits = rk_max_output_bits;
}

static const TypeInfo rk_types[] = {
    {
        .name = TYPE_DMABED_RK_IOMMU,
        .parent = TYPE_DMABED_IOMMU,
        .instance_size = sizeof(DmabedRkIommuState),
        .class_size = sizeof(DmabedRkIommuClass),
        .class_init = rk_class_init,
    },
};

DEFINE_TYPES(rk_types)
