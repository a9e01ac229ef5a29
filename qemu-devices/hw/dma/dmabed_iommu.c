/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed IOMMUs: the object that all kinds of them are, and translation.
 *
 * Each master has a region of its own, so that it is known whose access is
 * translated; all of them go by the same tables and the same TLB.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/log.h"
#include "qapi/error.h"
#include "exec/address-spaces.h"
#include "dmabed_iommu_internal.h"
#include "trace.h"

#define TYPE_DMABED_IOMMU_MR "dmabed-iommu-memory-region"

#define MIN_OUTPUT_BITS 24

/* Tables are in RAM, never in registers */
static const MemTxAttrs ram_only = { .memory = 1 };

typedef struct Master {
    IOMMUMemoryRegion mr;
    DmabedIommuState *iommu;
    char *name;
    unsigned index;
} Master;

/* ---- masters ---- */

static void master_free(void *opaque)
{
    Master *m = opaque;

    g_free(m->name);
    g_free(m);
}

MemoryRegion *dmabed_iommu_attach(DmabedIommuState *s, const char *master)
{
    Master *m = g_new0(Master, 1);
    g_autofree char *title = g_strdup_printf("dmabed-iommu.%s", master);

    m->iommu = s;
    m->name = g_strdup(master);
    m->index = s->masters->len;
    memory_region_init_iommu(&m->mr, sizeof(m->mr), TYPE_DMABED_IOMMU_MR,
                             OBJECT(s), title, 1ULL << DMABED_IOMMU_IOVA_BITS);
    g_ptr_array_add(s->masters, m);
    return MEMORY_REGION(&m->mr);
}

/* ---- towards memory ---- */

/* The lines that there are */
static uint64_t drive(const DmabedIommuState *s, uint64_t address)
{
    return address & MAKE_64BIT_MASK(0, s->output_bits);
}

bool dmabed_iommu_read_table(DmabedIommuState *s, uint64_t address,
                             uint32_t *entry)
{
    uint8_t raw[sizeof(*entry)] = { };
    MemTxResult result = address_space_read(&address_space_memory,
                                            drive(s, address), ram_only, raw,
                                            sizeof(raw));

    if (drive(s, address) != address) {
        s->cut_table = address;
    }
    *entry = ldl_le_p(raw);
    return result == MEMTX_OK;
}

/* ---- translation ---- */

/* What the table says now against what is used: the TLB may be stale */
static void check_stale(DmabedIommuState *s, const DmabedIommuEntry *kept,
                        DmabedIommuUse use)
{
    DmabedIommuEntry now = { };

    use.table = UINT64_MAX;
    if (DMABED_IOMMU_GET_CLASS(s)->walk(s, kept->iova, &now) ==
        DMABED_IOMMU_NONE) {
        if (now.page == kept->page && now.perm == kept->perm) {
            return;
        }
        use.table = now.page;
    }
    dmabed_iommu_record_violation(s, DMABED_IOMMU_STALE, &use);
}

static void check_width(DmabedIommuState *s, const DmabedIommuEntry *entry,
                        DmabedIommuUse use)
{
    if (use.used != entry->page) {
        use.table = entry->page;
        dmabed_iommu_record_violation(s, DMABED_IOMMU_OUTPUT_WIDTH, &use);
    }
}

static DmabedIommuReason walk(DmabedIommuState *s, DmabedIommuUse use,
                              DmabedIommuEntry *entry)
{
    DmabedIommuReason reason;

    dmabed_iommu_count(s, DMABED_IOMMU_WALKS);
    s->cut_table = 0;
    *entry = (DmabedIommuEntry) { .valid = true, .iova = use.iova };
    reason = DMABED_IOMMU_GET_CLASS(s)->walk(s, use.iova, entry);
    if (s->cut_table) {
        use.used = drive(s, s->cut_table);
        use.table = s->cut_table;
        dmabed_iommu_record_violation(s, DMABED_IOMMU_OUTPUT_WIDTH, &use);
    }
    return reason;
}

/* The page from the TLB, or from the tables and then kept */
static DmabedIommuReason look_up(DmabedIommuState *s, const DmabedIommuUse *use,
                                 DmabedIommuEntry *entry, bool *kept)
{
    const DmabedIommuEntry *found = dmabed_iommu_tlb_find(s, use->iova);
    DmabedIommuReason reason;

    *kept = found;
    if (found) {
        dmabed_iommu_count(s, DMABED_IOMMU_HITS);
        *entry = *found;
        return DMABED_IOMMU_NONE;
    }
    reason = walk(s, *use, entry);
    if (reason == DMABED_IOMMU_NONE) {
        dmabed_iommu_tlb_keep(s, entry);
    }
    return reason;
}

static DmabedIommuReason check_permission(const DmabedIommuEntry *entry,
                                          IOMMUAccessFlags flag)
{
    if (!(flag & ~entry->perm)) {
        return DMABED_IOMMU_NONE;
    }
    return flag & IOMMU_WO ? DMABED_IOMMU_NOT_WRITABLE
                           : DMABED_IOMMU_NOT_READABLE;
}

static void refuse(Master *m, uint32_t iova, bool is_write,
                   DmabedIommuReason reason, const DmabedIommuEntry *entry)
{
    DmabedIommuState *s = m->iommu;
    const DmabedIommuFault fault = {
        .reason = reason, .iova = iova, .is_write = is_write,
        .master = m->index, .pte = entry->pte,
    };

    trace_dmabed_iommu_fault(s->name, m->name, iova,
                             is_write ? "write" : "read",
                             dmabed_iommu_reason_name(reason));
    dmabed_iommu_record_fault(s, &fault, m->name);
    DMABED_IOMMU_GET_CLASS(s)->fault(s, &fault);
}

/* The page that an access goes to; false: it is refused, and recorded */
static bool translate_page(Master *m, uint32_t iova, IOMMUAccessFlags flag,
                           DmabedIommuEntry *entry)
{
    DmabedIommuState *s = m->iommu;
    uint32_t page = iova & ~(DMABED_IOMMU_PAGE_SIZE - 1);
    bool kept;
    DmabedIommuUse use = {
        .master = m->name, .iova = page, .is_write = flag & IOMMU_WO,
    };
    DmabedIommuReason reason = look_up(s, &use, entry, &kept);

    reason = reason ?: check_permission(entry, flag);
    if (reason) {
        refuse(m, iova, use.is_write, reason, entry);
        return false;
    }
    use.used = drive(s, entry->page);
    if (kept) {
        check_stale(s, entry, use);
    }
    check_width(s, entry, use);
    entry->page = use.used;
    return true;
}

static IOMMUTLBEntry translate(IOMMUMemoryRegion *mr, hwaddr address,
                               IOMMUAccessFlags flag, int index)
{
    Master *m = container_of(mr, Master, mr);
    DmabedIommuState *s = m->iommu;
    DmabedIommuEntry entry;
    IOMMUTLBEntry result = {
        .target_as = &address_space_memory,
        .iova = address & ~(hwaddr)(DMABED_IOMMU_PAGE_SIZE - 1),
        .addr_mask = DMABED_IOMMU_PAGE_SIZE - 1,
        .perm = IOMMU_NONE,
    };

    if (!DMABED_IOMMU_GET_CLASS(s)->paging(s)) {
        dmabed_iommu_count(s, DMABED_IOMMU_UNTRANSLATED);
        result.translated_addr = drive(s, result.iova);
        result.perm = IOMMU_RW;
    } else if (translate_page(m, address, flag, &entry)) {
        result.translated_addr = entry.page;
        result.perm = entry.perm;
    }
    return result;
}

/* ---- the guest's errors ---- */

void dmabed_iommu_guest_error(DmabedIommuState *s, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    dmabed_iommu_count(s, DMABED_IOMMU_GUEST_ERRORS);
    qemu_log_mask(LOG_GUEST_ERROR, "dmabed-iommu %s: %s\n", s->name, text);
}

/* ---- life ---- */

static bool check_output_bits(DmabedIommuState *s, Error **errp)
{
    uint32_t most = DMABED_IOMMU_GET_CLASS(s)->max_output_bits(s);

    s->output_bits = s->output_bits ?: most;
    if (s->output_bits >= MIN_OUTPUT_BITS && s->output_bits <= most) {
        return true;
    }
    error_setg(errp, "output-bits: %u is out of range; allowed are %d...%u",
               s->output_bits, MIN_OUTPUT_BITS, most);
    return false;
}

static void iommu_realize(DeviceState *dev, Error **errp)
{
    DmabedIommuState *s = DMABED_IOMMU(dev);

    g_free(s->name);
    s->name = g_strdup(dev->id ?:
                       object_get_canonical_path_component(OBJECT(dev)));
    if (!check_output_bits(s, errp) || !dmabed_iommu_tlb_init(s, errp)) {
        return;
    }
    dmabed_iommu_evidence_init(s);
    sysbus_init_mmio(SYS_BUS_DEVICE(s), &s->regs);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq);
}

static void iommu_unrealize(DeviceState *dev)
{
    DmabedIommuState *s = DMABED_IOMMU(dev);

    dmabed_iommu_evidence_fini(s);
    dmabed_iommu_tlb_fini(s);
}

/* What the host has asked for outlives a reset, as with the engine */
static void iommu_reset_enter(Object *obj, ResetType type)
{
    DmabedIommuState *s = DMABED_IOMMU(obj);

    dmabed_iommu_tlb_reset(s);
    dmabed_iommu_evidence_clear(s);
}

static bool get_ignore_zap(Object *obj, Error **errp)
{
    return DMABED_IOMMU(obj)->ignore_zap;
}

static void set_ignore_zap(Object *obj, bool value, Error **errp)
{
    DMABED_IOMMU(obj)->ignore_zap = value;
}

static void iommu_init(Object *obj)
{
    DmabedIommuState *s = DMABED_IOMMU(obj);

    s->name = g_strdup("unnamed");
    s->masters = g_ptr_array_new_with_free_func(master_free);
    dmabed_iommu_evidence_add_property(obj);
    object_property_add_bool(obj, "ignore-zap", get_ignore_zap,
                             set_ignore_zap);
    object_property_set_description(obj, "ignore-zap",
                                    "nothing empties the TLB");
}

static void iommu_finalize(Object *obj)
{
    DmabedIommuState *s = DMABED_IOMMU(obj);

    g_ptr_array_unref(s->masters);
    g_free(s->name);
}

/* ---- migration ---- */

static const VMStateDescription vmstate_entry = {
    .name = "dmabed-iommu/entry",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(valid, DmabedIommuEntry),
        VMSTATE_UINT32(iova, DmabedIommuEntry),
        VMSTATE_UINT32(pte, DmabedIommuEntry),
        VMSTATE_UINT64(page, DmabedIommuEntry),
        VMSTATE_UINT32(perm, DmabedIommuEntry),
        VMSTATE_END_OF_LIST()
    }
};

static int iommu_pre_load(void *opaque)
{
    dmabed_iommu_evidence_clear(opaque);
    return 0;
}

static int iommu_post_load(void *opaque, int version_id)
{
    DmabedIommuState *s = opaque;

    return s->tlb_next < MAX(s->tlb_entries, 1) ? 0 : -EINVAL;
}

const VMStateDescription vmstate_dmabed_iommu = {
    .name = TYPE_DMABED_IOMMU,
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = iommu_pre_load,
    .post_load = iommu_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_EQUAL(tlb_entries, DmabedIommuState, NULL),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(tlb, DmabedIommuState,
                                             tlb_entries, vmstate_entry,
                                             DmabedIommuEntry),
        VMSTATE_UINT32(tlb_next, DmabedIommuState),
        VMSTATE_BOOL(ignore_zap, DmabedIommuState),
        VMSTATE_END_OF_LIST()
    }
};

/* ---- registration ---- */

static const Property iommu_properties[] = {
    DEFINE_PROP_UINT64("mmio-base", DmabedIommuState, mmio_base,
                       DMABED_IOMMU_BASE_UNSET),
    DEFINE_PROP_UINT32("spi", DmabedIommuState, spi, DMABED_IOMMU_SPI_UNSET),
    DEFINE_PROP_UINT32("output-bits", DmabedIommuState, output_bits, 0),
    DEFINE_PROP_UINT32("tlb", DmabedIommuState, tlb_entries, 64),
};

static void iommu_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->realize = iommu_realize;
    dc->unrealize = iommu_unrealize;
    dc->hotpluggable = false;
    RESETTABLE_CLASS(oc)->phases.enter = iommu_reset_enter;
    device_class_set_props(dc, iommu_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static void region_class_init(ObjectClass *oc, void *data)
{
    IOMMU_MEMORY_REGION_CLASS(oc)->translate = translate;
}

static const TypeInfo iommu_types[] = {
    {
        .name = TYPE_DMABED_IOMMU,
        .parent = TYPE_SYS_BUS_DEVICE,
        .abstract = true,
        .instance_size = sizeof(DmabedIommuState),
        .instance_init = iommu_init,
        .instance_finalize = iommu_finalize,
        .class_size = sizeof(DmabedIommuClass),
        .class_init = iommu_class_init,
    },
    {
        .name = TYPE_DMABED_IOMMU_MR,
        .parent = TYPE_IOMMU_MEMORY_REGION,
        .class_init = region_class_init,
    },
};

DEFINE_TYPES(iommu_types)
