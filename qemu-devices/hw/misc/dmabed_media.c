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
#include "hw/dma/dmabed_inject.h"
#include "hw/misc/dmabed_media.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "trace.h"

/* ---- moving bytes ---- */

bool dmabed_media_read(DmabedMediaState *s, uint64_t bus, void *data,
                       uint64_t length)
{
    bool ok = dmabed_bus_read(&s->bus, bus, data, length);

    if (!ok) {
        memset(data, 0, length);
    }
    dmabed_media_op_access(s, false, bus, data, length, ok);
    return ok;
}

bool dmabed_media_write(DmabedMediaState *s, uint64_t bus, const void *data,
                        uint64_t length)
{
    bool ok = dmabed_bus_write(&s->bus, bus, data, length);

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

static void get_inject(Object *obj, Visitor *v, const char *name,
                       void *opaque, Error **errp)
{
    DmabedMediaState *s = DMABED_MEDIA(obj);
    const DmabedInject inject = {
        .fault = s->fault,
        .count = s->fault_count,
    };

    dmabed_inject_tell(v, name, &dmabed_media_fault_lookup, inject, errp);
}

/* "at" is the engines': no fault of a block asks for a byte */
static void set_inject(Object *obj, Visitor *v, const char *name,
                       void *opaque, Error **errp)
{
    DmabedMediaState *s = DMABED_MEDIA(obj);
    DmabedInject inject;

    if (dmabed_inject_get(v, name, &dmabed_media_fault_lookup, &inject,
                          errp)) {
        s->fault = inject.fault;
        s->fault_count = inject.count;
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
    dmabed_bus_free(&s->bus);
    g_free(s->name);
}

bool dmabed_media_realize(DmabedMediaState *s, Error **errp)
{
    DeviceState *dev = DEVICE(s);
    DmabedMediaClass *c = DMABED_MEDIA_GET_CLASS(s);

    s->name = g_strdup(dev->id ?:
                       object_get_canonical_path_component(OBJECT(dev)));
    if (!dmabed_bus_init(&s->bus, OBJECT(s), OBJECT(s), s->name, errp)) {
        return false;
    }
    /* Before a child that has the user's name, which may be "sysbus-irq" */
    sysbus_init_irq(SYS_BUS_DEVICE(dev), &s->irq);
    memory_region_init_io(&s->regs, OBJECT(s), c->regs_ops, s, s->name,
                          DMABED_MEDIA_MMIO_SIZE);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->regs);
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
    DEFINE_PROP_UINT32("addr-bits", DmabedMediaState, bus.addr_bits, 32),
    DEFINE_PROP_DMABED_RANGES(DmabedMediaState, bus),
    DEFINE_PROP_DMABED_MEMORY(DmabedMediaState, bus),
    DEFINE_PROP_DMABED_IOMMU(DmabedMediaState, bus.iommu),
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
