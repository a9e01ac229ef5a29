/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the dmabed DMA engine offer each other.
 *
 *   regs    register reads and writes, the interrupt
 *   ring    what happens when: fetch a job, let time pass, complete it
 *   job     from descriptor to a job that may run
 *   list    segment lists: constraints, and where the next byte is
 *   move    operations: bytes, pattern, digest
 *   window  address space: width and windows
 *   local   memory of the engine's own
 *   evidence, inject    what the host reads and asks for
 */
#ifndef HW_DMA_DMABED_ENGINE_INTERNAL_H
#define HW_DMA_DMABED_ENGINE_INTERNAL_H

#include "hw/dma/dmabed_engine.h"
#include "qapi/util.h"

/* Bytes that move at once; docs/specs/dmabed-engine.md, Time */
#define DMABED_BURST (64 * 1024)

/* ---- regs ---- */

extern const MemoryRegionOps dmabed_regs_ops;

void dmabed_regs_reset(DmabedEngineState *s);
void dmabed_irq_update(DmabedEngineState *s);
void dmabed_irq_raise(DmabedEngineState *s, uint32_t bits);

/* The driver did something that no driver should do */
void G_GNUC_PRINTF(2, 3) dmabed_guest_error(DmabedEngineState *s,
                                            const char *format, ...);

/* ---- ring ---- */

void dmabed_ring_init(DmabedEngineState *s);
void dmabed_ring_fini(DmabedEngineState *s);
/* Drops the job in flight and all timers */
void dmabed_ring_reset(DmabedEngineState *s);
/* There may be something to do */
void dmabed_ring_kick(DmabedEngineState *s);
/* The ring is of no use until it is reset */
void dmabed_ring_stop(DmabedEngineState *s, uint32_t error);
/* @hold or @hold_at has changed */
void dmabed_ring_hold_changed(DmabedEngineState *s);

static inline bool dmabed_ring_busy(const DmabedEngineState *s)
{
    return s->phase >= DMABED_PHASE_MOVE;
}

/* ---- job ---- */

/* Takes @raw apart into s->job, checks it, and fetches its lists */
void dmabed_job_start(DmabedEngineState *s,
                      const uint8_t raw[DMABED_JOB_SIZE]);
void dmabed_job_free(DmabedJob *job);
bool dmabed_op_uses_src(uint32_t op);
bool dmabed_op_uses_dst(uint32_t op);

/* ---- list ---- */

typedef enum DmabedViolation {
    DMABED_VIOLATION_SEG_COUNT,
    DMABED_VIOLATION_SEG_SIZE,
    DMABED_VIOLATION_SEG_BOUNDARY,
    DMABED_VIOLATION_ALIGNMENT,
    DMABED_VIOLATION_GRANULE,
    DMABED_VIOLATION_ADDR_WIDTH,
    DMABED_VIOLATION_DECODE,
    DMABED_VIOLATION_KINDS,
} DmabedViolation;

uint32_t dmabed_max_segments(const DmabedEngineState *s);
/* What a violation completes with when the policy is fault */
uint32_t dmabed_violation_status(DmabedViolation kind);
/* Record that @list (src or dst of the job) breaks a limit at a segment */
void dmabed_violate(DmabedEngineState *s, const DmabedList *list,
                    DmabedViolation kind, uint32_t segment, uint64_t bus,
                    uint64_t length);

/* Both return DMABED_COMP_NONE or why the job cannot run */
uint32_t dmabed_list_fetch(DmabedEngineState *s, DmabedList *list,
                           uint64_t bus);
uint32_t dmabed_list_check(DmabedEngineState *s, const DmabedList *list);
void dmabed_list_free(DmabedList *list);

/* Where the next byte is, and how many of @want follow it in one run */
uint64_t dmabed_list_run(const DmabedEngineState *s, const DmabedList *list,
                         uint64_t want, uint64_t *bus);
/* Go on by @length bytes of that run */
void dmabed_list_advance(const DmabedEngineState *s, DmabedList *list,
                         uint64_t length);
/*
 * Bytes that follow a run of @run because the hardware moves whole granules;
 * 0 unless the run ends where its segment does.
 */
uint64_t dmabed_list_rest(const DmabedEngineState *s, const DmabedList *list,
                          uint64_t run, uint64_t *bus);

/* ---- move ---- */

/* Moves @length bytes, at most DMABED_BURST; may set the job's status */
void dmabed_move_burst(DmabedEngineState *s, uint64_t length);

/* ---- window ---- */

bool dmabed_window_init(DmabedEngineState *s, Error **errp);
void dmabed_window_fini(DmabedEngineState *s);
/* How many bytes from @bus on answer; at most @length, 0: nobody does */
uint64_t dmabed_window_reach(DmabedEngineState *s, uint64_t bus,
                             uint64_t length, bool is_write);
/* Behind an IOMMU: the system's address of a byte that answers at @bus */
bool dmabed_window_find(DmabedEngineState *s, uint64_t bus, bool is_write,
                        uint64_t *system);

/* ---- local ---- */

bool dmabed_local_init(DmabedEngineState *s, Error **errp);
void dmabed_local_fini(DmabedEngineState *s);

/* ---- state ---- */

void dmabed_state_add_property(Object *obj);

/* ---- evidence ---- */

void dmabed_evidence_add_property(Object *obj);
void dmabed_evidence_init(DmabedEngineState *s);
void dmabed_evidence_fini(DmabedEngineState *s);
void dmabed_evidence_clear(DmabedEngineState *s);
void dmabed_evidence_guest_error(DmabedEngineState *s);
void dmabed_evidence_interrupt(DmabedEngineState *s);
void dmabed_evidence_fetch(DmabedEngineState *s);
/* s->job has begun, or came with a migration */
void dmabed_evidence_job_begin(DmabedEngineState *s);
void dmabed_evidence_job_lists(DmabedEngineState *s);
void dmabed_evidence_job_end(DmabedEngineState *s);
/* s->job was dropped by a reset */
void dmabed_evidence_job_drop(DmabedEngineState *s);
void dmabed_evidence_access(DmabedEngineState *s, uint64_t bus,
                            uint64_t length, bool is_write);
void dmabed_evidence_violation(DmabedEngineState *s, const DmabedList *list,
                               DmabedViolation kind, uint32_t segment,
                               uint64_t bus, uint64_t length);
const char *dmabed_violation_name(DmabedViolation kind);

/* ---- inject ---- */

extern const QEnumLookup dmabed_fault_lookup;

void dmabed_inject_add_properties(Object *obj);
/* The job takes the next injected fault, if there is one */
void dmabed_inject_take(DmabedEngineState *s);

/* Owner of the engine's memory regions: the front end */
Object *dmabed_engine_owner(const DmabedEngineState *s);

#endif /* HW_DMA_DMABED_ENGINE_INTERNAL_H */
