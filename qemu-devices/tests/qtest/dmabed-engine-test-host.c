/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtests of the dmabed DMA engine: what the host does to it and reads from it.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "dmabed-engine-util.h"

#define LENGTH (256 * KiB)

static const Job fill = {
    .op = DMABED_OP_FILL, .flags = DMABED_JOB_FLAG_IRQ, .cookie = 5,
    .seed = 11, .length = LENGTH, .num_dst = 1,
    .dst = { { DATA_AT, LENGTH } },
};

static const Job digest = {
    .op = DMABED_OP_DIGEST, .flags = DMABED_JOB_FLAG_IRQ, .length = LENGTH,
    .num_src = 1, .src = { { DATA_AT, LENGTH } },
};

static Rig *enabled_rig(void)
{
    Rig *rig = rig_start("");

    rig_enable(rig);
    return rig;
}

static uint8_t *expected_bytes(void)
{
    uint8_t *data = g_malloc(LENGTH);

    pattern(data, LENGTH, fill.seed, 0);
    return data;
}

static uint64_t bytes_of_last_job(Rig *rig)
{
    g_autoptr(QDict) dict = evidence(rig);

    return qdict_get_int(last_job(dict), "bytes");
}

/* ---- hold ---- */

static void try_hold_at(uint64_t at)
{
    Rig *rig = enabled_rig();
    g_autofree uint8_t *expected = expected_bytes();
    Completion comp;
    unsigned index;

    hold(rig, at);
    index = job_submit(rig, &fill);
    job_does_not_end(rig, index);
    g_assert_true(is_held(rig));
    g_assert_cmphex(reg_read(rig, DMABED_REG_STATUS), ==,
                    DMABED_STATUS_BUSY | DMABED_STATUS_HELD);
    g_assert_cmpuint(bytes_of_last_job(rig), ==, at);
    assert_memory(rig, DATA_AT, expected, at);

    release(rig);
    g_assert_false(is_held(rig));
    comp = job_wait(rig, index);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    assert_sha_of(comp.sha256, expected, LENGTH);
    assert_memory(rig, DATA_AT, expected, LENGTH);
    rig_stop(rig);
}

static void test_hold(void)
{
    try_hold_at(0);
    try_hold_at(1);
    try_hold_at(65536);
    try_hold_at(100003);
    try_hold_at(LENGTH);
}

static void test_hold_beyond_end(void)
{
    Rig *rig = enabled_rig();

    hold(rig, LENGTH + 1);
    g_assert_cmpuint(job_run(rig, &fill).status, ==, DMABED_COMP_OK);
    g_assert_false(is_held(rig));
    rig_stop(rig);
}

/* Jobs behind the held one wait in the ring */
static void test_hold_queue(void)
{
    Rig *rig = enabled_rig();
    unsigned first, second;

    hold(rig, 0);
    first = job_submit(rig, &fill);
    second = job_submit(rig, &digest);
    job_does_not_end(rig, first);
    job_does_not_end(rig, second);
    g_assert_cmpuint(reg_read(rig, DMABED_REG_RING_TAIL), ==, first);
    release(rig);
    g_assert_cmpstr(job_wait(rig, first).sha256, ==,
                    job_wait(rig, second).sha256);
    rig_stop(rig);
}

/* A held job goes on to a later point when hold-at is moved */
static void test_hold_moved(void)
{
    Rig *rig = enabled_rig();
    unsigned index;

    hold(rig, 4096);
    index = job_submit(rig, &fill);
    job_does_not_end(rig, index);
    hold(rig, 8192);
    job_does_not_end(rig, index);
    g_assert_true(is_held(rig));
    g_assert_cmpuint(bytes_of_last_job(rig), ==, 8192);
    rig_stop(rig);
}

static void test_reset_while_held(void)
{
    Rig *rig = enabled_rig();
    g_autoptr(QDict) dict = NULL;
    unsigned index;

    hold(rig, 4096);
    index = job_submit(rig, &fill);
    job_does_not_end(rig, index);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_RESET);
    g_assert_false(is_held(rig));
    g_assert_cmphex(reg_read(rig, DMABED_REG_STATUS), ==, 0);
    release(rig);
    job_does_not_end(rig, index);

    /* The guest cannot wipe out what was recorded */
    dict = evidence(rig);
    g_assert_false(qdict_get_bool(last_job(dict), "done"));
    g_assert_cmpint(qdict_get_int(last_job(dict), "end-ns"), >, 0);
    g_assert_cmpint(qdict_get_int(last_job(dict), "bytes"), ==, 4096);
    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &fill).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

/* The ring is not enabled any more, but the job in flight still ends */
static void test_disable_while_held(void)
{
    Rig *rig = enabled_rig();
    unsigned first, second;

    hold(rig, 0);
    first = job_submit(rig, &fill);
    second = job_submit(rig, &fill);
    job_does_not_end(rig, first);
    reg_write(rig, DMABED_REG_CTRL, 0);
    release(rig);
    g_assert_cmpuint(job_wait(rig, first).status, ==, DMABED_COMP_OK);
    job_does_not_end(rig, second);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_ENABLE);
    g_assert_cmpuint(job_wait(rig, second).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

/* ---- inject ---- */

static void expect_injected(Rig *rig, const char *fault)
{
    g_autoptr(QDict) dict = evidence(rig);

    g_assert_cmpstr(qdict_get_str(last_job(dict), "injected"), ==, fault);
}

static void test_corrupt_write(void)
{
    Rig *rig = enabled_rig();
    g_autofree uint8_t *expected = expected_bytes();
    Completion comp;

    inject(rig, "corrupt", 70000);
    comp = job_run(rig, &fill);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    assert_sha_of(comp.sha256, expected, LENGTH);
    expected[70000] ^= 1;
    assert_memory(rig, DATA_AT, expected, LENGTH);
    expect_injected(rig, "corrupt");

    /* only the next job suffers */
    expected[70000] ^= 1;
    job_run(rig, &fill);
    assert_memory(rig, DATA_AT, expected, LENGTH);
    expect_injected(rig, "none");
    rig_stop(rig);
}

static void test_corrupt_read(void)
{
    Rig *rig = enabled_rig();
    g_autofree uint8_t *expected = expected_bytes();

    memory_pattern(rig, DATA_AT, LENGTH, fill.seed);
    inject(rig, "corrupt", 0);
    expected[0] ^= 1;
    assert_sha_of(job_run(rig, &digest).sha256, expected, LENGTH);
    rig_stop(rig);
}

static void test_lie(void)
{
    Rig *rig = enabled_rig();
    uint8_t before[64];
    Completion comp;

    memory_pattern(rig, DATA_AT, sizeof(before), 99);
    pattern(before, sizeof(before), 99, 0);
    inject(rig, "lie", 0);
    comp = job_run(rig, &fill);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_OK);
    g_assert_cmpuint(comp.bytes, ==, LENGTH);
    assert_memory(rig, DATA_AT, before, sizeof(before));
    g_assert_cmpuint(bytes_of_last_job(rig), ==, 0);
    expect_injected(rig, "lie");
    rig_stop(rig);
}

static void test_decode(void)
{
    Rig *rig = enabled_rig();
    Completion comp;

    inject(rig, "decode", 70001);
    comp = job_run(rig, &fill);
    g_assert_cmpuint(comp.status, ==, DMABED_COMP_DECODE);
    g_assert_cmpuint(comp.bytes, ==, 70001);
    expect_injected(rig, "decode");
    rig_stop(rig);
}

static void test_lost(void)
{
    Rig *rig = enabled_rig();
    unsigned index;

    inject(rig, "lost", 4096);
    index = job_submit(rig, &fill);
    job_does_not_end(rig, index);
    g_assert_cmphex(reg_read(rig, DMABED_REG_STATUS), ==, DMABED_STATUS_BUSY);
    g_assert_cmpuint(bytes_of_last_job(rig), ==, 4096);
    expect_injected(rig, "lost");
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_RESET);
    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &fill).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

static void test_irq_lost(void)
{
    Rig *rig = enabled_rig();

    inject(rig, "irq-lost", 0);
    g_assert_cmpuint(job_run(rig, &fill).status, ==, DMABED_COMP_OK);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_STATUS), ==, 0);
    expect_injected(rig, "irq-lost");
    job_run(rig, &fill);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_STATUS), ==, DMABED_IRQ_DONE);
    rig_stop(rig);
}

static void test_irq_double(void)
{
    Rig *rig = enabled_rig();

    inject(rig, "irq-double", 0);
    job_run(rig, &fill);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_STATUS), ==, DMABED_IRQ_DONE);
    reg_write(rig, DMABED_REG_IRQ_STATUS, DMABED_IRQ_DONE);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_STATUS), ==, 0);
    qtest_clock_step(rig->qts, 10000);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_STATUS), ==, DMABED_IRQ_DONE);
    rig_stop(rig);
}

/* A reset takes the second interrupt with it */
static void test_irq_double_reset(void)
{
    Rig *rig = enabled_rig();

    inject(rig, "irq-double", 0);
    job_run(rig, &fill);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_RESET);
    qtest_clock_step(rig->qts, 20000);
    g_assert_cmphex(reg_read(rig, DMABED_REG_IRQ_STATUS), ==, 0);
    rig_stop(rig);
}

static void test_take_back(void)
{
    Rig *rig = enabled_rig();

    inject(rig, "lost", 0);
    inject(rig, "none", 0);
    g_assert_cmpuint(job_run(rig, &fill).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

static void expect_refused(Rig *rig, const char *value)
{
    g_autofree char *command = g_strdup_printf(
        "{'execute':'qom-set','arguments':{'path':'" ENGINE_PATH "',"
        "'property':'inject','value':%s}}", value);
    g_autoptr(QDict) reply = qtest_qmp(rig->qts, command, NULL);

    g_assert_true(qdict_haskey(reply, "error"));
}

static void test_bad_inject(void)
{
    Rig *rig = enabled_rig();

    expect_refused(rig, "{'fault':'melt'}");
    expect_refused(rig, "{'at':1}");
    expect_refused(rig, "{'fault':'lost','at':'end'}");
    expect_refused(rig, "{'fault':'lost','when':1}");
    expect_refused(rig, "'lost'");
    g_assert_cmpuint(job_run(rig, &fill).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

/* ---- evidence ---- */

static void test_evidence(void)
{
    Rig *rig = enabled_rig();
    g_autofree uint8_t *expected = expected_bytes();
    g_autoptr(QDict) dict = NULL;
    QDict *job;

    job_run(rig, &fill);
    dict = evidence(rig);
    g_assert_cmpint(qdict_get_int(dict, "jobs-total"), ==, 1);
    g_assert_cmpint(qdict_get_int(dict, "ring-fetches"), ==, 1);
    g_assert_cmpint(qdict_get_int(dict, "data-accesses"), ==, 4);
    g_assert_cmpint(qdict_get_int(dict, "bytes-moved"), ==, LENGTH);
    g_assert_cmpint(qdict_get_int(dict, "interrupts"), ==, 1);
    g_assert_false(qdict_get_bool(dict, "held"));
    job = last_job(dict);
    g_assert_cmpint(qdict_get_int(job, "seq"), ==, 1);
    g_assert_cmpint(qdict_get_int(job, "cookie"), ==, 5);
    g_assert_cmpstr(qdict_get_str(job, "op"), ==, "fill");
    g_assert_cmpstr(qdict_get_str(job, "status"), ==, "ok");
    g_assert_cmpint(qdict_get_int(job, "seed"), ==, 11);
    g_assert_cmpint(qdict_get_int(job, "bytes"), ==, LENGTH);
    g_assert_cmpint(qdict_get_int(job, "mismatch-at"), ==, -1);
    g_assert_true(qdict_get_bool(job, "done"));
    assert_sha_of(qdict_get_str(job, "sha256"), expected, LENGTH);
    assert_span(job, "dst", 0, DATA_AT, LENGTH);
    assert_span(job, "written", 0, DATA_AT, LENGTH);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(job, "written")), ==, 1);
    g_assert_true(qlist_empty(qdict_get_qlist(job, "read")));
    rig_stop(rig);
}

static void test_evidence_in_flight(void)
{
    Rig *rig = enabled_rig();
    g_autoptr(QDict) dict = NULL;

    hold(rig, 4096);
    job_does_not_end(rig, job_submit(rig, &fill));
    dict = evidence(rig);
    g_assert_true(qdict_get_bool(dict, "held"));
    g_assert_false(qdict_get_bool(last_job(dict), "done"));
    g_assert_cmpstr(qdict_get_str(last_job(dict), "sha256"), ==, "");
    g_assert_cmpstr(qdict_get_str(last_job(dict), "status"), ==, "none");
    rig_stop(rig);
}

/* What a job in flight leaves in the registers, and a job that ended */
static void test_state(void)
{
    Rig *rig = enabled_rig();
    g_autoptr(QDict) held = NULL, ended = NULL;

    hold(rig, 4096);
    job_does_not_end(rig, job_submit(rig, &fill));
    held = engine_state(rig);
    g_assert_true(qdict_get_bool(held, "enabled"));
    g_assert_cmpint(qdict_get_int(held, "ring-pending"), ==, 1);
    g_assert_cmpint(qdict_get_int(held, "irq-status"), ==, 0);
    g_assert_cmpint(qdict_get_int(held, "error"), ==, 0);

    release(rig);
    job_run(rig, &fill);
    ended = engine_state(rig);
    g_assert_cmpint(qdict_get_int(ended, "ring-pending"), ==, 0);
    g_assert_cmpint(qdict_get_int(ended, "irq-status"), !=, 0);
    rig_stop(rig);
}

/* More jobs than are kept: the last ones are there, the rest is counted */
static void test_evidence_jobs_bounded(void)
{
    Rig *rig = enabled_rig();
    Job job = fill;
    g_autoptr(QDict) dict = NULL;

    job.length = 8;
    for (int i = 0; i < 1030; i++) {
        job_run(rig, &job);
    }
    dict = evidence(rig);
    g_assert_cmpint(qdict_get_int(dict, "jobs-total"), ==, 1030);
    g_assert_cmpint(qdict_get_int(dict, "jobs-dropped"), ==, 6);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(dict, "jobs")), ==, 1024);
    g_assert_cmpint(qdict_get_int(last_job(dict), "seq"), ==, 1030);
    rig_stop(rig);
}

#define ODD_SEGMENTS 300

/* Segments of 8 bytes, 16 apart, all of them at odd addresses */
static Job odd_job(Rig *rig)
{
    g_autofree uint64_t *list = g_new(uint64_t, 2 * ODD_SEGMENTS);

    for (unsigned i = 0; i < ODD_SEGMENTS; i++) {
        list[2 * i] = cpu_to_le64(DATA_AT + 16 * i + 1);
        list[2 * i + 1] = cpu_to_le64(8);
    }
    qtest_memwrite(rig->qts, SRC_LIST_AT, list,
                   2 * ODD_SEGMENTS * sizeof(*list));
    return (Job) {
        .op = DMABED_OP_DIGEST, .length = 8 * ODD_SEGMENTS,
        .num_src = ODD_SEGMENTS,
    };
}

static Rig *odd_rig(void)
{
    Rig *rig = rig_start("'alignment':2,'policy':'wrap'");

    rig_enable(rig);
    return rig;
}

static void assert_list(QDict *record, const char *key, unsigned entries,
                        unsigned dropped)
{
    g_autofree char *dropped_key = g_strdup_printf("%s-dropped", key);

    g_assert_cmpuint(qlist_size(qdict_get_qlist(record, key)), ==, entries);
    g_assert_cmpint(qdict_get_int(record, dropped_key), ==, dropped);
}

static void test_evidence_ranges_bounded(void)
{
    Rig *rig = odd_rig();
    Job job = odd_job(rig);
    g_autoptr(QDict) dict = NULL;
    QDict *record;

    g_assert_cmpuint(job_run(rig, &job).violations, ==, ODD_SEGMENTS);
    dict = evidence(rig);
    record = last_job(dict);
    assert_list(record, "src", 256, ODD_SEGMENTS - 256);
    assert_list(record, "read", 256, ODD_SEGMENTS - 256);
    assert_list(record, "violations", 64, ODD_SEGMENTS - 64);
    g_assert_false(qdict_get_bool(record, "cut"));
    rig_stop(rig);
}

static void assert_cut(QDict *record, bool cut)
{
    unsigned ranges = cut ? 0 : 256, violations = cut ? 0 : 64;

    g_assert_true(qdict_get_bool(record, "cut") == cut);
    g_assert_true(qdict_get_bool(record, "done"));
    assert_list(record, "src", ranges, ODD_SEGMENTS - ranges);
    assert_list(record, "read", ranges, ODD_SEGMENTS - ranges);
    assert_list(record, "violations", violations, ODD_SEGMENTS - violations);
}

/* 56 jobs of 576 entries are all that fit in 32768: the rest have figures */
static void test_evidence_total_bounded(void)
{
    const unsigned jobs = 70, whole = 56;
    Rig *rig = odd_rig();
    Job job = odd_job(rig);
    g_autoptr(QDict) dict = NULL;
    QListEntry *entry;
    unsigned nth = 0;

    for (unsigned i = 0; i < jobs; i++) {
        job_run(rig, &job);
    }
    dict = evidence(rig);
    g_assert_cmpint(qdict_get_int(dict, "jobs-cut"), ==, jobs - whole);
    g_assert_cmpint(qdict_get_int(dict, "jobs-dropped"), ==, 0);
    QLIST_FOREACH_ENTRY(qdict_get_qlist(dict, "jobs"), entry) {
        assert_cut(qobject_to(QDict, qlist_entry_obj(entry)),
                   nth++ < jobs - whole);
    }
    g_assert_cmpuint(nth, ==, jobs);
    rig_stop(rig);
}

/*
 * Jobs that are gone do not count: the bound is of what is kept, which is 53
 * jobs of 576 entries and 971 of 2.  With the first job it would be too much.
 */
static void test_evidence_total_forgets(void)
{
    Rig *rig = odd_rig();
    Job odd = odd_job(rig), small = fill;
    g_autoptr(QDict) dict = NULL;

    small.length = 8;
    job_run(rig, &odd);
    for (int i = 0; i < 1024; i++) {
        job_run(rig, &small);
    }
    for (int i = 0; i < 53; i++) {
        job_run(rig, &odd);
    }
    dict = evidence(rig);
    g_assert_cmpint(qdict_get_int(dict, "jobs-cut"), ==, 0);
    g_assert_cmpint(qdict_get_int(dict, "jobs-dropped"), ==, 54);
    rig_stop(rig);
}

static void test_evidence_system_reset(void)
{
    Rig *rig = enabled_rig();
    g_autoptr(QDict) dict = NULL;

    job_run(rig, &fill);
    qtest_qmp_assert_success(rig->qts, "{'execute':'system_reset'}");
    qtest_qmp_eventwait(rig->qts, "RESET");
    dict = evidence(rig);
    g_assert_cmpint(qdict_get_int(dict, "jobs-total"), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CTRL), ==, 0);
    rig_stop(rig);
}

void add_host_tests(void)
{
    qtest_add_func("dmabed/hold/at", test_hold);
    qtest_add_func("dmabed/hold/beyond-end", test_hold_beyond_end);
    qtest_add_func("dmabed/hold/queue", test_hold_queue);
    qtest_add_func("dmabed/hold/moved", test_hold_moved);
    qtest_add_func("dmabed/hold/reset", test_reset_while_held);
    qtest_add_func("dmabed/hold/disable", test_disable_while_held);
    qtest_add_func("dmabed/inject/corrupt-write", test_corrupt_write);
    qtest_add_func("dmabed/inject/corrupt-read", test_corrupt_read);
    qtest_add_func("dmabed/inject/lie", test_lie);
    qtest_add_func("dmabed/inject/decode", test_decode);
    qtest_add_func("dmabed/inject/lost", test_lost);
    qtest_add_func("dmabed/inject/irq-lost", test_irq_lost);
    qtest_add_func("dmabed/inject/irq-double", test_irq_double);
    qtest_add_func("dmabed/inject/irq-double-reset", test_irq_double_reset);
    qtest_add_func("dmabed/inject/take-back", test_take_back);
    qtest_add_func("dmabed/inject/bad", test_bad_inject);
    qtest_add_func("dmabed/evidence/job", test_evidence);
    qtest_add_func("dmabed/evidence/in-flight", test_evidence_in_flight);
    qtest_add_func("dmabed/state", test_state);
    qtest_add_func("dmabed/evidence/jobs-bounded",
                   test_evidence_jobs_bounded);
    qtest_add_func("dmabed/evidence/ranges-bounded",
                   test_evidence_ranges_bounded);
    qtest_add_func("dmabed/evidence/total-bounded",
                   test_evidence_total_bounded);
    qtest_add_func("dmabed/evidence/total-forgets",
                   test_evidence_total_forgets);
    qtest_add_func("dmabed/evidence/system-reset",
                   test_evidence_system_reset);
}
