/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: memory of the engine's own.
 *
 * It belongs to the front end, a device, so that it goes with the guest's
 * state.  Where others reach it, and whether they do, is its business.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "migration/vmstate.h"
#include "dmabed_engine_internal.h"

#define LOCAL_ALIGN (4 * KiB)
#define LOCAL_MAX (1 * GiB)

/* Above the windows, which have priority 0 */
#define LOCAL_PRIORITY 1

static bool check_size(uint64_t size, Error **errp)
{
    if (!(size % LOCAL_ALIGN) && size <= LOCAL_MAX) {
        return true;
    }
    error_setg(errp, "local-memory: %" PRIu64 " is no multiple of %" PRIu64
               " up to %" PRIu64, size, (uint64_t)LOCAL_ALIGN,
               (uint64_t)LOCAL_MAX);
    return false;
}

bool dmabed_local_init(DmabedEngineState *s, Error **errp)
{
    /* The core is on no bus: its name alone tells apart the RAM of engines */
    g_autofree char *name = g_strdup_printf("dmabed-engine.%s.local", s->name);

    return check_size(s->local_size, errp) &&
           (!s->local_size ||
            memory_region_init_ram(&s->local, dmabed_engine_owner(s), name,
                                   s->local_size, errp));
}

void dmabed_local_fini(DmabedEngineState *s)
{
    if (s->local_size) {
        /* An engine of the same name may be plugged before this one is gone */
        vmstate_unregister_ram(&s->local, DEVICE(dmabed_engine_owner(s)));
    }
}

void dmabed_engine_place_local(DmabedEngineState *s, uint64_t bus)
{
    memory_region_init_alias(&s->local_window, dmabed_engine_owner(s),
                             "dmabed-engine.local-window", &s->local, 0,
                             s->local_size);
    memory_region_add_subregion_overlap(&s->bus.root, bus, &s->local_window,
                                        LOCAL_PRIORITY);
}
