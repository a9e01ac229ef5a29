# SPDX-License-Identifier: GPL-2.0-or-later
"""A scenario in several generations of dma-buf: what differs, and how wrong ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import imx8mp

from dmabed import requests, scenario
from dmabed.errors import InputError
from dmabed.plan import Planned
from dmabed.steps import Expect

TEXT = """\
scenario: old-and-new
purpose: The ${generation} generation.
rows: [C6, P11, D1]
layouts: [imx8mp-6g]
generation: [current, posted, merged]
steps:
  - export: {buffer: frame, size: 64KiB}
  - heap: {buffer: modern, size: 64KiB}
  - attach: {device: codec, buffer: frame}
    expect: {errno: EBUSY, posted: {}}
  - sync: {buffer: frame, flags: [start, read]}
    when: {generation: current}
  - cpu-digest: {buffer: frame}
    expect: {same-as: nothing, current: {}, posted: {}, merged: {errno: ENODEV}}
  - cpu-digest: {buffer: modern}
  - attach: {device: codec, buffer: modern}
  - digest: {device: codec, buffer: modern}
    hardware: {via: any, merged: {via: any, segments: 1}}
  - unload: {module: exporter}
    expect: {errno: EAGAIN}
hardware:
  codec: {jobs: 1}
  merged: {codec: {jobs: 2}}
"""
ONE = """\
scenario: handles
purpose: Handles.
layouts: [imx8mp-6g]
generation: merged
steps:
  - export: {buffer: frame, size: 64KiB}
  - to-handle: {buffer: frame, handle: one}
    expect: {number: 1}
  - handle-info: {handle: one}
    expect: {storage: none}
  - from-handle: {handle: one, buffer: again}
  - from-handle: {handle: 77, buffer: none}
    expect: {errno: ENOENT}
  - from-handle: {handle: one, buffer: foreign}
    process: other
    expect: {errno: ENOENT}
  - cpu-digest: {buffer: again, through: exporter}
  - attach: {device: codec, buffer: again}
  - sync-for-cpu: {device: codec, buffer: again}
    expect: {errno: EOPNOTSUPP}
  - close-handle: {handle: one}
  - parameter: {module: exporter, name: fail_alloc, value: 1}
  - stats: {}
    expect: {counts: {buffers: 1, releases: 0}}
"""


def load(folder: Path, text: str) -> list[scenario.Scenario]:
    file = folder / "any.yaml"
    file.write_text(text)
    return scenario.load_all(file)


def refusal(folder: Path, text: str, old: str, new: str) -> str:
    assert old in text, "the test itself is wrong"
    with pytest.raises(InputError) as raised:
        load(folder, text.replace(old, new, 1))
    return str(raised.value)


# ---- several ----


def test_one_scenario_for_each_with_the_current_one_as_the_file(tmp_path: Path) -> None:
    found = load(tmp_path, TEXT)
    assert [each.name for each in found] == [
        "old-and-new",
        "old-and-new[generation=posted]",
        "old-and-new[generation=merged]",
    ]
    assert [each.generation for each in found] == ["current", "posted", "merged"]
    assert found[1].purpose == "The posted generation."
    folders = [Planned(each, imx8mp()).folder for each in found]
    assert folders[1] == "old-and-new-generation-posted.imx8mp-6g"
    assert len(set(folders)) == 3


def test_each_proves_its_own_rows_and_the_hardwares(tmp_path: Path) -> None:
    assert [each.rows for each in load(tmp_path, TEXT)] == [("C6", "D1"), ("P11", "D1"), ("D1",)]


def test_a_generations_own_expectation_takes_the_place_of_the_others(tmp_path: Path) -> None:
    current, posted, merged = (each.steps for each in load(tmp_path, TEXT))
    assert [steps[2].expect for steps in (current, posted, merged)] == [
        Expect(errno="EBUSY"),
        Expect(),
        Expect(errno="EBUSY"),
    ]
    assert merged[3].expect == Expect(errno="ENODEV")
    assert [steps[-2].hardware.segments for steps in (current, merged) if steps[-2].hardware] == [None, 1]


def test_the_devices_own_expectation_too(tmp_path: Path) -> None:
    assert [each.hardware["codec"].jobs for each in load(tmp_path, TEXT)] == [1, 1, 2]


def test_steps_of_one_generation(tmp_path: Path) -> None:
    assert [sum(s.verb == "sync" for s in each.steps) for each in load(tmp_path, TEXT)] == [1, 0, 0]


def test_older_fds_have_no_brackets_and_heaps_are_the_kernels(tmp_path: Path) -> None:
    _, posted, _ = load(tmp_path, TEXT)
    own, heap = (step for step in posted.steps if step.verb == "cpu-digest")
    assert (own.generation, own.args["sync"]) == ("posted", False)
    assert (heap.generation, heap.args["sync"]) == ("current", True)


def test_generations_beside_a_matrix(tmp_path: Path) -> None:
    text = TEXT.replace("steps:", "matrix:\n  size: [4KiB, 8KiB]\nsteps:", 1).replace("64KiB", '"${size}"')
    names = [each.name for each in load(tmp_path, text)]
    assert names[:2] == ["old-and-new[size=4KiB]", "old-and-new[size=4KiB,generation=posted]"]
    assert len(names) == 6


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("[current, posted, merged]", "[current, future]", "generation[1]: there is no generation 'future'"),
        ("[current, posted, merged]", "[posted, posted]", "'posted' is there already"),
        ("[current, posted, merged]", "[]", "no generation is named"),
        ("[current, posted, merged]", "future", '"future" is not known'),
        ("[current, posted, merged]", "[current, merged]", "it does not run in 'posted'"),
        ("[current, posted, merged]", "posted", "expect.posted: unknown key"),
        ("when: {generation: current}", "when: {generation: old}", "'old' is no value of 'generation'"),
        ("when: {generation: current}", "when: {kind: current}", "the matrix has no 'kind'"),
        ("steps:", "matrix: {generation: [posted]}\nsteps:", "generations are no part of the matrix"),
        ("posted: {}}\n", "posted: {errno: 5}}\n", "errno"),
        ("merged: {codec: {jobs: 2}}", "merged: {codec: {job: 2}}", "hardware.codec.job: unknown key"),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, why: str) -> None:
    text = TEXT.replace("${generation}", "any")
    assert why in refusal(tmp_path, text, old, new)


def test_a_row_of_a_generation_that_it_does_not_run_in(tmp_path: Path) -> None:
    text = TEXT.replace("rows: [C6, P11, D1]", "rows: [M1]").replace(
        "[current, posted, merged]", "[current, posted]"
    )
    text = text.replace(", merged: {errno: ENODEV}", "").replace(", merged: {via: any, segments: 1}", "")
    with pytest.raises(InputError) as raised:
        load(tmp_path, text.replace("  merged: {codec: {jobs: 2}}\n", ""))
    assert "rows[0]: 'M1' is a row of a generation that the scenario does not run in" in str(raised.value)


def test_choosing_by_generation(tmp_path: Path) -> None:
    load(tmp_path, TEXT)
    file = str(tmp_path / "any.yaml")
    assert len(scenario.find([file])) == 3
    assert [each.generation for each in scenario.find([file], ["merged"])] == ["merged"]
    assert {each.generation for each in scenario.find([], ["posted"])} == {"posted"}
    one = tmp_path / "one.yaml"
    one.write_text(ONE)
    with pytest.raises(InputError) as raised:
        scenario.find([str(one)], ["posted"])
    assert "none of the scenarios runs in the generation posted" in str(raised.value)
    assert "they run in merged" in str(raised.value)


def test_a_name_is_one_scenario_and_with_a_generation_its_file() -> None:
    name = "share-three-devices"
    assert [each.name for each in scenario.find([name])] == [name]
    assert [each.name for each in scenario.find([name], ["posted"])] == [f"{name}[generation=posted]"]
    assert len(scenario.find([name], ["current", "posted", "merged"])) == 3


# ---- one ----


def test_requests_say_the_generation(tmp_path: Path) -> None:
    (merged,) = load(tmp_path, ONE)
    export, to_handle, info, again = (requests.plain(step, {"one": 5}) for step in merged.steps[:4])
    assert export["generation"] == "merged"
    assert (to_handle["handle"], info["handle"], again["handle"]) == (None, 5, 5)
    assert requests.plain(merged.steps[4])["handle"] == 77
    assert requests.plain(merged.steps[-2]) == {
        "path": "/sys/module/dmabed_merged/parameters/fail_alloc",
        "text": "1",
    }


def test_the_exporters_module_is_that_of_the_generation(tmp_path: Path) -> None:
    unloads = [requests.plain(each.steps[-1])["module"] for each in load(tmp_path, TEXT)]
    assert unloads == ["dmabed_exporter", "dmabed_posted", "dmabed_merged"]


def test_a_step_may_go_the_way_of_another_generation(tmp_path: Path) -> None:
    text = ONE.replace("codec, buffer: again}", "codec, buffer: again, generation: posted}", 1)
    attach = next(step for step in load(tmp_path, text)[0].steps if step.verb == "attach")
    assert attach.generation == "posted"
    assert requests.plain(attach)["generation"] == "posted"
    assert "generation" not in attach.args


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            "from-handle: {handle: one, buffer: again}",
            "from-handle: {handle: two, buffer: again}",
            "no handle 'two'",
        ),
        (
            "from-handle: {handle: one, buffer: again}",
            "from-handle: {handle: one, buffer: frame}",
            "there already",
        ),
        (
            "from-handle: {handle: one, buffer: again}",
            "from-handle: {handle: 1, buffer: again}",
            "nobody knows",
        ),
        ("close-handle: {handle: one}", "close-handle: {handle: [1]}", "the name that a step gave"),
        ("sync-for-cpu: {device: codec", "sync-for-cpu: {device: npu", "npu is not attached"),
        ("through: exporter", "through: door", '"door" is not known'),
        ("name: fail_alloc", "name: colour", '"colour" is not known'),
        ("module: exporter, name", "module: kernel, name", '"kernel" is not known'),
        ("counts: {buffers", "counts: {buffer", "unknown key"),
        ("expect: {number: 1}", "expect: {number: one}", "number"),
        ("- stats: {}", "- stats: {generation: posted-off}", "posted-off"),
        ("expect: {storage: none}", "expect: {errno: ENOENT, merged: {}}", "unknown key"),
    ],
)
def test_mistakes_of_one(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert why in refusal(tmp_path, ONE, old, new)


def test_a_handle_goes_with_its_process(tmp_path: Path) -> None:
    text = ONE.replace(
        "  - close-handle: {handle: one}\n",
        "  - handle-export: {handle: two, size: 4KiB}\n    process: maker\n"
        "  - exit-process: {name: maker}\n  - close-handle: {handle: two}\n",
    )
    assert "no handle 'two'" in refusal(tmp_path, text, "Handles", "Handles")
