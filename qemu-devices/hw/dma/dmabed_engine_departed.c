/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: what an engine that was unplugged has left behind.
 *
 * A device that is gone answers no question, so its evidence is kept for the
 * host, by its name, in a property of the machine.  Only the host plugs
 * devices: it decides how many names there are.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qobject/qdict.h"
#include "qom/qom-qobject.h"
#include "dmabed_engine_internal.h"

static QDict *departed;         /* by name, the last of each */

static QDict *all(void)
{
    if (!departed) {
        departed = qdict_new();
    }
    return departed;
}

void dmabed_engine_depart(DmabedEngineState *s)
{
    /* The job in flight goes with the device, and the record says so */
    dmabed_ring_reset(s);
    qdict_put_obj(all(), s->name,
                  object_property_get_qobject(OBJECT(s), "evidence",
                                              &error_abort));
}

static void get_departed(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    QObject *value = QOBJECT(all());

    visit_type_any(v, name, &value, errp);
}

void dmabed_departed_add_property(ObjectClass *oc)
{
    object_class_property_add(oc, "departed", "DmabedDeparted", get_departed,
                              NULL, NULL, NULL);
    object_class_property_set_description(oc, "departed",
        "evidence of engines that were unplugged, by their names");
}
