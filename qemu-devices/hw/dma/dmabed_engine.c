/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: the object.  Properties and their limits, realize,
 * reset, migration.
 *
 * The contract is docs/specs/dmabed-engine.md of dmabed.
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qapi/error.h"
#include "hw/qdev-properties.h"
#include "hw/resettable.h"
#include "migration/vmstate.h"
#include "system/reset.h"
#include "dmabed_engine_internal.h"
#include "trace.h"

/* ---- properties ---- */

/* CAP_ALIGNMENT and CAP_GRANULE are 32 bits wide; a burst holds a granule */
#define MAX_ALIGNMENT 0x80000000ULL
#define MAX_GRANULE DMABED_BURST

/*
 * The smallest boundary that hardware in the kernel's drivers has is 64 KiB
 * (IDE); a page leaves room without letting a job fall to single bytes.
 */
#define MIN_BOUNDARY_MASK 0xfffULL

static const Property engine_properties[] = {
    DEFINE_PROP_UINT32("addr-bits", DmabedEngineState, bus.addr_bits, 64),
    DEFINE_PROP_DMABED_RANGES(DmabedEngineState, bus),
    DEFINE_PROP_DMABED_MEMORY(DmabedEngineState, bus),
    DEFINE_PROP_DMABED_IOMMU(DmabedEngineState, bus.iommu),
    DEFINE_PROP_UINT32("report-addr-bits", DmabedEngineState,
                       report_addr_bits, 0),
    DEFINE_PROP_UINT32("max-segments", DmabedEngineState, max_segments, 0),
    DEFINE_PROP_UINT64("max-segment-size", DmabedEngineState,
                       max_segment_size, 0),
    DEFINE_PROP_UINT64("segment-boundary-mask", DmabedEngineState,
                       boundary_mask, UINT64_MAX),
    DEFINE_PROP_UINT64("alignment", DmabedEngineState, alignment, 1),
    DEFINE_PROP_UINT64("granule", DmabedEngineState, granule, 1),
    DEFINE_PROP_STRING("policy", DmabedEngineState, policy),
    DEFINE_PROP_UINT64("latency-ns", DmabedEngineState, latency_ns, 1000),
    DEFINE_PROP_UINT64("bandwidth", DmabedEngineState, bandwidth, 0),
    DEFINE_PROP_UINT64("local-memory", DmabedEngineState, local_size, 0),
};

static bool check_power_of_2(const char *name, uint64_t value, uint64_t max,
                             Error **errp)
{
    if (is_power_of_2(value) && value <= max) {
        return true;
    }
    error_setg(errp, "%s: %" PRIu64 " is no power of 2 in 1...%" PRIu64, name,
               value, max);
    return false;
}

static bool check_boundary_mask(uint64_t mask, Error **errp)
{
    if (!(mask & (mask + 1)) && mask >= MIN_BOUNDARY_MASK) {
        return true;
    }
    error_setg(errp, "segment-boundary-mask: 0x%" PRIx64 " is no power of 2 "
               "minus 1; allowed are 0x%" PRIx64 " and above", mask,
               (uint64_t)MIN_BOUNDARY_MASK);
    return false;
}

static bool check_max_segments(uint32_t segments, Error **errp)
{
    if (segments <= DMABED_LIST_MAX_SEGMENTS) {
        return true;
    }
    error_setg(errp, "max-segments: %u is out of range; allowed are 0...%d",
               segments, DMABED_LIST_MAX_SEGMENTS);
    return false;
}

static bool understand_policy(DmabedEngineState *s, Error **errp)
{
    s->wrap = g_strcmp0(s->policy, "wrap") == 0;
    if (!s->policy || s->wrap || !strcmp(s->policy, "fault")) {
        return true;
    }
    error_setg(errp, "policy: '%s' is unknown; allowed are 'fault' and 'wrap'",
               s->policy);
    return false;
}

static bool check_properties(DmabedEngineState *s, Error **errp)
{
    return (!s->report_addr_bits ||
            dmabed_bus_check_addr_bits("report-addr-bits",
                                       s->report_addr_bits, errp)) &&
           check_max_segments(s->max_segments, errp) &&
           check_boundary_mask(s->boundary_mask, errp) &&
           check_power_of_2("alignment", s->alignment, MAX_ALIGNMENT, errp) &&
           check_power_of_2("granule", s->granule, MAX_GRANULE, errp) &&
           understand_policy(s, errp);
}

/*
 * The front end embeds the core: what holds on to a region must keep both, or
 * the address spaces that let go of it later would find the memory freed.
 */
Object *dmabed_engine_owner(const DmabedEngineState *s)
{
    return OBJECT(s)->parent;
}

void dmabed_engine_forward_runtime(DmabedEngineState *s, Object *obj)
{
    static const char *const names[] = {
        "evidence", "hold", "hold-at", "held", "inject", "state",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        object_property_add_alias(obj, names[i], OBJECT(s), names[i]);
    }
}

/* ---- realize and reset ---- */

static void engine_init(Object *obj)
{
    DmabedEngineState *s = DMABED_ENGINE(obj);

    s->name = g_strdup("unnamed");
    dmabed_inject_add_properties(obj);
    dmabed_evidence_add_property(obj);
    dmabed_state_add_property(obj);
}

void dmabed_engine_take_name(DmabedEngineState *s, DeviceState *dev)
{
    g_free(s->name);
    s->name = g_strdup(dev->id ?:
                       object_get_canonical_path_component(OBJECT(dev)));
}

static void engine_finalize(Object *obj)
{
    DmabedEngineState *s = DMABED_ENGINE(obj);

    dmabed_bus_free(&s->bus);
    g_free(s->name);
}

/*
 * Only here, and in no reset of the device: a guest that switches a slot or a
 * bridge off must not wipe out what the device did.
 */
static void machine_was_reset(void *opaque)
{
    DmabedEngineState *s = opaque;

    dmabed_ring_reset(s);
    dmabed_evidence_clear(s);
    s->jobs_started = 0;
}

static void engine_realize(DeviceState *dev, Error **errp)
{
    DmabedEngineState *s = DMABED_ENGINE(dev);

    if (!check_properties(s, errp) || !dmabed_local_init(s, errp)) {
        return;
    }
    if (!dmabed_window_init(s, errp)) {
        dmabed_local_fini(s);
        return;
    }
    memory_region_init_io(&s->regs, dmabed_engine_owner(s), &dmabed_regs_ops, s,
                          "dmabed-engine.regs", DMABED_ENGINE_MMIO_SIZE);
    dmabed_evidence_init(s);
    dmabed_ring_init(s);
    qemu_register_reset(machine_was_reset, s);
}

static void engine_unrealize(DeviceState *dev)
{
    DmabedEngineState *s = DMABED_ENGINE(dev);

    qemu_unregister_reset(machine_was_reset, s);
    dmabed_ring_fini(s);
    dmabed_evidence_fini(s);
    dmabed_window_fini(s);
    dmabed_local_fini(s);
}

/* What the host has asked for (hold, inject) outlives a reset */
static void engine_reset_enter(Object *obj, ResetType type)
{
    DmabedEngineState *s = DMABED_ENGINE(obj);

    dmabed_ring_reset(s);
    dmabed_regs_reset(s);
}

static void engine_reset_hold(Object *obj, ResetType type)
{
    DmabedEngineState *s = DMABED_ENGINE(obj);

    trace_dmabed_engine_reset(s->name);
    dmabed_irq_update(s);
}

/* ---- migration ---- */

static const VMStateDescription vmstate_segment = {
    .name = "dmabed-engine/segment",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(address, DmabedSegment),
        VMSTATE_UINT64(length, DmabedSegment),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_list = {
    .name = "dmabed-engine/list",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(named, DmabedList),
        VMSTATE_INT32(count, DmabedList),
        VMSTATE_STRUCT_VARRAY_ALLOC(segments, DmabedList, count, 1,
                                    vmstate_segment, DmabedSegment),
        VMSTATE_UINT32(index, DmabedList),
        VMSTATE_UINT64(offset, DmabedList),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_job = {
    .name = "dmabed-engine/job",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(op, DmabedJob),
        VMSTATE_UINT32(flags, DmabedJob),
        VMSTATE_UINT64(cookie, DmabedJob),
        VMSTATE_UINT64(seed, DmabedJob),
        VMSTATE_UINT64(length, DmabedJob),
        VMSTATE_UINT64(src_address, DmabedJob),
        VMSTATE_UINT64(dst_address, DmabedJob),
        VMSTATE_UINT64(pattern_offset, DmabedJob),
        VMSTATE_STRUCT(src, DmabedJob, 1, vmstate_list, DmabedList),
        VMSTATE_STRUCT(dst, DmabedJob, 1, vmstate_list, DmabedList),
        VMSTATE_UINT64(seq, DmabedJob),
        VMSTATE_UINT64(done, DmabedJob),
        VMSTATE_UINT64(mismatch, DmabedJob),
        VMSTATE_UINT32(status, DmabedJob),
        VMSTATE_UINT32(violations, DmabedJob),
        VMSTATE_STRUCT(sha, DmabedJob, 1, vmstate_dmabed_sha256,
                       DmabedSha256),
        VMSTATE_UINT32(fault, DmabedJob),
        VMSTATE_UINT64(fault_at, DmabedJob),
        VMSTATE_END_OF_LIST()
    }
};

static bool job_in_flight(void *opaque)
{
    return dmabed_ring_busy(opaque);
}

static bool list_is_sane(const DmabedList *list, bool needed)
{
    return list->count >= 0 && list->count <= DMABED_LIST_MAX_SEGMENTS &&
           (list->index < list->count || !needed);
}

/* A job that has a status already never walks its lists again */
static bool job_is_sane(const DmabedJob *job)
{
    bool runs = !job->status;

    return job->done <= job->length && job->fault < DMABED_FAULT_COUNT &&
           (!runs || dmabed_op_uses_src(job->op) ||
            dmabed_op_uses_dst(job->op)) &&
           list_is_sane(&job->src, runs && dmabed_op_uses_src(job->op)) &&
           list_is_sane(&job->dst, runs && dmabed_op_uses_dst(job->op));
}

static const VMStateDescription vmstate_job_in_flight = {
    .name = "dmabed-engine/job-in-flight",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = job_in_flight,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(job, DmabedEngineState, 1, vmstate_job, DmabedJob),
        VMSTATE_END_OF_LIST()
    }
};

/* Whatever was in flight here makes room for what comes */
static int engine_pre_load(void *opaque)
{
    DmabedEngineState *s = opaque;

    dmabed_ring_reset(s);
    dmabed_evidence_clear(s);
    return 0;
}

static bool state_is_sane(const DmabedEngineState *s)
{
    return s->phase < DMABED_PHASE_COUNT &&
           s->inject_fault < DMABED_FAULT_COUNT &&
           (s->phase == DMABED_PHASE_IDLE || is_power_of_2(s->ring_entries)) &&
           (!dmabed_ring_busy(s) || job_is_sane(&s->job));
}

/* Evidence does not migrate, but a job in flight needs a record to go on */
static int engine_post_load(void *opaque, int version_id)
{
    DmabedEngineState *s = opaque;

    if (!state_is_sane(s)) {
        return -EINVAL;
    }
    if (dmabed_ring_busy(s)) {
        dmabed_evidence_job_begin(s);
        dmabed_evidence_job_lists(s);
    }
    return 0;
}

static const VMStateDescription vmstate_engine = {
    .name = TYPE_DMABED_ENGINE,
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = engine_pre_load,
    .post_load = engine_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(ctrl, DmabedEngineState),
        VMSTATE_UINT32(irq_status, DmabedEngineState),
        VMSTATE_UINT32(irq_enable, DmabedEngineState),
        VMSTATE_UINT32(error, DmabedEngineState),
        VMSTATE_UINT64(ring_base, DmabedEngineState),
        VMSTATE_UINT64(comp_base, DmabedEngineState),
        VMSTATE_UINT32(ring_entries, DmabedEngineState),
        VMSTATE_UINT32(ring_head, DmabedEngineState),
        VMSTATE_UINT32(ring_tail, DmabedEngineState),
        VMSTATE_UINT32(phase, DmabedEngineState),
        VMSTATE_UINT64(jobs_started, DmabedEngineState),
        VMSTATE_INT64(deadline_ns, DmabedEngineState),
        VMSTATE_TIMER(step_timer, DmabedEngineState),
        VMSTATE_TIMER(irq_timer, DmabedEngineState),
        VMSTATE_BOOL(hold, DmabedEngineState),
        VMSTATE_UINT64(hold_at, DmabedEngineState),
        VMSTATE_UINT32(inject_fault, DmabedEngineState),
        VMSTATE_UINT64(inject_at, DmabedEngineState),
        VMSTATE_UINT64(inject_count, DmabedEngineState),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &vmstate_job_in_flight,
        NULL
    }
};

/* ---- registration ---- */

static void engine_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);

    dc->desc = "dmabed DMA engine, core";
    dc->realize = engine_realize;
    dc->unrealize = engine_unrealize;
    dc->vmsd = &vmstate_engine;
    dc->user_creatable = false;
    rc->phases.enter = engine_reset_enter;
    rc->phases.hold = engine_reset_hold;
    device_class_set_props(dc, engine_properties);
}

static const TypeInfo engine_types[] = {
    {
        .name = TYPE_DMABED_ENGINE,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(DmabedEngineState),
        .instance_init = engine_init,
        .instance_finalize = engine_finalize,
        .class_init = engine_class_init,
    },
};

DEFINE_TYPES(engine_types)
