# SPDX-License-Identifier: GPL-2.0-or-later
"""The output of the guest's test program, judged line by line: pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dmabed.answers import OddAnswer

_PLAN = re.compile(r"1\.\.(\d+)")
_RESULT = re.compile(r"(not ok|ok) (\d+)(?: -)? (\S+)(?:\s+# SKIP ?(.*))?")


@dataclass(frozen=True)
class GuestTests:
    """What a KTAP report of one level says."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    """Each with the diagnostic lines that stand before its result."""
    skipped: tuple[str, ...]
    trouble: str
    """What makes the report as a whole worthless, or nothing."""


def of_run(result: Mapping[str, Any]) -> GuestTests:
    """Read the result of the agent's ``run``. Raises OddAnswer."""
    try:
        text = base64.b64decode(result["stdout"], validate=True).decode("utf-8", "replace")
    except (KeyError, TypeError, binascii.Error) as error:
        raise OddAnswer(f"the program's output cannot be read: {error}") from None
    if result.get("timed-out"):
        return parse(text, "the program did not end in its time")
    if result.get("signal") is not None:
        return parse(text, f"the program was killed by signal {result['signal']}")
    report = parse(text, "the output was cut" if result.get("truncated") else "")
    if not report.trouble and (result.get("status") == 0) != (not report.failed):
        return parse(text, f"the program ended with {result.get('status')}, which its results do not explain")
    return report


def parse(text: str, trouble: str = "") -> GuestTests:
    """Read KTAP, version 1; a plan that is not kept is trouble."""
    passed: list[str] = []
    failed: list[str] = []
    skipped: list[str] = []
    diagnostics: list[str] = []
    plan, numbers = None, 0
    for line in text.splitlines():
        if match := _PLAN.fullmatch(line):
            plan = int(match[1])
        elif match := _RESULT.fullmatch(line.rstrip()):
            numbers += 1
            if int(match[2]) != numbers:
                trouble = trouble or f"result {match[2]} follows result {numbers - 1}"
            if match[1] == "not ok":
                failed.append(" ".join([match[3], *diagnostics]))
            elif match[4] is not None:
                skipped.append(f"{match[3]} was skipped: {match[4] or 'no reason given'}")
            else:
                passed.append(match[3])
            diagnostics = []
        elif line.startswith("# "):
            diagnostics.append(line[2:])
    if not trouble:
        trouble = _broken_plan(plan, numbers)
    return GuestTests(tuple(passed), tuple(failed), tuple(skipped), trouble)


def _broken_plan(plan: int | None, results: int) -> str:
    if plan is None:
        return "there is no plan"
    if plan != results:
        return f"{plan} tests were announced and {results} have a result"
    return "no test was run" if not results else ""
