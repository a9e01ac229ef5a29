# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as JUnit XML, which every CI shows."""

from __future__ import annotations

from collections.abc import Sequence

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from dmabed.findings import Status
from dmabed.outcome import ScenarioResult, printable

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
    case = TestCase(printable(result.name), classname=printable(result.layout), time=round(result.seconds, 3))
    element = _ELEMENTS.get(result.status)
    if element is not None:
        case.result = [element(printable(result.why))]
    if result.directory:
        where = f"logs and evidence: {printable(result.directory)}"
        case.system_out = f"generation of dma-buf: {result.generation}\n{where}"
    return case
