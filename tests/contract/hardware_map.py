# SPDX-License-Identifier: GPL-2.0-or-later
"""The map of an SoC as each of its three tellers has it, in one shape.

``of_tree`` reads a DTB (what Linux believes), ``of_arguments`` QEMU's command
line (what was asked for), ``of_qemu`` a running QEMU (what is there). The
contract is that all three are equal.
"""

import json
import re
from dataclasses import dataclass

import fdt

Range = tuple[int, int]  # base, size


@dataclass
class Map:
    cpus: int
    ram: list[Range]
    distributor: Range
    redistributors: Range
    uart: tuple[int, int]  # base, SPI
    virtio: list[tuple[int, int]]
    engines: dict[str, tuple[int, int]]
    windows: dict[str, list[tuple[int, int, int]]]  # bus, CPU, size


# ---- a DTB ----


def of_tree(blob: bytes) -> Map:
    tree = fdt.parse_dtb(blob)
    nodes = [_under(path, node.name) for path, subnodes, _ in tree.walk("/") for node in subnodes]
    by_compatible = {}
    for path in nodes:
        for name in _strings(tree, path, "compatible"):
            by_compatible.setdefault(name, []).append(path)
    (gic,) = by_compatible["arm,gic-v3"]
    (uart,) = by_compatible["arm,pl011"]
    distributor, redistributors = _pairs(tree, gic, "reg")
    engines = by_compatible.get("dmabed,engine", [])
    names = {path: _strings(tree, path, "label")[0] for path in engines}
    assert len(set(names.values())) == len(engines), "two engines of one name"
    return Map(
        cpus=len([path for path in nodes if re.fullmatch(r"/cpus/cpu@\w+", path)]),
        ram=sorted(p for n in nodes if n.startswith("/memory@") for p in _pairs(tree, n, "reg")),
        distributor=distributor,
        redistributors=redistributors,
        uart=_base_and_spi(tree, uart),
        virtio=sorted(_base_and_spi(tree, path) for path in by_compatible["virtio,mmio"]),
        engines={names[path]: _base_and_spi(tree, path) for path in engines},
        windows={names[path]: _windows(tree, path) for path in engines},
    )


def _under(path, name):
    return f"{path.rstrip('/')}/{name}"


def _property(tree, path, name):
    return next((p for p in tree.get_node(path).props if p.name == name), None)


def _strings(tree, path, name):
    found = _property(tree, path, name)
    return [] if found is None else list(found.data)


def _numbers(tree, path, name):
    """A property as 64-bit numbers; all of the tree's addresses and sizes have two cells."""
    found = _property(tree, path, name)
    if found is None:
        return []
    # fdt guesses a property's type from its bytes; an address that reads like text must not pass for one
    assert isinstance(found, fdt.PropWords), f"{path}: {name} was not read as numbers"
    words = list(found.data)
    assert len(words) % 2 == 0
    return [high << 32 | low for high, low in zip(words[::2], words[1::2], strict=True)]


def _pairs(tree, path, name):
    numbers = _numbers(tree, path, name)
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _base_and_spi(tree, path):
    ((base, _size),) = _pairs(tree, path, "reg")
    kind, number, _flags = _property(tree, path, "interrupts").data
    assert kind == 0, f"{path}: not an SPI"
    return base, number


def _windows(tree, path):
    """The ``dma-ranges`` of the nearest bus that has them."""
    while path := path.rpartition("/")[0]:
        if numbers := _numbers(tree, path, "dma-ranges"):
            return list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))
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
        ram=sorted((int(base, 0), int(size, 0)) for size, base in banks),
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

_LINE = re.compile(r"^ +([0-9a-f]{16})-([0-9a-f]{16}) \(prio \S+, (\w+)\): (.*)$")


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


def _regions(listing):
    """What the CPUs see: the lines of the flat view of address space "memory"."""
    (view,) = [part for part in listing.split("FlatView #") if 'AS "memory"' in part]
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


def _ram(regions):
    """RAM, with neighbouring pieces joined."""
    joined = []
    for base, size, kind, _text in sorted(regions):
        if kind != "ram":
            continue
        if joined and sum(joined[-1]) == base:
            joined[-1] = (joined[-1][0], joined[-1][1] + size)
        else:
            joined.append((base, size))
    return joined


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
