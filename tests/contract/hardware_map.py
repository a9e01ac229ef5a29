# SPDX-License-Identifier: GPL-2.0-or-later
"""The map of an SoC as each of its three tellers has it, in one shape.

``of_tree`` reads a DTB (what Linux believes), ``of_arguments`` QEMU's command
line (what was asked for), ``of_qemu`` a running QEMU (what is there). The
contract is that all three are equal.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

import flattened_tree

Range = tuple[int, int]  # base, size


@dataclass
class Pcie:
    ecam: Range
    windows: list[tuple[str, int, int]]  # kind, base, size
    spi: int  # of INTA
    smmu: tuple[int, int] | None  # base, first SPI
    msi: int  # the GICv2m frame's base; its SPIs are in a register of it


@dataclass
class Map:
    cpus: int
    ram: list[Range]  # banks that touch are one
    distributor: Range
    redistributors: Range
    uart: tuple[int, int]  # base, SPI
    virtio: list[tuple[int, int]]
    engines: dict[str, tuple[int, int]]
    windows: dict[str, list[tuple[int, int, int]]]  # bus, CPU, size
    local: dict[str, Range]  # what an engine has that others reach too
    iommus: list[tuple[int, int, int | None]]  # base, SPI, version
    behind: dict[str, int]  # of the engines behind one: its base
    pcie: Pcie | None


def joined(ranges: Iterable[Range]) -> list[Range]:
    """Ranges in order, those that touch made one."""
    result: list[Range] = []
    for base, size in sorted(ranges):
        if result and sum(result[-1]) == base:
            result[-1] = (result[-1][0], result[-1][1] + size)
        else:
            result.append((base, size))
    return result


# ---- a DTB ----


def of_tree(blob: bytes) -> Map:
    nodes = flattened_tree.read(blob)
    (gic,) = _compatible(nodes, "arm,gic-v3")
    (uart,) = _compatible(nodes, "arm,pl011")
    distributor, redistributors = _pairs(gic)
    named = [(node.strings("label")[0], node) for node in _compatible(nodes, "dmabed,engine")]
    engines = dict(named)
    assert len(engines) == len(named), "two engines of one name"
    return Map(
        cpus=len([node for node in nodes if node.strings("device_type") == ["cpu"]]),
        ram=joined(
            pair for node in nodes if node.strings("device_type") == ["memory"] for pair in _pairs(node)
        ),
        distributor=distributor,
        redistributors=redistributors,
        uart=_base_and_spi(uart),
        virtio=sorted(map(_base_and_spi, _compatible(nodes, "virtio,mmio"))),
        engines={name: _base_and_spi(node) for name, node in engines.items()},
        windows={name: _windows(node) for name, node in engines.items()},
        local={
            name: _named_reg(node, "local") for name, node in engines.items() if node.strings("reg-names")
        },
        iommus=sorted(_iommus_of_tree(nodes)),
        behind={name: _iommu_of_node(nodes, node) for name, node in engines.items() if node.cells("iommus")},
        pcie=_pcie_of_tree(nodes),
    )


# by what Linux calls them; those of QEMU that have no version are Allwinner's
_VERSIONS = {"rockchip,iommu": 1, "rockchip,rk3568-iommu": 2, "allwinner,sun50i-h6-iommu": None}


def _iommus_of_tree(nodes):
    for name, version in _VERSIONS.items():
        for node in _compatible(nodes, name):
            assert node.cells("#iommu-cells") == [0 if version else 1]
            yield (*_base_and_spi(node), version)


def _iommu_of_node(nodes, node):
    phandle, *_number = node.cells("iommus")
    (iommu,) = [other for other in nodes if other.cells("phandle") == [phandle]]
    return _pairs(iommu)[0][0]


def _named_reg(node, name):
    return _pairs(node)[node.strings("reg-names").index(name)]


# the cell before an address in a PCI node's ranges
_WINDOWS = {0x02000000: "memory", 0x43000000: "prefetchable"}


def _pcie_of_tree(nodes):
    hosts = _compatible(nodes, "pci-host-ecam-generic")
    if not hosts:
        return None
    (host,), (frame,) = hosts, _compatible(nodes, "arm,gic-v2m-frame")
    ((ecam, size),) = _pairs(host)
    assert host.cells("bus-range") == [0, (size >> 20) - 1]
    return Pcie(
        ecam=(ecam, size),
        windows=[_pci_window(host.cells("ranges")[at : at + 7]) for at in range(0, 7 * 2, 7)],
        spi=_first_pci_interrupt(host),
        smmu=_smmu_of_tree(nodes, host),
        msi=_pairs(frame)[0][0],
    )


def _smmu_of_tree(nodes, host):
    found = _compatible(nodes, "arm,smmu-v3")
    if not found:
        assert not host.cells("iommu-map")
        return None
    (smmu,) = found
    assert host.cells("iommu-map") == [0, *smmu.cells("phandle"), 0, 0x10000], "every requester, as it is"
    cells = smmu.cells("interrupts")
    first = cells[1]
    assert cells == [cell for index in range(4) for cell in (0, first + index, 1)]
    assert smmu.strings("interrupt-names") == ["eventq", "priq", "cmdq-sync", "gerror"]
    return _pairs(smmu)[0][0], first


def _pci_window(cells):
    kind, bus_high, bus_low, high, low, size_high, size_low = cells
    assert (bus_high, bus_low) == (high, low), "bus addresses are CPU addresses"
    return _WINDOWS[kind], high << 32 | low, size_high << 32 | size_low


def _first_pci_interrupt(host):
    """INTA of slot 0; the rest of the map must follow from it, as the bridge wires its pins."""
    cells = host.cells("interrupt-map")
    first = cells[8]
    entries = [tuple(cells[at : at + 10]) for at in range(0, len(cells), 10)]
    gic = cells[4]
    assert entries == [
        (slot << 11, 0, 0, pin + 1, gic, 0, 0, 0, first + (slot + pin) % 4, 4)
        for slot in range(4)
        for pin in range(4)
    ]
    return first


def _compatible(nodes, name):
    return [node for node in nodes if name in node.strings("compatible")]


def _pairs(node):
    numbers = node.numbers("reg")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _base_and_spi(node):
    (base, _size), *_local = _pairs(node)
    kind, number, _flags = node.cells("interrupts")
    assert kind == 0, f"{node.path}: not an SPI"
    return base, number


def _windows(node):
    """The ``dma-ranges`` of the nearest bus that has them."""
    while node := node.parent:
        if flat := node.numbers("dma-ranges"):
            return _triples(flat)
    return []


# ---- a command line ----


def of_arguments(words: list[str]) -> Map:
    (machine,) = _values(words, "-machine")
    options = dict(word.split("=", 1) for word in machine.split(",")[1:])
    number = {
        key: int(value, 0)
        for key, value in options.items()
        if re.fullmatch(r"\w+", value) and value != "ram0"
    }
    devices = [
        device
        for device in map(json.loads, _values(words, "-device"))
        if device["driver"] == "dmabed-engine-sys"
    ]
    iommus = {
        device["id"]: device
        for device in map(json.loads, _values(words, "-device"))
        if device["driver"] in ("dmabed-rk-iommu", "dmabed-sun50i-iommu")
    }
    cpus = int(_values(words, "-smp")[0])
    banks = [bank.split("@") for bank in options["ram-banks"].split(":")]
    slots = range(number["virtio-count"])
    return Map(
        cpus=cpus,
        ram=joined((int(base, 0), int(size, 0)) for size, base in banks),
        # of docs/specs/dmabed-soc.md
        distributor=(number["gic-dist-base"], 0x10000),
        redistributors=(number["gic-redist-base"], 0x20000 * cpus),
        uart=(number["uart-base"], number["uart-spi"]),
        virtio=[(number["virtio-base"] + 0x200 * n, number["virtio-spi"] + n) for n in slots],
        engines={device["id"]: (device["mmio-base"], device["spi"]) for device in devices},
        windows={device["id"]: _triples(device["dma-ranges"]) for device in devices},
        local={
            device["id"]: (device["local-base"], device["local-memory"])
            for device in devices
            if device.get("local-visible")
        },
        iommus=sorted((d["mmio-base"], d["spi"], d.get("version")) for d in iommus.values()),
        behind={d["id"]: iommus[d["iommu"]]["mmio-base"] for d in devices if "iommu" in d},
        pcie=_pcie_of_options(number) if "pcie-ecam" in number else None,
    )


def _pcie_of_options(number):
    windows = [("memory", number["pcie-mmio"], number["pcie-mmio-size"])]
    if "pcie-high-mmio" in number:
        windows.append(("prefetchable", number["pcie-high-mmio"], number["pcie-high-mmio-size"]))
    ecam = (number["pcie-ecam"], 16 << 20)
    return Pcie(
        ecam=ecam,
        windows=windows,
        spi=number["pcie-spi"],
        smmu=(number["pcie-smmu"], number["pcie-smmu-spi"]) if "pcie-smmu" in number else None,
        msi=number["pcie-msi"],
    )


def _values(words, option):
    return [words[index + 1] for index, word in enumerate(words) if word == option]


def _triples(flat):
    return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))


# ---- a running QEMU ----

_LINE = re.compile(r"^ +([0-9a-f]{16})-([0-9a-f]{16}) \(prio \S+, ([^)]+)\): (.*)$")


def of_qemu(qmp) -> Map:
    regions = _regions(qmp.monitor("info mtree -f -o"))
    children = {
        f"/machine/unattached/{c['name']}": c["type"]
        for c in qmp.command("qom-list", path="/machine/unattached")
    }
    added = qmp.command("qom-list", path="/machine/peripheral")
    engines = [c["name"] for c in added if "dmabed-engine-sys" in c["type"]]
    iommus = {f"/machine/peripheral/{c['name']}": "rk" in c["type"] for c in added if "-iommu>" in c["type"]}

    def of_type(name):
        return [path for path, kind in children.items() if kind == f"child<{name}>"]

    def placed(path):
        (base,) = [base for base, _size, _kind, text in regions if _is_owned(text, path) and not _local(text)]
        return base, _spi(qmp, path)

    return Map(
        cpus=len(qmp.command("query-cpus-fast")),
        ram=_ram(regions),
        distributor=_named(regions, "gicv3_dist"),
        redistributors=_named(regions, "gicv3_redist_region[0]"),
        uart=placed(of_type("pl011")[0]),
        virtio=sorted(placed(path) for path in of_type("virtio-mmio")),
        engines={name: placed(f"/machine/peripheral/{name}") for name in engines},
        windows={name: _triples(qmp.get(f"/machine/peripheral/{name}", "dma-ranges")) for name in engines},
        local={name: (base, size) for base, size, _kind, text in regions if (name := _local(text))},
        iommus=sorted(
            (*placed(path), qmp.get(path, "version") if versioned else None)
            for path, versioned in iommus.items()
        ),
        behind={
            name: placed(path)[0]
            for name in engines
            if (path := qmp.get(f"/machine/peripheral/{name}", "iommu"))
        },
        pcie=_pcie_of_regions(qmp, regions, of_type) if of_type("gpex-pcihost") else None,
    )


def ram_of_engine(qmp, name: str) -> list[Range]:
    """The RAM that an engine can reach, at its bus addresses; engines' local memory is RAM too."""
    regions = _regions(qmp.monitor("info mtree -f -o"), name)
    return joined((base, size) for base, size, kind, _text in regions if kind == "ram")


def msi_interrupts(qmp) -> tuple[int, int]:
    """First SPI and number of the GICv2m frame, whose wires are looked at too."""
    for c in qmp.command("qom-list", path="/machine/unattached"):
        if c["type"] == "child<arm-gicv2m>":
            path = f"/machine/unattached/{c['name']}"
            first, count = qmp.get(path, "base-spi"), qmp.get(path, "num-spi")
            wires = [_spi(qmp, path, index) for index in range(count)]
            assert wires == list(range(first, first + count))
            return first, count
    raise AssertionError("no GICv2m frame")


def _local(text):
    """The name of the engine whose local memory a region is, or empty."""
    found = re.match(r"dmabed-engine\.(.+)\.local$", text.split(" ")[0])
    return found[1] if found else ""


def _ram(regions):
    ram = [region for region in regions if region[2] == "ram" and not _local(region[3])]
    return joined((base, size) for base, size, _kind, _text in ram)


def _pcie_of_regions(qmp, regions, of_type):
    """No BAR is mapped yet, so each window is one region."""
    (host,) = of_type("gpex-pcihost")
    windows = sorted(
        (base, size) for base, size, _kind, text in regions if text.startswith("gpex_mmio_window")
    )
    return Pcie(
        ecam=_named(regions, "pcie-mmcfg-mmio"),
        windows=[(kind, *window) for kind, window in zip(("memory", "prefetchable"), windows, strict=False)],
        spi=_spi(qmp, host),
        smmu=_smmu_of_regions(qmp, regions, of_type),
        msi=_named(regions, "gicv2m")[0],
    )


def _smmu_of_regions(qmp, regions, of_type):
    if not (found := of_type("arm-smmuv3")):
        return None
    (path,) = found
    first = _spi(qmp, path)
    assert [_spi(qmp, path, index) for index in range(4)] == list(range(first, first + 4))
    return _named(regions, "arm-smmuv3")[0], first


def _regions(listing, space="memory"):
    """The lines of the flat view of an address space; "memory" is what the CPUs see."""
    (view,) = [part for part in listing.split("FlatView #") if f'AS "{space}"' in part]
    found = [_LINE.match(line.rstrip("\r")) for line in view.splitlines()]
    ends = [(int(m[1], 16), int(m[2], 16), m[3], m[4]) for m in found if m]
    return [(first, last - first + 1, kind, text) for first, last, kind, text in ends]


def _is_owned(text, path):
    """Whether a region belongs to an object or to a part of it."""
    owner = re.search(r"owner:\{\w+ (?:id|path)=([^}]*)\}", text)
    if owner is None:
        return False
    full = owner[1] if owner[1].startswith("/") else f"/machine/peripheral/{owner[1]}"
    return full == path or full.startswith(path + "/")


def _named(regions, name):
    ((base, size),) = [(base, size) for base, size, _kind, text in regions if text.split(" ")[0] == name]
    return base, size


def _spi(qmp, path, index=0):
    """The GIC input that an interrupt of a device is wired to."""
    wire = qmp.get(path, f"sysbus-irq[{index}]")
    found = re.search(r"/unnamed-gpio-in\[(\d+)\]$", wire)
    assert found, f"{path} is wired to {wire}"
    gic = wire.rpartition("/")[0]
    assert "gicv3" in qmp.get(gic, "type"), f"{path} is wired to {wire}"
    return int(found[1])
