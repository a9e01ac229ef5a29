/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: the core, which knows no bus.
 *
 * The contract is docs/specs/dmabed-engine.md of dmabed.  A front end embeds
 * the core, forwards its properties, sets its callbacks and its name, maps
 * @regs and @local, and resets it.
 */
#ifndef HW_DMA_DMABED_ENGINE_H
#define HW_DMA_DMABED_ENGINE_H

#include "exec/memory.h"
#include "hw/dma/dmabed_bus.h"
#include "hw/dma/dmabed_sha256.h"
#include "hw/qdev-core.h"
#include "qemu/timer.h"
#include "qom/object.h"
#include "standard-headers/linux/dmabed_engine_regs.h"

#define TYPE_DMABED_ENGINE "dmabed-engine"
OBJECT_DECLARE_SIMPLE_TYPE(DmabedEngineState, DMABED_ENGINE)

/* Host-side bookkeeping, private to dmabed_engine_evidence.c */
typedef struct DmabedEvidence DmabedEvidence;

/* A segment as the job's list named it */
typedef struct DmabedSegment {
    uint64_t address;
    uint64_t length;
} DmabedSegment;

/* The engine's copy of a segment list, and how far it has come in it */
typedef struct DmabedList {
    uint32_t named;             /* entries that the job has */
    int32_t count;              /* entries that were fetched */
    DmabedSegment *segments;
    uint32_t index;             /* segment that is next */
    uint64_t offset;            /* byte of it that is next */
} DmabedList;

/* What is done on command from the host; the values are in VMState */
typedef enum DmabedFault {
    DMABED_FAULT_NONE,
    DMABED_FAULT_CORRUPT,
    DMABED_FAULT_LIE,
    DMABED_FAULT_DECODE,
    DMABED_FAULT_LOST,
    DMABED_FAULT_IRQ_LOST,
    DMABED_FAULT_IRQ_DOUBLE,
    DMABED_FAULT_COUNT,
} DmabedFault;

typedef struct DmabedJob {
    /* the engine's copy of the descriptor */
    uint32_t op;
    uint32_t flags;
    uint64_t cookie;
    uint64_t seed;
    uint64_t length;
    uint64_t src_address;
    uint64_t dst_address;
    uint64_t pattern_offset;
    DmabedList src;
    DmabedList dst;

    /* how it goes */
    uint64_t seq;
    uint64_t done;              /* bytes moved */
    uint64_t mismatch;          /* first differing byte or ~0 */
    uint32_t status;            /* DMABED_COMP_NONE while nothing stops it */
    uint32_t violations;
    DmabedSha256 sha;

    /* what the host makes it suffer */
    uint32_t fault;             /* DmabedFault */
    uint64_t fault_at;
} DmabedJob;

/* What the engine is doing; the values are in VMState */
typedef enum DmabedPhase {
    DMABED_PHASE_IDLE,          /* nothing to do */
    DMABED_PHASE_FETCH,         /* the timer will fetch a job */
    DMABED_PHASE_MOVE,          /* the timer will move bytes of the job */
    DMABED_PHASE_HELD,          /* the host holds the job */
    DMABED_PHASE_LOST,          /* the job will never end */
    DMABED_PHASE_COUNT,
} DmabedPhase;

struct DmabedEngineState {
    DeviceState parent_obj;

    /* for the front end */
    MemoryRegion regs;
    MemoryRegion local;         /* only with @local_size */
    void (*set_irq)(DmabedEngineState *s, bool level);
    /* The bus address of @local */
    uint64_t (*get_local_base)(const DmabedEngineState *s);
    char *name;                 /* for traces, logs and the guest */

    /* properties: what the hardware is */
    uint32_t report_addr_bits;
    uint32_t max_segments;
    uint64_t max_segment_size;
    uint64_t boundary_mask;
    uint64_t alignment;
    uint64_t granule;
    char *policy;
    uint64_t latency_ns;
    uint64_t bandwidth;
    uint64_t local_size;
    bool wrap;                  /* @policy, understood */

    /* the engine's view of memory */
    DmabedBus bus;
    MemoryRegion local_window;

    /* registers */
    uint32_t ctrl;
    uint32_t irq_status;
    uint32_t irq_enable;
    uint32_t error;
    uint64_t ring_base;
    uint64_t comp_base;
    uint32_t ring_entries;
    uint32_t ring_head;
    uint32_t ring_tail;

    /* work */
    uint32_t phase;             /* DmabedPhase */
    DmabedJob job;              /* valid in the phases after FETCH */
    uint64_t jobs_started;
    int64_t deadline_ns;        /* virtual time of the next step */
    QEMUTimer step_timer;
    QEMUTimer irq_timer;        /* second interrupt of IRQ_DOUBLE */
    uint8_t *burst;             /* bytes on their way */
    uint8_t *burst_other;       /* the other side of COMPARE */

    /* what the host has asked for */
    bool hold;
    uint64_t hold_at;
    uint32_t inject_fault;      /* DmabedFault */
    uint64_t inject_at;
    uint64_t inject_count;

    DmabedEvidence *evidence;
};

/* ---- for front ends ---- */

/* The core is called what @dev is called, to be told before it is realized */
void dmabed_engine_take_name(DmabedEngineState *s, DeviceState *dev);

/* What the host reads and writes while the guest runs is there at @obj too */
void dmabed_engine_forward_runtime(DmabedEngineState *s, Object *obj);

/*
 * The engine itself reaches its local memory at @bus, over its windows; to be
 * called once the core is realized.
 */
void dmabed_engine_place_local(DmabedEngineState *s, uint64_t bus);

/* The device is being unplugged: its evidence stays, see below */
void dmabed_engine_depart(DmabedEngineState *s);

/* ---- for machines ---- */

/* "departed": the evidence of engines that were unplugged */
void dmabed_departed_add_property(ObjectClass *oc);

#endif /* HW_DMA_DMABED_ENGINE_H */
