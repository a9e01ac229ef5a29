# SPDX-License-Identifier: GPL-2.0-or-later
"""Children end with the harness, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dmabed.paths import ROOT
from dmabed.process import Child, describe_status, tail

_STARTS_A_SLEEPER = """
import sys, time
from dmabed.process import Child
child = Child(["sleep", "600"], output=None)
print(child.pid, flush=True)
time.sleep(600)
"""


def gone(pid: int, seconds: float = 10.0) -> bool:
    """Is the process gone (or dead and not yet collected) within ``seconds``?"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_harness_takes_its_child_along(how: signal.Signals) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "harness")}
    command = [sys.executable, "-c", _STARTS_A_SLEEPER]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as harness:
        assert harness.stdout
        pid = int(harness.stdout.readline())
        assert not gone(pid, 0.2)
        harness.send_signal(how)
        harness.wait()
    assert gone(pid)


def test_a_child_whose_parent_died_at_once_does_not_start(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    environment = {**os.environ, "DMABED_PARENT": "1"}  # not the parent that it will find
    from dmabed import process

    argv = process._guarded(["touch", str(mark)])
    assert subprocess.run(argv, env=environment, check=False).returncode == 125
    assert not mark.exists()


def test_output_and_status_are_kept(tmp_path: Path) -> None:
    child = Child(["sh", "-c", "echo out; echo err >&2; exit 3"], output=tmp_path / "log")
    assert child.wait(10) == 3
    assert child.said() == "out\nerr\n"


def test_kill_is_final_and_may_be_repeated(tmp_path: Path) -> None:
    child = Child(["sleep", "600"], output=tmp_path / "log")
    assert child.status() is None
    assert child.kill() == -signal.SIGKILL
    assert child.kill() == -signal.SIGKILL


def test_statuses_in_words() -> None:
    assert describe_status(2) == "exit status 2"
    assert describe_status(-9) == "signal SIGKILL"


def test_tail_starts_at_a_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("first line\nsecond\nthird\n")
    assert tail(log, 10) == "third\n"
    assert tail(log) == "first line\nsecond\nthird\n"
    assert tail(tmp_path / "none") == ""
