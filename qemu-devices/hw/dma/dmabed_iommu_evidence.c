/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed IOMMUs: what an IOMMU tells the host.
 *
 * Host-side bookkeeping, as the engine's: the guest cannot reach it, and it is
 * bounded.  Neighbouring pages that suffer the same are one entry, as one
 * access of a master asks for a translation more than once.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "dmabed_iommu_internal.h"
#include "trace.h"

/* docs/specs/rockchip-iommu.md, Evidence */
#define MAX_ENTRIES 256

typedef struct Fault {
    DmabedIommuFault fault;
    const char *master;         /* owned by the IOMMU */
    int64_t time_ns;
} Fault;

typedef struct Violation {
    DmabedIommuViolation kind;
    DmabedIommuUse use;
    uint64_t length;
} Violation;

struct DmabedIommuEvidence {
    uint64_t counts[DMABED_IOMMU_COUNTS];
    GArray *faults;
    uint64_t faults_dropped;
    GArray *violations;
    uint64_t violations_dropped;
};

/* ---- record ---- */

void dmabed_iommu_count(DmabedIommuState *s, DmabedIommuCount what)
{
    s->evidence->counts[what]++;
}

void dmabed_iommu_record_fault(DmabedIommuState *s,
                               const DmabedIommuFault *fault,
                               const char *master)
{
    DmabedIommuEvidence *e = s->evidence;
    Fault entry = {
        .fault = *fault,
        .master = master,
        .time_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL),
    };

    if (e->faults->len < MAX_ENTRIES) {
        g_array_append_val(e->faults, entry);
    } else {
        e->faults_dropped++;
    }
}

/* Is it the same again, or does it go on where the last one ended? */
static bool joins(Violation *last, DmabedIommuViolation kind,
                  const DmabedIommuUse *use)
{
    uint64_t offset = (uint64_t)use->iova - last->use.iova;

    return last->kind == kind && last->use.master == use->master &&
           last->use.is_write == use->is_write && offset <= last->length;
}

void dmabed_iommu_record_violation(DmabedIommuState *s,
                                   DmabedIommuViolation kind,
                                   const DmabedIommuUse *use)
{
    DmabedIommuEvidence *e = s->evidence;
    Violation *last = e->violations->len && !e->violations_dropped ?
        &g_array_index(e->violations, Violation, e->violations->len - 1) :
        NULL;

    trace_dmabed_iommu_violation(s->name, use->master,
                                 dmabed_iommu_violation_name(kind), use->iova,
                                 use->used, use->table);
    if (last && joins(last, kind, use)) {
        last->length = MAX(last->length, (uint64_t)use->iova -
                           last->use.iova + DMABED_IOMMU_PAGE_SIZE);
    } else if (e->violations->len < MAX_ENTRIES) {
        Violation entry = {
            .kind = kind, .use = *use, .length = DMABED_IOMMU_PAGE_SIZE,
        };

        g_array_append_val(e->violations, entry);
    } else {
        e->violations_dropped++;
    }
}

/* ---- names ---- */

const char *dmabed_iommu_reason_name(DmabedIommuReason reason)
{
    static const char *const names[DMABED_IOMMU_REASONS] = {
        [DMABED_IOMMU_NONE] = "none",
        [DMABED_IOMMU_NO_TABLE] = "no-table",
        [DMABED_IOMMU_NO_PAGE] = "no-page",
        [DMABED_IOMMU_NOT_READABLE] = "not-readable",
        [DMABED_IOMMU_NOT_WRITABLE] = "not-writable",
        [DMABED_IOMMU_BUS_ERROR] = "bus-error",
    };

    return names[reason];
}

const char *dmabed_iommu_violation_name(DmabedIommuViolation kind)
{
    static const char *const names[DMABED_IOMMU_VIOLATIONS] = {
        [DMABED_IOMMU_STALE] = "stale",
        [DMABED_IOMMU_OUTPUT_WIDTH] = "output-width",
    };

    return names[kind];
}

/* ---- to JSON ---- */

static const char *direction(bool is_write)
{
    return is_write ? "write" : "read";
}

static void put_u64(QDict *dict, const char *key, uint64_t value)
{
    qdict_put(dict, key, qnum_from_uint(value));
}

static QList *faults_to_list(const DmabedIommuEvidence *e)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < e->faults->len; i++) {
        const Fault *f = &g_array_index(e->faults, Fault, i);
        QDict *dict = qdict_new();

        qdict_put_str(dict, "reason",
                      dmabed_iommu_reason_name(f->fault.reason));
        qdict_put_str(dict, "device", f->master);
        qdict_put_str(dict, "access", direction(f->fault.is_write));
        put_u64(dict, "iova", f->fault.iova);
        qdict_put_int(dict, "time-ns", f->time_ns);
        qlist_append(list, dict);
    }
    return list;
}

static QList *violations_to_list(const DmabedIommuEvidence *e)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < e->violations->len; i++) {
        const Violation *v = &g_array_index(e->violations, Violation, i);
        QDict *dict = qdict_new();

        qdict_put_str(dict, "kind", dmabed_iommu_violation_name(v->kind));
        qdict_put_str(dict, "device", v->use.master);
        qdict_put_str(dict, "access", direction(v->use.is_write));
        put_u64(dict, "iova", v->use.iova);
        put_u64(dict, "length", v->length);
        put_u64(dict, "used", v->use.used);
        /* -1: the table has nothing there */
        qdict_put_int(dict, "table", v->use.table);
        qlist_append(list, dict);
    }
    return list;
}

static void put_counts(QDict *dict, const DmabedIommuEvidence *e)
{
    static const char *const names[DMABED_IOMMU_COUNTS] = {
        [DMABED_IOMMU_HITS] = "hits",
        [DMABED_IOMMU_WALKS] = "walks",
        [DMABED_IOMMU_UNTRANSLATED] = "untranslated",
        [DMABED_IOMMU_ZAPPED_PAGES] = "zapped-pages",
        [DMABED_IOMMU_ZAPPED_ALL] = "zapped-all",
        [DMABED_IOMMU_IGNORED_ZAPS] = "ignored-zaps",
        [DMABED_IOMMU_GUEST_ERRORS] = "guest-errors",
    };

    for (unsigned i = 0; i < DMABED_IOMMU_COUNTS; i++) {
        put_u64(dict, names[i], e->counts[i]);
    }
}

static QDict *evidence_to_dict(DmabedIommuState *s)
{
    DmabedIommuEvidence *e = s->evidence;
    QDict *dict = qdict_new();

    qdict_put_bool(dict, "paging", DMABED_IOMMU_GET_CLASS(s)->paging(s));
    put_counts(dict, e);
    qdict_put(dict, "faults", faults_to_list(e));
    put_u64(dict, "faults-dropped", e->faults_dropped);
    qdict_put(dict, "violations", violations_to_list(e));
    put_u64(dict, "violations-dropped", e->violations_dropped);
    return dict;
}

static void get_evidence(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    DmabedIommuState *s = DMABED_IOMMU(obj);
    QObject *dict;

    if (!s->evidence) {
        error_setg(errp, "evidence: the IOMMU is not realized");
        return;
    }
    dict = QOBJECT(evidence_to_dict(s));
    visit_type_any(v, name, &dict, errp);
    qobject_unref(dict);
}

/* ---- life ---- */

void dmabed_iommu_evidence_add_property(Object *obj)
{
    object_property_add(obj, "evidence", "DmabedIommuEvidence", get_evidence,
                        NULL, NULL, NULL);
    object_property_set_description(obj, "evidence",
                                    "what the IOMMU has seen");
}

void dmabed_iommu_evidence_init(DmabedIommuState *s)
{
    s->evidence = g_new0(DmabedIommuEvidence, 1);
    s->evidence->faults = g_array_new(false, false, sizeof(Fault));
    s->evidence->violations = g_array_new(false, false, sizeof(Violation));
}

void dmabed_iommu_evidence_clear(DmabedIommuState *s)
{
    DmabedIommuEvidence *e = s->evidence;

    g_array_set_size(e->faults, 0);
    g_array_set_size(e->violations, 0);
    e->faults_dropped = e->violations_dropped = 0;
    memset(e->counts, 0, sizeof(e->counts));
}

void dmabed_iommu_evidence_fini(DmabedIommuState *s)
{
    g_array_unref(s->evidence->faults);
    g_array_unref(s->evidence->violations);
    g_clear_pointer(&s->evidence, g_free);
}
