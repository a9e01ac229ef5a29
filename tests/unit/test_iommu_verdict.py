# SPDX-License-Identifier: GPL-2.0-or-later
"""What an IOMMU saw, and what the verdict makes of it."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest
from recorded import load, record

from dmabed import evidence, iommu_evidence
from dmabed import layout as layouts
from dmabed.errors import InputError
from dmabed.evidence import EvidenceError
from dmabed.findings import Status
from dmabed.layout import LocalMemory
from dmabed.ranges import Run
from dmabed.scenario import check_layout
from dmabed.transcript import Transcript
from dmabed.verdict import judge

LAYOUT = layouts.find("testbed-iommu")
STORY = """
  - export: {buffer: frame, size: 64KiB}
  - attach: {device: codec, buffer: frame}
  - fill: {device: codec, buffer: frame, seed: 1}
    hardware: {via: remapped, segments: 1}
"""
IOVA = 0xFFF00000

QUIET: dict[str, Any] = {
    "paging": True,
    **dict.fromkeys(("hits", "walks", "untranslated", "zapped-pages", "zapped-all", "ignored-zaps"), 0),
    "guest-errors": 0,
    "faults": [],
    "faults-dropped": 0,
    "violations": [],
    "violations-dropped": 0,
}
FAULT = {"reason": "no-page", "device": "codec", "access": "read", "iova": IOVA, "time-ns": 7}
STALE = {
    "kind": "stale",
    "device": "codec",
    "access": "write",
    "iova": IOVA,
    "length": 4096,
    "used": 0x41000000,
    "table": -1,
}


def remapped(transcript: Transcript) -> Transcript:
    """The recorded run as it is behind an IOMMU: bus addresses are IOVAs."""
    found = copy.deepcopy(dict(transcript.evidence))
    for job in found["codec"]["jobs"]:  # type: ignore[index]
        job["written-system"] = [{"address": r["bus"], "length": r["length"]} for r in job["written"]]
        job["written"] = [{"bus": IOVA, "length": sum(r["length"] for r in job["written"])}]
    quiet = {iommu.name: copy.deepcopy(QUIET) for iommu in LAYOUT.iommus}
    return dataclasses.replace(transcript, evidence=found, iommus=quiet, iommus_before=copy.deepcopy(quiet))


class Story:
    """A story on testbed-iommu, recorded as if all went well."""

    def __init__(self, folder: Path, more: str = "") -> None:
        recording = record(load(folder, STORY, more))
        self.scenario = recording.scenario
        self.transcript = remapped(recording.transcript())

    def mmu(self) -> dict[str, Any]:
        raw: Any = self.transcript.iommus["shared_mmu"]
        return raw

    def job(self) -> dict[str, Any]:
        raw: Any = self.transcript.evidence["codec"]
        return raw["jobs"][0]

    def judge(self) -> Any:
        return judge(self.scenario, LAYOUT, self.transcript)


@pytest.fixture
def run(tmp_path: Path) -> Story:
    return Story(tmp_path)


def test_translated_bytes_are_where_the_buffer_is(run: Story) -> None:
    verdict = run.judge()
    assert verdict.status is Status.PASSED, verdict.why


def test_bytes_in_other_pages_are_seen(run: Story) -> None:
    run.job()["written-system"][0]["address"] += 4096
    verdict = run.judge()
    assert verdict.status is Status.FAILED
    assert "remapped is expected" in verdict.why


def test_remapped_is_no_accident(run: Story) -> None:
    """The right bytes at their own addresses went through no IOMMU."""
    job = run.job()
    job["written"] = [{"bus": r["address"], "length": r["length"]} for r in job["written-system"]]
    verdict = run.judge()
    assert verdict.status is Status.FAILED
    assert "an IOMMU should lead it elsewhere" in verdict.why


def test_bytes_that_nobody_can_place_are_seen(run: Story) -> None:
    run.job()["written-system"] = []
    assert run.judge().status is Status.FAILED


def test_dropped_places_are_an_error(run: Story) -> None:
    run.job()["written-system-dropped"] = 1
    assert run.judge().status is Status.ERROR


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"faults": [FAULT]}, "no-page for a read of codec at IOVA 0xfff00000"),
        ({"violations": [STALE]}, "went to 0x41000000, the table has nothing"),
        ({"untranslated": 3}, "it let 3 accesses pass untranslated"),
        ({"guest-errors": 1}, "it logged 1 guest errors"),
    ],
)
def test_what_nobody_expected_fails(run: Story, change: dict[str, Any], why: str) -> None:
    run.mmu().update(change)
    verdict = run.judge()
    assert verdict.status is Status.FAILED
    assert why in verdict.why
    assert "shared_mmu" in verdict.why


def test_what_was_there_before_is_not_counted(run: Story) -> None:
    before: Any = run.transcript.iommus_before["shared_mmu"]
    for raw in (before, run.mmu()):
        raw.update(faults=[FAULT], violations=[STALE], untranslated=5)
    assert run.judge().status is Status.PASSED


def test_a_violation_that_grew_is_new(run: Story) -> None:
    before: Any = run.transcript.iommus_before["shared_mmu"]
    before.update(violations=[STALE])
    run.mmu().update(violations=[{**STALE, "length": 8192}])
    assert run.judge().status is Status.FAILED


EXPECTS = "iommus: {shared_mmu: {faults: [no-page], violations: [stale], untranslated: true}}"


def test_what_is_expected_has_to_come(tmp_path: Path) -> None:
    run = Story(tmp_path, EXPECTS)
    assert run.judge().status is Status.FAILED
    # one after the other counts once
    run.mmu().update(faults=[FAULT, {**FAULT, "iova": 0}], violations=[STALE], untranslated=1)
    verdict = run.judge()
    assert verdict.status is Status.PASSED, verdict.why
    run.mmu().update(faults=[FAULT, {**FAULT, "reason": "no-table"}])
    assert run.judge().status is Status.FAILED


BROKEN = [
    (lambda raw: raw.pop("faults"), "field 'faults' is missing"),
    (lambda raw: raw.update(faults=[{**FAULT, "reason": "x"}]), "field 'reason' makes no sense"),
    (lambda raw: raw.update(violations=[{**STALE, "kind": "x"}]), "field 'kind' makes no sense"),
    (lambda raw: raw.update(violations=[{**STALE, "table": -2}]), "field 'table' makes no sense"),
    (lambda raw: raw.update({"faults-dropped": 2}), "2 faults were dropped from its record"),
    (lambda raw: raw.update({"violations-dropped": 1}), "1 violations were dropped from its record"),
]


@pytest.mark.parametrize(("spoil", "why"), BROKEN)
def test_a_record_that_makes_no_sense_is_an_error(run: Story, spoil: Any, why: str) -> None:
    spoil(run.mmu())
    verdict = run.judge()
    assert verdict.status is Status.ERROR
    assert why in verdict.why


def test_a_record_that_is_not_there_is_an_error(run: Story) -> None:
    run.transcript = dataclasses.replace(run.transcript, iommus={**run.transcript.iommus, "own_mmu": None})
    verdict = run.judge()
    assert verdict.status is Status.ERROR
    assert "own_mmu: its evidence could not be read at the end" in verdict.why


def test_a_record_that_went_backwards_is_refused() -> None:
    with pytest.raises(EvidenceError, match="went backwards"):
        iommu_evidence.activity("mmu", {**QUIET, "faults": [FAULT]}, QUIET)


def test_memory_of_its_own_is_reached_past_the_iommu() -> None:
    npu = dataclasses.replace(LAYOUT.device("codec"), local_memory=LocalMemory(4096, 0xC000000))
    driven = [Run(0xC000000, 4096), Run(IOVA, 4096)]
    found = evidence.translated(npu, driven, [Run(0x41000000, 4096)])
    assert found == ((Run(0xC000000, 4096), Run(0x41000000, 4096)), ())


KNOWN = ", ".join(iommu.name for iommu in LAYOUT.iommus)


def test_a_step_with_an_iommu_that_is_not_there(tmp_path: Path) -> None:
    story = load(tmp_path, "\n  - ignore-zap: {iommu: vpu_mmu}\n")
    with pytest.raises(InputError) as caught:
        check_layout(story, LAYOUT)
    what = "steps[0].ignore-zap.iommu: layout testbed-iommu has no IOMMU 'vpu_mmu'"
    assert str(caught.value).endswith(f"{what}; allowed: {KNOWN}")


def test_expectations_of_an_iommu_that_is_not_there(tmp_path: Path) -> None:
    story = load(tmp_path, STORY, "iommus: {codec: {}}")
    with pytest.raises(InputError) as caught:
        check_layout(story, LAYOUT)
    assert str(caught.value).endswith(
        f"iommus.codec: layout testbed-iommu has no IOMMU 'codec'; allowed: {KNOWN}"
    )
