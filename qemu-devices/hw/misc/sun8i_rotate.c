/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allwinner DE2 rotation unit, register-compatible with Linux's sun8i-rotate.
 *
 * It copies, flips and rotates one picture at a time.  Registers and formats:
 * Linux, drivers/media/platform/sunxi/sun8i-rotate/sun8i-rotate.h; what that
 * leaves open is decided in docs/specs/sun8i-rotate.md of dmabed.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "hw/misc/dmabed_media.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "trace.h"

#define TYPE_SUN8I_ROTATE "sun8i-rotate"
OBJECT_DECLARE_SIMPLE_TYPE(Sun8iRotateState, SUN8I_ROTATE)

/* ---- registers ---- */

#define R_GLB_CTL 0x00
#define   CTL_START (1u << 31)
#define   CTL_RESET (1u << 30)
#define   CTL_HFLIP (1u << 7)
#define   CTL_VFLIP (1u << 6)
#define   CTL_QUARTERS(ctl) (((ctl) >> 4) & 3)
#define   CTL_MODE(ctl) ((ctl) & 0xf)
#define   MODE_COPY_ROTATE 1
#define R_INT 0x04
#define   INT_ENABLE (1u << 16)
#define   INT_FINISH (1u << 0)
#define R_IN_FMT 0x20
#define R_IN_SIZE 0x24
#define R_IN_PITCH0 0x30
#define R_IN_ADDRL0 0x40
#define R_OUT_SIZE 0x84
#define R_OUT_PITCH0 0x90
#define R_OUT_ADDRL0 0xa0
#define R_LAST 0xb4
#define NUM_REGS (R_LAST / 4 + 1)

/* The unit's line of the SoC's reset controller: 1 lets it run */
#define R_RESET_LINE 0xf00
#define   RESET_LINE_RUN 1u

#define MAX_PLANES 3
#define PITCH_ALIGN 16
/* ROTATE_MAX_WIDTH and ROTATE_MIN_WIDTH of the driver */
#define MAX_SIDE 4096
#define MIN_SIDE 8

struct Sun8iRotateState {
    DmabedMediaState parent_obj;

    uint32_t regs[NUM_REGS];
    uint32_t reset_line;
    bool busy;
    QEMUTimer *done;            /* of the picture under way */
    uint64_t latency_ns;
};

static uint32_t reg(const Sun8iRotateState *s, hwaddr offset)
{
    return s->regs[offset / 4];
}

static bool is_register(hwaddr offset)
{
    return offset <= R_INT ||
           (offset >= R_IN_FMT && offset <= R_IN_SIZE) ||
           (offset >= R_IN_PITCH0 && offset < R_IN_PITCH0 + 4 * MAX_PLANES) ||
           (offset >= R_IN_ADDRL0 && offset < R_IN_ADDRL0 + 8 * MAX_PLANES) ||
           offset == R_OUT_SIZE ||
           (offset >= R_OUT_PITCH0 && offset < R_OUT_PITCH0 + 4 * MAX_PLANES) ||
           (offset >= R_OUT_ADDRL0 && offset <= R_LAST);
}

/* ---- formats ---- */

typedef struct RotateFormat {
    uint8_t bytes;              /* of a pixel of the first plane */
    uint8_t planes;
    bool swapped;               /* the second of two planes has V before U */
} RotateFormat;

/* ROTATE_FORMAT_* of the driver; without planes: not done by this model */
static RotateFormat find_format(uint32_t code)
{
    if (code <= 0x07) {
        return (RotateFormat) { .bytes = 4, .planes = 1 };
    }
    if (code <= 0x09) {
        return (RotateFormat) { .bytes = 3, .planes = 1 };
    }
    if (code <= 0x13) {
        return (RotateFormat) { .bytes = 2, .planes = 1 };
    }
    switch (code) {
    case 0x28:                  /* NV21 */
        return (RotateFormat) { .bytes = 1, .planes = 2, .swapped = true };
    case 0x29:                  /* NV12 */
        return (RotateFormat) { .bytes = 1, .planes = 2 };
    case 0x2a:                  /* YUV420P */
        return (RotateFormat) { .bytes = 1, .planes = 3 };
    default:
        return (RotateFormat) { };
    }
}

/* ---- a plane on its way ---- */

typedef struct Plane {
    unsigned width;
    unsigned height;
    unsigned bytes;             /* of a pixel */
    uint8_t *data;              /* lines without gaps */
} Plane;

static size_t plane_pitch(const Plane *plane)
{
    return (size_t)plane->width * plane->bytes;
}

static uint64_t address(const Sun8iRotateState *s, hwaddr base, unsigned plane)
{
    return (uint64_t)reg(s, base + 8 * plane + 4) << 32 |
           reg(s, base + 8 * plane);
}

static bool read_plane(Sun8iRotateState *s, unsigned index, Plane *plane)
{
    uint64_t bus = address(s, R_IN_ADDRL0, index);
    uint32_t pitch = reg(s, R_IN_PITCH0 + 4 * index);
    bool ok = true;

    plane->data = g_malloc(plane_pitch(plane) * plane->height);
    for (unsigned y = 0; y < plane->height; y++) {
        ok &= dmabed_media_read(DMABED_MEDIA(s), bus + (uint64_t)y * pitch,
                                plane->data + y * plane_pitch(plane),
                                plane_pitch(plane));
    }
    return ok;
}

static bool write_plane(Sun8iRotateState *s, unsigned index,
                        const Plane *plane)
{
    uint64_t bus = address(s, R_OUT_ADDRL0, index);
    uint32_t pitch = reg(s, R_OUT_PITCH0 + 4 * index);
    bool ok = true;

    for (unsigned y = 0; y < plane->height; y++) {
        ok &= dmabed_media_write(DMABED_MEDIA(s), bus + (uint64_t)y * pitch,
                                 plane->data + y * plane_pitch(plane),
                                 plane_pitch(plane));
    }
    return ok;
}

/*
 * Where the pixel of the result at @x, @y comes from: first flipped, then
 * turned clockwise by quarters
 */
static size_t source_of(const Plane *in, uint32_t ctl, unsigned x, unsigned y)
{
    unsigned sx = 0, sy = 0;

    switch (CTL_QUARTERS(ctl)) {
    case 0:
        sx = x;
        sy = y;
        break;
    case 1:
        sx = y;
        sy = in->height - 1 - x;
        break;
    case 2:
        sx = in->width - 1 - x;
        sy = in->height - 1 - y;
        break;
    case 3:
        sx = in->width - 1 - y;
        sy = x;
        break;
    }
    sx = ctl & CTL_HFLIP ? in->width - 1 - sx : sx;
    sy = ctl & CTL_VFLIP ? in->height - 1 - sy : sy;
    return (size_t)sy * plane_pitch(in) + (size_t)sx * in->bytes;
}

/* The bytes from @first on of each pixel, at most @bytes, as a plane turned */
static Plane turn(const Plane *in, uint32_t ctl, unsigned first,
                  unsigned bytes)
{
    bool upright = !(CTL_QUARTERS(ctl) & 1);
    Plane out = {
        .width = upright ? in->width : in->height,
        .height = upright ? in->height : in->width,
        .bytes = bytes,
    };
    uint8_t *to = out.data = g_malloc(plane_pitch(&out) * out.height);

    for (unsigned y = 0; y < out.height; y++) {
        for (unsigned x = 0; x < out.width; x++, to += bytes) {
            memcpy(to, in->data + source_of(in, ctl, x, y) + first, bytes);
        }
    }
    return out;
}

/* ---- a picture ---- */

typedef struct Picture {
    Sun8iRotateState *s;
    RotateFormat format;
    uint32_t ctl;
    unsigned width;
    unsigned height;
    DmabedMediaFault fault;
    bool ok;
} Picture;

static bool put_plane(Picture *p, unsigned index, Plane plane)
{
    bool ok = true;

    if (p->fault != DMABED_MEDIA_FAULT_STALE) {
        if (index == 0) {
            dmabed_media_spoil(p->fault, plane.data, plane_pitch(&plane),
                               plane.height);
        }
        ok = write_plane(p->s, index, &plane);
    }
    g_free(plane.data);
    return ok;
}

static void turn_first_plane(Picture *p)
{
    Plane in = {
        .width = p->width, .height = p->height, .bytes = p->format.bytes,
    };

    p->ok &= read_plane(p->s, 0, &in);
    p->ok &= put_plane(p, 0, turn(&in, p->ctl, 0, in.bytes));
    g_free(in.data);
}

/* The result always has three planes, as the driver says */
static void turn_chroma(Picture *p, unsigned plane)
{
    bool joined = p->format.planes == 2;
    Plane in = {
        .width = p->width / 2, .height = p->height / 2,
        .bytes = joined ? 2 : 1,
    };

    p->ok &= read_plane(p->s, plane, &in);
    if (joined) {
        unsigned u = p->format.swapped;

        p->ok &= put_plane(p, 1, turn(&in, p->ctl, u, 1));
        p->ok &= put_plane(p, 2, turn(&in, p->ctl, 1 - u, 1));
    } else {
        p->ok &= put_plane(p, plane, turn(&in, p->ctl, 0, 1));
    }
    g_free(in.data);
}

static unsigned width_of(uint32_t size)
{
    return (size & 0xffff) + 1;
}

static unsigned height_of(uint32_t size)
{
    return (size >> 16) + 1;
}

/* @pitch: the register of the first plane; @chroma: bytes of a pixel there */
static bool pitches_fit(const Picture *p, hwaddr pitch, unsigned planes,
                        unsigned width, unsigned chroma)
{
    for (unsigned plane = 0; plane < planes; plane++) {
        uint32_t value = reg(p->s, pitch + 4 * plane);
        uint32_t bytes = plane ? width / 2 * chroma : width * p->format.bytes;

        if (value < bytes || value % PITCH_ALIGN) {
            return false;
        }
    }
    return true;
}

/* Why the registers make no sense together, NULL: they do */
static const char *check(const Picture *p)
{
    Sun8iRotateState *s = p->s;
    bool upright = !(CTL_QUARTERS(p->ctl) & 1);
    uint32_t out = reg(s, R_OUT_SIZE);
    unsigned out_width = upright ? p->width : p->height;
    unsigned planes = p->format.planes;

    if (CTL_MODE(p->ctl) != MODE_COPY_ROTATE) {
        return "the mode is not copy-rotate";
    }
    if (!planes) {
        return "the format is unknown";
    }
    if (MIN(p->width, p->height) < MIN_SIDE ||
        MAX(p->width, p->height) > MAX_SIDE) {
        return "the size is out of range";
    }
    if (planes > 1 && (p->width % 2 || p->height % 2)) {
        return "4:2:0 has even sizes only";
    }
    if (width_of(out) != out_width ||
        height_of(out) != (upright ? p->height : p->width)) {
        return "the output's size is not the turned input's";
    }
    if (!pitches_fit(p, R_IN_PITCH0, planes, p->width, planes == 2 ? 2 : 1) ||
        !pitches_fit(p, R_OUT_PITCH0, planes == 1 ? 1 : MAX_PLANES, out_width,
                     1)) {
        return "a pitch is too short or no multiple of 16";
    }
    return NULL;
}

static DmabedMediaStatus do_picture(Sun8iRotateState *s)
{
    Picture p = {
        .s = s,
        .format = find_format(reg(s, R_IN_FMT) & 0x3f),
        .ctl = reg(s, R_GLB_CTL),
        .width = width_of(reg(s, R_IN_SIZE)),
        .height = height_of(reg(s, R_IN_SIZE)),
        .ok = true,
    };
    const char *problem = check(&p);

    dmabed_media_op_figure(DMABED_MEDIA(s), "width", p.width);
    dmabed_media_op_figure(DMABED_MEDIA(s), "height", p.height);
    dmabed_media_op_figure(DMABED_MEDIA(s), "format", reg(s, R_IN_FMT));
    dmabed_media_op_figure(DMABED_MEDIA(s), "rotate",
                           90 * CTL_QUARTERS(p.ctl));
    if (problem) {
        dmabed_media_guest_error(DMABED_MEDIA(s), problem);
        return DMABED_MEDIA_BAD_CONFIG;
    }
    p.fault = dmabed_media_take_fault(DMABED_MEDIA(s));
    turn_first_plane(&p);
    for (unsigned plane = 1; plane < p.format.planes; plane++) {
        turn_chroma(&p, plane);
    }
    return p.ok ? DMABED_MEDIA_OK : DMABED_MEDIA_BUS_ERROR;
}

/* ---- interrupt and work ---- */

static void update_irq(Sun8iRotateState *s)
{
    uint32_t both = INT_ENABLE | INT_FINISH;

    dmabed_media_set_irq(DMABED_MEDIA(s), (reg(s, R_INT) & both) == both);
}

/* The unit has no error to tell: whatever happened, it says that it is done */
static void rotate_done(void *opaque)
{
    Sun8iRotateState *s = opaque;

    dmabed_media_op_begin(DMABED_MEDIA(s), "rotate");
    dmabed_media_op_end(DMABED_MEDIA(s), do_picture(s));
    s->busy = false;
    s->regs[R_GLB_CTL / 4] &= ~CTL_START;
    s->regs[R_INT / 4] |= INT_FINISH;
    update_irq(s);
}

static void clear_registers(Sun8iRotateState *s)
{
    timer_del(s->done);
    s->busy = false;
    memset(s->regs, 0, sizeof(s->regs));
}

static void start(Sun8iRotateState *s)
{
    s->busy = true;
    timer_mod(s->done, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + s->latency_ns);
}

static void write_ctl(Sun8iRotateState *s, uint32_t value)
{
    if (value & CTL_RESET) {
        clear_registers(s);
        update_irq(s);
        return;
    }
    s->regs[R_GLB_CTL / 4] = value;
    if (value & CTL_START) {
        start(s);
    }
}

static void write_int(Sun8iRotateState *s, uint32_t value)
{
    uint32_t finish = reg(s, R_INT) & INT_FINISH & ~value;

    s->regs[R_INT / 4] = (value & INT_ENABLE) | finish;
    update_irq(s);
}

static void write_reset_line(Sun8iRotateState *s, uint32_t value)
{
    s->reset_line = value & RESET_LINE_RUN;
    if (!s->reset_line) {
        clear_registers(s);
        update_irq(s);
    }
}

/* ---- read and write ---- */

static uint64_t rotate_read(void *opaque, hwaddr offset, unsigned size)
{
    Sun8iRotateState *s = opaque;

    if (offset == R_RESET_LINE) {
        return s->reset_line;
    }
    if (!is_register(offset)) {
        dmabed_media_guest_error(DMABED_MEDIA(s), "read of no register");
        return 0;
    }
    return reg(s, offset);
}

static void rotate_write(void *opaque, hwaddr offset, uint64_t value,
                         unsigned size)
{
    Sun8iRotateState *s = opaque;

    trace_sun8i_rotate_write(DMABED_MEDIA(s)->name, offset, value);
    if (offset == R_RESET_LINE) {
        write_reset_line(s, value);
    } else if (!is_register(offset)) {
        dmabed_media_guest_error(DMABED_MEDIA(s), "write of no register");
    } else if (!s->reset_line) {
        dmabed_media_guest_error(DMABED_MEDIA(s), "write while in reset");
    } else if (offset == R_INT) {
        write_int(s, value);
    } else if (s->busy) {
        dmabed_media_guest_error(DMABED_MEDIA(s), "write while busy");
    } else if (offset == R_GLB_CTL) {
        write_ctl(s, value);
    } else {
        s->regs[offset / 4] = value;
    }
}

static const MemoryRegionOps rotate_ops = {
    .read = rotate_read,
    .write = rotate_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
};

/* ---- the object ---- */

static void rotate_init(Object *obj)
{
    Sun8iRotateState *s = SUN8I_ROTATE(obj);

    s->done = timer_new_ns(QEMU_CLOCK_VIRTUAL, rotate_done, s);
}

static void rotate_finalize(Object *obj)
{
    timer_free(SUN8I_ROTATE(obj)->done);
}

static void rotate_reset_hold(Object *obj, ResetType type)
{
    Sun8iRotateState *s = SUN8I_ROTATE(obj);

    clear_registers(s);
    s->reset_line = 0;
    update_irq(s);
}

static const VMStateDescription vmstate_rotate = {
    .name = TYPE_SUN8I_ROTATE,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_DMABED_MEDIA(parent_obj, Sun8iRotateState),
        VMSTATE_UINT32_ARRAY(regs, Sun8iRotateState, NUM_REGS),
        VMSTATE_UINT32(reset_line, Sun8iRotateState),
        VMSTATE_BOOL(busy, Sun8iRotateState),
        VMSTATE_TIMER_PTR(done, Sun8iRotateState),
        VMSTATE_END_OF_LIST()
    }
};

static const Property rotate_properties[] = {
    DEFINE_PROP_UINT64("latency-ns", Sun8iRotateState, latency_ns, 100000),
};

static void rotate_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    DmabedMediaClass *mc = DMABED_MEDIA_CLASS(oc);

    dc->desc = "Allwinner DE2 rotation unit";
    dc->vmsd = &vmstate_rotate;
    mc->regs_ops = &rotate_ops;
    RESETTABLE_CLASS(oc)->phases.hold = rotate_reset_hold;
    device_class_set_props(dc, rotate_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo rotate_types[] = {
    {
        .name = TYPE_SUN8I_ROTATE,
        .parent = TYPE_DMABED_MEDIA,
        .instance_size = sizeof(Sun8iRotateState),
        .instance_init = rotate_init,
        .instance_finalize = rotate_finalize,
        .class_init = rotate_class_init,
    },
};

DEFINE_TYPES(rotate_types)
