# SPDX-License-Identifier: GPL-2.0-or-later
"""The promises of docs/semantics.md, and which of them work.

The table is read from the document, the state from scenario files and stored
results: nothing here is typed in by hand.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from dmabed import paths
from dmabed.errors import InputError, SetupError

SEMANTICS = paths.ROOT / "docs" / "semantics.md"

# The document's headings carry a letter for each group of rows.
GENERATIONS = {"P": "posted", "M": "merged", "C": "current", "D": "hardware"}

_ROW = re.compile(r"\|\s*([A-Z])([0-9]+)\s*\|\s*(.+?)\s*\|\s*")


class RowState(Enum):
    WORKS = "works"
    BROKEN = "broken"
    UNTESTED = "untested"


@dataclass(frozen=True)
class Row:
    """One promise."""

    id: str
    generation: str
    promise: str


@dataclass(frozen=True)
class Outcome:
    """How a scenario ended in the newest result that ran it, on one layout."""

    scenario: str
    layout: str
    status: str
    revision: str = ""
    """Of dmabed, as the result tells it; empty: it does not."""


@dataclass(frozen=True)
class RowReport:
    row: Row
    state: RowState
    scenarios: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The shape of ``dmabed rows --json``."""
        return {
            "id": self.row.id,
            "generation": self.row.generation,
            "state": self.state.value,
            "scenarios": list(self.scenarios),
            "promise": self.row.promise,
        }


def parse(text: str) -> tuple[Row, ...]:
    """The rows of every table in ``text`` that has an id of a known group in its first column."""
    found = (_ROW.fullmatch(line) for line in text.splitlines())
    return tuple(
        Row(match[1] + match[2], GENERATIONS[match[1]], match[3])
        for match in found
        if match and match[1] in GENERATIONS
    )


@functools.cache
def table(path: Path = SEMANTICS) -> tuple[Row, ...]:
    """The rows of docs/semantics.md."""
    try:
        rows = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"{path}: the table of promises cannot be read", why=str(error)) from error
    if not rows:
        raise SetupError(f"{path}: no rows found", hint="a row starts with an id, as | C4 | ... |")
    return rows


def choose(words: Sequence[str]) -> tuple[Row, ...]:
    """The rows with these ids; all without any. Raises InputError."""
    known = {row.id: row for row in table()}
    for word in words:
        if word not in known:
            raise InputError(f"there is no row '{word}'", hint=f"rows: {', '.join(known)}")
    return tuple(row for row in known.values() if not words or row.id in words)


def report(
    rows: Iterable[Row],
    claims: Mapping[str, Sequence[str]],
    outcomes: Iterable[Outcome],
    sabotaged: Mapping[str, bool] | None = None,
) -> list[RowReport]:
    """The state of each row.

    ``claims`` gives for each scenario the rows that it proves, ``outcomes`` how the
    scenarios ended most lately. ``sabotaged`` is the second half of a promise: for
    each row whether a check was seen to fail when the behaviour was broken on
    purpose. Without it (None) a passing scenario is enough.
    """
    latest = list(outcomes)
    reports = []
    for row in rows:
        names = {name for name, claimed in claims.items() if row.id in claimed}
        state = _state(names, [outcome for outcome in latest if outcome.scenario in names])
        if state is RowState.WORKS and sabotaged is not None and not sabotaged.get(row.id, False):
            state = RowState.UNTESTED
        reports.append(RowReport(row, state, tuple(sorted(names))))
    return reports


def of_other_revisions(
    reports: Iterable[RowReport],
    outcomes: Sequence[Outcome],
    caught: Mapping[str, set[str]],
    present: str,
) -> list[str]:
    """The rows whose state rests on results that another revision of dmabed gave.

    ``caught`` has for each row the revisions that caught a switch on it: one of the present is enough.
    """
    return [
        each.row.id
        for each in reports
        if each.state is not RowState.UNTESTED and _is_old(each, outcomes, caught, present)
    ]


def _is_old(
    each: RowReport, outcomes: Sequence[Outcome], caught: Mapping[str, set[str]], present: str
) -> bool:
    ran = {outcome.revision for outcome in outcomes if outcome.scenario in each.scenarios}
    seen = caught.get(each.row.id, set())
    return bool(ran - {present}) or (each.state is RowState.WORKS and present not in seen)


def _state(names: set[str], outcomes: Sequence[Outcome]) -> RowState:
    """Broken if anything failed; works only if every scenario of the row ran, and passed wherever it ran."""
    statuses = {outcome.status for outcome in outcomes}
    if "failed" in statuses:
        return RowState.BROKEN
    everything_ran = bool(names) and names == {outcome.scenario for outcome in outcomes}
    return RowState.WORKS if everything_ran and statuses == {"passed"} else RowState.UNTESTED
