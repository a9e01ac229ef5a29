# SPDX-License-Identifier: GPL-2.0-or-later
"""How scenarios ended, one and all: the values that every report is made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from dmabed.findings import Status, Verdict
from dmabed.generation import CURRENT
from dmabed.layout import Layout
from dmabed.scenario import Scenario
from dmabed.transcript import Transcript

# XML 1.0 has no way to write these, terminals obey them, and a panic's text may hold them.
_UNPRINTABLE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Overall(Enum):
    """How a run ended; the value of ``verdict`` in results.json."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"

    @property
    def exit_status(self) -> int:
        """0: all passed. 1: the subject failed. 2: the testbed broke, or nothing was learned."""
        return {Overall.PASSED: 0, Overall.FAILED: 1, Overall.ERROR: 2}[self]


@dataclass(frozen=True)
class ScenarioResult:
    """One scenario on one layout. ``directory`` is its folder, relative to the run's."""

    name: str
    layout: str
    status: Status
    seconds: float
    rows: tuple[str, ...] = ()
    why: str = ""
    devices: tuple[str, ...] = ()
    directory: str = ""
    generation: str = CURRENT

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "layout": self.layout,
            "generation": self.generation,
            "status": self.status.value,
            "seconds": round(self.seconds, 3),
            "rows": list(self.rows),
            "why": self.why,
            "devices": list(self.devices),
            "directory": self.directory,
        }


@dataclass(frozen=True)
class Entry:
    """A scenario that was run, with all that was seen; no transcript: it never came to its first step."""

    scenario: Scenario
    layout: Layout
    verdict: Verdict
    transcript: Transcript | None = None


def overall(results: Sequence[ScenarioResult], planned: int, interrupted: bool) -> Overall:
    """The run's verdict: a failure that was seen stays one; a skip is no pass, and neither is silence."""
    statuses = {result.status for result in results}
    if Status.FAILED in statuses:
        return Overall.FAILED
    complete = len(results) >= planned and not interrupted
    if not complete or Status.ERROR in statuses or Status.PASSED not in statuses:
        return Overall.ERROR
    return Overall.PASSED


def printable(text: str) -> str:
    """``text`` with control characters shown as their numbers."""
    return _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
