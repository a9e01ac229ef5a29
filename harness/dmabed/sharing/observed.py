# SPDX-License-Identifier: GPL-2.0-or-later
"""What came of a cell, by the word of two witnesses and of a third computation. Pure.

The guest says what its calls returned, what its CPU read and how much of the bounce pool was
taken. The device says what it read and wrote, and where. Python computes the bytes from the
seeds. Where they disagree nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dmabed import evidence, ranges, reach
from dmabed.answers import JobAnswer
from dmabed.evidence import JobEvidence
from dmabed.layout import Device
from dmabed.pattern import sha256_of
from dmabed.ranges import Run
from dmabed.reach import Place
from dmabed.sharing import marks, outcomes
from dmabed.sharing.cells import Cell
from dmabed.sharing.outcomes import Outcome
from dmabed.sharing.placement import Exporter, page_rounded
from dmabed.sharing.probe import Observation


@dataclass(frozen=True)
class Surroundings:
    """What of the layout and the guest is needed to tell where bytes were."""

    device: Device
    translated: bool
    pools: tuple[Run, ...]
    """Where this guest bounces."""
    cma: Run | None
    ram: tuple[Run, ...]
    page: int = 4096


class Disagreement(Exception):
    """Two witnesses contradict each other."""


def judge(
    cell: Cell, where: Surroundings, seen: Observation, jobs: Mapping[int, JobEvidence]
) -> tuple[Outcome, str]:
    """The outcome, and a sentence on what it was seen by. ``jobs`` are the importer's, by ordinal."""
    try:
        return _judge(cell, where, seen, [_job(cell, jobs, number) for number in seen.jobs])
    except Disagreement as error:
        return outcomes.ERROR, f"the witnesses disagree: {error}"


def _job(cell: Cell, jobs: Mapping[int, JobEvidence], number: int) -> JobEvidence:
    if number not in jobs:
        raise Disagreement(f"the guest submitted job {number}, and the device has no record of it")
    return evidence.whole(cell.importer, number, jobs[number])


def _judge(
    cell: Cell, where: Surroundings, seen: Observation, jobs: Sequence[JobEvidence]
) -> tuple[Outcome, str]:
    if seen.refused_by:
        return outcomes.refused(seen.errno), f"{seen.refused_by} said {seen.errno}"
    if seen.stuck or seen.read is None or not jobs:
        return outcomes.ERROR, seen.stuck or "no job was tried"
    size = page_rounded(cell.size, where.page)
    before, after = marks.sha256_of(seen.seeds[0], size), sha256_of(seen.seeds[1], 0, size)
    _same_story(seen.read, jobs[0], size)
    if seen.read.status != "ok":
        return outcomes.FAULT, f"its hardware ended a read with {seen.read.status}"
    if seen.read.sha256 != before:
        return _astray(where, seen, jobs[0])
    if seen.write is None or len(jobs) < 2:
        raise Disagreement("it read what the CPU wrote, and was not let write")
    _same_story(seen.write, jobs[1], size)
    if seen.write.status != "ok":
        return outcomes.FAULT, f"its hardware ended a write with {seen.write.status}"
    _agree(jobs[1].sha256 == after, "the device wrote other bytes than the seed's")
    return _by_place(cell, where, seen, jobs, after)


def _same_story(said: JobAnswer, did: JobEvidence, size: int) -> None:
    """The guest's word on a job against the device's."""
    _agree(did.done, "the guest has the end of a job that the device has not ended")
    _agree(did.length == size, f"the device did a job of {did.length} bytes, the buffer has {size}")
    _agree(said.status == did.status, f"the guest saw {said.status}, the device ended with {did.status}")
    _agree(said.bytes == did.bytes, f"the guest saw {said.bytes} bytes moved, the device moved {did.bytes}")
    if said.status == "ok":
        _agree(said.sha256 == did.sha256, "guest and device have different digests of a job")
        _agree(did.bytes == size, f"a job that ended well moved {did.bytes} of {size} bytes")


def _astray(where: Surroundings, seen: Observation, job: JobEvidence) -> tuple[Outcome, str]:
    """It read other bytes than the CPU had written."""
    driven, lost = _read(where, job)
    if seen.storage:
        found = reach.classify(driven, seen.storage, seen.storage, {}, lost=lost)
        text = f"it read wrong bytes in the buffer's own storage ({found.place.value})"
        _agree(found.place is not Place.DIRECT, text)
    return outcomes.CORRUPTED, f"it read {ranges.show(driven)}, which is not the buffer's"


# ---- where the bytes were ----


def _by_place(
    cell: Cell, where: Surroundings, seen: Observation, jobs: Sequence[JobEvidence], after: str
) -> tuple[Outcome, str]:
    read, written = _read(where, jobs[0])[0], _written(where, jobs[1])[0]
    driven = f"it read {ranges.show(read)} and wrote {ranges.show(written)}"
    if _bounced(where, seen, jobs, after):
        return _home(seen, after, f"{driven}, in the bounce pool")
    text = "the device wrote in the buffer's storage, and the CPU does not find its bytes there"
    _agree(seen.home == after, text)
    _agree_on_storage(cell, where, seen, jobs)
    if where.translated:
        _agree_on_iovas(seen, jobs)
        return outcomes.REMAPPED, f"its IOMMU led {ranges.show(jobs[1].written)} to the buffer: {driven}"
    if seen.migrations:
        return outcomes.MIGRATED, f"the buffer moved to {ranges.show(seen.storage)}; {driven}"
    return outcomes.DIRECT, f"{driven}, in the buffer's storage"


def _bounced(where: Surroundings, seen: Observation, jobs: Sequence[JobEvidence], after: str) -> bool:
    """By three signs that have to agree: bytes that the CPU does not see yet, slots taken, addresses."""
    driven = [*_read(where, jobs[0])[0], *_written(where, jobs[1])[0]]
    signs = {
        "the CPU sees its bytes only after a sync": seen.unsynced != after,
        "the device was in the bounce pool": bool(ranges.common(driven, where.pools)),
    }
    if seen.slots is not None:
        signs[f"the mapping took {seen.slots} slots of the bounce pool"] = seen.slots > 0
    if len(set(signs.values())) > 1:
        raise Disagreement("; ".join(f"{text}: {'yes' if sign else 'no'}" for text, sign in signs.items()))
    return signs.popitem()[1]


def _home(seen: Observation, after: str, text: str) -> tuple[Outcome, str]:
    if seen.home == after:
        return outcomes.BOUNCED, text
    # what the CPU saw before the sync is what it still sees: nothing was brought home
    _agree(seen.home == seen.unsynced, "the bytes that came home are neither the old nor the new ones")
    return outcomes.STALE, f"{text}; what it wrote never came home"


def _agree_on_storage(
    cell: Cell, where: Surroundings, seen: Observation, jobs: Sequence[JobEvidence]
) -> None:
    """The device was in the buffer's storage, as far as anybody knows where that is, and nowhere else."""
    known = _storage(cell, where, seen)
    for job, (driven, lost) in ((jobs[0], _read(where, jobs[0])), (jobs[1], _written(where, jobs[1]))):
        # of many ranges only the first ones are recorded
        cut = bool(job.read_dropped or job.written_dropped or job.system_dropped)
        outside = ranges.total(driven) - ranges.total(ranges.common(driven, known))
        text = f"the device moved bytes at {ranges.show(driven)}, the buffer is at {ranges.show(known)}"
        _agree(not outside and (cut or not lost), text)
        _agree(cut or ranges.total(driven) == job.length, f"the device drove {ranges.total(driven)} bytes")


def _storage(cell: Cell, where: Surroundings, seen: Observation) -> Sequence[Run]:
    """Ours tells; the CMA heap's is in its area; of the others RAM alone is known, and the bytes arrived."""
    if cell.exporter.ours:
        return seen.storage
    if cell.exporter is Exporter.CMA_HEAP and where.cma:
        return (where.cma,)
    return where.ram


def _agree_on_iovas(seen: Observation, jobs: Sequence[JobEvidence]) -> None:
    """A device that drives the storage's own addresses is not translated.

    Some of them may be the same by accident, for IOVAs begin where RAM often is.
    """
    same = any(runs == seen.storage for job in jobs for runs in (job.read, job.written))
    _agree(
        not (same and seen.storage), "its IOMMU should translate, and it drove the storage's own addresses"
    )


_Places = tuple[tuple[Run, ...], tuple[Run, ...]]


def _read(where: Surroundings, job: JobEvidence) -> _Places:
    """The CPU addresses that a job read, and the bus addresses behind which there was nothing."""
    return _places(where, job.read, job.read_system)


def _written(where: Surroundings, job: JobEvidence) -> _Places:
    return _places(where, job.written, job.written_system)


def _places(where: Surroundings, driven: Sequence[Run], system: Sequence[Run]) -> _Places:
    if where.translated:
        return evidence.translated(where.device, driven, system)
    return evidence.to_cpu(where.device, driven)


def _agree(truth: bool, otherwise: str) -> None:
    if not truth:
        raise Disagreement(otherwise)
