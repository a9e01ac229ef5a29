/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtests of the dmabed DMA engine: registers, ring, interrupt, reset.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "dmabed-engine-util.h"

static const Job small_fill = {
    .op = DMABED_OP_FILL, .flags = DMABED_JOB_FLAG_IRQ, .cookie = 7,
    .seed = 1, .length = 4096, .num_dst = 1, .dst = { { DATA_AT, 4096 } },
};

static uint64_t guest_errors(Rig *rig)
{
    g_autoptr(QDict) dict = evidence(rig);

    return qdict_get_int(dict, "guest-errors");
}

static void test_identity(void)
{
    Rig *rig = rig_start("");

    g_assert_cmphex(reg_read(rig, DMABED_REG_ID), ==, DMABED_ID_VALUE);
    g_assert_cmphex(reg_read(rig, DMABED_REG_VERSION), ==,
                    DMABED_VERSION_VALUE);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_OPS), ==, 0x1e);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_ADDR_BITS), ==, 64);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_RING_BITS), ==, 64);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_MAX_SEGMENTS), ==,
                    DMABED_LIST_MAX_SEGMENTS);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_ALIGNMENT), ==, 1);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_GRANULE), ==, 1);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_SEG_SIZE_LO), ==, UINT32_MAX);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_SEG_SIZE_HI), ==, UINT32_MAX);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_BOUNDARY_LO), ==, UINT32_MAX);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_BOUNDARY_HI), ==, UINT32_MAX);
    rig_stop(rig);
}

static void test_name(void)
{
    char name[DMABED_NAME_SIZE];
    Rig *rig = rig_start("");

    for (unsigned i = 0; i < DMABED_NAME_SIZE; i += 4) {
        stl_le_p(name + i, reg_read(rig, DMABED_REG_NAME + i));
    }
    g_assert_cmpmem(name, sizeof(name), "codec" "\0\0\0\0\0\0\0\0\0\0\0"
                    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
    rig_stop(rig);
}

static void test_capabilities(void)
{
    Rig *rig = rig_start("'addr-bits':32,'report-addr-bits':36,"
                         "'max-segments':5,'alignment':64,'granule':16,"
                         "'max-segment-size':4294967298,"
                         "'segment-boundary-mask':68719476735");

    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_ADDR_BITS), ==, 36);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_RING_BITS), ==, 32);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_MAX_SEGMENTS), ==, 5);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_ALIGNMENT), ==, 64);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_GRANULE), ==, 16);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_SEG_SIZE_LO), ==, 2);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_SEG_SIZE_HI), ==, 1);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_BOUNDARY_LO), ==, UINT32_MAX);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_BOUNDARY_HI), ==, 0xf);
    rig_stop(rig);
}

static void test_unknown_offset(void)
{
    Rig *rig = rig_start("");

    g_assert_cmphex(reg_read(rig, 0x01c), ==, 0);
    g_assert_cmpuint(guest_errors(rig), ==, 1);
    reg_write(rig, 0xffc, 1);
    g_assert_cmpuint(guest_errors(rig), ==, 2);
    rig_stop(rig);
}

static void test_read_only(void)
{
    static const uint32_t offsets[] = {
        DMABED_REG_ID, DMABED_REG_VERSION, DMABED_REG_STATUS,
        DMABED_REG_ERROR, DMABED_REG_CAP_ADDR_BITS, DMABED_REG_CAP_OPS,
        DMABED_REG_CAP_BOUNDARY_HI, DMABED_REG_RING_TAIL,
        DMABED_REG_CAP_LOCAL_SIZE_LO, DMABED_REG_CAP_LOCAL_BASE_HI,
        DMABED_REG_NAME, DMABED_REG_NAME + DMABED_NAME_SIZE - 4,
    };
    Rig *rig = rig_start("");

    for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
        uint32_t before = reg_read(rig, offsets[i]);

        reg_write(rig, offsets[i], ~before);
        g_assert_cmphex(reg_read(rig, offsets[i]), ==, before);
    }
    g_assert_cmpuint(guest_errors(rig), ==, 0);
    rig_stop(rig);
}

/* Only 32-bit accesses reach the registers */
static void test_access_size(void)
{
    Rig *rig = rig_start("");

    qtest_writeb(rig->qts, ENGINE_BASE + DMABED_REG_IRQ_ENABLE, 3);
    qtest_writew(rig->qts, ENGINE_BASE + DMABED_REG_IRQ_ENABLE, 3);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_ENABLE), ==, 0);
    reg_write(rig, DMABED_REG_IRQ_ENABLE, UINT32_MAX);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_ENABLE), ==,
                    DMABED_IRQ_DONE | DMABED_IRQ_ERROR);
    rig_stop(rig);
}

static void expect_ring_error(Rig *rig, uint32_t error)
{
    g_assert_cmphex(reg_read(rig, DMABED_REG_ERROR), ==, error);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CTRL), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_STATUS), ==,
                    DMABED_IRQ_ERROR);
}

static void try_ring_config(uint64_t ring, uint64_t comp, uint32_t entries)
{
    Rig *rig = rig_start("");

    reg_write(rig, DMABED_REG_RING_BASE_LO, ring);
    reg_write(rig, DMABED_REG_COMP_BASE_LO, comp);
    reg_write(rig, DMABED_REG_RING_ENTRIES, entries);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_ENABLE);
    expect_ring_error(rig, DMABED_ERROR_RING_CONFIG);
    rig_stop(rig);
}

static void test_ring_base_unaligned(void)
{
    try_ring_config(RING_AT + 32, COMP_AT, 8);
}

static void test_comp_base_unaligned(void)
{
    try_ring_config(RING_AT, COMP_AT + 4, 8);
}

static void test_ring_entries_bad(void)
{
    static const uint32_t bad[] = { 0, 1, 3, 12, 512, UINT32_MAX };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        try_ring_config(RING_AT, COMP_AT, bad[i]);
    }
}

static void test_ring_locked(void)
{
    Rig *rig = rig_start("");

    rig_enable(rig);
    reg_write(rig, DMABED_REG_RING_BASE_LO, 0);
    reg_write(rig, DMABED_REG_RING_BASE_HI, 1);
    reg_write(rig, DMABED_REG_COMP_BASE_LO, 0);
    reg_write(rig, DMABED_REG_COMP_BASE_HI, 1);
    reg_write(rig, DMABED_REG_RING_ENTRIES, 256);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_BASE_LO), ==, RING_AT);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_BASE_HI), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_COMP_BASE_LO), ==, COMP_AT);
    g_assert_cmphex(reg_read(rig, DMABED_REG_COMP_BASE_HI), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_ENTRIES), ==, RING_ENTRIES);
    g_assert_cmpuint(guest_errors(rig), ==, 5);
    rig_stop(rig);
}

/* A job in flight still needs the place of its completion */
static void test_ring_locked_while_busy(void)
{
    Rig *rig = rig_start("");
    unsigned index;

    rig_enable(rig);
    hold(rig, 0);
    index = job_submit(rig, &small_fill);
    job_does_not_end(rig, index);
    reg_write(rig, DMABED_REG_CTRL, 0);
    reg_write(rig, DMABED_REG_COMP_BASE_LO, DATA_AT);
    g_assert_cmphex(reg_read(rig, DMABED_REG_COMP_BASE_LO), ==, COMP_AT);
    release(rig);
    g_assert_cmpuint(job_wait(rig, index).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

static void test_ring_index(void)
{
    Rig *rig = rig_start("");

    rig_enable(rig);
    reg_write(rig, DMABED_REG_RING_HEAD, RING_ENTRIES);
    expect_ring_error(rig, DMABED_ERROR_RING_INDEX);

    /* Only a reset makes the ring usable again */
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_ENABLE);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CTRL), ==, 0);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_RESET);
    g_assert_cmphex(reg_read(rig, DMABED_REG_ERROR), ==, DMABED_ERROR_NONE);
    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &small_fill).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

/* The ring is where nobody answers, or where registers are: its own */
static void try_ring_at(uint64_t ring, uint64_t comp, uint32_t error)
{
    Rig *rig = rig_start("");

    reg_write(rig, DMABED_REG_RING_BASE_LO, ring);
    reg_write(rig, DMABED_REG_COMP_BASE_LO, comp);
    reg_write(rig, DMABED_REG_RING_ENTRIES, RING_ENTRIES);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_ENABLE);
    job_submit(rig, &small_fill);
    qtest_clock_step(rig->qts, 100000);
    expect_ring_error(rig, error);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_TAIL), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_STATUS), ==, 0);
    rig_stop(rig);
}

static void test_ring_fetch(void)
{
    try_ring_at(0x20000000, COMP_AT, DMABED_ERROR_RING_FETCH);
}

static void test_ring_on_own_registers(void)
{
    try_ring_at(ENGINE_BASE, COMP_AT, DMABED_ERROR_RING_FETCH);
}

static void test_completion_error(void)
{
    try_ring_at(RING_AT, 0x20000000, DMABED_ERROR_COMPLETION);
}

static void test_completion_on_own_registers(void)
{
    try_ring_at(RING_AT, ENGINE_BASE, DMABED_ERROR_COMPLETION);
}

static void test_ring_wraps(void)
{
    Rig *rig = rig_start("");

    rig_enable(rig);
    for (unsigned i = 0; i < 3 * RING_ENTRIES; i++) {
        Job job = small_fill;

        job.cookie = i;
        g_assert_cmpuint(job_run(rig, &job).cookie, ==, i);
        g_assert_cmpuint(reg_read(rig, DMABED_REG_RING_TAIL), ==,
                         (i + 1) % RING_ENTRIES);
    }
    rig_stop(rig);
}

static void test_several_jobs(void)
{
    Rig *rig = rig_start("");

    rig_enable(rig);
    for (unsigned i = 0; i < RING_ENTRIES - 1; i++) {
        job_write(rig, &small_fill);
    }
    reg_write(rig, DMABED_REG_RING_HEAD, rig->head);
    for (unsigned i = 0; i < RING_ENTRIES - 1; i++) {
        g_assert_cmpuint(job_wait(rig, i).status, ==, DMABED_COMP_OK);
    }
    g_assert_cmpuint(reg_read(rig, DMABED_REG_RING_TAIL), ==, rig->head);
    rig_stop(rig);
}

/* A doorbell before the ring is enabled counts when it is */
static void test_doorbell_before_enable(void)
{
    Rig *rig = rig_start("");

    job_submit(rig, &small_fill);
    qtest_clock_step(rig->qts, 10000);
    g_assert_cmpuint(completion_read(rig, 0).status, ==, DMABED_COMP_NONE);
    rig_enable(rig);
    g_assert_cmpuint(job_wait(rig, 0).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

/* Nothing happens inside the register write */
static void test_nothing_at_doorbell(void)
{
    Rig *rig = rig_start("");
    unsigned index;

    rig_enable(rig);
    index = job_submit(rig, &small_fill);
    g_assert_cmpuint(completion_read(rig, index).status, ==,
                     DMABED_COMP_NONE);
    g_assert_cmpuint(reg_read(rig, DMABED_REG_RING_TAIL), ==, 0);
    rig_stop(rig);
}

static void test_interrupt(void)
{
    Rig *rig = rig_start("");

    qtest_irq_intercept_out_named(rig->qts, ENGINE_PATH, "sysbus-irq");
    rig_enable(rig);
    g_assert_false(qtest_get_irq(rig->qts, 0));
    job_run(rig, &small_fill);
    g_assert_true(qtest_get_irq(rig->qts, 0));
    reg_write(rig, DMABED_REG_IRQ_ENABLE, DMABED_IRQ_ERROR);
    g_assert_false(qtest_get_irq(rig->qts, 0));
    reg_write(rig, DMABED_REG_IRQ_ENABLE, DMABED_IRQ_DONE);
    g_assert_true(qtest_get_irq(rig->qts, 0));
    reg_write(rig, DMABED_REG_IRQ_STATUS, DMABED_IRQ_ERROR);
    g_assert_true(qtest_get_irq(rig->qts, 0));
    reg_write(rig, DMABED_REG_IRQ_STATUS, DMABED_IRQ_DONE);
    g_assert_false(qtest_get_irq(rig->qts, 0));
    rig_stop(rig);
}

static void test_no_interrupt_unasked(void)
{
    Job job = small_fill;
    Rig *rig = rig_start("");

    job.flags = 0;
    rig_enable(rig);
    job_run(rig, &job);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_STATUS), ==, 0);
    rig_stop(rig);
}

static void test_reset(void)
{
    Rig *rig = rig_start("");

    qtest_irq_intercept_out_named(rig->qts, ENGINE_PATH, "sysbus-irq");
    rig_enable(rig);
    job_run(rig, &small_fill);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_RESET | DMABED_CTRL_ENABLE);
    g_assert_false(qtest_get_irq(rig->qts, 0));
    g_assert_cmphex(reg_read(rig, DMABED_REG_CTRL), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_STATUS), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_ENABLE), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_BASE_LO), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_ENTRIES), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_HEAD), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_TAIL), ==, 0);
    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &small_fill).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

void add_register_tests(void)
{
    qtest_add_func("dmabed/regs/identity", test_identity);
    qtest_add_func("dmabed/regs/capabilities", test_capabilities);
    qtest_add_func("dmabed/regs/name", test_name);
    qtest_add_func("dmabed/regs/unknown-offset", test_unknown_offset);
    qtest_add_func("dmabed/regs/read-only", test_read_only);
    qtest_add_func("dmabed/regs/access-size", test_access_size);
    qtest_add_func("dmabed/ring/base-unaligned", test_ring_base_unaligned);
    qtest_add_func("dmabed/ring/comp-unaligned", test_comp_base_unaligned);
    qtest_add_func("dmabed/ring/entries", test_ring_entries_bad);
    qtest_add_func("dmabed/ring/locked", test_ring_locked);
    qtest_add_func("dmabed/ring/locked-while-busy",
                   test_ring_locked_while_busy);
    qtest_add_func("dmabed/ring/index", test_ring_index);
    qtest_add_func("dmabed/ring/fetch", test_ring_fetch);
    qtest_add_func("dmabed/ring/fetch-own-registers",
                   test_ring_on_own_registers);
    qtest_add_func("dmabed/ring/completion", test_completion_error);
    qtest_add_func("dmabed/ring/completion-own-registers",
                   test_completion_on_own_registers);
    qtest_add_func("dmabed/ring/wraps", test_ring_wraps);
    qtest_add_func("dmabed/ring/several-jobs", test_several_jobs);
    qtest_add_func("dmabed/ring/doorbell-before-enable",
                   test_doorbell_before_enable);
    qtest_add_func("dmabed/ring/nothing-at-doorbell",
                   test_nothing_at_doorbell);
    qtest_add_func("dmabed/irq/level", test_interrupt);
    qtest_add_func("dmabed/irq/unasked", test_no_interrupt_unasked);
    qtest_add_func("dmabed/reset", test_reset);
}
