# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario files: what they become, and how the wrong ones are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dmabed import layout, paths, scenario, storyline
from dmabed.errors import InputError
from dmabed.scenario import DeviceExpectation, Scenario
from dmabed.steps import Expect, JobHardware, Operation, Via

GOOD = """\
scenario: story
purpose: >-
  A promise in
  two lines.
rows: [C6, D1]
layouts: [imx8mp-6g, bcm2711-pi4]
tags: [mine]
timeout: 5
devices:
  codec: {address-bits: 31}
steps:
  - export: {buffer: a, size: 1MiB, storage: fixed, address: 0x50000000, flags: [dynamic]}
  - export: {buffer: b, size: 64KiB}
  - attach: {device: codec, buffer: a}
  - attach: {device: codec, buffer: b}
  - fill: {device: codec, buffer: a, seed: 7, offset: 64KiB}
    as: filled
    hardware: {via: any, violations: [addr-width], touches: b, below: 4GiB}
  - copy: {device: codec, from: a, to: b}
  - submit: {device: codec, operation: digest, buffer: b, size: 4KiB}
    as: reading
  - map: {device: codec, buffer: b}
    thread: other
    expect: {segments: 1, below: 4GiB}
  - wait: {job: reading, timeout: 2.5}
    expect: {pattern: 7}
  - join: {thread: other}
  - cpu-digest: {buffer: b, offset: 8}
    expect: {pattern: 7}
  - ram-digest: {buffer: b}
    expect: {same-as: reading}
  - detach: {device: codec, buffer: b}
  - close: {buffer: b}
hardware:
  codec: {jobs: 3, guest-errors: 0}
"""
LINE = {text.strip(): number for number, text in enumerate(GOOD.splitlines(), 1)}


def load(folder: Path, text: str = GOOD) -> Scenario:
    file = folder / "any-name.yaml"
    file.write_text(text, encoding="utf-8")
    return scenario.load(file)


def refuse(folder: Path, old: str, new: str) -> str:
    """The message for the good file with one thing changed."""
    assert old in GOOD, "the test itself is wrong"
    with pytest.raises(InputError) as raised:
        load(folder, GOOD.replace(old, new, 1))
    return str(raised.value)


def test_values(tmp_path: Path) -> None:
    story = load(tmp_path)
    assert story.name == "story"
    assert story.purpose == "A promise in two lines."
    assert story.rows == ("C6", "D1")
    assert story.timeout_s == 5
    assert story.device_overrides == {"codec": {"address-bits": 31}}
    assert story.hardware == {"codec": DeviceExpectation(jobs=3, guest_errors=0)}
    assert story.devices == ("codec",)


def test_steps(tmp_path: Path) -> None:
    steps = load(tmp_path).steps
    export, _, _, _, fill, copy, submit, mapped, wait = steps[:9]
    assert export.args == {
        "buffer": "a",
        "size": 1 << 20,
        "storage": "fixed",
        "address": 0x50000000,
        "flags": ("dynamic",),
    }
    assert fill.line == LINE["- fill: {device: codec, buffer: a, seed: 7, offset: 64KiB}"]
    assert fill.operation == Operation("codec", "fill", None, "a", 7, 0x10000, 0xF0000)
    assert fill.hardware == JobHardware(Via.ANY, ("addr-width",), "b", below=1 << 32)
    assert copy.operation == Operation("codec", "copy", "a", "b", 0, 0, 0x10000)
    assert copy.hardware == JobHardware()
    assert submit.operation == Operation("codec", "digest", "b", None, 0, 0, 4096)
    assert (mapped.thread, mapped.expect) == ("other", Expect(segments=1, below=1 << 32))
    assert wait.operation == submit.operation
    assert (wait.args["timeout"], wait.expect.pattern) == (2.5, 7)


def test_defaults_are_filled_in(tmp_path: Path) -> None:
    steps = load(tmp_path).steps
    assert steps[1].args == {"buffer": "b", "size": 0x10000, "storage": "auto", "flags": ()}
    assert steps[10].args == {"buffer": "b", "offset": 8, "size": 0x10000 - 8, "sync": True}
    assert steps[11].args == {"buffer": "b", "size": 0x10000}


def test_what_a_step_is_called(tmp_path: Path) -> None:
    steps = load(tmp_path).steps
    names = [steps[index].what for index in (0, 4, 5, 6, 7, 8)]
    assert names == [
        "export a",
        "fill codec a",
        "copy codec a b",
        "submit codec digest b",
        "[other] map codec b",
        "wait reading",
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("- fill:", "- fil:", ["'fill'?", "export,"]),
        ("seed: 7, off", "sed: 7, off", ["steps[4].fill.sed: unknown key", "did you mean 'seed'"]),
        ("tags:", "tag:", ["tag: unknown key", "'tags'?"]),
        ("size: 1MiB", "size: -1", ["-1 is negative", "export.size"]),
        ("size: 1MiB", "size: 0", ["no bytes"]),
        ("size: 1MiB, storage", "storage", ["'size' is missing"]),
        ("rows: [C6, D1]", "rows: [C6, D99]", ["rows[1]: 'D99' is no row of docs/semantics.md", "C15"]),
        ("[imx8mp-6g, bcm", "[imx8mp, bcm", ["layouts[0]: there is no layout 'imx8mp'", "imx8mp-6g"]),
        ("address: 0x50000000, ", "", ["storage 'fixed' needs an address"]),
        ("storage: fixed, ", "", ["export.address", "only storage 'fixed'"]),
        ("buffer: b, size: 64KiB", "buffer: a, size: 64KiB", ["buffer 'a' is there already"]),
        ("buffer: a, seed", "buffer: c, seed", ["there is no buffer 'c' here; allowed: a, b"]),
        ("offset: 64KiB}", "offset: 1MiB}", ["offset 1048576 is beyond the buffer", "less than 1MiB"]),
        ("offset: 64KiB}", "offset: 4}", ["a multiple of 8"]),
        (
            "offset: 64KiB}",
            "offset: 64KiB, size: 1MiB}",
            ["do not fit the buffer; allowed: 1 to 983040"],
        ),
        ("- attach: {device: codec, buffer: b}\n", "- buffer: {buffer: b}\n", ["not attached to 'b'"]),
        ("device: codec, buffer: b}\n  - fill", "device: codec, buffer: a}\n  - fill", ["already"]),
        (
            "operation: digest, buffer: b, size",
            "operation: digest, buffer: b, seed: 1, size",
            ["for digest"],
        ),
        ("operation: digest, buffer: b, size", "operation: copy, from: b, size", ["'to' is missing"]),
        ("touches: b", "touches: z", ["hardware.touches", "no buffer 'z'"]),
        ("job: reading", "job: writing", ["no job 'writing'", "allowed: reading"]),
        ("expect: {pattern: 7}", "expect: {mismatch: 7}", ["a digest has no such answer", "pattern"]),
        ("expect: {segments: 1,", "expect: {status: ok,", ["map has no such answer", "segments"]),
        ("join: {thread: other}", "join: {thread: none}", ["no thread 'none'", "allowed: other"]),
        ("  - join: {thread: other}\n", "", ["thread 'other' is never joined"]),
        ("as: reading", "as: filled", ["the name 'filled' is taken"]),
        ("same-as: reading", "same-as: filled", ["no digest 'filled'", "allowed: reading"]),
        ("  - detach:", "  - close: {buffer: b}\n  - map:", ["buffer 'b' was closed before"]),
        ("    as: filled\n", "    thread: t\n", ["'thread' has no meaning for fill"]),
        ("  - copy: {", "  - {fill: {device: codec, buffer: a}, copy: {", ["broken YAML"]),
        ("  - join: {thread: other}\n", "  - expect: {}\n", ["a step needs a verb"]),
        (
            "    as: filled\n",
            "    digest: {device: codec, buffer: a}\n",
            ["one verb", "fill and digest"],
        ),
        ("timeout: 5", "timeout: 0", ["timeout", "more than 0"]),
        ("expect: {same-as: reading}", "expect: {corrupted-at: 0}", ["of a pattern", "with 'pattern'"]),
        (
            "2.5}\n    expect: {pattern: 7}",
            "2.5}\n    expect: {pattern: 7, corrupted-at: 4KiB}",
            ["byte 4096 is not digested", "0 to 4095"],
        ),
        (
            "offset: 8}\n    expect: {pattern: 7}",
            "offset: 8}\n    expect: {pattern: 7, corrupted-at: 7}",
            ["byte 7 is not digested", "8 to 65535"],
        ),
        ("via: any", "via: magic", ["direct, remapped, bounce, any"]),
    ],
)
def test_refusals(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    message = refuse(tmp_path, old, new)
    assert "any-name.yaml:" in message
    for word in words:
        assert word in message


def test_refusal_names_the_line(tmp_path: Path) -> None:
    number = LINE["- wait: {job: reading, timeout: 2.5}"]
    assert f"any-name.yaml:{number}: steps[8].wait.job:" in refuse(tmp_path, "job: reading", "job: writing")


def test_nonsense_may_be_asked_of_the_kernel(tmp_path: Path) -> None:
    steps = "  - export: {buffer: z, size: 0}\n    expect: {errno: EINVAL}\n  - detach:"
    story = load(tmp_path, GOOD.replace("  - detach:", steps, 1))
    assert story.steps[12].expect.errno == "EINVAL"
    steps = "  - digest: {device: codec, buffer: b, offset: 4GiB, size: 4}\n    expect: {errno: EINVAL}\n"
    operation = load(tmp_path, GOOD.replace("  - detach:", f"{steps}  - detach:", 1)).steps[12].operation
    assert operation is not None
    assert (operation.offset, operation.length) == (4 << 30, 4)


def test_buffer_that_was_refused_is_not_there(tmp_path: Path) -> None:
    steps = (
        "  - export: {buffer: z, size: 1}\n    expect: {errno: ENOMEM}\n  - buffer: {buffer: z}\n  - detach:"
    )
    assert "there is no buffer 'z'" in refuse(tmp_path, "  - detach:", steps)


def test_closed_buffer_can_only_be_let_go(tmp_path: Path) -> None:
    end = "  - detach: {device: codec, buffer: b}\n  - close: {buffer: b}\n"
    closed = "  - close: {buffer: b}\n  - unmap: {device: codec, buffer: b}\n"
    again = "  - export: {buffer: b, size: 4KiB}\n"
    assert "still attached; allowed: detach it first" in refuse(tmp_path, end, closed + again)
    detached = closed + "  - detach: {device: codec, buffer: b}\n"
    assert load(tmp_path, GOOD.replace(end, detached + again)).steps[-1].verb == "export"
    assert "was closed before" in refuse(tmp_path, end, closed + "  - map: {device: codec, buffer: b}\n")


def test_wait_that_times_out_can_be_repeated(tmp_path: Path) -> None:
    old = "  - wait: {job: reading, timeout: 2.5}\n"
    again = "  - wait: {job: reading, timeout: 0.1}\n    expect: {errno: ETIMEDOUT}\n" + old
    assert load(tmp_path, GOOD.replace(old, again)).steps[9].verb == "wait"
    assert "no job 'reading'" in refuse(tmp_path, old, old + old)


HEAP = """\
  - heap: {buffer: h, size: 4KiB}
  - attach: {device: codec, buffer: h}
  - digest: {device: codec, buffer: h}
"""


def test_heap_buffers_tell_nobody_where_they_are(tmp_path: Path) -> None:
    story = load(tmp_path, GOOD.replace("  - detach:", f"{HEAP}  - detach:", 1))
    assert story.steps[14].hardware == JobHardware(via=Via.ANY)
    message = refuse(tmp_path, "  - detach:", f"{HEAP}    hardware: {{via: direct}}\n  - detach:")
    assert "nobody tells where a heap buffer is" in message
    assert "nobody tells" in refuse(
        tmp_path, "  - detach:", f"{HEAP}  - ram-digest: {{buffer: h}}\n  - detach:"
    )


def test_device_that_the_layout_lacks(tmp_path: Path) -> None:
    story = load(
        tmp_path,
        GOOD.replace("device: codec, buffer: a, seed", "device: npu, buffer: a, seed").replace(
            "  - fill", "  - attach: {device: npu, buffer: a}\n  - fill"
        ),
    )
    scenario.check_layout(story, layout.find("imx8mp-6g"))
    with pytest.raises(InputError) as raised:
        scenario.check_layout(story, layout.find("bcm2711-pi4"))
    message = str(raised.value)
    assert "any-name.yaml:16: steps[4].attach.device: layout bcm2711-pi4 has no device 'npu'" in message
    assert "capture, codec, gpu, display, usb-camera" in message


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("  codec: {address", "  nope: {address", 10), ("  codec: {jobs", "  nope: {jobs", 35)],
)
def test_device_elsewhere_that_the_layout_lacks(tmp_path: Path, old: str, new: str, line: int) -> None:
    story = load(tmp_path, GOOD.replace(old, new))
    with pytest.raises(InputError, match=rf"any-name.yaml:{line}: .*has no device 'nope'"):
        scenario.check_layout(story, layout.find("imx8mp-6g"))


# ---- configs/scenarios ----


def test_shipped_scenarios_load_and_fit_their_layouts() -> None:
    shipped = scenario.find([])
    known = {name: layout.find(name) for name in layout.names()}
    assert len(shipped) >= 6
    for story in shipped:
        assert story.tags
        for name in story.layouts:
            assert scenario.open_parts(story, known[name]) == []
            scenario.check_layout(scenario.for_layout(story, known[name]), known[name])
            layout.override(known[name], story.device_overrides, story.document)


def test_shipped_scenario_has_its_files_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario, "SCENARIOS", tmp_path)
    with pytest.raises(InputError, match=r"scenario: the name differs from the file's; allowed: any-name"):
        load(tmp_path)


def test_find_by_name_tag_and_file(tmp_path: Path) -> None:
    load(tmp_path)
    file = str(tmp_path / "any-name.yaml")
    assert [s.name for s in scenario.find(["share-three-devices"])] == ["share-three-devices"]
    assert [s.name for s in scenario.find([file])] == ["story"]
    base = scenario.find(["base"])
    assert len(base) > 5
    assert [s.name for s in scenario.find(["base", "share-three-devices"])] == [s.name for s in base]


def test_find_by_row() -> None:
    found = scenario.find(["C7"])
    assert len(found) > 1
    assert all("C7" in each.rows for each in found)


def test_find_says_what_is_near() -> None:
    with pytest.raises(InputError) as raised:
        scenario.find(["share-tree-devices"])
    assert "no scenario has the name, tag or row 'share-tree-devices'" in str(raised.value)
    assert len(str(raised.value)) < 400
    assert "did you mean share-three-devices" in str(raised.value)


def test_find_of_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match="cannot be read"):
        scenario.find(["nowhere/x.yaml"])


def test_schema_and_code_know_the_same_verbs() -> None:
    schema = json.loads((paths.SCHEMAS / "scenario.schema.json").read_text(encoding="utf-8"))
    assert set(schema["$defs"]["verbs"]) == set(storyline._TELL)


def test_the_document_describes_every_verb_and_key() -> None:
    text = (paths.ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    schema = json.loads((paths.SCHEMAS / "scenario.schema.json").read_text(encoding="utf-8"))["$defs"]
    words = {*schema["verbs"], *schema["expect"]["properties"], *schema["job-hardware"]["properties"]}
    assert [word for word in sorted(words) if f"`{word}`" not in text] == []
