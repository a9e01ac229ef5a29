/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtests of dmabed-soc and dmabed-engine-sys: properties that must stop QEMU
 * at its start, and what the message says.
 */
#include "qemu/osdep.h"
#include "dmabed-engine-util.h"

typedef struct BadStart {
    const char *name;
    const char *machine;        /* properties of the machine */
    const char *device;         /* JSON members of the device */
    const char *message;
} BadStart;

#define PLACE "'mmio-base':939524096,'spi':64"
#define MAP "ram-banks=0x8000000@0x40000000"
#define PCIE ",pcie-ecam=0x3e000000,pcie-mmio=0x30000000," \
    "pcie-mmio-size=0x1000000,pcie-spi=100,pcie-msi=0x3d000000," \
    "pcie-msi-spi=110,pcie-msi-count=4"

static const BadStart cases[] = {
    /* the device's place */
    { "no-mmio-base", MAP, "'spi':64", "mmio-base: must be given" },
    { "no-spi", MAP, "'mmio-base':939524096", "spi: must be given" },
    { "mmio-base-unaligned", MAP, "'mmio-base':939524100,'spi':64",
      "mmio-base: 0x38000004 is no multiple of 0x1000" },
    { "mmio-base-on-ram", MAP, "'mmio-base':1073741824,'spi':64",
      "overlaps dmabed-soc.ram at 0x40000000" },
    { "mmio-base-on-uart", MAP, "'mmio-base':150994944,'spi':64",
      "overlaps pl011 at 0x9000000" },
    { "spi-out-of-range", MAP, "'mmio-base':939524096,'spi':224",
      "spi: 224 is no SPI; allowed are 0...223" },
    { "spi-in-use", MAP, "'mmio-base':939524096,'spi':1",
      "spi: SPI 1 is already in use" },
    /* the device's limits */
    { "addr-bits-low", MAP, PLACE ",'addr-bits':23",
      "addr-bits: 23 is out of range; allowed are 24...64" },
    { "addr-bits-high", MAP, PLACE ",'addr-bits':65",
      "addr-bits: 65 is out of range; allowed are 24...64" },
    { "report-addr-bits", MAP, PLACE ",'report-addr-bits':65",
      "report-addr-bits: 65 is out of range" },
    { "max-segments", MAP, PLACE ",'max-segments':65537",
      "max-segments: 65537 is out of range; allowed are 0...65536" },
    { "boundary-no-mask", MAP, PLACE ",'segment-boundary-mask':65536",
      "segment-boundary-mask: 0x10000 is no power of 2 minus 1" },
    { "boundary-too-small", MAP, PLACE ",'segment-boundary-mask':2047",
      "allowed are 0xfff and above" },
    { "alignment-zero", MAP, PLACE ",'alignment':0",
      "alignment: 0 is no power of 2" },
    { "alignment-odd", MAP, PLACE ",'alignment':48",
      "alignment: 48 is no power of 2 in 1...2147483648" },
    { "granule", MAP, PLACE ",'granule':131072",
      "granule: 131072 is no power of 2 in 1...65536" },
    { "policy", MAP, PLACE ",'policy':'ignore'",
      "policy: 'ignore' is unknown; allowed are 'fault' and 'wrap'" },
    { "local-size", MAP, PLACE ",'local-memory':4097,'local-base':0",
      "local-memory: 4097 is no multiple of 4096 up to 1073741824" },
    { "local-large", MAP, PLACE ",'local-memory':2147483648,'local-base':0",
      "local-memory: 2147483648 is no multiple" },
    { "local-no-base", MAP, PLACE ",'local-memory':4096",
      "local-base: must be given with local-memory" },
    { "local-base-unaligned", MAP,
      PLACE ",'local-memory':4096,'local-base':16777728",
      "local-base: 0x1000200 is no multiple of 0x1000" },
    { "local-beyond-width", MAP,
      PLACE ",'local-memory':8192,'local-base':4294963200,'addr-bits':32",
      "local memory at 0xfffff000 ends beyond the engine's 32 address bits" },
    { "local-overflow", MAP,
      PLACE ",'local-memory':8192,'local-base':18446744073709547520",
      "ends beyond the engine's 64 address bits" },
    { "local-on-ram", MAP,
      PLACE ",'local-memory':4096,'local-base':1073741824",
      "local-base: 0x40000000...0x40000fff overlaps dmabed-soc.ram" },
    { "local-on-own-registers", MAP,
      PLACE ",'local-memory':8192,'local-base':939520000",
      "overlaps dmabed-engine.regs at 0x38000000" },
    { "ranges-no-triple", MAP, PLACE ",'dma-ranges':[0,0,4096,0]",
      "dma-ranges: 4 numbers are not triples" },
    { "ranges-empty", MAP, PLACE ",'dma-ranges':[0,0,0]",
      "dma-ranges: window 0 has size 0" },
    { "ranges-overlap", MAP, PLACE ",'dma-ranges':[0,0,8192,4096,65536,1]",
      "dma-ranges: windows 0 and 1 overlap" },
    { "ranges-overflow", MAP,
      PLACE ",'dma-ranges':[18446744073709547520,0,8192]",
      "dma-ranges: window 0 ends beyond 64 bits" },
    { "iommu-unknown", MAP,
      PLACE ",'iommu':'none-of-this-name'", "none-of-this-name" },
    /* the machine */
    { "bank-syntax", "ram-banks=128M", PLACE, "'128M' is not SIZE@BASE" },
    { "bank-empty", "ram-banks=0@0x40000000", PLACE, "has size 0" },
    { "bank-unaligned", "ram-banks=0x8000001@0x40000000", PLACE,
      "must be multiples of 0x1000" },
    { "bank-overlap", "ram-banks=0x4000000@0x40000000:0x4000000@0x43fff000",
      PLACE, "overlaps another bank" },
    { "bank-total", "ram-banks=0x4000000@0x40000000", PLACE,
      "the banks hold 0x4000000 bytes, but the machine's memory" },
    { "bank-overflow", "ram-banks=0x8000000@0xffffffffffe00000", PLACE,
      "ends beyond 64 bits" },
    { "bank-beyond-cpu", "ram-banks=0x8000000@0x10000000000", PLACE,
      "ends beyond the 40 address bits of the CPU" },
    { "bank-boot-unaligned", "ram-banks=0x8000000@0x40001000", PLACE,
      "base must be a multiple of 0x200000" },
    { "bank-on-gic", "ram-banks=0x8000000@0x800000", PLACE,
      "gic-dist-base: 0x8000000...0x800ffff overlaps dmabed-soc.ram" },
    { "uart-on-gic", MAP ",uart-base=0x8000000", PLACE,
      "uart-base: 0x8000000...0x8000fff overlaps gicv3_dist" },
    { "uart-spi", MAP ",uart-spi=224", PLACE, "uart-spi: 224 is no SPI" },
    { "virtio-spi", MAP ",virtio-spi=220", PLACE, "virtio-spi: 224 is no SPI" },
    { "virtio-count", MAP ",virtio-count=33", PLACE,
      "virtio-count: at most 32" },
    { "ecam-on-gic", MAP PCIE ",pcie-ecam=0x7800000", PLACE,
      "pcie-ecam: 0x7800000...0x87fffff overlaps gicv3_dist" },
    { "pcie-mmio-none", MAP PCIE ",pcie-mmio-size=0", PLACE,
      "pcie-mmio: BARs of 32 bits need a window below 4 GiB" },
    { "pcie-mmio-high", MAP PCIE ",pcie-mmio=0xffff0000", PLACE,
      "pcie-mmio: BARs of 32 bits need a window below 4 GiB" },
    { "pcie-high-mmio-on-ram", MAP PCIE
      ",pcie-high-mmio=0x40000000,pcie-high-mmio-size=4096", PLACE,
      "pcie-high-mmio: 0x40000000...0x40000fff overlaps dmabed-soc.ram" },
    { "pcie-spi", MAP PCIE ",pcie-spi=221", PLACE,
      "pcie-spi: 224 is no SPI" },
    { "pcie-msi-spi", MAP PCIE ",pcie-msi-spi=98", PLACE,
      "pcie-spi: SPI 100 is already in use" },
    { "pcie-msi-count", MAP PCIE ",pcie-msi-count=65", PLACE,
      "pcie-msi-count: 65 is out of range; allowed are 1...64" },
    { "pcie-msi-on-uart", MAP PCIE ",pcie-msi=0x9000000", PLACE,
      "pcie-msi: 0x9000000...0x9000fff overlaps pl011" },
    { "smmu-on-uart", MAP PCIE ",pcie-smmu=0x8fff000", PLACE,
      "pcie-smmu: 0x8fff000...0x901efff overlaps pl011" },
    { "smmu-spi", MAP PCIE ",pcie-smmu=0x3c000000,pcie-smmu-spi=110", PLACE,
      "pcie-smmu-spi: SPI 110 is already in use" },
    { "virtio-on-ram", MAP ",virtio-base=0x40000000", PLACE,
      "virtio-base: 0x40000000...0x400001ff overlaps dmabed-soc.ram" },
};

static void test_bad_start(const void *opaque)
{
    const BadStart *bad = opaque;
    g_autofree char *engine = g_strdup_printf(
        "{'driver':'dmabed-engine-sys','id':'codec',%s}", bad->device);
    g_autofree char *machine = g_strdup_printf("dmabed-soc,%s", bad->machine);
    const char *const devices[] = { engine, NULL };

    assert_no_start(machine, devices, bad->message);
}

/* Two engines must not share an address or an interrupt */
static void expect_clash(uint64_t base, unsigned spi, const char *message)
{
    g_autofree char *first = g_strdup_printf(
        "{\"driver\":\"dmabed-engine-sys\",\"mmio-base\":%llu,\"spi\":%d}",
        ENGINE_BASE, ENGINE_SPI);
    g_autofree char *second = g_strdup_printf(
        "{\"driver\":\"dmabed-engine-sys\",\"mmio-base\":%" PRIu64
        ",\"spi\":%u}", base, spi);
    const char *argv[] = {
        getenv("QTEST_QEMU_BINARY"), "-machine", "dmabed-soc", "-display",
        "none", "-serial", "none", "-monitor", "none", "-S", "-device", first,
        "-device", second, "-device", "{\"driver\":\"no-such-device\"}", NULL,
    };
    g_autofree char *errors = NULL;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL,
                               G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                               &errors, NULL, NULL));
    g_assert_nonnull(strstr(errors, message));
}

static void test_two_engines(void)
{
    expect_clash(ENGINE_BASE, ENGINE_SPI + 1,
                 "overlaps dmabed-engine.regs at 0x38300000");
    expect_clash(ENGINE_BASE + 0x1000, ENGINE_SPI,
                 "spi: SPI 64 is already in use");
}

/* Banks are slices of one memory, in the order of their names */
static void test_banks(void)
{
    QTestState *qts = qtest_init(
        "-machine dmabed-soc,memory-backend=ram0,"
        "ram-banks=0x2000000@0x80000000:67108864@0x880000000:"
        "0x2000000@0x100000000 -m 128M "
        "-object memory-backend-ram,id=ram0,size=128M");
    static const uint64_t last[] = {
        0x81fffff8, 0x883fffff8, 0x101fffff8,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(last); i++) {
        qtest_writeq(qts, last[i], i + 1);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(last); i++) {
        g_assert_cmpuint(qtest_readq(qts, last[i]), ==, i + 1);
    }
    qtest_quit(qts);
}

/* One binary image of all of RAM: the backend's file, bank after bank */
static void test_banks_in_file(void)
{
    g_autofree char *path = NULL;
    g_autofree char *arguments = NULL;
    uint64_t words[2] = { 0 };
    QTestState *qts;
    int fd = g_file_open_tmp("dmabed-ram-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    arguments = g_strdup_printf(
        "-machine dmabed-soc,memory-backend=ram0,"
        "ram-banks=0x2000000@0x80000000:0x6000000@0x880000000 -m 128M "
        "-object memory-backend-file,id=ram0,size=128M,share=on,mem-path=%s",
        path);
    qts = qtest_init(arguments);
    qtest_writeq(qts, 0x80000000, 1);
    qtest_writeq(qts, 0x880000000, 2);
    qtest_quit(qts);
    g_assert_cmpint(pread(fd, &words[0], 8, 0), ==, 8);
    g_assert_cmpint(pread(fd, &words[1], 8, 0x2000000), ==, 8);
    g_assert_cmpuint(words[0], ==, 1);
    g_assert_cmpuint(words[1], ==, 2);
    close(fd);
    unlink(path);
}

void add_start_tests(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *name =
            g_strdup_printf("dmabed/start/%s", cases[i].name);

        qtest_add_data_func(name, &cases[i], test_bad_start);
    }
    qtest_add_func("dmabed/start/two-engines", test_two_engines);
    qtest_add_func("dmabed/soc/banks", test_banks);
    qtest_add_func("dmabed/soc/banks-in-file", test_banks_in_file);
}
