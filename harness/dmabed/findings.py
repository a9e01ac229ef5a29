# SPDX-License-Identifier: GPL-2.0-or-later
"""What the checks of a verdict write down, and how a number of them becomes one outcome."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dmabed.steps import Step


class Status(Enum):
    """How a scenario ended. Only a passed one is a pass."""

    PASSED = "passed"
    FAILED = "failed"
    """The subject did something wrong."""
    ERROR = "error"
    """The testbed broke, or a witness is missing: nothing was learned."""
    SKIPPED = "skipped"
    """It did not run (to its end)."""


class Witness(Enum):
    GUEST = "guest"
    HARDWARE = "hardware"
    COMPUTED = "computed"
    HOST = "host"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be."""

    status: Status
    """FAILED: against the subject. ERROR: against the testbed."""
    witness: Witness
    expectation: str
    got: str
    meaning: str = ""
    where: str = ""
    """``step 4 (line 17) digest codec frame``, or a device, or nothing."""
    step_index: int | None = None

    @property
    def sentence(self) -> str:
        head = f"{self.where}: " if self.where else ""
        body = f"{self.got}, but {self.expectation}" if self.expectation else self.got
        tail = f": {self.meaning}" if self.meaning else ""
        return head + body + tail

    def as_json(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "witness": self.witness.value,
            "step": None if self.step_index is None else self.step_index + 1,
            "expected": self.expectation,
            "got": self.got,
            "why": self.sentence,
        }


@dataclass(frozen=True)
class Verdict:
    """The outcome of one scenario on one layout; ``why`` is one plain sentence."""

    status: Status
    why: str
    findings: tuple[Finding, ...] = ()
    checks: int = 0
    """How many comparisons were made that could have failed."""
    notes: tuple[str, ...] = ()
    """Worth knowing, and no failure."""

    @property
    def passed(self) -> bool:
        return self.status is Status.PASSED

    def as_json(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "why": self.why,
            "checks": self.checks,
            "findings": [finding.as_json() for finding in self.findings],
            "notes": list(self.notes),
        }


@dataclass
class Log:
    """Findings as they are made, and a count of the checks."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checks: int = 0

    def failed(self, step: Step | None, witness: Witness, got: str, expectation: str, **more: str) -> None:
        """Something against the subject."""
        self._add(Status.FAILED, step, witness, got, expectation, **more)

    def broke(
        self, step: Step | None, witness: Witness, got: str, expectation: str = "", **more: str
    ) -> None:
        """Something against the testbed: a witness is missing or talks nonsense."""
        self._add(Status.ERROR, step, witness, got, expectation, **more)

    def check(
        self, ok: bool, step: Step | None, witness: Witness, got: str, expectation: str, **more: str
    ) -> bool:
        """Count a comparison; a wrong one is a failure."""
        self.checks += 1
        if not ok:
            self.failed(step, witness, got, expectation, **more)
        return ok

    def _add(
        self,
        status: Status,
        step: Step | None,
        witness: Witness,
        got: str,
        expectation: str,
        meaning: str = "",
        where: str = "",
    ) -> None:
        place = where or (place_of(step) if step else "")
        index = step.index if step else None
        self.findings.append(Finding(status, witness, expectation, got, meaning, place, index))


def place_of(step: Step) -> str:
    return f"step {step.index + 1} (line {step.line}) {step.what}"


def first(findings: Iterable[Finding], status: Status) -> Finding | None:
    return next((finding for finding in findings if finding.status is status), None)
