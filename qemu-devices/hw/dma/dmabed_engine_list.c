/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: segment lists.
 *
 * The list is copied out of guest memory once; everything after that works on
 * the copy.  Under the policy fault a list that breaks a limit never gets to
 * the walk below.  Under wrap the walk does what silicon with that limit does:
 * counters wrap, low and high bits are missing, lengths are cut.  A list that
 * keeps to the limits is walked the same way under both.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "dmabed_engine_internal.h"
#include "trace.h"

/* ---- limits ---- */

uint32_t dmabed_max_segments(const DmabedEngineState *s)
{
    return s->max_segments ?: DMABED_LIST_MAX_SEGMENTS;
}

static uint64_t max_segment_size(const DmabedEngineState *s)
{
    return s->max_segment_size ?: UINT64_MAX;
}

uint32_t dmabed_violation_status(DmabedViolation kind)
{
    static const uint32_t status[DMABED_VIOLATION_KINDS] = {
        [DMABED_VIOLATION_SEG_COUNT] = DMABED_COMP_SEG_COUNT,
        [DMABED_VIOLATION_SEG_SIZE] = DMABED_COMP_SEG_SIZE,
        [DMABED_VIOLATION_SEG_BOUNDARY] = DMABED_COMP_SEG_BOUNDARY,
        [DMABED_VIOLATION_ALIGNMENT] = DMABED_COMP_ALIGNMENT,
        [DMABED_VIOLATION_GRANULE] = DMABED_COMP_GRANULE,
        [DMABED_VIOLATION_ADDR_WIDTH] = DMABED_COMP_ADDR_WIDTH,
        [DMABED_VIOLATION_DECODE] = DMABED_COMP_DECODE,
    };

    return status[kind];
}

void dmabed_violate(DmabedEngineState *s, const DmabedList *list,
                    DmabedViolation kind, uint32_t segment, uint64_t bus,
                    uint64_t length)
{
    s->job.violations++;
    dmabed_evidence_violation(s, list, kind, segment, bus, length);
    trace_dmabed_engine_violation(s->name, s->job.seq,
                                  dmabed_violation_name(kind),
                                  list == &s->job.src ? "src" : "dst",
                                  segment, bus, length);
}

/* ---- fetch ---- */

static void parse_segments(DmabedList *list, const uint8_t *raw)
{
    for (int32_t i = 0; i < list->count; i++) {
        const uint8_t *entry = raw + i * DMABED_SEGMENT_SIZE;

        list->segments[i].address = ldq_le_p(entry + DMABED_SEGMENT_ADDRESS);
        list->segments[i].length = ldq_le_p(entry + DMABED_SEGMENT_LENGTH);
    }
}

static bool has_empty_segment(const DmabedList *list)
{
    for (int32_t i = 0; i < list->count; i++) {
        if (list->segments[i].length == 0) {
            return true;
        }
    }
    return false;
}

uint32_t dmabed_list_fetch(DmabedEngineState *s, DmabedList *list,
                           uint64_t bus)
{
    uint32_t count = MIN(list->named, dmabed_max_segments(s));
    size_t size = (size_t)count * DMABED_SEGMENT_SIZE;
    g_autofree uint8_t *raw = g_malloc(size);

    if (!dmabed_bus_read(&s->bus, bus, raw, size)) {
        return DMABED_COMP_BAD_LIST;
    }
    list->count = count;
    list->segments = g_new(DmabedSegment, count);
    parse_segments(list, raw);
    return has_empty_segment(list) ? DMABED_COMP_BAD_LIST : DMABED_COMP_NONE;
}

void dmabed_list_free(DmabedList *list)
{
    g_free(list->segments);
    memset(list, 0, sizeof(*list));
}

/* ---- check ---- */

static bool crosses_boundary(const DmabedEngineState *s, DmabedSegment seg)
{
    uint64_t left = s->boundary_mask - (seg.address & s->boundary_mask);

    /* All ones: there is no boundary, only the width can be exceeded */
    return s->boundary_mask != UINT64_MAX && seg.length - 1 > left;
}

static bool beyond_width(const DmabedEngineState *s, DmabedSegment seg)
{
    uint64_t mask = dmabed_bus_mask(&s->bus);

    return seg.address > mask || seg.length - 1 > mask - seg.address;
}

static bool breaks(const DmabedEngineState *s, DmabedSegment seg,
                   DmabedViolation kind)
{
    switch (kind) {
    case DMABED_VIOLATION_SEG_SIZE:
        return seg.length > max_segment_size(s);
    case DMABED_VIOLATION_SEG_BOUNDARY:
        return crosses_boundary(s, seg);
    case DMABED_VIOLATION_ALIGNMENT:
        return seg.address & (s->alignment - 1);
    case DMABED_VIOLATION_GRANULE:
        return seg.length & (s->granule - 1);
    case DMABED_VIOLATION_ADDR_WIDTH:
        return beyond_width(s, seg);
    default:
        return false;
    }
}

static bool holds_length(const DmabedList *list, uint64_t length)
{
    for (int32_t i = 0; i < list->count; i++) {
        if (list->segments[i].length >= length) {
            return true;
        }
        length -= list->segments[i].length;
    }
    return false;
}

/* Every violation is recorded; the first one names the status */
uint32_t dmabed_list_check(DmabedEngineState *s, const DmabedList *list)
{
    uint32_t status = DMABED_COMP_NONE;
    bool cut = list->named > list->count;

    /* Of a list that was cut nobody knows how much the rest held */
    if (!cut && !holds_length(list, s->job.length)) {
        return DMABED_COMP_BAD_LENGTH;
    }
    if (cut) {
        dmabed_violate(s, list, DMABED_VIOLATION_SEG_COUNT, list->count, 0, 0);
        status = DMABED_COMP_SEG_COUNT;
    }
    for (int32_t i = 0; i < list->count; i++) {
        DmabedSegment seg = list->segments[i];

        for (DmabedViolation kind = 0; kind < DMABED_VIOLATION_KINDS; kind++) {
            if (breaks(s, seg, kind)) {
                dmabed_violate(s, list, kind, i, seg.address, seg.length);
                status = status ?: dmabed_violation_status(kind);
            }
        }
    }
    return s->wrap ? DMABED_COMP_NONE : status;
}

/* ---- walk ---- */

static uint64_t segment_length(const DmabedEngineState *s,
                               const DmabedList *list)
{
    return MIN(list->segments[list->index].length, max_segment_size(s));
}

static bool in_last_segment(const DmabedList *list)
{
    return list->index + 1 >= list->count;
}

/* What the address lines carry for byte @offset of the segment at hand */
static uint64_t driven_address(const DmabedEngineState *s,
                               const DmabedList *list, uint64_t offset)
{
    uint64_t start = list->segments[list->index].address & ~(s->alignment - 1);
    uint64_t counter = (start & ~s->boundary_mask) |
                       ((start + offset) & s->boundary_mask);

    return counter & dmabed_bus_mask(&s->bus);
}

/* Bytes until the counter or the address lines wrap; never 0 */
static uint64_t until_wrap(const DmabedEngineState *s, uint64_t bus)
{
    uint64_t mask = s->boundary_mask & dmabed_bus_mask(&s->bus);
    uint64_t last = mask - (bus & mask);

    return last == UINT64_MAX ? UINT64_MAX : last + 1;
}

uint64_t dmabed_list_run(const DmabedEngineState *s, const DmabedList *list,
                         uint64_t want, uint64_t *bus)
{
    uint64_t run = want;
    uint64_t length = segment_length(s, list);

    *bus = driven_address(s, list, list->offset);
    run = MIN(run, until_wrap(s, *bus));
    /* Behind the last segment the engine just runs on */
    if (list->offset < length) {
        run = MIN(run, length - list->offset);
    }
    return run;
}

void dmabed_list_advance(const DmabedEngineState *s, DmabedList *list,
                         uint64_t length)
{
    list->offset += length;
    if (list->offset >= segment_length(s, list) && !in_last_segment(list)) {
        list->index++;
        list->offset = 0;
    }
}

uint64_t dmabed_list_rest(const DmabedEngineState *s, const DmabedList *list,
                          uint64_t run, uint64_t *bus)
{
    uint64_t length = segment_length(s, list);
    uint64_t rest = -length & (s->granule - 1);

    if (list->offset + run != length) {
        return 0;
    }
    *bus = driven_address(s, list, length);
    return MIN(rest, until_wrap(s, *bus));
}
