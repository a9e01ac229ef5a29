/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the evidence of a device of dmabed is made of: a record of each job,
 * with lists of addresses and violations.
 *
 * The guest chooses how many jobs there are and how long their lists get, so
 * everything is bounded: a list, the number of records, and the entries that
 * all of them hold together.  What is left out is counted.
 */
#ifndef HW_DMA_DMABED_RECORD_H
#define HW_DMA_DMABED_RECORD_H

#include "qobject/qdict.h"
#include "qobject/qlist.h"

/*
 * Entries in all lists of the records that have ended.  To the host an entry
 * is a QDict, which has 512 buckets whatever is in it (QDICT_BUCKET_MAX): 4
 * KiB, so that one qom-get costs 140 MiB and not 14 GiB.
 */
#define DMABED_HISTORY_ENTRIES 32768

typedef struct DmabedSpan {
    uint64_t address;           /* on the bus, or the system's */
    uint64_t length;
} DmabedSpan;

/* ---- a list: its first @max entries, and how many more there were ---- */

typedef struct DmabedBounded {
    GArray *entries;
    size_t entry_size;
    unsigned max;
    uint64_t dropped;
} DmabedBounded;

void dmabed_bounded_init(DmabedBounded *b, size_t entry_size, unsigned max);
void dmabed_bounded_add(DmabedBounded *b, const void *entry);

/* For lists of DmabedSpan; the second joins it to the last one if it can */
void dmabed_bounded_add_span(DmabedBounded *b, uint64_t address,
                             uint64_t length);
void dmabed_bounded_join_span(DmabedBounded *b, uint64_t address,
                              uint64_t length);

/* As [{@key: address, "length": length}] */
QList *dmabed_spans_to_list(const DmabedBounded *b, const char *key);

/* ---- a record: the first member of a device's own, allocated by g_new ---- */

typedef struct DmabedRecord {
    DmabedBounded *lists;       /* inside the device's own record */
    unsigned num_lists;
    unsigned counted;           /* their entries, once it has ended */
    bool cut;                   /* they were dropped for newer records */
} DmabedRecord;

void dmabed_record_init(DmabedRecord *record, DmabedBounded *lists,
                        unsigned num_lists);
void dmabed_record_free(DmabedRecord *record);

/* ---- the last records of a device ---- */

typedef struct DmabedHistory {
    GQueue records;             /* of DmabedRecord, oldest first */
    unsigned max_records;
    GList *oldest_whole;        /* of @records, those before it are cut */
    uint64_t entries;           /* in the records that have ended */
    uint64_t records_dropped;
    uint64_t records_cut;       /* since the beginning, as the one above */
} DmabedHistory;

void dmabed_history_init(DmabedHistory *h, unsigned max_records);
void dmabed_history_clear(DmabedHistory *h);

/* Takes @record; the oldest one goes where there are too many */
void dmabed_history_add(DmabedHistory *h, DmabedRecord *record);

/*
 * The lists of @record, the last one that was added, do not grow any more:
 * those of the oldest records go where there are too many entries.
 */
void dmabed_history_end(DmabedHistory *h, DmabedRecord *record);

/* ---- to JSON ---- */

void dmabed_put_u64(QDict *dict, const char *key, uint64_t value);

#endif /* HW_DMA_DMABED_RECORD_H */
