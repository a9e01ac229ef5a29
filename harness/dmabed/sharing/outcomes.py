# SPDX-License-Identifier: GPL-2.0-or-later
"""What can become of a buffer between one exporter and one importer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """One word for a cell; ``letter`` is what the heat map shows, so that no colour is needed to read it."""

    DIRECT = "direct"
    """The device works in the buffer's own storage."""
    BOUNCED = "bounced"
    """It works in a copy that Linux keeps for it (swiotlb), and what it writes comes home at a sync."""
    STALE = "stale"
    """The same, but what it writes never comes home."""
    REMAPPED = "remapped"
    """It works in the buffer's own storage, at addresses of an IOMMU."""
    MIGRATED = "migrated"
    """The buffer moved to storage that suits it, and kept its bytes."""
    REFUSED = "refused"
    """A call said no, with an errno."""
    FAULT = "fault"
    """All calls said yes, and the hardware said no."""
    CORRUPTED = "corrupted"
    """All calls said yes, and the device worked in memory that is not the buffer's."""
    ERROR = "error"
    """The testbed broke, or the witnesses disagree: nothing is known. Never expected."""

    @property
    def letter(self) -> str:
        return _LETTERS[self]


_LETTERS = {
    Kind.DIRECT: "D",
    Kind.BOUNCED: "B",
    Kind.STALE: "S",
    Kind.REMAPPED: "I",
    Kind.MIGRATED: "M",
    Kind.REFUSED: "R",
    Kind.FAULT: "F",
    Kind.CORRUPTED: "X",
    Kind.ERROR: "!",
}


@dataclass(frozen=True, order=False)
class Outcome:
    """A kind; a refusal has its errno."""

    kind: Kind
    errno: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value} {self.errno}".strip()


DIRECT = Outcome(Kind.DIRECT)
BOUNCED = Outcome(Kind.BOUNCED)
STALE = Outcome(Kind.STALE)
REMAPPED = Outcome(Kind.REMAPPED)
MIGRATED = Outcome(Kind.MIGRATED)
FAULT = Outcome(Kind.FAULT)
CORRUPTED = Outcome(Kind.CORRUPTED)
ERROR = Outcome(Kind.ERROR)


def refused(errno: str) -> Outcome:
    return Outcome(Kind.REFUSED, errno)


@dataclass(frozen=True)
class Expectation:
    """What may come of a cell, and why: more than one outcome where the layout alone leaves it open."""

    allowed: frozenset[Outcome]
    why: str

    def __str__(self) -> str:
        order = list(Kind)
        words = sorted(self.allowed, key=lambda outcome: (order.index(outcome.kind), outcome.errno))
        return " or ".join(map(str, words))

    @property
    def open(self) -> bool:
        return len(self.allowed) > 1
