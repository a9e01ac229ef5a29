# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as JUnit XML, which every CI shows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from dmabed.findings import Status
from dmabed.outcome import ScenarioResult

# XML 1.0 has no way to write these, and a panic's text may hold them.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_ELEMENTS = {Status.FAILED: Failure, Status.ERROR: Error, Status.SKIPPED: Skipped}


def render(results: Sequence[ScenarioResult]) -> str:
    """The whole document."""
    suite = TestSuite("dmabed")
    for result in results:
        suite.add_testcase(_case(result))
    document = JUnitXml()
    document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    return str(document.tostring().decode())  # type: ignore[no-untyped-call]


def _case(result: ScenarioResult) -> TestCase:
    case = TestCase(clean(result.name), classname=clean(result.layout), time=round(result.seconds, 3))
    element = _ELEMENTS.get(result.status)
    if element is not None:
        case.result = [element(clean(result.why))]
    if result.directory:
        case.system_out = f"logs and evidence: {clean(result.directory)}"
    return case


def clean(text: str) -> str:
    """``text`` with what XML cannot hold shown as its number."""
    return _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
