# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed list`` and ``doctor``: what there is, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from dmabed import layout as layouts
from dmabed import scenario
from dmabed.cli.options import json_option, show, show_table
from dmabed.doctor import run as examine
from dmabed.units import format_size

Rows = list[dict[str, Any]]


def _layouts() -> Rows:
    found = [layouts.find(name) for name in layouts.names()]
    return [
        {
            "name": layout.name,
            "modelled-after": layout.modelled_after,
            "ram": format_size(sum(bank.size for bank in layout.banks)),
            "devices": [device.name for device in layout.blocks],
        }
        for layout in found
    ]


def _scenarios() -> Rows:
    return [
        {
            "name": item.name,
            "purpose": item.purpose,
            "generation": item.generation,
            "rows": list(item.rows),
            "layouts": list(item.layouts),
            "tags": list(item.tags),
        }
        for item in scenario.find([])
    ]


def _devices() -> Rows:
    return [
        {
            "name": device.name,
            "layout": layout.name,
            "hardware": device.hardware,
            "address-bits": device.address_bits,
            "segments": device.max_segments or "any",
        }
        for layout in map(layouts.find, layouts.names())
        for device in layout.blocks
    ]


_LISTS: dict[str, Callable[[], Rows]] = {
    "layouts": _layouts,
    "scenarios": _scenarios,
    "devices": _devices,
}


@click.command("list")
@click.argument("what", type=click.Choice(sorted(_LISTS)))
@json_option
def list_(what: str, as_json: bool) -> None:
    """Layouts, scenarios or devices that there are."""
    rows = _LISTS[what]()
    if as_json:
        show(json.dumps(rows, indent=2))
    else:
        print_table(rows)


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """What is missing on this machine, why it is needed, and what mends it."""
    checks = examine()
    if as_json:
        show(json.dumps([check.as_json() for check in checks], indent=2))
    else:
        for check in checks:
            show(check.as_text())
    return 0 if all(check.ok for check in checks) else 2


def print_table(rows: Rows) -> None:
    """A table whose columns are the keys of the first row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for key in rows[0] if rows else ():
        table.add_column(key, overflow="fold")
    for row in rows:
        table.add_row(*(Text(", ".join(v) if isinstance(v, list) else str(v)) for v in row.values()))
    show_table(table)
