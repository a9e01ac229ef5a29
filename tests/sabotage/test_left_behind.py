# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody leaves behind in the guest fails the scenario that did it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dmabed.agent import Answer
from dmabed.execute import Execution
from dmabed.findings import Status, Verdict
from dmabed.machine import Machine
from dmabed.plan import make_plan
from dmabed.scenario import load
from dmabed.testbed import Testbed
from dmabed.verdict import judge

pytestmark = [pytest.mark.integration, pytest.mark.sabotage]

SHARES = """
scenario: shares
purpose: A fill and a digest, and all is given back.
layouts: [imx8mp-6g]
steps:
  - export: {buffer: frame, size: 64KiB}
  - attach: {device: capture, buffer: frame}
  - fill: {device: capture, buffer: frame, seed: 7}
  - digest: {device: capture, buffer: frame}
    expect: {pattern: 7}
"""


class _Leaky(Execution):
    """An execution in which a background process takes something and keeps it."""

    leak: str

    def _take_back_faults(self) -> None:
        answer: Answer = self._machine.call("run", argv=["sh", "-c", self.leak])
        assert answer.ok
        assert answer.result["status"] == 0
        super()._take_back_faults()


@pytest.fixture
def judged(testbed: Testbed, tmp_path: Path) -> Callable[[str], Verdict]:
    """The verdict on SHARES when this shell command is run in the guest at its end."""

    def run(leak: str) -> Verdict:
        file = tmp_path / "shares.yaml"
        file.write_text(SHARES)
        (planned,) = make_plan([load(file)], [])
        with testbed.start(planned.layout, tmp_path / "guest") as machine:
            transcript = _execution(machine, planned.scenario, leak).run()
        return judge(planned.scenario, planned.layout, transcript)

    return run


def _execution(machine: Machine, scenario: object, leak: str) -> _Leaky:
    execution = _Leaky(machine, machine.agent, scenario)  # type: ignore[arg-type]
    execution.leak = leak
    return execution


def test_nothing_taken_passes(judged: Callable[[str], Verdict]) -> None:
    verdict = judged("true")
    assert verdict.status is Status.PASSED, verdict.why


def test_an_open_exporter(judged: Callable[[str], Verdict]) -> None:
    verdict = judged("sleep 100 3</dev/dmabed-exporter >/dev/null 2>&1 &")
    assert verdict.status is Status.FAILED
    assert "1 reference to the module dmabed_exporter was left" in verdict.why
