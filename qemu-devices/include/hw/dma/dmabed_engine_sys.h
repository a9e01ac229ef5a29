/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Platform front end of the dmabed DMA engine: one MMIO region, one interrupt.
 */
#ifndef HW_DMA_DMABED_ENGINE_SYS_H
#define HW_DMA_DMABED_ENGINE_SYS_H

#include "hw/dma/dmabed_engine.h"
#include "hw/sysbus.h"

#define TYPE_DMABED_ENGINE_SYS "dmabed-engine-sys"
OBJECT_DECLARE_SIMPLE_TYPE(DmabedEngineSysState, DMABED_ENGINE_SYS)

#define DMABED_ENGINE_SPI_UNSET UINT32_MAX
#define DMABED_ENGINE_BASE_UNSET UINT64_MAX

/* Its MMIO regions; the second only where others reach the local memory */
#define DMABED_ENGINE_SYS_REGS 0
#define DMABED_ENGINE_SYS_LOCAL 1

struct DmabedEngineSysState {
    SysBusDevice parent_obj;

    DmabedEngineState engine;
    qemu_irq irq;

    /* properties: where the machine puts the device */
    uint64_t mmio_base;
    uint32_t spi;
    uint64_t local_base;
    bool local_visible;
};

static inline bool dmabed_engine_sys_shows_local(const DmabedEngineSysState *s)
{
    return s->engine.local_size && s->local_visible;
}

#endif /* HW_DMA_DMABED_ENGINE_SYS_H */
