/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: what its registers hold, for a host that looks whether a
 * driver has left something behind.  Reading changes nothing.
 */
#include "qemu/osdep.h"
#include "qapi/visitor.h"
#include "qobject/qdict.h"
#include "hw/dma/dmabed_record.h"
#include "dmabed_engine_internal.h"

static uint32_t ring_pending(const DmabedEngineState *s)
{
    if (!s->ring_entries) {
        return 0;
    }
    return (s->ring_head - s->ring_tail) & (s->ring_entries - 1);
}

static QDict *state_to_dict(const DmabedEngineState *s)
{
    QDict *dict = qdict_new();

    qdict_put_bool(dict, "enabled", s->ctrl & DMABED_CTRL_ENABLE);
    dmabed_put_u64(dict, "ring-pending", ring_pending(s));
    dmabed_put_u64(dict, "irq-status", s->irq_status);
    dmabed_put_u64(dict, "irq-enable", s->irq_enable);
    dmabed_put_u64(dict, "error", s->error);
    return dict;
}

static void get_state(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    QObject *value = QOBJECT(state_to_dict(DMABED_ENGINE(obj)));

    visit_type_any(v, name, &value, errp);
    qobject_unref(value);
}

void dmabed_state_add_property(Object *obj)
{
    object_property_add(obj, "state", "DmabedEngineRegisters", get_state, NULL,
                        NULL, NULL);
    object_property_set_description(obj, "state",
        "what the registers hold, without touching them");
}
