/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtests of the dmabed DMA engine: memory of its own, and that of others.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "dmabed-engine-util.h"

#define LOCAL_AT 0x50000000ULL
#define LOCAL_SIZE (128 * KiB)
#define LOCAL "'local-memory':131072,'local-base':1342177280"
#define HIDDEN LOCAL ",'local-visible':false"

/* Another engine, whose local memory is at LOCAL_AT */
#define PEER(members) \
    "-device '{\"driver\":\"dmabed-engine-sys\",\"id\":\"npu\"," \
    "\"mmio-base\":1073737728,\"spi\":65,\"local-memory\":131072," \
    "\"local-base\":1342177280" members "}'"

static const Job fill_local = {
    .op = DMABED_OP_FILL, .seed = 3, .length = LOCAL_SIZE,
    .num_dst = 1, .dst = { { LOCAL_AT, LOCAL_SIZE } },
};

static const Job copy_from_local = {
    .op = DMABED_OP_COPY, .length = LOCAL_SIZE,
    .num_src = 1, .src = { { LOCAL_AT, LOCAL_SIZE } },
    .num_dst = 1, .dst = { { DATA_AT, LOCAL_SIZE } },
};

static void assert_pattern(Rig *rig, uint64_t address, uint64_t seed)
{
    g_autofree uint8_t *expected = g_malloc(LOCAL_SIZE);

    pattern(expected, LOCAL_SIZE, seed, 0);
    assert_memory(rig, address, expected, LOCAL_SIZE);
}

static void expect_registers(const char *properties, uint64_t size,
                             uint64_t base)
{
    Rig *rig = rig_start(properties);

    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_LOCAL_SIZE_LO), ==,
                    (uint32_t)size);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_LOCAL_SIZE_HI), ==,
                    size >> 32);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_LOCAL_BASE_LO), ==,
                    (uint32_t)base);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_LOCAL_BASE_HI), ==,
                    base >> 32);
    rig_stop(rig);
}

static void test_registers(void)
{
    expect_registers("", 0, 0);
    expect_registers("'local-base':1342177280", 0, 0);
    expect_registers("'local-memory':8192,'local-base':137438957568", 8192,
                     0x2000001000);
}

static void test_visible(void)
{
    Rig *rig = rig_start(LOCAL);
    Completion comp;

    rig_enable(rig);
    comp = job_run(rig, &fill_local);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    assert_pattern(rig, LOCAL_AT, 3);
    memory_pattern(rig, LOCAL_AT, LOCAL_SIZE, 4);
    comp = job_run(rig, &copy_from_local);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    assert_pattern(rig, DATA_AT, 4);
    rig_stop(rig);
}

/* Only its engine gets there */
static void test_hidden(void)
{
    Rig *rig = rig_start(HIDDEN);
    Completion comp;

    rig_enable(rig);
    comp = job_run(rig, &fill_local);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    g_assert_cmphex(qtest_readq(rig->qts, LOCAL_AT), ==, 0);
    comp = job_run(rig, &copy_from_local);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    assert_pattern(rig, DATA_AT, 3);
    rig_stop(rig);
}

/* What a window would lead to there is out of the engine's reach */
static void test_over_window(void)
{
    /* bus 0x4f000000 to 0x52000000 leads to RAM from its base on */
    Rig *rig = rig_start(HIDDEN ",'dma-ranges':[1073741824,1073741824,16777216,"
                         "1325400064,1073741824,50331648]");
    Job job = fill_local;

    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &job).status, ==, DMABED_COMP_OK);
    g_assert_cmphex(qtest_readq(rig->qts, RAM_BASE + 0x1000000), ==, 0);
    job.dst[0].address = LOCAL_AT + LOCAL_SIZE;
    g_assert_cmpuint(job_run(rig, &job).status, ==, DMABED_COMP_OK);
    assert_pattern(rig, RAM_BASE + 0x1000000 + LOCAL_SIZE, 3);
    rig_stop(rig);
}

static void test_ends_there(void)
{
    Rig *rig = rig_start(HIDDEN);
    Job job = fill_local;
    Completion comp;

    job.length = LOCAL_SIZE + 8;
    job.dst[0].length = LOCAL_SIZE + 8;
    rig_enable(rig);
    comp = job_run(rig, &job);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_DECODE);
    g_assert_cmpuint(comp.bytes, ==, LOCAL_SIZE);
    rig_stop(rig);
}

static void test_peer(void)
{
    Rig *rig = rig_start_beside("", PEER(""));
    Completion comp;

    rig_enable(rig);
    comp = job_run(rig, &fill_local);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    assert_pattern(rig, LOCAL_AT, 3);
    comp = job_run(rig, &copy_from_local);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    assert_pattern(rig, DATA_AT, 3);
    rig_stop(rig);
}

static void test_peer_hidden(void)
{
    Rig *rig = rig_start_beside("", PEER(",\"local-visible\":false"));

    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &fill_local).status, ==, DMABED_COMP_DECODE);
    rig_stop(rig);
}

/* It is memory: neither reset wipes it out */
static void test_reset(void)
{
    Rig *rig = rig_start(LOCAL);

    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &fill_local).status, ==, DMABED_COMP_OK);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_RESET);
    qtest_system_reset(rig->qts);
    assert_pattern(rig, LOCAL_AT, 3);
    rig_stop(rig);
}

void add_local_tests(void)
{
    qtest_add_func("dmabed/local/registers", test_registers);
    qtest_add_func("dmabed/local/visible", test_visible);
    qtest_add_func("dmabed/local/hidden", test_hidden);
    qtest_add_func("dmabed/local/over-window", test_over_window);
    qtest_add_func("dmabed/local/ends-there", test_ends_there);
    qtest_add_func("dmabed/local/peer", test_peer);
    qtest_add_func("dmabed/local/peer-hidden", test_peer_hidden);
    qtest_add_func("dmabed/local/reset", test_reset);
}
