/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The value of the property "inject" of dmabed's devices: the fault that the
 * next jobs suffer, {"fault": F, "at": N, "count": K}.
 */
#ifndef HW_DMA_DMABED_INJECT_H
#define HW_DMA_DMABED_INJECT_H

#include "qapi/util.h"
#include "qapi/visitor.h"

typedef struct DmabedInject {
    int fault;                  /* a device's own, 0: none */
    uint64_t at;                /* byte of the job, where that means anything */
    uint64_t count;             /* jobs that are still to suffer */
} DmabedInject;

/*
 * What the host wants, with one of the names in @faults.  "fault" must be
 * given, "at" is 0 and "count" 1 when left out; "none" leaves no job to suffer.
 */
bool dmabed_inject_get(Visitor *v, const char *name, const QEnumLookup *faults,
                       DmabedInject *inject, Error **errp);

/* Tells the host what is still to come */
void dmabed_inject_tell(Visitor *v, const char *name,
                        const QEnumLookup *faults, DmabedInject inject,
                        Error **errp);

#endif /* HW_DMA_DMABED_INJECT_H */
