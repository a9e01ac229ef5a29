# SPDX-License-Identifier: GPL-2.0-or-later
"""However a run ends, no QEMU is left and what was found is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dmabed.paths import ROOT

pytestmark = pytest.mark.integration

QUICK = """
scenario: quick
purpose: Ends at once.
layouts: [imx8mp-6g]
steps:
  - export: {buffer: frame, size: 4KiB}
  - attach: {device: capture, buffer: frame}
  - fill: {device: capture, buffer: frame, seed: 1}
"""

SLOW = """
scenario: slow
purpose: Waits for a job that is held.
layouts: [imx8mp-6g]
timeout: 60
steps:
  - export: {buffer: frame, size: 4KiB}
  - attach: {device: capture, buffer: frame}
  - hold: {device: capture}
  - submit: {device: capture, operation: fill, buffer: frame, seed: 1}
    as: held
  - wait: {job: held, timeout: 60}
"""


def guests(folder: Path) -> list[int]:
    """Processes of QEMU whose logs are in ``folder``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"qemu-system-aarch64" in words[0] and any(str(folder).encode() in word for word in words):
            found.append(int(entry.parent.name))
    return found


def wait_until(condition: object, seconds: float = 180) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run of a quick and a slow scenario, in the middle of the slow one, with a third to come."""
    scenarios = {"quick": QUICK, "slow": SLOW, "third": QUICK.replace("quick", "third")}
    files = [tmp_path / f"{name}.yaml" for name in scenarios]
    for file, text in zip(files, scenarios.values(), strict=True):
        file.write_text(text)
    words = ["run", *map(str, files), "--jobs", "1"]
    command = [sys.executable, "-m", "dmabed", *words, "--results", str(tmp_path / "results")]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "harness")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_until(lambda: _holds(tmp_path) or process.poll() is not None)
            assert process.poll() is None, process.communicate()
            yield process
        finally:
            process.kill()


def _holds(folder: Path) -> bool:
    logs = list(folder.glob("results/*/slow.imx8mp-6g/agent.log"))
    return any('"op": "wait"' in log.read_text() for log in logs)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_and_marks_its_results(
    run: subprocess.Popen[str], tmp_path: Path, how: signal.Signals
) -> None:
    assert guests(tmp_path)
    run.send_signal(how)
    output, errors = run.communicate(timeout=120)
    assert run.returncode == 2
    assert "interrupted" in errors
    assert "1 passed, 1 skipped, 1 did not run" in output
    assert "Traceback" not in errors
    assert guests(tmp_path) == []
    stored = json.loads((tmp_path / "results" / "latest" / "results.json").read_text())
    assert stored["interrupted"] is True
    assert stored["verdict"] == "error"
    assert {entry["name"]: entry["status"] for entry in stored["scenarios"]} == {
        "quick": "passed",
        "slow": "skipped",
    }


def test_a_killed_harness_leaves_no_guest_and_its_results(run: subprocess.Popen[str], tmp_path: Path) -> None:
    assert guests(tmp_path)
    run.kill()
    run.communicate(timeout=120)
    wait_until(lambda: not guests(tmp_path))
    stored = json.loads((tmp_path / "results" / "latest" / "results.json").read_text())
    assert [entry["name"] for entry in stored["scenarios"] if entry["status"] == "passed"] == ["quick"]
    assert stored["verdict"] != "passed"
