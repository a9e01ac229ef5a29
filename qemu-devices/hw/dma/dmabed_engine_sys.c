/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Platform front end of the dmabed DMA engine.
 *
 * It adds one MMIO region and one interrupt to the core and forwards all of
 * the core's properties.  The machine maps it where @mmio-base and @spi say.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/dma/dmabed_engine_sys.h"
#include "hw/irq.h"
#include "hw/qdev-properties.h"

static void set_irq(DmabedEngineState *engine, bool level)
{
    DmabedEngineSysState *s = container_of(engine, DmabedEngineSysState,
                                           engine);

    qemu_set_irq(s->irq, level);
}

static void engine_sys_reset_hold(Object *obj, ResetType type)
{
    /* The core is on no bus, so nobody else resets it */
    device_cold_reset(DEVICE(&DMABED_ENGINE_SYS(obj)->engine));
}

static void engine_sys_realize(DeviceState *dev, Error **errp)
{
    DmabedEngineSysState *s = DMABED_ENGINE_SYS(dev);

    s->engine.set_irq = set_irq;
    if (dev->id) {
        g_free(s->engine.name);
        s->engine.name = g_strdup(dev->id);
    }
    if (!qdev_realize(DEVICE(&s->engine), NULL, errp)) {
        return;
    }
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->engine.regs);
    sysbus_init_irq(SYS_BUS_DEVICE(dev), &s->irq);
}

/* What the host reads and writes while the guest runs */
static void forward_runtime_properties(Object *obj, Object *engine)
{
    static const char *const names[] = {
        "evidence", "hold", "hold-at", "held", "inject",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        object_property_add_alias(obj, names[i], engine, names[i]);
    }
}

static void engine_sys_init(Object *obj)
{
    DmabedEngineSysState *s = DMABED_ENGINE_SYS(obj);

    object_initialize_child(obj, "engine", &s->engine, TYPE_DMABED_ENGINE);
    qdev_alias_all_properties(DEVICE(&s->engine), obj);
    forward_runtime_properties(obj, OBJECT(&s->engine));
}

static const Property engine_sys_properties[] = {
    DEFINE_PROP_UINT64("mmio-base", DmabedEngineSysState, mmio_base,
                       DMABED_ENGINE_BASE_UNSET),
    DEFINE_PROP_UINT32("spi", DmabedEngineSysState, spi,
                       DMABED_ENGINE_SPI_UNSET),
};

static void engine_sys_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "dmabed DMA engine, platform device";
    dc->realize = engine_sys_realize;
    dc->user_creatable = true;
    dc->hotpluggable = false;
    RESETTABLE_CLASS(oc)->phases.hold = engine_sys_reset_hold;
    device_class_set_props(dc, engine_sys_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo engine_sys_types[] = {
    {
        .name = TYPE_DMABED_ENGINE_SYS,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(DmabedEngineSysState),
        .instance_init = engine_sys_init,
        .class_init = engine_sys_class_init,
    },
};

DEFINE_TYPES(engine_sys_types)
