/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * i.MX28 LCD controller, register-compatible with Linux's mxsfb driver
 * ("fsl,imx28-lcdif"), in its DOTCLK mode.
 *
 * Registers: Linux, drivers/gpu/drm/mxsfb/mxsfb_regs.h; what that leaves open
 * is decided in docs/specs/imx28-lcdif.md of dmabed.  A frame is fetched whole
 * at its start, so that CRC_STAT and the interrupt of a vertical blank tell of
 * the frame that begins there.
 */
#include "qemu/osdep.h"
#include <zlib.h> /* for crc32 */
#include "qemu/timer.h"
#include "qapi/error.h"
#include "hw/misc/dmabed_media.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "ui/console.h"
#include "trace.h"

#define TYPE_IMX28_LCDIF "imx28-lcdif"
OBJECT_DECLARE_SIMPLE_TYPE(Imx28LcdifState, IMX28_LCDIF)

/* ---- registers: each with aliases that set, clear and toggle bits ---- */

#define R_CTRL 0x00
#define   CTRL_SFTRST (1u << 31)
#define   CTRL_CLKGATE (1u << 30)
#define   CTRL_DOTCLK_MODE (1u << 17)
#define   CTRL_WORD_LENGTH(ctrl) (((ctrl) >> 8) & 3)
#define     WORD_LENGTH_16 0
#define     WORD_LENGTH_24 3
#define   CTRL_RUN (1u << 0)
#define R_CTRL1 0x10
#define   CTRL1_FRAME_DONE_ENABLE (1u << 13)
#define   CTRL1_FRAME_DONE (1u << 9)
#define R_TRANSFER_COUNT 0x30
#define R_CUR_BUF 0x40
#define R_NEXT_BUF 0x50
#define R_CRC_STAT 0x1a0
#define R_LAST 0x1a0
#define R_STRIDE 0x10
#define NUM_REGS (R_LAST / R_STRIDE + 1)

#define ALIAS_SET 4
#define ALIAS_CLEAR 8
#define ALIAS_TOGGLE 12

/* The kernel's driver can ask for more, no panel has it */
#define MAX_SIDE 4096

#define CTRL_RESET_VALUE (CTRL_SFTRST | CTRL_CLKGATE)

struct Imx28LcdifState {
    DmabedMediaState parent_obj;

    uint32_t regs[NUM_REGS];
    QEMUTimer *vblank;
    uint64_t frame_ns;

    /* what is on the screen: the frame fetched last */
    QemuConsole *con;
    uint8_t *frame;
    size_t frame_size;
    uint64_t frame_bus;
    uint32_t frame_count;       /* TRANSFER_COUNT of it */
    DmabedMediaStatus frame_status;
    unsigned width;
    unsigned height;
    unsigned bytes;             /* of a pixel */
};

static uint32_t *reg(Imx28LcdifState *s, hwaddr offset)
{
    return &s->regs[offset / R_STRIDE];
}

/* ---- the screen ---- */

static uint32_t pixel_565(const uint8_t *from)
{
    uint32_t p = lduw_le_p(from);
    uint32_t r = p >> 11, g = (p >> 5) & 0x3f, b = p & 0x1f;

    return (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | (b << 3 | b >> 2);
}

static void draw(Imx28LcdifState *s)
{
    DisplaySurface *surface;
    const uint8_t *from = s->frame;

    qemu_console_resize(s->con, s->width, s->height);
    surface = qemu_console_surface(s->con);
    for (unsigned y = 0; y < s->height; y++) {
        uint32_t *to = surface_data(surface) + y * surface_stride(surface);

        for (unsigned x = 0; x < s->width; x++, from += s->bytes) {
            to[x] = s->bytes == 2 ? pixel_565(from) : ldl_le_p(from);
        }
    }
    dpy_gfx_update_full(s->con);
}

/* Pictures are drawn as they are fetched, nobody has to ask for one */
static void lcdif_gfx_update(void *opaque)
{
}

static const GraphicHwOps lcdif_gfx_ops = {
    .gfx_update = lcdif_gfx_update,
};

/* ---- fetching frames ---- */

static void update_irq(Imx28LcdifState *s)
{
    uint32_t ctrl1 = *reg(s, R_CTRL1);

    dmabed_media_set_irq(DMABED_MEDIA(s), (ctrl1 & CTRL1_FRAME_DONE_ENABLE) &&
                                          (ctrl1 & CTRL1_FRAME_DONE));
}

static bool is_running(Imx28LcdifState *s)
{
    uint32_t wanted = CTRL_RUN | CTRL_DOTCLK_MODE;

    return (*reg(s, R_CTRL) & (wanted | CTRL_RESET_VALUE)) == wanted;
}

/* Why there is nothing that could be fetched, NULL: there is */
static const char *take_geometry(Imx28LcdifState *s)
{
    uint32_t count = *reg(s, R_TRANSFER_COUNT);
    uint32_t word = CTRL_WORD_LENGTH(*reg(s, R_CTRL));

    if (word != WORD_LENGTH_16 && word != WORD_LENGTH_24) {
        return "words of 8 and 18 bits are not done";
    }
    s->width = count & 0xffff;
    s->height = count >> 16;
    s->bytes = word == WORD_LENGTH_16 ? 2 : 4;
    if (!s->width || !s->height || MAX(s->width, s->height) > MAX_SIDE) {
        return "the size is out of range";
    }
    return NULL;
}

/* A frame on its way: whether it is news is known when all of it is there */
typedef struct Fetched {
    uint8_t *data;
    size_t pitch;
    size_t size;
    DmabedMediaStatus status;
    DECLARE_BITMAP(answered, MAX_SIDE);     /* by line */
} Fetched;

/* Not under an operation: only a frame that is news becomes one */
static void fetch(Imx28LcdifState *s, Fetched *f)
{
    f->pitch = (size_t)s->width * s->bytes;
    f->size = f->pitch * s->height;
    f->data = g_malloc(f->size);
    f->status = DMABED_MEDIA_OK;
    bitmap_zero(f->answered, MAX_SIDE);
    for (unsigned y = 0; y < s->height; y++) {
        if (dmabed_media_read(DMABED_MEDIA(s),
                              *reg(s, R_CUR_BUF) + (uint64_t)y * f->pitch,
                              f->data + y * f->pitch, f->pitch)) {
            set_bit(y, f->answered);
        } else {
            f->status = DMABED_MEDIA_BUS_ERROR;
        }
    }
}

/* Zeros of a frame that nobody answers are another one than a black frame */
static bool is_shown(Imx28LcdifState *s, const Fetched *f)
{
    return s->frame && s->frame_size == f->size &&
           s->frame_bus == *reg(s, R_CUR_BUF) &&
           s->frame_count == *reg(s, R_TRANSFER_COUNT) &&
           s->frame_status == f->status &&
           !memcmp(s->frame, f->data, f->size);
}

static void record_reads(Imx28LcdifState *s, const Fetched *f)
{
    dmabed_media_op_begin(DMABED_MEDIA(s), "frame");
    for (unsigned y = 0; y < s->height; y++) {
        dmabed_media_op_access(DMABED_MEDIA(s), false,
                               *reg(s, R_CUR_BUF) + (uint64_t)y * f->pitch,
                               f->data + y * f->pitch, f->pitch,
                               test_bit(y, f->answered));
    }
}

static void show(Imx28LcdifState *s, const Fetched *f)
{
    DmabedMediaState *media = DMABED_MEDIA(s);

    *reg(s, R_CRC_STAT) = crc32(0, f->data, f->size);
    dmabed_media_op_figure(media, "width", s->width);
    dmabed_media_op_figure(media, "height", s->height);
    dmabed_media_op_figure(media, "pixel-bytes", s->bytes);
    dmabed_media_op_figure(media, "crc", *reg(s, R_CRC_STAT));
    dmabed_media_op_end(media, f->status);
    g_free(s->frame);
    s->frame = f->data;
    s->frame_size = f->size;
    s->frame_bus = *reg(s, R_CUR_BUF);
    s->frame_count = *reg(s, R_TRANSFER_COUNT);
    s->frame_status = f->status;
    draw(s);
}

static void discard(Imx28LcdifState *s, Fetched *f)
{
    dmabed_media_op_forget(DMABED_MEDIA(s));
    g_free(f->data);
}

/*
 * Evidence has each frame that differs from the one before.  Digests are for
 * these alone: of each frame of a display they would take half a CPU.
 */
static void fetch_frame(Imx28LcdifState *s, DmabedMediaFault fault)
{
    const char *problem = take_geometry(s);
    Fetched f;

    if (problem) {
        dmabed_media_guest_error(DMABED_MEDIA(s), problem);
        return;
    }
    fetch(s, &f);
    if (fault == DMABED_MEDIA_FAULT_NONE && is_shown(s, &f)) {
        discard(s, &f);
        return;
    }
    record_reads(s, &f);
    dmabed_media_spoil(fault, f.data, f.pitch, s->height);
    if (is_shown(s, &f)) {
        discard(s, &f);
    } else {
        show(s, &f);
    }
}

static void next_vblank(Imx28LcdifState *s)
{
    timer_mod(s->vblank, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + s->frame_ns);
}

static void lcdif_vblank(void *opaque)
{
    Imx28LcdifState *s = opaque;
    DmabedMediaFault fault = dmabed_media_take_fault(DMABED_MEDIA(s));

    if (fault == DMABED_MEDIA_FAULT_STALE) {
        fault = DMABED_MEDIA_FAULT_NONE;
    } else {
        *reg(s, R_CUR_BUF) = *reg(s, R_NEXT_BUF);
    }
    fetch_frame(s, fault);
    *reg(s, R_CTRL1) |= CTRL1_FRAME_DONE;
    update_irq(s);
    next_vblank(s);
}

/* ---- read and write ---- */

static void ctrl_written(Imx28LcdifState *s)
{
    uint32_t *ctrl = reg(s, R_CTRL);

    if (*ctrl & CTRL_SFTRST) {
        *ctrl |= CTRL_CLKGATE;
    }
    /* the last frame ends at once when the mode is left */
    if (!(*ctrl & CTRL_DOTCLK_MODE)) {
        *ctrl &= ~CTRL_RUN;
    }
    if (!is_running(s)) {
        timer_del(s->vblank);
    } else if (!timer_pending(s->vblank)) {
        next_vblank(s);
    }
}

static bool is_register(hwaddr offset)
{
    return offset <= R_LAST && offset % 4 == 0;
}

static uint64_t lcdif_read(void *opaque, hwaddr offset, unsigned size)
{
    Imx28LcdifState *s = opaque;

    if (!is_register(offset)) {
        dmabed_media_guest_error(DMABED_MEDIA(s), "read of no register");
        return 0;
    }
    return *reg(s, offset);
}

static uint32_t combine(uint32_t old, hwaddr alias, uint32_t value)
{
    switch (alias) {
    case ALIAS_SET:
        return old | value;
    case ALIAS_CLEAR:
        return old & ~value;
    case ALIAS_TOGGLE:
        return old ^ value;
    default:
        return value;
    }
}

static void lcdif_write(void *opaque, hwaddr offset, uint64_t value,
                        unsigned size)
{
    Imx28LcdifState *s = opaque;
    hwaddr base = offset & ~(hwaddr)(R_STRIDE - 1);

    trace_imx28_lcdif_write(DMABED_MEDIA(s)->name, offset, value);
    if (!is_register(offset) || base == R_CRC_STAT) {
        dmabed_media_guest_error(DMABED_MEDIA(s), "write of no register");
        return;
    }
    *reg(s, base) = combine(*reg(s, base), offset - base, value);
    if (base == R_CTRL) {
        ctrl_written(s);
    } else if (base == R_CTRL1) {
        update_irq(s);
    }
}

static const MemoryRegionOps lcdif_ops = {
    .read = lcdif_read,
    .write = lcdif_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
};

/* ---- the object ---- */

static void lcdif_realize(DeviceState *dev, Error **errp)
{
    Imx28LcdifState *s = IMX28_LCDIF(dev);

    if (s->frame_ns < SCALE_MS) {
        error_setg(errp, "frame-ns: %" PRIu64 " is less than %d", s->frame_ns,
                   SCALE_MS);
        return;
    }
    if (dmabed_media_realize(DMABED_MEDIA(s), errp)) {
        s->con = graphic_console_init(dev, 0, &lcdif_gfx_ops, s);
    }
}

static void lcdif_init(Object *obj)
{
    Imx28LcdifState *s = IMX28_LCDIF(obj);

    s->vblank = timer_new_ns(QEMU_CLOCK_VIRTUAL, lcdif_vblank, s);
}

static void forget_frame(Imx28LcdifState *s)
{
    g_clear_pointer(&s->frame, g_free);
    s->frame_size = 0;
}

static void lcdif_finalize(Object *obj)
{
    Imx28LcdifState *s = IMX28_LCDIF(obj);

    timer_free(s->vblank);
    forget_frame(s);
}

static void lcdif_reset_hold(Object *obj, ResetType type)
{
    Imx28LcdifState *s = IMX28_LCDIF(obj);

    timer_del(s->vblank);
    memset(s->regs, 0, sizeof(s->regs));
    *reg(s, R_CTRL) = CTRL_RESET_VALUE;
    forget_frame(s);
    update_irq(s);
}

/* The screen is drawn anew by the next vertical blank */
static int lcdif_post_load(void *opaque, int version_id)
{
    forget_frame(opaque);
    return 0;
}

static const VMStateDescription vmstate_lcdif = {
    .name = TYPE_IMX28_LCDIF,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = lcdif_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_DMABED_MEDIA(parent_obj, Imx28LcdifState),
        VMSTATE_UINT32_ARRAY(regs, Imx28LcdifState, NUM_REGS),
        VMSTATE_TIMER_PTR(vblank, Imx28LcdifState),
        VMSTATE_END_OF_LIST()
    }
};

static const Property lcdif_properties[] = {
    /* 60 pictures a second */
    DEFINE_PROP_UINT64("frame-ns", Imx28LcdifState, frame_ns, 16666667),
};

static void lcdif_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    DmabedMediaClass *mc = DMABED_MEDIA_CLASS(oc);

    dc->desc = "i.MX28 LCD controller";
    dc->vmsd = &vmstate_lcdif;
    mc->regs_ops = &lcdif_ops;
    RESETTABLE_CLASS(oc)->phases.hold = lcdif_reset_hold;
    dc->realize = lcdif_realize;
    device_class_set_props(dc, lcdif_properties);
    set_bit(DEVICE_CATEGORY_DISPLAY, dc->categories);
}

static const TypeInfo lcdif_types[] = {
    {
        .name = TYPE_IMX28_LCDIF,
        .parent = TYPE_DMABED_MEDIA,
        .instance_size = sizeof(Imx28LcdifState),
        .instance_init = lcdif_init,
        .instance_finalize = lcdif_finalize,
        .class_init = lcdif_class_init,
    },
};

DEFINE_TYPES(lcdif_types)
