# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a job's bytes really were: in the buffer, in a bounce, or in somebody else's memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from dmabed import ranges
from dmabed.ranges import Run


class Place(Enum):
    NOTHING = "nothing"
    """The device moved no byte."""
    DIRECT = "direct"
    """It moved the job's bytes in the buffer's own storage, all of them and no other."""
    BOUNCE = "bounce"
    """It moved as many bytes as the job has, none in the storage of a known buffer."""
    ELSEWHERE = "elsewhere"
    """It moved bytes, none in the buffer's own storage, and this was no bounce."""
    MIXED = "mixed"
    """Some in the buffer's own storage, but not just the job's."""


@dataclass(frozen=True)
class Reach:
    place: Place
    touched: tuple[str, ...]
    """Other known buffers whose storage was reached."""


def classify(
    driven: Sequence[Run],
    wanted: Sequence[Run],
    own: Sequence[Run],
    others: Mapping[str, Sequence[Run]],
    *,
    lost: Sequence[Run] = (),
    partial: bool = False,
) -> Reach:
    """Judge the CPU physical runs that a device drove.

    ``wanted`` is the job's part of the buffer's storage ``own``, ``others`` the storage of
    the buffers that the job did not name, ``lost`` what led nowhere. A ``partial`` job stopped
    before its end, so that a part of ``wanted`` is as good as all of it.
    """
    touched = tuple(name for name, runs in others.items() if ranges.common(driven, runs))
    return Reach(_place(driven, wanted, own, touched, lost, partial), touched)


def _place(
    driven: Sequence[Run],
    wanted: Sequence[Run],
    own: Sequence[Run],
    touched: Sequence[str],
    lost: Sequence[Run],
    partial: bool,
) -> Place:
    moved, needed = ranges.total(driven), ranges.total(wanted)
    if not moved and not lost:
        return Place.NOTHING
    if ranges.common(driven, own):
        inside = not lost and ranges.total(ranges.common(driven, wanted)) == moved
        return Place.DIRECT if inside and (moved == needed or partial) else Place.MIXED
    complete = moved == needed or (partial and moved <= needed)
    return Place.BOUNCE if complete and not touched and not lost else Place.ELSEWHERE
