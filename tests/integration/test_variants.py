# SPDX-License-Identifier: GPL-2.0-or-later
"""The debug and the coverage kernel. They take long to build, so these tests are for who has built them.

``python -m dmabed.build --variant debug`` and ``--variant coverage`` do that.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dmabed import build, deadline, selfcheck, splat
from dmabed import layout as layouts
from dmabed.cli.options import SLOWER
from dmabed.errors import SetupError
from dmabed.findings import Status
from dmabed.machine import Machine
from dmabed.plan import make_plan
from dmabed.runner import AtEnd, Done, Runner
from dmabed.scenario import find
from dmabed.selfcheck import KMEMLEAK
from dmabed.testbed import Testbed
from dmabed.transcript import EventKind

pytestmark = pytest.mark.integration

SCENARIO = "share-three-devices"


def variant(name: str) -> Testbed:
    try:
        return Testbed(build.load(variant=name))
    except SetupError as error:
        pytest.skip(f"the {name} kernel is not built: python -m dmabed.build --variant {name} ({error.what})")


@pytest.fixture(scope="module")
def debug() -> Any:
    testbed = variant("debug")
    deadline.set_multiplier(SLOWER["debug"])
    yield testbed
    deadline.set_multiplier(1.0)


def run_one(testbed: Testbed, folder: Path, at_end: AtEnd = lambda _agent: None) -> Done:
    (planned,) = make_plan(find([SCENARIO]), [])
    return Runner(testbed, folder, at_end=at_end).one(planned)


def sh(machine: Machine, script: str) -> str:
    answer = machine.call("run", 30.0, argv=["sh", "-c", script])
    return base64.b64decode(answer.result["stdout"]).decode()


def test_the_debug_kernel_is_one(debug: Testbed, tmp_path: Path) -> None:
    with debug.start(layouts.find("imx8mp-6g"), tmp_path) as machine:
        assert machine.hello.kernel.endswith("-dmabed-debug")
        assert machine.call("read", path=KMEMLEAK, limit=1).ok
        assert "lock-classes" in sh(machine, "cat /proc/lockdep_stats")
        assert int(sh(machine, "cat /sys/kernel/debug/dma-api/nr_total_entries")) > 0
        assert sh(machine, "cat /sys/kernel/debug/dma-api/disabled").strip() == "N"


def test_a_scenario_is_clean_in_the_debug_kernel(debug: Testbed, tmp_path: Path) -> None:
    done = run_one(debug, tmp_path)
    assert done.verdict.status is Status.PASSED, done.verdict.why


def test_memory_that_is_lost_is_told_with_who_took_it(debug: Testbed, tmp_path: Path) -> None:
    with debug.start(layouts.find("imx8mp-6g"), tmp_path) as machine:
        sh(machine, "echo leak-storage > /sys/module/dmabed_core/parameters/sabotage")
        machine.call("export", buffer="lost", length="0x4000", storage="pages")
        assert machine.call("cpu-write", buffer="lost", seed="0x1").ok
        events, _remarks = selfcheck.of_memory(machine.agent)
    assert {event.kind for event in events} == {EventKind.LEAK}
    assert "[dmabed_core]" in events[0].text


def test_a_splat_fails_a_scenario(testbed: Testbed, tmp_path: Path) -> None:
    """The words of a report, from user space, are as good as the kernel's own for the way from there on."""
    report = "WARNING: CPU: 0 PID: 1 at drivers/dma-buf/dma-buf.c:1 dma_buf_export+0x1/0x2"

    def speak(agent: Any) -> None:
        agent.call("run", 10.0, argv=["sh", "-c", f"echo '{report}' > /dev/kmsg"])

    done = run_one(testbed, tmp_path, at_end=speak)
    assert done.verdict.status is Status.FAILED
    assert report in done.verdict.why


def test_an_announced_splat_does_not(testbed: Testbed, tmp_path: Path) -> None:
    lines = f"{splat.EXPECT}dma_buf_export\\nWARNING: CPU: 0 PID: 1 at x.c:1 dma_buf_export+0x1/0x2\\n"

    def speak(agent: Any) -> None:
        script = f"printf '{lines}' | while read line; do echo \"$line\" > /dev/kmsg; done"
        agent.call("run", 10.0, argv=["sh", "-c", script])

    done = run_one(testbed, tmp_path, at_end=speak)
    assert done.verdict.status is Status.PASSED, done.verdict.why


def test_coverage_counts_what_ran(dmabed: Callable[..., Any], tmp_path: Path) -> None:
    variant("coverage")
    done = dmabed("coverage", SCENARIO, "--json", "--html", "pages", seconds=300)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    core = report["files"]["drivers/dma-buf/dma-buf.c"]
    assert 0.2 < core["lines"] < 1.0
    assert 0.1 < core["branches"] < core["lines"]
    assert report["files"]["drivers/dma-buf/dma-fence-chain.c"]["lines"] < 0.2
    assert core["lines"] != report["total"]["lines"]
    assert (tmp_path / "pages" / "index.html").is_file()


def test_guest_tests_alone_reach_the_goals(dmabed: Callable[..., Any]) -> None:
    variant("coverage")
    done = dmabed("coverage", "--guest-tests-only", "--json", seconds=600)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [goal["met"] for goal in report["goals"]] == [True, True]
    assert report["reached-after-all"] == []
    assert [name for name, file in report["files"].items() if file["unexplained"]] == []


def test_another_kernel_is_not_counted(dmabed: Callable[..., Any]) -> None:
    assert dmabed("coverage", SCENARIO, "--variant", "debug").returncode == 2
