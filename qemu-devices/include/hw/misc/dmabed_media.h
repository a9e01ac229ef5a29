/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the media blocks of dmabed share: where they are, the bus that they
 * see, and what they tell the host.
 *
 * A block is a sysbus device with one page of registers and one interrupt.
 * It moves bytes through dmabed_media_read() and _write(), between
 * dmabed_media_op_begin() and _op_end(), and the evidence follows.
 *
 * The contract is docs/specs/dmabed-media.md of dmabed.
 */
#ifndef HW_MISC_DMABED_MEDIA_H
#define HW_MISC_DMABED_MEDIA_H

#include "hw/dma/dmabed_bus.h"
#include "hw/sysbus.h"
#include "migration/vmstate.h"
#include "qom/object.h"

#define TYPE_DMABED_MEDIA "dmabed-media"
OBJECT_DECLARE_TYPE(DmabedMediaState, DmabedMediaClass, DMABED_MEDIA)

#define DMABED_MEDIA_MMIO_SIZE 0x1000
#define DMABED_MEDIA_SPI_UNSET UINT32_MAX
#define DMABED_MEDIA_BASE_UNSET UINT64_MAX

/* What a block can be told to do wrong: the host's "inject" */
typedef enum DmabedMediaFault {
    DMABED_MEDIA_FAULT_NONE,
    DMABED_MEDIA_FAULT_CORRUPT,     /* the first byte is another one */
    DMABED_MEDIA_FAULT_WRONG_LINE,  /* the first line is the second one's */
    DMABED_MEDIA_FAULT_STALE,       /* done, and nothing is new */
    DMABED_MEDIA_FAULT_COUNT,
} DmabedMediaFault;

typedef enum DmabedMediaStatus {
    DMABED_MEDIA_NONE,              /* under way */
    DMABED_MEDIA_OK,
    DMABED_MEDIA_BUS_ERROR,         /* some bytes had nowhere to go */
    DMABED_MEDIA_BAD_CONFIG,        /* the registers make no sense together */
} DmabedMediaStatus;

typedef struct DmabedMediaEvidence DmabedMediaEvidence;

struct DmabedMediaState {
    SysBusDevice parent_obj;

    MemoryRegion regs;
    qemu_irq irq;
    bool irq_level;
    char *name;

    /* properties */
    uint64_t mmio_base;
    uint32_t spi;

    /* the block's own view of memory */
    DmabedBus bus;

    /* what the host asked for: it outlives a reset */
    uint32_t fault;
    uint64_t fault_count;

    DmabedMediaEvidence *evidence;
};

struct DmabedMediaClass {
    SysBusDeviceClass parent_class;

    const MemoryRegionOps *regs_ops;
};

/* For a block with a realize of its own */
bool dmabed_media_realize(DmabedMediaState *s, Error **errp);

/* Before a block's own state */
extern const VMStateDescription vmstate_dmabed_media;

#define VMSTATE_DMABED_MEDIA(_field, _state)                                 \
    VMSTATE_STRUCT(_field, _state, 1, vmstate_dmabed_media, DmabedMediaState)

/* ---- moving bytes ---- */

/* False: nobody answers at some of it; what cannot be read is 0 */
bool dmabed_media_read(DmabedMediaState *s, uint64_t bus, void *data,
                       uint64_t length);
bool dmabed_media_write(DmabedMediaState *s, uint64_t bus, const void *data,
                        uint64_t length);

/* ---- evidence ---- */

void dmabed_media_evidence_init(DmabedMediaState *s);
void dmabed_media_evidence_clear(DmabedMediaState *s);
void dmabed_media_guest_error(DmabedMediaState *s, const char *what);
/* Does the guest's driver hear of it? Counts interrupts that were raised. */
void dmabed_media_set_irq(DmabedMediaState *s, bool level);

void dmabed_media_op_begin(DmabedMediaState *s, const char *kind);
/* A figure of the operation under way, as its width; the name is a literal */
void dmabed_media_op_figure(DmabedMediaState *s, const char *name,
                            uint64_t value);
void dmabed_media_op_access(DmabedMediaState *s, bool is_write, uint64_t bus,
                            const void *data, uint64_t length, bool answered);
void dmabed_media_op_end(DmabedMediaState *s, DmabedMediaStatus status);
/* The operation under way was nothing new: as if it had never been begun */
void dmabed_media_op_forget(DmabedMediaState *s);

/* ---- faults ---- */

extern const QEnumLookup dmabed_media_fault_lookup;

/* The operation under way takes the next fault, if there is one */
DmabedMediaFault dmabed_media_take_fault(DmabedMediaState *s);
/* Spoil a picture of @lines lines of @pitch bytes, as @fault says */
void dmabed_media_spoil(DmabedMediaFault fault, uint8_t *data, size_t pitch,
                        size_t lines);

#endif /* HW_MISC_DMABED_MEDIA_H */
