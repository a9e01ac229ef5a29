# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps of video devices and displays: what they become, what is refused, how they are judged."""

from __future__ import annotations

import base64
import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from dmabed import layout, media_checks, media_evidence, report
from dmabed import scenario as scenarios
from dmabed.case import Case
from dmabed.errors import InputError
from dmabed.evidence import EvidenceError
from dmabed.findings import Status, Verdict
from dmabed.outcome import Entry, ScenarioResult
from dmabed.picture import Picture
from dmabed.steps import Frame
from dmabed.transcript import StepRecord, Transcript

HEAD = """\
scenario: story
purpose: A frame goes through.
layouts: [testbed-media]
pictures:
  seen: {seed: 3, frame: 0, width: 64, height: 48}
  turned: {of: seen, rotate: 90}
steps:
"""
STEPS = """\
  - video-open: {video: rot, device: rotate}
  - drm-open: {drm: lcd, device: display}
  - video-format: {video: rot, queue: output, width: 64, height: 48}
  - video-format: {video: rot, width: 48, height: 64}
  - drm-buffer: {drm: lcd, buffer: in, width: 64, height: 48}
  - drm-buffer: {drm: lcd, buffer: out, width: 48, height: 64}
  - drm-buffer: {drm: lcd, buffer: spare, width: 48, height: 64}
  - video-queue: {video: rot, queue: output, buffer: in}
  - video-queue: {video: rot, index: 0, buffer: out}
  - video-queue: {video: rot, index: 1, buffer: spare}
  - video-dequeue: {video: rot}
    hardware: {reads: seen, writes: turned}
  - drm-show: {drm: lcd, buffer: out, width: 48, height: 64}
    hardware: {reads: turned}
  - drm-crc: {drm: lcd}
    expect: {picture: turned}
"""
DEQUEUE, SHOW = 10, 11
SEEN = Picture(3, 0, 64, 48)
TURNED = Picture(3, 0, 64, 48, rotate=90)
IN_AT, OUT_AT = 0x50000000, 0x51000000


def load(folder: Path, steps: str = STEPS, head: str = HEAD) -> scenarios.Scenario:
    file = folder / "story.yaml"
    file.write_text(head + steps, encoding="utf-8")
    return scenarios.load(file)


def test_frames_follow_from_the_order(tmp_path):
    story = load(tmp_path)
    assert story.steps[DEQUEUE].frame == Frame("rotate", "in", "out")
    assert story.steps[DEQUEUE].hardware.reads == SEEN
    assert story.steps[DEQUEUE].hardware.writes == TURNED
    assert story.steps[SHOW].frame == Frame("display", "out", None)
    assert story.steps[5].args["size"] == 48 * 64 * 4


def test_a_driver_without_a_block_has_no_frame(tmp_path):
    steps = STEPS.replace("device: rotate", "driver: vim2m")
    assert load(tmp_path, steps).steps[DEQUEUE].frame is None


OPEN = "  - drm-open: {drm: lcd"
TAKE = "  - video-dequeue: {video: rot}\n"
OFF = "  - video-stream: {video: rot, on: false}\n"
PUT = "  - video-queue: {video: rot, queue: output, buffer: in}"
CRC = "  - drm-crc: {drm: lcd}\n    expect: {picture: turned}"
REFUSED = [
    ("rot, device: rotate}", "rot}", "found by device or by driver"),
    ("rot, device: rotate}", "rot, device: rotate, driver: x}", "found by device or by driver"),
    (f"{OPEN}, device: display}}\n", "", "drm 'lcd' is not open"),
    ("- video-dequeue: {video: rot}", "- video-dequeue: {video: cam}", "video 'cam' is not open"),
    (OPEN, f"  - video-open: {{video: rot, device: camera}}\n{OPEN}", "open already"),
    (PUT, "  - video-queue: {video: rot, buffer: no}", "no buffer 'no'"),
    ("drm: lcd, buffer: out,", "drm: lcd, buffer: in,", "'in' is there already"),
    (TAKE, OFF + TAKE, "nothing is left in queue capture"),
    ("reads: seen, writes: turned", "reads: soon", "there is no picture 'soon'"),
    ("reads: seen, writes: turned", "segments: 1", "video-dequeue has no such expectation"),
    (CRC, CRC.replace("picture: turned", "pattern: 1"), "drm-crc has no such answer"),
    (OPEN, f"  - video-export: {{video: rot, buffer: x}}\n{OPEN}", "how large a picture is"),
]


@pytest.mark.parametrize(("old", "new", "message"), REFUSED)
def test_what_cannot_work_is_refused(tmp_path, old, new, message):
    assert old in STEPS
    with pytest.raises(InputError, match=message):
        load(tmp_path, STEPS.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{of: seen, rotate: 90}", "{of: turned}", "picture 'turned' comes of itself"),
        ("{of: seen, rotate: 90}", "{of: nothing}", "there is no picture 'nothing'"),
        ("{of: seen, rotate: 90}", "{seed: 1}", "key 'frame' is missing"),
        ("rotate: 90", "rotate: 45", "rotate"),
    ],
)
def test_pictures_that_are_none(tmp_path, old, new, message):
    with pytest.raises(InputError, match=message):
        load(tmp_path, head=HEAD.replace(old, new))


# ---- the second witness ----


def side(address: int | None, picture: Picture | None) -> dict[str, Any]:
    if picture is None:
        return {"ranges": [], "ranges-dropped": 0, "bytes": 0, "sha256": "e" * 64}
    length = len(picture.data())
    where = [{"bus": address, "length": length}]
    return {"ranges": where, "ranges-dropped": 0, "bytes": length, "sha256": picture.sha256()}


def evidence(op: str, read: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    operation = {
        "seq": 1, "op": op, "status": "ok", "figures": {"width": 64}, "read": read, "written": written,
        "violations": [], "violations-dropped": 0, "cut": False,
    }  # fmt: skip
    return {"ops-total": 1, "ops-cut": 0, "guest-errors": 0, "ops": [operation]}


NOTHING: dict[str, Any] = {"ops-total": 0, "ops-cut": 0, "guest-errors": 0, "ops": []}


@pytest.fixture
def media() -> dict[str, Any]:
    """What honest blocks recorded."""
    return {
        "camera": copy.deepcopy(NOTHING),
        "rotate": evidence("rotate", side(IN_AT, SEEN), side(OUT_AT, TURNED)),
        "display": evidence("frame", side(OUT_AT, TURNED), side(None, None)),
    }


def judge(folder: Path, media: dict[str, Any], steps: str = STEPS) -> Case:
    story = load(folder, steps)
    records = [StepRecord(step.index, 0, 0, {"ok": True, "result": {}}) for step in story.steps]
    records[DEQUEUE] = StepRecord(DEQUEUE, 0, 0, {"ok": True, "result": {}}, picture=1)
    records[SHOW] = StepRecord(SHOW, 0, 0, {"ok": True, "result": {}}, picture=1)
    before = dict.fromkeys(media, NOTHING)
    transcript = Transcript("story", "testbed-media", tuple(records), {}, media=media, media_before=before)
    case = Case(story, layout.find("testbed-media"), transcript)
    media_checks.judge_media(case)
    return case


def test_an_honest_record_passes(tmp_path, media):
    case = judge(tmp_path, media)
    assert case.log.findings == []
    assert case.log.checks >= 8


def spoil_bytes(media):
    media["rotate"]["ops"][0]["read"]["sha256"] = "0" * 64


def spoil_place(media):
    media["display"]["ops"][0]["read"]["ranges"][0]["bus"] = IN_AT


def spoil_status(media):
    media["rotate"]["ops"][0]["status"] = "bus-error"


def spoil_violation(media):
    media["rotate"]["ops"][0]["violations"] = [{"bus": 0, "length": 1}]


def spoil_missing(media):
    media["rotate"] = copy.deepcopy(NOTHING)


def spoil_dropped(media):
    media["rotate"]["ops"] = []


def spoil_cut(media):
    operation = media["rotate"]["ops"][0]
    for way in ("read", "written"):
        operation[way].update({"ranges": [], "ranges-dropped": 1})
    operation["cut"] = True
    media["rotate"]["ops-cut"] = 1


def spoil_guest_error(media):
    media["camera"]["guest-errors"] = 1


def spoil_no_evidence(media):
    media["rotate"] = None


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_bytes, "the picture computed here"),
        (spoil_place, "direct is expected"),
        (spoil_status, "ended its picture with bus-error"),
        (spoil_violation, "saw 1 violations"),
        (spoil_missing, "has no record of this picture"),
        (spoil_dropped, "its record of picture 1 was dropped"),
        (spoil_cut, "the lists of picture 1 were dropped from its record"),
        (spoil_guest_error, "logged 1 guest errors"),
        (spoil_no_evidence, "could not be read at the end"),
    ],
)
def test_one_spoiled_thing_is_found(tmp_path, media, spoil, words):
    spoil(media)
    findings = judge(tmp_path, media).log.findings
    assert findings
    assert words in findings[0].sentence


def test_a_bounce_must_be_one(tmp_path, media):
    steps = STEPS.replace("hardware: {reads: turned}", "hardware: {reads: turned, via: bounce}")
    assert "bounce is expected" in judge(tmp_path, media, steps).log.findings[0].sentence
    spoil_place(media)
    media["display"]["ops"][0]["read"]["ranges"][0]["bus"] = 0x7E000000
    assert judge(tmp_path, media, steps).log.findings == []


@pytest.mark.parametrize(
    "key", ["seq", "status", "figures", "read", "violations", "violations-dropped", "cut"]
)
def test_evidence_without_a_field_is_none(media, key):
    del media["rotate"]["ops"][0][key]
    with pytest.raises(EvidenceError, match=key):
        media_evidence.during("rotate", NOTHING, media["rotate"])


def test_cut_pictures_are_counted(media):
    media["rotate"]["ops"][0]["cut"] = True
    with pytest.raises(EvidenceError, match="'ops-cut' does not agree"):
        media_evidence.during("rotate", NOTHING, media["rotate"])


def test_evidence_that_went_backwards(media):
    with pytest.raises(EvidenceError, match="went backwards"):
        media_evidence.during("rotate", media["rotate"], NOTHING)


# ---- the report ----


def test_the_report_shows_blocks_and_screens(tmp_path, media):
    steps = STEPS + "  - screendump: {device: display}\n    expect: {picture: turned}\n"
    case = judge(tmp_path, media, steps)
    shown = len(case.scenario.steps) - 1
    answer = {"ok": True, "result": {"file": "screen-1.png"}}
    records = [*case.transcript.steps[:-1], StepRecord(shown, 0, 0, answer)]
    transcript = dataclasses.replace(case.transcript, steps=tuple(records))
    (tmp_path / "screen-1.png").write_bytes(b"picture")
    entry = Entry(case.scenario, case.layout, Verdict(Status.PASSED, "all is well"), transcript)
    result = ScenarioResult("story", "testbed-media", Status.PASSED, 1.0, (), "all is well")
    section = report._section("one", result, entry, tmp_path)
    assert "rotate, ok, read 12288 bytes at bus 0x50000000" in section.steps[DEQUEUE].hardware
    assert base64.b64decode(section.screens[0].png) == b"picture"
    lanes = {lane.label: lane.marks for lane in section.map.lanes}
    assert [mark.kind for mark in lanes["rotate"]] == ["read", "written"]
    assert "display" in lanes
    assert "camera" not in lanes
