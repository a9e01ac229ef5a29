# SPDX-License-Identifier: GPL-2.0-or-later
"""The device tree of a layout: what Linux is told of the hardware.

The template (``configs/templates/soc.dts.j2``) has loops only; every word in
it is computed here. An engine with windows of its own stands in a bus node
that has them as ``dma-ranges``, one bus node per distinct set.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dmabed import layout_checks, media, paths
from dmabed.build.cache import replace
from dmabed.errors import BuildError, SetupError
from dmabed.layout import (
    DEVICE_MMIO_SIZE,
    ENGINE_MODEL,
    Device,
    Iommu,
    Layout,
    Pcie,
    Range,
    Reserved,
    Smmu,
    Window,
)

DTC_SECONDS = 60


@dataclass(frozen=True)
class _Links:
    """The labels or paths by which nodes find each other, by name; of IOMMUs by who is behind them."""

    iommus: dict[str, str]
    areas: dict[str, str]


def render(layout: Layout) -> str:
    """The layout as device tree source."""
    environment = Environment(
        loader=FileSystemLoader(paths.TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("soc.dts.j2").render(_words(layout))


def compile_dtb(layout: Layout, out: Path) -> Path:
    """Render and compile; anything that dtc has to say is a failure."""
    source = render(layout)
    command = ["dtc", "-I", "dts", "-O", "dtb", "-o", "-", "-"]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=DTC_SECONDS)
    except FileNotFoundError:
        raise SetupError(
            "dtc, the device tree compiler, is not installed", hint="apt-get install device-tree-compiler"
        ) from None
    except subprocess.TimeoutExpired:
        raise BuildError(f"{layout.name}: dtc did not end within {DTC_SECONDS} s") from None
    if done.returncode or done.stderr:
        why = done.stderr.decode(errors="replace")
        raise BuildError(f"{layout.name}: dtc finds fault with the device tree", why=why)
    out.parent.mkdir(parents=True, exist_ok=True)
    replace(out, done.stdout)  # others may be writing the same one at this moment
    return out


def _words(layout: Layout) -> dict[str, Any]:
    """Everything that the template shows."""
    platform = layout.platform
    iommus = {iommu.name: f"iommu{index}" for index, iommu in enumerate(layout.iommus)}
    areas = {area.name: f"{{/reserved-memory/{area.name}@{area.base:x}}}" for area in layout.reserved}
    links = _Links(_behind(layout, iommus), areas)
    plain = [device for device in layout.devices if not (device.tree_dma_ranges or device.on_pcie)]
    return {
        "name": layout.name,
        "file": f"{layout.name}.yaml",
        "model": _string(f"{layout.modelled_after} (dmabed)"),
        "cpus": [_cpu(layout.cpu.model, index) for index in range(layout.cpu.count)],
        "banks": [_place(bank.base, bank.size) for bank in layout.banks],
        "reserved": [_reserved(entry) for entry in layout.reserved],
        "gic": {
            "unit": f"{platform.gic_distributor:x}",
            "distributor": cells(platform.gic_distributor, layout_checks.GIC_FRAME),
            "redistributors": cells(
                platform.gic_redistributor, layout_checks.GIC_REDISTRIBUTOR * layout.cpu.count
            ),
        },
        "uart": _place(platform.uart_base, layout_checks.UART_SIZE) | {"spi": platform.uart_spi},
        "virtio": [_virtio(layout, slot) for slot in range(platform.virtio_count)],
        "pcie": _pcie(platform.pcie) if platform.pcie else None,
        "iommus": [_iommu(iommu, iommus[iommu.name]) for iommu in layout.iommus],
        "engines": [_engine(device, links) for device in plain],
        "media": [_media(block, links) for block in layout.media if not block.tree_dma_ranges],
        "beside_media": [_media(block, links) for block in layout.media],
        "buses": _buses(layout, links),
    }


def cells(*values: int) -> str:
    """64-bit numbers as pairs of cells: ``<0x1 0x00000000 0x0 0xc0000000>``."""
    return "<" + " ".join(f"{value >> 32:#x} {value & 0xFFFFFFFF:#010x}" for value in values) + ">"


def _string(text: str) -> str:
    """Any text as a DTS string on one line."""
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _place(base: int, size: int) -> dict[str, Any]:
    return {"unit": f"{base:x}", "reg": cells(base, size)}


def _cpu(model: str, index: int) -> dict[str, Any]:
    # "max" is no Arm part; the generic binding is all that can be said of it
    compatible = "arm,armv8" if model == "max" else f"arm,{model}"
    return {"id": f"{index:x}", "reg": index, "compatible": compatible}


# As reserved-memory.yaml and shared-dma-pool.yaml of dt-schema want them.
_KINDS = {
    "cma-default": ('compatible = "shared-dma-pool";', "reusable;", "linux,cma-default;"),
    "cma": ('compatible = "shared-dma-pool";', "reusable;"),
    # mapped by its driver only: arm64 refuses to memremap() RAM that the kernel maps already
    "pool": ('compatible = "shared-dma-pool";', "no-map;"),
    "no-map": ("no-map;",),
}


def _reserved(entry: Reserved) -> dict[str, Any]:
    return {"name": entry.name, "lines": _KINDS[entry.kind]} | _place(entry.base, entry.size)


def _virtio(layout: Layout, slot: int) -> dict[str, Any]:
    platform, size = layout.platform, layout_checks.VIRTIO_MMIO_SIZE
    return _place(platform.virtio_base + slot * size, size) | {"spi": platform.virtio_spi + slot}


# Flags of an address in a PCI node's ranges, as IEEE 1275's PCI binding has them.
_PCI_MEMORY_32 = 0x02000000
_PCI_MEMORY_64_PREFETCHABLE = 0x43000000
# interrupt-map looks at the slot and the pin; 4 slots show the whole pattern.
_PCI_SLOT_SHIFT = 11
_PCI_SLOTS = 4


def _pcie(pcie: Pcie) -> dict[str, Any]:
    windows = [_pci_window(_PCI_MEMORY_32, pcie.mmio)]
    if pcie.high_mmio:
        windows.append(_pci_window(_PCI_MEMORY_64_PREFETCHABLE, pcie.high_mmio))
    return _place(pcie.ecam, layout_checks.PCIE_ECAM_SIZE) | {
        "last_bus": (layout_checks.PCIE_ECAM_SIZE >> 20) - 1,
        "ranges": ",\n\t\t\t ".join(windows),
        "interrupt_mask": f"<{(_PCI_SLOTS - 1) << _PCI_SLOT_SHIFT:#x} 0 0 7>",
        "interrupts": ",\n\t\t\t\t".join(_pci_interrupts(pcie)),
        "msi": _place(pcie.msi_base, layout_checks.PCIE_MSI_SIZE),
        "smmu": _smmu(pcie.smmu) if pcie.smmu else None,
    }


# arm,smmu-v3.yaml; QEMU's wires them in this order (hw/arm/smmuv3.h, SMMUIrq), and they are edges.
_SMMU_INTERRUPTS = ("eventq", "priq", "cmdq-sync", "gerror")


def _smmu(smmu: Smmu) -> dict[str, Any]:
    interrupts = ", ".join(f"<0 {smmu.spi + index} 1>" for index in range(len(_SMMU_INTERRUPTS)))
    names = ", ".join(f'"{name}"' for name in _SMMU_INTERRUPTS)
    place = _place(smmu.base, layout_checks.SMMU_SIZE)
    return place | {"interrupts": interrupts, "names": names}


def _pci_window(flags: int, window: Range) -> str:
    """Bus addresses are CPU addresses."""
    bus, cpu_and_size = cells(window.base)[1:-1], cells(window.base, window.size)[1:-1]
    return f"<{flags:#010x} {bus} {cpu_and_size}>"


def _pci_interrupts(pcie: Pcie) -> list[str]:
    """Slot and pin (from 1), then the GIC's address, which it has not, and SPI."""
    pins = layout_checks.PCIE_PINS
    return [
        f"<{slot << _PCI_SLOT_SHIFT:#06x} 0 0 {pin + 1} &gic 0 0 0 {pcie.spi + (slot + pin) % pins} 4>"
        for slot in range(_PCI_SLOTS)
        for pin in range(pins)
    ]


_IOMMU_COMPATIBLE = {
    "rockchip-v1": "rockchip,iommu",
    "rockchip-v2": "rockchip,rk3568-iommu",
    "sun50i": "allwinner,sun50i-h6-iommu",
}
# Its registers end before the line of its reset, which is in the same page: docs/specs/sun50i-iommu.md
_SUN50I_REGISTERS = 0x200
_SUN50I_RESET_LINE = 0xF00


def _iommu(iommu: Iommu, label: str) -> dict[str, Any]:
    words = {"label": label, "compatible": _IOMMU_COMPATIBLE[iommu.type], "spi": iommu.spi}
    if iommu.type != "sun50i":
        return words | _place(iommu.base, layout_checks.IOMMU_SIZES[iommu.type]) | {"reset": None}
    place = _place(iommu.base, _SUN50I_REGISTERS)
    return words | place | {"reset": _place(iommu.base + _SUN50I_RESET_LINE, 4)}


def _behind(layout: Layout, labels: dict[str, str]) -> dict[str, str]:
    """For each block behind an IOMMU that one's label, and the block's number there where it takes one."""
    numbered = {iommu.name for iommu in layout.iommus if iommu.type == "sun50i"}
    found: dict[str, str] = {}
    masters: dict[str, int] = {}
    for block in layout.blocks:
        if block.iommu is not None:
            number = masters.get(block.iommu, 0)
            masters[block.iommu] = number + 1
            label = labels[block.iommu]
            found[block.name] = f"{label} {number}" if block.iommu in numbered else label
    return found


def _engine(device: Device, links: _Links) -> dict[str, Any]:
    assert device.base is not None, "a device of PCI Express has no node"
    reg, lines = [cells(device.base, DEVICE_MMIO_SIZE)], []
    local = device.local_memory
    if local and local.visible and local.base is not None:
        reg.append(cells(local.base, local.size))
        lines.append('reg-names = "regs", "local";')
    if device.iommu is not None:
        lines.append(f"iommus = <&{links.iommus[device.name]}>;")
    if device.memory_region is not None:
        lines.append(f"memory-region = <&{links.areas[device.memory_region]}>;")
    if device.coherent:
        lines.append("dma-coherent;")
    unit = f"{device.base:x}"
    return {"name": device.name, "unit": unit, "reg": ", ".join(reg), "spi": device.spi, "lines": lines}


def _media(block: Device, links: _Links) -> dict[str, Any]:
    """A model of a real block: its node, and the reset line or panel beside it."""
    words = media.node(block)
    words["reg"] = cells(words["base"], words["size"])
    if reset := words["reset"]:
        words["reset"] = reset | _place(reset["base"], reset["size"])
    if block.iommu is not None:
        words["lines"] = [*words["lines"], f"iommus = <&{links.iommus[block.name]}>;"]
    return words


def _buses(layout: Layout, links: _Links) -> list[dict[str, Any]]:
    """A bus for each distinct set of windows, in the order of their first device."""
    behind: dict[tuple[Window, ...], list[Device]] = {}
    for device in layout.blocks:
        if device.tree_dma_ranges:
            behind.setdefault(device.tree_dma_ranges, []).append(device)
    return [
        {
            "dma_ranges": ",\n\t\t\t     ".join(cells(w.bus, w.cpu, w.size) for w in windows),
            "engines": [_engine(device, links) for device in devices if device.model == ENGINE_MODEL],
            "media": [_media(device, links) for device in devices if device.model != ENGINE_MODEL],
        }
        for windows, devices in behind.items()
    ]
