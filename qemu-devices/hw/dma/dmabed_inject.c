/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed: the value of the property "inject", of engines and media blocks.
 */
#include "qemu/osdep.h"
#include "hw/dma/dmabed_inject.h"

static bool visit_members(Visitor *v, const QEnumLookup *faults,
                          DmabedInject *inject, Error **errp)
{
    bool has_at = true, has_count = true;

    if (!visit_type_enum(v, "fault", &inject->fault, faults, errp)) {
        return false;
    }
    if (visit_optional(v, "at", &has_at) &&
        !visit_type_uint64(v, "at", &inject->at, errp)) {
        return false;
    }
    if (visit_optional(v, "count", &has_count) &&
        !visit_type_uint64(v, "count", &inject->count, errp)) {
        return false;
    }
    return visit_check_struct(v, errp);
}

static bool visit_inject(Visitor *v, const char *name,
                         const QEnumLookup *faults, DmabedInject *inject,
                         Error **errp)
{
    bool ok;

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return false;
    }
    ok = visit_members(v, faults, inject, errp);
    visit_end_struct(v, NULL);
    return ok;
}

bool dmabed_inject_get(Visitor *v, const char *name, const QEnumLookup *faults,
                       DmabedInject *inject, Error **errp)
{
    *inject = (DmabedInject) { .count = 1 };
    if (!visit_inject(v, name, faults, inject, errp)) {
        return false;
    }
    if (!inject->fault) {
        inject->count = 0;
    }
    return true;
}

void dmabed_inject_tell(Visitor *v, const char *name,
                        const QEnumLookup *faults, DmabedInject inject,
                        Error **errp)
{
    if (!inject.count) {
        inject.fault = 0;
    }
    visit_inject(v, name, faults, &inject, errp);
}
