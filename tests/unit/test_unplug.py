# SPDX-License-Identifier: GPL-2.0-or-later
"""Cards that leave their slot: the story, the layout, and evidence over several lives."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from recorded import NOT_TRANSLATED

from dmabed import evidence, scenario, tamper
from dmabed import layout as layouts
from dmabed.errors import InputError
from dmabed.evidence import BLANK, EvidenceError
from dmabed.transcript import Departed, Transcript

HEAD = "scenario: story\npurpose: a story\nlayouts: [testbed-pci]\nsteps:\n"

_JOB: dict[str, Any] = {
    **dict.fromkeys(("seq", "cookie", "bytes", "seed", "start-ns", "end-ns"), 1),
    **dict.fromkeys(("src-dropped", "dst-dropped", "read-dropped", "written-dropped"), 0),
    **NOT_TRANSLATED,
    **dict.fromkeys(("src", "dst", "read", "written", "violations"), ()),
    "op": "digest",
    "status": "none",
    "length": 8,
    "sha256": "",
    "mismatch-at": -1,
    "done": False,
    "violations-dropped": 0,
    "cut": False,
    "injected": "none",
}


def _load(folder: Path, *steps: str) -> scenario.Scenario:
    file = folder / "story.yaml"
    file.write_text(HEAD + "".join(f"  - {step}\n" for step in steps), encoding="utf-8")
    return scenario.load(file)


def _words(*lengths: int) -> dict[str, Any]:
    """The record of a device that was given jobs of these lengths."""
    jobs = [{**_JOB, "seq": number, "length": length} for number, length in enumerate(lengths, 1)]
    return {**copy.deepcopy(dict(BLANK)), "jobs-total": len(jobs), "jobs": jobs}


def _transcript(**known: Any) -> Transcript:
    return Transcript(
        "story", "testbed-pci", (), **{"evidence": {}, "evidence_before": {"card": BLANK}, **known}
    )


# ---- the story ----


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (["plug: {device: card}"], ["plug.device", "card is in its slot here", "unplug it before"]),
        (["unplug: {device: card}", "unplug: {device: card}"], ["card is unplugged here", "plug it before"]),
        (["unplug: {device: card}", "hold: {device: card}"], ["hold.device", "card is unplugged here"]),
        (["unplug: {device: card}", "unbind: {device: card}"], ["unbind.device", "card is unplugged here"]),
        (["unplug: {device: card, how: gently}"], ["unplug.how", "asked, button, surprise, removed"]),
    ],
)
def test_refusals(tmp_path: Path, steps: list[str], words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        _load(tmp_path, *steps)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (["unplug: {device: npu}"], ["npu of testbed-pci is in no slot", "card, accel"]),
        (["unplug: {device: card}", "plug: {device: card, port: 2}"], ["slot 2 is not free", "0, 1, 3"]),
        (["unplug: {device: card}", "plug: {device: card, port: 9}"], ["slot 9 is not free"]),
    ],
)
def test_the_layout_has_no_such_slot(tmp_path: Path, steps: list[str], words: list[str]) -> None:
    story = _load(tmp_path, *steps)
    with pytest.raises(InputError) as caught:
        scenario.check_layout(story, layouts.find("testbed-pci"))
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_card_may_come_back_elsewhere(tmp_path: Path) -> None:
    story = _load(tmp_path, "unplug: {device: card}", "plug: {device: card, port: 0}", "hold: {device: card}")
    scenario.check_layout(story, layouts.find("testbed-pci"))
    assert [step.args.get("how") for step in story.steps] == ["asked", None, None]


# ---- evidence ----


def test_jobs_are_numbered_over_all_lives() -> None:
    """The third job never reached the card; the fourth is the first of its second life."""
    known = _transcript(departed={"card": (Departed(_words(10, 20), 3),)}, evidence={"card": _words(40)})
    found = evidence.of_transcript("card", known)
    lengths = {nth: job.length for nth in (1, 2, 3, 4, 5) if (job := found.job(nth))}
    assert lengths == {1: 10, 2: 20, 4: 40}
    assert found.jobs_done == 3


def test_a_driver_that_went_leaves_the_record_where_it_is() -> None:
    """The second job was dropped with the driver; the third is the second of the device."""
    then = _words(10)
    known = _transcript(
        departed={"card": (Departed(then, 2, gone=False),)}, evidence={"card": _words(10, 30)}
    )
    found = evidence.of_transcript("card", known)
    assert {nth: job.length for nth in (1, 2, 3) if (job := found.job(nth))} == {1: 10, 3: 30}
    assert tamper.apply("last-words-missing", known) == known


def test_a_card_that_stayed_away_has_its_last_words_alone() -> None:
    last = _words(10)
    known = _transcript(departed={"card": (Departed(last, 1),)}, evidence={"card": last}, away=("card",))
    assert evidence.of_transcript("card", known).jobs_done == 1


def test_a_card_that_came_back_must_be_asked() -> None:
    known = _transcript(departed={"card": (Departed(_words(10), 1),)}, evidence={"card": None})
    with pytest.raises(EvidenceError, match="could not be read at the end"):
        evidence.of_transcript("card", known)


def test_last_words_that_are_missing_are_an_error() -> None:
    last: Mapping[str, Any] = _words(10)
    known = _transcript(departed={"card": (Departed(last, 1),)}, evidence={"card": last}, away=("card",))
    with pytest.raises(EvidenceError, match="could not be read"):
        evidence.of_transcript("card", tamper.apply("last-words-missing", known))
