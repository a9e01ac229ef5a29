# SPDX-License-Identifier: GPL-2.0-or-later
"""Every guest test is run by a scenario of its row: what no scenario runs proves nothing."""

from __future__ import annotations

import re

from dmabed import scenario
from dmabed.paths import ROOT

# TEST(C4, name) and TEST_EACH(C4, name) at the start of a line: see rootfs/tests/test.h
TEST = re.compile(r"^TEST(?:_EACH)?\(([A-Z][0-9]+),", re.MULTILINE)


def rows_of_the_tests() -> set[str]:
    sources = (ROOT / "rootfs" / "tests").glob("test_*.c")
    return {row for source in sources for row in TEST.findall(source.read_text())}


def rows_that_scenarios_run() -> set[str]:
    """Rows that a scenario both runs the guest tests of and claims to prove."""
    every = scenario.find([])
    return {
        test
        for one in every
        for step in one.steps
        if step.verb == "guest-test"
        for test in step.args["tests"]
        if test in one.rows
    }


def test_every_row_with_guest_tests_has_a_scenario_that_runs_them() -> None:
    assert rows_of_the_tests() > {"C4", "C15"}
    assert rows_of_the_tests() <= rows_that_scenarios_run()
