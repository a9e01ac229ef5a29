# SPDX-License-Identifier: GPL-2.0-or-later
"""Evidence: the specification's example reads, anything odd does not; where the bytes were."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from dmabed import layout, paths
from dmabed.evidence import KEPT_ENTRIES, EvidenceError, activity, parse, to_cpu
from dmabed.layout import Window
from dmabed.ranges import Run, common, cut, show, total, union
from dmabed.reach import Place, classify

# the example of docs/specs/dmabed-engine.md
JOB: dict[str, Any] = {
    "seq": 1,
    "cookie": 7,
    "op": "fill",
    "status": "ok",
    "length": 1048576,
    "bytes": 1048576,
    "seed": 1,
    "sha256": "9f" * 32,
    "mismatch-at": -1,
    "start-ns": 812000,
    "end-ns": 813000,
    "done": True,
    "src": [],
    "dst": [{"bus": 3087007744, "length": 1048576}],
    "read": [],
    "written": [{"bus": 3087007744, "length": 1048576}],
    "src-dropped": 0,
    "dst-dropped": 0,
    "read-dropped": 0,
    "written-dropped": 0,
    "read-system": [],
    "written-system": [],
    "read-system-dropped": 0,
    "written-system-dropped": 0,
    "violations": [{"kind": "addr-width", "list": "dst", "segment": 0, "bus": 36507222016, "length": 4096}],
    "violations-dropped": 0,
    "cut": False,
    "injected": "none",
}
EVIDENCE: dict[str, Any] = {
    "jobs-total": 2,
    "jobs-dropped": 0,
    "jobs-cut": 0,
    "guest-errors": 0,
    "ring-fetches": 2,
    "data-accesses": 32,
    "bytes-moved": 2097152,
    "interrupts": 2,
    "held": False,
    "jobs": [JOB, {**JOB, "seq": 2}],
}


@pytest.fixture
def raw() -> dict[str, Any]:
    return copy.deepcopy(EVIDENCE)


def test_example_of_the_specification(raw: dict[str, Any]) -> None:
    evidence = parse("codec", raw)
    job = evidence.jobs[0]
    assert (evidence.jobs_total, evidence.data_accesses, evidence.held) == (2, 32, False)
    assert (job.op, job.cookie, job.done) == ("fill", 7, True)
    assert job.written == (Run(3087007744, 1048576),)
    assert job.violations[0].kind == "addr-width"


@pytest.mark.parametrize("key", sorted(EVIDENCE))
def test_missing_field_of_the_device(raw: dict[str, Any], key: str) -> None:
    del raw[key]
    with pytest.raises(EvidenceError, match=f"codec: evidence: field '{key}' is missing"):
        parse("codec", raw)


@pytest.mark.parametrize("key", sorted(JOB))
def test_missing_field_of_a_job(raw: dict[str, Any], key: str) -> None:
    del raw["jobs"][1][key]
    with pytest.raises(EvidenceError, match=rf"jobs\[1\]: field '{key}' is missing"):
        parse("codec", raw)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seq", 0),
        ("status", "fine"),
        ("bytes", -1),
        ("bytes", "12"),
        ("bytes", True),
        ("sha256", "9f"),
        ("sha256", None),
        ("mismatch-at", -2),
        ("done", 1),
        ("written", {}),
        ("written", [{"bus": 0, "length": 0}]),
        ("written", [{"bus": 0}]),
        ("written", [4]),
        ("violations", [{"kind": "bad-luck", "list": "dst", "segment": 0, "bus": 0, "length": 1}]),
        ("injected", "gremlins"),
    ],
)
def test_odd_field_of_a_job(raw: dict[str, Any], key: str, value: Any) -> None:
    raw["jobs"][0][key] = value
    with pytest.raises(EvidenceError, match="codec: evidence"):
        parse("codec", raw)


@pytest.mark.parametrize("odd", [None, [], "evidence", 5])
def test_evidence_that_is_no_object(odd: Any) -> None:
    with pytest.raises(EvidenceError, match="not an object"):
        parse("codec", odd)


def test_job_that_is_done_has_a_digest(raw: dict[str, Any]) -> None:
    raw["jobs"][0]["sha256"] = ""
    with pytest.raises(EvidenceError, match="without 'sha256'"):
        parse("codec", raw)
    raw["jobs"][0]["done"] = False
    assert not parse("codec", raw).jobs[0].done


@pytest.mark.parametrize("change", [{"jobs-total": 3}, {"jobs-dropped": 1}, {"jobs": [JOB]}])
def test_numbers_that_do_not_agree(raw: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError, match="jobs-"):
        parse("codec", {**raw, **change})


def test_activity_is_the_difference(raw: dict[str, Any]) -> None:
    before = {**raw, "jobs-total": 1, "jobs": [JOB], "data-accesses": 30}
    found = activity("codec", before, raw)
    assert (found.jobs_done, found.data_accesses) == (1, 2)
    job = found.job(1)
    assert job is not None
    assert job.seq == 2
    assert found.job(2) is None


def test_job_that_was_dropped(raw: dict[str, Any]) -> None:
    before = {**raw, "jobs-total": 0, "jobs": [], "data-accesses": 0}
    after = {**raw, "jobs-dropped": 1, "jobs": raw["jobs"][1:]}
    with pytest.raises(EvidenceError, match="record of job 1 was dropped"):
        activity("codec", before, after).job(1)
    assert activity("codec", before, after).lost == 1


EMPTY: dict[str, Any] = {key: [] for key in ("src", "dst", "read", "written", "violations")}
CUT = {**JOB, **EMPTY, "written-dropped": 1, "cut": True}


def test_job_whose_lists_were_dropped(raw: dict[str, Any]) -> None:
    before = {**raw, "jobs-total": 0, "jobs": [], "data-accesses": 0}
    found = activity("codec", before, {**raw, "jobs-cut": 1, "jobs": [CUT, raw["jobs"][1]]})
    with pytest.raises(EvidenceError, match="lists of job 1 were dropped from its record") as caught:
        found.job(1)
    assert "32,768 entries" in str(caught.value)
    assert found.job(2) is not None
    assert found.lost == 0


@pytest.mark.parametrize(
    ("total", "jobs"),
    [(0, [CUT, {**JOB, "seq": 2}]), (1, [JOB, {**JOB, "seq": 2}]), (1, [{**CUT, "read": JOB["written"]}])],
)
def test_cuts_that_do_not_agree(raw: dict[str, Any], total: int, jobs: list[dict[str, Any]]) -> None:
    with pytest.raises(EvidenceError, match="cut"):
        parse("codec", {**raw, "jobs-total": len(jobs), "jobs-cut": total, "jobs": jobs})


def test_the_devices_keep_as_many_entries() -> None:
    header = (paths.ROOT / "qemu-devices/include/hw/dma/dmabed_record.h").read_text()
    assert f"#define DMABED_HISTORY_ENTRIES {KEPT_ENTRIES}\n" in header


def test_record_that_went_backwards(raw: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError, match="went backwards"):
        activity("codec", raw, {**raw, "jobs-total": 0, "jobs": []})


# ---- addresses ----

CODEC = layout.find("imx8mp-6g").device("codec")


def test_bus_is_cpu_without_windows() -> None:
    assert to_cpu(CODEC, [Run(0x50000000, 4096)]) == ((Run(0x50000000, 4096),), ())
    assert to_cpu(CODEC, [Run(0xFFFFF000, 8192)]) == ((Run(0xFFFFF000, 4096),), (Run(0x100000000, 4096),))


def test_windows_and_what_lies_between() -> None:
    windows = (Window(0x10000000, 0x80000000, 0x2000), Window(0x10002000, 0x40000000, 0x1000))
    device = replace(CODEC, dma_ranges=windows)
    reached, lost = to_cpu(device, [Run(0x10000800, 0x4000)])
    assert reached == (Run(0x40000000, 0x1000), Run(0x80000800, 0x1800))
    assert lost == (Run(0x10003000, 0x1800),)


def test_runs() -> None:
    assert union([Run(8, 8), Run(0, 8), Run(32, 0), Run(20, 4), Run(10, 2)]) == (Run(0, 16), Run(20, 4))
    assert cut([Run(100, 8), Run(50, 8)], 4, 8) == (Run(104, 4), Run(50, 4))
    assert cut([Run(100, 8)], 4, 100) == (Run(104, 4),)
    assert common([Run(0, 10), Run(20, 10)], [Run(5, 20)]) == (Run(5, 5), Run(20, 5))
    assert total([Run(0, 10), Run(5, 10)]) == 15
    assert show([]) == "nowhere"
    assert show([Run(1, 2)] * 5) == "0x1+0x2, 0x1+0x2, 0x1+0x2 and 2 more"


OWN = [Run(0x1000, 0x2000)]
OTHERS = {"neighbour": [Run(0x8000, 0x1000)]}


@pytest.mark.parametrize(
    ("driven", "place", "touched"),
    [
        ([], Place.NOTHING, ()),
        ([Run(0x1000, 0x1000)], Place.DIRECT, ()),
        ([Run(0x1000, 0x800)], Place.MIXED, ()),
        ([Run(0x1000, 0x1001)], Place.MIXED, ()),
        ([Run(0x2000, 0x1000)], Place.MIXED, ()),
        ([Run(0x1000, 0x800), Run(0x8000, 0x800)], Place.MIXED, ("neighbour",)),
        ([Run(0x5000, 0x1000)], Place.BOUNCE, ()),
        ([Run(0x5000, 0x800)], Place.ELSEWHERE, ()),
        ([Run(0x8000, 0x1000)], Place.ELSEWHERE, ("neighbour",)),
        ([Run(0x5000, 0x800), Run(0x8FFF, 0x800)], Place.ELSEWHERE, ("neighbour",)),
    ],
)
def test_where_the_bytes_were(driven: list[Run], place: Place, touched: tuple[str, ...]) -> None:
    """The job is about the first page of a buffer of two."""
    result = classify(driven, [Run(0x1000, 0x1000)], OWN, OTHERS)
    assert (result.place, result.touched) == (place, touched)


def test_partial_job_may_stop_early_but_not_go_astray() -> None:
    wanted = [Run(0x1000, 0x1000)]
    assert classify([Run(0x1000, 0x800)], wanted, OWN, OTHERS, partial=True).place is Place.DIRECT
    assert classify([Run(0x5000, 0x800)], wanted, OWN, OTHERS, partial=True).place is Place.BOUNCE
    assert classify([Run(0x5000, 0x1800)], wanted, OWN, OTHERS, partial=True).place is Place.ELSEWHERE


def test_bytes_that_led_nowhere_are_neither_direct_nor_bounce() -> None:
    wanted, lost = [Run(0x1000, 0x1000)], [Run(0x99000, 8)]
    assert classify(wanted, wanted, OWN, OTHERS, lost=lost).place is Place.MIXED
    assert classify([], wanted, OWN, OTHERS, lost=lost).place is Place.ELSEWHERE
    assert classify([Run(0x5000, 0x1000)], wanted, OWN, OTHERS, lost=lost).place is Place.ELSEWHERE
