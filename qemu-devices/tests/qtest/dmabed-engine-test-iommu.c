/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtests of the IOMMUs that Linux's rockchip-iommu drives, by tables written
 * here and an engine that is behind one.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "dmabed-engine-util.h"

#define IOMMU_PATH "/machine/peripheral/mmu"
#define IOMMU_BASE 0x38310000ULL
#define IOMMU_SPI 65

/* Registers and bits, by the driver's names (drivers/iommu/rockchip-iommu.c) */
#define DTE_ADDR 0x00
#define STATUS 0x04
#define COMMAND 0x08
#define FAULT_ADDR 0x0c
#define ZAP_ONE_LINE 0x10
#define INT_RAWSTAT 0x14
#define INT_CLEAR 0x18
#define INT_MASK 0x1c
#define INT_STATUS 0x20
#define AUTO_GATING 0x24
#define PAGING 0x01
#define FAULT 0x02
#define STALL 0x04
#define FAULT_IS_WRITE 0x20
enum { ENABLE, DISABLE, ENABLE_STALL, DISABLE_STALL, ZAP_CACHE, FAULT_DONE,
       FORCE_RESET };
#define VALID 1u
#define RW 7u                   /* valid, readable, writable */

/* Where the tables are: the directory, then a table for each 4 MiB */
#define DIRECTORY (RAM_BASE + 0x800000)
#define TABLES (DIRECTORY + 0x1000)
#define PAGE 0x1000

/* ---- a driver ---- */

static uint32_t mmu_read(Rig *rig, uint64_t offset)
{
    return qtest_readl(rig->qts, IOMMU_BASE + offset);
}

static void mmu_write(Rig *rig, uint64_t offset, uint32_t value)
{
    qtest_writel(rig->qts, IOMMU_BASE + offset, value);
}

static uint64_t dte_at(uint32_t iova)
{
    return DIRECTORY + (iova >> 22) * 4;
}

static uint64_t table_of(uint32_t iova)
{
    return TABLES + ((iova - RAM_BASE) >> 22) * PAGE;
}

static uint64_t pte_at(uint32_t iova)
{
    return table_of(iova) + ((iova >> 12) & 1023) * 4;
}

static void map(Rig *rig, uint32_t iova, uint32_t pte)
{
    qtest_writel(rig->qts, pte_at(iova), pte);
}

/* Entries at @at: @first, and each @step more than the one before, all at once */
static void write_entries(Rig *rig, uint64_t at, unsigned count, uint32_t first,
                          uint32_t step)
{
    g_autofree uint8_t *raw = g_malloc(count * 4);

    for (unsigned i = 0; i < count; i++) {
        stl_le_p(raw + i * 4, first + i * step);
    }
    qtest_memwrite(rig->qts, at, raw, count * 4);
}

/* All of RAM where it is, so that ring and lists need no thought */
static void map_all(Rig *rig)
{
    write_entries(rig, dte_at(RAM_BASE), RAM_SIZE / (4 * MiB), TABLES | VALID,
                  PAGE);
    write_entries(rig, TABLES, RAM_SIZE / PAGE, RAM_BASE | RW, PAGE);
}

static void turn_on(Rig *rig)
{
    mmu_write(rig, COMMAND, FORCE_RESET);
    mmu_write(rig, DTE_ADDR, DIRECTORY);
    mmu_write(rig, COMMAND, ZAP_CACHE);
    mmu_write(rig, INT_MASK, 3);
    mmu_write(rig, COMMAND, ENABLE);
}

/* A machine whose engine is behind an IOMMU; @properties as with rig_start() */
static Rig *start(const char *properties)
{
    g_autofree char *json = g_strdup_printf(
        "-device '{\"driver\":\"dmabed-rk-iommu\",\"id\":\"mmu\","
        "\"mmio-base\":%llu,\"spi\":%d%s%s}'", IOMMU_BASE, IOMMU_SPI,
        *properties ? "," : "", properties);

    /* Quotes of JSON, but not those that keep it together */
    for (char *c = strchr(json, '{'); c < strrchr(json, '}'); c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    return rig_start_behind(json, "'iommu':'mmu'");
}

static Rig *start_mapped(const char *properties)
{
    Rig *rig = start(properties);

    map_all(rig);
    turn_on(rig);
    rig_enable(rig);
    return rig;
}

static QDict *mmu_evidence(Rig *rig)
{
    g_autoptr(QDict) reply = qtest_qmp(rig->qts,
        "{'execute':'qom-get','arguments':{'path':%s,'property':'evidence'}}",
        IOMMU_PATH);

    return qobject_ref(qdict_get_qdict(reply, "return"));
}

static uint64_t mmu_count(Rig *rig, const char *name)
{
    g_autoptr(QDict) dict = mmu_evidence(rig);

    return qdict_get_int(dict, name);
}

static unsigned entries(Rig *rig, const char *list)
{
    g_autoptr(QDict) dict = mmu_evidence(rig);

    return qlist_size(qdict_get_qlist(dict, list));
}

static void assert_fault(Rig *rig, const char *reason, const char *access,
                         uint32_t iova)
{
    g_autoptr(QDict) dict = mmu_evidence(rig);
    QDict *fault = qobject_to(QDict,
                              qlist_peek(qdict_get_qlist(dict, "faults")));

    g_assert_nonnull(fault);
    g_assert_cmpstr(qdict_get_str(fault, "reason"), ==, reason);
    g_assert_cmpstr(qdict_get_str(fault, "device"), ==, "codec");
    g_assert_cmpstr(qdict_get_str(fault, "access"), ==, access);
    g_assert_cmphex(qdict_get_int(fault, "iova"), ==, iova);
}

static void assert_mmu_violation(Rig *rig, const char *kind, uint32_t iova,
                                 uint64_t length, uint64_t used, int64_t table)
{
    g_autoptr(QDict) dict = mmu_evidence(rig);
    QDict *entry = qobject_to(QDict,
                              qlist_peek(qdict_get_qlist(dict, "violations")));

    g_assert_nonnull(entry);
    g_assert_cmpstr(qdict_get_str(entry, "kind"), ==, kind);
    g_assert_cmpstr(qdict_get_str(entry, "device"), ==, "codec");
    g_assert_cmphex(qdict_get_int(entry, "iova"), ==, iova);
    g_assert_cmphex(qdict_get_int(entry, "length"), ==, length);
    g_assert_cmphex(qdict_get_int(entry, "used"), ==, used);
    g_assert_cmphex(qdict_get_int(entry, "table"), ==, table);
}

static const Job fill_one = {
    .op = DMABED_OP_FILL, .flags = DMABED_JOB_FLAG_IRQ, .seed = 5,
    .length = PAGE, .num_dst = 1, .dst = { { DATA_AT, PAGE } },
};

static const Job fill_two = {
    .op = DMABED_OP_FILL, .flags = DMABED_JOB_FLAG_IRQ, .seed = 5,
    .length = 2 * PAGE, .num_dst = 1, .dst = { { DATA_AT, 2 * PAGE } },
};

static const Job digest_one = {
    .op = DMABED_OP_DIGEST, .flags = DMABED_JOB_FLAG_IRQ, .length = PAGE,
    .num_src = 1, .src = { { DATA_AT, PAGE } },
};

static void assert_pattern(Rig *rig, uint64_t address, uint64_t skip,
                           size_t size)
{
    g_autofree uint8_t *expected = g_malloc(size);

    pattern(expected, size, 5, skip / 8);
    assert_memory(rig, address, expected, size);
}

/* ---- registers ---- */

static void test_reset_values(void)
{
    Rig *rig = start("");

    g_assert_cmphex(mmu_read(rig, DTE_ADDR), ==, 0);
    g_assert_cmphex(mmu_read(rig, STATUS), ==, 0x18);
    g_assert_cmphex(mmu_read(rig, INT_RAWSTAT), ==, 0);
    g_assert_cmphex(mmu_read(rig, INT_MASK), ==, 0);
    g_assert_cmphex(mmu_read(rig, AUTO_GATING), ==, 0x80000000);
    rig_stop(rig);
}

/* What rk_iommu_force_reset() tries before it believes in a reset */
static void try_dummy(const char *properties, uint32_t all_ones)
{
    Rig *rig = start(properties);

    mmu_write(rig, DTE_ADDR, 0xcafeb000);
    g_assert_cmphex(mmu_read(rig, DTE_ADDR), ==, 0xcafeb000);
    mmu_write(rig, DTE_ADDR, UINT32_MAX);
    g_assert_cmphex(mmu_read(rig, DTE_ADDR), ==, all_ones);
    mmu_write(rig, AUTO_GATING, 0x12345678);
    g_assert_cmphex(mmu_read(rig, AUTO_GATING), ==, 0x12345678);
    mmu_write(rig, COMMAND, FORCE_RESET);
    g_assert_cmphex(mmu_read(rig, DTE_ADDR), ==, 0);
    g_assert_cmphex(mmu_read(rig, AUTO_GATING), ==, 0x80000000);
    rig_stop(rig);
}

static void test_dummy(void)
{
    try_dummy("'version':1", 0xfffff000);
    try_dummy("'version':2", 0xfffffff0);
}

static void test_stall_and_paging(void)
{
    Rig *rig = start("");

    mmu_write(rig, COMMAND, ENABLE_STALL);
    g_assert_false(mmu_read(rig, STATUS) & STALL);
    mmu_write(rig, COMMAND, ENABLE);
    g_assert_true(mmu_read(rig, STATUS) & PAGING);
    mmu_write(rig, COMMAND, ENABLE_STALL);
    g_assert_true(mmu_read(rig, STATUS) & STALL);
    mmu_write(rig, COMMAND, DISABLE_STALL);
    g_assert_false(mmu_read(rig, STATUS) & STALL);
    mmu_write(rig, COMMAND, DISABLE);
    g_assert_false(mmu_read(rig, STATUS) & PAGING);
    rig_stop(rig);
}

static void test_nonsense(void)
{
    Rig *rig = start("");

    mmu_write(rig, COMMAND, 7);
    mmu_write(rig, 0x28, 1);
    g_assert_cmphex(mmu_read(rig, 0xfc), ==, 0);
    mmu_write(rig, INT_STATUS, 1);
    g_assert_cmpuint(mmu_count(rig, "guest-errors"), ==, 4);
    rig_stop(rig);
}

/* ---- translation ---- */

/* Without paging an IOVA is an address, and that is told */
static void test_off(void)
{
    Rig *rig = start("");

    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &fill_two).status, ==, DMABED_COMP_OK);
    assert_pattern(rig, DATA_AT, 0, 2 * PAGE);
    g_assert_cmpuint(mmu_count(rig, "untranslated"), >, 0);
    g_assert_cmpuint(mmu_count(rig, "walks"), ==, 0);
    rig_stop(rig);
}

/* Two pages in a row for the engine, apart from each other in RAM */
static void try_scattered(const char *properties)
{
    Rig *rig = start_mapped(properties);
    g_autoptr(QDict) dict = NULL;
    QDict *job;

    map(rig, DATA_AT, OTHER_AT | RW);
    map(rig, DATA_AT + PAGE, (OTHER_AT + 9 * PAGE) | RW);
    g_assert_cmpuint(job_run(rig, &fill_two).status, ==, DMABED_COMP_OK);
    assert_pattern(rig, OTHER_AT, 0, PAGE);
    assert_pattern(rig, OTHER_AT + 9 * PAGE, PAGE, PAGE);
    dict = evidence(rig);
    job = last_job(dict);
    assert_span(job, "written", 0, DATA_AT, 2 * PAGE);
    assert_place(job, "written-system", 0, OTHER_AT, PAGE);
    assert_place(job, "written-system", 1, OTHER_AT + 9 * PAGE, PAGE);
    g_assert_cmpuint(mmu_count(rig, "untranslated"), ==, 0);
    g_assert_cmpuint(entries(rig, "faults"), ==, 0);
    g_assert_cmpuint(entries(rig, "violations"), ==, 0);
    rig_stop(rig);
}

static void test_scattered(void)
{
    try_scattered("'version':2");
    try_scattered("'version':1");
    try_scattered("'tlb':0");
    try_scattered("'tlb':1");
}

/* Without an IOMMU the engine says nothing of the system's addresses */
static void test_none(void)
{
    Rig *rig = rig_start("");
    g_autoptr(QDict) dict = NULL;

    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_OK);
    dict = evidence(rig);
    g_assert_true(qlist_empty(qdict_get_qlist(last_job(dict),
                                              "written-system")));
    rig_stop(rig);
}

/* Bits 39:36 in 7:4 and 35:32 in 11:8; nobody answers at such an address */
static void test_high_bits(void)
{
    Rig *rig = start_mapped("'version':2");

    map(rig, DATA_AT, OTHER_AT | 0x120 | RW);
    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_DECODE);
    g_assert_cmpuint(entries(rig, "faults"), ==, 0);
    rig_stop(rig);

    /* in a version 1 they are flags */
    rig = start_mapped("'version':1");
    map(rig, DATA_AT, OTHER_AT | 0x120 | RW);
    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_OK);
    assert_pattern(rig, OTHER_AT, 0, PAGE);
    rig_stop(rig);
}

/* Address lines that the IOMMU lacks: the page is another one */
static void test_output_width(void)
{
    Rig *rig = start_mapped("'output-bits':32");

    map(rig, DATA_AT, OTHER_AT | 0x120 | RW);
    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_OK);
    assert_pattern(rig, OTHER_AT, 0, PAGE);
    assert_mmu_violation(rig, "output-width", DATA_AT, PAGE, OTHER_AT,
                         OTHER_AT | 0x2100000000);
    rig_stop(rig);
}

/* The directory is beyond the lines: it is read where they lead */
static void test_output_width_of_tables(void)
{
    Rig *rig = start_mapped("'output-bits':32");

    mmu_write(rig, DTE_ADDR, DIRECTORY | 0x100);
    mmu_write(rig, COMMAND, ZAP_CACHE);
    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_OK);
    assert_mmu_violation(rig, "output-width", RING_AT, PAGE, dte_at(RING_AT),
                         dte_at(RING_AT) | 0x100000000);
    rig_stop(rig);
}

/* IOVAs have 32 bits, whatever the engine drives */
static void test_iova_width(void)
{
    Rig *rig = start_mapped("");
    Job job = fill_one;

    job.dst[0].address += 1ULL << 32;
    g_assert_cmpuint(job_run(rig, &job).status, ==, DMABED_COMP_DECODE);
    g_assert_cmpuint(entries(rig, "faults"), ==, 0);
    rig_stop(rig);
}

/* ---- faults ---- */

typedef struct BadTable {
    const char *name;
    uint64_t at;
    uint32_t entry;
    const Job *job;
    const char *reason;
    const char *access;
    uint32_t interrupt;
} BadTable;

static const BadTable bad_tables[] = {
    { "no-table", DIRECTORY + (DATA_AT >> 22) * 4, 0, &fill_one, "no-table",
      "write", 1 },
    { "no-page", TABLES + ((DATA_AT - RAM_BASE) >> 22) * PAGE, 0, &fill_one,
      "no-page", "write", 1 },
    { "no-page-read", TABLES + ((DATA_AT - RAM_BASE) >> 22) * PAGE, 0,
      &digest_one, "no-page", "read", 1 },
    { "not-writable", TABLES + ((DATA_AT - RAM_BASE) >> 22) * PAGE,
      DATA_AT | 3, &fill_one, "not-writable", "write", 1 },
    { "not-readable", TABLES + ((DATA_AT - RAM_BASE) >> 22) * PAGE,
      DATA_AT | 5, &digest_one, "not-readable", "read", 1 },
    /* a table in a device's registers, and one where nothing is */
    { "table-in-registers", DIRECTORY + (DATA_AT >> 22) * 4,
      IOMMU_BASE | VALID, &fill_one, "bus-error", "write", 2 },
    { "table-nowhere", DIRECTORY + (DATA_AT >> 22) * 4, 0xf0000000 | VALID,
      &digest_one, "bus-error", "read", 2 },
};

static void test_bad_table(const void *opaque)
{
    const BadTable *bad = opaque;
    Rig *rig = start_mapped("");
    uint32_t status = bad->interrupt != 1 ? 0 :
        bad->job == &fill_one ? FAULT | FAULT_IS_WRITE : FAULT;

    qtest_irq_intercept_out_named(rig->qts, IOMMU_PATH, "sysbus-irq");
    qtest_writel(rig->qts, bad->at, bad->entry);
    g_assert_cmpuint(job_run(rig, bad->job).status, ==, DMABED_COMP_DECODE);
    assert_fault(rig, bad->reason, bad->access, DATA_AT);
    g_assert_cmpuint(entries(rig, "faults"), ==, 1);
    g_assert_cmphex(mmu_read(rig, FAULT_ADDR), ==, DATA_AT);
    g_assert_cmphex(mmu_read(rig, STATUS) & (FAULT | FAULT_IS_WRITE), ==,
                    status);
    g_assert_cmphex(mmu_read(rig, INT_STATUS), ==, bad->interrupt);
    g_assert_true(qtest_get_irq(rig->qts, 0));

    mmu_write(rig, COMMAND, FAULT_DONE);
    g_assert_cmphex(mmu_read(rig, STATUS) & (FAULT | FAULT_IS_WRITE), ==, 0);
    mmu_write(rig, INT_CLEAR, bad->interrupt);
    g_assert_cmphex(mmu_read(rig, INT_RAWSTAT), ==, 0);
    g_assert_false(qtest_get_irq(rig->qts, 0));
    rig_stop(rig);
}

/* A directory that is its own table: the walk ends after two steps */
static void test_recursive_table(void)
{
    Rig *rig = start_mapped("");

    qtest_writel(rig->qts, dte_at(DATA_AT), DIRECTORY | VALID);
    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_DECODE);
    assert_fault(rig, "no-page", "write", DATA_AT);
    rig_stop(rig);
}

/* The first one's address stays until it is acknowledged; all are recorded */
static void test_two_faults(void)
{
    Rig *rig = start_mapped("");
    Job other = fill_one;

    other.dst[0].address += PAGE;
    map(rig, DATA_AT, 0);
    map(rig, DATA_AT + PAGE, 0);
    job_run(rig, &fill_one);
    job_run(rig, &other);
    g_assert_cmphex(mmu_read(rig, FAULT_ADDR), ==, DATA_AT);
    g_assert_cmpuint(entries(rig, "faults"), ==, 2);
    mmu_write(rig, COMMAND, ENABLE_STALL);
    g_assert_false(mmu_read(rig, STATUS) & STALL);
    rig_stop(rig);
}

/* The driver acknowledges no bus error: what comes after it is told anew */
static void test_fault_after_bus_error(void)
{
    Rig *rig = start_mapped("");

    qtest_writel(rig->qts, dte_at(DATA_AT), IOMMU_BASE | VALID);
    job_run(rig, &digest_one);
    g_assert_cmphex(mmu_read(rig, FAULT_ADDR), ==, DATA_AT);
    mmu_write(rig, INT_CLEAR, mmu_read(rig, INT_STATUS));

    qtest_writel(rig->qts, dte_at(DATA_AT), table_of(DATA_AT) | VALID);
    map(rig, DATA_AT + PAGE, 0);
    job_run(rig, &fill_two);
    g_assert_cmphex(mmu_read(rig, INT_STATUS), ==, 1);
    g_assert_cmphex(mmu_read(rig, FAULT_ADDR), ==, DATA_AT + PAGE);
    g_assert_true(mmu_read(rig, STATUS) & FAULT_IS_WRITE);
    rig_stop(rig);
}

static void test_masked(void)
{
    Rig *rig = start_mapped("");

    qtest_irq_intercept_out_named(rig->qts, IOMMU_PATH, "sysbus-irq");
    mmu_write(rig, INT_MASK, 0);
    map(rig, DATA_AT, 0);
    job_run(rig, &fill_one);
    g_assert_cmphex(mmu_read(rig, INT_RAWSTAT), ==, 1);
    g_assert_cmphex(mmu_read(rig, INT_STATUS), ==, 0);
    g_assert_false(qtest_get_irq(rig->qts, 0));
    mmu_write(rig, INT_MASK, 1);
    g_assert_true(qtest_get_irq(rig->qts, 0));
    rig_stop(rig);
}

/* ---- TLB ---- */

/* A page that was used, then mapped elsewhere without a word to the TLB */
static Rig *start_stale(const char *properties)
{
    Rig *rig = start_mapped(properties);

    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_OK);
    map(rig, DATA_AT, OTHER_AT | RW);
    return rig;
}

static void assert_zapped(Rig *rig)
{
    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_OK);
    assert_pattern(rig, OTHER_AT, 0, PAGE);
    g_assert_cmpuint(entries(rig, "violations"), ==, 0);
    rig_stop(rig);
}

static void test_stale(void)
{
    static const uint8_t nothing[PAGE];
    Rig *rig = start_stale("");

    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_OK);
    assert_memory(rig, OTHER_AT, nothing, PAGE);
    assert_mmu_violation(rig, "stale", DATA_AT, PAGE, DATA_AT, OTHER_AT);
    g_assert_cmpuint(entries(rig, "violations"), ==, 1);
    g_assert_cmpuint(mmu_count(rig, "hits"), >, 0);
    rig_stop(rig);
}

/* A page that is no longer mapped at all */
static void test_stale_unmapped(void)
{
    Rig *rig = start_mapped("");

    job_run(rig, &fill_two);
    map(rig, DATA_AT, 0);
    map(rig, DATA_AT + PAGE, 0);
    g_assert_cmpuint(job_run(rig, &fill_two).status, ==, DMABED_COMP_OK);
    assert_mmu_violation(rig, "stale", DATA_AT, 2 * PAGE, DATA_AT, -1);
    g_assert_cmpuint(entries(rig, "violations"), ==, 1);
    rig_stop(rig);
}

static void test_zap(void)
{
    Rig *rig = start_stale("");

    mmu_write(rig, ZAP_ONE_LINE, DATA_AT + 8);
    g_assert_cmpuint(mmu_count(rig, "zapped-pages"), ==, 1);
    assert_zapped(rig);

    rig = start_stale("");
    mmu_write(rig, COMMAND, ZAP_CACHE);
    assert_zapped(rig);

    rig = start_stale("");
    turn_on(rig);
    assert_zapped(rig);

    rig = start_stale("'tlb':0");
    assert_zapped(rig);
}

/* The completion's page took the only entry from the data's */
static void test_eviction(void)
{
    Rig *rig = start_stale("'tlb':1");

    assert_zapped(rig);
}

/* Another line's zap leaves this one alone */
static void test_zap_another(void)
{
    Rig *rig = start_stale("");

    mmu_write(rig, ZAP_ONE_LINE, DATA_AT + PAGE);
    job_run(rig, &fill_one);
    g_assert_cmpuint(entries(rig, "violations"), ==, 1);
    rig_stop(rig);
}

static void test_ignore_zap(void)
{
    Rig *rig = start_stale("");

    qtest_qom_set_bool(rig->qts, IOMMU_PATH, "ignore-zap", true);
    mmu_write(rig, ZAP_ONE_LINE, DATA_AT);
    turn_on(rig);
    g_assert_cmpuint(mmu_count(rig, "ignored-zaps"), ==, 3);
    job_run(rig, &fill_one);
    g_assert_cmpuint(entries(rig, "violations"), ==, 1);
    qtest_qom_set_bool(rig->qts, IOMMU_PATH, "ignore-zap", false);
    mmu_write(rig, ZAP_ONE_LINE, DATA_AT);
    job_run(rig, &fill_one);
    assert_pattern(rig, OTHER_AT, 0, PAGE);
    rig_stop(rig);
}

/* A machine's reset empties everything but what the host asked for */
static void test_system_reset(void)
{
    Rig *rig = start_stale("");

    qtest_system_reset(rig->qts);
    g_assert_cmphex(mmu_read(rig, STATUS) & PAGING, ==, 0);
    g_assert_cmphex(mmu_read(rig, DTE_ADDR), ==, 0);
    g_assert_cmpuint(mmu_count(rig, "walks"), ==, 0);
    turn_on(rig);
    rig_enable(rig);
    assert_zapped(rig);
}

/* ---- migration ---- */

static void test_migration(void)
{
    Rig *rig = start_stale("");

    mmu_write(rig, INT_MASK, 1);
    mmu_write(rig, AUTO_GATING, 0x80000002);
    rig_migrate(rig);
    g_assert_cmphex(mmu_read(rig, DTE_ADDR), ==, DIRECTORY);
    g_assert_true(mmu_read(rig, STATUS) & PAGING);
    g_assert_cmphex(mmu_read(rig, INT_MASK), ==, 1);
    g_assert_cmphex(mmu_read(rig, AUTO_GATING), ==, 0x80000002);
    /* evidence is the host's, and begins anew; what the TLB holds is not */
    g_assert_cmpuint(mmu_count(rig, "walks"), ==, 0);
    job_run(rig, &fill_one);
    assert_mmu_violation(rig, "stale", DATA_AT, PAGE, DATA_AT, OTHER_AT);
    rig_stop(rig);
}

static void test_migrated_fault(void)
{
    Rig *rig = start_mapped("");

    map(rig, DATA_AT, 0);
    job_run(rig, &fill_one);
    rig_migrate(rig);
    g_assert_cmphex(mmu_read(rig, FAULT_ADDR), ==, DATA_AT);
    g_assert_cmphex(mmu_read(rig, INT_STATUS), ==, 1);
    g_assert_true(mmu_read(rig, STATUS) & FAULT);
    g_assert_cmpuint(entries(rig, "faults"), ==, 0);
    rig_stop(rig);
}

/* ---- the one that Linux's sun50i-iommu drives ---- */

#define SUN50I_BASE 0x38320000ULL
#define SUN50I_DIRECTORY (RAM_BASE + 0xc00000)
#define SUN50I_TABLES (SUN50I_DIRECTORY + 0x4000)
#define RD_WR (4u << 4 | 2u)    /* the driver's domain for both, valid */
#define RD (2u << 4 | 2u)

static void sun50i_set(Rig *rig, uint64_t offset, uint32_t value)
{
    qtest_writel(rig->qts, SUN50I_BASE + offset, value);
}

static uint32_t sun50i_get(Rig *rig, uint64_t offset)
{
    return qtest_readl(rig->qts, SUN50I_BASE + offset);
}

static void sun50i_map(Rig *rig, uint32_t iova, uint32_t pte)
{
    qtest_writel(rig->qts, SUN50I_TABLES + ((iova - RAM_BASE) >> 12) * 4, pte);
}

/* All of RAM where it is, the data's page elsewhere; as the driver turns on */
static Rig *sun50i_start(void)
{
    Rig *rig = rig_start_behind(
        "-device '{\"driver\":\"dmabed-sun50i-iommu\",\"id\":\"mmu\","
        "\"mmio-base\":942800896,\"spi\":65}'", "'iommu':'mmu'");

    write_entries(rig, SUN50I_DIRECTORY + (RAM_BASE >> 20) * 4, RAM_SIZE / MiB,
                  SUN50I_TABLES | 1, 1024);
    write_entries(rig, SUN50I_TABLES, RAM_SIZE / PAGE, RAM_BASE | RD_WR, PAGE);
    sun50i_map(rig, DATA_AT, OTHER_AT | RD_WR);
    sun50i_set(rig, 0xf00, 1);
    sun50i_set(rig, 0x50, SUN50I_DIRECTORY);
    sun50i_set(rig, 0x100, 0x3003f);
    sun50i_set(rig, 0xb4, 0xaaa);       /* domain 2: read only */
    sun50i_set(rig, 0x20, 1);
    rig_enable(rig);
    return rig;
}

static void test_sun50i_translates(void)
{
    Rig *rig = sun50i_start();

    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_OK);
    assert_pattern(rig, OTHER_AT, 0, PAGE);
    g_assert_cmpuint(mmu_count(rig, "untranslated"), ==, 0);
    g_assert_cmpuint(entries(rig, "faults"), ==, 0);
    rig_stop(rig);
}

static void test_sun50i_faults(void)
{
    Rig *rig = sun50i_start();

    sun50i_map(rig, DATA_AT, OTHER_AT | RD);
    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_DECODE);
    assert_fault(rig, "not-writable", "write", DATA_AT);
    g_assert_cmphex(sun50i_get(rig, 0x108), ==, 1);
    g_assert_cmphex(sun50i_get(rig, 0x110), ==, DATA_AT);
    g_assert_cmphex(sun50i_get(rig, 0x150), ==, OTHER_AT | RD);
    sun50i_set(rig, 0x104, 1);

    sun50i_set(rig, 0x80, 0x3003f);
    sun50i_map(rig, DATA_AT, 0);
    job_run(rig, &fill_one);
    g_assert_cmphex(sun50i_get(rig, 0x108), ==, 1u << 17);
    g_assert_cmphex(sun50i_get(rig, 0x134), ==, DATA_AT);
    g_assert_cmphex(sun50i_get(rig, 0x184), ==, 1);
    sun50i_set(rig, 0x104, 1u << 17);
    sun50i_set(rig, 0x10, ~1u);
    g_assert_cmphex(sun50i_get(rig, 0x184), ==, 0);

    qtest_writel(rig->qts, SUN50I_DIRECTORY + (DATA_AT >> 20) * 4, 0);
    job_run(rig, &fill_one);
    g_assert_cmphex(sun50i_get(rig, 0x108), ==, 1u << 16);
    g_assert_cmphex(sun50i_get(rig, 0x130), ==, DATA_AT);
    rig_stop(rig);
}

/* The entry that denies comes from the TLB, not from the last walk */
static void test_sun50i_fault_of_kept(void)
{
    Rig *rig = sun50i_start();

    sun50i_map(rig, DATA_AT, OTHER_AT | RD);
    g_assert_cmpuint(job_run(rig, &digest_one).status, ==, DMABED_COMP_OK);
    g_assert_cmpuint(job_run(rig, &fill_one).status, ==, DMABED_COMP_DECODE);
    g_assert_cmphex(sun50i_get(rig, 0x110), ==, DATA_AT);
    g_assert_cmphex(sun50i_get(rig, 0x150), ==, OTHER_AT | RD);
    rig_stop(rig);
}

/* What tells of faults is not for the guest to make up */
static void test_sun50i_read_only(void)
{
    Rig *rig = sun50i_start();

    qtest_irq_intercept_out_named(rig->qts, IOMMU_PATH, "sysbus-irq");
    sun50i_set(rig, 0x108, 0x3003f);
    sun50i_set(rig, 0x110, 1);
    sun50i_set(rig, 0x184, 1);
    g_assert_cmphex(sun50i_get(rig, 0x108), ==, 0);
    g_assert_cmphex(sun50i_get(rig, 0x110), ==, 0);
    g_assert_cmphex(sun50i_get(rig, 0x184), ==, 0);
    g_assert_false(qtest_get_irq(rig->qts, 0));
    g_assert_cmpuint(mmu_count(rig, "guest-errors"), ==, 3);
    rig_stop(rig);
}

static void test_sun50i_zaps(void)
{
    Rig *rig = sun50i_start();

    job_run(rig, &fill_one);
    sun50i_map(rig, DATA_AT, DATA_AT | RD_WR);
    job_run(rig, &fill_one);
    assert_mmu_violation(rig, "stale", DATA_AT, PAGE, OTHER_AT, DATA_AT);
    sun50i_set(rig, 0x90, DATA_AT);
    sun50i_set(rig, 0x94, 0xfffff000);
    sun50i_set(rig, 0x98, 1);
    g_assert_cmphex(sun50i_get(rig, 0x98), ==, 0);
    job_run(rig, &fill_one);
    assert_pattern(rig, DATA_AT, 0, PAGE);
    g_assert_cmpuint(entries(rig, "violations"), ==, 1);
    rig_stop(rig);
}

/* Held in reset it takes nothing, and what it had is gone */
static void test_sun50i_reset(void)
{
    Rig *rig = sun50i_start();

    sun50i_set(rig, 0xf00, 0);
    g_assert_cmphex(sun50i_get(rig, 0x20), ==, 0);
    g_assert_cmphex(sun50i_get(rig, 0x50), ==, 0);
    sun50i_set(rig, 0x20, 1);
    g_assert_cmphex(sun50i_get(rig, 0x20), ==, 0);
    g_assert_cmpuint(mmu_count(rig, "guest-errors"), ==, 1);
    rig_stop(rig);
}

static void test_sun50i_migration(void)
{
    Rig *rig = sun50i_start();

    job_run(rig, &fill_one);
    sun50i_map(rig, DATA_AT, DATA_AT | RD_WR);
    rig_migrate(rig);
    g_assert_cmphex(sun50i_get(rig, 0x50), ==, SUN50I_DIRECTORY);
    g_assert_cmphex(sun50i_get(rig, 0xf00), ==, 1);
    job_run(rig, &fill_one);
    assert_mmu_violation(rig, "stale", DATA_AT, PAGE, OTHER_AT, DATA_AT);
    rig_stop(rig);
}

/* ---- what must stop QEMU at its start ---- */

typedef struct BadIommu {
    const char *name;
    const char *iommu;          /* JSON members, beside its driver and id */
    const char *engine;         /* the same of an engine with a place */
    const char *message;
} BadIommu;

#define RK "'driver':'dmabed-rk-iommu',"
#define SUN50I "'driver':'dmabed-sun50i-iommu',"
#define IOMMU_PLACE "'mmio-base':942735360,'spi':65"

static const BadIommu bad_iommus[] = {
    { "no-mmio-base", RK "'spi':65", "'spi':64", "mmio-base: must be given" },
    { "no-spi", RK "'mmio-base':942735360", "'spi':64",
      "spi: must be given" },
    { "unaligned", RK "'mmio-base':942735488,'spi':65", "'spi':64",
      "mmio-base: 0x38310080 is no multiple of 0x100" },
    { "unaligned-page", SUN50I "'mmio-base':942735616,'spi':65", "'spi':64",
      "mmio-base: 0x38310100 is no multiple of 0x1000" },
    { "on-ram", RK "'mmio-base':1073741824,'spi':65", "'spi':64",
      "overlaps dmabed-soc.ram at 0x40000000" },
    { "spi-in-use", RK "'mmio-base':942735360,'spi':1", "'spi':64",
      "spi: SPI 1 is already in use" },
    { "version", RK IOMMU_PLACE ",'version':3", "'spi':64",
      "version: 3 is unknown; allowed are 1 and 2" },
    { "output-bits", RK IOMMU_PLACE ",'output-bits':41", "'spi':64",
      "output-bits: 41 is out of range; allowed are 24...40" },
    { "output-bits-v1", RK IOMMU_PLACE ",'output-bits':33,'version':1",
      "'spi':64", "output-bits: 33 is out of range; allowed are 24...32" },
    { "output-bits-sun50i", SUN50I IOMMU_PLACE ",'output-bits':23",
      "'spi':64", "output-bits: 23 is out of range; allowed are 24...32" },
    { "tlb", RK IOMMU_PLACE ",'tlb':4097", "'spi':64",
      "tlb: 4097 is out of range; allowed are 0...4096" },
    { "engine-on-its-interrupt", RK IOMMU_PLACE, "'spi':65",
      "spi: SPI 65 is already in use" },
    { "engine-not-behind-it", RK IOMMU_PLACE, "'spi':64,'iommu':'other'",
      "other" },
    { "engine-past-it", RK IOMMU_PLACE,
      "'spi':64,'iommu':'mmu','dma':'/machine/unattached/system[0]'",
      "iommu: not together with dma" },
};

static void test_bad_iommu(const void *opaque)
{
    const BadIommu *bad = opaque;
    g_autofree char *iommu = g_strdup_printf("{'id':'mmu',%s}", bad->iommu);
    g_autofree char *engine = g_strdup_printf(
        "{'driver':'dmabed-engine-sys','id':'codec','mmio-base':942669824,%s}",
        bad->engine);
    const char *const devices[] = { iommu, engine, NULL };

    assert_no_start("dmabed-soc", devices, bad->message);
}

/* ---- registration ---- */

void add_iommu_tests(void)
{
    qtest_add_func("dmabed/iommu/reset-values", test_reset_values);
    qtest_add_func("dmabed/iommu/dummy", test_dummy);
    qtest_add_func("dmabed/iommu/stall-and-paging", test_stall_and_paging);
    qtest_add_func("dmabed/iommu/nonsense", test_nonsense);
    qtest_add_func("dmabed/iommu/off", test_off);
    qtest_add_func("dmabed/iommu/scattered", test_scattered);
    qtest_add_func("dmabed/iommu/none", test_none);
    qtest_add_func("dmabed/iommu/high-bits", test_high_bits);
    qtest_add_func("dmabed/iommu/output-width", test_output_width);
    qtest_add_func("dmabed/iommu/output-width-of-tables",
                   test_output_width_of_tables);
    qtest_add_func("dmabed/iommu/iova-width", test_iova_width);
    for (unsigned i = 0; i < ARRAY_SIZE(bad_tables); i++) {
        g_autofree char *name = g_strdup_printf("dmabed/iommu/bad-table/%s",
                                                bad_tables[i].name);

        qtest_add_data_func(name, &bad_tables[i], test_bad_table);
    }
    qtest_add_func("dmabed/iommu/recursive-table", test_recursive_table);
    qtest_add_func("dmabed/iommu/two-faults", test_two_faults);
    qtest_add_func("dmabed/iommu/fault-after-bus-error",
                   test_fault_after_bus_error);
    qtest_add_func("dmabed/iommu/masked", test_masked);
    qtest_add_func("dmabed/iommu/stale", test_stale);
    qtest_add_func("dmabed/iommu/stale-unmapped", test_stale_unmapped);
    qtest_add_func("dmabed/iommu/zap", test_zap);
    qtest_add_func("dmabed/iommu/eviction", test_eviction);
    qtest_add_func("dmabed/iommu/zap-another", test_zap_another);
    qtest_add_func("dmabed/iommu/ignore-zap", test_ignore_zap);
    qtest_add_func("dmabed/iommu/system-reset", test_system_reset);
    qtest_add_func("dmabed/iommu/migration", test_migration);
    qtest_add_func("dmabed/iommu/migrated-fault", test_migrated_fault);
    for (unsigned i = 0; i < ARRAY_SIZE(bad_iommus); i++) {
        g_autofree char *name = g_strdup_printf("dmabed/iommu/start/%s",
                                                bad_iommus[i].name);

        qtest_add_data_func(name, &bad_iommus[i], test_bad_iommu);
    }
    qtest_add_func("dmabed/iommu/sun50i/translates", test_sun50i_translates);
    qtest_add_func("dmabed/iommu/sun50i/faults", test_sun50i_faults);
    qtest_add_func("dmabed/iommu/sun50i/fault-of-kept",
                   test_sun50i_fault_of_kept);
    qtest_add_func("dmabed/iommu/sun50i/read-only", test_sun50i_read_only);
    qtest_add_func("dmabed/iommu/sun50i/zaps", test_sun50i_zaps);
    qtest_add_func("dmabed/iommu/sun50i/reset", test_sun50i_reset);
    qtest_add_func("dmabed/iommu/sun50i/migration", test_sun50i_migration);
}
