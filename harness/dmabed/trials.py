# SPDX-License-Identifier: GPL-2.0-or-later
"""results/sabotage.json: what came of the trials of switches, kept as each one ends.

A later trial takes the place of an earlier one row by row; a row that could not
be tried takes nobody's place. Trials of a kernel of the user's are kept apart:
they say nothing of our promises.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmabed.errors import InputError
from dmabed.files import named
from dmabed.results import write_atomically
from dmabed.sabotage import Trial

STORED = "sabotage.json"
LOCK = ".sabotage.lock"


@dataclass(frozen=True)
class Subject:
    """What was tried: our versions, and whether the kernel was one of the user's."""

    versions: Mapping[str, str] = field(default_factory=dict)
    foreign: bool = False


@dataclass(frozen=True)
class Kept:
    """A stored trial: for each row that was tried, whether it was caught."""

    switch: str
    rows: Mapping[str, bool]
    foreign: bool
    revision: str


class TrialFile:
    """Takes the trials of one campaign, from any thread; others may write to the same file meanwhile."""

    def __init__(self, folder: Path, subject: Subject) -> None:
        """Writes the file, so that what is wrong with it or the folder is told before anything is tried."""
        self._path = folder / STORED
        self._subject = subject
        with _alone_in(folder):
            self._write(_entries(self._path))

    def add(self, trial: Trial) -> None:
        """Keep a trial; it is on disk when this returns."""
        fresh = {
            **trial.as_json(),
            "versions": dict(self._subject.versions),
            "foreign-kernel": self._subject.foreign,
        }
        with _alone_in(self._path.parent):
            left = [_without(entry, fresh, trial.switch.rows) for entry in _entries(self._path)]
            self._write([entry for entry in left if entry["rows"] or entry.get("not-tried")] + [fresh])

    def _write(self, entries: Sequence[Mapping[str, Any]]) -> None:
        write_atomically(self._path, json.dumps({"switches": entries}, indent=2) + "\n")


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Between reading and writing nobody else writes, whether a thread or another dmabed."""
    path = folder / LOCK
    with contextlib.ExitStack() as stack:
        with named(path):
            file = stack.enter_context(path.open("a"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _without(entry: dict[str, Any], fresh: Mapping[str, Any], claimed: Sequence[str]) -> dict[str, Any]:
    """An older trial without what a fresh one says anew, and without rows that the switch lost."""
    told = [(each["switch"], each.get("foreign-kernel", False)) for each in (entry, fresh)]
    if told[0] != told[1]:
        return entry
    anew = {*fresh["rows"], *fresh["not-tried"]}
    rows = {row: found for row, found in entry["rows"].items() if row in claimed and row not in fresh["rows"]}
    not_tried = {row: why for row, why in entry.get("not-tried", {}).items() if row not in anew}
    return {**entry, "rows": rows, "not-tried": not_tried}


# ---- what is read of it ----


def load(folder: Path) -> list[Kept]:
    """The stored trials. Raises InputError."""
    return [_kept(entry) for entry in _entries(folder / STORED)]


def caught_rows(kept: Sequence[Kept]) -> dict[str, bool]:
    """For each row that any switch was tried on, in our kernel: was one caught?"""
    found: dict[str, bool] = {}
    for trial in kept:
        for row, caught in () if trial.foreign else trial.rows.items():
            found[row] = found.get(row, False) or caught
    return found


def catching_revisions(kept: Sequence[Kept]) -> dict[str, set[str]]:
    """For each row the revisions of dmabed that were seen to catch a switch on it."""
    found: dict[str, set[str]] = {}
    for trial in kept:
        for row, caught in () if trial.foreign else trial.rows.items():
            if caught:
                found.setdefault(row, set()).add(trial.revision)
    return found


def _kept(entry: Mapping[str, Any]) -> Kept:
    rows = {row: attempt is not None for row, attempt in entry["rows"].items()}
    revision = str(entry.get("versions", {}).get("dmabed", ""))
    return Kept(entry["switch"], rows, bool(entry.get("foreign-kernel", False)), revision)


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["switches"]
        for entry in entries:
            _kept(entry)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: it makes no sense: {error}", hint="remove it, and run dmabed sabotage"
        ) from error
    return entries
