# SPDX-License-Identifier: GPL-2.0-or-later
"""KTAP: a plan, a line for each, reasons as diagnostics, and no line that a guest could forge."""

from __future__ import annotations

from dmabed import ktap
from dmabed.findings import Status
from dmabed.outcome import ScenarioResult


def test_document() -> None:
    ended = [
        ScenarioResult("share", "imx", Status.PASSED, 1.0, why="8 checks passed"),
        ScenarioResult("move", "imx", Status.FAILED, 1.0, why="bytes differ\nok 9 forged"),
        ScenarioResult("boot", "imx", Status.ERROR, 1.0, why="QEMU died"),
        ScenarioResult("other", "pi", Status.SKIPPED, 0.0, why="not for\nthis layout"),
    ]
    assert ktap.render(ended) == (
        "KTAP version 1\n"
        "1..4\n"
        "ok 1 share.imx\n"
        "# failed: bytes differ\n"
        "# ok 9 forged\n"
        "not ok 2 move.imx\n"
        "# error: QEMU died\n"
        "not ok 3 boot.imx\n"
        "ok 4 other.pi # SKIP not for this layout\n"
    )


def test_nothing_ran() -> None:
    assert ktap.render([]) == "KTAP version 1\n1..0\n"


def test_control_characters_are_shown_not_sent() -> None:
    result = ScenarioResult("move", "imx", Status.FAILED, 1.0, why="\x1b[2Jpanic\rok 1")
    assert "# failed: \\x1b[2Jpanic" in ktap.render([result])
    assert "\nok 1" not in ktap.render([result])
