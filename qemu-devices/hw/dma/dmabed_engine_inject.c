/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: what the host asks for while the guest runs, that is
 * holding a job and injecting faults.  These are QOM properties of their own
 * because static ones cannot be set any more when the device is realized.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/dma/dmabed_inject.h"
#include "dmabed_engine_internal.h"
#include "trace.h"

const QEnumLookup dmabed_fault_lookup = {
    .array = (const char *const[]) {
        [DMABED_FAULT_NONE] = "none",
        [DMABED_FAULT_CORRUPT] = "corrupt",
        [DMABED_FAULT_LIE] = "lie",
        [DMABED_FAULT_DECODE] = "decode",
        [DMABED_FAULT_LOST] = "lost",
        [DMABED_FAULT_IRQ_LOST] = "irq-lost",
        [DMABED_FAULT_IRQ_DOUBLE] = "irq-double",
    },
    .size = DMABED_FAULT_COUNT,
};

/* ---- hold ---- */

static bool get_hold(Object *obj, Error **errp)
{
    return DMABED_ENGINE(obj)->hold;
}

static void set_hold(Object *obj, bool value, Error **errp)
{
    DmabedEngineState *s = DMABED_ENGINE(obj);

    s->hold = value;
    dmabed_ring_hold_changed(s);
}

static bool get_held(Object *obj, Error **errp)
{
    return DMABED_ENGINE(obj)->phase == DMABED_PHASE_HELD;
}

static void get_hold_at(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    uint64_t value = DMABED_ENGINE(obj)->hold_at;

    visit_type_uint64(v, name, &value, errp);
}

static void set_hold_at(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    DmabedEngineState *s = DMABED_ENGINE(obj);

    if (visit_type_uint64(v, name, &s->hold_at, errp)) {
        dmabed_ring_hold_changed(s);
    }
}

/* ---- inject ---- */

static void get_inject(Object *obj, Visitor *v, const char *name,
                       void *opaque, Error **errp)
{
    DmabedEngineState *s = DMABED_ENGINE(obj);
    const DmabedInject inject = {
        .fault = s->inject_fault,
        .at = s->inject_at,
        .count = s->inject_count,
    };

    dmabed_inject_tell(v, name, &dmabed_fault_lookup, inject, errp);
}

static void set_inject(Object *obj, Visitor *v, const char *name,
                       void *opaque, Error **errp)
{
    DmabedEngineState *s = DMABED_ENGINE(obj);
    DmabedInject inject;

    if (!dmabed_inject_get(v, name, &dmabed_fault_lookup, &inject, errp)) {
        return;
    }
    s->inject_fault = inject.fault;
    s->inject_at = inject.at;
    s->inject_count = inject.count;
    trace_dmabed_engine_inject(s->name,
                               dmabed_fault_lookup.array[inject.fault],
                               s->inject_at, s->inject_count);
}

void dmabed_inject_take(DmabedEngineState *s)
{
    if (s->inject_count) {
        s->inject_count--;
        s->job.fault = s->inject_fault;
        s->job.fault_at = s->inject_at;
    }
}

void dmabed_inject_add_properties(Object *obj)
{
    object_property_add_bool(obj, "hold", get_hold, set_hold);
    object_property_set_description(obj, "hold",
        "stop jobs when they have moved hold-at bytes");
    object_property_add(obj, "hold-at", "uint64", get_hold_at, set_hold_at,
                        NULL, NULL);
    object_property_set_description(obj, "hold-at",
        "byte of a job at which hold stops it");
    object_property_add_bool(obj, "held", get_held, NULL);
    object_property_set_description(obj, "held", "a job is being held now");
    object_property_add(obj, "inject", "DmabedInject", get_inject, set_inject,
                        NULL, NULL);
    object_property_set_description(obj, "inject",
        "{fault, at, count}: what the next jobs suffer");
}
