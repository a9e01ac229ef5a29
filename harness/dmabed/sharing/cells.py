# SPDX-License-Identifier: GPL-2.0-or-later
"""The cells of a layout's matrix: what is tried, what has to come of it, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dmabed.layout import Layout
from dmabed.sharing import belief, expected, zones
from dmabed.sharing.belief import Importer
from dmabed.sharing.outcomes import Expectation, Kind, Outcome
from dmabed.sharing.placement import Exporter
from dmabed.units import format_size

DEFAULT_SIZES = (4 << 10, 256 << 10, 4 << 20)


@dataclass(frozen=True)
class Cell:
    layout: str
    exporter: Exporter
    importer: str
    size: int
    expectation: Expectation
    first_user: str = ""
    """Who has it mapped before, of ``static-in-use``."""

    @property
    def name(self) -> str:
        return f"{self.exporter.value} to {self.importer}, {format_size(self.size)}, on {self.layout}"


@dataclass(frozen=True)
class Result:
    """What came of a cell."""

    cell: Cell
    outcome: Outcome
    why: str
    seconds: float = 0.0

    @property
    def broken(self) -> bool:
        """Nothing was learned: it counts as unexpected, too."""
        return self.outcome.kind is Kind.ERROR

    @property
    def unexpected(self) -> bool:
        return self.outcome not in self.cell.expectation.allowed

    def as_json(self) -> dict[str, Any]:
        cell = self.cell
        return {
            "layout": cell.layout,
            "exporter": cell.exporter.value,
            "importer": cell.importer,
            "size": cell.size,
            "expected": str(cell.expectation),
            "outcome": str(self.outcome),
            "unexpected": self.unexpected,
            "why": self.why if self.unexpected else f"{self.why} ({cell.expectation.why})",
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Skipped:
    """What there is nothing to try of, with the reason."""

    layout: str
    what: str
    why: str

    def as_json(self) -> dict[str, str]:
        return {"layout": self.layout, "what": self.what, "why": self.why}


@dataclass(frozen=True)
class Plan:
    """All cells of one layout."""

    layout: Layout
    cells: tuple[Cell, ...]
    skipped: tuple[Skipped, ...]


def plan(layout: Layout, exporters: Sequence[Exporter], sizes: Sequence[int]) -> Plan:
    """The cells of a layout, with their expectations. Pure."""
    memory = zones.memory(layout)
    importers = [belief.importer(layout, device) for device in layout.devices]
    cells, skipped = [], _others(layout)
    for exporter in exporters:
        if exporter is Exporter.STATIC and len(importers) < 2:
            skipped.append(Skipped(layout.name, exporter.value, "no other device is there to use it first"))
            continue
        for user in importers:
            others = tuple(other for other in importers if other is not user)
            cells += [_cell(layout, memory, exporter, user, others, size) for size in sizes]
    return Plan(layout, tuple(cells), tuple(skipped))


def _cell(
    layout: Layout,
    memory: zones.Memory,
    exporter: Exporter,
    user: Importer,
    others: tuple[Importer, ...],
    size: int,
) -> Cell:
    expectation = expected.expect(memory, exporter, user, size, others)
    assert expectation is not None, "only static-in-use needs another device, and that is asked before"
    first = expected.first_user(memory, others) if exporter is Exporter.STATIC else None
    name = first.device.name if first else ""
    return Cell(layout.name, exporter, user.device.name, size, expectation, name)


def _others(layout: Layout) -> list[Skipped]:
    """Devices that are no engines: their own drivers import, not ours."""
    return [
        Skipped(
            layout.name, device.name, f"a {device.model}: its driver offers no job that can be checked here"
        )
        for device in layout.media
    ]
