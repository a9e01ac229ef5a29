# SPDX-License-Identifier: GPL-2.0-or-later
"""A full disk: one error that names the file, and closing hides nothing. /dev/full plays the disk."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from dmabed import paths, runner
from dmabed.agent import Agent
from dmabed.build import cache
from dmabed.cli.run import run_all
from dmabed.errors import FileError
from dmabed.files import Log, named
from dmabed.findings import Status, Verdict
from dmabed.outcome import ScenarioResult
from dmabed.plan import Planned, make_plan
from dmabed.results import Results
from dmabed.runner import Done, Runner
from dmabed.scenario import find

FULL = Path("/dev/full")
NO_SPACE = "/dev/full: No space left on device"


def test_a_log_tells_the_first_error_and_closes_without_one() -> None:
    log = Log(FULL)
    with pytest.raises(FileError, match=NO_SPACE) as raised:
        log.write("line")
    assert "make room" in str(raised.value)
    log.write("another")
    log.close()


def test_a_log_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file or directory") as raised:
        Log(tmp_path / "nowhere" / "qmp.log")
    assert "make room" not in str(raised.value)


def test_what_is_no_error_of_a_file_passes() -> None:
    with pytest.raises(ValueError, match="other"), named("file"):
        raise ValueError("other")


def test_an_agent_whose_log_is_full_says_so() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        agent = Agent(ours, FULL)
        with pytest.raises(FileError, match=NO_SPACE):
            agent.ask("hello")
        agent.close()


class FullForAnswers(Log):
    """A disk that is full when the answer comes."""

    def write(self, line: str) -> None:
        if " < " in line:
            raise FileError(NO_SPACE)


def test_whoever_waits_for_the_agent_learns_of_the_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmabed.agent.Log", FullForAnswers)
    ours, theirs = socket.socketpair()
    with theirs:
        agent = Agent(ours, tmp_path / "agent.log")
        asked = agent.ask("hello")
        theirs.sendall(b'{"id": 1, "ok": true}\n')
        with pytest.raises(FileError, match=NO_SPACE):
            asked.result(10)
        agent.close()


# ---- a run ----


@pytest.fixture
def planned() -> Planned:
    (one,) = make_plan(find(["share-three-devices"]), [])
    return one


def test_a_scenario_whose_files_cannot_be_written_is_an_error_without_a_traceback(
    planned: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_planned: object) -> None:
        raise FileError(NO_SPACE)

    monkeypatch.setattr(Runner, "_in_guest", full)
    testbed = types.SimpleNamespace()
    done = Runner(testbed, tmp_path).one(planned)  # type: ignore[arg-type]
    assert (done.verdict.status, done.verdict.why) == (Status.ERROR, NO_SPACE)
    assert not caplog.records


class TwoDone:
    """A run in which two scenarios end."""

    def __init__(self, planned: Planned) -> None:
        self.planned = planned

    def run(self, _plan: object, _jobs: int, report: Callable[[Done], None]) -> None:
        for _ in range(2):
            report(Done(self.planned, Verdict(Status.PASSED, "fine"), 0.1))


def test_a_disk_that_fills_up_ends_the_run_with_its_first_error(
    planned: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Results(tmp_path, planned=2)
    results.add(ScenarioResult("other", "x", Status.PASSED, 1.0))

    def full(_fd: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(cache.os, "fsync", full)
    with pytest.raises(FileError, match=r"results\.json: No space") as raised:
        run_all(TwoDone(planned), [planned], 1, results)  # type: ignore[arg-type]
    assert raised.value.__context__ is raised.value.__cause__


def test_all_that_was_under_way_is_awaited_though_nothing_can_be_told(
    planned: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Done] = []
    all_begun = threading.Barrier(3, timeout=10)

    def full(done: Done) -> None:
        told.append(done)
        raise FileError(NO_SPACE)

    def in_guest(*_words: object) -> tuple[Verdict, None]:
        all_begun.wait()
        return Verdict(Status.PASSED, "fine"), None

    monkeypatch.setattr(Runner, "_in_guest", in_guest)
    monkeypatch.setattr(runner.process, "kill_all", lambda: None)
    with pytest.raises(FileError, match=NO_SPACE):
        Runner(types.SimpleNamespace(), tmp_path).run([planned] * 3, 3, full)  # type: ignore[arg-type]
    assert len(told) == 3


# ---- standard output ----


@pytest.mark.parametrize("words", [["list", "layouts"], ["list", "devices", "--json"]])
def test_standard_output_on_a_full_disk(words: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT / "harness")}
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dmabed", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "dmabed: standard output: No space left on device"
    assert len(done.stderr.splitlines()) == 2
