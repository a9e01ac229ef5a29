# SPDX-License-Identifier: GPL-2.0-or-later
"""From what the witnesses said to an outcome: each of them is believed only where the others agree."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from sharing_layouts import KIB, device

from dmabed import pattern
from dmabed.answers import JobAnswer
from dmabed.evidence import EvidenceError, JobEvidence, Violation
from dmabed.pattern import sha256_of
from dmabed.ranges import Run
from dmabed.sharing import marks
from dmabed.sharing.cells import Cell
from dmabed.sharing.observed import Surroundings, judge
from dmabed.sharing.outcomes import DIRECT, Expectation
from dmabed.sharing.placement import Exporter
from dmabed.sharing.probe import Observation

SIZE = 64 * KIB
STORAGE = (Run(0x100000000, SIZE),)
POOL = (Run(0xFC000000, 1 << 20),)
AREA = Run(0xB8000000, 1 << 20)
OLD, NEW = sha256_of(3, 0, SIZE), sha256_of(4, 0, SIZE)
WHERE = Surroundings(device("dut"), False, POOL, AREA, (Run(1 << 30, 6 << 30),))

Witnesses = tuple[Observation, dict[int, JobEvidence]]


def cell(exporter: Exporter = Exporter.HIGH) -> Cell:
    return Cell("some", exporter, "dut", SIZE, Expectation(frozenset({DIRECT}), ""))


def job(op: str, runs: tuple[Run, ...], sha256: str, **keys: Any) -> JobEvidence:
    nothing = dict.fromkeys(
        ("cookie", "start_ns", "end_ns", "src_dropped", "dst_dropped", "read_dropped", "written_dropped"), 0
    )
    fields: dict[str, Any] = {
        **nothing,
        "seq": 1,
        "status": "ok",
        "length": SIZE,
        "bytes": SIZE,
        "seed": 0,
        "mismatch_at": -1,
        "done": True,
        "src": (),
        "dst": (),
        "read_system": (),
        "written_system": (),
        "system_dropped": 0,
        "violations": (),
        "violations_dropped": 0,
        "cut": False,
        "injected": "none",
        "read": runs if op == "digest" else (),
        "written": runs if op == "fill" else (),
        **keys,
    }
    return JobEvidence(op=op, sha256=sha256, **fields)


def answer(sha256: str, **keys: Any) -> JobAnswer:
    return JobAnswer(
        **{"status": "ok", "error": None, "bytes": SIZE, "mismatch": None, "sha256": sha256, **keys}
    )


def direct() -> Witnesses:
    """All agree that the device was in the buffer."""
    seen = Observation(1, mapped=STORAGE, storage=STORAGE, slots=0, jobs=[1, 2])
    seen.read, seen.write, seen.unsynced, seen.home = answer(OLD), answer(NEW), NEW, NEW
    return seen, {1: job("digest", STORAGE, OLD), 2: job("fill", STORAGE, NEW)}


def bounced() -> Witnesses:
    """All agree that it was in the pool, and that its bytes came home."""
    seen, jobs = direct()
    seen.slots, seen.unsynced = SIZE // 2048, OLD
    place = (Run(POOL[0].address, SIZE),)
    return seen, {1: replace(jobs[1], read=place), 2: replace(jobs[2], written=place)}


def outcome(witnesses: Witnesses, where: Surroundings = WHERE, exporter: Exporter = Exporter.HIGH) -> str:
    return str(judge(cell(exporter), where, *witnesses)[0])


def test_direct_and_bounced() -> None:
    assert outcome(direct()) == "direct"
    assert outcome(bounced()) == "bounced"


def test_a_move_is_a_migration() -> None:
    seen, jobs = direct()
    seen.migrations = 1
    assert outcome((seen, jobs)) == "migrated"


def test_bytes_that_never_come_home() -> None:
    seen, jobs = bounced()
    seen.home = OLD
    assert outcome((seen, jobs)) == "stale"


def test_a_refusal_has_the_errno_of_its_call() -> None:
    found, why = judge(cell(), WHERE, Observation(1, refused_by="map", errno="EIO"), {})
    assert (str(found), why) == ("refused EIO", "map said EIO")


def test_a_fault_is_the_hardware_s() -> None:
    width = Violation("addr-width", "src", 0, 1 << 32, SIZE)
    seen, jobs = direct()
    seen.read = answer("", status="addr-width", bytes=0)
    jobs[1] = replace(jobs[1], status="addr-width", bytes=0, read=(), violations=(width,))
    seen.jobs = [1]
    assert outcome((seen, jobs)) == "fault"


def test_wrong_bytes_from_another_place_are_corruption() -> None:
    seen, jobs = direct()
    seen.read, jobs[1] = answer(NEW), replace(jobs[1], sha256=NEW, read=(Run(0x40000000, SIZE),))
    assert outcome((seen, jobs)) == "corrupted"


def test_an_iommu_s_addresses_are_not_the_storage_s() -> None:
    behind = replace(WHERE, translated=True)
    seen, jobs = direct()
    iova, wrong = (Run(0xFFFF0000, SIZE),), (Run(0x40000000, SIZE),)
    read = replace(jobs[1], read=iova, read_system=STORAGE)
    written = replace(jobs[2], written=iova, written_system=STORAGE)
    assert outcome((seen, {1: read, 2: written}), behind) == "remapped"
    assert outcome((seen, {1: read, 2: replace(written, written_system=wrong)}), behind) == "error"
    same = {1: replace(read, read=STORAGE), 2: replace(written, written=STORAGE)}
    assert outcome((seen, same), behind) == "error"


def test_of_a_heap_only_its_area_is_known() -> None:
    seen, jobs = direct()
    seen.storage = ()
    assert outcome((seen, jobs), exporter=Exporter.SYSTEM_HEAP) == "direct"
    assert outcome((seen, jobs), exporter=Exporter.CMA_HEAP) == "error"


def test_of_many_ranges_the_first_ones_are_recorded() -> None:
    seen, jobs = direct()
    part = (Run(STORAGE[0].address, SIZE // 2),)
    cut = {
        1: replace(jobs[1], read=part, read_dropped=9),
        2: replace(jobs[2], written=part, written_dropped=9),
    }
    assert outcome((seen, cut)) == "direct"
    assert outcome((seen, {**jobs, 2: replace(jobs[2], written=part)})) == "error"


def test_of_dropped_lists_nothing_follows() -> None:
    seen, jobs = direct()
    cut = replace(jobs[2], written=(), written_dropped=1, cut=True)
    with pytest.raises(EvidenceError, match="lists of job 2 were dropped"):
        outcome((seen, {**jobs, 2: cut}))


def guest_lies_about_digest(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    seen.read = answer(OLD)
    jobs[1] = replace(jobs[1], sha256=NEW)


def guest_lies_about_status(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    jobs[1] = replace(jobs[1], status="decode")


def device_did_nothing(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    del jobs[2]


def device_never_ended(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    jobs[2] = replace(jobs[2], done=False)


def device_lied(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    jobs[2] = replace(jobs[2], bytes=0)


def device_wrote_other_bytes(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    seen.write, jobs[2] = answer(OLD), replace(jobs[2], sha256=OLD)


def device_was_elsewhere(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    jobs[2] = replace(jobs[2], written=(Run(0x40000000, SIZE),))


def device_was_in_the_pool(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    jobs[2] = replace(jobs[2], written=(Run(POOL[0].address, SIZE),))


def slots_were_taken(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    seen.slots = 32


def bytes_were_not_there_at_once(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    seen.unsynced = OLD


def bytes_were_gone_later(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    seen.home = OLD


def cpu_could_not_write(seen: Observation, jobs: dict[int, JobEvidence]) -> None:
    seen.stuck, seen.read = "the CPU can't write to it: EFAULT", None


@pytest.mark.parametrize(
    "lie",
    [
        guest_lies_about_digest,
        guest_lies_about_status,
        device_did_nothing,
        device_never_ended,
        device_lied,
        device_wrote_other_bytes,
        device_was_elsewhere,
        device_was_in_the_pool,
        slots_were_taken,
        bytes_were_not_there_at_once,
        bytes_were_gone_later,
        cpu_could_not_write,
    ],
)
def test_a_witness_who_contradicts_the_others(lie: Any) -> None:
    seen, jobs = direct()
    lie(seen, jobs)
    assert outcome((seen, jobs)) == "error"


def test_marks_are_at_both_ends_of_a_large_buffer() -> None:
    size = 1 << 20
    whole = pattern.pattern(7, 0, size)
    marked = whole[: marks.END] + bytes(size - 2 * marks.END) + whole[-marks.END :]
    assert marks.sha256_of(7, size) == hashlib.sha256(marked).hexdigest()
    assert marks.sha256_of(7, SIZE) == sha256_of(7, 0, SIZE)
