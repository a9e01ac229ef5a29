/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed DMA engine: registers and interrupt.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "qemu/host-utils.h"
#include "qemu/log.h"
#include "dmabed_engine_internal.h"
#include "trace.h"

#define RING_ALIGN 64

void dmabed_guest_error(DmabedEngineState *s, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    dmabed_evidence_guest_error(s);
    qemu_log_mask(LOG_GUEST_ERROR, "%s %s: %s\n", TYPE_DMABED_ENGINE, s->name,
                  message);
}

/* ---- interrupt ---- */

void dmabed_irq_update(DmabedEngineState *s)
{
    s->set_irq(s, s->irq_status & s->irq_enable);
}

void dmabed_irq_raise(DmabedEngineState *s, uint32_t bits)
{
    s->irq_status |= bits;
    dmabed_evidence_interrupt(s);
    trace_dmabed_engine_irq(s->name, bits, s->irq_status, s->irq_enable);
    dmabed_irq_update(s);
}

/* ---- control ---- */

static bool ring_config_ok(const DmabedEngineState *s)
{
    return !(s->ring_base % RING_ALIGN) && !(s->comp_base % RING_ALIGN) &&
           is_power_of_2(s->ring_entries) &&
           s->ring_entries >= DMABED_RING_MIN_ENTRIES &&
           s->ring_entries <= DMABED_RING_MAX_ENTRIES;
}

/* The driver says where it will fill next; that must be in the ring */
static void check_indices_and_kick(DmabedEngineState *s)
{
    if (s->ring_head >= s->ring_entries || s->ring_tail >= s->ring_entries) {
        dmabed_ring_stop(s, DMABED_ERROR_RING_INDEX);
        return;
    }
    dmabed_ring_kick(s);
}

static void enable_ring(DmabedEngineState *s)
{
    if (s->error) {
        dmabed_guest_error(s, "a stopped ring is enabled without a reset");
        return;
    }
    if (!ring_config_ok(s)) {
        dmabed_ring_stop(s, DMABED_ERROR_RING_CONFIG);
        return;
    }
    s->ctrl |= DMABED_CTRL_ENABLE;
    check_indices_and_kick(s);
}

static void reset_by_guest(DmabedEngineState *s)
{
    trace_dmabed_engine_reset(s->name);
    dmabed_ring_reset(s);
    dmabed_regs_reset(s);
    dmabed_irq_update(s);
}

static void write_ctrl(DmabedEngineState *s, uint32_t value)
{
    if (value & DMABED_CTRL_RESET) {
        reset_by_guest(s);
        return;
    }
    if (!(value & DMABED_CTRL_ENABLE)) {
        s->ctrl &= ~DMABED_CTRL_ENABLE;
    } else if (!(s->ctrl & DMABED_CTRL_ENABLE)) {
        enable_ring(s);
    }
}

static void write_head(DmabedEngineState *s, uint32_t value)
{
    s->ring_head = value;
    trace_dmabed_engine_doorbell(s->name, value, s->ring_tail);
    if (s->ctrl & DMABED_CTRL_ENABLE) {
        check_indices_and_kick(s);
    }
}

/* ---- the ring's place ---- */

static bool is_ring_config(hwaddr offset)
{
    return offset >= DMABED_REG_RING_BASE_LO &&
           offset <= DMABED_REG_RING_ENTRIES;
}

static void write_ring_config(DmabedEngineState *s, hwaddr offset,
                              uint32_t value)
{
    if ((s->ctrl & DMABED_CTRL_ENABLE) || dmabed_ring_busy(s)) {
        dmabed_guest_error(s, "register 0x%03" HWADDR_PRIx " is written while "
                           "the ring is in use", offset);
        return;
    }
    switch (offset) {
    case DMABED_REG_RING_BASE_LO:
        s->ring_base = deposit64(s->ring_base, 0, 32, value);
        break;
    case DMABED_REG_RING_BASE_HI:
        s->ring_base = deposit64(s->ring_base, 32, 32, value);
        break;
    case DMABED_REG_COMP_BASE_LO:
        s->comp_base = deposit64(s->comp_base, 0, 32, value);
        break;
    case DMABED_REG_COMP_BASE_HI:
        s->comp_base = deposit64(s->comp_base, 32, 32, value);
        break;
    case DMABED_REG_RING_ENTRIES:
        s->ring_entries = value;
        break;
    }
}

/* ---- reads and writes ---- */

static uint32_t status_register(const DmabedEngineState *s)
{
    return (dmabed_ring_busy(s) ? DMABED_STATUS_BUSY : 0) |
           (s->phase == DMABED_PHASE_HELD ? DMABED_STATUS_HELD : 0);
}

static uint32_t operations_register(void)
{
    return BIT(DMABED_OP_FILL) | BIT(DMABED_OP_DIGEST) | BIT(DMABED_OP_COPY) |
           BIT(DMABED_OP_COMPARE);
}

static bool read_capability(const DmabedEngineState *s, hwaddr offset,
                            uint32_t *value)
{
    uint64_t segment_size = s->max_segment_size ?: UINT64_MAX;

    switch (offset) {
    case DMABED_REG_CAP_ADDR_BITS:
        *value = s->report_addr_bits ?: s->bus.addr_bits;
        return true;
    case DMABED_REG_CAP_RING_BITS:
        *value = s->bus.addr_bits;
        return true;
    case DMABED_REG_CAP_MAX_SEGMENTS:
        *value = dmabed_max_segments(s);
        return true;
    case DMABED_REG_CAP_ALIGNMENT:
        *value = s->alignment;
        return true;
    case DMABED_REG_CAP_GRANULE:
        *value = s->granule;
        return true;
    case DMABED_REG_CAP_OPS:
        *value = operations_register();
        return true;
    case DMABED_REG_CAP_SEG_SIZE_LO:
        *value = extract64(segment_size, 0, 32);
        return true;
    case DMABED_REG_CAP_SEG_SIZE_HI:
        *value = extract64(segment_size, 32, 32);
        return true;
    case DMABED_REG_CAP_BOUNDARY_LO:
        *value = extract64(s->boundary_mask, 0, 32);
        return true;
    case DMABED_REG_CAP_BOUNDARY_HI:
        *value = extract64(s->boundary_mask, 32, 32);
        return true;
    default:
        return false;
    }
}

static bool read_local(const DmabedEngineState *s, hwaddr offset,
                       uint32_t *value)
{
    uint64_t base = s->local_size ? s->get_local_base(s) : 0;

    switch (offset) {
    case DMABED_REG_CAP_LOCAL_SIZE_LO:
        *value = extract64(s->local_size, 0, 32);
        return true;
    case DMABED_REG_CAP_LOCAL_SIZE_HI:
        *value = extract64(s->local_size, 32, 32);
        return true;
    case DMABED_REG_CAP_LOCAL_BASE_LO:
        *value = extract64(base, 0, 32);
        return true;
    case DMABED_REG_CAP_LOCAL_BASE_HI:
        *value = extract64(base, 32, 32);
        return true;
    default:
        return false;
    }
}

static bool read_name(const DmabedEngineState *s, hwaddr offset,
                      uint32_t *value)
{
    char name[DMABED_NAME_SIZE] = "";

    if (offset < DMABED_REG_NAME ||
        offset >= DMABED_REG_NAME + DMABED_NAME_SIZE) {
        return false;
    }
    pstrcpy(name, sizeof(name), s->name);
    *value = ldl_le_p(name + offset - DMABED_REG_NAME);
    return true;
}

static bool read_control(const DmabedEngineState *s, hwaddr offset,
                         uint32_t *value)
{
    switch (offset) {
    case DMABED_REG_ID:
        *value = DMABED_ID_VALUE;
        return true;
    case DMABED_REG_VERSION:
        *value = DMABED_VERSION_VALUE;
        return true;
    case DMABED_REG_CTRL:
        *value = s->ctrl;
        return true;
    case DMABED_REG_STATUS:
        *value = status_register(s);
        return true;
    case DMABED_REG_IRQ_STATUS:
        *value = s->irq_status;
        return true;
    case DMABED_REG_IRQ_ENABLE:
        *value = s->irq_enable;
        return true;
    case DMABED_REG_ERROR:
        *value = s->error;
        return true;
    default:
        return false;
    }
}

static bool read_ring(const DmabedEngineState *s, hwaddr offset,
                      uint32_t *value)
{
    switch (offset) {
    case DMABED_REG_RING_BASE_LO:
        *value = extract64(s->ring_base, 0, 32);
        return true;
    case DMABED_REG_RING_BASE_HI:
        *value = extract64(s->ring_base, 32, 32);
        return true;
    case DMABED_REG_COMP_BASE_LO:
        *value = extract64(s->comp_base, 0, 32);
        return true;
    case DMABED_REG_COMP_BASE_HI:
        *value = extract64(s->comp_base, 32, 32);
        return true;
    case DMABED_REG_RING_ENTRIES:
        *value = s->ring_entries;
        return true;
    case DMABED_REG_RING_HEAD:
        *value = s->ring_head;
        return true;
    case DMABED_REG_RING_TAIL:
        *value = s->ring_tail;
        return true;
    default:
        return false;
    }
}

/* Every register can be read, so this also tells which offsets there are */
static bool read_register(const DmabedEngineState *s, hwaddr offset,
                          uint32_t *value)
{
    return read_control(s, offset, value) ||
           read_capability(s, offset, value) ||
           read_local(s, offset, value) || read_name(s, offset, value) ||
           read_ring(s, offset, value);
}

static uint64_t regs_read(void *opaque, hwaddr offset, unsigned size)
{
    DmabedEngineState *s = opaque;
    uint32_t value = 0;

    if (!read_register(s, offset, &value)) {
        dmabed_guest_error(s, "no register at 0x%03" HWADDR_PRIx " to read",
                           offset);
    }
    return value;
}

static void write_interrupt(DmabedEngineState *s, hwaddr offset,
                            uint32_t value)
{
    if (offset == DMABED_REG_IRQ_STATUS) {
        s->irq_status &= ~value;
    } else {
        s->irq_enable = value & (DMABED_IRQ_DONE | DMABED_IRQ_ERROR);
    }
    dmabed_irq_update(s);
}

static void regs_write(void *opaque, hwaddr offset, uint64_t value,
                       unsigned size)
{
    DmabedEngineState *s = opaque;
    uint32_t ignored;

    if (is_ring_config(offset)) {
        write_ring_config(s, offset, value);
        return;
    }
    switch (offset) {
    case DMABED_REG_CTRL:
        write_ctrl(s, value);
        break;
    case DMABED_REG_IRQ_STATUS:
    case DMABED_REG_IRQ_ENABLE:
        write_interrupt(s, offset, value);
        break;
    case DMABED_REG_RING_HEAD:
        write_head(s, value);
        break;
    default:
        /* Read-only registers ignore writes, other offsets are an error */
        if (!read_register(s, offset, &ignored)) {
            dmabed_guest_error(s, "no register at 0x%03" HWADDR_PRIx
                               " to write", offset);
        }
        break;
    }
}

const MemoryRegionOps dmabed_regs_ops = {
    .read = regs_read,
    .write = regs_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

void dmabed_regs_reset(DmabedEngineState *s)
{
    s->ctrl = 0;
    s->irq_status = 0;
    s->irq_enable = 0;
    s->error = DMABED_ERROR_NONE;
    s->ring_base = 0;
    s->comp_base = 0;
    s->ring_entries = 0;
    s->ring_head = 0;
    s->ring_tail = 0;
}
