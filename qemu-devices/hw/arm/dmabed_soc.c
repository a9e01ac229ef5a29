/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmabed-soc: an arm64 machine whose map is given on the command line.
 *
 * The virt board fixes the base of its RAM and its devices.  This one takes
 * them as properties, so that one machine can stand for many SoCs, and it
 * makes no device tree of its own: -dtb names the layout's.  DMA engines are
 * added with -device and say where they want to be.
 *
 * The contract is docs/specs/dmabed-soc.md of dmabed.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "qobject/qlist.h"
#include "exec/address-spaces.h"
#include "hw/arm/bsa.h"
#include "hw/arm/dmabed_soc.h"
#include "hw/char/pl011.h"
#include "hw/dma/dmabed_engine_sys.h"
#include "hw/dma/dmabed_iommu.h"
#include "hw/intc/arm_gicv3_common.h"
#include "hw/misc/dmabed_media.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#include "system/device_tree.h"
#include "system/system.h"
#include "target/arm/cpu.h"
#include "target/arm/gtimer.h"
#include "target/arm/internals.h"

/* Defaults of the properties: where virt has the same things */
#define DEFAULT_RAM_BASE 0x40000000
#define DEFAULT_GIC_DIST_BASE 0x08000000
#define DEFAULT_GIC_REDIST_BASE 0x080a0000
#define DEFAULT_UART_BASE 0x09000000
#define DEFAULT_UART_SPI 1
#define DEFAULT_VIRTIO_BASE 0x0a000000
#define DEFAULT_VIRTIO_SPI 16
#define DEFAULT_VIRTIO_COUNT 8

/* Sizes from the GICv3 architecture (IHI 0069) and Arm's DDI 0183 (PL011) */
#define GIC_DIST_SIZE (64 * KiB)
#define GIC_REDIST_SIZE (128 * KiB)
#define UART_SIZE (4 * KiB)
#define VIRTIO_STRIDE 0x200

/* What Linux asks of the base of the memory that it is loaded into */
#define BOOT_BANK_ALIGN (2 * MiB)
#define BANK_ALIGN (4 * KiB)

/* ---- RAM banks ---- */

static bool banks_overlap(const DmabedSocBank *a, const DmabedSocBank *b)
{
    return a->base < b->base + b->size && b->base < a->base + a->size;
}

/* One SIZE@BASE of ram-banks */
static bool parse_bank(const char *text, DmabedSocBank *bank)
{
    const char *at;

    return qemu_strtou64(text, &at, 0, &bank->size) == 0 && *at == '@' &&
           qemu_strtou64(at + 1, NULL, 0, &bank->base) == 0;
}

static bool check_bank(const char *text, const DmabedSocBank *bank,
                       Error **errp)
{
    if (bank->size == 0) {
        error_setg(errp, "ram-banks: '%s' has size 0", text);
        return false;
    }
    if ((bank->size | bank->base) % BANK_ALIGN) {
        error_setg(errp, "ram-banks: size and base of '%s' must be multiples "
                   "of 0x%" PRIx64, text, (uint64_t)BANK_ALIGN);
        return false;
    }
    if (bank->base + bank->size < bank->base) {
        error_setg(errp, "ram-banks: '%s' ends beyond 64 bits", text);
        return false;
    }
    return true;
}

static bool add_bank(DmabedSocState *s, const char *text, Error **errp)
{
    DmabedSocBank *bank = &s->banks[s->num_banks];

    if (s->num_banks == DMABED_SOC_MAX_BANKS) {
        error_setg(errp, "ram-banks: at most %d banks", DMABED_SOC_MAX_BANKS);
        return false;
    }
    if (!parse_bank(text, bank)) {
        error_setg(errp, "ram-banks: '%s' is not SIZE@BASE", text);
        error_append_hint(errp, "Numbers are decimal or start with 0x, banks "
                          "are separated by ':'.\n");
        return false;
    }
    if (!check_bank(text, bank, errp)) {
        return false;
    }
    for (unsigned i = 0; i < s->num_banks; i++) {
        if (banks_overlap(bank, &s->banks[i])) {
            error_setg(errp, "ram-banks: '%s' overlaps another bank", text);
            return false;
        }
    }
    s->num_banks++;
    return true;
}

static bool parse_banks(DmabedSocState *s, const char *text, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);

    s->num_banks = 0;
    for (char **part = parts; *part; part++) {
        if (!add_bank(s, *part, errp)) {
            return false;
        }
    }
    if (s->num_banks == 0) {
        error_setg(errp, "ram-banks: at least one SIZE@BASE is needed");
        return false;
    }
    if (s->banks[0].base % BOOT_BANK_ALIGN) {
        error_setg(errp, "ram-banks: the first bank holds the kernel, so its "
                   "base must be a multiple of 0x%" PRIx64,
                   (uint64_t)BOOT_BANK_ALIGN);
        return false;
    }
    return true;
}

static void check_total(DmabedSocState *s, Error **errp)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < s->num_banks; i++) {
        total += s->banks[i].size;
    }
    if (total != MACHINE(s)->ram_size) {
        error_setg(errp, "ram-banks: the banks hold 0x%" PRIx64 " bytes, but "
                   "the machine's memory (-m or memory-backend) has 0x%"
                   PRIx64, total, (uint64_t)MACHINE(s)->ram_size);
    }
}

/* Physical address bits are the CPU's to give */
static void check_reach(DmabedSocState *s, Error **errp)
{
    unsigned bits = arm_pamax(ARM_CPU(first_cpu));

    for (unsigned i = 0; i < s->num_banks; i++) {
        DmabedSocBank *bank = &s->banks[i];

        if ((bank->base + bank->size - 1) >> bits) {
            error_setg(errp, "ram-banks: the bank at 0x%" PRIx64 " ends beyond "
                       "the %u address bits of the CPU", bank->base, bits);
            return;
        }
    }
}

/* ---- the map: nothing may be mapped over anything else ---- */

bool dmabed_soc_claim_range(const char *what, uint64_t base, uint64_t size,
                            Error **errp)
{
    MemoryRegionSection found;

    if (base + size - 1 < base) {
        error_setg(errp, "%s: 0x%" PRIx64 " is out of range", what, base);
        return false;
    }
    found = memory_region_find(get_system_memory(), base, size);
    if (!found.mr) {
        return true;
    }
    error_setg(errp, "%s: 0x%" PRIx64 "...0x%" PRIx64 " overlaps %s at 0x%"
               PRIx64, what, base, base + size - 1,
               memory_region_name(found.mr),
               (uint64_t)found.offset_within_address_space);
    memory_region_unref(found.mr);
    return false;
}

bool dmabed_soc_check_spi(DmabedSocState *s, const char *what, uint32_t spi,
                          Error **errp)
{
    if (spi >= DMABED_SOC_NUM_SPI) {
        error_setg(errp, "%s: %u is no SPI; allowed are 0...%d", what, spi,
                   DMABED_SOC_NUM_SPI - 1);
        return false;
    }
    if (test_bit(spi, s->spi_used)) {
        error_setg(errp, "%s: SPI %u is already in use", what, spi);
        return false;
    }
    return true;
}

/* Where a device from -device wants to be; unset are the largest numbers */
static bool check_place(DmabedSocState *s, uint64_t base, uint64_t size,
                        uint32_t spi, Error **errp)
{
    if (base == UINT64_MAX) {
        error_setg(errp, "mmio-base: must be given");
        return false;
    }
    if (base % size) {
        error_setg(errp, "mmio-base: 0x%" PRIx64 " is no multiple of 0x%"
                   PRIx64, base, size);
        return false;
    }
    if (spi == UINT32_MAX) {
        error_setg(errp, "spi: must be given");
        return false;
    }
    return dmabed_soc_claim_range("mmio-base", base, size, errp) &&
           dmabed_soc_check_spi(s, "spi", spi, errp);
}

qemu_irq dmabed_soc_claim_spi(DmabedSocState *s, const char *what,
                              uint32_t first, unsigned index)
{
    uint32_t spi = MIN((uint64_t)first + index, UINT32_MAX);

    dmabed_soc_check_spi(s, what, spi, &error_fatal);
    set_bit(spi, s->spi_used);
    return qdev_get_gpio_in(s->gic, spi);
}

/* ---- the parts, in the order of their creation ---- */

static void create_ram(DmabedSocState *s)
{
    MachineState *ms = MACHINE(s);
    uint64_t offset = 0;

    if (!s->num_banks) {
        s->banks[0].base = DEFAULT_RAM_BASE;
        s->banks[0].size = ms->ram_size;
        s->num_banks = 1;
    }
    check_total(s, &error_fatal);
    for (unsigned i = 0; i < s->num_banks; i++) {
        DmabedSocBank *bank = &s->banks[i];
        g_autofree char *name = g_strdup_printf("dmabed-soc.bank%u", i);

        memory_region_init_alias(&bank->ram, OBJECT(s), name, ms->ram, offset,
                                 bank->size);
        memory_region_add_subregion(get_system_memory(), bank->base,
                                    &bank->ram);
        offset += bank->size;
    }
}

static void cpu_set_bool(Object *cpu, const char *name, bool value)
{
    if (object_property_find(cpu, name)) {
        object_property_set_bool(cpu, name, value, &error_fatal);
    }
}

static void create_cpus(DmabedSocState *s)
{
    MachineState *ms = MACHINE(s);

    for (unsigned i = 0; i < ms->smp.cpus; i++) {
        Object *cpu = object_new(ms->cpu_type);

        /* The layout's cpu@N has reg = <N> */
        object_property_set_int(cpu, "mp-affinity", i, &error_fatal);
        /* Linux starts at EL1, so that HVC is free for PSCI */
        cpu_set_bool(cpu, "has_el2", false);
        cpu_set_bool(cpu, "has_el3", false);
        object_property_set_link(cpu, "memory", OBJECT(get_system_memory()),
                                 &error_fatal);
        qdev_realize_and_unref(DEVICE(cpu), NULL, &error_fatal);
    }
}

static void connect_cpu(DmabedSocState *s, unsigned index)
{
    static const int timer_ppi[] = {
        [GTIMER_PHYS] = ARCH_TIMER_NS_EL1_IRQ,
        [GTIMER_VIRT] = ARCH_TIMER_VIRT_IRQ,
        [GTIMER_HYP] = ARCH_TIMER_NS_EL2_IRQ,
        [GTIMER_SEC] = ARCH_TIMER_S_EL1_IRQ,
    };
    unsigned cpus = MACHINE(s)->smp.cpus;
    DeviceState *cpu = DEVICE(qemu_get_cpu(index));
    SysBusDevice *gic = SYS_BUS_DEVICE(s->gic);
    int private_base = DMABED_SOC_NUM_SPI + index * GIC_INTERNAL;

    for (unsigned i = 0; i < ARRAY_SIZE(timer_ppi); i++) {
        qdev_connect_gpio_out(cpu, i, qdev_get_gpio_in(s->gic, private_base +
                                                       timer_ppi[i]));
    }
    qdev_connect_gpio_out_named(cpu, "pmu-interrupt", 0,
                                qdev_get_gpio_in(s->gic, private_base +
                                                 VIRTUAL_PMU_IRQ));
    sysbus_connect_irq(gic, index, qdev_get_gpio_in(cpu, ARM_CPU_IRQ));
    sysbus_connect_irq(gic, index + cpus, qdev_get_gpio_in(cpu, ARM_CPU_FIQ));
    sysbus_connect_irq(gic, index + 2 * cpus,
                       qdev_get_gpio_in(cpu, ARM_CPU_VIRQ));
    sysbus_connect_irq(gic, index + 3 * cpus,
                       qdev_get_gpio_in(cpu, ARM_CPU_VFIQ));
}

static void create_gic(DmabedSocState *s)
{
    unsigned cpus = MACHINE(s)->smp.cpus;
    QList *redist_counts = qlist_new();

    s->gic = qdev_new(gicv3_class_name());
    qdev_prop_set_uint32(s->gic, "revision", 3);
    qdev_prop_set_uint32(s->gic, "num-cpu", cpus);
    qdev_prop_set_uint32(s->gic, "num-irq", DMABED_SOC_NUM_SPI + GIC_INTERNAL);
    qlist_append_int(redist_counts, cpus);
    qdev_prop_set_array(s->gic, "redist-region-count", redist_counts);
    sysbus_realize_and_unref(SYS_BUS_DEVICE(s->gic), &error_fatal);

    dmabed_soc_claim_range("gic-dist-base", s->gic_dist_base, GIC_DIST_SIZE,
                           &error_fatal);
    sysbus_mmio_map(SYS_BUS_DEVICE(s->gic), 0, s->gic_dist_base);
    dmabed_soc_claim_range("gic-redist-base", s->gic_redist_base,
                           GIC_REDIST_SIZE * cpus, &error_fatal);
    sysbus_mmio_map(SYS_BUS_DEVICE(s->gic), 1, s->gic_redist_base);
    for (unsigned i = 0; i < cpus; i++) {
        connect_cpu(s, i);
    }
}

static void create_uart(DmabedSocState *s)
{
    dmabed_soc_claim_range("uart-base", s->uart_base, UART_SIZE, &error_fatal);
    pl011_create(s->uart_base,
                 dmabed_soc_claim_spi(s, "uart-spi", s->uart_spi, 0),
                 serial_hd(0));
}

/* Slot N is the bus virtio-mmio-bus.N */
static void create_virtio(DmabedSocState *s)
{
    if (s->virtio_count > DMABED_SOC_MAX_VIRTIO) {
        error_setg(&error_fatal, "virtio-count: at most %d",
                   DMABED_SOC_MAX_VIRTIO);
    }
    for (unsigned i = 0; i < s->virtio_count; i++) {
        uint64_t base = s->virtio_base + (uint64_t)i * VIRTIO_STRIDE;

        dmabed_soc_claim_range("virtio-base", base, VIRTIO_STRIDE,
                               &error_fatal);
        sysbus_create_simple("virtio-mmio", base,
                             dmabed_soc_claim_spi(s, "virtio-spi",
                                                  s->virtio_spi, i));
    }
}

/* ---- boot ---- */

/* arm_load_dtb() made one memory node, for the first bank: add the others */
static void add_memory_nodes(const struct arm_boot_info *info, void *fdt)
{
    DmabedSocState *s = container_of(info, DmabedSocState, boot);
    uint32_t acells = qemu_fdt_getprop_cell(fdt, "/", "#address-cells", NULL,
                                            &error_fatal);
    uint32_t scells = qemu_fdt_getprop_cell(fdt, "/", "#size-cells", NULL,
                                            &error_fatal);

    for (unsigned i = 1; i < s->num_banks; i++) {
        DmabedSocBank *bank = &s->banks[i];
        g_autofree char *node = g_strdup_printf("/memory@%" PRIx64,
                                                bank->base);

        qemu_fdt_add_subnode(fdt, node);
        qemu_fdt_setprop_string(fdt, node, "device_type", "memory");
        if (qemu_fdt_setprop_sized_cells(fdt, node, "reg", acells, bank->base,
                                         scells, bank->size) < 0) {
            error_setg(&error_fatal, "the device tree's cells are too narrow "
                       "for the RAM bank at 0x%" PRIx64, bank->base);
        }
    }
}

static void load_guest(DmabedSocState *s)
{
    MachineState *ms = MACHINE(s);

    if (ms->kernel_filename && !ms->dtb) {
        error_setg(&error_fatal, "dmabed-soc makes no device tree: -kernel "
                   "needs -dtb");
    }
    s->boot.loader_start = s->banks[0].base;
    s->boot.ram_size = s->banks[0].size;
    s->boot.board_id = -1;
    s->boot.psci_conduit = QEMU_PSCI_CONDUIT_HVC;
    s->boot.skip_dtb_autoload = !ms->kernel_filename;
    s->boot.modify_dtb = add_memory_nodes;
    arm_load_kernel(ARM_CPU(first_cpu), ms, &s->boot);
}

static void dmabed_soc_init(MachineState *ms)
{
    DmabedSocState *s = DMABED_SOC(ms);

    create_ram(s);
    create_cpus(s);
    check_reach(s, &error_fatal);
    create_gic(s);
    create_uart(s);
    create_virtio(s);
    dmabed_soc_create_pcie(s);
    load_guest(s);
}

/* ---- engines, added with -device ---- */

/* The registers are mapped already: the two may not overlap either */
static bool map_engine_local(DmabedEngineSysState *engine, Error **errp)
{
    if (!dmabed_engine_sys_shows_local(engine)) {
        return true;
    }
    if (!dmabed_soc_claim_range("local-base", engine->local_base,
                                engine->engine.local_size, errp)) {
        return false;
    }
    sysbus_mmio_map(SYS_BUS_DEVICE(engine), DMABED_ENGINE_SYS_LOCAL,
                    engine->local_base);
    return true;
}

static void media_plug(DmabedSocState *s, DmabedMediaState *media)
{
    set_bit(media->spi, s->spi_used);
    sysbus_mmio_map(SYS_BUS_DEVICE(media), 0, media->mmio_base);
    sysbus_connect_irq(SYS_BUS_DEVICE(media), 0,
                       qdev_get_gpio_in(s->gic, media->spi));
}

static void engine_plug(DmabedSocState *s, DeviceState *dev, Error **errp)
{
    DmabedEngineSysState *engine = DMABED_ENGINE_SYS(dev);

    set_bit(engine->spi, s->spi_used);
    sysbus_mmio_map(SYS_BUS_DEVICE(dev), DMABED_ENGINE_SYS_REGS,
                    engine->mmio_base);
    if (!map_engine_local(engine, errp)) {
        return;
    }
    sysbus_connect_irq(SYS_BUS_DEVICE(dev), 0,
                       qdev_get_gpio_in(s->gic, engine->spi));
}

/* ---- what -device adds: each kind has its place from its properties ---- */

static bool is_iommu(DeviceState *dev)
{
    return object_dynamic_cast(OBJECT(dev), TYPE_DMABED_IOMMU);
}

static bool is_media(DeviceState *dev)
{
    return object_dynamic_cast(OBJECT(dev), TYPE_DMABED_MEDIA);
}

static void dmabed_soc_pre_plug(HotplugHandler *handler, DeviceState *dev,
                                Error **errp)
{
    DmabedSocState *s = DMABED_SOC(handler);

    if (is_iommu(dev)) {
        const DmabedIommuState *iommu = DMABED_IOMMU(dev);

        check_place(s, iommu->mmio_base,
                    DMABED_IOMMU_GET_CLASS(iommu)->mmio_size, iommu->spi,
                    errp);
    } else if (is_media(dev)) {
        const DmabedMediaState *media = DMABED_MEDIA(dev);

        check_place(s, media->mmio_base, DMABED_MEDIA_MMIO_SIZE, media->spi,
                    errp);
    } else {
        const DmabedEngineSysState *engine = DMABED_ENGINE_SYS(dev);

        check_place(s, engine->mmio_base, DMABED_ENGINE_MMIO_SIZE, engine->spi,
                    errp);
    }
}

static void dmabed_soc_plug(HotplugHandler *handler, DeviceState *dev,
                            Error **errp)
{
    DmabedSocState *s = DMABED_SOC(handler);

    if (is_iommu(dev)) {
        dmabed_soc_iommu_plug(s, dev);
    } else if (is_media(dev)) {
        media_plug(s, DMABED_MEDIA(dev));
    } else {
        engine_plug(s, dev, errp);
    }
}

static HotplugHandler *dmabed_soc_hotplug_handler(MachineState *ms,
                                                  DeviceState *dev)
{
    if (object_dynamic_cast(OBJECT(dev), TYPE_DMABED_ENGINE_SYS) ||
        is_iommu(dev) || is_media(dev)) {
        return HOTPLUG_HANDLER(ms);
    }
    return NULL;
}

/* ---- properties and registration ---- */

static char *get_ram_banks(Object *obj, Error **errp)
{
    return g_strdup(DMABED_SOC(obj)->ram_banks);
}

static void set_ram_banks(Object *obj, const char *value, Error **errp)
{
    DmabedSocState *s = DMABED_SOC(obj);

    if (parse_banks(s, value, errp)) {
        g_free(s->ram_banks);
        s->ram_banks = g_strdup(value);
    }
}

void dmabed_soc_add_u64(Object *obj, const char *name, uint64_t *field,
                        uint64_t value, const char *description)
{
    *field = value;
    object_property_add_uint64_ptr(obj, name, field, OBJ_PROP_FLAG_READWRITE);
    object_property_set_description(obj, name, description);
}

void dmabed_soc_add_u32(Object *obj, const char *name, uint32_t *field,
                        uint32_t value, const char *description)
{
    *field = value;
    object_property_add_uint32_ptr(obj, name, field, OBJ_PROP_FLAG_READWRITE);
    object_property_set_description(obj, name, description);
}

static void dmabed_soc_instance_init(Object *obj)
{
    DmabedSocState *s = DMABED_SOC(obj);

    dmabed_soc_add_u64(obj, "gic-dist-base", &s->gic_dist_base,
                       DEFAULT_GIC_DIST_BASE,
                       "address of the GICv3 distributor");
    dmabed_soc_add_u64(obj, "gic-redist-base", &s->gic_redist_base,
                       DEFAULT_GIC_REDIST_BASE,
                       "address of the first redistributor");
    dmabed_soc_add_u64(obj, "uart-base", &s->uart_base, DEFAULT_UART_BASE,
                       "address of the PL011");
    dmabed_soc_add_u32(obj, "uart-spi", &s->uart_spi, DEFAULT_UART_SPI,
                       "SPI of the PL011");
    dmabed_soc_add_u64(obj, "virtio-base", &s->virtio_base,
                       DEFAULT_VIRTIO_BASE,
                       "address of the first virtio-mmio slot; they are "
                       "0x200 apart");
    dmabed_soc_add_u32(obj, "virtio-spi", &s->virtio_spi, DEFAULT_VIRTIO_SPI,
                       "SPI of the first virtio-mmio slot");
    dmabed_soc_add_u32(obj, "virtio-count", &s->virtio_count,
                       DEFAULT_VIRTIO_COUNT, "number of virtio-mmio slots");
    dmabed_soc_add_pcie_properties(s);
}

static void dmabed_soc_instance_finalize(Object *obj)
{
    g_free(DMABED_SOC(obj)->ram_banks);
}

static void dmabed_soc_class_init(ObjectClass *oc, void *data)
{
    MachineClass *mc = MACHINE_CLASS(oc);
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(oc);

    mc->desc = "dmabed: an arm64 SoC with the map of a layout";
    mc->init = dmabed_soc_init;
    mc->max_cpus = DMABED_SOC_MAX_CPUS;
    mc->default_cpu_type = ARM_CPU_TYPE_NAME("cortex-a53");
    mc->default_ram_id = "dmabed-soc.ram";
    mc->default_ram_size = 512 * MiB;
    mc->block_default_type = IF_VIRTIO;
    mc->no_cdrom = true;
    mc->no_floppy = true;
    mc->no_parallel = true;
    mc->get_hotplug_handler = dmabed_soc_hotplug_handler;
    hc->pre_plug = dmabed_soc_pre_plug;
    hc->plug = dmabed_soc_plug;
    machine_class_allow_dynamic_sysbus_dev(mc, TYPE_DMABED_ENGINE_SYS);
    machine_class_allow_dynamic_sysbus_dev(mc, TYPE_DMABED_MEDIA);
    machine_class_allow_dynamic_sysbus_dev(mc, TYPE_DMABED_IOMMU);

    object_class_property_add_str(oc, "ram-banks", get_ram_banks,
                                  set_ram_banks);
    object_class_property_set_description(oc, "ram-banks",
        "SIZE@BASE[:SIZE@BASE...]; together exactly the machine's memory");
    dmabed_departed_add_property(oc);
}

static const TypeInfo dmabed_soc_types[] = {
    {
        .name = TYPE_DMABED_SOC,
        .parent = TYPE_MACHINE,
        .instance_size = sizeof(DmabedSocState),
        .instance_init = dmabed_soc_instance_init,
        .instance_finalize = dmabed_soc_instance_finalize,
        .class_init = dmabed_soc_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_HOTPLUG_HANDLER },
            { }
        },
    },
};

DEFINE_TYPES(dmabed_soc_types)
