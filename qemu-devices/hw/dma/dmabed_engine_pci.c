/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI Express front end of the dmabed DMA engine.
 *
 * BAR 0 holds the registers, BAR 2 the local memory.  The engine's windows
 * lead to what the bus gives it, so that bus mastering and an IOMMU count.
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "hw/dma/dmabed_engine.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_port.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"

#define TYPE_DMABED_ENGINE_PCI "dmabed-engine-pci"
OBJECT_DECLARE_SIMPLE_TYPE(DmabedEnginePciState, DMABED_ENGINE_PCI)

/* Base class ff: fits no other class */
#define ENGINE_CLASS (PCI_CLASS_OTHERS << 8)

/* Where capabilities stand: the express one here, MSI where there is room */
#define EXPRESS_CAP_OFFSET 0x80
#define MSI_VECTORS 1

struct DmabedEnginePciState {
    PCIDevice parent_obj;

    DmabedEngineState engine;
};

/* ---- what the core asks for ---- */

static DmabedEnginePciState *of_engine(const DmabedEngineState *engine)
{
    return container_of(engine, DmabedEnginePciState, engine);
}

/*
 * A message tells of an edge.  The core calls at each interrupt and at each
 * write that may leave the line high: a message each time loses none.
 */
static void set_irq(DmabedEngineState *engine, bool level)
{
    PCIDevice *pdev = PCI_DEVICE(of_engine(engine));

    if (!msi_enabled(pdev)) {
        pci_set_irq(pdev, level);
    } else if (level) {
        msi_notify(pdev, 0);
    }
}

static uint64_t get_local_base(const DmabedEngineState *engine)
{
    pcibus_t base = pci_get_bar_addr(PCI_DEVICE(of_engine(engine)),
                                     DMABED_PCI_BAR_LOCAL);

    return base == PCI_BAR_UNMAPPED ? 0 : base;
}

/* ---- realize and reset ---- */

static bool check_local_memory(DmabedEnginePciState *s, Error **errp)
{
    uint64_t size = s->engine.local_size;

    if (!size || is_power_of_2(size)) {
        return true;
    }
    error_setg(errp, "local-memory: %" PRIu64 " is no power of 2, as the size "
               "of a BAR must be", size);
    return false;
}

static bool realize_engine(DmabedEnginePciState *s, Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(s);
    MemoryRegion *bus = pci_get_address_space(pdev)->root;

    s->engine.set_irq = set_irq;
    s->engine.get_local_base = get_local_base;
    dmabed_engine_take_name(&s->engine, DEVICE(pdev));
    return object_property_set_link(OBJECT(&s->engine), "dma", OBJECT(bus),
                                    errp) &&
           qdev_realize(DEVICE(&s->engine), NULL, errp);
}

static void add_bars(DmabedEnginePciState *s)
{
    PCIDevice *pdev = PCI_DEVICE(s);

    pci_register_bar(pdev, DMABED_PCI_BAR_REGS,
                     PCI_BASE_ADDRESS_SPACE_MEMORY, &s->engine.regs);
    if (s->engine.local_size) {
        pci_register_bar(pdev, DMABED_PCI_BAR_LOCAL,
                         PCI_BASE_ADDRESS_SPACE_MEMORY |
                         PCI_BASE_ADDRESS_MEM_TYPE_64 |
                         PCI_BASE_ADDRESS_MEM_PREFETCH, &s->engine.local);
    }
}

/* Without anything that takes messages there is INTx alone */
static bool add_interrupts(PCIDevice *pdev, Error **errp)
{
    Error *err = NULL;
    int ret = msi_init(pdev, 0, MSI_VECTORS, true, false, &err);

    if (ret == -ENOTSUP) {
        error_free(err);
        return true;
    }
    error_propagate(errp, err);
    return ret == 0;
}

static void engine_pci_exit(PCIDevice *pdev)
{
    DmabedEnginePciState *s = DMABED_ENGINE_PCI(pdev);

    if (pci_is_express(pdev)) {
        pcie_cap_exit(pdev);
    }
    msi_uninit(pdev);
    dmabed_engine_depart(&s->engine);
    /* Before the bus' address space goes, which the engine's is made of */
    qdev_unrealize(DEVICE(&s->engine));
}

static void engine_pci_realize(PCIDevice *pdev, Error **errp)
{
    DmabedEnginePciState *s = DMABED_ENGINE_PCI(pdev);

    /* A core that is plugged in is reset, and its line with it: pin first */
    pci_config_set_interrupt_pin(pdev->config, 1);
    if (!check_local_memory(s, errp) || !realize_engine(s, errp)) {
        return;
    }
    add_bars(s);
    if (!add_interrupts(pdev, errp)) {
        qdev_unrealize(DEVICE(&s->engine));
        return;
    }
    if (pci_bus_is_express(pci_get_bus(pdev))) {
        pcie_endpoint_cap_init(pdev, EXPRESS_CAP_OFFSET);
    }
}

static void engine_pci_reset_hold(Object *obj, ResetType type)
{
    /* The core is on no bus, so nobody else resets it */
    device_cold_reset(DEVICE(&DMABED_ENGINE_PCI(obj)->engine));
}

/* ---- pulled out, without a word to the guest ---- */

static PCIDevice *slot_of(PCIDevice *pdev)
{
    PCIDevice *port = pci_bridge_get_device(pci_get_bus(pdev));

    return object_dynamic_cast(OBJECT(port), TYPE_PCIE_SLOT) ? port : NULL;
}

/*
 * QEMU's port lets go of a device when its power goes off, tells the guest that
 * nothing is there any more, and has no other way.  The guest must not find the
 * register changed: it would take the slot for one that it switched off itself.
 */
static void cut_power(PCIDevice *port)
{
    uint32_t offset = port->exp.exp_cap + PCI_EXP_SLTCTL;
    uint8_t *control = port->config + offset;
    uint16_t before = pci_get_word(control);
    uint16_t on = (before & ~(PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC)) |
                  PCI_EXP_SLTCTL_PWR_IND_ON;

    /* only a change of the power counts */
    pci_set_word(control, on);
    port->config_write(port, offset,
                       on | PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF,
                       sizeof(before));
    pci_set_word(control, before);
}

static void pull_out(void *opaque)
{
    PCIDevice *pdev = opaque;

    if (DEVICE(pdev)->realized) {
        DEVICE(pdev)->pending_deleted_event = true;
        cut_power(slot_of(pdev));
    }
    object_unref(OBJECT(pdev));
}

/* Later: whoever sets the property still uses the device */
static void set_pull(Object *obj, bool value, Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(obj);

    if (!value) {
        return;
    }
    if (!DEVICE(pdev)->realized || !slot_of(pdev)) {
        error_setg(errp, "pull: the device is in no slot of PCI Express");
        return;
    }
    object_ref(obj);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), pull_out, pdev);
}

static void engine_pci_init(Object *obj)
{
    DmabedEnginePciState *s = DMABED_ENGINE_PCI(obj);

    object_initialize_child(obj, "engine", &s->engine, TYPE_DMABED_ENGINE);
    qdev_alias_all_properties(DEVICE(&s->engine), obj);
    dmabed_engine_forward_runtime(&s->engine, obj);
}

/* ---- registration ---- */

static const VMStateDescription vmstate_engine_pci = {
    .name = TYPE_DMABED_ENGINE_PCI,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, DmabedEnginePciState),
        VMSTATE_END_OF_LIST()
    }
};

static void engine_pci_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);

    pc->realize = engine_pci_realize;
    pc->exit = engine_pci_exit;
    pc->vendor_id = DMABED_PCI_VENDOR_ID;
    pc->device_id = DMABED_PCI_DEVICE_ID;
    pc->class_id = ENGINE_CLASS;
    dc->desc = "dmabed DMA engine, PCI Express device";
    dc->vmsd = &vmstate_engine_pci;
    RESETTABLE_CLASS(oc)->phases.hold = engine_pci_reset_hold;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    object_class_property_add_bool(oc, "pull", NULL, set_pull);
    object_class_property_set_description(oc, "pull",
        "true: the device leaves its slot at once, unannounced");
}

static const TypeInfo engine_pci_types[] = {
    {
        .name = TYPE_DMABED_ENGINE_PCI,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(DmabedEnginePciState),
        .instance_init = engine_pci_init,
        .class_init = engine_pci_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { }
        },
    },
};

DEFINE_TYPES(engine_pci_types)
