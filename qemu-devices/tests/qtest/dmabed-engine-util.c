/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver of the dmabed DMA engine for its qtests.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "qobject/qnum.h"
#include "qobject/qstring.h"
#include "dmabed-engine-util.h"

/* A test's longest job takes less virtual time than this */
#define PATIENCE_STEPS 20000
#define STEP_NS 1000

/* ---- life ---- */

/* As in libqtest's QMP, so that C strings stay readable */
static char *to_json(const char *properties)
{
    return g_strdelimit(g_strdup(properties), "'", '"');
}

static char *sys_arguments(const char *properties)
{
    g_autofree char *json = to_json(properties);

    return g_strdup_printf(
        "-machine dmabed-soc,ram-banks=0x%llx@0x%llx -m 128M "
        "-device '{\"driver\":\"dmabed-engine-sys\",\"id\":\"codec\","
        "\"mmio-base\":%llu,\"spi\":%d%s%s}'",
        RAM_SIZE, RAM_BASE, ENGINE_BASE, ENGINE_SPI,
        *json ? "," : "", json);
}

/* Takes @arguments */
static Rig *start(char *arguments)
{
    Rig *rig = g_new0(Rig, 1);

    rig->arguments = arguments;
    rig->qts = qtest_init(arguments);
    rig->irq_enable = DMABED_IRQ_DONE | DMABED_IRQ_ERROR;
    return rig;
}

Rig *rig_start_beside(const char *properties, const char *others)
{
    g_autofree char *first = sys_arguments(properties);

    return start(g_strdup_printf("%s %s", first, others));
}

Rig *rig_start_behind(const char *others, const char *properties)
{
    g_autofree char *last = sys_arguments(properties);

    return start(g_strdup_printf("%s %s", others, last));
}

Rig *rig_start(const char *properties)
{
    return rig_start_beside(properties, "");
}

static char *pci_machine(const char *others)
{
    return g_strdup_printf(
        "-machine dmabed-soc,ram-banks=0x%llx@0x%llx,pcie-ecam=0x%llx,"
        "pcie-mmio=0x%llx,pcie-mmio-size=0x4000000,pcie-high-mmio=0x%llx,"
        "pcie-high-mmio-size=0x40000000,pcie-spi=100,pcie-msi=0x3d000000,"
        "pcie-msi-spi=110,pcie-msi-count=4 -m 128M %s",
        RAM_SIZE, RAM_BASE, ECAM_BASE, LOW_MMIO, HIGH_MMIO, others);
}

Rig *rig_start_pci(const char *properties)
{
    g_autofree char *json = to_json(properties);
    g_autofree char *device = g_strdup_printf(
        "-device '{\"driver\":\"dmabed-engine-pci\",\"id\":\"codec\","
        "\"bus\":\"pcie.0\",\"addr\":\"%d\"%s%s}'", ENGINE_SLOT,
        *json ? "," : "", json);
    Rig *rig = start(pci_machine(device));

    pci_enable(rig, 0, ENGINE_SLOT);
    return rig;
}

Rig *rig_start_port(void)
{
    g_autofree char *port = g_strdup_printf(
        "-device pcie-root-port,id=rp0,bus=pcie.0,addr=%d,chassis=1,slot=0",
        PORT_SLOT);

    return start(pci_machine(port));
}

/*
 * qtest_quit() looks every 100 ms whether QEMU has ended; for most tests that
 * was all their time.  So it is asked to here, and looked at more often.
 */
static void quit(QTestState *qts)
{
    pid_t pid = qtest_pid(qts);
    siginfo_t ended = { 0 };

    g_assert_cmpint(pid, >, 0);
    kill(pid, SIGTERM);
    for (int i = 0; i < 1000 && !ended.si_pid; i++) {
        g_usleep(1000);
        waitid(P_PID, pid, &ended, WEXITED | WNOHANG | WNOWAIT);
    }
    qtest_quit(qts);
}

void rig_stop(Rig *rig)
{
    quit(rig->qts);
    g_free(rig->arguments);
    g_free(rig);
}

static void add_device(GPtrArray *argv, const char *json)
{
    g_ptr_array_add(argv, g_strdup("-device"));
    g_ptr_array_add(argv, g_strdelimit(g_strdup(json), "'", '"'));
}

/*
 * A device type that does not exist comes last, so that QEMU stops even when
 * it should have stopped before and did not: then the message is not there.
 */
void assert_no_start(const char *machine, const char *const *devices,
                     const char *message)
{
    const char *const first[] = {
        getenv("QTEST_QEMU_BINARY"), "-machine", machine, "-m", "128M",
        "-display", "none", "-serial", "none", "-monitor", "none", "-S",
    };
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *errors = NULL;
    int status;

    for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
        g_ptr_array_add(argv, g_strdup(first[i]));
    }
    for (; *devices; devices++) {
        add_device(argv, *devices);
    }
    add_device(argv, "{'driver':'no-such-device'}");
    g_ptr_array_add(argv, NULL);
    g_assert_true(g_spawn_sync(NULL, (char **)argv->pdata, NULL,
                               G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                               &errors, &status, NULL));
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    if (!strstr(errors, message)) {
        g_error("'%s' is not in: %s", message, errors);
    }
}

static void wait_for_status(QTestState *qts, const char *wanted)
{
    for (int i = 0; i < 1000; i++) {
        g_autoptr(QDict) info = qtest_qmp_assert_success_ref(
            qts, "{'execute':'query-migrate'}");
        const char *status = qdict_get_try_str(info, "status");

        if (!g_strcmp0(status, wanted)) {
            return;
        }
        g_assert_cmpstr(status, !=, "failed");
        g_usleep(10000);
    }
    g_error("migration did not become %s", wanted);
}

void rig_migrate(Rig *rig)
{
    g_autofree char *path = g_strdup_printf("%s/dmabed-%d.state",
                                            g_get_tmp_dir(), getpid());
    g_autofree char *uri = g_strdup_printf("file:%s", path);
    g_autofree char *incoming =
        g_strdup_printf("%s -incoming defer", rig->arguments);

    qtest_qmp_assert_success(rig->qts, "{'execute':'stop'}");
    qtest_qmp_assert_success(rig->qts,
        "{'execute':'migrate','arguments':{'uri':%s}}", uri);
    wait_for_status(rig->qts, "completed");
    quit(rig->qts);
    rig->qts = qtest_init(incoming);
    qtest_qmp_assert_success(rig->qts,
        "{'execute':'migrate-incoming','arguments':{'uri':%s}}", uri);
    wait_for_status(rig->qts, "completed");
    qtest_qmp_assert_success(rig->qts, "{'execute':'cont'}");
    unlink(path);
}

void rig_enable(Rig *rig)
{
    reg_write(rig, DMABED_REG_RING_BASE_LO, RING_AT);
    reg_write(rig, DMABED_REG_COMP_BASE_LO, COMP_AT);
    reg_write(rig, DMABED_REG_RING_ENTRIES, RING_ENTRIES);
    reg_write(rig, DMABED_REG_IRQ_ENABLE, rig->irq_enable);
    reg_write(rig, DMABED_REG_CTRL, DMABED_CTRL_ENABLE);
    rig->head = 0;
}

/* ---- the guest's side ---- */

uint32_t reg_read(Rig *rig, uint64_t offset)
{
    return qtest_readl(rig->qts, ENGINE_BASE + offset);
}

void reg_write(Rig *rig, uint64_t offset, uint32_t value)
{
    qtest_writel(rig->qts, ENGINE_BASE + offset, value);
}

uint64_t pci_at(unsigned bus, unsigned slot, unsigned offset)
{
    return ECAM_BASE + (bus << 20) + (slot << 15) + offset;
}

void pci_enable(Rig *rig, unsigned bus, unsigned slot)
{
    qtest_writel(rig->qts, pci_at(bus, slot, PCI_BASE_ADDRESS_0), ENGINE_BASE);
    qtest_writel(rig->qts, pci_at(bus, slot, PCI_BASE_ADDRESS_2),
                 extract64(HIGH_MMIO, 0, 32));
    qtest_writel(rig->qts, pci_at(bus, slot, PCI_BASE_ADDRESS_3),
                 extract64(HIGH_MMIO, 32, 32));
    qtest_writew(rig->qts, pci_at(bus, slot, PCI_COMMAND),
                 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void write_list(Rig *rig, uint64_t address, const Segment *segments,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t at = address + i * DMABED_SEGMENT_SIZE;

        qtest_writeq(rig->qts, at + DMABED_SEGMENT_ADDRESS,
                     segments[i].address);
        qtest_writeq(rig->qts, at + DMABED_SEGMENT_LENGTH, segments[i].length);
    }
}

static void encode_job(const Job *job, uint8_t raw[DMABED_JOB_SIZE])
{
    memset(raw, 0, DMABED_JOB_SIZE);
    stl_le_p(raw + DMABED_JOB_OP, job->op);
    stl_le_p(raw + DMABED_JOB_FLAGS, job->flags);
    stq_le_p(raw + DMABED_JOB_COOKIE, job->cookie);
    stq_le_p(raw + DMABED_JOB_SEED, job->seed);
    stq_le_p(raw + DMABED_JOB_LENGTH, job->length);
    stq_le_p(raw + DMABED_JOB_SRC_LIST, SRC_LIST_AT);
    stq_le_p(raw + DMABED_JOB_DST_LIST, DST_LIST_AT);
    stl_le_p(raw + DMABED_JOB_SRC_SEGMENTS, job->num_src);
    stl_le_p(raw + DMABED_JOB_DST_SEGMENTS, job->num_dst);
    stq_le_p(raw + DMABED_JOB_PATTERN_OFFSET, job->pattern_offset);
}

unsigned job_write(Rig *rig, const Job *job)
{
    static const uint8_t no_completion[DMABED_COMP_SIZE];
    uint8_t raw[DMABED_JOB_SIZE];
    unsigned index = rig->head;

    /* A test may name more segments than it writes: it wrote them itself */
    write_list(rig, SRC_LIST_AT, job->src,
               job->num_src > ARRAY_SIZE(job->src) ? 0 : job->num_src);
    write_list(rig, DST_LIST_AT, job->dst,
               job->num_dst > ARRAY_SIZE(job->dst) ? 0 : job->num_dst);
    encode_job(job, raw);
    qtest_memwrite(rig->qts, RING_AT + index * DMABED_JOB_SIZE, raw,
                   sizeof(raw));
    qtest_memwrite(rig->qts, COMP_AT + index * DMABED_COMP_SIZE, no_completion,
                   sizeof(no_completion));
    rig->head = (index + 1) % RING_ENTRIES;
    return index;
}

unsigned job_submit(Rig *rig, const Job *job)
{
    unsigned index = job_write(rig, job);

    reg_write(rig, DMABED_REG_RING_HEAD, rig->head);
    return index;
}

Completion completion_read(Rig *rig, unsigned index)
{
    uint8_t raw[DMABED_COMP_SIZE];
    Completion comp;

    qtest_memread(rig->qts, COMP_AT + index * DMABED_COMP_SIZE, raw,
                  sizeof(raw));
    comp.cookie = ldq_le_p(raw + DMABED_COMP_COOKIE);
    comp.status = ldl_le_p(raw + DMABED_COMP_STATUS);
    comp.violations = ldl_le_p(raw + DMABED_COMP_VIOLATIONS);
    comp.bytes = ldq_le_p(raw + DMABED_COMP_BYTES);
    comp.mismatch = ldq_le_p(raw + DMABED_COMP_MISMATCH);
    for (int i = 0; i < 32; i++) {
        snprintf(comp.sha256 + 2 * i, 3, "%02x", raw[DMABED_COMP_SHA256 + i]);
    }
    return comp;
}

Completion job_wait(Rig *rig, unsigned index)
{
    Completion comp = completion_read(rig, index);

    for (int i = 0; i < PATIENCE_STEPS && !comp.status; i++) {
        qtest_clock_step(rig->qts, STEP_NS);
        comp = completion_read(rig, index);
    }
    g_assert_cmpuint(comp.status, !=, DMABED_COMP_NONE);
    return comp;
}

Completion job_run(Rig *rig, const Job *job)
{
    return job_wait(rig, job_submit(rig, job));
}

void job_does_not_end(Rig *rig, unsigned index)
{
    for (int i = 0; i < 100; i++) {
        qtest_clock_step(rig->qts, STEP_NS);
    }
    g_assert_cmpuint(completion_read(rig, index).status, ==,
                     DMABED_COMP_NONE);
}

/* ---- expectations ---- */

/* SplitMix64, written a second time: the engine's own code proves nothing */
static uint64_t splitmix(uint64_t state)
{
    uint64_t z = state;

    z ^= z >> 30;
    z *= 0xbf58476d1ce4e5b9ULL;
    z ^= z >> 27;
    z *= 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

void pattern(uint8_t *data, size_t size, uint64_t seed, uint64_t offset)
{
    uint64_t state = seed + offset * 0x9e3779b97f4a7c15ULL;

    for (size_t i = 0; i < size; i++) {
        if (i % 8 == 0) {
            state += 0x9e3779b97f4a7c15ULL;
        }
        data[i] = splitmix(state) >> (i % 8 * 8);
    }
}

void assert_sha_of(const char *sha256, const uint8_t *data, size_t size)
{
    g_autofree char *expected =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, size);

    g_assert_cmpstr(sha256, ==, expected);
}

void assert_memory(Rig *rig, uint64_t address, const uint8_t *data,
                   size_t size)
{
    g_autofree uint8_t *found = g_malloc(size);

    qtest_memread(rig->qts, address, found, size);
    g_assert_cmpmem(found, size, data, size);
}

void memory_pattern(Rig *rig, uint64_t address, size_t size, uint64_t seed)
{
    g_autofree uint8_t *data = g_malloc(size);

    pattern(data, size, seed, 0);
    qtest_memwrite(rig->qts, address, data, size);
}

/* ---- the host's side ---- */

static QDict *engine_get(Rig *rig, const char *property)
{
    g_autoptr(QDict) reply = qtest_qmp(rig->qts,
        "{'execute':'qom-get','arguments':{'path':%s,'property':%s}}",
        ENGINE_PATH, property);
    QDict *result = qdict_get_qdict(reply, "return");

    g_assert_nonnull(result);
    return qobject_ref(result);
}

QDict *evidence(Rig *rig)
{
    return engine_get(rig, "evidence");
}

QDict *engine_state(Rig *rig)
{
    return engine_get(rig, "state");
}

QDict *last_job(QDict *dict)
{
    QList *jobs = qdict_get_qlist(dict, "jobs");
    QListEntry *entry;
    QDict *job = NULL;

    QLIST_FOREACH_ENTRY(jobs, entry) {
        job = qobject_to(QDict, qlist_entry_obj(entry));
    }
    g_assert_nonnull(job);
    return job;
}

static QDict *entry_of(QDict *job, const char *key, unsigned index)
{
    QListEntry *entry;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(job, key), entry) {
        if (index-- == 0) {
            return qobject_to(QDict, qlist_entry_obj(entry));
        }
    }
    g_assert_not_reached();
}

void assert_violation(QDict *job, unsigned index, const char *kind,
                      const char *list, unsigned segment)
{
    QDict *violation = entry_of(job, "violations", index);

    g_assert_cmpstr(qdict_get_str(violation, "kind"), ==, kind);
    g_assert_cmpstr(qdict_get_str(violation, "list"), ==, list);
    g_assert_cmpuint(qdict_get_int(violation, "segment"), ==, segment);
}

static void assert_range(QDict *range, const char *start, uint64_t address,
                         uint64_t length)
{
    g_assert_cmphex(qdict_get_int(range, start), ==, address);
    g_assert_cmphex(qdict_get_int(range, "length"), ==, length);
}

void assert_span(QDict *job, const char *key, unsigned index, uint64_t bus,
                 uint64_t length)
{
    assert_range(entry_of(job, key, index), "bus", bus, length);
}

void assert_place(QDict *job, const char *key, unsigned index,
                  uint64_t address, uint64_t length)
{
    assert_range(entry_of(job, key, index), "address", address, length);
}

void hold(Rig *rig, uint64_t at)
{
    qtest_qmp_assert_success(rig->qts,
        "{'execute':'qom-set','arguments':{'path':%s,'property':'hold-at',"
        "'value':%" PRIu64 "}}", ENGINE_PATH, at);
    qtest_qom_set_bool(rig->qts, ENGINE_PATH, "hold", true);
}

void release(Rig *rig)
{
    qtest_qom_set_bool(rig->qts, ENGINE_PATH, "hold", false);
}

bool is_held(Rig *rig)
{
    return qtest_qom_get_bool(rig->qts, ENGINE_PATH, "held");
}

void inject(Rig *rig, const char *fault, uint64_t at)
{
    qtest_qmp_assert_success(rig->qts,
        "{'execute':'qom-set','arguments':{'path':%s,'property':'inject',"
        "'value':{'fault':%s,'at':%" PRIu64 "}}}", ENGINE_PATH, fault, at);
}
