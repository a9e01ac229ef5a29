# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures: artifacts once for a session, guests for a test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dmabed import build
from dmabed import layout as layouts
from dmabed.build import Artifacts
from dmabed.errors import SetupError
from dmabed.findings import Verdict
from dmabed.machine import Machine
from dmabed.paths import ROOT
from dmabed.plan import make_plan
from dmabed.runner import Done, Runner
from dmabed.scenario import load
from dmabed.testbed import Testbed

# a shell's job in the background ignores Ctrl-C, and so would every dmabed that a test starts and interrupts
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

Judge = Callable[[str], Verdict]
Dmabed = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_xdist_auto_num_workers() -> int:
    """A worker for each core that has the memory for two guests: some tests start two, some of 1.4 GiB."""
    cores = len(os.sched_getaffinity(0))
    return max(1, min(cores, available_memory() // (2 << 30)))


def available_memory() -> int:
    """Bytes, as Linux estimates them."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kilobytes) << 10


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    """Everything that boots, built if need be."""
    return build.build(progress=build.reporter(sys.stderr))


@pytest.fixture(scope="session")
def testbed(artifacts: Artifacts) -> Testbed:
    return Testbed(artifacts, of_variant=built_variant)


def built_variant(name: str) -> Artifacts:
    """The artifacts with a kernel variant. The test is skipped when that is not built: it takes minutes."""
    try:
        return build.load(variant=name)
    except SetupError as error:
        pytest.skip(f"the {name} kernel is not built: python -m dmabed.build --variant {name} ({error.what})")


@pytest.fixture
def machine(testbed: Testbed, tmp_path: Path) -> Iterator[Machine]:
    """A ready guest on the default layout."""
    with testbed.start(layouts.find("imx8mp-6g"), tmp_path / "guest") as guest:
        yield guest


@pytest.fixture
def run_text(testbed: Testbed, tmp_path: Path) -> Callable[[str], Done]:
    """Run a scenario given as text."""

    def run(text: str) -> Done:
        file = tmp_path / "scenario.yaml"
        file.write_text(text)
        (planned,) = make_plan([load(file)], [])
        return Runner(testbed, tmp_path / "results").one(planned)

    return run


@pytest.fixture
def dmabed(tmp_path: Path) -> Dmabed:
    """The command line as a user calls it."""

    def call(*words: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dmabed", *words],
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / "harness")},
            check=False,
        )

    return call
