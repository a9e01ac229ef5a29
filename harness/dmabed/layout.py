# SPDX-License-Identifier: GPL-2.0-or-later
"""An SoC as DMA sees it: RAM banks, reserved memory, and blocks with limits.

A layout is one file of ``configs/layouts`` (docs/layouts.md). Everything that
needs an address takes it from the ``Layout`` made here: QEMU's arguments, the
device tree, and the addresses that a verdict expects.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dmabed import iommu_checks, layout_checks, paths, schema, units, yamlfile
from dmabed.errors import InputError
from dmabed.ranges import Run

DEVICE_MMIO_SIZE = 0x1000  # DMABED_ENGINE_MMIO_SIZE
DEFAULT_LATENCY_NS = 1000  # latency-ns of docs/specs/dmabed-engine.md
NO_BOUNDARY = (1 << 64) - 1
NO_IOMMU = "none"  # what a scenario says to take a device out from behind one
DEFAULT_TLB = 64  # tlb of docs/specs/rockchip-iommu.md


@dataclass(frozen=True)
class Window:
    """Bus addresses from ``bus`` on lead to CPU addresses from ``cpu`` on."""

    bus: int
    cpu: int
    size: int


@dataclass(frozen=True)
class Bank:
    """RAM."""

    base: int
    size: int


@dataclass(frozen=True)
class Reserved:
    """RAM that is set aside; ``kind`` is cma-default, cma, pool or no-map."""

    name: str
    base: int
    size: int
    kind: str

    @property
    def run(self) -> Run:
        return Run(self.base, self.size)


@dataclass(frozen=True)
class Range:
    """Addresses from ``base`` on."""

    base: int
    size: int


@dataclass(frozen=True)
class Smmu:
    """Arm's SMMUv3 between PCI Express and memory; ``spi`` is the first of its four."""

    base: int
    spi: int


@dataclass(frozen=True)
class Pcie:
    """PCI Express: its host bridge, its GICv2m frame, and how many root ports."""

    ecam: int
    mmio: Range
    high_mmio: Range | None
    spi: int  # of INTA; INTB to INTD follow
    msi_base: int
    msi_spi: int
    msi_count: int
    ports: int
    smmu: Smmu | None = None


@dataclass(frozen=True)
class Platform:
    """Where the machine's own parts are."""

    gic_distributor: int
    gic_redistributor: int
    uart_base: int
    uart_spi: int
    virtio_base: int
    virtio_spi: int
    virtio_count: int
    pcie: Pcie | None = None


@dataclass(frozen=True)
class Cpu:
    model: str
    count: int


@dataclass(frozen=True)
class LocalMemory:
    """RAM of a device's own; ``visible`` to others or to itself alone.

    On PCI Express it has no ``base``: it is where Linux puts BAR 2.
    """

    size: int
    base: int | None = None
    visible: bool = True

    def holds(self, address: int) -> bool:
        return self.base is not None and self.base <= address < self.base + self.size


@dataclass(frozen=True)
class Iommu:
    """An IOMMU of the platform: ``type`` says what Linux takes it for.

    ``output_bits`` is what it drives towards memory, ``tlb`` how many translations it keeps.
    """

    name: str
    type: str
    base: int
    spi: int
    output_bits: int
    tlb: int = DEFAULT_TLB
    source: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Panel:
    """What hangs on a display controller."""

    width: int
    height: int


ENGINE_MODEL = "engine"


@dataclass(frozen=True)
class Device:
    """A media block: one DMA engine with that block's limits, or the model of a real one.

    On the platform it has ``base`` and ``spi``, on PCI Express a ``port``.
    """

    name: str
    role: str
    hardware: str
    base: int | None
    spi: int | None
    address_bits: int
    reported_address_bits: int
    bus: str = "platform"
    port: int | None = None
    dma_ranges: tuple[Window, ...] = ()
    declared_dma_ranges: tuple[Window, ...] | None = None  # None: what dma_ranges says
    max_segments: int = 0
    max_segment_size: int = 0
    segment_boundary: int = NO_BOUNDARY
    alignment: int = 1
    granule: int = 1
    policy: str = "fault"
    latency_ns: int = DEFAULT_LATENCY_NS
    bandwidth: int = 0
    local_memory: LocalMemory | None = None
    iommu: str | None = None
    memory_region: str | None = None  # where its buffers, and its driver's own memory, come from
    coherent: bool = False
    source: str = ""
    notes: str = ""
    model: str = ENGINE_MODEL
    panel: Panel | None = None

    def to_cpu(self, bus: int) -> int | None:
        """The CPU address behind a bus address, None where nothing answers.

        Behind an IOMMU that is what the IOMMU is asked for: where the bytes
        really are, its tables alone say.
        """
        if not 0 <= bus < 1 << self.address_bits:
            return None
        if self.local_memory and self.local_memory.holds(bus):
            return bus if self.local_memory.visible else None
        if not self.dma_ranges:
            return bus
        inside = (w for w in self.dma_ranges if w.bus <= bus < w.bus + w.size)
        return next((w.cpu + bus - w.bus for w in inside), None)

    def to_bus(self, cpu: int) -> int | None:
        """The bus address that leads to a CPU address, None if none does."""
        if self.local_memory and self.local_memory.visible and self.local_memory.holds(cpu):
            return cpu
        if not self.dma_ranges:
            return cpu if 0 <= cpu < 1 << self.address_bits else None
        inside = (w.bus + cpu - w.cpu for w in self.dma_ranges if w.cpu <= cpu < w.cpu + w.size)
        return next((bus for bus in inside if bus < 1 << self.address_bits), None)

    def reaches(self, cpu_address: int) -> bool:
        """Whether the hardware can drive this CPU address at all."""
        return self.to_bus(cpu_address) is not None

    @property
    def on_pcie(self) -> bool:
        return self.bus == "pcie"

    @property
    def tree_dma_ranges(self) -> tuple[Window, ...]:
        """The windows that the device tree tells of."""
        return self.dma_ranges if self.declared_dma_ranges is None else self.declared_dma_ranges


@dataclass(frozen=True)
class Layout:
    name: str
    modelled_after: str
    good_for: str
    sources: tuple[str, ...]
    cpu: Cpu
    banks: tuple[Bank, ...]
    reserved: tuple[Reserved, ...]
    platform: Platform
    devices: tuple[Device, ...]
    """The DMA engines."""
    media: tuple[Device, ...]
    """Models of real blocks, which upstream drivers drive."""
    file: Path = field(compare=False)
    iommus: tuple[Iommu, ...] = ()
    kernel_variant: str | None = None  # the variant of our kernel that it needs

    @property
    def blocks(self) -> tuple[Device, ...]:
        """Everything that does DMA."""
        return self.devices + self.media

    @property
    def ram_size(self) -> int:
        return sum(bank.size for bank in self.banks)

    def device(self, name: str) -> Device:
        """The device of that name, or an ``InputError`` that lists what there is."""
        for device in self.blocks:
            if device.name == name:
                return device
        what, allowed = _unknown_device(self, name)
        raise InputError(f"{what}; allowed: {allowed}")

    def translates(self, device: Device) -> bool:
        """Whether bus addresses of a device are IOVAs."""
        pcie = self.platform.pcie
        return device.iommu is not None or bool(device.on_pcie and pcie and pcie.smmu)


def names() -> list[str]:
    """The layouts that ``find`` knows by name."""
    return sorted(path.stem for path in paths.LAYOUTS.glob("*.yaml"))


def find(name_or_path: str | Path) -> Layout:
    """A layout of ``configs/layouts`` by name, or any file by its path."""
    text = str(name_or_path)
    if "/" in text or text.endswith((".yaml", ".yml")):
        return load(Path(text))
    if text not in names():
        allowed = ", ".join(names())
        raise InputError(f"no layout is called '{text}'{_nearest(text, names())}; allowed: {allowed}")
    return load(paths.LAYOUTS / f"{text}.yaml")


def load(path: Path | str) -> Layout:
    """Read and check a layout file."""
    document = yamlfile.load(path, "layout")
    layout = _layout(document)
    _raise_first(layout, document, ())
    return layout


def override(
    layout: Layout,
    changes: Mapping[str, Mapping[str, Any]],
    document: yamlfile.Document,
    at: yamlfile.KeyPath = ("devices",),
) -> Layout:
    """The layout with some keys of some devices changed.

    ``changes`` is what stands in ``document`` under ``at``; every error names
    that file and line.
    """
    for problem in schema.problems(changes, "layout", "overrides"):
        raise document.error((*at, *problem.path), problem.what, problem.allowed)
    known = {device.name: device for device in layout.blocks}
    for name, keys in changes.items():
        if name not in known:
            raise document.error((*at, name), *_unknown_device(layout, name))
        known[name] = _changed(known[name], keys)
    changed = replace(layout, devices=_engines(known.values()), media=_models(known.values()))
    _raise_first(changed, document, tuple(changes), at)
    return changed


def _raise_first(
    layout: Layout,
    document: yamlfile.Document,
    suspects: tuple[str, ...],
    at: yamlfile.KeyPath = ("devices",),
) -> None:
    for problem in layout_checks.problems(layout, suspects):
        path = (*at, *problem.path[1:]) if problem.path[0] == "devices" else problem.path
        raise document.error(path, problem.what, problem.allowed)


def _layout(document: yamlfile.Document) -> Layout:
    data = document.data
    blocks = [_device(name, keys) for name, keys in data["devices"].items()]
    gic, uart, virtio = (data["platform"][key] for key in ("gic", "uart", "virtio"))
    return Layout(
        name=data["layout"],
        modelled_after=data["modelled-after"],
        good_for=data.get("good-for", ""),
        sources=tuple(data.get("sources", ())),
        cpu=Cpu(**data["cpu"]),
        banks=tuple(Bank(bank["base"], units.size(bank["size"])) for bank in data["memory"]["banks"]),
        reserved=tuple(_reserved(entry) for entry in data["memory"].get("reserved", ())),
        platform=Platform(
            gic_distributor=gic["distributor"],
            gic_redistributor=gic["redistributor"],
            uart_base=uart["base"],
            uart_spi=uart["spi"],
            virtio_base=virtio["base"],
            virtio_spi=virtio["spi"],
            virtio_count=virtio["count"],
            pcie=_pcie(data["platform"]["pcie"]) if "pcie" in data["platform"] else None,
        ),
        devices=_engines(blocks),
        media=_models(blocks),
        file=document.path,
        iommus=tuple(_iommu(name, keys) for name, keys in data.get("iommus", {}).items()),
        kernel_variant=data.get("kernel-variant"),
    )


def _engines(blocks: Iterable[Device]) -> tuple[Device, ...]:
    return tuple(block for block in blocks if block.model == ENGINE_MODEL)


def _models(blocks: Iterable[Device]) -> tuple[Device, ...]:
    """Models of real blocks."""
    return tuple(block for block in blocks if block.model != ENGINE_MODEL)


def _pcie(keys: dict[str, Any]) -> Pcie:
    high = keys.get("high-mmio")
    return Pcie(
        ecam=keys["ecam"],
        mmio=_range(keys["mmio"]),
        high_mmio=_range(high) if high else None,
        spi=keys["spi"],
        msi_base=keys["msi"]["base"],
        msi_spi=keys["msi"]["spi"],
        msi_count=keys["msi"]["count"],
        ports=keys["ports"],
        smmu=Smmu(**keys["smmu"]) if "smmu" in keys else None,
    )


def _range(entry: dict[str, Any]) -> Range:
    return Range(entry["base"], units.size(entry["size"]))


def _reserved(entry: dict[str, Any]) -> Reserved:
    return Reserved(entry["name"], entry["base"], units.size(entry["size"]), entry["kind"])


def _iommu(name: str, keys: Mapping[str, Any]) -> Iommu:
    fields = {key.replace("-", "_"): value for key, value in keys.items()}
    fields.setdefault("output_bits", iommu_checks.MAX_OUTPUT_BITS[fields["type"]])
    return Iommu(name=name, **fields)


def _device(name: str, keys: Mapping[str, Any]) -> Device:
    fields = {"base": None, "spi": None} | _fields(keys)
    fields.setdefault("reported_address_bits", fields["address_bits"])
    return Device(name=name, **fields)


def _changed(device: Device, keys: Mapping[str, Any]) -> Device:
    fields = _fields(keys)
    honest = device.reported_address_bits == device.address_bits
    if honest and "address_bits" in fields:
        fields.setdefault("reported_address_bits", fields["address_bits"])
    return replace(device, **fields)


_SIZES = ("max_segment_size", "alignment", "granule", "bandwidth")
_WINDOWS = ("dma_ranges", "declared_dma_ranges")


def _fields(keys: Mapping[str, Any]) -> dict[str, Any]:
    """A device's keys as the fields of ``Device``."""
    fields = {key.replace("-", "_"): value for key, value in keys.items()}
    for name in _SIZES:
        if name in fields:
            fields[name] = units.size(fields[name])
    for name in _WINDOWS:
        if name in fields:
            fields[name] = tuple(_window(entry) for entry in fields[name])
    if fields.get("iommu") == NO_IOMMU:
        fields["iommu"] = None
    if "panel" in fields:
        fields["panel"] = Panel(**fields["panel"])
    if "local_memory" in fields:
        local = fields["local_memory"]
        fields["local_memory"] = LocalMemory(**local | {"size": units.size(local["size"])})
    return fields


def _window(entry: dict[str, Any]) -> Window:
    return Window(entry["bus"], entry["cpu"], units.size(entry["size"]))


def _unknown_device(layout: Layout, name: str) -> tuple[str, str]:
    known = [device.name for device in layout.blocks]
    return f"layout {layout.name} has no device '{name}'{_nearest(name, known)}", ", ".join(known)


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""
