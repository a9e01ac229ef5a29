/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: from a descriptor to a job that may run.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "dmabed_engine_internal.h"
#include "trace.h"

bool dmabed_op_uses_src(uint32_t op)
{
    return op == DMABED_OP_DIGEST || op == DMABED_OP_COPY ||
           op == DMABED_OP_COMPARE;
}

bool dmabed_op_uses_dst(uint32_t op)
{
    return op == DMABED_OP_FILL || op == DMABED_OP_COPY ||
           op == DMABED_OP_COMPARE;
}

static void parse_job(DmabedJob *job, const uint8_t *raw)
{
    memset(job, 0, sizeof(*job));
    job->op = ldl_le_p(raw + DMABED_JOB_OP);
    job->flags = ldl_le_p(raw + DMABED_JOB_FLAGS);
    job->cookie = ldq_le_p(raw + DMABED_JOB_COOKIE);
    job->seed = ldq_le_p(raw + DMABED_JOB_SEED);
    job->length = ldq_le_p(raw + DMABED_JOB_LENGTH);
    job->src_address = ldq_le_p(raw + DMABED_JOB_SRC_LIST);
    job->dst_address = ldq_le_p(raw + DMABED_JOB_DST_LIST);
    job->src.named = ldl_le_p(raw + DMABED_JOB_SRC_SEGMENTS);
    job->dst.named = ldl_le_p(raw + DMABED_JOB_DST_SEGMENTS);
    job->pattern_offset = ldq_le_p(raw + DMABED_JOB_PATTERN_OFFSET);
    job->mismatch = UINT64_MAX;
    dmabed_sha256_init(&job->sha);
}

/* What can be said without looking at the lists */
static uint32_t check_job(const DmabedJob *job)
{
    if (job->op < DMABED_OP_FILL || job->op > DMABED_OP_COMPARE ||
        (job->flags & ~DMABED_JOB_FLAG_IRQ)) {
        return DMABED_COMP_BAD_OP;
    }
    if (job->length == 0 || job->length > DMABED_JOB_MAX_LENGTH) {
        return DMABED_COMP_BAD_LENGTH;
    }
    if (dmabed_op_uses_src(job->op) != (job->src.named != 0) ||
        dmabed_op_uses_dst(job->op) != (job->dst.named != 0)) {
        return DMABED_COMP_BAD_LIST;
    }
    return DMABED_COMP_NONE;
}

static uint32_t fetch_lists(DmabedEngineState *s)
{
    DmabedJob *job = &s->job;
    uint32_t status = DMABED_COMP_NONE;

    if (job->src.named) {
        status = dmabed_list_fetch(s, &job->src, job->src_address);
    }
    if (!status && job->dst.named) {
        status = dmabed_list_fetch(s, &job->dst, job->dst_address);
    }
    return status;
}

static uint32_t check_lists(DmabedEngineState *s)
{
    DmabedJob *job = &s->job;
    uint32_t src = DMABED_COMP_NONE, dst = DMABED_COMP_NONE;

    if (job->src.named) {
        src = dmabed_list_check(s, &job->src);
    }
    if (job->dst.named) {
        dst = dmabed_list_check(s, &job->dst);
    }
    return src ?: dst;
}

static void check_everything(DmabedEngineState *s)
{
    DmabedJob *job = &s->job;

    job->status = check_job(job);
    if (!job->status) {
        job->status = fetch_lists(s);
        dmabed_evidence_job_lists(s);
    }
    if (!job->status) {
        job->status = check_lists(s);
    }
}

static bool is_malformed(uint32_t status)
{
    return status == DMABED_COMP_BAD_OP || status == DMABED_COMP_BAD_LIST ||
           status == DMABED_COMP_BAD_LENGTH;
}

void dmabed_job_start(DmabedEngineState *s,
                      const uint8_t raw[DMABED_JOB_SIZE])
{
    DmabedJob *job = &s->job;

    parse_job(job, raw);
    job->seq = ++s->jobs_started;
    dmabed_inject_take(s);
    dmabed_evidence_job_begin(s);
    trace_dmabed_engine_job_start(s->name, job->seq, job->op, job->cookie,
                                  job->length);
    check_everything(s);
    if (is_malformed(job->status)) {
        dmabed_guest_error(s, "job %" PRIu64 " is malformed, status %u",
                           job->seq, job->status);
    }
}

void dmabed_job_free(DmabedJob *job)
{
    dmabed_list_free(&job->src);
    dmabed_list_free(&job->dst);
    memset(job, 0, sizeof(*job));
}
