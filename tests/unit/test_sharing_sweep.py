# SPDX-License-Identifier: GPL-2.0-or-later
"""The sweep over cells, as far as it needs no guest: nothing is lost when guests break."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from sharing_layouts import KIB, device, layout

from dmabed.errors import LaunchError
from dmabed.evidence import Activity, EvidenceError
from dmabed.sharing import cells, sweep
from dmabed.sharing.outcomes import Kind
from dmabed.sharing.placement import Exporter
from dmabed.sharing.sweep import Sweep, Swept
from dmabed.testbed import Testbed

PLAN = cells.plan(layout(device("dut"), device("wide")), list(Exporter), [4 * KIB])


class NoGuest:
    """A testbed whose guests do not come up, and leave a console."""

    def __init__(self, console: str = "") -> None:
        self.starts = 0
        self._console = console

    def start(self, _layout: Any, directory: Path) -> Any:
        self.starts += 1
        directory.mkdir(parents=True)
        (directory / "console.log").write_text(self._console)
        raise LaunchError("the guest did not become ready", why="a long story")


def swept(testbed: NoGuest, folder: Path) -> Swept:
    found: list[Swept] = []
    Sweep(cast(Testbed, testbed), folder).run([PLAN], 1, found.append)
    (only,) = found
    return only


def test_cells_that_no_guest_came_to_are_errors(tmp_path: Path) -> None:
    testbed = NoGuest()
    results = swept(testbed, tmp_path).results
    assert testbed.starts == 2, "one for each importer, for each could be what breaks it"
    assert [result.cell for result in results] == list(PLAN.cells)
    assert {(result.outcome.kind, result.why) for result in results} == {
        (Kind.ERROR, "the guest did not become ready")
    }
    assert all(result.unexpected for result in results)


def test_a_layout_on_which_all_guests_break_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "GUESTS", 1)
    results = swept(NoGuest(), tmp_path).results
    assert len(results) == len(PLAN.cells)
    assert {result.why for result in results} == {"the guest did not become ready", "no guest came to it"}


def test_what_a_refusal_makes_the_kernel_say_is_no_complaint(tmp_path: Path) -> None:
    refusal = (
        "[    1.000000] ------------[ cut here ]------------\n"
        "[    1.000000] dmabed-engine 1000.engine: swiotlb addr 0x1+4096 overflow (mask ff, bus limit 0).\n"
        "[    1.000000] WARNING: CPU: 0 PID: 1 at kernel/dma/swiotlb.c:1617 swiotlb_map+0x1/0x2\n"
        "[    1.000000] ---[ end trace 0000000000000000 ]---\n"
    )
    other = "[    2.000000] WARNING: possible circular locking dependency detected\n"
    assert swept(NoGuest(refusal), tmp_path / "one").complaints == ()
    complaints = swept(NoGuest(refusal + other), tmp_path / "two").complaints
    assert complaints
    assert "circular locking" in complaints[0]


def test_a_device_that_did_other_jobs_than_the_guest_says() -> None:
    did = Activity("dut", 2, 0, 0, {}, (range(1, 3),))
    sweep.check_count(did, 2)
    for submitted in (1, 3):
        with pytest.raises(EvidenceError, match=f"did 2 jobs, the guest submitted {submitted}"):
            sweep.check_count(did, submitted)


def test_an_iommu_that_was_off() -> None:
    def reading(untranslated: int) -> sweep.Reading:
        return sweep.Reading({}, {"untranslated": untranslated})

    reading(7).check_translated(reading(7))
    sweep.Reading({}, None).check_translated(sweep.Reading({}, None))
    with pytest.raises(EvidenceError, match="let 2 accesses through untranslated"):
        reading(7).check_translated(reading(9))
