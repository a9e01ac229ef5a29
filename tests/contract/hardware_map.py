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
class Map:
    cpus: int
    ram: list[Range]  # banks that touch are one
    distributor: Range
    redistributors: Range
    uart: tuple[int, int]  # base, SPI
    virtio: list[tuple[int, int]]
    engines: dict[str, tuple[int, int]]
    windows: dict[str, list[tuple[int, int, int]]]  # bus, CPU, size


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
    )


def _compatible(nodes, name):
    return [node for node in nodes if name in node.strings("compatible")]


def _pairs(node):
    numbers = node.numbers("reg")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _base_and_spi(node):
    ((base, _size),) = _pairs(node)
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
    devices = [json.loads(text) for text in _values(words, "-device")]
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
    engines = [
        c["name"] for c in qmp.command("qom-list", path="/machine/peripheral") if "dmabed-engine" in c["type"]
    ]

    def of_type(name):
        return [path for path, kind in children.items() if kind == f"child<{name}>"]

    def placed(path):
        (base,) = [base for base, _size, _kind, text in regions if _is_owned(text, path)]
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
    )


def ram_of_engine(qmp, name: str) -> list[Range]:
    """The RAM that an engine can reach, at its bus addresses."""
    return _ram(_regions(qmp.monitor("info mtree -f -o"), name))


def _ram(regions):
    return joined((base, size) for base, size, kind, _text in regions if kind == "ram")


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


def _spi(qmp, path):
    """The GIC input that the first interrupt of a device is wired to."""
    wire = qmp.get(path, "sysbus-irq[0]")
    found = re.search(r"/unnamed-gpio-in\[(\d+)\]$", wire)
    assert found, f"{path} is wired to {wire}"
    gic = wire.rpartition("/")[0]
    assert "gicv3" in qmp.get(gic, "type"), f"{path} is wired to {wire}"
    return int(found[1])
