# SPDX-License-Identifier: GPL-2.0-or-later
"""The second witness: did each device do what the guest says, where it should?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dmabed import evidence, ranges, reach
from dmabed.case import Case, Job, short
from dmabed.evidence import Activity, EvidenceError, JobEvidence
from dmabed.findings import Status, Witness, first
from dmabed.guest_checks import judge_addresses, judge_pattern, judge_same_as
from dmabed.ranges import Run
from dmabed.reach import Place
from dmabed.steps import JobHardware, Via
from dmabed.transcript import JobRef

HARDWARE = Witness.HARDWARE


def read_evidence(case: Case) -> None:
    """Make activities of all devices' evidence; a device without any is an error."""
    transcript = case.transcript
    models = {block.name for block in case.layout.media}  # media_checks has those
    for device in dict.fromkeys([*case.scenario.devices, *transcript.evidence]):
        if device in models:
            continue
        try:
            case.activities[device] = evidence.of_transcript(device, transcript)
        except EvidenceError as error:
            case.log.broke(None, HARDWARE, str(error), "evidence of every device is needed")


def judge_jobs(case: Case) -> None:
    """Check every submitted job against the device's record of it."""
    for job in case.jobs():
        activity = case.activities.get(job.operation.device)
        if activity is not None:
            _judge_submitted(case, job, activity)


def _judge_submitted(case: Case, job: Job, activity: Activity) -> None:
    assert job.record.job is not None
    try:
        found = activity.job(job.record.job.nth)
    except EvidenceError as error:
        case.log.broke(job.step, HARDWARE, str(error))
        return
    if found is None and job.expected_status == "none":
        case.log.check(True, job.step, HARDWARE, "the job never reached the device", "it was dropped with it")
    elif found is None:
        got = f"{activity.device} has no record of this job: it did {activity.jobs_done}"
        case.log.check(False, job.step, HARDWARE, got, "the guest submitted it")
    elif _is_the_same(case, job, found):
        _judge_job(case, job, found)


def _is_the_same(case: Case, job: Job, found: JobEvidence) -> bool:
    operation = job.operation
    seed = found.seed if operation.operation == "fill" else operation.seed
    got = f"the device did a {found.op} of {found.length} bytes"
    wanted = f"a {operation.operation} of {operation.length} bytes was submitted"
    if operation.operation == "fill":
        got, wanted = f"{got}, seed {seed}", f"{wanted}, seed {operation.seed}"
    same = (found.op, found.length, seed) == (operation.operation, operation.length, operation.seed)
    return case.log.check(same, job.step, HARDWARE, got, wanted)


def _judge_job(case: Case, job: Job, found: JobEvidence) -> None:
    suffered = (
        "" if found.injected == "none" else f"the device suffered the injected fault '{found.injected}'"
    )
    _judge_violations(case, job, found)
    if not found.done:
        case.log.check(
            job.may_be_undone, job.step, HARDWARE, "the job is not done", "it should be", meaning=suffered
        )
        return
    _judge_completion(case, job, found, suffered)
    _judge_digest(case, job, found, suffered)
    _judge_place(case, job, found)


def _judge_completion(case: Case, job: Job, found: JobEvidence, suffered: str) -> None:
    """The device's own status against the guest's and the expected one, and the bytes that really moved."""
    said = case.answers.get(job.final.index)
    got = f"the device ended the job with {found.status}"
    if said is not None:
        same = found.status == said.status
        case.log.check(same, job.final, HARDWARE, got, f"the guest saw {said.status}", meaning=suffered)
    wanted = job.expected_status
    case.log.check(
        found.status == wanted, job.final, HARDWARE, got, f"{wanted} is expected", meaning=suffered
    )
    if found.status == "ok":
        moved, length = (
            f"the device really moved {found.bytes} bytes",
            f"the job has {found.length} and ended ok",
        )
        case.log.check(found.bytes == found.length, job.final, HARDWARE, moved, length, meaning=suffered)
    offset = job.final.expect.mismatch
    if offset is not None:
        got = f"the device saw the first difference at {found.mismatch_at}"
        case.log.check(found.mismatch_at == offset, job.final, HARDWARE, got, f"{offset} is expected")


def _judge_digest(case: Case, job: Job, found: JobEvidence, suffered: str) -> None:
    """Three witnesses: the guest, the device, and the pattern as computed here."""
    said = case.answers.get(job.final.index)
    if said is not None and said.sha256:
        got, wanted = f"hardware digested {short(found.sha256)}", f"the guest was told {short(said.sha256)}"
        case.log.check(found.sha256 == said.sha256, job.final, HARDWARE, got, wanted, meaning=suffered)
    if found.status not in ("ok", "mismatch-found"):
        return
    operation, pattern = job.operation, job.final.expect.pattern
    seed = operation.seed if operation.operation == "fill" else pattern
    if seed is not None:
        read = "the device read other bytes than were written" if pattern is not None else ""
        span = (operation.offset, operation.length)
        judge_pattern(case, job.final, HARDWARE, found.sha256, seed, span, suffered or read)
    judge_same_as(case, job.final, HARDWARE, found.sha256)


def _judge_violations(case: Case, job: Job, found: JobEvidence) -> None:
    wanted = _hardware(job).violations
    kinds = tuple(violation.kind for violation in found.violations)
    if found.violations_dropped:
        case.log.broke(
            job.step, HARDWARE, f"{found.violations_dropped} violations were dropped from the record"
        )
    got = f"the device saw {_list(kinds)}"
    if found.violations:
        worst = found.violations[0]
        got += f" (first at bus {worst.bus:#x}+{worst.length:#x})"
    case.log.check(kinds == wanted, job.step, HARDWARE, got, f"{_list(wanted)} should be seen")


# ---- where the bytes were ----


def _judge_place(case: Case, job: Job, found: JobEvidence) -> None:
    wanted = _hardware(job)
    driven = (*found.read, *found.written)
    judge_addresses(case, job.step, HARDWARE, driven, wanted, "bus addresses driven")
    if wanted.via is Via.ANY and wanted.touches is None:
        return
    dropped = found.read_dropped + found.written_dropped + found.system_dropped
    if dropped:
        case.log.broke(job.step, HARDWARE, f"{dropped} ranges were dropped from the record", "all are needed")
        return
    touched = _judge_ways(case, job, found)
    if wanted.touches is not None:
        got = f"the device reached {_list(touched)} beside the job's buffers"
        case.log.check(
            wanted.touches in touched, job.step, HARDWARE, got, f"it should reach {wanted.touches}"
        )


def _judge_ways(case: Case, job: Job, found: JobEvidence) -> tuple[str, ...]:
    """Judge what was read against the source and what was written against the target."""
    operation = job.operation
    if operation.operation == "compare":  # reads both
        sources, targets = operation.buffers, _names(None)
    else:
        sources, targets = _names(operation.source), _names(operation.target)
    touched: list[str] = []
    for way, buffers in (
        (_Way(found.read, found.read_system), sources),
        (_Way(found.written, found.written_system), targets),
    ):
        if way.driven or buffers:
            touched += _judge_way(case, job, found, way, buffers)
    return tuple(dict.fromkeys(touched))


@dataclass(frozen=True)
class _Way:
    """What was read, or what was written: on the bus, and where an IOMMU led it."""

    driven: Sequence[Run]
    system: Sequence[Run]


def _judge_way(
    case: Case, job: Job, found: JobEvidence, way: _Way, buffers: Sequence[str]
) -> tuple[str, ...]:
    operation = job.operation
    storage = {name: snapshot.segments for name, snapshot in job.record.buffers.items()}
    unknown = [name for name in buffers if not storage.get(name)]
    if unknown and _hardware(job).via is not Via.ANY:
        case.log.broke(job.step, Witness.GUEST, f"nobody told where {_list(unknown)} was", "it is needed")
        return ()
    own = [storage.get(name, ()) for name in buffers]
    part = [run for runs in own for run in ranges.cut(runs, operation.offset, operation.length)]
    others = {name: runs for name, runs in storage.items() if name not in buffers}
    device = case.layout.device(operation.device)
    if case.layout.translates(device):
        reached, lost = evidence.translated(device, way.driven, way.system)
    else:
        reached, lost = evidence.to_cpu(device, way.driven)
    result = reach.classify(
        reached, part, [run for runs in own for run in runs], others, lost=lost, partial=found.status != "ok"
    )
    _judge_via(case, job, result, reached, part)
    if _hardware(job).via is Via.REMAPPED:
        _judge_remapped(case, job, way.driven, reached)
    return result.touched


def _judge_via(
    case: Case, job: Job, result: reach.Reach, reached: Sequence[Run], part: Sequence[Run]
) -> None:
    via = _hardware(job).via
    if via is Via.ANY or (result.place is Place.NOTHING and job.expects_trouble):
        return
    good = Place.BOUNCE if via is Via.BOUNCE else Place.DIRECT
    into = f" (in the storage of {_list(result.touched)})" if result.touched else ""
    got = f"the device moved bytes at {ranges.show(reached)}{into}, which is {result.place.value}"
    wanted = f"{via.value} is expected, the job's bytes are at {ranges.show(part)}"
    if case.log.check(result.place is good, job.step, HARDWARE, got, wanted) and via is Via.BOUNCE:
        _judge_pool(case, job, reached)


def _judge_remapped(case: Case, job: Job, driven: Sequence[Run], reached: Sequence[Run]) -> None:
    """Bytes that are where the device asked for them were led nowhere by an IOMMU."""
    if not driven and job.expects_trouble:
        return
    got = f"the device drove {ranges.show(driven)}, and the bytes are at {ranges.show(reached)}"
    moved = ranges.union(driven) != ranges.union(reached)
    case.log.check(moved, job.step, HARDWARE, got, "an IOMMU should lead it elsewhere")


def _judge_pool(case: Case, job: Job, reached: Sequence[Run]) -> None:
    """Bytes that are in no known buffer were bounced only if they were where the kernel bounces."""
    pools = case.transcript.bounce_pools
    if not pools:
        case.log.broke(job.step, Witness.GUEST, "nobody told where the guest bounces", "it is needed")
        return
    inside = ranges.total(ranges.common(reached, pools)) == ranges.total(reached)
    got = f"the device moved bytes at {ranges.show(reached)}"
    wanted = f"a bounce is in the guest's pool, {ranges.show(pools)}"
    case.log.check(inside, job.step, HARDWARE, got, wanted)


# ---- whole devices ----


def judge_devices(case: Case) -> None:
    """Jobs that nobody submitted, guest errors, and what the scenario says of whole devices."""
    for device, activity in case.activities.items():
        _judge_strangers(case, activity)
        _judge_totals(case, device, activity)


def _judge_strangers(case: Case, activity: Activity) -> None:
    if any(step.verb == "guest-test" for step in case.scenario.steps):
        return  # its jobs are its own, and judged by itself
    submitted = sum(job.operation.device == activity.device for job in case.jobs())
    if activity.jobs_done > submitted:
        got = f"the device did {activity.jobs_done} jobs"
        case.log.failed(None, HARDWARE, got, f"{submitted} were submitted", where=activity.device)


def _judge_totals(case: Case, device: str, activity: Activity) -> None:
    wanted = case.scenario.hardware.get(device)
    if (wanted is None or wanted.guest_errors is None) and activity.guest_errors:
        got = f"the device logged {activity.guest_errors} guest errors"
        case.log.failed(None, HARDWARE, got, "none is expected", where=device)
    if wanted is None:
        return
    violations = sum(len(job.violations) + job.violations_dropped for job in activity.jobs.values())
    if wanted.violations is not None and activity.lost:
        got = f"{activity.lost} of its jobs were dropped from the record, with their violations"
        case.log.broke(None, HARDWARE, got, "all are needed", where=device)
    for noun, expected, seen in (
        ("jobs", wanted.jobs, activity.jobs_done),
        ("data accesses", wanted.accesses, activity.data_accesses),
        ("violations", wanted.violations, violations),
        ("guest errors", wanted.guest_errors, activity.guest_errors),
    ):
        if expected is not None:
            got = f"the device counted {seen} {noun}"
            case.log.check(seen == expected, None, HARDWARE, got, f"{expected} are expected", where=device)


# ---- faults on command ----


def judge_faults(case: Case) -> None:
    """Every ``inject`` must have been suffered, and no fault may pass unnoticed."""
    for step in case.scenario.steps:
        activity = case.activities.get(step.device or "")
        if step.verb == "inject" and step.args["fault"] != "none" and activity is not None:
            fault = step.args["fault"]
            suffered = any(job.injected == fault for job in activity.jobs.values())
            got = f"no job of the device suffered '{fault}'"
            case.log.check(suffered, step, HARDWARE, got, "the fault was injected to be suffered")
    for activity in case.activities.values():
        _note_injected(case, activity)


def _note_injected(case: Case, activity: Activity) -> None:
    expected = {job.record.job for job in case.jobs() if job.expects_trouble}
    corrupted = any(step.expect.corrupted_at is not None for step in case.scenario.steps)
    for nth, found in activity.jobs.items():
        if found.injected == "none":
            continue
        text = f"job {nth} suffered the injected fault '{found.injected}'"
        case.log.notes.append(f"{activity.device}: {text}")
        harmless = found.injected in ("irq-lost", "irq-double")  # these lose no bytes, only time
        seen = found.injected == "corrupt" and corrupted
        if (
            not (harmless or seen)
            and JobRef(activity.device, nth) not in expected
            and not first(case.log.findings, Status.FAILED)
        ):
            case.log.broke(None, HARDWARE, text, "no check of this scenario noticed", where=activity.device)


def _hardware(job: Job) -> JobHardware:
    return job.step.hardware or JobHardware()


def _names(name: str | None) -> tuple[str, ...]:
    return () if name is None else (name,)


def _list(words: Sequence[str]) -> str:
    return ", ".join(words) or "nothing"
