/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed media blocks: what a block tells the host.
 *
 * Host-side bookkeeping, as the engine's: the guest cannot reach it, and it
 * is bounded, because the guest chooses how much there is to tell.
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/dma/dmabed_record.h"
#include "hw/dma/dmabed_sha256.h"
#include "hw/irq.h"
#include "hw/misc/dmabed_media.h"
#include "trace.h"

/* docs/specs/dmabed-media.md, Evidence */
#define MAX_OPS 256
#define MAX_RANGES 256
#define MAX_VIOLATIONS 64
#define MAX_FIGURES 8

typedef struct Figure {
    const char *name;
    uint64_t value;
} Figure;

typedef enum ListKind {
    LIST_READ,                  /* of DmabedSpan, as all of them */
    LIST_WRITTEN,
    LIST_VIOLATIONS,
    LIST_COUNT,
} ListKind;

/* What went one way in an operation, beside where */
typedef struct Side {
    uint64_t bytes;
    DmabedSha256 sha;
} Side;

typedef struct Operation {
    DmabedRecord record;
    DmabedBounded lists[LIST_COUNT];
    uint64_t seq;
    const char *kind;
    DmabedMediaStatus status;
    int64_t start_ns;
    int64_t end_ns;
    Side read;
    Side written;
    Figure figures[MAX_FIGURES];
    unsigned num_figures;
} Operation;

struct DmabedMediaEvidence {
    uint64_t ops_total;
    uint64_t guest_errors;
    uint64_t interrupts;
    DmabedHistory ops;          /* of Operation */
    Operation *current;         /* not in @ops yet */
};

/* ---- one operation ---- */

static void lists_init(Operation *op)
{
    static const unsigned max[LIST_COUNT] = {
        [LIST_READ] = MAX_RANGES,
        [LIST_WRITTEN] = MAX_RANGES,
        [LIST_VIOLATIONS] = MAX_VIOLATIONS,
    };

    for (unsigned i = 0; i < LIST_COUNT; i++) {
        dmabed_bounded_init(&op->lists[i], sizeof(DmabedSpan), max[i]);
    }
    dmabed_record_init(&op->record, op->lists, LIST_COUNT);
}

void dmabed_media_op_begin(DmabedMediaState *s, const char *kind)
{
    Operation *op = g_new0(Operation, 1);

    dmabed_media_op_forget(s);
    op->seq = s->evidence->ops_total + 1;
    op->kind = kind;
    op->start_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    dmabed_sha256_init(&op->read.sha);
    dmabed_sha256_init(&op->written.sha);
    lists_init(op);
    s->evidence->current = op;
}

void dmabed_media_op_figure(DmabedMediaState *s, const char *name,
                            uint64_t value)
{
    Operation *op = s->evidence->current;

    assert(op && op->num_figures < MAX_FIGURES);
    op->figures[op->num_figures++] = (Figure) { .name = name, .value = value };
}

void dmabed_media_op_access(DmabedMediaState *s, bool is_write, uint64_t bus,
                            const void *data, uint64_t length, bool answered)
{
    Operation *op = s->evidence->current;
    Side *side;

    if (!op) {
        return;
    }
    if (!answered) {
        trace_dmabed_media_violation(s->name, bus, length);
        dmabed_bounded_join_span(&op->lists[LIST_VIOLATIONS], bus, length);
        return;
    }
    side = is_write ? &op->written : &op->read;
    dmabed_bounded_join_span(&op->lists[is_write ? LIST_WRITTEN : LIST_READ],
                             bus, length);
    side->bytes += length;
    dmabed_sha256_update(&side->sha, data, length);
}

void dmabed_media_op_end(DmabedMediaState *s, DmabedMediaStatus status)
{
    DmabedMediaEvidence *e = s->evidence;
    Operation *op = e->current;

    op->status = status;
    op->end_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    trace_dmabed_media_op(s->name, op->seq, op->kind, status,
                          op->read.bytes, op->written.bytes);
    e->current = NULL;
    e->ops_total++;
    dmabed_history_add(&e->ops, &op->record);
    dmabed_history_end(&e->ops, &op->record);
}

void dmabed_media_op_forget(DmabedMediaState *s)
{
    Operation *op = g_steal_pointer(&s->evidence->current);

    if (op) {
        dmabed_record_free(&op->record);
    }
}

/* ---- events ---- */

void dmabed_media_guest_error(DmabedMediaState *s, const char *what)
{
    s->evidence->guest_errors++;
    qemu_log_mask(LOG_GUEST_ERROR, "%s: %s\n", s->name, what);
}

void dmabed_media_set_irq(DmabedMediaState *s, bool level)
{
    if (level && !s->irq_level) {
        s->evidence->interrupts++;
    }
    s->irq_level = level;
    qemu_set_irq(s->irq, level);
}

/* ---- to JSON ---- */

static QDict *side_to_dict(const Side *side, const DmabedBounded *ranges)
{
    uint8_t digest[DMABED_SHA256_SIZE];
    char text[2 * DMABED_SHA256_SIZE + 1];
    QDict *dict = qdict_new();

    dmabed_sha256_digest(&side->sha, digest);
    for (int i = 0; i < DMABED_SHA256_SIZE; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    qdict_put(dict, "ranges", dmabed_spans_to_list(ranges, "bus"));
    dmabed_put_u64(dict, "ranges-dropped", ranges->dropped);
    dmabed_put_u64(dict, "bytes", side->bytes);
    qdict_put_str(dict, "sha256", text);
    return dict;
}

static QDict *figures_to_dict(const Operation *op)
{
    QDict *dict = qdict_new();

    for (unsigned i = 0; i < op->num_figures; i++) {
        dmabed_put_u64(dict, op->figures[i].name, op->figures[i].value);
    }
    return dict;
}

static const char *status_name(DmabedMediaStatus status)
{
    static const char *const names[] = {
        [DMABED_MEDIA_NONE] = "none",
        [DMABED_MEDIA_OK] = "ok",
        [DMABED_MEDIA_BUS_ERROR] = "bus-error",
        [DMABED_MEDIA_BAD_CONFIG] = "bad-config",
    };

    return names[status];
}

static QDict *operation_to_dict(const Operation *op)
{
    const DmabedBounded *violations = &op->lists[LIST_VIOLATIONS];
    QDict *dict = qdict_new();

    dmabed_put_u64(dict, "seq", op->seq);
    qdict_put_str(dict, "op", op->kind);
    qdict_put_str(dict, "status", status_name(op->status));
    qdict_put_int(dict, "start-ns", op->start_ns);
    qdict_put_int(dict, "end-ns", op->end_ns);
    qdict_put(dict, "figures", figures_to_dict(op));
    qdict_put(dict, "read",
              side_to_dict(&op->read, &op->lists[LIST_READ]));
    qdict_put(dict, "written",
              side_to_dict(&op->written, &op->lists[LIST_WRITTEN]));
    qdict_put(dict, "violations", dmabed_spans_to_list(violations, "bus"));
    dmabed_put_u64(dict, "violations-dropped", violations->dropped);
    qdict_put_bool(dict, "cut", op->record.cut);
    return dict;
}

static QDict *evidence_to_dict(DmabedMediaEvidence *e)
{
    QDict *dict = qdict_new();
    QList *list = qlist_new();

    for (GList *link = e->ops.records.head; link; link = link->next) {
        qlist_append(list, operation_to_dict(link->data));
    }
    dmabed_put_u64(dict, "ops-total", e->ops_total);
    dmabed_put_u64(dict, "ops-cut", e->ops.records_cut);
    dmabed_put_u64(dict, "guest-errors", e->guest_errors);
    dmabed_put_u64(dict, "interrupts", e->interrupts);
    qdict_put(dict, "ops", list);
    return dict;
}

static void get_evidence(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    QObject *value = QOBJECT(evidence_to_dict(DMABED_MEDIA(obj)->evidence));

    visit_type_any(v, name, &value, errp);
    qobject_unref(value);
}

/* ---- life ---- */

void dmabed_media_evidence_init(DmabedMediaState *s)
{
    s->evidence = g_new0(DmabedMediaEvidence, 1);
    dmabed_history_init(&s->evidence->ops, MAX_OPS);
    object_property_add(OBJECT(s), "evidence", "DmabedMediaEvidence",
                        get_evidence, NULL, NULL, NULL);
    object_property_set_description(OBJECT(s), "evidence",
                                    "what the block has done");
}

void dmabed_media_evidence_clear(DmabedMediaState *s)
{
    dmabed_media_op_forget(s);
    dmabed_history_clear(&s->evidence->ops);
    *s->evidence = (DmabedMediaEvidence) { .ops = s->evidence->ops };
}
