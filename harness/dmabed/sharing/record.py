# SPDX-License-Identifier: GPL-2.0-or-later
"""A matrix run's folder: matrix.json after each layout, junit.xml at the end."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dmabed import junit
from dmabed.findings import Status
from dmabed.outcome import Overall, ScenarioResult
from dmabed.results import write_atomically
from dmabed.sharing.cells import Result
from dmabed.sharing.outcomes import Kind
from dmabed.sharing.sweep import Swept

MATRIX_JSON = "matrix.json"


class Record:
    """What is known of a run so far. Until ``finish`` the file says ``"interrupted": true``."""

    def __init__(self, folder: Path, planned: int, versions: Mapping[str, Any]) -> None:
        self.folder = folder
        self.planned = planned
        self.versions = versions
        self.layouts: list[Swept] = []
        self._begun = time.monotonic()
        self._running = True
        self._write()

    def add(self, swept: Swept) -> None:
        """Note a layout; it is on disk when this returns."""
        self.layouts.append(swept)
        self.layouts.sort(key=lambda each: each.plan.layout.name)
        self._write()

    def finish(self) -> None:
        self._running = False
        self._write()
        write_atomically(self.folder / "junit.xml", junit.render([_case(result) for result in self.results]))

    @property
    def results(self) -> list[Result]:
        return [result for swept in self.layouts for result in swept.results]

    @property
    def unexpected(self) -> int:
        return sum(result.unexpected for result in self.results)

    @property
    def verdict(self) -> Overall:
        """A wrong cell is the subject's; one that is missing or tells nothing is the testbed's."""
        results = self.results
        wrong = any(result.unexpected and not result.broken for result in results)
        if wrong or any(swept.complaints for swept in self.layouts):
            return Overall.FAILED
        if self._running or len(results) < self.planned or not results or any(r.broken for r in results):
            return Overall.ERROR
        return Overall.PASSED

    def counts(self) -> list[tuple[Kind, int]]:
        found = Counter(result.outcome.kind for result in self.results)
        return [(kind, found[kind]) for kind in Kind]

    def as_json(self) -> dict[str, Any]:
        """The shape of matrix.json."""
        return {
            "verdict": self.verdict.value,
            "interrupted": self._running,
            "seconds": round(time.monotonic() - self._begun, 3),
            "planned": self.planned,
            "unexpected": self.unexpected,
            "open": sum(result.cell.expectation.open for result in self.results),
            "outcomes": {kind.value: number for kind, number in self.counts() if number},
            "versions": dict(self.versions),
            "complaints": {s.plan.layout.name: list(s.complaints) for s in self.layouts if s.complaints},
            "skipped": [skipped.as_json() for swept in self.layouts for skipped in swept.plan.skipped],
            "cells": [result.as_json() for result in self.results],
        }

    def _write(self) -> None:
        text = json.dumps(self.as_json(), indent=1, ensure_ascii=False) + "\n"
        write_atomically(self.folder / MATRIX_JSON, text)


def _case(result: Result) -> ScenarioResult:
    """A cell as JUnit has it."""
    status = Status.ERROR if result.broken else Status.FAILED if result.unexpected else Status.PASSED
    why = f"{result.outcome}, expected {result.cell.expectation}: {result.why}"
    return ScenarioResult(result.cell.name, result.cell.layout, status, result.seconds, why=why)
