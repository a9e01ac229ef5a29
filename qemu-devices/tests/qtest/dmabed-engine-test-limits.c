/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtests of the dmabed DMA engine: every limit, refused under the policy
 * fault and done as silicon does under wrap; windows and width of the bus.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "dmabed-engine-util.h"

/* One limit, a job that breaks it, and where wrap really writes */
typedef struct LimitCase {
    const char *name;
    const char *properties;
    const char *kind;
    uint32_t status;
    unsigned segment;
    Job job;
    unsigned num_written;
    Segment written[4];
} LimitCase;

#define FILL_OF(LENGTH, COUNT, ...) { \
    .op = DMABED_OP_FILL, .seed = 9, .length = (LENGTH), .num_dst = (COUNT), \
    .dst = { __VA_ARGS__ } }

static const LimitCase cases[] = {
    {
        /* entries beyond the last are not there: on behind the second */
        .name = "seg-count", .properties = "'max-segments':2",
        .kind = "seg-count", .status = DMABED_COMP_SEG_COUNT, .segment = 2,
        .job = FILL_OF(12288, 3, { DATA_AT, 4096 }, { OTHER_AT, 4096 },
                       { DATA_AT + 65536, 4096 }),
        .num_written = 2,
        .written = { { DATA_AT, 4096 }, { OTHER_AT, 8192 } },
    },
    {
        /* each segment ends at the limit; the last one runs on */
        .name = "seg-size", .properties = "'max-segment-size':4096",
        .kind = "seg-size", .status = DMABED_COMP_SEG_SIZE, .segment = 0,
        .job = FILL_OF(12288, 2, { DATA_AT, 8192 }, { OTHER_AT, 4096 }),
        .num_written = 2,
        .written = { { DATA_AT, 4096 }, { OTHER_AT, 8192 } },
    },
    {
        /* the counter wraps inside its 64 KiB */
        .name = "seg-boundary", .properties = "'segment-boundary-mask':65535",
        .kind = "seg-boundary", .status = DMABED_COMP_SEG_BOUNDARY,
        .segment = 0,
        .job = FILL_OF(8192, 1, { DATA_AT + 0xf000, 8192 }),
        .num_written = 2,
        .written = { { DATA_AT + 0xf000, 4096 }, { DATA_AT, 4096 } },
    },
    {
        /* the low bits are missing */
        .name = "alignment", .properties = "'alignment':256",
        .kind = "alignment", .status = DMABED_COMP_ALIGNMENT, .segment = 0,
        .job = FILL_OF(4096, 1, { DATA_AT + 0x1010, 4096 }),
        .num_written = 1,
        .written = { { DATA_AT + 0x1000, 4096 } },
    },
    {
        /* the rest of the last granule is touched, its bytes are kept */
        .name = "granule", .properties = "'granule':512",
        .kind = "granule", .status = DMABED_COMP_GRANULE, .segment = 0,
        .job = FILL_OF(1000, 1, { DATA_AT, 1000 }),
        .num_written = 1,
        .written = { { DATA_AT, 1024 } },
    },
    {
        /* upper lines missing: 0x1_4000_0000 is 0x4000_0000 */
        .name = "addr-width", .properties = "'addr-bits':32",
        .kind = "addr-width", .status = DMABED_COMP_ADDR_WIDTH, .segment = 0,
        .job = FILL_OF(4096, 1, { DATA_AT + 0x100000000ULL, 4096 }),
        .num_written = 1,
        .written = { { DATA_AT, 4096 } },
    },
    {
        /* no address line is missing, but the sum overflows 64 bits */
        .name = "addr-width-64", .properties = "'latency-ns':1",
        .kind = "addr-width", .status = DMABED_COMP_ADDR_WIDTH, .segment = 1,
        .job = FILL_OF(4096, 2, { DATA_AT, 4096 },
                       { UINT64_MAX - 4095, 8192 }),
        .num_written = 1,
        .written = { { DATA_AT, 4096 } },
    },
};

static Rig *limit_rig(const LimitCase *c, const char *policy)
{
    g_autofree char *properties =
        g_strdup_printf("%s,'policy':'%s'", c->properties, policy);
    Rig *rig = rig_start(properties);

    rig_enable(rig);
    return rig;
}

static void test_fault(const void *opaque)
{
    const LimitCase *c = opaque;
    Rig *rig = limit_rig(c, "fault");
    Completion comp = job_run(rig, &c->job);
    g_autoptr(QDict) dict = evidence(rig);
    QDict *job = last_job(dict);

    g_assert_cmpuint(comp.status, ==, c->status);
    g_assert_cmpuint(comp.bytes, ==, 0);
    g_assert_cmpuint(comp.violations, ==, 1);
    g_assert_cmpuint(qdict_get_int(dict, "data-accesses"), ==, 0);
    g_assert_cmpuint(qdict_get_int(dict, "guest-errors"), ==, 0);
    g_assert_cmpstr(qdict_get_str(job, "status"), ==, c->kind);
    assert_violation(job, 0, c->kind, "dst", c->segment);
    rig_stop(rig);
}

/* The bytes of the pattern are where the hardware put them */
static void assert_written(Rig *rig, const LimitCase *c)
{
    g_autofree uint8_t *expected = g_malloc(c->job.length);
    uint64_t at = 0;

    pattern(expected, c->job.length, c->job.seed, 0);
    for (unsigned i = 0; i < c->num_written; i++) {
        uint64_t size = MIN(c->written[i].length, c->job.length - at);

        assert_memory(rig, c->written[i].address, expected + at, size);
        at += size;
    }
    g_assert_cmpuint(at, ==, c->job.length);
}

static void test_wrap(const void *opaque)
{
    const LimitCase *c = opaque;
    Rig *rig = limit_rig(c, "wrap");
    Completion comp = job_run(rig, &c->job);
    g_autoptr(QDict) dict = evidence(rig);
    QDict *job = last_job(dict);

    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    g_assert_cmpuint(comp.bytes, ==, c->job.length);
    g_assert_cmpuint(comp.violations, ==, 1);
    assert_violation(job, 0, c->kind, "dst", c->segment);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(job, "written")), ==,
                     c->num_written);
    for (unsigned i = 0; i < c->num_written; i++) {
        assert_span(job, "written", i, c->written[i].address,
                    c->written[i].length);
    }
    assert_span(job, "dst", 0, c->job.dst[0].address, c->job.dst[0].length);
    assert_written(rig, c);
    rig_stop(rig);
}

/* A limit that is just kept is none that is broken */
static void test_kept(void)
{
    const Job job = FILL_OF(8192, 2, { DATA_AT + 0xf000, 4096 },
                            { DATA_AT + 0x10000, 4096 });
    Rig *rig = rig_start("'max-segments':2,'max-segment-size':4096,"
                         "'segment-boundary-mask':65535,'alignment':4096,"
                         "'granule':4096,'addr-bits':31");
    Completion comp;

    rig_enable(rig);
    comp = job_run(rig, &job);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    g_assert_cmpuint(comp.violations, ==, 0);
    rig_stop(rig);
}

/* All of a job's violations are recorded; the first one is its status */
static void test_several(void)
{
    const Job job = {
        .op = DMABED_OP_COPY, .length = 100, .num_src = 1, .num_dst = 1,
        .src = { { DATA_AT + 1, 100 } },
        .dst = { { OTHER_AT + 0x100000001ULL, 100 } },
    };
    Rig *rig = rig_start("'alignment':16,'granule':8,'addr-bits':32");
    g_autoptr(QDict) dict = NULL;
    Completion comp;

    rig_enable(rig);
    comp = job_run(rig, &job);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_ALIGNMENT);
    g_assert_cmpuint(comp.violations, ==, 5);
    dict = evidence(rig);
    assert_violation(last_job(dict), 0, "alignment", "src", 0);
    assert_violation(last_job(dict), 1, "granule", "src", 0);
    assert_violation(last_job(dict), 2, "alignment", "dst", 0);
    assert_violation(last_job(dict), 3, "granule", "dst", 0);
    assert_violation(last_job(dict), 4, "addr-width", "dst", 0);
    rig_stop(rig);
}

/* The rest of the granule is read and written back as it is */
static void test_granule_keeps_bytes(void)
{
    const Job job = FILL_OF(1000, 1, { DATA_AT, 1000 });
    Rig *rig = rig_start("'granule':512,'policy':'wrap'");
    uint8_t before[24];

    memory_pattern(rig, DATA_AT + 1000, sizeof(before), 5);
    pattern(before, sizeof(before), 5, 0);
    rig_enable(rig);
    job_run(rig, &job);
    assert_memory(rig, DATA_AT + 1000, before, sizeof(before));
    rig_stop(rig);
}

/* ---- windows ---- */

/*
 * Two windows: bus 0x0 leads to DATA_AT, bus 0x80000000 to all of RAM, where
 * ring and lists are.
 */
#define TWO_WINDOWS \
    "'dma-ranges':[0,1090519040,65536,2147483648,1073741824,134217728]"
#define BUS_OF(CPU) ((CPU) - RAM_BASE + 0x80000000ULL)

static Rig *window_rig(void)
{
    Rig *rig = rig_start(TWO_WINDOWS);

    reg_write(rig, DMABED_REG_RING_BASE_LO, BUS_OF(RING_AT));
    reg_write(rig, DMABED_REG_COMP_BASE_LO, BUS_OF(COMP_AT));
    reg_write(rig, DMABED_REG_RING_ENTRIES, RING_ENTRIES);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_ENABLE);
    return rig;
}

static Completion window_run(Rig *rig, const Job *job)
{
    unsigned index = job_write(rig, job);
    uint64_t at = RING_AT + index * DMABED_JOB_SIZE;

    qtest_writeq(rig->qts, at + DMABED_JOB_SRC_LIST, BUS_OF(SRC_LIST_AT));
    qtest_writeq(rig->qts, at + DMABED_JOB_DST_LIST, BUS_OF(DST_LIST_AT));
    reg_write(rig, DMABED_REG_RING_HEAD, rig->head);
    return job_wait(rig, index);
}

static void test_windows(void)
{
    const Job job = FILL_OF(8192, 2, { 0x1000, 4096 },
                            { BUS_OF(OTHER_AT), 4096 });
    Rig *rig = window_rig();
    uint8_t expected[8192];

    g_assert_cmpuint(window_run(rig, &job).status, ==, DMABED_COMP_OK);
    pattern(expected, sizeof(expected), 9, 0);
    assert_memory(rig, DATA_AT + 0x1000, expected, 4096);
    assert_memory(rig, OTHER_AT, expected + 4096, 4096);
    rig_stop(rig);
}

/* Half of the segment is in the window: that half is moved, no more */
static void test_window_ends(void)
{
    const Job job = FILL_OF(8192, 1, { 0xf000, 8192 });
    Rig *rig = window_rig();
    uint8_t expected[4097] = "";
    Completion comp = window_run(rig, &job);
    g_autoptr(QDict) dict = evidence(rig);

    g_assert_cmpuint(comp.status, ==, DMABED_COMP_DECODE);
    g_assert_cmpuint(comp.bytes, ==, 4096);
    g_assert_cmpuint(comp.violations, ==, 1);
    pattern(expected, 4096, 9, 0);
    assert_sha_of(comp.sha256, expected, 4096);
    assert_memory(rig, DATA_AT + 0xf000, expected, 4097);
    assert_violation(last_job(dict), 0, "decode", "dst", 0);
    assert_span(last_job(dict), "violations", 0, 0x10000, 4096);
    assert_span(last_job(dict), "written", 0, 0xf000, 4096);
    rig_stop(rig);
}

static void expect_decode(const char *properties, uint64_t address)
{
    const Job job = FILL_OF(64, 1, { address, 64 });
    Rig *rig = rig_start(properties);
    Completion comp;

    rig_enable(rig);
    comp = job_run(rig, &job);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_DECODE);
    g_assert_cmpuint(comp.bytes, ==, 0);
    rig_stop(rig);
}

static void test_nobody_answers(void)
{
    expect_decode("", 0x20000000);
    expect_decode("'policy':'wrap'", 0x20000000);
}

/* Registers answer the CPU, never the engine: its own, a UART's, the GIC's */
static void test_registers_do_not_answer(void)
{
    expect_decode("", ENGINE_BASE);
    expect_decode("", 0x09000000);
    expect_decode("", 0x08000000);
}

static void test_ring_beyond_width(void)
{
    Rig *rig = rig_start("'addr-bits':30");

    rig_enable(rig);
    job_submit(rig, &cases[0].job);
    qtest_clock_step(rig->qts, 10000);
    g_assert_cmphex(reg_read(rig, DMABED_REG_ERROR), ==,
                    DMABED_ERROR_RING_FETCH);
    rig_stop(rig);
}

void add_limit_tests(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *fault =
            g_strdup_printf("dmabed/limit/%s/fault", cases[i].name);
        g_autofree char *wrap =
            g_strdup_printf("dmabed/limit/%s/wrap", cases[i].name);

        qtest_add_data_func(fault, &cases[i], test_fault);
        qtest_add_data_func(wrap, &cases[i], test_wrap);
    }
    qtest_add_func("dmabed/limit/kept", test_kept);
    qtest_add_func("dmabed/limit/several", test_several);
    qtest_add_func("dmabed/limit/granule/keeps-bytes",
                   test_granule_keeps_bytes);
    qtest_add_func("dmabed/window/two", test_windows);
    qtest_add_func("dmabed/window/ends", test_window_ends);
    qtest_add_func("dmabed/window/nobody-answers", test_nobody_answers);
    qtest_add_func("dmabed/window/registers", test_registers_do_not_answer);
    qtest_add_func("dmabed/window/ring-beyond-width", test_ring_beyond_width);
}
