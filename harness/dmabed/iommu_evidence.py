# SPDX-License-Identifier: GPL-2.0-or-later
"""What an IOMMU of the platform saw: its ``evidence`` property as checked values.

docs/specs/rockchip-iommu.md says what the fields mean. Reading is as strict as
that of a device's evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dmabed.evidence import EvidenceError, Fields

REASONS = ("no-table", "no-page", "not-readable", "not-writable", "bus-error")
VIOLATIONS = ("stale", "output-width")
ACCESSES = ("read", "write")


@dataclass(frozen=True)
class Fault:
    """An access that was refused."""

    reason: str
    device: str
    access: str
    iova: int

    def __str__(self) -> str:
        return f"{self.reason} for a {self.access} of {self.device} at IOVA {self.iova:#x}"


@dataclass(frozen=True)
class Violation:
    """Pages from ``iova`` on that were used in another way than the tables say."""

    kind: str
    device: str
    access: str
    iova: int
    length: int
    used: int
    table: int
    """Where the table says that the first page is, -1: nowhere."""

    def __str__(self) -> str:
        says = "nothing" if self.table < 0 else f"{self.table:#x}"
        what = f"{self.kind}: a {self.access} of {self.device} at IOVA {self.iova:#x}+{self.length:#x}"
        return f"{what} went to {self.used:#x}, the table has {says}"


@dataclass(frozen=True)
class IommuActivity:
    """What one IOMMU saw during one scenario."""

    iommu: str
    faults: tuple[Fault, ...]
    violations: tuple[Violation, ...]
    untranslated: int
    guest_errors: int


@dataclass(frozen=True)
class _Record:
    faults: tuple[Fault, ...]
    violations: tuple[Violation, ...]
    untranslated: int
    guest_errors: int


def activity(iommu: str, before: Any, after: Any) -> IommuActivity:
    """What happened between two readings. Raises EvidenceError."""
    if before is None or after is None:
        when = "at the end" if after is None else "before the first step"
        raise EvidenceError(f"{iommu}: its evidence could not be read {when}")
    old, new = _parse(iommu, before), _parse(iommu, after)
    if new.faults[: len(old.faults)] != old.faults or new.untranslated < old.untranslated:
        raise EvidenceError(f"{iommu}: its record went backwards: it was reset during the scenario")
    return IommuActivity(
        iommu=iommu,
        faults=new.faults[len(old.faults) :],
        violations=_new_violations(old.violations, new.violations),
        untranslated=new.untranslated - old.untranslated,
        guest_errors=new.guest_errors - old.guest_errors,
    )


def _new_violations(old: tuple[Violation, ...], new: tuple[Violation, ...]) -> tuple[Violation, ...]:
    """The last old one may have grown: it is new then."""
    same = sum(1 for one, other in zip(old, new, strict=False) if one == other)
    return new[same:]


def _parse(iommu: str, raw: Any) -> _Record:
    fields = Fields(f"{iommu}: evidence", raw)
    for key in ("faults-dropped", "violations-dropped"):
        if fields.count(key):
            what = f"{iommu}: {raw[key]} {key.partition('-')[0]} were dropped from its record"
            raise EvidenceError(what, hint="an IOMMU keeps the first 256 of a kind")
    return _Record(
        faults=tuple(_fault(entry) for entry in fields.entries("faults")),
        violations=tuple(_violation(entry) for entry in fields.entries("violations")),
        untranslated=fields.count("untranslated"),
        guest_errors=fields.count("guest-errors"),
    )


def _fault(entry: Fields) -> Fault:
    return Fault(
        reason=entry.word("reason", REASONS),
        device=str(entry.take("device")),
        access=entry.word("access", ACCESSES),
        iova=entry.count("iova"),
    )


def _violation(entry: Fields) -> Violation:
    return Violation(
        kind=entry.word("kind", VIOLATIONS),
        device=str(entry.take("device")),
        access=entry.word("access", ACCESSES),
        iova=entry.count("iova"),
        length=entry.integer("length", 1),
        used=entry.count("used"),
        table=entry.integer("table", -1),
    )
