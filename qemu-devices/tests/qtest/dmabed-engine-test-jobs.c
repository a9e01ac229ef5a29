/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtests of the dmabed DMA engine: operations, rejected jobs, time.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "dmabed-engine-util.h"

static const Job fill = {
    .op = DMABED_OP_FILL, .flags = DMABED_JOB_FLAG_IRQ, .cookie = 0x1234,
    .seed = 42, .length = 1000, .num_dst = 1, .dst = { { DATA_AT, 4096 } },
};

static const Job digest = {
    .op = DMABED_OP_DIGEST, .length = 5000, .num_src = 2,
    .src = { { DATA_AT + 8192, 4096 }, { DATA_AT, 4096 } },
};

static const Job copy = {
    .op = DMABED_OP_COPY, .length = 8192, .num_src = 1, .num_dst = 2,
    .src = { { DATA_AT, 8192 } },
    .dst = { { OTHER_AT + 65536, 100 }, { OTHER_AT, 8092 } },
};

static const Job compare = {
    .op = DMABED_OP_COMPARE, .length = 200000, .num_src = 1, .num_dst = 1,
    .src = { { DATA_AT, 200000 } }, .dst = { { OTHER_AT, 200000 } },
};

static Rig *enabled_rig(const char *properties)
{
    Rig *rig = rig_start(properties);

    rig_enable(rig);
    return rig;
}

/* ---- operations ---- */

/* Known answer: the first output of SplitMix64 with seed 0 */
static void test_pattern(void)
{
    uint8_t data[8];

    pattern(data, sizeof(data), 0, 0);
    g_assert_cmphex(ldq_le_p(data), ==, 0xe220a8397b1dcdafULL);
}

static void test_fill(void)
{
    Rig *rig = enabled_rig("");
    uint8_t expected[1001] = "";
    Completion comp;

    comp = job_run(rig, &fill);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    g_assert_cmphex(comp.cookie, ==, 0x1234);
    g_assert_cmpuint(comp.bytes, ==, 1000);
    g_assert_cmpuint(comp.violations, ==, 0);
    g_assert_cmphex(comp.mismatch, ==, UINT64_MAX);
    pattern(expected, 1000, 42, 0);
    assert_sha_of(comp.sha256, expected, 1000);
    /* and not a byte behind LENGTH, though the segment goes on */
    assert_memory(rig, DATA_AT, expected, 1001);
    rig_stop(rig);
}

static void test_fill_offset(void)
{
    Rig *rig = enabled_rig("");
    uint8_t expected[1000];
    Job job = fill;

    job.pattern_offset = 123;
    assert_sha_of(job_run(rig, &job).sha256,
                  (pattern(expected, 1000, 42, 123), expected), 1000);
    assert_memory(rig, DATA_AT, expected, 1000);
    rig_stop(rig);
}

static void test_digest(void)
{
    Rig *rig = enabled_rig("");
    uint8_t expected[5000];
    Completion comp;

    memory_pattern(rig, DATA_AT + 8192, 4096, 1);
    memory_pattern(rig, DATA_AT, 4096, 2);
    pattern(expected, 4096, 1, 0);
    pattern(expected + 4096, 904, 2, 0);
    comp = job_run(rig, &digest);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    g_assert_cmpuint(comp.bytes, ==, 5000);
    assert_sha_of(comp.sha256, expected, 5000);
    rig_stop(rig);
}

static void test_copy(void)
{
    Rig *rig = enabled_rig("");
    uint8_t expected[8192];
    Completion comp;

    memory_pattern(rig, DATA_AT, 8192, 3);
    pattern(expected, 8192, 3, 0);
    comp = job_run(rig, &copy);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    assert_sha_of(comp.sha256, expected, 8192);
    assert_memory(rig, OTHER_AT + 65536, expected, 100);
    assert_memory(rig, OTHER_AT, expected + 100, 8092);
    rig_stop(rig);
}

static void test_compare_equal(void)
{
    Rig *rig = enabled_rig("");
    Completion comp;

    memory_pattern(rig, DATA_AT, 200000, 4);
    memory_pattern(rig, OTHER_AT, 200000, 4);
    comp = job_run(rig, &compare);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    g_assert_cmphex(comp.mismatch, ==, UINT64_MAX);
    g_assert_cmpuint(comp.bytes, ==, 200000);
    rig_stop(rig);
}

/* The first difference is told, and the digest is of all of src */
static void test_compare_differs(void)
{
    Rig *rig = enabled_rig("");
    g_autofree uint8_t *expected = g_malloc(200000);
    Completion comp;

    memory_pattern(rig, DATA_AT, 200000, 4);
    memory_pattern(rig, OTHER_AT, 200000, 4);
    pattern(expected, 200000, 4, 0);
    qtest_writeb(rig->qts, OTHER_AT + 150001, ~expected[150001]);
    qtest_writeb(rig->qts, OTHER_AT + 150009, ~expected[150009]);
    comp = job_run(rig, &compare);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_MISMATCH_FOUND);
    g_assert_cmpuint(comp.mismatch, ==, 150001);
    g_assert_cmpuint(comp.bytes, ==, 200000);
    assert_sha_of(comp.sha256, expected, 200000);
    rig_stop(rig);
}

/* Longer than a slice of one timer callback */
static void test_large(void)
{
    const size_t size = 3 * MiB + 5;
    g_autofree uint8_t *expected = g_malloc(size);
    Rig *rig = enabled_rig("");
    Job job = fill;

    job.length = job.dst[0].length = size;
    pattern(expected, size, 42, 0);
    assert_sha_of(job_run(rig, &job).sha256, expected, size);
    assert_memory(rig, DATA_AT, expected, size);
    rig_stop(rig);
}

/* ---- rejected jobs: each must be told apart, and nothing may move ---- */

static void expect_rejected(const Job *job, uint32_t status)
{
    Rig *rig = enabled_rig("");
    Completion comp = job_run(rig, job);
    g_autoptr(QDict) dict = evidence(rig);

    g_assert_cmpuint(comp.status, ==, status);
    g_assert_cmpuint(comp.bytes, ==, 0);
    g_assert_cmpuint(qdict_get_int(dict, "guest-errors"), ==, 1);
    g_assert_cmpuint(qdict_get_int(dict, "data-accesses"), ==, 0);
    /* the ring goes on */
    g_assert_cmpuint(job_run(rig, &fill).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

static void test_bad_op(void)
{
    static const uint32_t bad[] = { 0, 5, UINT32_MAX };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        Job job = fill;

        job.op = bad[i];
        expect_rejected(&job, DMABED_COMP_BAD_OP);
    }
}

static void test_bad_flags(void)
{
    Job job = fill;

    job.flags = 2;
    expect_rejected(&job, DMABED_COMP_BAD_OP);
}

static void test_bad_length(void)
{
    static const uint64_t bad[] = {
        0, DMABED_JOB_MAX_LENGTH + 1ULL, UINT64_MAX
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        Job job = fill;

        job.length = bad[i];
        expect_rejected(&job, DMABED_COMP_BAD_LENGTH);
    }
}

static void test_list_too_short(void)
{
    Job src = copy, dst = copy;

    src.src[0].length = 8191;
    expect_rejected(&src, DMABED_COMP_BAD_LENGTH);
    dst.dst[1].length = 8091;
    expect_rejected(&dst, DMABED_COMP_BAD_LENGTH);
}

static void test_list_missing(void)
{
    Job src = copy, dst = copy;

    src.num_src = 0;
    expect_rejected(&src, DMABED_COMP_BAD_LIST);
    dst.num_dst = 0;
    expect_rejected(&dst, DMABED_COMP_BAD_LIST);
}

static void test_list_unwanted(void)
{
    Job src = fill, dst = digest;

    src.num_src = 1;
    src.src[0] = fill.dst[0];
    expect_rejected(&src, DMABED_COMP_BAD_LIST);
    dst.num_dst = 1;
    dst.dst[0] = fill.dst[0];
    expect_rejected(&dst, DMABED_COMP_BAD_LIST);
}

static void test_segment_empty(void)
{
    Job job = copy;

    job.dst[0].length = 0;
    job.dst[1].length = 8192;
    expect_rejected(&job, DMABED_COMP_BAD_LIST);
}

/* The list itself lies where nobody answers: in front of RAM's end */
static void test_list_unreadable(void)
{
    Rig *rig = enabled_rig("");
    uint64_t list = RAM_BASE + RAM_SIZE - DMABED_SEGMENT_SIZE;
    Job job = fill;
    unsigned index = job_write(rig, &job);
    uint64_t at = RING_AT + index * DMABED_JOB_SIZE;

    qtest_writeq(rig->qts, list, DATA_AT);
    qtest_writeq(rig->qts, list + 8, 4096);
    qtest_writeq(rig->qts, at + DMABED_JOB_DST_LIST, list);
    qtest_writel(rig->qts, at + DMABED_JOB_DST_SEGMENTS, 2);
    reg_write(rig, DMABED_REG_RING_HEAD, rig->head);
    g_assert_cmpuint(job_wait(rig, index).status, ==, DMABED_COMP_BAD_LIST);
    rig_stop(rig);
}

/* ---- hostile, but not wrong ---- */

static void test_largest_list(void)
{
    const unsigned count = DMABED_LIST_MAX_SEGMENTS;
    Rig *rig = enabled_rig("");
    g_autofree uint64_t *list = g_new(uint64_t, 2 * count);
    Job job = { .op = DMABED_OP_DIGEST, .length = count, .num_src = count };
    Completion comp;

    for (unsigned i = 0; i < count; i++) {
        list[2 * i] = cpu_to_le64(DATA_AT + 2 * i);
        list[2 * i + 1] = cpu_to_le64(1);
    }
    qtest_memwrite(rig->qts, SRC_LIST_AT, list, 2 * count * sizeof(*list));
    comp = job_run(rig, &job);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    g_assert_cmpuint(comp.bytes, ==, count);
    rig_stop(rig);
}

static void test_too_large_list(void)
{
    Rig *rig = enabled_rig("");
    Job job = { .op = DMABED_OP_DIGEST, .length = 16, .num_src = UINT32_MAX };
    g_autofree uint8_t *list = g_malloc(MiB);

    memset(list, 1, MiB);
    qtest_memwrite(rig->qts, SRC_LIST_AT, list, MiB);
    g_assert_cmpuint(job_run(rig, &job).status, ==, DMABED_COMP_SEG_COUNT);
    rig_stop(rig);
}

/* The largest job there is, thrown away in the middle */
static void test_largest_job(void)
{
    Rig *rig = enabled_rig("");
    Job job = fill;

    job.length = DMABED_JOB_MAX_LENGTH;
    job.dst[0].length = DMABED_JOB_MAX_LENGTH;
    job_submit(rig, &job);
    /* past the latency, and a few slices on */
    qtest_clock_step(rig->qts, 1005);
    g_assert_cmphex(reg_read(rig, DMABED_REG_STATUS), ==, DMABED_STATUS_BUSY);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_RESET);
    g_assert_cmphex(reg_read(rig, DMABED_REG_STATUS), ==, 0);
    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &fill).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

/* src and dst are the same bytes, shifted: any result, but an end */
static void test_overlap(void)
{
    Rig *rig = enabled_rig("");
    Job job = copy;

    job.num_dst = 1;
    job.length = job.src[0].length = job.dst[0].length = MiB;
    job.dst[0].address = DATA_AT + 100;
    memory_pattern(rig, DATA_AT, MiB, 1);
    g_assert_cmpuint(job_run(rig, &job).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

/* A job that overwrites its own descriptor, list and completion */
static void test_overwrites_ring(void)
{
    Rig *rig = enabled_rig("");
    Job job = fill;
    unsigned index;

    job.length = job.dst[0].length = DMABED_JOB_MAX_LENGTH / 32;
    job.dst[0].address = RAM_BASE;
    index = job_submit(rig, &job);
    for (int i = 0; i < 100; i++) {
        qtest_clock_step(rig->qts, 1000);
    }
    g_assert_cmphex(reg_read(rig, DMABED_REG_STATUS), ==, 0);
    g_assert_cmpuint(completion_read(rig, index).status, ==, DMABED_COMP_OK);
    g_assert_cmpuint(completion_read(rig, index).bytes, ==, job.length);
    rig_stop(rig);
}

/* The guest changes list and job after the engine has copied them */
static void test_copied_once(void)
{
    Rig *rig = enabled_rig("");
    unsigned index;
    uint8_t expected[1000];

    hold(rig, 0);
    index = job_submit(rig, &fill);
    job_does_not_end(rig, index);
    qtest_memset(rig->qts, DST_LIST_AT, 0xff, DMABED_SEGMENT_SIZE);
    qtest_memset(rig->qts, RING_AT, 0xff, DMABED_JOB_SIZE);
    release(rig);
    g_assert_cmpuint(job_wait(rig, index).status, ==, DMABED_COMP_OK);
    pattern(expected, 1000, 42, 0);
    assert_memory(rig, DATA_AT, expected, 1000);
    rig_stop(rig);
}

/* ---- anything at all ---- */

/* Near the truth often enough to get somewhere, else anything */
static uint64_t odd_value(GRand *rand)
{
    static const uint64_t plausible[] = {
        0, 1, 2, 3, 4, 8, 63, 64, 4095, 4096, 65536, 65537, RING_AT, COMP_AT,
        SRC_LIST_AT, DST_LIST_AT, DATA_AT, DATA_AT + 1, ENGINE_BASE,
        RAM_BASE + RAM_SIZE - 1, UINT32_MAX, UINT64_MAX, UINT64_MAX - 4095,
        1ULL << 32, DMABED_JOB_MAX_LENGTH,
    };
    uint64_t high = g_rand_int(rand);

    if (g_rand_int_range(rand, 0, 4)) {
        return plausible[g_rand_int_range(rand, 0, ARRAY_SIZE(plausible))];
    }
    return high << 32 | g_rand_int(rand);
}

static void odd_memory(Rig *rig, GRand *rand, uint64_t at, unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        qtest_writeq(rig->qts, at + 8 * i, odd_value(rand));
    }
}

/* A list that is read: its addresses are odd, most lengths are not */
static void odd_list(Rig *rig, GRand *rand, uint64_t at)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t entry = at + i * DMABED_SEGMENT_SIZE;
        uint64_t address = DATA_AT + g_rand_int_range(rand, 0, MiB);
        uint64_t length = g_rand_int_range(rand, 1, 200000);
        bool odd = !g_rand_int_range(rand, 0, 4);

        qtest_writeq(rig->qts, entry + DMABED_SEGMENT_ADDRESS,
                     odd ? odd_value(rand) : address);
        qtest_writeq(rig->qts, entry + DMABED_SEGMENT_LENGTH,
                     odd ? odd_value(rand) : length);
    }
}

/* A job that is well-formed more often than not, so that it is run */
static void odd_job(Rig *rig, GRand *rand, uint64_t at)
{
    uint32_t op = g_rand_int_range(rand, 1, 5);
    uint32_t segments = g_rand_int_range(rand, 1, 5);
    bool sane = g_rand_int_range(rand, 0, 4);

    odd_memory(rig, rand, at, DMABED_JOB_SIZE / 8);
    if (!sane) {
        return;
    }
    qtest_writel(rig->qts, at + DMABED_JOB_OP, op);
    qtest_writel(rig->qts, at + DMABED_JOB_FLAGS, DMABED_JOB_FLAG_IRQ);
    qtest_writeq(rig->qts, at + DMABED_JOB_LENGTH,
                 g_rand_int_range(rand, 1, 200000));
    qtest_writeq(rig->qts, at + DMABED_JOB_SRC_LIST, SRC_LIST_AT);
    qtest_writeq(rig->qts, at + DMABED_JOB_DST_LIST, DST_LIST_AT);
    qtest_writel(rig->qts, at + DMABED_JOB_SRC_SEGMENTS,
                 op == DMABED_OP_FILL ? 0 : segments);
    qtest_writel(rig->qts, at + DMABED_JOB_DST_SEGMENTS,
                 op == DMABED_OP_DIGEST ? 0 : segments);
}

static void odd_round(Rig *rig, GRand *rand)
{
    rig_enable(rig);
    odd_list(rig, rand, SRC_LIST_AT);
    odd_list(rig, rand, DST_LIST_AT);
    for (unsigned i = 0; i < RING_ENTRIES; i++) {
        odd_job(rig, rand, RING_AT + i * DMABED_JOB_SIZE);
    }
    reg_write(rig, DMABED_REG_RING_HEAD, g_rand_int_range(rand, 1, 8));
    qtest_clock_step(rig->qts, g_rand_int_range(rand, 1, 20000));
    for (unsigned i = 0; i < 10; i++) {
        reg_write(rig, g_rand_int_range(rand, 0, 0x400) * 4, odd_value(rand));
    }
    qtest_clock_step(rig->qts, g_rand_int_range(rand, 1, 20000));
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_RESET);
}

/* A driver that writes nonsense; afterwards a sane one must be served */
static void test_random(void)
{
    static const char *const properties[] = {
        "'policy':'wrap','max-segments':3,'max-segment-size':5000,"
        "'segment-boundary-mask':4095,'alignment':16,'granule':4096,"
        "'addr-bits':32",
        "'policy':'fault','max-segments':3,'bandwidth':1000000000",
        "'policy':'wrap','granule':65536,'alignment':2147483648",
    };

    for (unsigned p = 0; p < ARRAY_SIZE(properties); p++) {
        Rig *rig = rig_start(properties[p]);
        GRand *rand = g_rand_new_with_seed(p);
        Job job = digest;

        for (unsigned round = 0; round < 200; round++) {
            odd_round(rig, rand);
        }
        rig_enable(rig);
        job.cookie = 0x5a5a;
        job.num_src = 1;
        job.length = job.src[0].length = 65536;
        job.src[0].address = DATA_AT;
        g_assert_cmpuint(job_run(rig, &job).cookie, ==, job.cookie);
        g_rand_free(rand);
        rig_stop(rig);
    }
}

/* ---- time ---- */

static uint64_t job_duration(const char *properties, const Job *job)
{
    Rig *rig = enabled_rig(properties);
    g_autoptr(QDict) dict = NULL;
    QDict *record;
    uint64_t duration;

    job_run(rig, job);
    dict = evidence(rig);
    record = last_job(dict);
    duration = qdict_get_int(record, "end-ns") -
               qdict_get_int(record, "start-ns");
    rig_stop(rig);
    return duration;
}

static void test_latency(void)
{
    g_assert_cmpuint(job_duration("", &fill), ==, 1000);
    g_assert_cmpuint(job_duration("'latency-ns':77000", &fill), ==, 77000);
}

/* 128 KiB at 64 KiB a millisecond */
static void test_bandwidth(void)
{
    Job job = fill;

    job.length = job.dst[0].length = 128 * KiB;
    g_assert_cmpuint(job_duration("'latency-ns':1,'bandwidth':65536000", &job),
                     ==, 1 + 2000000);
}

void add_job_tests(void)
{
    qtest_add_func("dmabed/op/pattern", test_pattern);
    qtest_add_func("dmabed/op/fill", test_fill);
    qtest_add_func("dmabed/op/fill-offset", test_fill_offset);
    qtest_add_func("dmabed/op/digest", test_digest);
    qtest_add_func("dmabed/op/copy", test_copy);
    qtest_add_func("dmabed/op/compare-equal", test_compare_equal);
    qtest_add_func("dmabed/op/compare-differs", test_compare_differs);
    qtest_add_func("dmabed/op/large", test_large);
    qtest_add_func("dmabed/reject/op", test_bad_op);
    qtest_add_func("dmabed/reject/flags", test_bad_flags);
    qtest_add_func("dmabed/reject/length", test_bad_length);
    qtest_add_func("dmabed/reject/list-too-short", test_list_too_short);
    qtest_add_func("dmabed/reject/list-missing", test_list_missing);
    qtest_add_func("dmabed/reject/list-unwanted", test_list_unwanted);
    qtest_add_func("dmabed/reject/segment-empty", test_segment_empty);
    qtest_add_func("dmabed/reject/list-unreadable", test_list_unreadable);
    qtest_add_func("dmabed/hostile/largest-list", test_largest_list);
    qtest_add_func("dmabed/hostile/too-large-list", test_too_large_list);
    qtest_add_func("dmabed/hostile/largest-job", test_largest_job);
    qtest_add_func("dmabed/hostile/overlap", test_overlap);
    qtest_add_func("dmabed/hostile/overwrites-ring", test_overwrites_ring);
    qtest_add_func("dmabed/hostile/copied-once", test_copied_once);
    qtest_add_func("dmabed/hostile/random", test_random);
    qtest_add_func("dmabed/time/latency", test_latency);
    qtest_add_func("dmabed/time/bandwidth", test_bandwidth);
}
