# SPDX-License-Identifier: GPL-2.0-or-later
"""Sets of bytes in an address space, as lists of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Run:
    """A run of bytes."""

    address: int
    length: int

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.length

    def __str__(self) -> str:
        return f"{self.address:#x}+{self.length:#x}"


def union(runs: Iterable[Run]) -> tuple[Run, ...]:
    """The same bytes once each, in order of address, neighbours joined."""
    joined: list[Run] = []
    for run in sorted(run for run in runs if run.length):
        if joined and run.address <= joined[-1].end:
            last = joined.pop()
            run = Run(last.address, max(last.end, run.end) - last.address)
        joined.append(run)
    return tuple(joined)


def cut(runs: Sequence[Run], offset: int, length: int) -> tuple[Run, ...]:
    """Bytes ``offset``…``offset + length`` of a buffer whose storage is ``runs``, one behind the other."""
    found, start = [], 0
    for run in runs:
        first, last = max(offset, start), min(offset + length, start + run.length)
        if first < last:
            found.append(Run(run.address + first - start, last - first))
        start += run.length
    return tuple(found)


def common(some: Iterable[Run], others: Iterable[Run]) -> tuple[Run, ...]:
    """The bytes that are in both sets."""
    other_runs = union(others)
    found = []
    for run in union(some):
        for other in other_runs:
            first, last = max(run.address, other.address), min(run.end, other.end)
            if first < last:
                found.append(Run(first, last - first))
    return tuple(found)


def total(runs: Iterable[Run]) -> int:
    """How many bytes there are in the set."""
    return sum(run.length for run in union(runs))


def show(runs: Sequence[Run], most: int = 3) -> str:
    """The runs as a message has them: the first few."""
    if not runs:
        return "nowhere"
    text = ", ".join(str(run) for run in runs[:most])
    return text if len(runs) <= most else f"{text} and {len(runs) - most} more"
