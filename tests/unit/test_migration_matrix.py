# SPDX-License-Identifier: GPL-2.0-or-later
"""A scenario moves a buffer from each kind of storage to each other, in every state."""

from __future__ import annotations

import itertools

import pytest

from dmabed import scenario
from dmabed.scenario import Scenario

KINDS = ("pages", "low-pages", "contiguous", "fixed", "pool", "local")
PAIRS = set(itertools.permutations(KINDS, 2))


def moves(one: Scenario, state: str = "") -> set[tuple[str, str]]:
    """From where to where its buffers, or that of this state, move, as far as the steps tell the kinds."""
    found: set[tuple[str, str]] = set()
    places: dict[str, str] = {}
    for step in one.steps:
        if step.verb not in ("export", "migrate") or step.expect.errno is not None:
            continue
        buffer, storage = step.args["buffer"], step.args["storage"]
        if state not in ("", buffer):
            continue
        if step.verb == "migrate":
            found.add((places[buffer], storage))
        places[buffer] = storage
    return found


def moves_of(words: str, state: str = "") -> set[tuple[str, str]]:
    return set().union(*(moves(one, state) for one in scenario.find([words])))


@pytest.mark.parametrize("state", ["idle", "mapped", "held", "seen"])
def test_each_pair_in_this_state(state: str) -> None:
    assert moves_of("migrate-between-storages", state) == PAIRS


@pytest.mark.parametrize("family", ["migrate-behind-queued-jobs", "migrate-under-pressure"])
def test_each_pair_with_jobs_queued_and_under_pressure(family: str) -> None:
    assert moves_of(family) >= PAIRS


def test_refused_from_each_to_each_while_pinned() -> None:
    refused = {
        (one.steps[0].args["storage"], step.args["storage"])
        for one in scenario.find(["migrate-refused-from-everywhere"])
        for step in one.steps
        if step.verb == "migrate" and step.expect.errno == "EBUSY"
    }
    assert refused >= PAIRS
