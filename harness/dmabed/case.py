# SPDX-License-Identifier: GPL-2.0-or-later
"""One run being judged: what was planned, what happened, and what was found so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dmabed.answers import JobAnswer
from dmabed.evidence import Activity
from dmabed.findings import Log
from dmabed.layout import Layout
from dmabed.ranges import Run
from dmabed.scenario import Scenario
from dmabed.steps import OPERATIONS, Operation, Step
from dmabed.transcript import StepRecord, Transcript


@dataclass(frozen=True)
class Job:
    """A job from its submission to its result, which a later step may have taken."""

    step: Step
    """Where it was submitted: says what the hardware should have done."""
    record: StepRecord
    final: Step
    """Where its result was taken: says what the guest should have seen."""

    @property
    def operation(self) -> Operation:
        assert self.step.operation is not None
        return self.step.operation

    @property
    def expected_status(self) -> str:
        return expected_status(self.final)

    @property
    def may_be_undone(self) -> bool:
        """The scenario waits for it in vain, or sees it dropped, and says so."""
        return self.final.expect.errno == "ETIMEDOUT" or self.expected_status == "none"

    @property
    def expects_trouble(self) -> bool:
        expect = self.final.expect
        return bool(expect.errno or expect.error) or self.expected_status != "ok"


@dataclass
class Case:
    """What the checks share."""

    scenario: Scenario
    layout: Layout
    transcript: Transcript
    log: Log = field(default_factory=Log)
    digests: dict[str, str] = field(default_factory=dict)
    """What named digest steps found, for ``same-as``."""
    places: dict[str, tuple[Run, ...]] = field(default_factory=dict)
    """Where named `buffer` steps found their buffers, for ``inside`` and ``outside``."""
    answers: dict[int, JobAnswer] = field(default_factory=dict)
    """What the guest said of the jobs whose results it took, by the step's index."""
    activities: dict[str, Activity] = field(default_factory=dict)
    """What each device did, where its evidence could be read."""

    def jobs(self) -> Iterator[Job]:
        """The jobs that reached a device."""
        for step in self.scenario.steps:
            record = self.transcript.record(step.index)
            if step.verb in (*OPERATIONS, "submit") and record is not None and record.job is not None:
                yield Job(step, record, self._final(step))

    def _final(self, step: Step) -> Step:
        waits = [
            wait for wait in self.scenario.steps if wait.verb == "wait" and wait.args["job"] == step.name
        ]
        return waits[-1] if step.verb == "submit" and waits else step


def expected_status(step: Step) -> str:
    """The engine's status that a job's step expects."""
    if step.expect.status is not None:
        return step.expect.status
    return "ok" if step.expect.mismatch is None else "mismatch-found"


def short(sha256: str) -> str:
    """A digest as messages show it."""
    return f"{sha256[:12]}…" if sha256 else "nothing"
