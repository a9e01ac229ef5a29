# SPDX-License-Identifier: GPL-2.0-or-later
"""What is left behind fails a scenario, and the verdict says what it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import COUNTS, SHARE, record_steps

from dmabed.findings import Status
from dmabed.transcript import EventKind


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("fds", 6, "1 file descriptor of the agent was left"),
        ("dma-bufs", 2, "2 dma-bufs were left"),
        ("live attachments", 3, "3 attachments were left"),
        ("references to dmabed_exporter", 1, "1 reference to the module dmabed_exporter was left"),
        ("pages of CMA", 17, "1 page of CMA memory was left"),
        ("jobs in codec", 1, "1 job in codec was left"),
        ("entries in the ring of codec", 1, "1 entry in the ring of codec was left"),
        ("interrupts pending in codec", 2, "2 interrupts pending in codec were left"),
        ("allocations at core/backing.c:81 add", 1, "1 allocation at core/backing.c:81 add was left"),
    ],
)
def test_something_left_fails(tmp_path: Path, name: str, value: int, sentence: str) -> None:
    recording = record_steps(tmp_path, SHARE)
    recording.counts_after = {**COUNTS, name: value}
    verdict = recording.verdict()
    assert verdict.status is Status.FAILED
    assert verdict.why == f"at the end: {sentence}, but everything should be given back"


def test_nothing_left_passes(tmp_path: Path) -> None:
    assert record_steps(tmp_path, SHARE).verdict().status is Status.PASSED


def test_given_back_twice_fails(tmp_path: Path) -> None:
    recording = record_steps(tmp_path, SHARE)
    recording.counts_after = {**COUNTS, "fds": 4}
    assert recording.verdict().why.startswith("at the end: there are 1 fewer file descriptors of the agent")


def test_a_call_site_that_is_not_told_has_nothing(tmp_path: Path) -> None:
    site = "allocations at engine/ring.c:40 ring_create"
    recording = record_steps(tmp_path, SHARE)
    recording.counts_before = {**COUNTS, site: 2}
    recording.counts_after = COUNTS
    assert recording.verdict().status is Status.PASSED, "an engine that was unbound has no ring any more"


def test_a_count_that_vanished_is_no_zero(tmp_path: Path) -> None:
    recording = record_steps(tmp_path, SHARE)
    recording.counts_after = {**COUNTS, "dma-bufs": None}
    assert recording.verdict().status is Status.ERROR


def test_nobody_counted(tmp_path: Path) -> None:
    recording = record_steps(tmp_path, SHARE)
    recording.counts_after = None
    verdict = recording.verdict()
    assert verdict.status is Status.ERROR
    assert "left behind" in verdict.why


def test_a_dead_machine_explains_it(tmp_path: Path) -> None:
    recording = record_steps(tmp_path, SHARE)
    recording.counts_after = None
    recording.happened(EventKind.GUEST_PANIC, "Kernel panic")
    assert "panic" in recording.verdict().why


def test_after_a_failure_it_is_a_note(tmp_path: Path) -> None:
    recording = record_steps(tmp_path, SHARE)
    recording.result(4)["sha256"] = "0" * 64
    recording.counts_after = {**COUNTS, "fds": 6}
    verdict = recording.verdict()
    assert "digest" in verdict.why
    assert verdict.notes == ("at the end 1 file descriptor of the agent was left",)
