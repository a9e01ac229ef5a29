/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtests of the dmabed DMA engine: its state goes with the guest, that of a
 * job in flight too.  Snapshots are migrations to a file.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "dmabed-engine-util.h"

#define LENGTH (256 * KiB)
#define HOLD_AT 100003
#define LOCAL_SIZE (64 * KiB)

static const Job copy = {
    .op = DMABED_OP_COPY, .flags = DMABED_JOB_FLAG_IRQ, .cookie = 77,
    .length = LENGTH, .num_src = 2, .num_dst = 2,
    .src = { { DATA_AT, 4096 }, { DATA_AT + 8192, LENGTH } },
    .dst = { { OTHER_AT, 70000 }, { OTHER_AT + 128 * KiB, LENGTH } },
};

static void test_idle(void)
{
    Rig *rig = rig_start("");
    Completion comp;

    rig_enable(rig);
    job_run(rig, &copy);
    reg_write(rig, DMABED_REG_IRQ_ENABLE, DMABED_IRQ_DONE);
    rig_migrate(rig);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CTRL), ==, DMABED_CTRL_ENABLE);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_STATUS), ==, DMABED_IRQ_DONE);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_ENABLE), ==, DMABED_IRQ_DONE);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_BASE_LO), ==, RING_AT);
    g_assert_cmphex(reg_read(rig, DMABED_REG_COMP_BASE_LO), ==, COMP_AT);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_ENTRIES), ==, RING_ENTRIES);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_HEAD), ==, 1);
    g_assert_cmphex(reg_read(rig, DMABED_REG_RING_TAIL), ==, 1);
    comp = job_run(rig, &copy);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

/* A stopped ring stays stopped, and its reason is still there */
static void test_error(void)
{
    Rig *rig = rig_start("");

    rig_enable(rig);
    reg_write(rig, DMABED_REG_RING_HEAD, 1000);
    rig_migrate(rig);
    g_assert_cmphex(reg_read(rig, DMABED_REG_ERROR), ==,
                    DMABED_ERROR_RING_INDEX);
    rig_stop(rig);
}

static void source_bytes(uint8_t *expected)
{
    g_autofree uint8_t *all = g_malloc(LENGTH + 8192);

    pattern(all, LENGTH + 8192, 6, 0);
    memcpy(expected, all, 4096);
    memcpy(expected + 4096, all + 8192, LENGTH - 4096);
}

/* Half done here, half there: digest and bytes are those of the whole */
static void try_held(Rig *rig)
{
    g_autofree uint8_t *expected = g_malloc(LENGTH);
    g_autoptr(QDict) dict = NULL;
    Completion comp;
    unsigned index;

    memory_pattern(rig, DATA_AT, LENGTH + 8192, 6);
    source_bytes(expected);
    rig_enable(rig);
    hold(rig, HOLD_AT);
    index = job_submit(rig, &copy);
    job_does_not_end(rig, index);
    rig_migrate(rig);

    g_assert_true(is_held(rig));
    job_does_not_end(rig, index);
    release(rig);
    comp = job_wait(rig, index);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    g_assert_cmpuint(comp.cookie, ==, 77);
    assert_sha_of(comp.sha256, expected, LENGTH);
    assert_memory(rig, OTHER_AT, expected, 70000);
    assert_memory(rig, OTHER_AT + 128 * KiB, expected + 70000,
                  LENGTH - 70000);
    dict = evidence(rig);
    g_assert_cmpint(qdict_get_int(dict, "jobs-total"), ==, 1);
    g_assert_cmpint(qdict_get_int(last_job(dict), "bytes"), ==, LENGTH);
    rig_stop(rig);
}

static void test_held(void)
{
    try_held(rig_start(""));
}

static void test_held_pci(void)
{
    try_held(rig_start_pci(""));
}

/* The timer of a job that takes its time goes on where it was */
static void test_moving(void)
{
    Rig *rig = rig_start("'bandwidth':65536000");
    unsigned index;

    rig_enable(rig);
    index = job_submit(rig, &copy);
    job_does_not_end(rig, index);
    rig_migrate(rig);
    g_assert_cmphex(reg_read(rig, DMABED_REG_STATUS), ==, DMABED_STATUS_BUSY);
    g_assert_cmpuint(job_wait(rig, index).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

static void test_lost(void)
{
    Rig *rig = rig_start("");
    unsigned index;

    rig_enable(rig);
    inject(rig, "lost", 5);
    index = job_submit(rig, &copy);
    job_does_not_end(rig, index);
    rig_migrate(rig);
    job_does_not_end(rig, index);
    g_assert_cmphex(reg_read(rig, DMABED_REG_STATUS), ==, DMABED_STATUS_BUSY);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_RESET);
    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &copy).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

/* The engine's own memory goes with it, that which nobody else sees too */
static void try_local(Rig *rig, uint64_t address)
{
    const Job digest = {
        .op = DMABED_OP_DIGEST, .length = LOCAL_SIZE, .num_src = 1,
        .src = { { address, LOCAL_SIZE } },
    };
    const Job fill = {
        .op = DMABED_OP_FILL, .length = LOCAL_SIZE, .seed = 9, .num_dst = 1,
        .dst = { { address, LOCAL_SIZE } },
    };
    g_autofree uint8_t *expected = g_malloc(LOCAL_SIZE);

    pattern(expected, LOCAL_SIZE, 9, 0);
    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &fill).status, ==, DMABED_COMP_OK);
    rig_migrate(rig);
    assert_sha_of(job_run(rig, &digest).sha256, expected, LOCAL_SIZE);
    rig_stop(rig);
}

static void test_local(void)
{
    try_local(rig_start("'local-memory':65536,'local-base':1342177280,"
                        "'local-visible':false"), 0x50000000);
}

static void test_local_pci(void)
{
    try_local(rig_start_pci("'local-memory':65536"), HIGH_MMIO);
}

void add_migration_tests(void)
{
    qtest_add_func("dmabed/migration/idle", test_idle);
    qtest_add_func("dmabed/migration/error", test_error);
    qtest_add_func("dmabed/migration/held", test_held);
    qtest_add_func("dmabed/migration/held-pci", test_held_pci);
    qtest_add_func("dmabed/migration/local", test_local);
    qtest_add_func("dmabed/migration/local-pci", test_local_pci);
    qtest_add_func("dmabed/migration/moving", test_moving);
    qtest_add_func("dmabed/migration/lost", test_lost);
}
