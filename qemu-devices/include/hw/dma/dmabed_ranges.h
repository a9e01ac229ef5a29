/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The property dma-ranges of whatever masters a bus here: windows of its bus,
 * as numbers in a row.
 */
#ifndef HW_DMA_DMABED_RANGES_H
#define HW_DMA_DMABED_RANGES_H

/* A window is three numbers in a row: bus, cpu, size */
#define DMABED_RANGE_NUMBERS 3

typedef struct DmabedRange {
    uint64_t bus;
    uint64_t cpu;
    uint64_t size;
} DmabedRange;

/* Window @i of @numbers, whose count was found right */
DmabedRange dmabed_range(const uint64_t *numbers, unsigned i);
/* Whether they are windows, none of which is empty, wraps or overlaps */
bool dmabed_ranges_check(const uint64_t *numbers, unsigned count,
                         Error **errp);

#endif /* HW_DMA_DMABED_RANGES_H */
