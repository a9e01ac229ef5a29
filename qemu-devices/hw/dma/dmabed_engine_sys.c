/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Platform front end of the dmabed DMA engine.
 *
 * It adds one MMIO region and one interrupt to the core and forwards all of
 * the core's properties.  The machine maps it where @mmio-base and @spi say,
 * and its local memory, if others reach it, at @local-base.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
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

static uint64_t get_local_base(const DmabedEngineState *engine)
{
    return container_of(engine, DmabedEngineSysState, engine)->local_base;
}

static bool check_local_base(DmabedEngineSysState *s, Error **errp)
{
    uint64_t size = s->engine.local_size;
    uint64_t last = s->local_base + (size - 1);

    if (!size) {
        return true;
    }
    if (s->local_base == DMABED_ENGINE_BASE_UNSET) {
        error_setg(errp, "local-base: must be given with local-memory");
        return false;
    }
    if (s->local_base % (4 * KiB)) {
        error_setg(errp, "local-base: 0x%" PRIx64 " is no multiple of 0x%"
                   PRIx64, s->local_base, (uint64_t)(4 * KiB));
        return false;
    }
    if (last < s->local_base ||
        last > dmabed_bus_mask(&s->engine.bus)) {
        error_setg(errp, "local-base: local memory at 0x%" PRIx64 " ends "
                   "beyond the engine's %u address bits", s->local_base,
                   s->engine.bus.addr_bits);
        return false;
    }
    return true;
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
    s->engine.get_local_base = get_local_base;
    dmabed_engine_take_name(&s->engine, dev);
    if (!qdev_realize(DEVICE(&s->engine), NULL, errp) ||
        !check_local_base(s, errp)) {
        return;
    }
    if (s->engine.local_size) {
        dmabed_engine_place_local(&s->engine, s->local_base);
    }
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->engine.regs);
    if (dmabed_engine_sys_shows_local(s)) {
        sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->engine.local);
    }
    sysbus_init_irq(SYS_BUS_DEVICE(dev), &s->irq);
}

static void engine_sys_init(Object *obj)
{
    DmabedEngineSysState *s = DMABED_ENGINE_SYS(obj);

    object_initialize_child(obj, "engine", &s->engine, TYPE_DMABED_ENGINE);
    qdev_alias_all_properties(DEVICE(&s->engine), obj);
    dmabed_engine_forward_runtime(&s->engine, obj);
}

static const Property engine_sys_properties[] = {
    DEFINE_PROP_UINT64("mmio-base", DmabedEngineSysState, mmio_base,
                       DMABED_ENGINE_BASE_UNSET),
    DEFINE_PROP_UINT32("spi", DmabedEngineSysState, spi,
                       DMABED_ENGINE_SPI_UNSET),
    DEFINE_PROP_UINT64("local-base", DmabedEngineSysState, local_base,
                       DMABED_ENGINE_BASE_UNSET),
    DEFINE_PROP_BOOL("local-visible", DmabedEngineSysState, local_visible,
                     true),
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
