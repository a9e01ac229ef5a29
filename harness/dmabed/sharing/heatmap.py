# SPDX-License-Identifier: GPL-2.0-or-later
"""The matrix as a page: one grid for each layout, a colour and a letter for each cell.

Everything is computed here; the template has loops only, and escapes all it prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from dmabed import paths
from dmabed.results import write_atomically
from dmabed.sharing.cells import Result
from dmabed.sharing.outcomes import Kind
from dmabed.sharing.record import Record
from dmabed.sharing.sweep import Swept
from dmabed.units import format_size


@dataclass(frozen=True)
class Box:
    """One cell: its CSS class, what it shows and what the mouse or a screen reader finds."""

    kind: str
    letter: str
    unexpected: bool
    open: bool
    title: str


@dataclass(frozen=True)
class Row:
    exporter: str
    boxes: tuple[Box | None, ...]  # None: nothing was there to try
    last_of_group: bool = False


@dataclass(frozen=True)
class Grid:
    """One layout: exporters downwards, importers and sizes across."""

    layout: str
    modelled_after: str
    importers: tuple[tuple[str, str], ...]  # name, and what its hardware is
    sizes: tuple[str, ...]
    rows: tuple[Row, ...]
    unexpected: tuple[str, ...]
    complaints: tuple[str, ...]
    skipped: tuple[str, ...]


def write(record: Record) -> Path:
    """Write the report of a run into its folder."""
    path = record.folder / "report.html"
    write_atomically(path, render(record))
    return path


def render(record: Record) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(paths.TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("matrix.html.j2").render(
        run=record.as_json(),
        grids=[grid(swept) for swept in record.layouts],
        kinds=[(kind.value, kind.letter, number) for kind, number in record.counts()],
    )


def grid(swept: Swept) -> Grid:
    """The grid of a layout. Pure."""
    layout, results = swept.plan.layout, swept.results
    importers = tuple(dict.fromkeys(result.cell.importer for result in results))
    sizes = tuple(dict.fromkeys(result.cell.size for result in results))
    return Grid(
        layout=layout.name,
        modelled_after=layout.modelled_after,
        importers=tuple((name, layout.device(name).hardware) for name in importers),
        sizes=tuple(map(format_size, sizes)),
        rows=_rows(results, importers, sizes),
        unexpected=tuple(_sentence(result) for result in results if result.unexpected),
        complaints=swept.complaints,
        skipped=tuple(f"{skipped.what}: {skipped.why}" for skipped in swept.plan.skipped),
    )


def _rows(results: Sequence[Result], importers: Sequence[str], sizes: Sequence[int]) -> tuple[Row, ...]:
    found = {(r.cell.exporter, r.cell.importer, r.cell.size): _box(r) for r in results}
    exporters = dict.fromkeys(result.cell.exporter for result in results)
    return tuple(
        Row(exporter.value, tuple(found.get((exporter, name, size)) for name in importers for size in sizes))
        for exporter in exporters
    )


def _box(result: Result) -> Box:
    kind, expectation = result.outcome.kind, result.cell.expectation
    title = f"{result.cell.name}: {result.outcome}, expected {expectation}. {result.why}"
    return Box(kind.value, kind.letter, result.unexpected, expectation.open, f"{title} ({expectation.why})")


def _sentence(result: Result) -> str:
    return f"{result.cell.name}: {result.outcome}, expected {result.cell.expectation}: {result.why}"


assert len({kind.letter for kind in Kind}) == len(Kind), "each kind has a letter of its own"
