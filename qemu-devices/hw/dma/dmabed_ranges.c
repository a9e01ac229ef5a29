/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed: the windows of a bus, as the property dma-ranges has them.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/dma/dmabed_ranges.h"

DmabedRange dmabed_range(const uint64_t *numbers, unsigned i)
{
    numbers += i * DMABED_RANGE_NUMBERS;
    return (DmabedRange) {
        .bus = numbers[0], .cpu = numbers[1], .size = numbers[2],
    };
}

static bool ranges_overlap(DmabedRange a, DmabedRange b)
{
    return a.bus <= b.bus + (b.size - 1) && b.bus <= a.bus + (a.size - 1);
}

static bool check_range(const uint64_t *numbers, unsigned i, Error **errp)
{
    DmabedRange r = dmabed_range(numbers, i);

    if (r.size == 0) {
        error_setg(errp, "dma-ranges: window %u has size 0", i);
        return false;
    }
    if (r.bus + (r.size - 1) < r.bus || r.cpu + (r.size - 1) < r.cpu) {
        error_setg(errp, "dma-ranges: window %u ends beyond 64 bits", i);
        return false;
    }
    for (unsigned j = 0; j < i; j++) {
        if (ranges_overlap(r, dmabed_range(numbers, j))) {
            error_setg(errp, "dma-ranges: windows %u and %u overlap", j, i);
            return false;
        }
    }
    return true;
}

bool dmabed_ranges_check(const uint64_t *numbers, unsigned count,
                         Error **errp)
{
    if (count % DMABED_RANGE_NUMBERS) {
        error_setg(errp, "dma-ranges: %u numbers are not triples of bus "
                   "address, CPU address, size", count);
        return false;
    }
    for (unsigned i = 0; i < count / DMABED_RANGE_NUMBERS; i++) {
        if (!check_range(numbers, i, errp)) {
            return false;
        }
    }
    return true;
}
