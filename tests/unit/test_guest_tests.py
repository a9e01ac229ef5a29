# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest tests: any ``not ok``, a plan that is not kept, or a crash fails the scenario."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from recorded import Recording, record_steps

from dmabed.findings import Status

STEPS = """
  - guest-test: {tests: [C9]}
"""
GOOD = "KTAP version 1\n1..2\nok 1 C9.one.static\nok 2 C9.two.static # SKIP no such heap\n"


def run_result(text: str, **more: Any) -> dict[str, Any]:
    stdout = base64.b64encode(text.encode()).decode()
    return {"status": 0, "signal": None, "stdout": stdout, "truncated": False, "timed-out": False, **more}


def recording(folder: Path, text: str, **more: Any) -> Recording:
    found = record_steps(folder, STEPS)
    found.answers[0] = {"ok": True, "result": run_result(text, **more)}
    return found


def test_a_good_report(tmp_path: Path) -> None:
    verdict = recording(tmp_path, GOOD).verdict()
    assert verdict.status is Status.PASSED
    assert verdict.checks == 1
    assert verdict.notes == ("C9.two.static was skipped: no such heap",)


def test_a_test_that_is_not_ok(tmp_path: Path) -> None:
    text = "KTAP version 1\n1..1\n# calls.c:7 expected: 0\nnot ok 1 C9.one.static\n"
    verdict = recording(tmp_path, text, status=1).verdict()
    assert verdict.status is Status.FAILED
    assert "not ok: C9.one.static calls.c:7 expected: 0" in verdict.why


@pytest.mark.parametrize(
    ("text", "more", "why"),
    [
        (
            "KTAP version 1\n1..3\nok 1 C9.one\nok 2 C9.two\n",
            {},
            "3 tests were announced and 2 have a result",
        ),
        ("ok 1 C9.one\n", {}, "there is no plan"),
        ("1..0\n", {}, "no test was run"),
        ("1..2\nok 2 C9.two\nok 1 C9.one\n", {}, "result 2 follows result 0"),
        (GOOD, {"status": 1}, "which its results do not explain"),
        (GOOD, {"status": None, "signal": 11}, "killed by signal 11"),
        (GOOD, {"timed-out": True}, "did not end in its time"),
        (GOOD, {"truncated": True}, "the output was cut"),
    ],
)
def test_trouble(tmp_path: Path, text: str, more: dict[str, Any], why: str) -> None:
    verdict = recording(tmp_path, text, **more).verdict()
    assert verdict.status is Status.FAILED
    assert why in verdict.why


def test_output_that_is_none(tmp_path: Path) -> None:
    found = record_steps(tmp_path, STEPS)
    found.answers[0] = {"ok": True, "result": {"status": 0}}
    assert found.verdict().status is Status.ERROR


def test_only_skips_check_nothing(tmp_path: Path) -> None:
    verdict = recording(tmp_path, "1..1\nok 1 C9.one # SKIP nothing there\n").verdict()
    assert verdict.status is Status.ERROR
    assert "nothing was checked" in verdict.why
