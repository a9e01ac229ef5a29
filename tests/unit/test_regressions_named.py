# SPDX-License-Identifier: GPL-2.0-or-later
"""Regressions say where they come from and what tells them apart, and every SoC has one."""

from __future__ import annotations

from dmabed import layout, sabotage, scenario

REGRESSIONS = scenario.find(["regression"])


def test_each_names_its_report_and_a_switch_that_there_is() -> None:
    switches = {switch.name for switch in sabotage.load()}
    for one in REGRESSIONS:
        assert one.report, f"{one.file}: no report"
        assert one.told_apart_by in switches, f"{one.file}: no switch '{one.told_apart_by}'"


def test_every_layout_of_a_real_soc_has_one() -> None:
    covered = {name for one in REGRESSIONS for name in one.layouts}
    assert {name for name in layout.names() if not name.startswith("testbed-")} <= covered
