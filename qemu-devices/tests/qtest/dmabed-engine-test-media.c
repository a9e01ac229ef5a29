/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtests of the media blocks: what their drivers do, and one test for each
 * input that they refuse.  The contracts are docs/specs/dmabed-media.md,
 * sun8i-rotate.md, imx28-lcdif.md and dmabed-capture.md of dmabed.
 */
#include "qemu/osdep.h"
#include "dmabed-engine-util.h"

#define MEDIA_BASE 0x38400000ULL
#define MEDIA_PATH "/machine/peripheral/block"
#define MMU_BASE 0x38410000ULL
#define MS 1000000

/* Pictures of the tests: small, so that every pixel can be looked at */
#define WIDTH 16
#define HEIGHT 8
#define IN_AT DATA_AT
#define OUT_AT OTHER_AT
/* Behind the end of RAM */
#define NOWHERE (RAM_BASE + RAM_SIZE)

/* sun8i-rotate */
#define ROT_CTL 0x00
#define ROT_START (1u << 31)
#define ROT_COPY 1u
#define ROT_QUARTERS(n) ((n) << 4)
#define ROT_VFLIP (1u << 6)
#define ROT_INT 0x04
#define ROT_IN_FMT 0x20
#define ROT_IN_SIZE 0x24
#define ROT_IN_PITCH 0x30
#define ROT_IN_ADDR 0x40
#define ROT_OUT_SIZE 0x84
#define ROT_OUT_PITCH 0x90
#define ROT_OUT_ADDR 0xa0
#define ROT_RESET_LINE 0xf00
#define FORMAT_XBGR32 5
#define FORMAT_YUYV 0x20
#define FORMAT_NV12 0x29

/* imx28-lcdif */
#define LCD_CTRL 0x00
#define LCD_CTRL1 0x10
#define LCD_COUNT 0x30
#define LCD_CUR 0x40
#define LCD_NEXT 0x50
#define LCD_CRC 0x1a0
#define LCD_RESET 0xc0000000u
#define LCD_DOTCLK (1u << 17)
#define LCD_WORD_16 (0u << 8)
#define LCD_WORD_8 (1u << 8)
#define LCD_WORD_24 (3u << 8)
#define LCD_RUN 1u
#define LCD_DONE (1u << 9)
#define SET 4
#define CLEAR 8
#define TOGGLE 12

/* dmabed-capture */
#define CAP_ID 0x00
#define CAP_CTRL 0x04
#define CAP_INT 0x08
#define CAP_FORMAT 0x10
#define CAP_SIZE 0x14
#define CAP_PITCH 0x18
#define CAP_SEED 0x1c
#define CAP_LIST 0x20
#define CAP_COUNT 0x28
#define CAP_START 0x2c
#define CAP_FRAME 0x30
#define CAP_DONE 1u
#define CAP_ERROR 2u

/* ---- a machine with one block beside the engine ---- */

static Rig *start(const char *model)
{
    g_autofree char *device = g_strdup_printf(
        "-device '{\"driver\":\"%s\",\"id\":\"block\",\"mmio-base\":%llu,"
        "\"spi\":70}'", model, MEDIA_BASE);

    return rig_start_beside("", device);
}

/* ... behind an IOMMU (rockchip-iommu.md), which is off at first */
static Rig *start_behind_iommu(const char *model)
{
    g_autofree char *devices = g_strdup_printf(
        "-device '{\"driver\":\"dmabed-rk-iommu\",\"id\":\"mmu\","
        "\"mmio-base\":%llu,\"spi\":71}' "
        "-device '{\"driver\":\"%s\",\"id\":\"block\",\"mmio-base\":%llu,"
        "\"spi\":70,\"iommu\":\"mmu\"}'", MMU_BASE, model, MEDIA_BASE);

    return rig_start_beside("", devices);
}

static uint32_t rd(Rig *rig, uint64_t offset)
{
    return qtest_readl(rig->qts, MEDIA_BASE + offset);
}

static void wr(Rig *rig, uint64_t offset, uint32_t value)
{
    qtest_writel(rig->qts, MEDIA_BASE + offset, value);
}

static QDict *media_evidence(Rig *rig)
{
    g_autoptr(QDict) reply = qtest_qmp(rig->qts,
        "{'execute':'qom-get','arguments':{'path':%s,'property':'evidence'}}",
        MEDIA_PATH);

    return qobject_ref(qdict_get_qdict(reply, "return"));
}

static unsigned guest_errors(Rig *rig)
{
    g_autoptr(QDict) found = media_evidence(rig);

    return qdict_get_int(found, "guest-errors");
}

static unsigned operations(Rig *rig)
{
    g_autoptr(QDict) found = media_evidence(rig);

    return qdict_get_int(found, "ops-total");
}

/* The last operation; it belongs to @found */
static QDict *last(QDict *found)
{
    QList *ops = qdict_get_qlist(found, "ops");
    QListEntry *entry = QTAILQ_LAST(&ops->head);

    g_assert_nonnull(entry);
    return qobject_to(QDict, qlist_entry_obj(entry));
}

static void assert_status(Rig *rig, const char *status)
{
    g_autoptr(QDict) found = media_evidence(rig);

    g_assert_cmpstr(qdict_get_str(last(found), "status"), ==, status);
}

static void inject_media(Rig *rig, const char *fault)
{
    qtest_qmp_assert_success(rig->qts,
        "{'execute':'qom-set','arguments':{'path':%s,'property':'inject',"
        "'value':{'fault':%s}}}", MEDIA_PATH, fault);
}

/* ---- the rotation unit ---- */

/* Everything of a picture of 4 bytes a pixel, but for the start */
static void rotate_set_up(Rig *rig, uint32_t quarters)
{
    bool upright = !(quarters & 1);
    unsigned width = upright ? WIDTH : HEIGHT;
    unsigned height = upright ? HEIGHT : WIDTH;

    wr(rig, ROT_RESET_LINE, 1);
    wr(rig, ROT_INT, 1u << 16);
    wr(rig, ROT_IN_FMT, FORMAT_XBGR32);
    wr(rig, ROT_IN_SIZE, (HEIGHT - 1) << 16 | (WIDTH - 1));
    wr(rig, ROT_IN_PITCH, WIDTH * 4);
    wr(rig, ROT_IN_ADDR, IN_AT);
    wr(rig, ROT_OUT_SIZE, (height - 1) << 16 | (width - 1));
    wr(rig, ROT_OUT_PITCH, width * 4);
    wr(rig, ROT_OUT_ADDR, OUT_AT);
}

static void rotate_go(Rig *rig, uint32_t ctl)
{
    wr(rig, ROT_CTL, ctl | ROT_START);
    g_assert_true(rd(rig, ROT_CTL) & ROT_START);
    qtest_clock_step(rig->qts, MS);
    g_assert_false(rd(rig, ROT_CTL) & ROT_START);
    g_assert_cmphex(rd(rig, ROT_INT) & 1, ==, 1);
}

/* Clockwise: what was in the lower left comes to the upper left */
static void test_rotate_turns(void)
{
    Rig *rig = start("sun8i-rotate");

    memory_pattern(rig, IN_AT, WIDTH * HEIGHT * 4, 1);
    rotate_set_up(rig, 1);
    rotate_go(rig, ROT_COPY | ROT_QUARTERS(1));
    for (unsigned y = 0; y < WIDTH; y++) {
        for (unsigned x = 0; x < HEIGHT; x++) {
            uint64_t from = IN_AT + ((HEIGHT - 1 - x) * WIDTH + y) * 4;
            uint64_t to = OUT_AT + (y * HEIGHT + x) * 4;

            g_assert_cmphex(qtest_readl(rig->qts, to), ==,
                            qtest_readl(rig->qts, from));
        }
    }
    assert_status(rig, "ok");
    g_assert_cmpint(guest_errors(rig), ==, 0);
    wr(rig, ROT_INT, 1);
    g_assert_cmphex(rd(rig, ROT_INT), ==, 0);
    rig_stop(rig);
}

static void test_rotate_flips_first(void)
{
    Rig *rig = start("sun8i-rotate");
    uint64_t pitch = WIDTH * 4;

    memory_pattern(rig, IN_AT, WIDTH * HEIGHT * 4, 2);
    rotate_set_up(rig, 2);
    rotate_go(rig, ROT_COPY | ROT_QUARTERS(2) | ROT_VFLIP);
    /* upside down and turned by half: left and right have changed */
    for (unsigned x = 0; x < WIDTH; x++) {
        g_assert_cmphex(qtest_readl(rig->qts, OUT_AT + x * 4), ==,
                        qtest_readl(rig->qts, IN_AT + pitch - 4 - x * 4));
    }
    rig_stop(rig);
}

static void nv12_set_up(Rig *rig)
{
    rotate_set_up(rig, 0);
    wr(rig, ROT_IN_FMT, FORMAT_NV12);
    for (unsigned plane = 0; plane < 3; plane++) {
        wr(rig, ROT_IN_PITCH + 4 * plane, WIDTH);
        wr(rig, ROT_OUT_PITCH + 4 * plane, WIDTH);
        wr(rig, ROT_IN_ADDR + 8 * plane, IN_AT + plane * WIDTH * HEIGHT);
        wr(rig, ROT_OUT_ADDR + 8 * plane, OUT_AT + plane * WIDTH * HEIGHT);
    }
}

static void test_rotate_splits_nv12(void)
{
    Rig *rig = start("sun8i-rotate");
    uint64_t plane = WIDTH * HEIGHT;

    memory_pattern(rig, IN_AT, plane * 3 / 2, 3);
    nv12_set_up(rig);
    rotate_go(rig, ROT_COPY);
    for (unsigned y = 0; y < HEIGHT / 2; y++) {
        for (unsigned x = 0; x < WIDTH / 2; x++) {
            uint64_t uv = IN_AT + plane + y * WIDTH + 2 * x;
            uint64_t u = OUT_AT + plane + y * WIDTH + x, v = u + plane;

            g_assert_cmphex(qtest_readb(rig->qts, u), ==,
                            qtest_readb(rig->qts, uv));
            g_assert_cmphex(qtest_readb(rig->qts, v), ==,
                            qtest_readb(rig->qts, uv + 1));
        }
    }
    assert_status(rig, "ok");
    rig_stop(rig);
}

/* Silicon has nothing to say of it; the evidence has */
static void test_rotate_bus_error(void)
{
    Rig *rig = start("sun8i-rotate");
    g_autoptr(QDict) found = NULL;

    rotate_set_up(rig, 0);
    wr(rig, ROT_OUT_ADDR, NOWHERE);
    rotate_go(rig, ROT_COPY);
    found = media_evidence(rig);
    g_assert_cmpstr(qdict_get_str(last(found), "status"), ==, "bus-error");
    g_assert_false(qlist_empty(qdict_get_qlist(last(found), "violations")));
    rig_stop(rig);
}

/* A picture whose lines lie apart: each is a range of its own, both ways */
static void tall_set_up(Rig *rig, unsigned height)
{
    const uint32_t size = (height - 1) << 16 | (WIDTH - 1);

    rotate_set_up(rig, 0);
    wr(rig, ROT_IN_SIZE, size);
    wr(rig, ROT_OUT_SIZE, size);
    wr(rig, ROT_IN_PITCH, WIDTH * 8);
    wr(rig, ROT_OUT_PITCH, WIDTH * 8);
}

static void assert_lines(QDict *operation, const char *side, unsigned lines,
                         unsigned dropped)
{
    QDict *found = qdict_get_qdict(operation, side);

    g_assert_cmpuint(qlist_size(qdict_get_qlist(found, "ranges")), ==, lines);
    g_assert_cmpint(qdict_get_int(found, "ranges-dropped"), ==, dropped);
}

/* 64 pictures of 256 lines, read and written, are all that fit in 32768 */
static void test_evidence_total_bounded(void)
{
    const unsigned lines = 256, pictures = 72, whole = 64;
    Rig *rig = start("sun8i-rotate");
    g_autoptr(QDict) found = NULL;
    QListEntry *entry;
    unsigned nth = 0;

    tall_set_up(rig, lines);
    for (unsigned i = 0; i < pictures; i++) {
        rotate_go(rig, ROT_COPY);
        wr(rig, ROT_INT, 1);
    }
    found = media_evidence(rig);
    g_assert_cmpint(qdict_get_int(found, "ops-cut"), ==, pictures - whole);
    QLIST_FOREACH_ENTRY(qdict_get_qlist(found, "ops"), entry) {
        QDict *operation = qobject_to(QDict, qlist_entry_obj(entry));
        bool cut = nth++ < pictures - whole;

        g_assert_true(qdict_get_bool(operation, "cut") == cut);
        assert_lines(operation, "read", cut ? 0 : lines, cut ? lines : 0);
        assert_lines(operation, "written", cut ? 0 : lines, cut ? lines : 0);
    }
    g_assert_cmpuint(nth, ==, pictures);
    rig_stop(rig);
}

typedef struct BadRegister {
    const char *name;
    uint32_t offset;
    uint32_t value;
} BadRegister;

static const BadRegister bad_rotations[] = {
    { "format", ROT_IN_FMT, FORMAT_YUYV },
    { "too-small", ROT_IN_SIZE, (HEIGHT - 1) << 16 | 3 },
    { "too-large", ROT_IN_SIZE, 0xffffffff },
    { "output-size", ROT_OUT_SIZE, 7 << 16 | 7 },
    { "input-pitch", ROT_IN_PITCH, WIDTH * 4 - 16 },
    { "pitch-unaligned", ROT_OUT_PITCH, WIDTH * 4 + 4 },
};

static void test_rotate_refuses(const void *opaque)
{
    const BadRegister *bad = opaque;
    Rig *rig = start("sun8i-rotate");

    rotate_set_up(rig, 0);
    wr(rig, bad->offset, bad->value);
    rotate_go(rig, ROT_COPY);
    assert_status(rig, "bad-config");
    g_assert_cmpint(guest_errors(rig), ==, 1);
    rig_stop(rig);
}

/* Each plane has a pitch; the input's third one is not used */
static const BadRegister bad_chroma[] = {
    { "none", ROT_IN_PITCH + 8, 0 },
    { "input-chroma-pitch", ROT_IN_PITCH + 4, 0 },
    { "chroma-pitch", ROT_OUT_PITCH + 4, 0 },
    { "chroma-pitch-unaligned", ROT_OUT_PITCH + 8, WIDTH + 8 },
};

static void test_rotate_refuses_chroma(const void *opaque)
{
    const BadRegister *bad = opaque;
    Rig *rig = start("sun8i-rotate");

    nv12_set_up(rig);
    wr(rig, bad->offset, bad->value);
    rotate_go(rig, ROT_COPY);
    assert_status(rig, bad == bad_chroma ? "ok" : "bad-config");
    rig_stop(rig);
}

static void test_rotate_refuses_mode(void)
{
    Rig *rig = start("sun8i-rotate");

    rotate_set_up(rig, 0);
    rotate_go(rig, 2);
    assert_status(rig, "bad-config");
    rig_stop(rig);
}

static void test_rotate_refuses_odd_chroma(void)
{
    Rig *rig = start("sun8i-rotate");

    rotate_set_up(rig, 0);
    wr(rig, ROT_IN_FMT, FORMAT_NV12);
    wr(rig, ROT_IN_SIZE, (HEIGHT - 1) << 16 | (WIDTH - 2));
    rotate_go(rig, ROT_COPY);
    assert_status(rig, "bad-config");
    rig_stop(rig);
}

static void test_rotate_refuses_accesses(void)
{
    Rig *rig = start("sun8i-rotate");

    wr(rig, ROT_IN_FMT, 1);             /* held in reset */
    g_assert_cmphex(rd(rig, ROT_IN_FMT), ==, 0);
    g_assert_cmphex(rd(rig, 0x60), ==, 0);
    wr(rig, 0x60, 1);
    g_assert_cmpint(guest_errors(rig), ==, 3);
    rotate_set_up(rig, 0);
    wr(rig, ROT_CTL, ROT_COPY | ROT_START);
    wr(rig, ROT_IN_ADDR, 0);            /* busy */
    g_assert_cmphex(rd(rig, ROT_IN_ADDR), ==, IN_AT);
    g_assert_cmpint(guest_errors(rig), ==, 4);
    wr(rig, ROT_RESET_LINE, 0);
    qtest_clock_step(rig->qts, MS);
    g_assert_cmpint(operations(rig), ==, 0);
    rig_stop(rig);
}

static void test_rotate_migrates(void)
{
    Rig *rig = start("sun8i-rotate");

    memory_pattern(rig, IN_AT, WIDTH * HEIGHT * 4, 4);
    rotate_set_up(rig, 0);
    wr(rig, ROT_CTL, ROT_COPY | ROT_START);
    rig_migrate(rig);
    qtest_clock_step(rig->qts, MS);
    g_assert_cmphex(rd(rig, ROT_INT) & 1, ==, 1);
    g_assert_cmphex(qtest_readl(rig->qts, OUT_AT), ==,
                    qtest_readl(rig->qts, IN_AT));
    rig_stop(rig);
}

static void test_faults(void)
{
    Rig *rig = start("sun8i-rotate");
    uint8_t first;

    memory_pattern(rig, IN_AT, WIDTH * HEIGHT * 4, 5);
    first = qtest_readb(rig->qts, IN_AT);
    rotate_set_up(rig, 0);
    inject_media(rig, "corrupt");
    rotate_go(rig, ROT_COPY);
    g_assert_cmphex(qtest_readb(rig->qts, OUT_AT), ==, (uint8_t)~first);
    inject_media(rig, "wrong-line");
    rotate_go(rig, ROT_COPY);
    g_assert_cmphex(qtest_readl(rig->qts, OUT_AT), ==,
                    qtest_readl(rig->qts, IN_AT + WIDTH * 4));
    inject_media(rig, "stale");
    qtest_writel(rig->qts, OUT_AT, 0);
    rotate_go(rig, ROT_COPY);
    g_assert_cmphex(qtest_readl(rig->qts, OUT_AT), ==, 0);
    /* each was ordered once */
    rotate_go(rig, ROT_COPY);
    g_assert_cmphex(qtest_readb(rig->qts, OUT_AT), ==, first);
    rig_stop(rig);
}

/* The engines' "at" is taken, and means nothing */
static void test_inject_at(void)
{
    Rig *rig = start("sun8i-rotate");
    g_autoptr(QDict) reply = NULL;
    QDict *inject;

    qtest_qmp_assert_success(rig->qts,
        "{'execute':'qom-set','arguments':{'path':%s,'property':'inject',"
        "'value':{'fault':'stale','at':5,'count':2}}}", MEDIA_PATH);
    reply = qtest_qmp(rig->qts,
        "{'execute':'qom-get','arguments':{'path':%s,'property':'inject'}}",
        MEDIA_PATH);
    inject = qdict_get_qdict(reply, "return");
    g_assert_cmpstr(qdict_get_str(inject, "fault"), ==, "stale");
    g_assert_cmpint(qdict_get_int(inject, "at"), ==, 0);
    g_assert_cmpint(qdict_get_int(inject, "count"), ==, 2);
    rig_stop(rig);
}

static void assert_inject_refused(Rig *rig, const char *value)
{
    g_autofree char *command = g_strdup_printf(
        "{'execute':'qom-set','arguments':{'path':'" MEDIA_PATH "',"
        "'property':'inject','value':%s}}", value);
    g_autoptr(QDict) reply = qtest_qmp(rig->qts, command, NULL);

    g_assert_true(qdict_haskey(reply, "error"));
}

static void test_bad_inject(void)
{
    Rig *rig = start("sun8i-rotate");

    assert_inject_refused(rig, "{'fault':'lost'}");
    assert_inject_refused(rig, "{'count':1}");
    assert_inject_refused(rig, "{'fault':'stale','when':1}");
    assert_inject_refused(rig, "{'fault':'stale','count':'all'}");
    rig_stop(rig);
}

/* A block's registers are a child with its name: no other child has that */
static void test_name_of_a_child(void)
{
    g_autofree char *device = g_strdup_printf(
        "-device '{\"driver\":\"sun8i-rotate\",\"id\":\"sysbus-irq\","
        "\"mmio-base\":%llu,\"spi\":70}'", MEDIA_BASE);
    Rig *rig = rig_start_beside("", device);

    rotate_set_up(rig, 0);
    rotate_go(rig, ROT_COPY);
    rig_stop(rig);
}

/* What the host ordered is there after a migration, too */
static void test_fault_migrates(void)
{
    Rig *rig = start("sun8i-rotate");
    uint8_t first;

    memory_pattern(rig, IN_AT, WIDTH * HEIGHT * 4, 5);
    first = qtest_readb(rig->qts, IN_AT);
    rotate_set_up(rig, 0);
    inject_media(rig, "corrupt");
    rig_migrate(rig);
    rotate_go(rig, ROT_COPY);
    g_assert_cmphex(qtest_readb(rig->qts, OUT_AT), ==, (uint8_t)~first);
    rig_stop(rig);
}

typedef struct BadBlock {
    const char *name;
    const char *properties;
    const char *message;
} BadBlock;

#define PLACE "'mmio-base':942669824,'spi':70"

static const BadBlock bad_blocks[] = {
    { "no-base", "'spi':70", "mmio-base: must be given" },
    { "base-unaligned", "'mmio-base':942669825,'spi':70",
      "mmio-base: 0x38300001 is no multiple of 0x1000" },
    { "no-spi", "'mmio-base':942669824", "spi: must be given" },
    { "spi-taken", "'mmio-base':942669824,'spi':71",
      "spi: SPI 71 is already in use" },
    { "addr-bits", PLACE ",'addr-bits':65",
      "addr-bits: 65 is out of range; allowed are 24...64" },
    { "ranges-no-triple", PLACE ",'dma-ranges':[0,0,4096,0]",
      "dma-ranges: 4 numbers are not triples" },
    { "ranges-empty", PLACE ",'dma-ranges':[0,0,0]",
      "dma-ranges: window 0 has size 0" },
    { "ranges-overlap", PLACE ",'dma-ranges':[0,0,8192,4096,65536,1]",
      "dma-ranges: windows 0 and 1 overlap" },
    { "iommu-and-dma", PLACE ",'iommu':'mmu',"
      "'dma':'/machine/unattached/system[0]'",
      "iommu: not together with dma" },
};

static void test_bad_block(const void *opaque)
{
    const BadBlock *bad = opaque;
    g_autofree char *block = g_strdup_printf(
        "{'driver':'sun8i-rotate',%s}",
        bad->properties);
    const char *const devices[] = {
        "{'driver':'dmabed-rk-iommu','id':'mmu','mmio-base':942735360,"
        "'spi':71}", block, NULL,
    };

    assert_no_start("dmabed-soc", devices, bad->message);
}

/* ---- the display ---- */

static void display_set_up(Rig *rig, uint32_t word)
{
    wr(rig, LCD_CTRL + CLEAR, LCD_RESET);
    wr(rig, LCD_COUNT, HEIGHT << 16 | WIDTH);
    wr(rig, LCD_CUR, IN_AT);
    wr(rig, LCD_NEXT, IN_AT);
    wr(rig, LCD_CTRL, word);
    wr(rig, LCD_CTRL + SET, LCD_DOTCLK | LCD_RUN);
}

/* CRC-32 of IEEE 802.3, bit by bit */
static uint32_t crc_of(Rig *rig, uint64_t address, size_t size)
{
    g_autofree uint8_t *data = g_malloc(size);
    uint32_t crc = UINT32_MAX;

    qtest_memread(rig->qts, address, data, size);
    for (size_t i = 0; i < 8 * size; i++) {
        bool bit = (crc ^ data[i / 8] >> (i % 8)) & 1;

        crc = crc >> 1 ^ (bit ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void test_display_fetches(void)
{
    Rig *rig = start("imx28-lcdif");
    size_t size = WIDTH * HEIGHT * 4;

    memory_pattern(rig, IN_AT, size, 1);
    memory_pattern(rig, OUT_AT, size, 2);
    display_set_up(rig, LCD_WORD_24);
    qtest_clock_step(rig->qts, 17 * MS);
    g_assert_cmphex(rd(rig, LCD_CRC), ==, crc_of(rig, IN_AT, size));
    g_assert_true(rd(rig, LCD_CTRL1) & LCD_DONE);
    wr(rig, LCD_CTRL1 + CLEAR, LCD_DONE);
    /* the next address is taken at the blank, not before */
    wr(rig, LCD_NEXT, OUT_AT);
    g_assert_cmphex(rd(rig, LCD_CUR), ==, IN_AT);
    qtest_clock_step(rig->qts, 17 * MS);
    g_assert_cmphex(rd(rig, LCD_CUR), ==, OUT_AT);
    g_assert_cmphex(rd(rig, LCD_CRC), ==, crc_of(rig, OUT_AT, size));
    /* a frame that is shown again is no news */
    qtest_clock_step(rig->qts, 50 * MS);
    g_assert_cmpint(operations(rig), ==, 2);
    rig_stop(rig);
}

/* As many bytes of the same kind, and another picture */
static void test_display_takes_mode(void)
{
    Rig *rig = start("imx28-lcdif");
    g_autoptr(QDict) found = NULL;
    QDict *figures;

    display_set_up(rig, LCD_WORD_24);
    qtest_clock_step(rig->qts, 17 * MS);
    wr(rig, LCD_COUNT, WIDTH << 16 | HEIGHT);
    qtest_clock_step(rig->qts, 17 * MS);
    g_assert_cmpint(operations(rig), ==, 2);
    found = media_evidence(rig);
    figures = qdict_get_qdict(last(found), "figures");
    g_assert_cmpint(qdict_get_int(figures, "width"), ==, HEIGHT);
    rig_stop(rig);
}

/* A black frame, and then the zeros of a frame that is not there any more */
static void test_display_tells_black_from_nothing(void)
{
    Rig *rig = start_behind_iommu("imx28-lcdif");

    display_set_up(rig, LCD_WORD_24);
    qtest_clock_step(rig->qts, 17 * MS);
    assert_status(rig, "ok");
    /* paging on, and a directory without entries */
    qtest_writel(rig->qts, MMU_BASE, OUT_AT);
    qtest_writel(rig->qts, MMU_BASE + 8, 0);
    qtest_clock_step(rig->qts, 17 * MS);
    g_assert_cmpint(operations(rig), ==, 2);
    assert_status(rig, "bus-error");
    rig_stop(rig);
}

/* A digest is of what was fetched, the CRC of what came out of that */
static void test_display_faults(void)
{
    Rig *rig = start("imx28-lcdif");
    size_t size = WIDTH * HEIGHT * 4;
    g_autofree uint8_t *data = g_malloc(size);
    g_autoptr(QDict) found = NULL;
    QDict *read;

    memory_pattern(rig, IN_AT, size, 1);
    qtest_memread(rig->qts, IN_AT, data, size);
    display_set_up(rig, LCD_WORD_24);
    inject_media(rig, "corrupt");
    qtest_clock_step(rig->qts, 17 * MS);
    found = media_evidence(rig);
    read = qdict_get_qdict(last(found), "read");
    assert_sha_of(qdict_get_str(read, "sha256"), data, size);
    g_assert_cmphex(rd(rig, LCD_CRC), !=, crc_of(rig, IN_AT, size));
    /* it was ordered once: the right picture is news again */
    qtest_clock_step(rig->qts, 17 * MS);
    g_assert_cmphex(rd(rig, LCD_CRC), ==, crc_of(rig, IN_AT, size));
    g_assert_cmpint(operations(rig), ==, 2);
    inject_media(rig, "stale");
    wr(rig, LCD_NEXT, OUT_AT);
    qtest_clock_step(rig->qts, 17 * MS);
    g_assert_cmphex(rd(rig, LCD_CUR), ==, IN_AT);
    g_assert_cmpint(operations(rig), ==, 2);
    rig_stop(rig);
}

static void test_display_stops(void)
{
    Rig *rig = start("imx28-lcdif");

    display_set_up(rig, LCD_WORD_16);
    wr(rig, LCD_CTRL + CLEAR, LCD_DOTCLK);
    g_assert_false(rd(rig, LCD_CTRL) & LCD_RUN);
    qtest_clock_step(rig->qts, 50 * MS);
    g_assert_cmpint(operations(rig), ==, 0);
    wr(rig, LCD_CTRL + TOGGLE, LCD_RESET & (1u << 31));
    g_assert_cmphex(rd(rig, LCD_CTRL) & LCD_RESET, ==, LCD_RESET);
    rig_stop(rig);
}

static void test_display_bus_error(void)
{
    Rig *rig = start("imx28-lcdif");

    display_set_up(rig, LCD_WORD_16);
    wr(rig, LCD_NEXT, NOWHERE);
    qtest_clock_step(rig->qts, 17 * MS);
    assert_status(rig, "bus-error");
    rig_stop(rig);
}

static void test_display_refuses(void)
{
    Rig *rig = start("imx28-lcdif");

    g_assert_cmphex(rd(rig, 0x200), ==, 0);
    wr(rig, 0x200, 1);
    wr(rig, LCD_CRC, 1);
    g_assert_cmphex(rd(rig, LCD_CRC), ==, 0);
    g_assert_cmpint(guest_errors(rig), ==, 3);
    display_set_up(rig, LCD_WORD_8);
    qtest_clock_step(rig->qts, 17 * MS);
    g_assert_cmpint(guest_errors(rig), ==, 4);
    wr(rig, LCD_CTRL, LCD_WORD_24 | LCD_DOTCLK | LCD_RUN);
    wr(rig, LCD_COUNT, 0);
    qtest_clock_step(rig->qts, 17 * MS);
    g_assert_cmpint(guest_errors(rig), ==, 5);
    wr(rig, LCD_COUNT, 0xffffffff);
    qtest_clock_step(rig->qts, 17 * MS);
    g_assert_cmpint(guest_errors(rig), ==, 6);
    g_assert_cmpint(operations(rig), ==, 0);
    rig_stop(rig);
}

/* ---- the camera ---- */

static void write_list(Rig *rig, unsigned index, uint64_t bus, uint64_t length)
{
    qtest_writeq(rig->qts, SRC_LIST_AT + 16 * index, bus);
    qtest_writeq(rig->qts, SRC_LIST_AT + 16 * index + 8, length);
}

/* Two segments, the second one first in memory */
static void camera_set_up(Rig *rig)
{
    write_list(rig, 0, IN_AT + 0x1000, WIDTH * 4);
    write_list(rig, 1, IN_AT, 0x1000);
    wr(rig, CAP_SIZE, HEIGHT << 16 | WIDTH);
    wr(rig, CAP_PITCH, WIDTH * 4);
    wr(rig, CAP_SEED, 3);
    wr(rig, CAP_LIST, SRC_LIST_AT);
    wr(rig, CAP_COUNT, 2);
    wr(rig, CAP_CTRL, 1);
}

static void camera_go(Rig *rig, uint32_t status)
{
    wr(rig, CAP_START, 1);
    qtest_clock_step(rig->qts, 2 * MS);
    g_assert_cmphex(rd(rig, CAP_INT), ==, status);
    wr(rig, CAP_INT, status);
    g_assert_cmphex(rd(rig, CAP_INT), ==, 0);
}

/* The square covers a picture as small as these: all of it is white */
static void test_camera_scatters(void)
{
    Rig *rig = start("dmabed-capture");
    g_autoptr(QDict) found = NULL;

    g_assert_cmphex(rd(rig, CAP_ID), ==, 0x50414344);
    camera_set_up(rig);
    camera_go(rig, CAP_DONE);
    g_assert_cmphex(qtest_readl(rig->qts, IN_AT + 0x1000), ==, 0xffffffff);
    g_assert_cmphex(qtest_readl(rig->qts, IN_AT + WIDTH * 4 * 6), ==,
                    0xffffffff);
    g_assert_cmpint(rd(rig, CAP_FRAME), ==, 1);
    found = media_evidence(rig);
    g_assert_cmpint(qdict_get_int(qdict_get_qdict(last(found), "written"),
                                  "bytes"), ==, WIDTH * HEIGHT * 4);
    rig_stop(rig);
}

/* Beyond the square: x 40, y 0 of seed 3, and the same in 16 bits */
static void test_camera_paints(void)
{
    Rig *rig = start("dmabed-capture");

    camera_set_up(rig);
    wr(rig, CAP_SIZE, 8 << 16 | 48);
    wr(rig, CAP_PITCH, 48 * 4);
    write_list(rig, 0, IN_AT, 0x1000);
    camera_go(rig, CAP_DONE);
    g_assert_cmphex(qtest_readl(rig->qts, IN_AT + 40 * 4), ==,
                    0xff000000 | 40 << 16 | 48 << 8 | (40 ^ 3));
    wr(rig, CAP_CTRL, 0);
    g_assert_cmpint(rd(rig, CAP_FRAME), ==, 0);
    wr(rig, CAP_CTRL, 1);
    wr(rig, CAP_FORMAT, 1);
    wr(rig, CAP_PITCH, 48 * 2);
    camera_go(rig, CAP_DONE);
    g_assert_cmphex(qtest_readw(rig->qts, IN_AT + 40 * 2), ==,
                    (40 >> 3) << 11 | (48 >> 2) << 5 | (40 ^ 3) >> 3);
    rig_stop(rig);
}

static const BadRegister bad_captures[] = {
    { "format", CAP_FORMAT, 2 },
    { "no-size", CAP_SIZE, 0 },
    { "too-large", CAP_SIZE, 0xffffffff },
    { "pitch-short", CAP_PITCH, WIDTH * 4 - 1 },
    { "pitch-large", CAP_PITCH, 0xffffffff },
    { "no-list", CAP_COUNT, 0 },
    { "list-long", CAP_COUNT, 4097 },
    { "list-short", CAP_COUNT, 1 },
    { "list-nowhere", CAP_LIST, 0 },
};

static void test_camera_refuses(const void *opaque)
{
    const BadRegister *bad = opaque;
    Rig *rig = start("dmabed-capture");

    camera_set_up(rig);
    wr(rig, bad->offset, bad->value);
    camera_go(rig, CAP_ERROR);
    assert_status(rig, "bad-config");
    g_assert_cmpint(guest_errors(rig), ==, 1);
    /* where the first segment is: nothing was moved */
    g_assert_cmphex(qtest_readl(rig->qts, IN_AT + 0x1000), ==, 0);
    rig_stop(rig);
}

static void test_camera_bus_error(void)
{
    Rig *rig = start("dmabed-capture");

    camera_set_up(rig);
    write_list(rig, 1, NOWHERE, 0x1000);
    camera_go(rig, CAP_ERROR);
    assert_status(rig, "bus-error");
    rig_stop(rig);
}

static void test_camera_refuses_accesses(void)
{
    Rig *rig = start("dmabed-capture");

    wr(rig, CAP_START, 1);              /* disabled */
    wr(rig, CAP_ID, 1);
    g_assert_cmphex(rd(rig, 0x40), ==, 0);
    g_assert_cmpint(guest_errors(rig), ==, 3);
    camera_set_up(rig);
    wr(rig, CAP_START, 1);
    wr(rig, CAP_START, 1);              /* armed */
    g_assert_cmpint(guest_errors(rig), ==, 4);
    rig_stop(rig);
}

static void test_camera_migrates(void)
{
    Rig *rig = start("dmabed-capture");

    camera_set_up(rig);
    wr(rig, CAP_START, 1);
    rig_migrate(rig);
    qtest_clock_step(rig->qts, 2 * MS);
    g_assert_cmphex(rd(rig, CAP_INT), ==, CAP_DONE);
    rig_stop(rig);
}

static void test_display_migrates(void)
{
    Rig *rig = start("imx28-lcdif");

    memory_pattern(rig, IN_AT, WIDTH * HEIGHT * 4, 6);
    display_set_up(rig, LCD_WORD_24);
    rig_migrate(rig);
    qtest_clock_step(rig->qts, 17 * MS);
    g_assert_cmphex(rd(rig, LCD_CRC), ==,
                    crc_of(rig, IN_AT, WIDTH * HEIGHT * 4));
    rig_stop(rig);
}

static void add_bad(const char *block, const BadRegister *bad, size_t count,
                    GTestDataFunc run)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *path = g_strdup_printf("/dmabed/media/%s/refuses/%s",
                                                block, bad[i].name);

        qtest_add_data_func(path, &bad[i], run);
    }
}

void add_media_tests(void)
{
    qtest_add_func("/dmabed/media/rotate/turns", test_rotate_turns);
    qtest_add_func("/dmabed/media/rotate/flips", test_rotate_flips_first);
    qtest_add_func("/dmabed/media/rotate/nv12", test_rotate_splits_nv12);
    qtest_add_func("/dmabed/media/rotate/bus-error", test_rotate_bus_error);
    add_bad("rotate", bad_rotations, ARRAY_SIZE(bad_rotations),
            test_rotate_refuses);
    add_bad("rotate", bad_chroma, ARRAY_SIZE(bad_chroma),
            test_rotate_refuses_chroma);
    qtest_add_func("/dmabed/media/rotate/refuses/mode",
                   test_rotate_refuses_mode);
    qtest_add_func("/dmabed/media/rotate/refuses/odd-chroma",
                   test_rotate_refuses_odd_chroma);
    qtest_add_func("/dmabed/media/rotate/refuses/accesses",
                   test_rotate_refuses_accesses);
    qtest_add_func("/dmabed/media/rotate/migrates", test_rotate_migrates);
    qtest_add_func("/dmabed/media/evidence-total-bounded",
                   test_evidence_total_bounded);
    qtest_add_func("/dmabed/media/name-of-a-child", test_name_of_a_child);
    qtest_add_func("/dmabed/media/faults", test_faults);
    qtest_add_func("/dmabed/media/inject-at", test_inject_at);
    qtest_add_func("/dmabed/media/inject-bad", test_bad_inject);
    qtest_add_func("/dmabed/media/fault-migrates", test_fault_migrates);
    for (size_t i = 0; i < ARRAY_SIZE(bad_blocks); i++) {
        g_autofree char *path = g_strdup_printf("/dmabed/media/start/%s",
                                                bad_blocks[i].name);

        qtest_add_data_func(path, &bad_blocks[i], test_bad_block);
    }
    qtest_add_func("/dmabed/media/display/fetches", test_display_fetches);
    qtest_add_func("/dmabed/media/display/mode", test_display_takes_mode);
    qtest_add_func("/dmabed/media/display/black-or-nothing",
                   test_display_tells_black_from_nothing);
    qtest_add_func("/dmabed/media/display/faults", test_display_faults);
    qtest_add_func("/dmabed/media/display/stops", test_display_stops);
    qtest_add_func("/dmabed/media/display/bus-error", test_display_bus_error);
    qtest_add_func("/dmabed/media/display/refuses", test_display_refuses);
    qtest_add_func("/dmabed/media/display/migrates", test_display_migrates);
    qtest_add_func("/dmabed/media/camera/scatters", test_camera_scatters);
    qtest_add_func("/dmabed/media/camera/paints", test_camera_paints);
    add_bad("camera", bad_captures, ARRAY_SIZE(bad_captures),
            test_camera_refuses);
    qtest_add_func("/dmabed/media/camera/bus-error", test_camera_bus_error);
    qtest_add_func("/dmabed/media/camera/refuses/accesses",
                   test_camera_refuses_accesses);
    qtest_add_func("/dmabed/media/camera/migrates", test_camera_migrates);
}
