# SPDX-License-Identifier: GPL-2.0-or-later
"""A run's folder: results.json after each scenario, the other reports at its end.

Until ``finish`` the file says ``"interrupted": true``, so that a run that was
killed is marked as what it is without anybody left to mark it.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmabed import junit, ktap
from dmabed.build.cache import replace
from dmabed.errors import InputError
from dmabed.files import named
from dmabed.outcome import Entry, Overall, ScenarioResult, overall
from dmabed.rows import Outcome

RESULTS_JSON = "results.json"
LATEST = "latest"

_RUN_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}")

log = logging.getLogger(__name__)


def make_run_folder(root: Path, now: float | None = None) -> Path:
    """A new folder ``root/<UTC time>-<id>``, with ``root/latest`` leading to it."""
    folder = root / f"{_stamp(now)}-{secrets.token_hex(2)}"
    _check_latest(root / LATEST)
    _make(folder)
    _lead_latest_to(folder)
    return folder


def make_sabotage_folder(root: Path, now: float | None = None) -> Path:
    """A new folder for the runs of a sabotage, which tell nothing of how scenarios end: no ``latest``."""
    folder = root / f"sabotage-{_stamp(now)}-{secrets.token_hex(2)}"
    _make(folder)
    return folder


def _stamp(now: float | None) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def _make(folder: Path) -> None:
    """Raises InputError."""
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror}") from error


@dataclass
class Results:
    """What is known of a run so far, and its files. ``planned`` scenarios are waited for."""

    folder: Path
    planned: int
    versions: Mapping[str, Any] = field(default_factory=dict)
    foreign: bool = False
    """The user's own kernel ran: it tells nothing of our promises."""
    scenarios: list[ScenarioResult] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    """What report.html shows beyond the result, by the result's ``directory``."""
    _begun: float = field(default_factory=time.monotonic)
    _running: bool = True

    def __post_init__(self) -> None:
        self._write()

    def add(self, result: ScenarioResult, entry: Entry | None = None) -> None:
        """Note how a scenario ended; it is on disk when this returns."""
        self.scenarios.append(result)
        if entry is not None:
            self.entries[result.directory] = entry
        self._write()

    def finish(self, *, interrupted: bool = False) -> Overall:
        """Write everything for the last time; the verdict of the run."""
        self._running = interrupted
        self._write()
        write_atomically(self.folder / "junit.xml", junit.render(self.scenarios))
        write_atomically(self.folder / "results.ktap", ktap.render(self.scenarios))
        return self.verdict

    @property
    def verdict(self) -> Overall:
        return overall(self.scenarios, self.planned, self._running)

    def as_json(self) -> dict[str, Any]:
        """The shape of results.json."""
        return {
            "verdict": self.verdict.value,
            "interrupted": self._running,
            "seconds": round(time.monotonic() - self._begun, 3),
            "planned": self.planned,
            "versions": dict(self.versions),
            "foreign-kernel": self.foreign,
            "scenarios": [result.as_json() for result in self.scenarios],
        }

    def _write(self) -> None:
        text = json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n"
        write_atomically(self.folder / RESULTS_JSON, text)


def latest_outcomes(root: Path) -> list[Outcome]:
    """How each scenario ended on each layout in the newest stored run of our kernel that ran it."""
    newest: dict[tuple[str, str], Outcome] = {}
    for run in sorted(_runs(root), reverse=True):
        stored = _read(run / RESULTS_JSON)
        for outcome in () if stored.foreign else stored.outcomes:
            if outcome.status != "skipped":
                newest.setdefault((outcome.scenario, outcome.layout), outcome)
    return list(newest.values())


def foreign_runs(root: Path) -> int:
    """How many of the stored runs were of a kernel of the user's."""
    return sum(_read(run / RESULTS_JSON).foreign for run in _runs(root))


def write_atomically(path: Path, text: str) -> None:
    """The old file or the new one, never half of it. Raises FileError."""
    with named(path):
        replace(path, text.encode("utf-8", "backslashreplace"), durable=True)


def _check_latest(link: Path) -> None:
    """``latest`` is ours when it is a symlink to a run beside it; anything else is left alone."""
    ours = link.is_symlink() and _RUN_NAME.fullmatch(str(link.readlink()))
    if not ours and (link.is_symlink() or link.exists()):
        what = f"{link} is not a link that dmabed made, so it is not replaced"
        raise InputError(what, hint="move it away, or choose another folder with --results")


def _lead_latest_to(folder: Path) -> None:
    scratch = folder.parent / f".{LATEST}-{folder.name}"
    with named(scratch):
        scratch.symlink_to(folder.name, target_is_directory=True)
        scratch.replace(folder.parent / LATEST)


def _runs(root: Path) -> Sequence[Path]:
    if not root.is_dir():
        return []
    return [path for path in root.iterdir() if _RUN_NAME.fullmatch(path.name) and not path.is_symlink()]


@dataclass(frozen=True)
class _Stored:
    outcomes: tuple[Outcome, ...] = ()
    foreign: bool = False


def _read(path: Path) -> _Stored:
    """What one results.json says; a file that makes no sense is told of and says nothing."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        entries = data["scenarios"]
        revision = str(data.get("versions", {}).get("dmabed", ""))
        outcomes = (Outcome(str(e["name"]), str(e["layout"]), str(e["status"]), revision) for e in entries)
        return _Stored(tuple(outcomes), bool(data.get("foreign-kernel", False)))
    except FileNotFoundError:
        return _Stored()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s is ignored: %s", path, error)
        return _Stored()
