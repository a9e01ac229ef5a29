# SPDX-License-Identifier: GPL-2.0-or-later
"""Every regression fails with the switch that it names: it tells a correct kernel from a wrong one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dmabed import sabotage
from dmabed.findings import Status
from dmabed.plan import Planned, make_plan
from dmabed.runner import Runner
from dmabed.scenario import find
from dmabed.testbed import Testbed

pytestmark = [pytest.mark.integration, pytest.mark.sabotage]

SWITCHES = {switch.name: switch for switch in sabotage.load()}


def plans() -> dict[str, list[Planned]]:
    """The combinations of each regression, which share its switch."""
    found: dict[str, list[Planned]] = {}
    for planned in make_plan(find(["regression"]), []):
        found.setdefault(planned.scenario.family, []).append(planned)
    return found


PLANS = plans()


@pytest.mark.parametrize("name", PLANS)
def test_a_wrong_kernel_is_told_apart(testbed: Testbed, tmp_path: Path, name: str) -> None:
    """In a matrix one combination is enough: the others show what a wrong kernel does."""
    statuses = []
    for planned in PLANS[name]:
        switch = SWITCHES[planned.scenario.told_apart_by]
        done = Runner(testbed, tmp_path).one(dataclasses.replace(planned, switch=switch))
        statuses.append(done.verdict.status)
        if done.verdict.status is Status.FAILED:
            return
    pytest.fail(f"with {PLANS[name][0].scenario.told_apart_by} on it ends {statuses}")
