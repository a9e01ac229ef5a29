# SPDX-License-Identifier: GPL-2.0-or-later
"""A testbed that breaks in mid-run: never a pass, and each says plainly what happened."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dmabed.execute import Execution
from dmabed.findings import Status, Verdict
from dmabed.machine import Machine
from dmabed.plan import make_plan
from dmabed.runner import Runner
from dmabed.scenario import load
from dmabed.testbed import BootOptions, Testbed
from dmabed.transcript import Transcript
from dmabed.verdict import judge

pytestmark = [pytest.mark.integration, pytest.mark.sabotage]

# the held job keeps the scenario waiting while the test does its mischief
WAITS = """
scenario: waits
purpose: A fill that takes as long as the test needs.
layouts: [imx8mp-6g]
timeout: 8
steps:
  - export: {buffer: frame, size: 64KiB}
  - attach: {device: capture, buffer: frame}
  - hold: {device: capture}
  - fill: {device: capture, buffer: frame, seed: 7}
"""

Mischief = Callable[[Machine], object]


@pytest.fixture
def judged(testbed: Testbed, tmp_path: Path) -> Callable[[Mischief], Verdict]:
    """The verdict on WAITS when ``mischief`` is done to the machine half a second into it."""

    def run(mischief: Mischief) -> Verdict:
        file = tmp_path / "waits.yaml"
        file.write_text(WAITS)
        (planned,) = make_plan([load(file)], [])
        with testbed.start(planned.layout, tmp_path / "guest") as machine:
            timer = threading.Timer(0.5, mischief, [machine])
            timer.start()
            transcript = Execution(machine, machine.agent, planned.scenario).run()
            timer.join()
        return judge(planned.scenario, planned.layout, transcript)

    return run


def in_guest(machine: Machine, *argv: str) -> None:
    """Run a command in the guest without caring for its answer."""
    machine.agent.ask("run", argv=list(argv), thread="mischief")


def test_a_dead_qemu(judged: Callable[[Mischief], Verdict]) -> None:
    verdict = judged(lambda machine: machine.child.kill())
    assert verdict.status is Status.ERROR
    assert "QEMU" in verdict.why
    assert "SIGKILL" in verdict.why


def test_a_guest_panic(judged: Callable[[Mischief], Verdict]) -> None:
    verdict = judged(lambda machine: in_guest(machine, "sh", "-c", "echo c > /proc/sysrq-trigger"))
    assert verdict.status is Status.FAILED
    assert "panic" in verdict.why.lower()
    assert "sysrq triggered crash" in verdict.why.lower()


def test_a_silent_agent(judged: Callable[[Mischief], Verdict]) -> None:
    verdict = judged(lambda machine: in_guest(machine, "sh", "-c", "kill -STOP $PPID"))
    assert verdict.status is Status.ERROR
    assert "agent" in verdict.why


def test_an_agent_that_is_killed(judged: Callable[[Mischief], Verdict]) -> None:
    verdict = judged(lambda machine: in_guest(machine, "sh", "-c", "kill -KILL $PPID"))
    assert verdict.status is Status.ERROR
    assert "agent" in verdict.why


@pytest.fixture
def broken_kernel(testbed: Testbed) -> Testbed:
    """A kernel that finds no init: it panics while it boots."""
    return Testbed(testbed.artifacts, BootOptions(append="rdinit=/nowhere init=/nowhere"))


def test_a_panic_at_boot_is_the_subjects_failure(broken_kernel: Testbed, tmp_path: Path) -> None:
    file = tmp_path / "waits.yaml"
    file.write_text(WAITS)
    (planned,) = make_plan([load(file)], [])
    done = Runner(broken_kernel, tmp_path / "results").one(planned)
    assert done.verdict.status is Status.FAILED
    assert "Kernel panic" in done.verdict.why


def test_a_panic_after_the_last_step(
    testbed: Testbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a use after free of the last close would show: no step is there to see it."""
    file = tmp_path / "waits.yaml"
    file.write_text(WAITS.replace("  - hold: {device: capture}\n", ""))
    (planned,) = make_plan([load(file)], [])
    run = Execution.run

    def run_and_crash(execution: Execution) -> Transcript:
        transcript = run(execution)
        in_guest(execution._machine, "sh", "-c", "echo c > /proc/sysrq-trigger")
        execution._machine.child.wait(20)
        return transcript

    monkeypatch.setattr(Execution, "run", run_and_crash)
    done = Runner(testbed, tmp_path / "results").one(planned)
    assert done.verdict.status is Status.FAILED
    assert "panic" in done.verdict.why.lower()


def test_a_bug_of_the_harness_is_an_error_and_no_crash(
    testbed: Testbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "waits.yaml"
    file.write_text(WAITS)
    (planned,) = make_plan([load(file)], [])
    monkeypatch.setattr(Execution, "run", lambda _: {}["nothing"])
    done = Runner(testbed, tmp_path / "results").one(planned)
    assert done.verdict.status is Status.ERROR
    assert "KeyError" in done.verdict.why


HANGS = """
scenario: hangs
purpose: A stricter device maps while a job is held for ever.
layouts: [imx8mp-6g]
timeout: 6
steps:
  - export: {buffer: frame, size: 64KiB, flags: [dynamic]}
  - attach: {device: npu, buffer: frame, dynamic: true}
  - fill: {device: npu, buffer: frame, seed: 1}
  - hold: {device: npu}
  - submit: {device: npu, operation: digest, buffer: frame}
    as: held
  - attach: {device: codec, buffer: frame, dynamic: true}
  - map: {device: codec, buffer: frame}
"""


def test_a_call_that_hangs_is_the_subjects_failure_with_its_stack(testbed: Testbed, tmp_path: Path) -> None:
    file = tmp_path / "hangs.yaml"
    file.write_text(HANGS)
    (planned,) = make_plan([load(file)], [])
    done = Runner(testbed, tmp_path / "results").one(planned)
    assert done.verdict.status is Status.FAILED, done.verdict.why
    assert "never came back from map" in done.verdict.why
    assert "dma_fence" in done.verdict.why
