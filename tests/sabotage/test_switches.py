# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed sabotage`` on a real guest: a broken migration is noticed, and a misspelt switch is no catch."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dmabed import sabotage
from dmabed import trials as stored
from dmabed.campaign import Campaign, not_tried, survivors
from dmabed.plan import make_plan
from dmabed.runner import Runner
from dmabed.scenario import find
from dmabed.testbed import Testbed

pytestmark = [pytest.mark.integration, pytest.mark.sabotage]

Dmabed = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_migration_that_copies_nothing_is_noticed(dmabed: Dmabed, tmp_path: Path) -> None:
    done = dmabed("sabotage", "no-copy", "--json", seconds=300)
    assert done.returncode == 0, done.stderr
    (trial,) = json.loads(done.stdout)["switches"]
    assert trial["rows"]["C4"]["status"] == "failed"
    assert stored.caught_rows(stored.load(tmp_path / "results"))["C4"] is True


def test_a_switch_that_the_guest_does_not_know_was_not_tried(testbed: Testbed, tmp_path: Path) -> None:
    (no_copy,) = (switch for switch in sabotage.load() if switch.name == "no-copy")
    unknown = dataclasses.replace(no_copy, name="no-such-switch")
    plan = make_plan(find(["migrate-on-stricter-attach"]), [])
    trials = Campaign(plan, Runner(testbed, tmp_path).one).run([(unknown, ("C4",))], 1, lambda _trial: None)
    assert not survivors(trials)
    assert list(not_tried(trials)["no-such-switch"]) == ["C4"]
    (missed,) = trials[0].missed
    assert missed.status == "error"
    assert "can't be turned on" in missed.why
