# SPDX-License-Identifier: GPL-2.0-or-later
"""report.html: complete, self-contained, and safe with whatever a guest printed."""

from __future__ import annotations

import re
from pathlib import Path

from recorded import DIGEST, LOW, SHARE, record_steps

from dmabed import addressmap, layout, report
from dmabed.findings import Status, Verdict
from dmabed.outcome import Entry, ScenarioResult
from dmabed.ranges import Run
from dmabed.results import Results

IMX = layout.find("imx8mp-6g")


def page(tmp_path: Path, *, spoiled: bool = False, why: str = "") -> str:
    story = record_steps(tmp_path, SHARE)
    if spoiled:
        story.job("codec")["sha256"] = "0" * 64
        story.answers[DIGEST - 1] = None
    verdict = story.verdict()
    results = Results(tmp_path, planned=1, versions={"qemu": "10.0.13"})
    result = ScenarioResult(
        "story", IMX.name, verdict.status, 1.5, ("C4",), why or verdict.why, ("codec",), "story.x"
    )
    results.add(result, Entry(story.scenario, IMX, verdict, story.transcript()))
    results.finish()
    return report.write(results).read_text(encoding="utf-8")


def test_passed_run(tmp_path: Path) -> None:
    text = page(tmp_path)
    assert 'dmabed: <span class="passed">passed</span>' in text
    for word in ("story", "imx8mp-6g", "10.0.13", "digest codec frame", "wrote bus 0x50100000+0x10000", "C4"):
        assert word in text
    assert 'class="bad"' not in text


def test_failed_run_shows_findings_and_the_bad_steps(tmp_path: Path) -> None:
    text = page(tmp_path, spoiled=True)
    assert "the guest was told" in text
    assert text.count('<tr class="bad">') == 2
    assert "no answer" in text


def test_picture_has_banks_buffers_and_devices(tmp_path: Path) -> None:
    text = page(tmp_path)
    for word in ("0x40000000, 3GiB", "buffer frame", "capture written", "codec read", "linux,cma"):
        assert word in text


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path) -> None:
    assert not re.search(r"(?:src|href)=\"(?!#|story\.x/)", page(tmp_path))


def test_guest_text_is_escaped(tmp_path: Path) -> None:
    text = page(tmp_path, why='panic <script>alert(1)</script> & "more"')
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_scenario_that_never_began(tmp_path: Path) -> None:
    results = Results(tmp_path, planned=2)
    results.add(
        ScenarioResult("gone", IMX.name, Status.ERROR, 0.1, why="QEMU did not start", directory="gone.x")
    )
    story = record_steps(tmp_path, SHARE)
    verdict = Verdict(Status.SKIPPED, "interrupted")
    skipped = ScenarioResult("story", IMX.name, Status.SKIPPED, 0.0, directory="story.x")
    results.add(skipped, Entry(story.scenario, IMX, verdict))
    results.finish(interrupted=True)
    text = report.write(results).read_text(encoding="utf-8")
    assert "QEMU did not start" in text
    assert "interrupted" in text


def test_small_marks_can_be_seen_and_lie_in_their_bank() -> None:
    high = Run(0x100000000, 4096)
    picture = addressmap.draw(IMX, {"a": [Run(LOW, 4096)], "b": [high]}, {"codec": {"read": [high]}})
    low_bank, high_bank = picture.banks
    by_label = {lane.label: lane.marks for lane in picture.lanes}
    (a,), (b,), (codec,) = by_label["buffer a"], by_label["buffer b"], by_label["codec"]
    assert a.width == b.width == addressmap.LEAST
    assert low_bank.x < a.x < low_bank.x + low_bank.width
    assert b.x == codec.x == high_bank.x


def test_run_over_two_banks_is_drawn_in_both_and_holes_in_none() -> None:
    picture = addressmap.draw(IMX, {"a": [Run(0xFFFFF000, 8192)], "hole": [Run(0x0, 4096)]}, {})
    by_label = {lane.label: lane.marks for lane in picture.lanes}
    assert len(by_label["buffer a"]) == 2
    assert by_label["buffer hole"] == ()
