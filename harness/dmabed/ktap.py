# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as KTAP, version 1 (Documentation/dev-tools/ktap.rst), as kernel CI reads them."""

from __future__ import annotations

from collections.abc import Sequence

from dmabed.findings import Status
from dmabed.outcome import ScenarioResult, printable


def render(results: Sequence[ScenarioResult]) -> str:
    """The whole document: a plan, and a line for each scenario with its reason above it."""
    lines = ["KTAP version 1", f"1..{len(results)}"]
    for number, result in enumerate(results, 1):
        lines += _test(number, result)
    return "\n".join(lines) + "\n"


def _test(number: int, result: ScenarioResult) -> list[str]:
    # '#' starts a directive, so a reason stands in diagnostic lines of its own
    name = f"{result.name}.{result.layout}".replace("#", "_")
    if result.status is Status.PASSED:
        return [f"ok {number} {name}"]
    if result.status is Status.SKIPPED:
        return [f"ok {number} {name} # SKIP {_one_line(printable(result.why))}"]
    reason = [f"# {line}" for line in f"{result.status.value}: {printable(result.why)}".splitlines()]
    return [*reason, f"not ok {number} {name}"]


def _one_line(text: str) -> str:
    return " ".join(text.split())
