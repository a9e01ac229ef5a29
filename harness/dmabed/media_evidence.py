# SPDX-License-Identifier: GPL-2.0-or-later
"""What the media blocks saw: their ``evidence`` property as checked values.

docs/specs/dmabed-media.md says what the fields mean. Reading is as strict as
the engines': evidence that makes no sense is an ``EvidenceError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dmabed.evidence import KEPT_ENTRIES, EvidenceError, Fields
from dmabed.ranges import Run

STATUSES = ("ok", "bus-error", "bad-config")


@dataclass(frozen=True)
class Side:
    """What was read, or what was written. Addresses are bus addresses."""

    runs: tuple[Run, ...]
    dropped: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Operation:
    """One picture, as the block did it."""

    seq: int
    op: str
    status: str
    figures: Mapping[str, int]
    read: Side
    written: Side
    violations: int
    cut: bool
    """Its lists were dropped, for those of newer pictures: they are empty, and that means nothing."""


@dataclass(frozen=True)
class BlockEvidence:
    """What one block did during one scenario."""

    block: str
    guest_errors: int
    operations: Mapping[int, Operation]
    """By their number: the block keeps the last 256."""
    done: range
    """The numbers of all of them."""

    def operation(self, number: int) -> Operation | None:
        """The picture with this number, None if the block never did it.

        Raises EvidenceError when its record was dropped, or the lists in it.
        """
        if number not in self.done:
            return None
        if number not in self.operations:
            what = f"{self.block}: its record of picture {number} was dropped"
            raise EvidenceError(what, hint="the block keeps the last 256 pictures")
        if self.operations[number].cut:
            what = f"{self.block}: the lists of picture {number} were dropped from its record"
            raise EvidenceError(
                what, hint=f"the block keeps the last {KEPT_ENTRIES:,} entries of all pictures"
            )
        return self.operations[number]


def during(block: str, before: Any, after: Any) -> BlockEvidence:
    """What happened between two readings. Raises EvidenceError."""
    if before is None or after is None:
        when = "at the end" if after is None else "before the first step"
        raise EvidenceError(f"{block}: its evidence could not be read {when}")
    old, new = (Fields(f"{block}: evidence", raw) for raw in (before, after))
    if new.count("ops-total") < old.count("ops-total"):
        raise EvidenceError(f"{block}: its record went backwards: it was reset during the scenario")
    operations = [_operation(new.inner("ops", index, raw)) for index, raw in enumerate(new.list("ops"))]
    if sum(found.cut for found in operations) > new.count("ops-cut"):
        raise EvidenceError(f"{block}: evidence: 'ops-cut' does not agree with the operations")
    return BlockEvidence(
        block=block,
        guest_errors=new.count("guest-errors") - old.count("guest-errors"),
        operations={found.seq: found for found in operations if found.seq > old.count("ops-total")},
        done=range(old.count("ops-total") + 1, new.count("ops-total") + 1),
    )


def _operation(fields: Fields) -> Operation:
    figures = fields.take("figures")
    if not isinstance(figures, Mapping):
        raise fields.odd("figures")
    return Operation(
        seq=fields.integer("seq", 1),
        op=str(fields.take("op")),
        status=fields.word("status", STATUSES),
        figures={str(name): int(value) for name, value in figures.items()},
        read=_side(fields, "read"),
        written=_side(fields, "written"),
        violations=len(fields.list("violations")) + fields.count("violations-dropped"),
        cut=fields.truth("cut"),
    )


def _side(fields: Fields, key: str) -> Side:
    side = fields.inner(key, 0, fields.take(key))
    return Side(
        runs=side.runs("ranges"),
        dropped=side.count("ranges-dropped"),
        bytes=side.count("bytes"),
        sha256=side.digest("sha256"),
    )
