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
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "dmabed_engine_internal.h"

/* docs/specs/dmabed-engine.md, Evidence */
#define MAX_JOBS 1024
#define MAX_RANGES 256
#define MAX_VIOLATIONS 64
/* Of scattered pages behind an IOMMU each is a range: 4 MiB of them */
#define MAX_SYSTEM_RANGES 1024

typedef struct Span {
    uint64_t address;           /* on the bus, or the system's */
    uint64_t length;
} Span;

typedef struct Violation {
    DmabedViolation kind;
    bool in_src;
    uint32_t segment;
    uint64_t bus;
    uint64_t length;
} Violation;

/* The first @max entries, and how many more there would have been */
typedef struct Bounded {
    GArray *entries;
    uint64_t dropped;
} Bounded;

typedef struct JobRecord {
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
    Bounded src;
    Bounded dst;
    Bounded read;
    Bounded written;
    Bounded read_system;        /* behind an IOMMU only */
    Bounded written_system;
    Bounded violations;
} JobRecord;

struct DmabedEvidence {
    uint64_t jobs_total;
    uint64_t jobs_dropped;
    uint64_t guest_errors;
    uint64_t ring_fetches;
    uint64_t data_accesses;
    uint64_t bytes_moved;
    uint64_t interrupts;
    GQueue jobs;                /* of JobRecord, oldest first */
    JobRecord *current;         /* the one in flight, owned by @jobs */
};

/* ---- bounded arrays ---- */

static void bounded_init(Bounded *b, size_t entry_size)
{
    b->entries = g_array_new(false, false, entry_size);
    b->dropped = 0;
}

static void bounded_free(Bounded *b)
{
    g_array_free(b->entries, true);
}

static void bounded_add(Bounded *b, unsigned max, const void *entry)
{
    if (b->entries->len < max) {
        g_array_append_vals(b->entries, entry, 1);
    } else {
        b->dropped++;
    }
}

static void add_range(Bounded *b, unsigned max, uint64_t address,
                      uint64_t length)
{
    Span span = { .address = address, .length = length };

    bounded_add(b, max, &span);
}

/* As add_range(), but neighbours are joined */
static void join_range(Bounded *b, unsigned max, uint64_t address,
                       uint64_t length)
{
    unsigned len = b->entries->len;

    if (len && !b->dropped) {
        Span *last = &g_array_index(b->entries, Span, len - 1);

        if (last->address + last->length == address) {
            last->length += length;
            return;
        }
    }
    add_range(b, max, address, length);
}

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
    bounded_init(&record->src, sizeof(Span));
    bounded_init(&record->dst, sizeof(Span));
    bounded_init(&record->read, sizeof(Span));
    bounded_init(&record->written, sizeof(Span));
    bounded_init(&record->read_system, sizeof(Span));
    bounded_init(&record->written_system, sizeof(Span));
    bounded_init(&record->violations, sizeof(Violation));
    return record;
}

static void record_free(void *opaque)
{
    JobRecord *record = opaque;

    bounded_free(&record->src);
    bounded_free(&record->dst);
    bounded_free(&record->read);
    bounded_free(&record->written);
    bounded_free(&record->read_system);
    bounded_free(&record->written_system);
    bounded_free(&record->violations);
    g_free(record);
}

static void record_list(Bounded *b, const DmabedList *list)
{
    for (int32_t i = 0; i < list->count; i++) {
        add_range(b, MAX_RANGES, list->segments[i].address,
                  list->segments[i].length);
    }
    b->dropped += list->named - list->count;
}

void dmabed_evidence_job_begin(DmabedEngineState *s)
{
    DmabedEvidence *e = s->evidence;

    e->jobs_total++;
    e->current = record_new(&s->job);
    g_queue_push_tail(&e->jobs, e->current);
    if (g_queue_get_length(&e->jobs) > MAX_JOBS) {
        record_free(g_queue_pop_head(&e->jobs));
        e->jobs_dropped++;
    }
}

void dmabed_evidence_job_lists(DmabedEngineState *s)
{
    record_list(&s->evidence->current->src, &s->job.src);
    record_list(&s->evidence->current->dst, &s->job.dst);
}

static void record_end(DmabedEngineState *s)
{
    JobRecord *record = s->evidence->current;

    record->bytes = s->job.done;
    record->mismatch = s->job.mismatch;
    record->end_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
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
    JobRecord *job = e->current;
    uint64_t system;

    e->data_accesses++;
    e->bytes_moved += length;
    join_range(is_write ? &job->written : &job->read, MAX_RANGES, bus, length);
    /* No access goes beyond the page that it is translated to */
    if (dmabed_window_find(s, bus, is_write, &system)) {
        join_range(is_write ? &job->written_system : &job->read_system,
                   MAX_SYSTEM_RANGES, system, length);
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

    bounded_add(&s->evidence->current->violations, MAX_VIOLATIONS, &violation);
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

static void put_u64(QDict *dict, const char *key, uint64_t value)
{
    qdict_put(dict, key, qnum_from_uint(value));
}

static QList *ranges_to_list(const Bounded *b, const char *key)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < b->entries->len; i++) {
        const Span *span = &g_array_index(b->entries, Span, i);
        QDict *dict = qdict_new();

        put_u64(dict, key, span->address);
        put_u64(dict, "length", span->length);
        qlist_append(list, dict);
    }
    return list;
}

static QList *violations_to_list(const Bounded *b)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < b->entries->len; i++) {
        const Violation *v = &g_array_index(b->entries, Violation, i);
        QDict *dict = qdict_new();

        qdict_put_str(dict, "kind", dmabed_violation_name(v->kind));
        qdict_put_str(dict, "list", v->in_src ? "src" : "dst");
        put_u64(dict, "segment", v->segment);
        put_u64(dict, "bus", v->bus);
        put_u64(dict, "length", v->length);
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
    put_u64(dict, "bytes", record->bytes);
    put_sha(dict, record);
    put_mismatch(dict, record);
    qdict_put_int(dict, "start-ns", record->start_ns);
    qdict_put_int(dict, "end-ns", record->end_ns);
    qdict_put_str(dict, "injected", dmabed_fault_lookup.array[record->fault]);
}

static void put_addresses(QDict *dict, const JobRecord *record)
{
    qdict_put(dict, "src", ranges_to_list(&record->src, "bus"));
    put_u64(dict, "src-dropped", record->src.dropped);
    qdict_put(dict, "dst", ranges_to_list(&record->dst, "bus"));
    put_u64(dict, "dst-dropped", record->dst.dropped);
    qdict_put(dict, "read", ranges_to_list(&record->read, "bus"));
    put_u64(dict, "read-dropped", record->read.dropped);
    qdict_put(dict, "written", ranges_to_list(&record->written, "bus"));
    put_u64(dict, "written-dropped", record->written.dropped);
    qdict_put(dict, "read-system",
              ranges_to_list(&record->read_system, "address"));
    put_u64(dict, "read-system-dropped", record->read_system.dropped);
    qdict_put(dict, "written-system",
              ranges_to_list(&record->written_system, "address"));
    put_u64(dict, "written-system-dropped", record->written_system.dropped);
    qdict_put(dict, "violations", violations_to_list(&record->violations));
    put_u64(dict, "violations-dropped", record->violations.dropped);
}

static QDict *record_to_dict(const JobRecord *record)
{
    QDict *dict = qdict_new();

    put_u64(dict, "seq", record->seq);
    put_u64(dict, "cookie", record->cookie);
    qdict_put_str(dict, "op", op_name(record->op));
    put_u64(dict, "seed", record->seed);
    put_u64(dict, "length", record->length);
    put_outcome(dict, record);
    put_addresses(dict, record);
    return dict;
}

static QList *jobs_to_list(DmabedEngineState *s)
{
    DmabedEvidence *e = s->evidence;
    QList *list = qlist_new();

    if (e->current) {
        e->current->bytes = s->job.done;
    }
    for (GList *link = e->jobs.head; link; link = link->next) {
        qlist_append(list, record_to_dict(link->data));
    }
    return list;
}

static QDict *evidence_to_dict(DmabedEngineState *s)
{
    DmabedEvidence *e = s->evidence;
    QDict *dict = qdict_new();

    put_u64(dict, "jobs-total", e->jobs_total);
    put_u64(dict, "jobs-dropped", e->jobs_dropped);
    put_u64(dict, "guest-errors", e->guest_errors);
    put_u64(dict, "ring-fetches", e->ring_fetches);
    put_u64(dict, "data-accesses", e->data_accesses);
    put_u64(dict, "bytes-moved", e->bytes_moved);
    put_u64(dict, "interrupts", e->interrupts);
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
    g_queue_init(&s->evidence->jobs);
}

void dmabed_evidence_clear(DmabedEngineState *s)
{
    g_queue_clear_full(&s->evidence->jobs, record_free);
    memset(s->evidence, 0, sizeof(*s->evidence));
    g_queue_init(&s->evidence->jobs);
}

void dmabed_evidence_fini(DmabedEngineState *s)
{
    dmabed_evidence_clear(s);
    g_free(s->evidence);
    s->evidence = NULL;
}
