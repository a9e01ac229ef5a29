/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: what the engine tells the host.
 *
 * Host-side bookkeeping.  The guest cannot reach it, a reset by the guest
 * leaves it alone, and it is bounded, because the guest chooses how many jobs,
 * segments and violations there are.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/dma/dmabed_record.h"
#include "dmabed_engine_internal.h"

/* docs/specs/dmabed-engine.md, Evidence */
#define MAX_JOBS 1024
#define MAX_RANGES 256
#define MAX_VIOLATIONS 64
/* Of scattered pages behind an IOMMU each is a range: 4 MiB of them */
#define MAX_SYSTEM_RANGES 1024

typedef struct Violation {
    DmabedViolation kind;
    bool in_src;
    uint32_t segment;
    uint64_t bus;
    uint64_t length;
} Violation;

typedef enum ListKind {
    LIST_SRC,
    LIST_DST,
    LIST_READ,
    LIST_WRITTEN,
    LIST_READ_SYSTEM,           /* behind an IOMMU only */
    LIST_WRITTEN_SYSTEM,
    LIST_VIOLATIONS,
    LIST_COUNT,
} ListKind;

/* Ranges have their address under @address, violations are no ranges */
static const struct {
    const char *key;
    const char *dropped_key;
    const char *address;
    unsigned max;
} kinds[LIST_COUNT] = {
    [LIST_SRC] = { "src", "src-dropped", "bus", MAX_RANGES },
    [LIST_DST] = { "dst", "dst-dropped", "bus", MAX_RANGES },
    [LIST_READ] = { "read", "read-dropped", "bus", MAX_RANGES },
    [LIST_WRITTEN] = { "written", "written-dropped", "bus", MAX_RANGES },
    [LIST_READ_SYSTEM] = { "read-system", "read-system-dropped", "address",
                           MAX_SYSTEM_RANGES },
    [LIST_WRITTEN_SYSTEM] = { "written-system", "written-system-dropped",
                              "address", MAX_SYSTEM_RANGES },
    [LIST_VIOLATIONS] = { "violations", "violations-dropped", NULL,
                          MAX_VIOLATIONS },
};

typedef struct JobRecord {
    DmabedRecord record;
    DmabedBounded lists[LIST_COUNT];
    uint64_t seq;
    uint64_t cookie;
    uint64_t seed;
    uint64_t length;
    uint64_t bytes;
    uint64_t mismatch;
    uint32_t op;
    uint32_t status;
    uint32_t fault;
    bool done;
    int64_t start_ns;
    int64_t end_ns;
    uint8_t sha[DMABED_SHA256_SIZE];
} JobRecord;

struct DmabedEvidence {
    uint64_t jobs_total;
    uint64_t guest_errors;
    uint64_t ring_fetches;
    uint64_t data_accesses;
    uint64_t bytes_moved;
    uint64_t interrupts;
    DmabedHistory jobs;         /* of JobRecord */
    JobRecord *current;         /* the one in flight, owned by @jobs */
};

/* ---- records ---- */

static JobRecord *record_new(const DmabedJob *job)
{
    JobRecord *record = g_new0(JobRecord, 1);

    record->seq = job->seq;
    record->cookie = job->cookie;
    record->seed = job->seed;
    record->length = job->length;
    record->mismatch = job->mismatch;
    record->op = job->op;
    record->fault = job->fault;
    record->start_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    for (unsigned i = 0; i < LIST_COUNT; i++) {
        dmabed_bounded_init(&record->lists[i],
                            kinds[i].address ? sizeof(DmabedSpan)
                                             : sizeof(Violation),
                            kinds[i].max);
    }
    dmabed_record_init(&record->record, record->lists, LIST_COUNT);
    return record;
}

static void record_list(DmabedBounded *b, const DmabedList *list)
{
    for (int32_t i = 0; i < list->count; i++) {
        dmabed_bounded_add_span(b, list->segments[i].address,
                                list->segments[i].length);
    }
    b->dropped += list->named - list->count;
}

void dmabed_evidence_job_begin(DmabedEngineState *s)
{
    DmabedEvidence *e = s->evidence;

    e->jobs_total++;
    e->current = record_new(&s->job);
    dmabed_history_add(&e->jobs, &e->current->record);
}

void dmabed_evidence_job_lists(DmabedEngineState *s)
{
    DmabedBounded *lists = s->evidence->current->lists;

    record_list(&lists[LIST_SRC], &s->job.src);
    record_list(&lists[LIST_DST], &s->job.dst);
}

static void record_end(DmabedEngineState *s)
{
    JobRecord *record = s->evidence->current;

    record->bytes = s->job.done;
    record->mismatch = s->job.mismatch;
    record->end_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    dmabed_history_end(&s->evidence->jobs, &record->record);
    s->evidence->current = NULL;
}

void dmabed_evidence_job_end(DmabedEngineState *s)
{
    JobRecord *record = s->evidence->current;

    record->done = true;
    record->status = s->job.status;
    dmabed_sha256_digest(&s->job.sha, record->sha);
    record_end(s);
}

void dmabed_evidence_job_drop(DmabedEngineState *s)
{
    record_end(s);
}

/* ---- events ---- */

void dmabed_evidence_guest_error(DmabedEngineState *s)
{
    s->evidence->guest_errors++;
}

void dmabed_evidence_interrupt(DmabedEngineState *s)
{
    s->evidence->interrupts++;
}

void dmabed_evidence_fetch(DmabedEngineState *s)
{
    s->evidence->ring_fetches++;
}

void dmabed_evidence_access(DmabedEngineState *s, uint64_t bus,
                            uint64_t length, bool is_write)
{
    DmabedEvidence *e = s->evidence;
    DmabedBounded *lists = e->current->lists;
    uint64_t system;

    e->data_accesses++;
    e->bytes_moved += length;
    dmabed_bounded_join_span(&lists[is_write ? LIST_WRITTEN : LIST_READ], bus,
                             length);
    /* No access goes beyond the page that it is translated to */
    if (dmabed_window_find(s, bus, is_write, &system)) {
        dmabed_bounded_join_span(&lists[is_write ? LIST_WRITTEN_SYSTEM
                                                 : LIST_READ_SYSTEM],
                                 system, length);
    }
}

void dmabed_evidence_violation(DmabedEngineState *s, const DmabedList *list,
                               DmabedViolation kind, uint32_t segment,
                               uint64_t bus, uint64_t length)
{
    Violation violation = {
        .kind = kind,
        .in_src = list == &s->job.src,
        .segment = segment,
        .bus = bus,
        .length = length,
    };

    dmabed_bounded_add(&s->evidence->current->lists[LIST_VIOLATIONS],
                       &violation);
}

/* ---- names: the header's, in lower case ---- */

const char *dmabed_violation_name(DmabedViolation kind)
{
    static const char *const names[DMABED_VIOLATION_KINDS] = {
        [DMABED_VIOLATION_SEG_COUNT] = "seg-count",
        [DMABED_VIOLATION_SEG_SIZE] = "seg-size",
        [DMABED_VIOLATION_SEG_BOUNDARY] = "seg-boundary",
        [DMABED_VIOLATION_ALIGNMENT] = "alignment",
        [DMABED_VIOLATION_GRANULE] = "granule",
        [DMABED_VIOLATION_ADDR_WIDTH] = "addr-width",
        [DMABED_VIOLATION_DECODE] = "decode",
    };

    return names[kind];
}

static const char *op_name(uint32_t op)
{
    static const char *const names[] = {
        [DMABED_OP_FILL] = "fill",
        [DMABED_OP_DIGEST] = "digest",
        [DMABED_OP_COPY] = "copy",
        [DMABED_OP_COMPARE] = "compare",
    };

    /* The guest chose the number */
    return op < ARRAY_SIZE(names) && names[op] ? names[op] : "unknown";
}

static const char *status_name(uint32_t status)
{
    static const char *const names[] = {
        [DMABED_COMP_NONE] = "none",
        [DMABED_COMP_OK] = "ok",
        [DMABED_COMP_MISMATCH_FOUND] = "mismatch-found",
        [DMABED_COMP_BAD_OP] = "bad-op",
        [DMABED_COMP_BAD_LIST] = "bad-list",
        [DMABED_COMP_BAD_LENGTH] = "bad-length",
        [DMABED_COMP_SEG_COUNT] = "seg-count",
        [DMABED_COMP_SEG_SIZE] = "seg-size",
        [DMABED_COMP_SEG_BOUNDARY] = "seg-boundary",
        [DMABED_COMP_ALIGNMENT] = "alignment",
        [DMABED_COMP_GRANULE] = "granule",
        [DMABED_COMP_ADDR_WIDTH] = "addr-width",
        [DMABED_COMP_DECODE] = "decode",
    };

    return names[status];
}

/* ---- to JSON ---- */

static QList *violations_to_list(const DmabedBounded *b)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < b->entries->len; i++) {
        const Violation *v = &g_array_index(b->entries, Violation, i);
        QDict *dict = qdict_new();

        qdict_put_str(dict, "kind", dmabed_violation_name(v->kind));
        qdict_put_str(dict, "list", v->in_src ? "src" : "dst");
        dmabed_put_u64(dict, "segment", v->segment);
        dmabed_put_u64(dict, "bus", v->bus);
        dmabed_put_u64(dict, "length", v->length);
        qlist_append(list, dict);
    }
    return list;
}

static void put_sha(QDict *dict, const JobRecord *record)
{
    char text[2 * DMABED_SHA256_SIZE + 1] = "";

    for (int i = 0; record->done && i < DMABED_SHA256_SIZE; i++) {
        snprintf(text + 2 * i, 3, "%02x", record->sha[i]);
    }
    qdict_put_str(dict, "sha256", text);
}

static void put_mismatch(QDict *dict, const JobRecord *record)
{
    bool none = record->mismatch == UINT64_MAX;

    qdict_put_int(dict, "mismatch-at", none ? -1 : (int64_t)record->mismatch);
}

static void put_outcome(QDict *dict, const JobRecord *record)
{
    qdict_put_str(dict, "status", status_name(record->status));
    qdict_put_bool(dict, "done", record->done);
    dmabed_put_u64(dict, "bytes", record->bytes);
    put_sha(dict, record);
    put_mismatch(dict, record);
    qdict_put_int(dict, "start-ns", record->start_ns);
    qdict_put_int(dict, "end-ns", record->end_ns);
    qdict_put_str(dict, "injected", dmabed_fault_lookup.array[record->fault]);
}

static void put_lists(QDict *dict, const JobRecord *record)
{
    for (unsigned i = 0; i < LIST_COUNT; i++) {
        const DmabedBounded *list = &record->lists[i];

        qdict_put(dict, kinds[i].key,
                  kinds[i].address ? dmabed_spans_to_list(list,
                                                          kinds[i].address)
                                   : violations_to_list(list));
        dmabed_put_u64(dict, kinds[i].dropped_key, list->dropped);
    }
    qdict_put_bool(dict, "cut", record->record.cut);
}

static QDict *record_to_dict(const JobRecord *record)
{
    QDict *dict = qdict_new();

    dmabed_put_u64(dict, "seq", record->seq);
    dmabed_put_u64(dict, "cookie", record->cookie);
    qdict_put_str(dict, "op", op_name(record->op));
    dmabed_put_u64(dict, "seed", record->seed);
    dmabed_put_u64(dict, "length", record->length);
    put_outcome(dict, record);
    put_lists(dict, record);
    return dict;
}

static QList *jobs_to_list(DmabedEngineState *s)
{
    DmabedEvidence *e = s->evidence;
    QList *list = qlist_new();

    if (e->current) {
        e->current->bytes = s->job.done;
    }
    for (GList *link = e->jobs.records.head; link; link = link->next) {
        qlist_append(list, record_to_dict(link->data));
    }
    return list;
}

static QDict *evidence_to_dict(DmabedEngineState *s)
{
    DmabedEvidence *e = s->evidence;
    QDict *dict = qdict_new();

    dmabed_put_u64(dict, "jobs-total", e->jobs_total);
    dmabed_put_u64(dict, "jobs-dropped", e->jobs.records_dropped);
    dmabed_put_u64(dict, "jobs-cut", e->jobs.records_cut);
    dmabed_put_u64(dict, "guest-errors", e->guest_errors);
    dmabed_put_u64(dict, "ring-fetches", e->ring_fetches);
    dmabed_put_u64(dict, "data-accesses", e->data_accesses);
    dmabed_put_u64(dict, "bytes-moved", e->bytes_moved);
    dmabed_put_u64(dict, "interrupts", e->interrupts);
    qdict_put_bool(dict, "held", s->phase == DMABED_PHASE_HELD);
    qdict_put(dict, "jobs", jobs_to_list(s));
    return dict;
}

static void get_evidence(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    DmabedEngineState *s = DMABED_ENGINE(obj);
    QObject *value;

    if (!s->evidence) {
        error_setg(errp, "the device is not realized");
        return;
    }
    value = QOBJECT(evidence_to_dict(s));
    visit_type_any(v, name, &value, errp);
    qobject_unref(value);
}

void dmabed_evidence_add_property(Object *obj)
{
    object_property_add(obj, "evidence", "DmabedEvidence", get_evidence, NULL,
                        NULL, NULL);
    object_property_set_description(obj, "evidence",
                                    "what the engine has done");
}

/* ---- life ---- */

void dmabed_evidence_init(DmabedEngineState *s)
{
    s->evidence = g_new0(DmabedEvidence, 1);
    dmabed_history_init(&s->evidence->jobs, MAX_JOBS);
}

void dmabed_evidence_clear(DmabedEngineState *s)
{
    dmabed_history_clear(&s->evidence->jobs);
    *s->evidence = (DmabedEvidence) { .jobs = s->evidence->jobs };
}

void dmabed_evidence_fini(DmabedEngineState *s)
{
    dmabed_evidence_clear(s);
    g_free(s->evidence);
    s->evidence = NULL;
}
