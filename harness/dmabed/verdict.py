# SPDX-License-Identifier: GPL-2.0-or-later
"""From what was planned and what happened to one outcome. Pure: reads values, returns a value.

Nothing passes by being absent. A witness that is missing or talks nonsense
makes an error of the scenario, a witness that disagrees makes a failure, and
a scenario that compared nothing has not been run in any useful sense.
"""

from __future__ import annotations

from dmabed import guest_checks, hardware_checks
from dmabed.case import Case
from dmabed.findings import Finding, Status, Verdict, Witness, place_of
from dmabed.layout import Layout
from dmabed.scenario import Scenario
from dmabed.transcript import Event, EventKind, Transcript

__all__ = ["Finding", "Status", "Verdict", "judge"]

_EVENT_WORDS = {
    EventKind.GUEST_PANIC: "the guest kernel panicked",
    EventKind.QEMU_DIED: "QEMU died",
    EventKind.AGENT_SILENT: "the agent in the guest went silent",
    EventKind.TIMEOUT: "the scenario ran out of time",
    EventKind.PROTOCOL: "a request was not understood",
    EventKind.EVIDENCE: "evidence could not be read",
    EventKind.INTERRUPTED: "the run was interrupted",
}
# In a row of findings about one step, the hardware's word comes first: it is the one no guest can colour.
_WITNESSES = (Witness.HARDWARE, Witness.GUEST, Witness.COMPUTED, Witness.HOST)


def judge(scenario: Scenario, layout: Layout, transcript: Transcript) -> Verdict:
    """The verdict on one run. ``layout`` is the one that ran: with the scenario's overrides."""
    case = Case(scenario, layout, transcript)
    guest_checks.judge_steps(case)
    hardware_checks.read_evidence(case)
    hardware_checks.judge_jobs(case)
    hardware_checks.judge_devices(case)
    hardware_checks.judge_faults(case)
    events = [_event_finding(case, event) for event in transcript.events]
    # what happened to the machine explains what is missing, so it goes first
    findings = (*events, *sorted(case.log.findings, key=_order))
    status, why = _outcome(case, findings)
    return Verdict(status, why, findings, case.log.checks, tuple(case.log.notes))


def _outcome(case: Case, findings: tuple[Finding, ...]) -> tuple[Status, str]:
    kinds = [event.kind for event in case.transcript.events]
    if EventKind.GUEST_PANIC in kinds:  # QEMU ends and the agent is gone after it: consequences
        return Status.FAILED, findings[kinds.index(EventKind.GUEST_PANIC)].sentence
    if EventKind.INTERRUPTED in kinds:
        return Status.SKIPPED, findings[kinds.index(EventKind.INTERRUPTED)].sentence
    # A machine that broke may have caused any of the other findings; among those, the first one in
    # the story decides: a witness who mumbles after a failure does not undo it.
    broken = [finding for finding in findings[: len(kinds)] if finding.status is Status.ERROR]
    decisive = next(iter((*broken, *findings)), None)
    if decisive is not None:
        return decisive.status, decisive.sentence
    if not case.log.checks:
        return Status.ERROR, "nothing was checked: the scenario has no job and expects nothing"
    return Status.PASSED, f"{case.log.checks} checks passed"


def _order(finding: Finding) -> tuple[int, int]:
    """By step, findings of no step last; within a step by witness."""
    index = finding.step_index if finding.step_index is not None else 1 << 30
    return index, _WITNESSES.index(finding.witness)


def _event_finding(case: Case, event: Event) -> Finding:
    """What happened to the machine, as a finding: only a panic is the subject's."""
    status = {EventKind.GUEST_PANIC: Status.FAILED, EventKind.INTERRUPTED: Status.SKIPPED}
    return Finding(
        status=status.get(event.kind, Status.ERROR),
        witness=Witness.HOST,
        expectation="",
        got=_EVENT_WORDS[event.kind],
        meaning=event.text,
        where=_event_place(case, event),
        step_index=event.step_index,
    )


def _event_place(case: Case, event: Event) -> str:
    if event.step_index is not None:
        return place_of(case.scenario.steps[event.step_index])
    return event.device or ""
