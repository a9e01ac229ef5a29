/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed: bounded records, of which evidence is made.
 */
#include "qemu/osdep.h"
#include "hw/dma/dmabed_record.h"
#include "qobject/qnum.h"

/* ---- lists ---- */

static void bounded_start(DmabedBounded *b)
{
    b->entries = g_array_new(false, false, b->entry_size);
}

void dmabed_bounded_init(DmabedBounded *b, size_t entry_size, unsigned max)
{
    *b = (DmabedBounded) { .entry_size = entry_size, .max = max };
    bounded_start(b);
}

void dmabed_bounded_add(DmabedBounded *b, const void *entry)
{
    if (b->entries->len < b->max) {
        g_array_append_vals(b->entries, entry, 1);
    } else {
        b->dropped++;
    }
}

void dmabed_bounded_add_span(DmabedBounded *b, uint64_t address,
                             uint64_t length)
{
    DmabedSpan span = { .address = address, .length = length };

    dmabed_bounded_add(b, &span);
}

void dmabed_bounded_join_span(DmabedBounded *b, uint64_t address,
                              uint64_t length)
{
    unsigned len = b->entries->len;

    if (len && !b->dropped) {
        DmabedSpan *last = &g_array_index(b->entries, DmabedSpan, len - 1);

        if (last->address + last->length == address) {
            last->length += length;
            return;
        }
    }
    dmabed_bounded_add_span(b, address, length);
}

/* An array that is made shorter keeps its memory, so it is a new one */
static void bounded_drop_all(DmabedBounded *b)
{
    b->dropped += b->entries->len;
    g_array_free(b->entries, true);
    bounded_start(b);
}

/* ---- one record ---- */

void dmabed_record_init(DmabedRecord *record, DmabedBounded *lists,
                        unsigned num_lists)
{
    *record = (DmabedRecord) { .lists = lists, .num_lists = num_lists };
}

void dmabed_record_free(DmabedRecord *record)
{
    for (unsigned i = 0; i < record->num_lists; i++) {
        g_array_free(record->lists[i].entries, true);
    }
    g_free(record);
}

static unsigned count_entries(const DmabedRecord *record)
{
    unsigned count = 0;

    for (unsigned i = 0; i < record->num_lists; i++) {
        count += record->lists[i].entries->len;
    }
    return count;
}

/* ---- the last ones ---- */

void dmabed_history_init(DmabedHistory *h, unsigned max_records)
{
    *h = (DmabedHistory) { .max_records = max_records };
    g_queue_init(&h->records);
}

static void free_record(void *record)
{
    dmabed_record_free(record);
}

void dmabed_history_clear(DmabedHistory *h)
{
    g_queue_clear_full(&h->records, free_record);
    dmabed_history_init(h, h->max_records);
}

static void drop_oldest(DmabedHistory *h)
{
    DmabedRecord *record = h->records.head->data;

    if (h->oldest_whole == h->records.head) {
        h->oldest_whole = h->oldest_whole->next;
    }
    h->entries -= record->counted;
    h->records_dropped++;
    g_queue_pop_head(&h->records);
    dmabed_record_free(record);
}

void dmabed_history_add(DmabedHistory *h, DmabedRecord *record)
{
    g_queue_push_tail(&h->records, record);
    if (!h->oldest_whole) {
        h->oldest_whole = h->records.tail;
    }
    if (g_queue_get_length(&h->records) > h->max_records) {
        drop_oldest(h);
    }
}

/* A record whose lists are empty has nothing to lose, and stays whole */
static void cut_oldest(DmabedHistory *h)
{
    DmabedRecord *record = h->oldest_whole->data;

    h->oldest_whole = h->oldest_whole->next;
    if (!record->counted) {
        return;
    }
    for (unsigned i = 0; i < record->num_lists; i++) {
        bounded_drop_all(&record->lists[i]);
    }
    h->entries -= record->counted;
    h->records_cut++;
    record->counted = 0;
    record->cut = true;
}

void dmabed_history_end(DmabedHistory *h, DmabedRecord *record)
{
    record->counted = count_entries(record);
    assert(record->counted <= DMABED_HISTORY_ENTRIES);
    h->entries += record->counted;
    while (h->entries > DMABED_HISTORY_ENTRIES) {
        cut_oldest(h);
    }
}

/* ---- to JSON ---- */

void dmabed_put_u64(QDict *dict, const char *key, uint64_t value)
{
    qdict_put(dict, key, qnum_from_uint(value));
}

QList *dmabed_spans_to_list(const DmabedBounded *b, const char *key)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < b->entries->len; i++) {
        const DmabedSpan *span = &g_array_index(b->entries, DmabedSpan, i);
        QDict *dict = qdict_new();

        dmabed_put_u64(dict, key, span->address);
        dmabed_put_u64(dict, "length", span->length);
        qlist_append(list, dict);
    }
    return list;
}
