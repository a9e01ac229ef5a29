# SPDX-License-Identifier: GPL-2.0-or-later
"""From what was planned and what happened to one outcome. Pure: reads values, returns a value.

Nothing passes by being absent. A witness that is missing or talks nonsense
makes an error of the scenario, a witness that disagrees makes a failure, and
a scenario that compared nothing has not been run in any useful sense.
"""

from __future__ import annotations

from dmabed import guest_checks, hardware_checks, iommu_findings, leaks, media_checks
from dmabed.case import Case
from dmabed.findings import Finding, Status, Verdict, Witness, first, place_of
from dmabed.layout import Layout
from dmabed.scenario import Scenario
from dmabed.transcript import Event, EventKind, Transcript

__all__ = ["Finding", "Status", "Verdict", "judge"]

_EVENT_WORDS = {
    EventKind.GUEST_PANIC: "the guest kernel panicked",
    EventKind.GUEST_HUNG: "a call into the guest kernel hangs",
    EventKind.QEMU_DIED: "QEMU died",
    EventKind.AGENT_SILENT: "the agent in the guest went silent",
    EventKind.TIMEOUT: "the scenario ran out of time",
    EventKind.PROTOCOL: "a request was not understood",
    EventKind.EVIDENCE: "evidence could not be read",
    EventKind.SPLAT: "the guest kernel complained",
    EventKind.NO_SPLAT: "the guest kernel did not complain",
    EventKind.LEAK: "the guest kernel leaked memory",
    EventKind.INTERRUPTED: "the run was interrupted",
}
# What the subject's kernel says of itself fails the scenario, whatever its steps say.
_AGAINST_THE_SUBJECT = (
    EventKind.GUEST_PANIC,
    EventKind.GUEST_HUNG,
    EventKind.SPLAT,
    EventKind.NO_SPLAT,
    EventKind.LEAK,
)
# In a row of findings about one step, the hardware's word comes first: it is the one no guest can colour.
_WITNESSES = (Witness.HARDWARE, Witness.GUEST, Witness.COMPUTED, Witness.HOST)


def judge(scenario: Scenario, layout: Layout, transcript: Transcript) -> Verdict:
    """The verdict on one run. ``layout`` is the one that ran: with the scenario's overrides."""
    case = Case(scenario, layout, transcript)
    guest_checks.judge_steps(case)
    hardware_checks.read_evidence(case)
    hardware_checks.judge_jobs(case)
    hardware_checks.judge_devices(case)
    media_checks.judge_media(case)
    hardware_checks.judge_faults(case)
    iommu_findings.judge_iommus(case)
    _judge_leaks(case)
    events = [_event_finding(case, event) for event in transcript.events]
    # what happened to the machine explains what is missing, so it goes first
    findings = (*events, *sorted(case.log.findings, key=_order))
    status, why = _outcome(case, findings)
    case.log.notes.extend(transcript.remarks)
    return Verdict(status, why, findings, case.log.checks, tuple(case.log.notes))


def _judge_leaks(case: Case) -> None:
    """Everything has to be given back; after a failure what is left over may be its consequence."""
    before, after = case.transcript.counts_before, case.transcript.counts_after
    if before is None or after is None:
        if not case.transcript.events:
            case.log.broke(None, Witness.GUEST, "nobody counted what was left behind", "it is needed")
        return
    found = (*leaks.left_behind(before, after), *leaks.undercut(before, after))
    if first(case.log.findings, Status.FAILED) or case.transcript.events:
        case.log.notes.extend(f"at the end {sentence}" for sentence in found)
        return
    for sentence in found:
        case.log.failed(None, Witness.GUEST, sentence, "everything should be given back", where="at the end")
    for name in leaks.gone(before, after):
        case.log.broke(None, Witness.GUEST, f"'{name}' was counted before, and not at the end")


def _outcome(case: Case, findings: tuple[Finding, ...]) -> tuple[Status, str]:
    kinds = [event.kind for event in case.transcript.events]
    if EventKind.GUEST_PANIC in kinds:  # QEMU ends and the agent is gone after it: consequences
        return Status.FAILED, findings[kinds.index(EventKind.GUEST_PANIC)].sentence
    if EventKind.INTERRUPTED in kinds:
        return Status.SKIPPED, findings[kinds.index(EventKind.INTERRUPTED)].sentence
    complaint = next((number for number, kind in enumerate(kinds) if kind in _AGAINST_THE_SUBJECT), None)
    if complaint is not None:  # a silent agent or a wrong answer may well come from it
        return Status.FAILED, findings[complaint].sentence
    decisive = _decisive(findings[: len(kinds)], findings[len(kinds) :])
    if decisive is not None:
        return decisive.status, decisive.sentence
    if not case.log.checks:
        return Status.ERROR, "nothing was checked: the scenario has no job and expects nothing"
    return Status.PASSED, f"{case.log.checks} checks passed"


def _decisive(events: tuple[Finding, ...], findings: tuple[Finding, ...]) -> Finding | None:
    """The finding that the outcome is named after: the first one in the story.

    A machine that broke goes before all that it may have caused: every other finding but a wrong
    answer that the guest had given before.
    """
    broken = first(events, Status.ERROR)
    if broken is None or any(_came_before(finding, broken) for finding in findings):
        return next(iter(findings), broken)
    return broken


def _came_before(finding: Finding, broken: Finding) -> bool:
    said = finding.status is Status.FAILED and finding.witness is Witness.GUEST
    return said and _when(finding) < _when(broken)


def _order(finding: Finding) -> tuple[int, int]:
    """By step, within a step by witness."""
    return _when(finding), _WITNESSES.index(finding.witness)


def _when(finding: Finding) -> int:
    """A place in the story; what belongs to no step came at its end."""
    return 1 << 30 if finding.step_index is None else finding.step_index


def _event_finding(case: Case, event: Event) -> Finding:
    """What happened to the machine, as a finding: the subject's is what its kernel said."""
    status = dict.fromkeys(_AGAINST_THE_SUBJECT, Status.FAILED) | {EventKind.INTERRUPTED: Status.SKIPPED}
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
