# SPDX-License-Identifier: GPL-2.0-or-later
"""The picture of a run: RAM, where the buffers were, and where the devices really moved bytes.

Pure geometry; the report's template only draws it. RAM banks stand side by side, because
the holes between them are far larger than the banks. A megabyte in gigabytes is
thinner than a pixel, so that every mark has a least width.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dmabed import units
from dmabed.layout import Layout
from dmabed.ranges import Run, union

LABELS = 130
WIDTH = 860
GAP = 14
LANE = 22
HEAD = 34
LEAST = 3.0


@dataclass(frozen=True)
class Mark:
    """A box in a lane; ``kind`` is its CSS class, ``title`` what the mouse shows."""

    x: float
    width: float
    kind: str
    title: str


@dataclass(frozen=True)
class Lane:
    label: str
    y: float
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class BankBox:
    x: float
    width: float
    label: str


@dataclass(frozen=True)
class AddressMap:
    width: int
    height: float
    banks: tuple[BankBox, ...]
    lanes: tuple[Lane, ...]


def draw(
    layout: Layout, buffers: Mapping[str, Sequence[Run]], driven: Mapping[str, Mapping[str, Sequence[Run]]]
) -> AddressMap:
    """The picture of storage by buffer, and of CPU physical runs by device and by what it did there."""
    scale = _Scale(layout)
    rows: list[tuple[str, list[Mark]]] = [("RAM", _reserved(scale, layout))]
    for name, runs in buffers.items():
        rows.append((f"buffer {name}", list(_marks(scale, runs, "buffer", name))))
    for device, ways in driven.items():
        marks = [
            mark for kind, runs in ways.items() for mark in _marks(scale, runs, kind, f"{device} {kind}")
        ]
        rows.append((device, marks))
    lanes = tuple(Lane(label, HEAD + n * LANE, tuple(marks)) for n, (label, marks) in enumerate(rows))
    return AddressMap(LABELS + WIDTH, HEAD + len(lanes) * LANE + 4, tuple(scale.boxes()), lanes)


class _Scale:
    """From addresses to pixels, bank by bank."""

    def __init__(self, layout: Layout) -> None:
        self._banks = sorted(layout.banks, key=lambda bank: bank.base)
        room = WIDTH - GAP * (len(self._banks) - 1)
        self._factor = room / sum(bank.size for bank in self._banks)

    def boxes(self) -> Iterable[BankBox]:
        for start, base, size in self._starts():
            yield BankBox(
                round(start, 1), round(size * self._factor, 1), f"{base:#x}, {units.format_size(size)}"
            )

    def place(self, run: Run) -> Iterable[tuple[float, float]]:
        """Where the parts of a run that are RAM go: x and width."""
        for start, base, size in self._starts():
            first, last = max(run.address, base), min(run.end, base + size)
            if first < last:
                yield start + (first - base) * self._factor, max((last - first) * self._factor, LEAST)

    def _starts(self) -> Iterable[tuple[float, int, int]]:
        x = float(LABELS)
        for bank in self._banks:
            yield x, bank.base, bank.size
            x += bank.size * self._factor + GAP


def _reserved(scale: _Scale, layout: Layout) -> list[Mark]:
    return [
        mark
        for entry in layout.reserved
        for mark in _marks(scale, [Run(entry.base, entry.size)], "reserved", f"{entry.name} ({entry.kind})")
    ]


def _marks(scale: _Scale, runs: Sequence[Run], kind: str, name: str) -> Iterable[Mark]:
    for run in union(runs):
        for x, width in scale.place(run):
            yield Mark(round(x, 1), round(width, 1), kind, f"{name}: {run}")
