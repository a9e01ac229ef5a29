# SPDX-License-Identifier: GPL-2.0-or-later
"""Run folders, results.json, JUnit and KTAP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from dmabed import junit
from dmabed.build import cache
from dmabed.errors import FileError, InputError
from dmabed.findings import Status
from dmabed.outcome import Overall, ScenarioResult, overall
from dmabed.results import Results, foreign_runs, latest_outcomes, make_run_folder
from dmabed.rows import Outcome

PASSED = ScenarioResult(
    "share", "imx8mp-6g", Status.PASSED, 1.25, ("C4",), "8 checks passed", ("codec",), "share.x"
)
FAILED = ScenarioResult(
    "move", "imx8mp-6g", Status.FAILED, 2.0, (), "step 4: bytes differ\nline two", (), "move.x"
)
ERROR = ScenarioResult("boot", "imx8mp-6g", Status.ERROR, 0.5, (), "QEMU died", (), "boot.x")
SKIPPED = ScenarioResult("other", "bcm2711-pi4", Status.SKIPPED, 0.0, (), "not for\nthis layout")


def stored(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return found


# ---- the verdict of a run ----


@pytest.mark.parametrize(
    ("ended", "planned", "interrupted", "verdict", "status"),
    [
        ([PASSED], 1, False, Overall.PASSED, 0),
        ([PASSED, SKIPPED], 2, False, Overall.PASSED, 0),
        ([PASSED, FAILED], 2, False, Overall.FAILED, 1),
        ([FAILED, ERROR], 2, False, Overall.FAILED, 1),
        ([FAILED], 3, True, Overall.FAILED, 1),
        ([PASSED, ERROR], 2, False, Overall.ERROR, 2),
        ([PASSED], 2, False, Overall.ERROR, 2),
        ([PASSED], 1, True, Overall.ERROR, 2),
        ([SKIPPED], 1, False, Overall.ERROR, 2),
        ([], 0, False, Overall.ERROR, 2),
    ],
)
def test_overall(
    ended: list[ScenarioResult], planned: int, interrupted: bool, verdict: Overall, status: int
) -> None:
    assert overall(ended, planned, interrupted) is verdict
    assert verdict.exit_status == status


# ---- results.json ----


def test_results_are_on_disk_after_each_scenario_and_marked_until_the_end(tmp_path: Path) -> None:
    run = Results(tmp_path, planned=2, versions={"qemu": "10.0.13"})
    assert stored(tmp_path)["scenarios"] == []
    run.add(PASSED)
    killed = stored(tmp_path)
    assert (killed["verdict"], killed["interrupted"], killed["planned"]) == ("error", True, 2)
    assert killed["scenarios"] == [
        {
            "name": "share",
            "layout": "imx8mp-6g",
            "generation": "current",
            "status": "passed",
            "seconds": 1.25,
            "rows": ["C4"],
            "why": "8 checks passed",
            "devices": ["codec"],
            "directory": "share.x",
        }
    ]
    run.add(SKIPPED)
    assert run.finish() is Overall.PASSED
    done = stored(tmp_path)
    assert (done["verdict"], done["interrupted"], done["versions"]) == ("passed", False, {"qemu": "10.0.13"})
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_interrupted_run_keeps_what_it_has(tmp_path: Path) -> None:
    run = Results(tmp_path, planned=2)
    run.add(PASSED)
    assert run.finish(interrupted=True) is Overall.ERROR
    assert (stored(tmp_path)["verdict"], stored(tmp_path)["interrupted"]) == ("error", True)
    assert "ok 1 share" in (tmp_path / "results.ktap").read_text(encoding="utf-8")


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Results(tmp_path, planned=1)
    before = stored(tmp_path)

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "fsync", full)
    with pytest.raises(FileError, match=r"results\.json: No space"):
        run.add(PASSED)
    assert stored(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


# ---- folders ----


def test_run_folder_and_latest(tmp_path: Path) -> None:
    first = make_run_folder(tmp_path / "new", now=0)
    assert first.name.startswith("19700101T000000Z-")
    assert (tmp_path / "new" / "latest").resolve() == first
    second = make_run_folder(tmp_path / "new", now=1)
    assert (tmp_path / "new" / "latest").resolve() == second
    assert first.is_dir()


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling"])
def test_latest_of_somebody_else_is_left_alone(tmp_path: Path, kind: str) -> None:
    latest = tmp_path / "latest"
    if kind == "file":
        latest.write_text("mine")
    elif kind == "folder":
        latest.mkdir()
    else:
        latest.symlink_to("/etc" if kind == "link" else "gone")
    with pytest.raises(InputError, match="not a link that dmabed made"):
        make_run_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        make_run_folder(tmp_path / "file")


def test_latest_outcomes_are_the_newest_that_ran(tmp_path: Path) -> None:
    for now, ended in ((0, [PASSED, FAILED]), (60, [ERROR]), (120, [SKIPPED])):
        run = Results(make_run_folder(tmp_path, now=now), planned=1)
        for result in (*ended, ScenarioResult("share", "imx8mp-6g", Status.SKIPPED, 0)):
            run.add(result)
    broken = make_run_folder(tmp_path, now=180)
    (broken / "results.json").write_text("{")
    assert sorted(latest_outcomes(tmp_path), key=lambda outcome: outcome.scenario) == [
        Outcome("boot", "imx8mp-6g", "error"),
        Outcome("move", "imx8mp-6g", "failed"),
        Outcome("share", "imx8mp-6g", "passed"),
    ]
    assert latest_outcomes(tmp_path / "nowhere") == []


def test_runs_of_the_users_kernel_do_not_count(tmp_path: Path) -> None:
    for now, foreign in ((0, False), (60, True)):
        run = Results(make_run_folder(tmp_path, now=now), planned=1, foreign=foreign)
        run.add(FAILED if foreign else ScenarioResult("move", "imx8mp-6g", Status.PASSED, 1))
    assert latest_outcomes(tmp_path) == [Outcome("move", "imx8mp-6g", "passed")]
    assert foreign_runs(tmp_path) == 1


# ---- JUnit ----


def test_junit() -> None:
    suite = ElementTree.fromstring(junit.render([PASSED, FAILED, ERROR, SKIPPED])).find("testsuite")
    assert suite is not None
    counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert cases["share"].get("classname") == "imx8mp-6g"
    assert not [child.tag for child in cases["share"] if child.tag != "system-out"]
    for name, tag, why in (("move", "failure", FAILED.why), ("boot", "error", ERROR.why)):
        element = cases[name].find(tag)
        assert element is not None
        assert element.get("message") == why


def test_junit_of_what_a_dying_guest_prints() -> None:
    text = "panic \x1b[31m\x00 \ud800 <b>&"
    result = ScenarioResult("move", "x", Status.FAILED, 1.0, why=text)
    element = ElementTree.fromstring(junit.render([result])).find(".//failure")
    assert element is not None
    assert element.get("message") == "panic \\x1b[31m\\x00 \\xd800 <b>&"
