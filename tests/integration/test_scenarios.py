# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios that come with dmabed pass, on each of their layouts, over both transports."""

from __future__ import annotations

from pathlib import Path

import pytest

from dmabed.findings import Status
from dmabed.plan import ALL, Planned, make_plan
from dmabed.runner import Runner, Transport
from dmabed.scenario import find
from dmabed.testbed import BootOptions, Testbed

pytestmark = pytest.mark.integration

PLAN = make_plan(find([]), [ALL])


def name(planned: Planned) -> str:
    return planned.folder


@pytest.mark.parametrize("planned", PLAN, ids=name)
def test_over_serial(testbed: Testbed, tmp_path: Path, planned: Planned) -> None:
    done = Runner(testbed, tmp_path).one(planned)
    assert done.verdict.status is Status.PASSED, done.verdict.why


@pytest.mark.parametrize("planned", make_plan(find([]), []), ids=name)
def test_over_ssh(testbed: Testbed, tmp_path: Path, planned: Planned) -> None:
    done = Runner(testbed, tmp_path, Transport.SSH).one(planned)
    assert done.verdict.status is Status.PASSED, done.verdict.why


def test_a_fresh_boot_is_as_good_as_a_restore(testbed: Testbed, tmp_path: Path) -> None:
    fresh = Testbed(testbed.artifacts_for(PLAN[0].layout), BootOptions(snapshot=False))
    done = Runner(fresh, tmp_path).one(PLAN[0])
    assert done.verdict.status is Status.PASSED, done.verdict.why
