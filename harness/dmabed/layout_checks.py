# SPDX-License-Identifier: GPL-2.0-or-later
"""What a schema cannot see in a layout: addresses and interrupts that collide.

Each check yields problems with the key that is to blame. Of two that collide
the later one is; ``suspects`` are devices that were changed by hand
(a scenario's overrides) and therefore come last.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dmabed import iommu_checks, layout_names
from dmabed.schema import Problem
from dmabed.units import format_size

if TYPE_CHECKING:
    from dmabed.layout import Device, Layout, LocalMemory, Pcie, Window

Path = tuple[str | int, ...]

_ADDRESSES = 1 << 64
# What an engine can do (docs/specs/dmabed-engine.md): a burst holds a granule, a boundary a page.
_MAX_ALIGNMENT = 2 << 30
_MAX_GRANULE = 64 << 10
_MIN_BOUNDARY = 0xFFF
_SPIS = 224  # of the machine's interrupt controller
_PAGE = 0x1000
# Linux wants its own image on 2 MiB (Documentation/arch/arm64/booting.rst); QEMU counts RAM by MiB.
_BANK_ALIGNMENT = 2 << 20
_BANK_UNIT = 1 << 20
# rmem_cma_setup() refuses less than a page block (kernel/dma/contiguous.c), which is at most the largest
# run of the page allocator (ARCH_FORCE_MAX_ORDER in arch/arm64/Kconfig).
_CMA_ALIGNMENT = {None: 4 << 20, "pages16k": 32 << 20}
CMA_KINDS = ("cma-default", "cma")
# ID_AA64MMFR0_EL1.TGRAN16 of QEMU's models (target/arm/tcg/cpu64.c)
_CPUS_WITH_16K = ("cortex-a35", "cortex-a55", "cortex-a76", "max")
# arm_gicv3: a 64 KiB distributor, 128 KiB of redistributor per CPU; frames of 64 KiB.
GIC_FRAME = 0x10000
GIC_REDISTRIBUTOR = 0x20000
VIRTIO_MMIO_SIZE = 0x200
UART_SIZE = 0x1000
# 16 buses, a GICv2m frame, INTA to INTD (docs/specs/dmabed-soc.md)
PCIE_ECAM_SIZE = 16 << 20
PCIE_MSI_SIZE = 0x1000
PCIE_PINS = 4
# IHI 0070, 6.1: two pages of 64 KiB; QEMU's has four wired interrupts (hw/arm/smmuv3.c)
SMMU_SIZE = 2 << 16
_SMMU_ALIGNMENT = 1 << 16
SMMU_SPIS = 4
# what each type maps: docs/specs/rockchip-iommu.md, sun50i-iommu.md
IOMMU_SIZES = {"rockchip-v1": 0x100, "rockchip-v2": 0x100, "sun50i": 0x1000}
# pci-host-ecam-generic maps the configuration space of a bus by 1 MiB; windows of bridges are of 1 MiB
_PCIE_ALIGNMENT = 1 << 20
_BAR_32 = 1 << 32
_MAX_LOCAL = 1 << 30
_MMIO_SIZE = 0x1000


@dataclass(frozen=True)
class _Area:
    """An address range of the map, with the key that put it there."""

    title: str
    path: Path
    base: int
    size: int
    alignment: int = 1

    @property
    def end(self) -> int:
        return self.base + self.size

    def overlaps(self, other: _Area) -> bool:
        return self.base < other.end and other.base < self.end

    def __str__(self) -> str:
        return f"{self.title} {self.base:#x}-{self.end - 1:#x}"


def problems(layout: Layout, suspects: tuple[str, ...] = ()) -> Iterator[Problem]:
    """Everything wrong with a layout that fits the schema, RAM first."""
    devices = sorted(layout.blocks, key=lambda device: device.name in suspects)
    banks = _banks(layout)
    yield from layout_names.problems(layout)
    yield from _kernel_problems(layout)
    yield from _map_problems(banks + _registers(layout, devices))
    yield from _reserved_problems(layout, banks)
    yield from _interrupt_problems(layout, devices)
    for device in devices:
        yield from _device_problems(device)
        yield from _region_problems(layout, device)
        yield from _place_problems(device)
        yield from _model_problems(device)
    yield from _port_problems(layout, devices)
    yield from iommu_checks.problems(layout, devices)


def _kernel_problems(layout: Layout) -> Iterator[Problem]:
    model = layout.cpu.model
    if layout.kernel_variant == "pages16k" and model not in _CPUS_WITH_16K:
        yield Problem(("cpu", "model"), f"{model} has no pages of 16 KiB", ", ".join(_CPUS_WITH_16K))


def _banks(layout: Layout) -> list[_Area]:
    return [
        _Area("RAM", ("memory", "banks", index, "base"), bank.base, bank.size, _BANK_ALIGNMENT)
        for index, bank in enumerate(layout.banks)
    ]


def _registers(layout: Layout, devices: list[Device]) -> list[_Area]:
    platform, gic = layout.platform, ("platform", "gic")
    redistributors = GIC_REDISTRIBUTOR * layout.cpu.count
    virtio_size = VIRTIO_MMIO_SIZE * platform.virtio_count
    distributor, redistributor = platform.gic_distributor, platform.gic_redistributor
    fixed = [
        _Area("GIC distributor", (*gic, "distributor"), distributor, GIC_FRAME, GIC_FRAME),
        _Area("GIC redistributors", (*gic, "redistributor"), redistributor, redistributors, GIC_FRAME),
        _Area("UART", ("platform", "uart", "base"), platform.uart_base, UART_SIZE, _PAGE),
        _Area("virtio-mmio", ("platform", "virtio", "base"), platform.virtio_base, virtio_size, _PAGE),
    ]
    pcie = _pcie_areas(platform.pcie) if platform.pcie else []
    iommus = [
        _Area(iommu.name, ("iommus", iommu.name, "base"), iommu.base, size, size)
        for iommu in layout.iommus
        for size in (IOMMU_SIZES[iommu.type],)
    ]
    return fixed + pcie + iommus + [area for device in devices for area in _device_areas(device)]


def _pcie_areas(pcie: Pcie) -> list[_Area]:
    path, unit = ("platform", "pcie"), _PCIE_ALIGNMENT
    areas = [
        _Area("PCIe ECAM", (*path, "ecam"), pcie.ecam, PCIE_ECAM_SIZE, unit),
        _Area("PCIe MSI frame", (*path, "msi", "base"), pcie.msi_base, PCIE_MSI_SIZE, _PAGE),
        _Area("PCIe window", (*path, "mmio", "base"), pcie.mmio.base, pcie.mmio.size, unit),
    ]
    if pcie.high_mmio:
        high = pcie.high_mmio
        areas.append(_Area("high PCIe window", (*path, "high-mmio", "base"), high.base, high.size, unit))
    if pcie.smmu:
        areas.append(_Area("SMMU", (*path, "smmu", "base"), pcie.smmu.base, SMMU_SIZE, _SMMU_ALIGNMENT))
    return areas


def _device_areas(device: Device) -> Iterator[_Area]:
    path, local = ("devices", device.name), device.local_memory
    if device.base is not None:
        yield _Area(device.name, (*path, "base"), device.base, _MMIO_SIZE, _PAGE)
    if local and local.visible and local.base is not None and not device.on_pcie:
        title = f"local memory of {device.name}"
        yield _Area(title, (*path, "local-memory", "base"), local.base, local.size)


def _map_problems(areas: list[_Area]) -> Iterator[Problem]:
    """RAM and registers: aligned, inside the address space, each in its own place."""
    for index, area in enumerate(areas):
        yield from _area_problems(area)
        for other in areas[:index]:
            if area.overlaps(other):
                yield Problem(area.path, f"{area} overlaps {other}")


def _area_problems(area: _Area) -> Iterator[Problem]:
    if area.size == 0:
        yield Problem((*area.path[:-1], "size"), f"{area.title} at {area.base:#x} is empty", "more than 0")
    elif area.base % area.alignment:
        yield Problem(area.path, f"{area} is not aligned", f"multiples of {area.alignment:#x}")
    elif area.title == "RAM" and area.size % _BANK_UNIT:
        yield Problem((*area.path[:-1], "size"), f"{area} is not aligned", f"multiples of {_BANK_UNIT:#x}")
    if area.end > _ADDRESSES:
        yield Problem(area.path, f"{area} ends beyond 64 bits")


def _reserved_problems(layout: Layout, banks: list[_Area]) -> Iterator[Problem]:
    seen: list[_Area] = []
    for index, entry in enumerate(layout.reserved):
        path: Path = ("memory", "reserved", index)
        alignment = _CMA_ALIGNMENT[layout.kernel_variant] if entry.kind in CMA_KINDS else _PAGE
        area = _Area(entry.name, (*path, "base"), entry.base, entry.size, alignment)
        yield from _area_problems(area)
        if area.size % alignment:
            yield Problem((*path, "size"), f"{area} is not aligned", f"multiples of {alignment:#x}")
        if not any(bank.base <= area.base and area.end <= bank.end for bank in banks):
            yield Problem(area.path, f"{area} is not inside one RAM bank", ", ".join(map(str, banks)))
        for other in seen:
            if area.overlaps(other):
                yield Problem(area.path, f"{area} overlaps {other}")
        seen.append(area)
    yield from _reserved_repeats(layout)


def _reserved_repeats(layout: Layout) -> Iterator[Problem]:
    for index, entry in enumerate(layout.reserved):
        path: Path = ("memory", "reserved", index)
        earlier = layout.reserved[:index]
        if entry.name in (other.name for other in earlier):
            yield Problem((*path, "name"), f"'{entry.name}' is taken", "another name")
        if entry.kind == "cma-default" and "cma-default" in (other.kind for other in earlier):
            yield Problem((*path, "kind"), "a second default CMA area", "cma, pool, no-map")


def _interrupt_problems(layout: Layout, devices: list[Device]) -> Iterator[Problem]:
    platform = layout.platform
    taken: dict[int, str] = {platform.uart_spi: "the UART"}
    virtio: Path = ("platform", "virtio", "spi")
    for spi in range(platform.virtio_spi, platform.virtio_spi + platform.virtio_count):
        yield from _spi_problems(taken, spi, virtio, "virtio-mmio")
    if pcie := platform.pcie:
        for spi in range(pcie.spi, pcie.spi + PCIE_PINS):
            yield from _spi_problems(taken, spi, ("platform", "pcie", "spi"), "PCIe")
        for spi in range(pcie.msi_spi, pcie.msi_spi + pcie.msi_count):
            yield from _spi_problems(taken, spi, ("platform", "pcie", "msi", "spi"), "the PCIe MSI frame")
        for spi in range(pcie.smmu.spi, pcie.smmu.spi + SMMU_SPIS) if pcie.smmu else ():
            yield from _spi_problems(taken, spi, ("platform", "pcie", "smmu", "spi"), "the SMMU")
    for iommu in layout.iommus:
        yield from _spi_problems(taken, iommu.spi, ("iommus", iommu.name, "spi"), iommu.name)
    for device in devices:
        if device.spi is None:
            continue
        yield from _spi_problems(taken, device.spi, ("devices", device.name, "spi"), device.name)


def _spi_problems(taken: dict[int, str], spi: int, path: Path, owner: str) -> Iterator[Problem]:
    if spi in taken:
        yield Problem(path, f"SPI {spi} of {owner} is taken by {taken[spi]}", "an SPI of its own")
    if spi >= _SPIS:
        yield Problem(path, f"SPI {spi} of {owner} is out of range", f"0 to {_SPIS - 1}")
    taken.setdefault(spi, owner)


def _device_problems(device: Device) -> Iterator[Problem]:
    path: Path = ("devices", device.name)
    yield from _power_problems((*path, "alignment"), device.alignment, _MAX_ALIGNMENT)
    yield from _power_problems((*path, "granule"), device.granule, _MAX_GRANULE)
    if device.segment_boundary & (device.segment_boundary + 1) or device.segment_boundary < _MIN_BOUNDARY:
        what = f"{device.segment_boundary:#x} is no mask"
        allowed = f"a power of 2 less 1, {_MIN_BOUNDARY:#x} or more, such as 0xffffffff"
        yield Problem((*path, "segment-boundary"), what, allowed)
    yield from _window_problems(device.dma_ranges, (*path, "dma-ranges"))
    yield from _window_problems(device.declared_dma_ranges or (), (*path, "declared-dma-ranges"))


def _region_problems(layout: Layout, device: Device) -> Iterator[Problem]:
    kinds = (*CMA_KINDS, "pool")
    areas = [area.name for area in layout.reserved if area.kind in kinds]
    if device.memory_region is not None and device.memory_region not in areas:
        what = f"'{device.memory_region}' is no CMA area or pool of {layout.name}"
        yield Problem(("devices", device.name, "memory-region"), what, ", ".join(areas) or "none there")


# What only one of the two buses has.
_PLATFORM_KEYS = ("base", "spi", "dma-ranges", "declared-dma-ranges", "iommu", "memory-region", "coherent")
_PCIE_KEYS = ("port",)


def _place_problems(device: Device) -> Iterator[Problem]:
    """Keys that do not go with the bus, and local memory."""
    path: Path = ("devices", device.name)
    for key in _PLATFORM_KEYS if device.on_pcie else _PCIE_KEYS:
        value = getattr(device, key.replace("-", "_"))
        if not (value is None or value is False or value == ()):
            yield Problem((*path, key), f"a device on bus '{device.bus}' has no {key}")
    if device.local_memory:
        yield from _local_problems(device, device.local_memory)


# Limits that only the engine checks; a real block has those of its registers
_ENGINE_KEYS = (
    *("max_segments", "max_segment_size", "segment_boundary", "alignment", "granule", "policy"),
    *("bandwidth", "local_memory"),
)
PANEL_SIDES = range(120, 2049)  # MXSFB_MIN_XRES of the driver; what a screendump should hold


def _model_problems(device: Device) -> Iterator[Problem]:
    """Keys that do not go with the model of the block."""
    path: Path = ("devices", device.name)
    if device.model == "engine":
        if device.panel:
            yield Problem((*path, "panel"), "an engine has no panel", "with model imx28-lcdif")
        return
    for key in _ENGINE_KEYS:
        if getattr(device, key) != type(device).__dataclass_fields__[key].default:
            name = key.replace("_", "-")
            yield Problem((*path, name), f"a {device.model} has no {name}", "with model engine")
    if device.on_pcie:
        yield Problem((*path, "bus"), f"a {device.model} is on the platform", "platform")
    if (device.panel is None) == (device.model == "imx28-lcdif"):
        yield Problem(path, "a display has a panel, and nothing else has one", "panel: {width, height}")
    for side, value in (
        (("width", device.panel.width), ("height", device.panel.height)) if device.panel else ()
    ):
        if value not in PANEL_SIDES:
            allowed = f"{PANEL_SIDES.start} to {PANEL_SIDES.stop - 1}"
            yield Problem((*path, "panel", side), f"{value} is out of range", allowed)


def _local_problems(device: Device, local: LocalMemory) -> Iterator[Problem]:
    path: Path = ("devices", device.name, "local-memory")
    if local.size == 0 or local.size % _PAGE or local.size > _MAX_LOCAL:
        allowed = f"multiples of {format_size(_PAGE)} up to {format_size(_MAX_LOCAL)}"
        yield Problem((*path, "size"), f"{local.size} does not fit", allowed)
    if device.on_pcie:
        yield from _bar_problems(local, path)
    elif local.base is None:
        yield Problem(path, "key 'base' is missing")
    elif local.base % _PAGE:
        yield Problem((*path, "base"), f"{local.base:#x} is not aligned", f"multiples of {_PAGE:#x}")
    elif local.base + local.size > 1 << device.address_bits:
        what = f"{device.name} cannot reach the end of it with {device.address_bits} address bits"
        yield Problem((*path, "base"), what, f"an end of at most {1 << device.address_bits:#x}")


def _bar_problems(local: LocalMemory, path: Path) -> Iterator[Problem]:
    if local.base is not None:
        yield Problem((*path, "base"), "Linux chooses where a BAR is", "no base")
    if not local.visible:
        yield Problem((*path, "visible"), "a BAR is visible", "true")
    if local.size & (local.size - 1):
        yield Problem((*path, "size"), f"{local.size} is no size of a BAR", "a power of 2")


def _port_problems(layout: Layout, devices: list[Device]) -> Iterator[Problem]:
    pcie = layout.platform.pcie
    taken: dict[int, str] = {}
    if pcie:
        yield from _window_places(pcie)
    for device in (device for device in devices if device.on_pcie):
        path: Path = ("devices", device.name)
        if pcie is None:
            yield Problem((*path, "bus"), f"{layout.name} has no PCI Express", "a layout with platform.pcie")
        elif device.port is None:
            yield Problem(path, "key 'port' is missing")
        elif device.port >= pcie.ports:
            yield Problem((*path, "port"), f"there is no port {device.port}", f"0 to {pcie.ports - 1}")
        elif device.port in taken:
            what = f"port {device.port} is taken by {taken[device.port]}"
            yield Problem((*path, "port"), what, "a port of its own")
        else:
            taken[device.port] = device.name


def _window_places(pcie: Pcie) -> Iterator[Problem]:
    if pcie.mmio.base + pcie.mmio.size > _BAR_32:
        yield Problem(("platform", "pcie", "mmio"), "the window ends beyond 32 bits", "an end below 4 GiB")


def _power_problems(path: Path, value: int, largest: int) -> Iterator[Problem]:
    if value == 0 or value & (value - 1) or value > largest:
        yield Problem(path, f"{value} does not fit", f"1, 2, 4, … {format_size(largest)}")


def _window_problems(windows: tuple[Window, ...], path: Path) -> Iterator[Problem]:
    for index, window in enumerate(windows):
        bus, cpu = window.bus + window.size, window.cpu + window.size
        if window.size == 0:
            yield Problem((*path, index, "size"), "the window is empty", "more than 0")
        if max(bus, cpu) > _ADDRESSES:
            yield Problem((*path, index), "the window ends beyond 64 bits")
    for (_, first), (index, second) in itertools.combinations(enumerate(windows), 2):
        if first.bus < second.bus + second.size and second.bus < first.bus + first.size:
            what = f"bus addresses from {second.bus:#x} overlap the window at {first.bus:#x}"
            yield Problem((*path, index), what, "windows apart from each other")
