/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed media blocks: what they share.  Properties, the bus that a block
 * sees, faults on command.
 *
 * The contract is docs/specs/dmabed-media.md of dmabed.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "exec/address-spaces.h"
#include "hw/dma/dmabed_ranges.h"
#include "hw/misc/dmabed_media.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "trace.h"

#define MIN_ADDR_BITS 24
#define MAX_ADDR_BITS 64

/* Bytes only ever go to RAM, never to registers */
static const MemTxAttrs ram_only = { .memory = 1 };

/* ---- the bus ---- */

static bool check_addr_bits(const DmabedMediaState *s, Error **errp)
{
    if (s->addr_bits >= MIN_ADDR_BITS && s->addr_bits <= MAX_ADDR_BITS) {
        return true;
    }
    error_setg(errp, "addr-bits: %u is out of range; allowed are %d...%d",
               s->addr_bits, MIN_ADDR_BITS, MAX_ADDR_BITS);
    return false;
}

/* What the windows lead to: an IOMMU, what "dma" names, or all of RAM */
static bool find_memory(DmabedMediaState *s, Error **errp)
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

static void add_window(DmabedMediaState *s, MemoryRegion *alias,
                       DmabedRange w)
{
    memory_region_init_alias(alias, OBJECT(s), "dmabed-media.window",
                             s->dma_mr, w.cpu, w.size);
    memory_region_add_subregion(&s->dma_root, w.bus, alias);
}

static bool dma_init(DmabedMediaState *s, Error **errp)
{
    unsigned windows = s->num_dma_ranges / DMABED_RANGE_NUMBERS;
    const DmabedRange everything = { .size = UINT64_MAX };

    if (!check_addr_bits(s, errp) ||
        !dmabed_ranges_check(s->dma_ranges, s->num_dma_ranges, errp) ||
        !find_memory(s, errp)) {
        return false;
    }
    /* UINT64_MAX stands for all of 64 bits, see memory_region_init() */
    memory_region_init(&s->dma_root, OBJECT(s), "dmabed-media.dma",
                       s->addr_bits == 64 ? UINT64_MAX : 1ULL << s->addr_bits);
    s->dma_windows = g_new0(MemoryRegion, MAX(windows, 1));
    for (unsigned i = 0; i < windows; i++) {
        add_window(s, &s->dma_windows[i], dmabed_range(s->dma_ranges, i));
    }
    if (!windows) {
        add_window(s, &s->dma_windows[0], everything);
    }
    address_space_init(&s->dma_as, &s->dma_root, s->name);
    return true;
}

bool dmabed_media_read(DmabedMediaState *s, uint64_t bus, void *data,
                       uint64_t length)
{
    bool ok = address_space_read(&s->dma_as, bus, ram_only, data,
                                 length) == MEMTX_OK;

    if (!ok) {
        memset(data, 0, length);
    }
    dmabed_media_op_access(s, false, bus, data, length, ok);
    return ok;
}

bool dmabed_media_write(DmabedMediaState *s, uint64_t bus, const void *data,
                        uint64_t length)
{
    bool ok = address_space_write(&s->dma_as, bus, ram_only, data,
                                  length) == MEMTX_OK;

    dmabed_media_op_access(s, true, bus, data, length, ok);
    return ok;
}

/* ---- faults on command ---- */

const QEnumLookup dmabed_media_fault_lookup = {
    .array = (const char *const[]) {
        [DMABED_MEDIA_FAULT_NONE] = "none",
        [DMABED_MEDIA_FAULT_CORRUPT] = "corrupt",
        [DMABED_MEDIA_FAULT_WRONG_LINE] = "wrong-line",
        [DMABED_MEDIA_FAULT_STALE] = "stale",
    },
    .size = DMABED_MEDIA_FAULT_COUNT,
};

typedef struct Inject {
    int fault;
    uint64_t count;
} Inject;

/* "count" may be left out, and "at" too, which means nothing here */
static bool visit_members(Visitor *v, Inject *inject, Error **errp)
{
    bool has_at = true, has_count = true;
    uint64_t at = 0;

    if (!visit_type_enum(v, "fault", &inject->fault,
                         &dmabed_media_fault_lookup, errp)) {
        return false;
    }
    if (visit_optional(v, "at", &has_at) &&
        !visit_type_uint64(v, "at", &at, errp)) {
        return false;
    }
    if (visit_optional(v, "count", &has_count) &&
        !visit_type_uint64(v, "count", &inject->count, errp)) {
        return false;
    }
    return visit_check_struct(v, errp);
}

static bool visit_inject(Visitor *v, const char *name, Inject *inject,
                         Error **errp)
{
    bool ok;

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return false;
    }
    ok = visit_members(v, inject, errp);
    visit_end_struct(v, NULL);
    return ok;
}

static void get_inject(Object *obj, Visitor *v, const char *name,
                       void *opaque, Error **errp)
{
    DmabedMediaState *s = DMABED_MEDIA(obj);
    Inject inject = {
        .fault = s->fault_count ? s->fault : DMABED_MEDIA_FAULT_NONE,
        .count = s->fault_count,
    };

    visit_inject(v, name, &inject, errp);
}

static void set_inject(Object *obj, Visitor *v, const char *name,
                       void *opaque, Error **errp)
{
    DmabedMediaState *s = DMABED_MEDIA(obj);
    Inject inject = { .count = 1 };

    if (visit_inject(v, name, &inject, errp)) {
        s->fault = inject.fault;
        s->fault_count = inject.fault ? inject.count : 0;
    }
}

DmabedMediaFault dmabed_media_take_fault(DmabedMediaState *s)
{
    if (!s->fault_count) {
        return DMABED_MEDIA_FAULT_NONE;
    }
    s->fault_count--;
    return s->fault;
}

void dmabed_media_spoil(DmabedMediaFault fault, uint8_t *data, size_t pitch,
                        size_t lines)
{
    if (fault == DMABED_MEDIA_FAULT_CORRUPT && pitch && lines) {
        data[0] = ~data[0];
    }
    if (fault == DMABED_MEDIA_FAULT_WRONG_LINE && lines > 1) {
        memcpy(data, data + pitch, pitch);
    }
}

/* ---- the object ---- */

static void media_init(Object *obj)
{
    DmabedMediaState *s = DMABED_MEDIA(obj);

    object_property_add(obj, "inject", "DmabedMediaInject", get_inject,
                        set_inject, NULL, NULL);
    object_property_set_description(obj, "inject",
        "{fault, count}: what the next operations suffer");
    dmabed_media_evidence_init(s);
}

static void media_finalize(Object *obj)
{
    DmabedMediaState *s = DMABED_MEDIA(obj);

    dmabed_media_evidence_clear(s);
    g_free(s->evidence);
    g_free(s->dma_windows);
    g_free(s->dma_ranges);
    g_free(s->name);
}

bool dmabed_media_realize(DmabedMediaState *s, Error **errp)
{
    DeviceState *dev = DEVICE(s);
    DmabedMediaClass *c = DMABED_MEDIA_GET_CLASS(s);

    s->name = g_strdup(dev->id ?:
                       object_get_canonical_path_component(OBJECT(dev)));
    if (!dma_init(s, errp)) {
        return false;
    }
    memory_region_init_io(&s->regs, OBJECT(s), c->regs_ops, s, s->name,
                          DMABED_MEDIA_MMIO_SIZE);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->regs);
    sysbus_init_irq(SYS_BUS_DEVICE(dev), &s->irq);
    return true;
}

static void media_realize(DeviceState *dev, Error **errp)
{
    dmabed_media_realize(DMABED_MEDIA(dev), errp);
}

static void media_reset_enter(Object *obj, ResetType type)
{
    dmabed_media_evidence_clear(DMABED_MEDIA(obj));
}

/* ---- migration ---- */

static int media_pre_load(void *opaque)
{
    dmabed_media_evidence_clear(opaque);
    return 0;
}

static int media_post_load(void *opaque, int version_id)
{
    DmabedMediaState *s = opaque;

    return s->fault < DMABED_MEDIA_FAULT_COUNT ? 0 : -EINVAL;
}

const VMStateDescription vmstate_dmabed_media = {
    .name = TYPE_DMABED_MEDIA,
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = media_pre_load,
    .post_load = media_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(irq_level, DmabedMediaState),
        VMSTATE_UINT32(fault, DmabedMediaState),
        VMSTATE_UINT64(fault_count, DmabedMediaState),
        VMSTATE_END_OF_LIST()
    }
};

/* ---- registration ---- */

static const Property media_properties[] = {
    DEFINE_PROP_UINT64("mmio-base", DmabedMediaState, mmio_base,
                       DMABED_MEDIA_BASE_UNSET),
    DEFINE_PROP_UINT32("spi", DmabedMediaState, spi, DMABED_MEDIA_SPI_UNSET),
    DEFINE_PROP_UINT32("addr-bits", DmabedMediaState, addr_bits, 32),
    DEFINE_PROP_ARRAY("dma-ranges", DmabedMediaState, num_dma_ranges,
                      dma_ranges, qdev_prop_uint64, uint64_t),
    DEFINE_PROP_LINK("dma", DmabedMediaState, dma_mr, TYPE_MEMORY_REGION,
                     MemoryRegion *),
    DEFINE_PROP_DMABED_IOMMU(DmabedMediaState, iommu),
};

static void media_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->realize = media_realize;
    dc->user_creatable = true;
    dc->hotpluggable = false;
    RESETTABLE_CLASS(oc)->phases.enter = media_reset_enter;
    device_class_set_props(dc, media_properties);
}

static const TypeInfo media_types[] = {
    {
        .name = TYPE_DMABED_MEDIA,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(DmabedMediaState),
        .instance_init = media_init,
        .instance_finalize = media_finalize,
        .class_size = sizeof(DmabedMediaClass),
        .class_init = media_class_init,
        .abstract = true,
    },
};

DEFINE_TYPES(media_types)
