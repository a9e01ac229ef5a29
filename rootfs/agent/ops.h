/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operations, one table per file; the last entry of each has no name. */
#ifndef AGENT_OPS_H
#define AGENT_OPS_H

#include "request.h"

#define DEFAULT_TIMEOUT_MS 10000

extern const struct op dmabuf_ops[]; /* buffers, attachments, mappings */
extern const struct op udmabuf_ops[]; /* buffers of user space's own pages */
extern const struct op job_ops[]; /* submit, wait */
extern const struct op cpu_ops[]; /* the CPU's access to buffers */
extern const struct op system_ops[]; /* the guest and the agent itself */
extern const struct op thread_ops[];
extern const struct op run_ops[]; /* foreign programs */
extern const struct op process_ops[]; /* other processes */
extern const struct op fence_ops[]; /* sync files, poll, names */
extern const struct op kernel_ops[]; /* modules, drivers, memory */
extern const struct op v4l2_ops[]; /* video devices */
extern const struct op drm_ops[]; /* displays */
extern const struct op generation_ops[]; /* what only older dma-bufs have */
extern const struct op accounting_ops[]; /* what could leak */

/* Gives back what kernel_ops took. */
void kernel_reset(void);

#endif
