# SPDX-License-Identifier: GPL-2.0-or-later
"""What the hardware saw: a device's ``evidence`` property as checked values.

docs/specs/dmabed-engine.md says what the fields mean. Reading is strict:
evidence that lacks a field, or has a value that makes no sense, is an
``EvidenceError``. A witness who mumbles is not a witness.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dmabed import ranges
from dmabed.errors import TestbedError
from dmabed.layout import Device
from dmabed.ranges import Run
from dmabed.steps import OPERATIONS
from dmabed.transcript import Transcript

PAGE = 4096  # windows of a bus start and end at pages

VIOLATIONS = ("seg-count", "seg-size", "seg-boundary", "alignment", "granule", "addr-width", "decode")
STATUSES = ("none", "ok", "mismatch-found", "bad-op", "bad-list", "bad-length", *VIOLATIONS)
FAULTS = ("none", "corrupt", "lie", "decode", "lost", "irq-lost", "irq-double")

# DMABED_HISTORY_ENTRIES of the devices: docs/specs/dmabed-engine.md, Evidence
KEPT_ENTRIES = 32768

# of a device that has just been plugged
BLANK: Mapping[str, Any] = {
    **dict.fromkeys(("jobs-total", "jobs-dropped", "jobs-cut", "guest-errors"), 0),
    **dict.fromkeys(("ring-fetches", "data-accesses", "bytes-moved", "interrupts"), 0),
    "held": False,
    "jobs": (),
}

_SHA256 = re.compile(r"[0-9a-f]{64}")


class EvidenceError(TestbedError):
    """A device's evidence is missing or makes no sense."""


@dataclass(frozen=True)
class Violation:
    """A limit that a job did not keep."""

    kind: str
    list: str
    segment: int
    bus: int
    length: int


@dataclass(frozen=True)
class JobEvidence:
    """One job as the device did it. Addresses are bus addresses.

    ``read_system`` and ``written_system`` are where an IOMMU led those, in CPU physical addresses;
    without one they are empty.
    """

    seq: int
    cookie: int
    op: str
    status: str
    length: int
    bytes: int
    seed: int
    sha256: str
    mismatch_at: int
    start_ns: int
    end_ns: int
    done: bool
    src: tuple[Run, ...]
    dst: tuple[Run, ...]
    read: tuple[Run, ...]
    written: tuple[Run, ...]
    src_dropped: int
    dst_dropped: int
    read_dropped: int
    written_dropped: int
    read_system: tuple[Run, ...]
    written_system: tuple[Run, ...]
    system_dropped: int
    violations: tuple[Violation, ...]
    violations_dropped: int
    cut: bool
    """Its lists were dropped, for those of newer jobs: they are empty, and that means nothing."""
    injected: str


@dataclass(frozen=True)
class DeviceEvidence:
    """Everything one device recorded since its reset."""

    device: str
    jobs_total: int
    jobs_dropped: int
    jobs_cut: int
    guest_errors: int
    ring_fetches: int
    data_accesses: int
    bytes_moved: int
    interrupts: int
    held: bool
    jobs: tuple[JobEvidence, ...]


@dataclass(frozen=True)
class Activity:
    """What one device did during one scenario."""

    device: str
    jobs_done: int
    guest_errors: int
    data_accesses: int
    jobs: Mapping[int, JobEvidence]
    """The jobs that are still on record, by their number in this scenario, from 1."""
    reached: tuple[range, ...]
    """The numbers of jobs that reached the device: with gaps where it went before they could."""

    @property
    def lost(self) -> int:
        """How many jobs reached the device and are not on record any more."""
        return sum(map(len, self.reached)) - len(self.jobs)

    def job(self, nth: int) -> JobEvidence | None:
        """The nth job, None if it never reached the device.

        Raises EvidenceError when its record was dropped, or the lists in it.
        """
        if not any(nth in numbers for numbers in self.reached):
            return None
        if nth not in self.jobs:
            what = f"{self.device}: its record of job {nth} was dropped"
            raise EvidenceError(what, hint="the device keeps the last 1,024 jobs")
        return whole(self.device, nth, self.jobs[nth])


def whole(device: str, nth: int, job: JobEvidence) -> JobEvidence:
    """The job, if its lists can be believed. Raises EvidenceError."""
    if job.cut:
        what = f"{device}: the lists of job {nth} were dropped from its record"
        raise EvidenceError(what, hint=f"the device keeps the last {KEPT_ENTRIES:,} entries of all jobs")
    return job


def parse(device: str, raw: Any) -> DeviceEvidence:
    """The evidence as QMP gave it. Raises EvidenceError."""
    fields = Fields(f"{device}: evidence", raw)
    jobs = tuple(_job(entry) for entry in fields.entries("jobs"))
    evidence = DeviceEvidence(
        device=device,
        jobs_total=fields.count("jobs-total"),
        jobs_dropped=fields.count("jobs-dropped"),
        jobs_cut=fields.count("jobs-cut"),
        guest_errors=fields.count("guest-errors"),
        ring_fetches=fields.count("ring-fetches"),
        data_accesses=fields.count("data-accesses"),
        bytes_moved=fields.count("bytes-moved"),
        interrupts=fields.count("interrupts"),
        held=fields.truth("held"),
        jobs=jobs,
    )
    _check_numbers(fields, evidence)
    return evidence


def activity(device: str, before: Any, after: Any, first: int = 1) -> Activity:
    """What happened between two readings of a device's evidence, its jobs numbered from ``first`` on.

    Raises EvidenceError.
    """
    if before is None or after is None:
        when = "at the end" if after is None else "before the first step"
        raise EvidenceError(f"{device}: its evidence could not be read {when}")
    old, new = parse(device, before), parse(device, after)
    if new.jobs_total < old.jobs_total or new.data_accesses < old.data_accesses:
        raise EvidenceError(f"{device}: its record went backwards: it was reset during the scenario")
    done = new.jobs_total - old.jobs_total
    return Activity(
        device=device,
        jobs_done=done,
        guest_errors=new.guest_errors - old.guest_errors,
        data_accesses=new.data_accesses - old.data_accesses,
        jobs={first + job.seq - old.jobs_total - 1: job for job in new.jobs if job.seq > old.jobs_total},
        reached=(range(first, first + done),),
    )


def of_transcript(device: str, transcript: Transcript) -> Activity:
    """What a device did in a scenario, over all the times that it, or its driver, went and came back.

    Raises EvidenceError.
    """
    before, first = transcript.evidence_before.get(device), 1
    lives = []
    for departed in transcript.departed.get(device, ()):
        lives.append(activity(device, before, departed.evidence, first))
        before, first = BLANK if departed.gone else departed.evidence, departed.submitted + 1
    if device not in transcript.away:
        lives.append(activity(device, before, transcript.evidence.get(device), first))
    return functools.reduce(_joined, lives)


def _joined(one: Activity, next_one: Activity) -> Activity:
    return Activity(
        device=one.device,
        jobs_done=one.jobs_done + next_one.jobs_done,
        guest_errors=one.guest_errors + next_one.guest_errors,
        data_accesses=one.data_accesses + next_one.data_accesses,
        jobs={**one.jobs, **next_one.jobs},
        reached=(*one.reached, *next_one.reached),
    )


def translated(
    device: Device, driven: Sequence[Run], system: Sequence[Run]
) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """As ``to_cpu`` of a device behind an IOMMU: ``system`` is where that led what was driven.

    A device's own memory is reached past the IOMMU.
    """
    local = device.local_memory
    own = [run for run in driven if local is not None and local.holds(run.address)]
    reached, lost = to_cpu(device, own)
    missing = sum(run.length for run in driven) - sum(run.length for run in (*own, *system))
    untold = (Run(driven[0].address, missing),) if missing > 0 else ()
    return ranges.union((*reached, *system)), ranges.union((*lost, *untold))


def to_cpu(device: Device, runs: Sequence[Run]) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Bus runs as CPU physical runs, and the bus runs behind which there is nothing."""
    reached, lost = [], []
    for piece in (piece for run in runs for piece in _linear_pieces(device, run)):
        address = device.to_cpu(piece.address)
        if address is None:
            lost.append(piece)
        else:
            reached.append(Run(address, piece.length))
    return ranges.union(reached), ranges.union(lost)


def _linear_pieces(device: Device, run: Run) -> list[Run]:
    """The run, cut where its CPU addresses do not follow each other."""
    first, last = device.to_cpu(run.address), device.to_cpu(run.end - 1)
    # one window: both ends are as far apart on the CPU's side as they are on the bus
    if first is not None and last is not None and last - first == run.length - 1:
        return [run]
    cuts = [run.address, *range(run.address // PAGE * PAGE + PAGE, run.end, PAGE), run.end]
    return [Run(start, end - start) for start, end in itertools.pairwise(cuts)]


# ---- the form ----


@dataclass(frozen=True)
class Fields:
    """A JSON object that is asked for fields of a certain kind, and blames them by name."""

    where: str
    raw: Any

    def __post_init__(self) -> None:
        if not isinstance(self.raw, Mapping):
            raise EvidenceError(f"{self.where}: not an object but {self.raw!r:.60}")

    def inner(self, key: str, index: int, raw: Any) -> Fields:
        return Fields(f"{self.where}: {key}[{index}]", raw)

    def take(self, key: str) -> Any:
        if key not in self.raw:
            raise EvidenceError(f"{self.where}: field '{key}' is missing")
        return self.raw[key]

    def odd(self, key: str) -> EvidenceError:
        return EvidenceError(f"{self.where}: field '{key}' makes no sense: {self.raw[key]!r:.80}")

    def integer(self, key: str, least: int) -> int:
        value = self.take(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.odd(key)
        return value

    def count(self, key: str) -> int:
        return self.integer(key, 0)

    def truth(self, key: str) -> bool:
        value = self.take(key)
        if not isinstance(value, bool):
            raise self.odd(key)
        return value

    def word(self, key: str, known: Sequence[str]) -> str:
        value = self.take(key)
        if value not in known:
            raise self.odd(key)
        return str(value)

    def list(self, key: str) -> Sequence[Any]:
        value = self.take(key)
        if not isinstance(value, (list, tuple)):
            raise self.odd(key)
        return value

    def runs(self, key: str, start: str = "bus") -> tuple[Run, ...]:
        return tuple(Run(entry.count(start), entry.integer("length", 1)) for entry in self.entries(key))

    def entries(self, key: str) -> tuple[Fields, ...]:
        return tuple(self.inner(key, index, entry) for index, entry in enumerate(self.list(key)))

    def digest(self, key: str) -> str:
        value = self.take(key)
        if not isinstance(value, str) or (value and not _SHA256.fullmatch(value)):
            raise self.odd(key)
        return value


def _job(fields: Fields) -> JobEvidence:
    job = JobEvidence(
        seq=fields.integer("seq", 1),
        cookie=fields.count("cookie"),
        # an operation that the engine does not know has no name in our header
        op=str(fields.take("op")),
        status=fields.word("status", STATUSES),
        length=fields.count("length"),
        bytes=fields.count("bytes"),
        seed=fields.count("seed"),
        sha256=fields.digest("sha256"),
        mismatch_at=fields.integer("mismatch-at", -1),
        start_ns=fields.count("start-ns"),
        end_ns=fields.count("end-ns"),
        done=fields.truth("done"),
        src=fields.runs("src"),
        dst=fields.runs("dst"),
        read=fields.runs("read"),
        written=fields.runs("written"),
        src_dropped=fields.count("src-dropped"),
        dst_dropped=fields.count("dst-dropped"),
        read_dropped=fields.count("read-dropped"),
        written_dropped=fields.count("written-dropped"),
        read_system=fields.runs("read-system", "address"),
        written_system=fields.runs("written-system", "address"),
        system_dropped=fields.count("read-system-dropped") + fields.count("written-system-dropped"),
        violations=_violations(fields),
        violations_dropped=fields.count("violations-dropped"),
        cut=fields.truth("cut"),
        injected=fields.word("injected", FAULTS),
    )
    if job.done and job.status == "ok" and job.op in OPERATIONS and not job.sha256:
        raise EvidenceError(f"{fields.where}: done and ok, yet without 'sha256'")
    if job.cut and (job.src or job.dst or job.read or job.written or job.violations):
        raise EvidenceError(f"{fields.where}: 'cut', yet with lists")
    return job


def _violations(fields: Fields) -> tuple[Violation, ...]:
    return tuple(
        Violation(
            kind=entry.word("kind", VIOLATIONS),
            list=str(entry.take("list")),
            segment=entry.count("segment"),
            bus=entry.count("bus"),
            length=entry.count("length"),
        )
        for entry in fields.entries("violations")
    )


def _check_numbers(fields: Fields, evidence: DeviceEvidence) -> None:
    """Jobs are numbered without gaps, and the last one is the total."""
    numbers = [job.seq for job in evidence.jobs]
    expected = list(range(evidence.jobs_total - len(numbers) + 1, evidence.jobs_total + 1))
    if numbers != expected:
        raise EvidenceError(f"{fields.where}: the jobs' numbers do not lead up to 'jobs-total'")
    if evidence.jobs_total != evidence.jobs_dropped + len(numbers):
        raise EvidenceError(f"{fields.where}: 'jobs-dropped' does not agree with 'jobs-total'")
    cut = sum(job.cut for job in evidence.jobs)
    if not cut <= evidence.jobs_cut <= cut + evidence.jobs_dropped:
        raise EvidenceError(f"{fields.where}: 'jobs-cut' does not agree with the jobs")
