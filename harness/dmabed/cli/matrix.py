# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed matrix``: what comes of every exporter and importer, against what has to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dmabed import layout as layouts
from dmabed import sabotage
from dmabed.cli.options import DEFAULT_LAYOUT, Booting, boot_options, json_option, show, show_table
from dmabed.cli.run import jobs_option, results_option
from dmabed.errors import InputError
from dmabed.layout import Layout
from dmabed.results import make_run_folder
from dmabed.sabotage import Switch
from dmabed.sharing import heatmap
from dmabed.sharing.cells import DEFAULT_SIZES, Plan, Result, plan
from dmabed.sharing.outcomes import Kind
from dmabed.sharing.placement import Exporter
from dmabed.sharing.record import Record
from dmabed.sharing.sweep import Sweep, Swept
from dmabed.units import format_size, size

MAX_SIZE = 256 << 20
EVERY_LAYOUT = "all"

_COLOURS = {
    Kind.DIRECT: "green",
    Kind.BOUNCED: "yellow",
    Kind.STALE: "dark_orange",
    Kind.REMAPPED: "cyan",
    Kind.MIGRATED: "blue",
    Kind.REFUSED: "bright_black",
    Kind.FAULT: "red",
    Kind.CORRUPTED: "magenta",
    Kind.ERROR: "bold red",
}


@click.command()
@click.option(
    "--layout",
    "wanted",
    multiple=True,
    metavar="L",
    default=(DEFAULT_LAYOUT,),
    show_default=True,
    help="Name or file of a layout, again for more; 'all': every layout.",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    metavar="S",
    help="Size beside 4KiB, 256KiB and 4MiB, as 64KiB; again for more.",
)
@click.option(
    "--exporter",
    "exporters",
    multiple=True,
    metavar="E",
    help="Only this exporter; again for more. Default: all.",
)
@click.option(
    "--importer", "importers", multiple=True, metavar="DEVICE", help="Only this device; again for more."
)
@click.option(
    "--sabotage", "switch_name", metavar="SWITCH", help="Break something, to see that it is noticed."
)
@jobs_option
@results_option
@boot_options
@json_option
def matrix(
    wanted: tuple[str, ...],
    sizes: tuple[str, ...],
    exporters: tuple[str, ...],
    importers: tuple[str, ...],
    switch_name: str | None,
    jobs: int,
    results_folder: Path,
    booting: Booting,
    as_json: bool,
) -> int:
    """Share a buffer of every exporter with every importer, and hold what comes of it against the layout."""
    chosen = _exporters(exporters), _sizes(sizes)
    plans = [_only(plan(layout, *chosen), importers) for layout in _layouts(wanted)]
    switch = _switch(switch_name)
    testbed = booting.testbed()
    folder = make_run_folder(results_folder)
    record = Record(folder, sum(len(each.cells) for each in plans), testbed.artifacts.versions)
    sweep = Sweep(testbed, folder, switch)
    try:
        sweep.run(plans, jobs, lambda swept: _note(swept, record))
        record.finish()
    finally:
        heatmap.write(record)
        _print(record, as_json)
    return record.verdict.exit_status


# ---- what is asked for ----


def _layouts(wanted: Sequence[str]) -> list[Layout]:
    names = layouts.names() if EVERY_LAYOUT in wanted else list(dict.fromkeys(wanted))
    return [layouts.find(name) for name in names]


def _exporters(names: Sequence[str]) -> list[Exporter]:
    known = [exporter.value for exporter in Exporter]
    for name in names:
        if name not in known:
            raise InputError(f"no exporter is called '{name}'; allowed: {', '.join(known)}")
    return [exporter for exporter in Exporter if not names or exporter.value in names]


def _sizes(words: Sequence[str]) -> list[int]:
    found = list(DEFAULT_SIZES)
    for word in words:
        try:
            found.append(size(word))
        except ValueError as error:
            raise InputError(f"--size {word}: {error}; allowed: as 64KiB, 4MiB") from None
        if not 0 < found[-1] <= MAX_SIZE:
            raise InputError(f"--size {word}; allowed: more than 0, at most {format_size(MAX_SIZE)}")
    return sorted(set(found))


def _only(every: Plan, importers: Sequence[str]) -> Plan:
    """The cells of these importers."""
    for name in importers:
        every.layout.device(name)  # or an InputError that lists what there is
    cells = tuple(cell for cell in every.cells if not importers or cell.importer in importers)
    return Plan(every.layout, cells, every.skipped)


def _switch(name: str | None) -> Switch | None:
    if name is None:
        return None
    known = {switch.name: switch for switch in sabotage.load() if switch.module}
    if name not in known:
        raise InputError(f"no switch of a module is called '{name}'; allowed: {', '.join(known)}")
    return known[name]


# ---- what came of it ----


def _note(swept: Swept, record: Record) -> None:
    """To disk, and a line for whoever watches."""
    record.add(swept)
    bad = [result for result in swept.results if result.unexpected]
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    style, word = ("red", f"{len(bad)} unexpected") if bad else ("green", "as expected")
    console.print(
        Text.assemble((f"{swept.plan.layout.name}: ", "bold"), f"{len(swept.results)} cells, ", (word, style))
    )
    for result in bad:
        cell = result.cell
        console.print(Text(f"    {cell.name}: {result.outcome}, expected {cell.expectation}: {result.why}"))
    for complaint in swept.complaints:
        console.print(Text(f"    the guest's kernel complained: {complaint}", style="red"))
    for skipped in swept.plan.skipped:
        console.print(Text(f"    skipped {skipped.what}: {skipped.why}", style="yellow"))


def _print(record: Record, as_json: bool) -> None:
    if as_json:
        show(json.dumps(record.as_json(), indent=2))
        return
    for swept in record.layouts:
        show(f"\n{swept.plan.layout.name}")
        show_table(_table(swept.results))
    counts = ", ".join(f"{number} {kind.value}" for kind, number in record.counts() if number)
    legend = ", ".join(f"{kind.letter} {kind.value}" for kind in Kind)
    show(f"\n{legend}; one letter for each size, as expected where nothing follows it")
    show(f"{record.verdict.value}: {counts}; {record.unexpected} unexpected; results in {record.folder}")


def _table(results: Sequence[Result]) -> Table:
    """Exporters downwards, importers across; in each place a letter for each size."""
    importers = list(dict.fromkeys(result.cell.importer for result in results))
    sizes = list(dict.fromkeys(result.cell.size for result in results))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(" ".join(map(format_size, sizes)), no_wrap=True)
    for name in importers:
        table.add_column(name, no_wrap=True)
    for exporter in dict.fromkeys(result.cell.exporter for result in results):
        row = [result for result in results if result.cell.exporter is exporter]
        cells = [_letters([result for result in row if result.cell.importer == name]) for name in importers]
        table.add_row(exporter.value, *cells)
    return table


def _letters(results: Sequence[Result]) -> Text:
    """A letter is followed by ``?`` where it is not what was expected."""
    text = Text()
    for result in results:
        kind = result.outcome.kind
        mark = "?" if result.unexpected else " "
        text.append(
            kind.letter + mark, style=f"reverse {_COLOURS[kind]}" if result.unexpected else _COLOURS[kind]
        )
    return text
