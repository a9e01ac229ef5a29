/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: what happens when.
 *
 * One timer on the virtual clock drives everything.  Register writes only arm
 * it, so a guest never waits in a register access, and a run under -icount
 * repeats to the bit.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "dmabed_engine_internal.h"
#include "trace.h"

/* docs/specs/dmabed-engine.md, Time: most bytes in one timer callback */
#define SLICE (1024 * 1024)

/* docs/specs/dmabed-engine.md, Injected faults: irq-double */
#define SECOND_IRQ_DELAY_NS 10000

/* ---- time ---- */

static int64_t now_ns(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

/*
 * The next step is @delay after the last one was due.  It is never due now:
 * a timer that is would run again before the main loop lets the guest in.
 */
static void arm_step(DmabedEngineState *s, uint64_t delay)
{
    int64_t soonest = now_ns() + 1;
    uint64_t room = INT64_MAX - MAX(s->deadline_ns, 0);

    s->deadline_ns = MAX(s->deadline_ns + (int64_t)MIN(delay, room), soonest);
    timer_mod(&s->step_timer, s->deadline_ns);
}

/* Time starts to count here: nothing was going on before */
static void arm_first_step(DmabedEngineState *s, DmabedPhase phase)
{
    s->phase = phase;
    s->deadline_ns = now_ns();
    arm_step(s, 0);
}

static uint64_t transfer_time(const DmabedEngineState *s, uint64_t bytes)
{
    /* at most a burst, so the product fits in 64 bits */
    return s->bandwidth ? bytes * NANOSECONDS_PER_SECOND / s->bandwidth : 0;
}

/* ---- the end of a job ---- */

static void fill_completion(const DmabedJob *job,
                            uint8_t raw[DMABED_COMP_SIZE])
{
    bool lie = job->fault == DMABED_FAULT_LIE &&
               job->status == DMABED_COMP_OK;

    stq_le_p(raw + DMABED_COMP_COOKIE, job->cookie);
    stl_le_p(raw + DMABED_COMP_STATUS, job->status);
    stl_le_p(raw + DMABED_COMP_VIOLATIONS, job->violations);
    stq_le_p(raw + DMABED_COMP_BYTES, lie ? job->length : job->done);
    stq_le_p(raw + DMABED_COMP_MISMATCH, job->mismatch);
    dmabed_sha256_digest(&job->sha, raw + DMABED_COMP_SHA256);
}

static bool write_completion(DmabedEngineState *s)
{
    uint8_t raw[DMABED_COMP_SIZE];
    uint64_t at = s->comp_base + (uint64_t)s->ring_tail * DMABED_COMP_SIZE;

    fill_completion(&s->job, raw);
    return dmabed_bus_write(&s->bus, at, raw, sizeof(raw));
}

static void raise_done(DmabedEngineState *s)
{
    if (!(s->job.flags & DMABED_JOB_FLAG_IRQ) ||
        s->job.fault == DMABED_FAULT_IRQ_LOST) {
        return;
    }
    dmabed_irq_raise(s, DMABED_IRQ_DONE);
    if (s->job.fault == DMABED_FAULT_IRQ_DOUBLE) {
        timer_mod(&s->irq_timer, now_ns() + SECOND_IRQ_DELAY_NS);
    }
}

static void complete_job(DmabedEngineState *s)
{
    bool written = write_completion(s);

    trace_dmabed_engine_job_end(s->name, s->job.seq, s->job.status,
                                s->job.done, s->job.violations);
    dmabed_evidence_job_end(s);
    s->phase = DMABED_PHASE_IDLE;
    if (written) {
        s->ring_tail = (s->ring_tail + 1) & (s->ring_entries - 1);
        raise_done(s);
        dmabed_ring_kick(s);
    } else {
        dmabed_ring_stop(s, DMABED_ERROR_COMPLETION);
    }
    dmabed_job_free(&s->job);
}

/* ---- the middle of a job ---- */

static bool must_hold(const DmabedEngineState *s)
{
    return s->hold && s->job.done >= s->hold_at;
}

/* Has an injected fault struck that happens at a byte? */
static bool fault_struck(const DmabedJob *job, DmabedFault fault)
{
    return job->fault == fault && job->done >= job->fault_at;
}

static bool all_done(const DmabedJob *job)
{
    return job->done == job->length;
}

/* Why the job ends here, or DMABED_COMP_NONE: it goes on */
static uint32_t end_status(const DmabedJob *job)
{
    if (job->status) {
        return job->status;
    }
    if (job->fault == DMABED_FAULT_LIE) {
        return DMABED_COMP_OK;
    }
    if (all_done(job)) {
        return job->mismatch == UINT64_MAX ? DMABED_COMP_OK
                                           : DMABED_COMP_MISMATCH_FOUND;
    }
    if (fault_struck(job, DMABED_FAULT_DECODE)) {
        return DMABED_COMP_DECODE;
    }
    return DMABED_COMP_NONE;
}

/* A burst ends where something is to happen */
static uint64_t burst_length(const DmabedEngineState *s)
{
    const DmabedJob *job = &s->job;
    uint64_t length = MIN(DMABED_BURST, job->length - job->done);

    if (s->hold) {
        length = MIN(length, s->hold_at - job->done);
    }
    if ((job->fault == DMABED_FAULT_DECODE ||
         job->fault == DMABED_FAULT_LOST) && job->fault_at > job->done) {
        length = MIN(length, job->fault_at - job->done);
    }
    return length;
}

/* The phases that the job can be stopped in.  True: it was */
static bool stop_job(DmabedEngineState *s)
{
    DmabedJob *job = &s->job;

    if (!job->status && must_hold(s)) {
        s->phase = DMABED_PHASE_HELD;
        trace_dmabed_engine_held(s->name, job->seq, job->done);
        return true;
    }
    if (!job->status && job->fault == DMABED_FAULT_LOST &&
        (all_done(job) || fault_struck(job, DMABED_FAULT_LOST))) {
        s->phase = DMABED_PHASE_LOST;
        trace_dmabed_engine_lost(s->name, job->seq, job->done);
        return true;
    }
    job->status = end_status(job);
    if (job->status) {
        complete_job(s);
        return true;
    }
    return false;
}

/* As much as a callback may do; with a bandwidth that is one burst */
static void move_job(DmabedEngineState *s)
{
    uint64_t before = s->job.done;

    do {
        if (stop_job(s)) {
            return;
        }
        dmabed_move_burst(s, burst_length(s));
    } while (!s->bandwidth && s->job.done - before < SLICE);
    arm_step(s, transfer_time(s, s->job.done - before));
}

/* ---- the start of a job ---- */

static void fetch_job(DmabedEngineState *s)
{
    uint8_t raw[DMABED_JOB_SIZE];
    uint64_t at = s->ring_base + (uint64_t)s->ring_tail * DMABED_JOB_SIZE;

    s->phase = DMABED_PHASE_IDLE;
    if (!(s->ctrl & DMABED_CTRL_ENABLE) || s->ring_head == s->ring_tail) {
        return;
    }
    dmabed_evidence_fetch(s);
    if (!dmabed_bus_read(&s->bus, at, raw, sizeof(raw))) {
        dmabed_ring_stop(s, DMABED_ERROR_RING_FETCH);
        return;
    }
    s->phase = DMABED_PHASE_MOVE;
    dmabed_job_start(s, raw);
    arm_step(s, s->latency_ns);
}

static void step(void *opaque)
{
    DmabedEngineState *s = opaque;

    if (s->phase == DMABED_PHASE_FETCH) {
        fetch_job(s);
    } else if (s->phase == DMABED_PHASE_MOVE) {
        move_job(s);
    }
}

static void second_irq(void *opaque)
{
    dmabed_irq_raise(opaque, DMABED_IRQ_DONE);
}

/* ---- entry points ---- */

void dmabed_ring_kick(DmabedEngineState *s)
{
    if (s->phase == DMABED_PHASE_IDLE && s->ring_head != s->ring_tail &&
        (s->ctrl & DMABED_CTRL_ENABLE)) {
        arm_first_step(s, DMABED_PHASE_FETCH);
    }
}

void dmabed_ring_stop(DmabedEngineState *s, uint32_t error)
{
    s->ctrl &= ~DMABED_CTRL_ENABLE;
    s->error = error;
    dmabed_guest_error(s, "the ring stops with error %u", error);
    trace_dmabed_engine_ring_stop(s->name, error);
    dmabed_irq_raise(s, DMABED_IRQ_ERROR);
}

void dmabed_ring_hold_changed(DmabedEngineState *s)
{
    if (s->phase == DMABED_PHASE_HELD && !must_hold(s)) {
        trace_dmabed_engine_released(s->name, s->job.seq);
        arm_first_step(s, DMABED_PHASE_MOVE);
    }
}

void dmabed_ring_reset(DmabedEngineState *s)
{
    timer_del(&s->step_timer);
    timer_del(&s->irq_timer);
    if (dmabed_ring_busy(s)) {
        dmabed_evidence_job_drop(s);
    }
    dmabed_job_free(&s->job);
    s->phase = DMABED_PHASE_IDLE;
}

void dmabed_ring_init(DmabedEngineState *s)
{
    timer_init_ns(&s->step_timer, QEMU_CLOCK_VIRTUAL, step, s);
    timer_init_ns(&s->irq_timer, QEMU_CLOCK_VIRTUAL, second_irq, s);
    s->burst = g_malloc(DMABED_BURST);
    s->burst_other = g_malloc(DMABED_BURST);
}

void dmabed_ring_fini(DmabedEngineState *s)
{
    dmabed_ring_reset(s);
    g_free(s->burst);
    g_free(s->burst_other);
}
