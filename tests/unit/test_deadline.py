# SPDX-License-Identifier: GPL-2.0-or-later
"""Deadlines and their multiplier."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dmabed import deadline
from dmabed.deadline import Deadline


@pytest.fixture(autouse=True)
def plain_multiplier() -> Iterator[None]:
    yield
    deadline.set_multiplier(1.0)


def test_a_deadline_in_the_past_has_nothing_left() -> None:
    assert Deadline(0).passed()
    assert Deadline(0).left() == 0.0
    assert not Deadline(60).passed()


def test_the_multiplier_stretches_what_is_made_afterwards() -> None:
    deadline.set_multiplier(3)
    assert Deadline(20).seconds == 60
    assert Deadline(20).left() > 50
    assert Deadline(20).at_most(1) == 3


@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_multiplier_is_positive(value: float) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        deadline.set_multiplier(value)


def test_poll_asks_until_it_is_so() -> None:
    answers = iter([1, 2, 3, 4])
    assert deadline.poll(lambda: next(answers), lambda answer: answer == 3, 60) == 3
    assert next(answers) == 4


def test_poll_asks_once_more_than_there_is_time_for() -> None:
    answers = iter([1, 2])
    assert deadline.poll(lambda: next(answers), lambda _answer: False, 0) == 1
