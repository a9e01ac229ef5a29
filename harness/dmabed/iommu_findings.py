# SPDX-License-Identifier: GPL-2.0-or-later
"""The second witness behind IOMMUs: faults, stale translations, and what passed untranslated.

What a scenario does not expect of an IOMMU is against the subject, as with a
device: a driver that leaves a page mapped, or unmaps it too early, is seen here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from dmabed import iommu_evidence
from dmabed.case import Case
from dmabed.evidence import EvidenceError
from dmabed.findings import Witness
from dmabed.iommu_evidence import IommuActivity
from dmabed.scenario import IommuExpectation

HARDWARE = Witness.HARDWARE


def judge_iommus(case: Case) -> None:
    """Every IOMMU of the layout against what the scenario expects of it."""
    transcript = case.transcript
    for iommu in case.layout.iommus:
        before, after = transcript.iommus_before.get(iommu.name), transcript.iommus.get(iommu.name)
        try:
            found = iommu_evidence.activity(iommu.name, before, after)
        except EvidenceError as error:
            case.log.broke(None, HARDWARE, str(error), "evidence of every IOMMU is needed")
            continue
        _judge(case, found, case.scenario.iommus.get(iommu.name))


def _judge(case: Case, found: IommuActivity, expected: IommuExpectation | None) -> None:
    wanted = expected or IommuExpectation()
    seen = found.faults or found.violations or found.untranslated or found.guest_errors
    if expected is None and not seen:
        return  # nobody asked, and nothing happened: no comparison worth counting
    _compare(case, found.iommu, "faults", found.faults, [f.reason for f in found.faults], wanted.faults)
    kinds = [violation.kind for violation in found.violations]
    _compare(case, found.iommu, "violations", found.violations, kinds, wanted.violations)
    got = f"it let {found.untranslated} accesses pass untranslated"
    passed = wanted.untranslated == (found.untranslated > 0)
    should = "some should" if wanted.untranslated else "none should: nobody had turned it on for them"
    case.log.check(passed, None, HARDWARE, got, should, where=found.iommu)
    got = f"it logged {found.guest_errors} guest errors"
    case.log.check(not found.guest_errors, None, HARDWARE, got, "none is expected", where=found.iommu)


def _compare(
    case: Case, iommu: str, noun: str, entries: Sequence[object], kinds: Sequence[str], wanted: Sequence[str]
) -> None:
    """Kinds in order, repeats of one after the other counted once."""
    short = tuple(kind for kind, _ in itertools.groupby(kinds))
    first = f" ({entries[0]})" if entries else ""
    got = f"it recorded the {noun} {_list(short)}{first}"
    case.log.check(short == tuple(wanted), None, HARDWARE, got, f"{_list(wanted)} should be", where=iommu)


def _list(words: Sequence[str]) -> str:
    return ", ".join(words) or "nothing"
