/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: operations, one burst at a time.
 *
 * A transfer goes along a segment list and stops at the first byte that
 * nobody answers at; what came before it has been moved.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "dmabed_engine_internal.h"

/* ---- accesses ---- */

/*
 * Under the policy wrap hardware moves the rest of the last granule: those
 * bytes are read and written back as they are.
 */
static void move_rest(DmabedEngineState *s, DmabedList *list, uint64_t run,
                      bool is_write)
{
    uint64_t bus;
    uint64_t length = dmabed_list_rest(s, list, run, &bus);
    g_autofree uint8_t *rest = g_malloc(length);

    if (!length || dmabed_window_reach(s, bus, length, is_write) < length ||
        !dmabed_bus_read(&s->bus, bus, rest, length)) {
        return;
    }
    if (is_write) {
        dmabed_bus_write(&s->bus, bus, rest, length);
    }
    dmabed_evidence_access(s, bus, length, is_write);
}

static void nobody_answers(DmabedEngineState *s, DmabedList *list,
                           uint64_t bus, uint64_t length)
{
    s->job.status = DMABED_COMP_DECODE;
    dmabed_violate(s, list, DMABED_VIOLATION_DECODE, list->index, bus, length);
}

static bool access_run(DmabedEngineState *s, uint64_t bus, uint8_t *data,
                       uint64_t length, bool is_write)
{
    bool ok = is_write ? dmabed_bus_write(&s->bus, bus, data, length)
                       : dmabed_bus_read(&s->bus, bus, data, length);

    if (ok) {
        dmabed_evidence_access(s, bus, length, is_write);
    }
    return ok;
}

/* Returns how many of @length bytes were moved */
static uint64_t transfer(DmabedEngineState *s, DmabedList *list, uint8_t *data,
                         uint64_t length, bool is_write)
{
    uint64_t moved = 0;

    while (moved < length) {
        uint64_t bus;
        uint64_t want = dmabed_list_run(s, list, length - moved, &bus);
        uint64_t run = dmabed_window_reach(s, bus, want, is_write);

        if (!run || !access_run(s, bus, data + moved, run, is_write)) {
            nobody_answers(s, list, bus, want);
            break;
        }
        move_rest(s, list, run, is_write);
        dmabed_list_advance(s, list, run);
        moved += run;
    }
    return moved;
}

static uint64_t read_list(DmabedEngineState *s, DmabedList *list,
                          uint8_t *data, uint64_t length)
{
    return transfer(s, list, data, length, false);
}

static uint64_t write_list(DmabedEngineState *s, DmabedList *list,
                           uint8_t *data, uint64_t length)
{
    return transfer(s, list, data, length, true);
}

/* ---- pattern ---- */

/* SplitMix64, Steele et al., OOPSLA 2014 */
static uint64_t pattern_word(uint64_t seed, uint64_t index)
{
    uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/* A burst may start inside a word, when the host has held the job there */
static void make_pattern(const DmabedJob *job, uint8_t *data, uint64_t length)
{
    uint64_t position = job->done;
    uint64_t made = 0;

    while (made < length) {
        uint64_t skip = position % sizeof(uint64_t);
        uint64_t part = MIN(sizeof(uint64_t) - skip, length - made);
        uint8_t word[sizeof(uint64_t)];

        stq_le_p(word, pattern_word(job->seed, job->pattern_offset +
                                    position / sizeof(uint64_t)));
        memcpy(data + made, word + skip, part);
        made += part;
        position += part;
    }
}

/* ---- injected corruption ---- */

static void corrupt(const DmabedJob *job, uint8_t *data, uint64_t length)
{
    if (job->fault == DMABED_FAULT_CORRUPT && job->fault_at >= job->done &&
        job->fault_at - job->done < length) {
        data[job->fault_at - job->done] ^= 1;
    }
}

/* ---- operations: each returns the bytes that are done ---- */

/*
 * What is written is hashed as it should be, before it is corrupted, but only
 * as far as it got: so the digest needs its own copy.
 */
static uint64_t write_hashed(DmabedEngineState *s, uint64_t length)
{
    DmabedJob *job = &s->job;
    uint64_t moved;

    memcpy(s->burst_other, s->burst, length);
    corrupt(job, s->burst_other, length);
    moved = write_list(s, &job->dst, s->burst_other, length);
    dmabed_sha256_update(&job->sha, s->burst, moved);
    return moved;
}

static uint64_t fill(DmabedEngineState *s, uint64_t length)
{
    make_pattern(&s->job, s->burst, length);
    return write_hashed(s, length);
}

static uint64_t copy(DmabedEngineState *s, uint64_t length)
{
    return write_hashed(s, read_list(s, &s->job.src, s->burst, length));
}

static uint64_t digest(DmabedEngineState *s, uint64_t length)
{
    DmabedJob *job = &s->job;
    uint64_t moved = read_list(s, &job->src, s->burst, length);

    corrupt(job, s->burst, moved);
    dmabed_sha256_update(&job->sha, s->burst, moved);
    return moved;
}

static void find_mismatch(DmabedEngineState *s, uint64_t length)
{
    DmabedJob *job = &s->job;

    if (job->mismatch != UINT64_MAX) {
        return;
    }
    for (uint64_t i = 0; i < length; i++) {
        if (s->burst[i] != s->burst_other[i]) {
            job->mismatch = job->done + i;
            return;
        }
    }
}

static uint64_t compare(DmabedEngineState *s, uint64_t length)
{
    DmabedJob *job = &s->job;
    uint64_t moved = read_list(s, &job->src, s->burst, length);

    moved = read_list(s, &job->dst, s->burst_other, moved);
    corrupt(job, s->burst, moved);
    dmabed_sha256_update(&job->sha, s->burst, moved);
    find_mismatch(s, moved);
    return moved;
}

void dmabed_move_burst(DmabedEngineState *s, uint64_t length)
{
    switch (s->job.op) {
    case DMABED_OP_FILL:
        s->job.done += fill(s, length);
        break;
    case DMABED_OP_DIGEST:
        s->job.done += digest(s, length);
        break;
    case DMABED_OP_COPY:
        s->job.done += copy(s, length);
        break;
    case DMABED_OP_COMPARE:
        s->job.done += compare(s, length);
        break;
    default:
        g_assert_not_reached();
    }
}
