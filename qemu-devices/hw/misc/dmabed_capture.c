/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed capture: a camera that sees a moving test picture.
 *
 * Each frame goes to a list of segments, so that both a driver with one run of
 * memory and one with a scatter list can use it.
 *
 * The contract is docs/specs/dmabed-capture.md of dmabed.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "hw/misc/dmabed_media.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "trace.h"

#define TYPE_DMABED_CAPTURE "dmabed-capture"
OBJECT_DECLARE_SIMPLE_TYPE(DmabedCaptureState, DMABED_CAPTURE)

/* ---- registers ---- */

#define R_ID 0x00
#define   ID_VALUE 0x50414344   /* "DCAP" */
#define R_CTRL 0x04
#define   CTRL_ENABLE 1u
#define R_INT_STATUS 0x08
#define   INT_DONE 1u
#define   INT_ERROR 2u
#define R_INT_ENABLE 0x0c
#define R_FORMAT 0x10
#define   FORMAT_XRGB8888 0
#define   FORMAT_RGB565 1
#define R_SIZE 0x14             /* height << 16 | width */
#define R_PITCH 0x18
#define R_SEED 0x1c
#define R_LIST_LOW 0x20
#define R_LIST_HIGH 0x24
#define R_LIST_COUNT 0x28
#define R_START 0x2c            /* the next frame goes to the list */
#define R_FRAME 0x30            /* frames taken since CTRL.ENABLE */
#define R_LAST 0x30
#define NUM_REGS (R_LAST / 4 + 1)

#define MAX_SIDE 4096
#define MAX_PITCH (4 * MAX_SIDE)
#define MAX_SEGMENTS 4096
/* A white square moves through the picture */
#define SQUARE_SIDE 32
#define SQUARE_STEP 16

typedef struct Segment {
    uint64_t bus;
    uint64_t length;
} Segment;

struct DmabedCaptureState {
    DmabedMediaState parent_obj;

    uint32_t regs[NUM_REGS];
    bool armed;                 /* a list waits for the next frame */
    QEMUTimer *frame_timer;
    uint64_t frame_ns;
};

static uint32_t reg(const DmabedCaptureState *s, hwaddr offset)
{
    return s->regs[offset / 4];
}

/* ---- the picture ---- */

typedef struct Picture {
    unsigned width;
    unsigned height;
    unsigned pitch;
    unsigned bytes;             /* of a pixel */
    uint32_t seed;
    uint32_t frame;
} Picture;

static bool in_square(const Picture *p, unsigned x, unsigned y)
{
    unsigned room_x = p->width > SQUARE_SIDE ? p->width - SQUARE_SIDE : 1;
    unsigned room_y = p->height > SQUARE_SIDE ? p->height - SQUARE_SIDE : 1;
    unsigned left = (p->frame * SQUARE_STEP) % room_x;
    unsigned top = (p->seed + p->frame * SQUARE_STEP) % room_y;

    return x - left < SQUARE_SIDE && y - top < SQUARE_SIDE;
}

/* Red to the right, green down, a texture in blue; all 0xRRGGBB */
static uint32_t colour(const Picture *p, unsigned x, unsigned y)
{
    uint8_t red = x + 8 * p->frame, green = y + 16 * p->seed;
    uint8_t blue = x ^ y ^ p->seed;

    return in_square(p, x, y) ? 0xffffff : red << 16 | green << 8 | blue;
}

static void put_pixel(const Picture *p, uint8_t *to, uint32_t rgb)
{
    if (p->bytes == 2) {
        stw_le_p(to, (rgb >> 19 & 0x1f) << 11 | (rgb >> 10 & 0x3f) << 5 |
                     (rgb >> 3 & 0x1f));
    } else {
        stl_le_p(to, 0xff000000 | rgb);
    }
}

static void paint(const Picture *p, uint8_t *data)
{
    for (unsigned y = 0; y < p->height; y++) {
        for (unsigned x = 0; x < p->width; x++) {
            put_pixel(p, data + (size_t)y * p->pitch + x * p->bytes,
                      colour(p, x, y));
        }
    }
}

/* ---- a frame ---- */

static void update_irq(DmabedCaptureState *s)
{
    dmabed_media_set_irq(DMABED_MEDIA(s),
                         reg(s, R_INT_STATUS) & reg(s, R_INT_ENABLE));
}

/* Why no picture can be taken, NULL: it can */
static const char *take_geometry(DmabedCaptureState *s, Picture *p)
{
    uint32_t size = reg(s, R_SIZE);

    *p = (Picture) {
        .width = size & 0xffff, .height = size >> 16,
        .pitch = reg(s, R_PITCH),
        .bytes = reg(s, R_FORMAT) == FORMAT_RGB565 ? 2 : 4,
        .seed = reg(s, R_SEED), .frame = reg(s, R_FRAME),
    };
    if (reg(s, R_FORMAT) > FORMAT_RGB565) {
        return "the format is unknown";
    }
    if (!p->width || !p->height || MAX(p->width, p->height) > MAX_SIDE) {
        return "the size is out of range";
    }
    if (p->pitch < p->width * p->bytes || p->pitch > MAX_PITCH) {
        return "the pitch is out of range";
    }
    return NULL;
}

/* The list, copied once: the guest may change it meanwhile */
static Segment *take_list(DmabedCaptureState *s)
{
    uint32_t count = reg(s, R_LIST_COUNT);
    uint64_t bus = (uint64_t)reg(s, R_LIST_HIGH) << 32 | reg(s, R_LIST_LOW);
    g_autofree Segment *list = NULL;

    if (!count || count > MAX_SEGMENTS) {
        return NULL;
    }
    list = g_new(Segment, count);
    if (!dmabed_media_read(DMABED_MEDIA(s), bus, list,
                           count * sizeof(Segment))) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        le64_to_cpus(&list[i].bus);
        le64_to_cpus(&list[i].length);
    }
    return g_steal_pointer(&list);
}

static bool holds(const Segment *list, uint32_t count, size_t size)
{
    for (uint32_t i = 0; i < count && size; i++) {
        size -= MIN(list[i].length, size);
    }
    return !size;
}

static bool scatter(DmabedCaptureState *s, const Segment *list,
                    const uint8_t *data, size_t size)
{
    bool ok = true;

    for (; size; list++) {
        size_t part = MIN(list->length, size);

        ok &= dmabed_media_write(DMABED_MEDIA(s), list->bus, data, part);
        data += part;
        size -= part;
    }
    return ok;
}

static DmabedMediaStatus take_picture(DmabedCaptureState *s, const Picture *p)
{
    DmabedMediaFault fault = dmabed_media_take_fault(DMABED_MEDIA(s));
    size_t size = (size_t)p->pitch * p->height;
    g_autofree Segment *list = take_list(s);
    g_autofree uint8_t *data = NULL;

    if (!list || !holds(list, reg(s, R_LIST_COUNT), size)) {
        dmabed_media_guest_error(DMABED_MEDIA(s), list ?
                                 "the list is too short" : "there is no list");
        return DMABED_MEDIA_BAD_CONFIG;
    }
    if (fault == DMABED_MEDIA_FAULT_STALE) {
        return DMABED_MEDIA_OK;
    }
    data = g_malloc0(size);
    paint(p, data);
    dmabed_media_spoil(fault, data, p->pitch, p->height);
    return scatter(s, list, data, size) ? DMABED_MEDIA_OK
                                        : DMABED_MEDIA_BUS_ERROR;
}

static DmabedMediaStatus do_frame(DmabedCaptureState *s)
{
    DmabedMediaState *media = DMABED_MEDIA(s);
    Picture p;
    const char *problem = take_geometry(s, &p);

    if (problem) {
        dmabed_media_guest_error(media, problem);
        return DMABED_MEDIA_BAD_CONFIG;
    }
    dmabed_media_op_figure(media, "width", p.width);
    dmabed_media_op_figure(media, "height", p.height);
    dmabed_media_op_figure(media, "seed", p.seed);
    dmabed_media_op_figure(media, "frame", p.frame);
    return take_picture(s, &p);
}

static void next_frame(DmabedCaptureState *s)
{
    timer_mod(s->frame_timer,
              qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + s->frame_ns);
}

static void capture_frame(void *opaque)
{
    DmabedCaptureState *s = opaque;
    DmabedMediaStatus status;

    s->armed = false;
    dmabed_media_op_begin(DMABED_MEDIA(s), "capture");
    status = do_frame(s);
    dmabed_media_op_end(DMABED_MEDIA(s), status);
    s->regs[R_FRAME / 4]++;
    s->regs[R_INT_STATUS / 4] |= status == DMABED_MEDIA_OK ? INT_DONE
                                                          : INT_ERROR;
    update_irq(s);
}

/* ---- read and write ---- */

static void stop(DmabedCaptureState *s)
{
    timer_del(s->frame_timer);
    s->armed = false;
    s->regs[R_FRAME / 4] = 0;
}

static void write_start(DmabedCaptureState *s)
{
    if (!(reg(s, R_CTRL) & CTRL_ENABLE) || s->armed) {
        dmabed_media_guest_error(DMABED_MEDIA(s),
                                 "start while disabled or armed");
        return;
    }
    s->armed = true;
    next_frame(s);
}

static uint64_t capture_read(void *opaque, hwaddr offset, unsigned size)
{
    DmabedCaptureState *s = opaque;

    if (offset == R_ID) {
        return ID_VALUE;
    }
    if (offset > R_LAST) {
        dmabed_media_guest_error(DMABED_MEDIA(s), "read of no register");
        return 0;
    }
    return reg(s, offset);
}

static void capture_write(void *opaque, hwaddr offset, uint64_t value,
                          unsigned size)
{
    DmabedCaptureState *s = opaque;

    trace_dmabed_capture_write(DMABED_MEDIA(s)->name, offset, value);
    switch (offset) {
    case R_CTRL:
        s->regs[R_CTRL / 4] = value & CTRL_ENABLE;
        if (!(value & CTRL_ENABLE)) {
            stop(s);
        }
        break;
    case R_INT_STATUS:
        s->regs[R_INT_STATUS / 4] &= ~value;
        update_irq(s);
        break;
    case R_INT_ENABLE:
        s->regs[R_INT_ENABLE / 4] = value & (INT_DONE | INT_ERROR);
        update_irq(s);
        break;
    case R_START:
        write_start(s);
        break;
    case R_FORMAT ... R_LIST_COUNT:
        s->regs[offset / 4] = value;
        break;
    default:
        dmabed_media_guest_error(DMABED_MEDIA(s), "write of no register");
    }
}

static const MemoryRegionOps capture_ops = {
    .read = capture_read,
    .write = capture_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
};

/* ---- the object ---- */

static void capture_init(Object *obj)
{
    DmabedCaptureState *s = DMABED_CAPTURE(obj);

    s->frame_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, capture_frame, s);
}

static void capture_finalize(Object *obj)
{
    timer_free(DMABED_CAPTURE(obj)->frame_timer);
}

static void capture_reset_hold(Object *obj, ResetType type)
{
    DmabedCaptureState *s = DMABED_CAPTURE(obj);

    stop(s);
    memset(s->regs, 0, sizeof(s->regs));
    update_irq(s);
}

static const VMStateDescription vmstate_capture = {
    .name = TYPE_DMABED_CAPTURE,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_DMABED_MEDIA(parent_obj, DmabedCaptureState),
        VMSTATE_UINT32_ARRAY(regs, DmabedCaptureState, NUM_REGS),
        VMSTATE_BOOL(armed, DmabedCaptureState),
        VMSTATE_TIMER_PTR(frame_timer, DmabedCaptureState),
        VMSTATE_END_OF_LIST()
    }
};

static const Property capture_properties[] = {
    /* from a start to the frame's end; a real camera takes longer */
    DEFINE_PROP_UINT64("frame-ns", DmabedCaptureState, frame_ns, 1000000),
};

static void capture_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    DmabedMediaClass *mc = DMABED_MEDIA_CLASS(oc);

    dc->desc = "dmabed camera with a test picture";
    dc->vmsd = &vmstate_capture;
    mc->regs_ops = &capture_ops;
    RESETTABLE_CLASS(oc)->phases.hold = capture_reset_hold;
    device_class_set_props(dc, capture_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo capture_types[] = {
    {
        .name = TYPE_DMABED_CAPTURE,
        .parent = TYPE_DMABED_MEDIA,
        .instance_size = sizeof(DmabedCaptureState),
        .instance_init = capture_init,
        .instance_finalize = capture_finalize,
        .class_init = capture_class_init,
    },
};

DEFINE_TYPES(capture_types)
