/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtests of the dmabed DMA engine's PCI Express front end, and of the host
 * bridge of dmabed-soc.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "dmabed-engine-util.h"
#include "standard-headers/linux/pci_regs.h"

#define LOCAL_SIZE (64 * KiB)
#define LOCAL "'local-memory':65536"

/* Where messages go, so that memory shows them */
#define MESSAGE_AT (RAM_BASE + 0x40000)
#define MESSAGE 0x5a5a

static const Job fill = {
    .op = DMABED_OP_FILL, .flags = DMABED_JOB_FLAG_IRQ, .seed = 5,
    .length = 4096, .num_dst = 1, .dst = { { DATA_AT, 4096 } },
};

static uint16_t config_read(Rig *rig, unsigned offset)
{
    return qtest_readw(rig->qts, pci_at(0, ENGINE_SLOT, offset));
}

static void config_write(Rig *rig, unsigned offset, uint16_t value)
{
    qtest_writew(rig->qts, pci_at(0, ENGINE_SLOT, offset), value);
}

static void assert_pattern(Rig *rig, uint64_t address, size_t size,
                           uint64_t seed)
{
    g_autofree uint8_t *expected = g_malloc(size);

    pattern(expected, size, seed, 0);
    assert_memory(rig, address, expected, size);
}

/* ---- configuration space ---- */

static void test_identity(void)
{
    Rig *rig = rig_start_pci("");

    g_assert_cmphex(config_read(rig, PCI_VENDOR_ID), ==, DMABED_PCI_VENDOR_ID);
    g_assert_cmphex(config_read(rig, PCI_DEVICE_ID), ==, DMABED_PCI_DEVICE_ID);
    g_assert_cmphex(config_read(rig, PCI_CLASS_DEVICE), ==, 0xff00);
    g_assert_cmphex(config_read(rig, PCI_INTERRUPT_PIN) & 0xff, ==, 1);
    /* without local memory there is no BAR 2 */
    g_assert_cmphex(config_read(rig, PCI_BASE_ADDRESS_2), ==, 0);
    g_assert_cmphex(config_read(rig, PCI_BASE_ADDRESS_3), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_ID), ==, DMABED_ID_VALUE);
    g_assert_cmphex(reg_read(rig, DMABED_REG_NAME), ==, 0x65646f63);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_LOCAL_SIZE_LO), ==, 0);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_LOCAL_BASE_HI), ==, 0);
    rig_stop(rig);
}

/* Nothing behind the bridge reads as ones, as Linux expects */
static void test_empty_slot(void)
{
    Rig *rig = rig_start_pci("");

    g_assert_cmphex(qtest_readl(rig->qts, pci_at(0, 5, 0)), ==, UINT32_MAX);
    g_assert_cmphex(qtest_readl(rig->qts, pci_at(15, 0, 0)), ==, UINT32_MAX);
    rig_stop(rig);
}

static void test_bad_local(void)
{
    Rig *rig = rig_start_port();
    g_autoptr(QDict) reply = qtest_qmp(rig->qts,
        "{'execute':'device_add','arguments':{'driver':'dmabed-engine-pci',"
        "'bus':'rp0','id':'codec','local-memory':12288}}");

    g_assert_nonnull(strstr(qdict_get_str(qdict_get_qdict(reply, "error"),
                                          "desc"),
                            "local-memory: 12288 is no power of 2"));
    rig_stop(rig);
}

/* ---- DMA ---- */

static void test_job(void)
{
    Rig *rig = rig_start_pci("");

    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &fill).status, ==, DMABED_COMP_OK);
    assert_pattern(rig, DATA_AT, 4096, 5);
    rig_stop(rig);
}

/* A device that may not master the bus reads no ring and writes no byte */
static void test_no_bus_master(void)
{
    Rig *rig = rig_start_pci("");

    rig_enable(rig);
    config_write(rig, PCI_COMMAND, PCI_COMMAND_MEMORY);
    job_does_not_end(rig, job_submit(rig, &fill));
    g_assert_cmphex(reg_read(rig, DMABED_REG_ERROR), ==,
                    DMABED_ERROR_RING_FETCH);
    g_assert_cmphex(qtest_readq(rig->qts, DATA_AT), ==, 0);
    rig_stop(rig);
}

/* ... and a job that is on its way stops there */
static void test_bus_master_lost(void)
{
    Rig *rig = rig_start_pci("");
    g_autoptr(QDict) dict = NULL;

    rig_enable(rig);
    hold(rig, 1000);
    job_does_not_end(rig, job_submit(rig, &fill));
    config_write(rig, PCI_COMMAND, PCI_COMMAND_MEMORY);
    release(rig);
    qtest_clock_step(rig->qts, 1000000);
    g_assert_cmphex(reg_read(rig, DMABED_REG_ERROR), ==,
                    DMABED_ERROR_COMPLETION);
    dict = evidence(rig);
    g_assert_cmpstr(qdict_get_str(last_job(dict), "status"), ==, "decode");
    g_assert_cmpint(qdict_get_int(last_job(dict), "bytes"), ==, 1000);
    rig_stop(rig);
}

static uint64_t local_base(Rig *rig)
{
    return (uint64_t)reg_read(rig, DMABED_REG_CAP_LOCAL_BASE_HI) << 32 |
           reg_read(rig, DMABED_REG_CAP_LOCAL_BASE_LO);
}

static Completion fill_local(Rig *rig, uint64_t address, uint64_t seed)
{
    Job job = {
        .op = DMABED_OP_FILL, .seed = seed, .length = LOCAL_SIZE,
        .num_dst = 1, .dst = { { address, LOCAL_SIZE } },
    };

    return job_run(rig, &job);
}

/* CPUs and the engine find it where BAR 2 says, wherever that is */
static void test_local(void)
{
    Rig *rig = rig_start_pci(LOCAL);

    rig_enable(rig);
    g_assert_cmphex(reg_read(rig, DMABED_REG_CAP_LOCAL_SIZE_LO), ==,
                    LOCAL_SIZE);
    g_assert_cmphex(local_base(rig), ==, HIGH_MMIO);
    g_assert_cmpuint(fill_local(rig, HIGH_MMIO, 1).status, ==, DMABED_COMP_OK);
    assert_pattern(rig, HIGH_MMIO, LOCAL_SIZE, 1);

    qtest_writel(rig->qts, pci_at(0, ENGINE_SLOT, PCI_BASE_ADDRESS_2),
                 LOW_MMIO);
    qtest_writel(rig->qts, pci_at(0, ENGINE_SLOT, PCI_BASE_ADDRESS_3), 0);
    g_assert_cmphex(local_base(rig), ==, LOW_MMIO);
    assert_pattern(rig, LOW_MMIO, LOCAL_SIZE, 1);
    g_assert_cmpuint(fill_local(rig, LOW_MMIO, 2).status, ==, DMABED_COMP_OK);
    assert_pattern(rig, LOW_MMIO, LOCAL_SIZE, 2);
    g_assert_cmpuint(fill_local(rig, HIGH_MMIO, 1).status, ==,
                     DMABED_COMP_DECODE);
    rig_stop(rig);
}

/* ---- interrupts ---- */

static unsigned find_capability(Rig *rig, unsigned slot, unsigned id)
{
    unsigned at = qtest_readb(rig->qts, pci_at(0, slot, PCI_CAPABILITY_LIST));

    while (at && qtest_readb(rig->qts, pci_at(0, slot, at)) != id) {
        at = qtest_readb(rig->qts, pci_at(0, slot, at + 1));
    }
    g_assert_cmpuint(at, !=, 0);
    return at;
}

static void enable_msi(Rig *rig)
{
    unsigned at = find_capability(rig, ENGINE_SLOT, PCI_CAP_ID_MSI);

    g_assert_cmphex(config_read(rig, at + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_64BIT,
                    ==, PCI_MSI_FLAGS_64BIT);
    qtest_writel(rig->qts, pci_at(0, ENGINE_SLOT, at + PCI_MSI_ADDRESS_LO),
                 MESSAGE_AT);
    config_write(rig, at + PCI_MSI_DATA_64, MESSAGE);
    config_write(rig, at + PCI_MSI_FLAGS,
                 PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_ENABLE);
}

/* Whether a message has come since the last time */
static bool got_message(Rig *rig)
{
    uint32_t found = qtest_readl(rig->qts, MESSAGE_AT);

    qtest_writel(rig->qts, MESSAGE_AT, 0);
    g_assert_true(found == 0 || found == MESSAGE);
    return found;
}

static void test_msi(void)
{
    Rig *rig = rig_start_pci("");

    enable_msi(rig);
    rig_enable(rig);
    g_assert_false(got_message(rig));
    job_run(rig, &fill);
    g_assert_true(got_message(rig));
    /* nothing was cleared: the next job's message comes all the same */
    job_run(rig, &fill);
    g_assert_true(got_message(rig));
    reg_write(rig, DMABED_REG_IRQ_STATUS, DMABED_IRQ_DONE);
    g_assert_false(got_message(rig));
    rig_stop(rig);
}

/* What is pending and not cleared, or enabled late, is told again */
static void test_msi_again(void)
{
    Rig *rig = rig_start_pci("");

    enable_msi(rig);
    rig->irq_enable = 0;
    rig_enable(rig);
    job_run(rig, &fill);
    g_assert_false(got_message(rig));
    reg_write(rig, DMABED_REG_IRQ_ENABLE, DMABED_IRQ_DONE | DMABED_IRQ_ERROR);
    g_assert_true(got_message(rig));
    reg_write(rig, DMABED_REG_RING_HEAD, 1000);
    g_assert_true(got_message(rig));
    reg_write(rig, DMABED_REG_IRQ_STATUS, DMABED_IRQ_DONE);
    g_assert_true(got_message(rig));
    reg_write(rig, DMABED_REG_IRQ_STATUS, DMABED_IRQ_ERROR);
    g_assert_false(got_message(rig));
    rig_stop(rig);
}

static bool intx_pending(Rig *rig)
{
    return config_read(rig, PCI_STATUS) & PCI_STATUS_INTERRUPT;
}

static void test_intx(void)
{
    Rig *rig = rig_start_pci("");

    rig_enable(rig);
    g_assert_false(intx_pending(rig));
    job_run(rig, &fill);
    g_assert_true(intx_pending(rig));
    reg_write(rig, DMABED_REG_IRQ_STATUS, DMABED_IRQ_DONE);
    g_assert_false(intx_pending(rig));
    rig_stop(rig);
}

static void test_reset(void)
{
    Rig *rig = rig_start_pci("");

    rig_enable(rig);
    job_run(rig, &fill);
    qtest_system_reset(rig->qts);
    pci_enable(rig, 0, ENGINE_SLOT);
    g_assert_false(intx_pending(rig));
    g_assert_cmphex(reg_read(rig, DMABED_REG_CTRL), ==, 0);
    rig_enable(rig);
    g_assert_cmpuint(job_run(rig, &fill).status, ==, DMABED_COMP_OK);
    rig_stop(rig);
}

/* ---- plugging ---- */

static void set_slot_power(Rig *rig, bool on)
{
    unsigned at = find_capability(rig, PORT_SLOT, PCI_CAP_ID_EXP);

    qtest_writew(rig->qts, pci_at(0, PORT_SLOT, at + PCI_EXP_SLTCTL),
                 on ? PCI_EXP_SLTCTL_PWR_IND_ON
                    : PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PWR_IND_OFF);
}

/* What firmware or Linux does: bus numbers, and windows for all BARs */
static void open_port(Rig *rig)
{
    QTestState *qts = rig->qts;

    qtest_writel(qts, pci_at(0, PORT_SLOT, PCI_PRIMARY_BUS),
                 PORT_BUS << 16 | PORT_BUS << 8);
    qtest_writew(qts, pci_at(0, PORT_SLOT, PCI_MEMORY_BASE), 0x3830);
    qtest_writew(qts, pci_at(0, PORT_SLOT, PCI_MEMORY_LIMIT), 0x3830);
    qtest_writew(qts, pci_at(0, PORT_SLOT, PCI_PREF_MEMORY_BASE), 0);
    qtest_writew(qts, pci_at(0, PORT_SLOT, PCI_PREF_MEMORY_LIMIT), 0);
    qtest_writel(qts, pci_at(0, PORT_SLOT, PCI_PREF_BASE_UPPER32), 0x80);
    qtest_writel(qts, pci_at(0, PORT_SLOT, PCI_PREF_LIMIT_UPPER32), 0x80);
    qtest_writew(qts, pci_at(0, PORT_SLOT, PCI_COMMAND),
                 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void plug(Rig *rig)
{
    qtest_qmp_device_add(rig->qts, "dmabed-engine-pci", "codec",
                         "{'bus':'rp0','local-memory':65536}");
    set_slot_power(rig, true);
    pci_enable(rig, PORT_BUS, 0);
}

static void unplug(Rig *rig)
{
    qtest_qmp_device_del_send(rig->qts, "codec");
    set_slot_power(rig, false);
    qtest_qmp_eventwait(rig->qts, "DEVICE_DELETED");
    /* acknowledge the button, or the port does not take the next one */
    qtest_writew(rig->qts, pci_at(0, PORT_SLOT,
                 find_capability(rig, PORT_SLOT, PCI_CAP_ID_EXP) +
                 PCI_EXP_SLTSTA), UINT16_MAX);
}

static unsigned ram_blocks(Rig *rig)
{
    g_autofree char *text = qtest_hmp(rig->qts, "info ramblock");
    unsigned lines = 0;

    for (const char *c = text; *c; c++) {
        lines += *c == '\n';
    }
    return lines;
}

/* The device itself goes when no CPU can be looking at it any more */
static void expect_ram_blocks(Rig *rig, unsigned wanted)
{
    for (int i = 0; i < 500 && ram_blocks(rig) != wanted; i++) {
        g_usleep(10000);
    }
    g_assert_cmpuint(ram_blocks(rig), ==, wanted);
}

static unsigned slot_register(Rig *rig, unsigned offset)
{
    unsigned at = find_capability(rig, PORT_SLOT, PCI_CAP_ID_EXP);

    return qtest_readw(rig->qts, pci_at(0, PORT_SLOT, at + offset));
}

/* What the device left: one job that never ended */
static void assert_departed(Rig *rig)
{
    g_autoptr(QDict) reply = qtest_qmp(rig->qts,
        "{'execute':'qom-get','arguments':{'path':'/machine',"
        "'property':'departed'}}");
    QDict *words = qdict_get_qdict(qdict_get_qdict(reply, "return"), "codec");
    QDict *job = last_job(words);

    g_assert_cmpint(qdict_get_int(words, "jobs-total"), ==, 1);
    g_assert_false(qdict_get_bool(words, "held"));
    g_assert_false(qdict_get_bool(job, "done"));
    g_assert_cmpint(qdict_get_int(job, "bytes"), ==, 1000);
    g_assert_cmpint(qdict_get_int(job, "end-ns"), >, 0);
}

/* A guest that switches the slot off resets the device, but not its record */
static void test_power(void)
{
    Rig *rig = rig_start_port();
    unsigned at = find_capability(rig, PORT_SLOT, PCI_CAP_ID_EXP);
    g_autoptr(QDict) dict = NULL;

    open_port(rig);
    plug(rig);
    rig_enable(rig);
    hold(rig, 1000);
    job_does_not_end(rig, job_submit(rig, &fill));
    qtest_writew(rig->qts, pci_at(0, PORT_SLOT, at + PCI_EXP_SLTCTL),
                 PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PWR_IND_ON);
    g_assert_cmphex(reg_read(rig, DMABED_REG_ID), !=, DMABED_ID_VALUE);
    dict = evidence(rig);
    g_assert_cmpint(qdict_get_int(dict, "jobs-total"), ==, 1);
    g_assert_cmpint(qdict_get_int(last_job(dict), "bytes"), ==, 1000);
    g_assert_cmpint(qdict_get_int(last_job(dict), "end-ns"), >, 0);
    rig_stop(rig);
}

/*
 * Gone before the guest knows: the slot tells that it is empty, and is as the
 * guest has switched it.
 */
static void test_pull(void)
{
    Rig *rig = rig_start_port();

    open_port(rig);
    plug(rig);
    rig_enable(rig);
    hold(rig, 1000);
    job_does_not_end(rig, job_submit(rig, &fill));
    qtest_qmp_assert_success(rig->qts,
        "{'execute':'qom-set','arguments':{'path':'/machine/peripheral/codec',"
        "'property':'pull','value':true}}");
    qtest_qmp_eventwait(rig->qts, "DEVICE_DELETED");
    g_assert_cmphex(qtest_readl(rig->qts, pci_at(PORT_BUS, 0, 0)), ==,
                    UINT32_MAX);
    g_assert_cmphex(slot_register(rig, PCI_EXP_SLTSTA) &
                    (PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_PDC), ==,
                    PCI_EXP_SLTSTA_PDC);
    g_assert_cmphex(slot_register(rig, PCI_EXP_SLTCTL) &
                    (PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PIC), ==,
                    PCI_EXP_SLTCTL_PWR_IND_ON);
    assert_departed(rig);
    rig_stop(rig);
}

/* On the root bus there is nothing to pull it out of */
static void test_pull_no_slot(void)
{
    Rig *rig = rig_start_pci("");
    g_autoptr(QDict) reply = qtest_qmp(rig->qts,
        "{'execute':'qom-set','arguments':{'path':'/machine/peripheral/codec',"
        "'property':'pull','value':true}}");

    g_assert_nonnull(strstr(qdict_get_str(qdict_get_qdict(reply, "error"),
                                          "desc"), "is in no slot"));
    rig_stop(rig);
}

/* The same name again and again, with a job held in flight each time */
static void test_plug(void)
{
    Rig *rig = rig_start_port();
    unsigned before = ram_blocks(rig);

    open_port(rig);
    for (unsigned i = 0; i < 3; i++) {
        plug(rig);
        rig_enable(rig);
        g_assert_cmphex(qtest_readq(rig->qts, HIGH_MMIO), ==, 0);
        g_assert_cmpuint(fill_local(rig, HIGH_MMIO, 7).status, ==,
                         DMABED_COMP_OK);
        assert_pattern(rig, HIGH_MMIO, LOCAL_SIZE, 7);
        hold(rig, 1000);
        job_does_not_end(rig, job_submit(rig, &fill));
        unplug(rig);
        g_assert_cmphex(qtest_readl(rig->qts, pci_at(PORT_BUS, 0, 0)), ==,
                        UINT32_MAX);
        g_assert_cmphex(reg_read(rig, DMABED_REG_ID), !=, DMABED_ID_VALUE);
        qtest_clock_step(rig->qts, 1000000);
    }
    expect_ram_blocks(rig, before);
    rig_stop(rig);
}

void add_pci_tests(void)
{
    qtest_add_func("dmabed/pci/identity", test_identity);
    qtest_add_func("dmabed/pci/empty-slot", test_empty_slot);
    qtest_add_func("dmabed/pci/bad-local", test_bad_local);
    qtest_add_func("dmabed/pci/job", test_job);
    qtest_add_func("dmabed/pci/no-bus-master", test_no_bus_master);
    qtest_add_func("dmabed/pci/bus-master-lost", test_bus_master_lost);
    qtest_add_func("dmabed/pci/local", test_local);
    qtest_add_func("dmabed/pci/msi", test_msi);
    qtest_add_func("dmabed/pci/msi-again", test_msi_again);
    qtest_add_func("dmabed/pci/intx", test_intx);
    qtest_add_func("dmabed/pci/reset", test_reset);
    qtest_add_func("dmabed/pci/plug", test_plug);
    qtest_add_func("dmabed/pci/power", test_power);
    qtest_add_func("dmabed/pci/pull", test_pull);
    qtest_add_func("dmabed/pci/pull-no-slot", test_pull_no_slot);
}
