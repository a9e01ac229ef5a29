# SPDX-License-Identifier: GPL-2.0-or-later
"""Deadlines on the monotonic clock, stretched by one multiplier.

Every wait of the harness has a deadline, so nothing hangs for ever; a slow
host needs one switch (``--timeout-multiplier``), not a new number in each place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

POLL_SECONDS = 0.02

T = TypeVar("T")

_multiplier = 1.0


def set_multiplier(value: float) -> None:
    """Stretch all deadlines made from now on by ``value`` (> 0)."""
    global _multiplier
    if not value > 0:
        raise ValueError(f"a timeout multiplier is greater than 0, not {value}")
    _multiplier = value


class Deadline:
    """A moment ``seconds`` (times the multiplier) from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds * _multiplier
        self._end = time.monotonic() + self.seconds

    def left(self) -> float:
        """Seconds until the deadline, 0.0 once it has passed."""
        return max(0.0, self._end - time.monotonic())

    def passed(self) -> bool:
        return self.left() == 0.0

    def at_most(self, seconds: float) -> float:
        """The shorter of ``seconds`` (times the multiplier) and what is left."""
        return min(self.left(), seconds * _multiplier)


def poll(ask: Callable[[], T], is_so: Callable[[T], bool], seconds: float) -> T:
    """The first answer that ``is_so``, or the last one when ``seconds`` (times the multiplier) are over."""
    limit = Deadline(seconds)
    while not is_so(answer := ask()) and not limit.passed():
        time.sleep(POLL_SECONDS)
    return answer
