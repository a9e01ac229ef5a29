# SPDX-License-Identifier: GPL-2.0-or-later
"""A matrix makes many scenarios of one file, each as if it stood there by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import imx8mp

from dmabed import scenario
from dmabed.errors import InputError
from dmabed.plan import Planned

TEXT = """\
scenario: kinds
purpose: Storage of kind ${kind}.
layouts: [imx8mp-6g]
matrix:
  kind: [pages, contiguous]
  size: [64KiB, 4096]
without:
  - {kind: contiguous, size: 4096}
steps:
  - export: {buffer: frame, size: "${size}", storage: "${kind}"}
  - attach: {device: codec, buffer: frame}
    when: {kind: contiguous}
  - cpu-write: {buffer: frame, seed: 1}
    when: {kind: pages, size: [64KiB, 4096]}
  - cpu-digest: {buffer: frame}
"""


def load(folder: Path, text: str) -> list[scenario.Scenario]:
    file = folder / "kinds.yaml"
    file.write_text(text)
    return scenario.load_all(file)


def test_each_combination_is_a_scenario(tmp_path: Path) -> None:
    found = load(tmp_path, TEXT)
    assert [each.name for each in found] == [
        "kinds[kind=pages,size=64KiB]",
        "kinds[kind=pages,size=4096]",
        "kinds[kind=contiguous,size=64KiB]",
    ]
    assert {each.family for each in found} == {"kinds"}
    assert found[0].purpose == "Storage of kind pages."
    assert [each.steps[0].args["size"] for each in found] == [65536, 4096, 65536]


def test_steps_are_those_of_the_combination_with_the_files_lines(tmp_path: Path) -> None:
    pages, _, contiguous = load(tmp_path, TEXT)
    assert [step.verb for step in pages.steps] == ["export", "cpu-write", "cpu-digest"]
    assert [step.verb for step in contiguous.steps] == ["export", "attach", "cpu-digest"]
    assert [step.line for step in contiguous.steps] == [10, 11, 15]


def test_folders_are_unique_and_plain(tmp_path: Path) -> None:
    folders = [Planned(each, imx8mp()).folder for each in load(tmp_path, TEXT)]
    assert len(set(folders)) == len(folders)
    assert folders[0] == "kinds-kind-pages-size-64KiB.imx8mp-6g"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("kind: [pages, contiguous]", "kind: pages", "not a list of words"),
        ("matrix:\n  kind", "matrix:\n  sort", "the matrix has no 'kind'"),
        ("without:\n  - {kind: contiguous", "without:\n  - {kind: fixed", "'fixed' is no value of 'kind'"),
        ('storage: "${kind}"', 'storage: "${sort}"', "the matrix has no 'sort'"),
        ("when: {kind: contiguous}", "when: {kind: fixed}", "'fixed' is no value of 'kind'"),
        ("when: {kind: contiguous}", "when: contiguous", "a mapping of names"),
        ("{kind: contiguous, size: 4096}", "{kind: [pages, contiguous]}", "no combination is left"),
        ("device: codec", "device: [codec]", "kinds.yaml:11"),
    ],
)
def test_mistakes_are_told_by_line(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert old in TEXT
    with pytest.raises(InputError) as raised:
        load(tmp_path, TEXT.replace(old, new))
    assert why in str(raised.value)


def test_a_step_outside_of_a_matrix_has_no_when(tmp_path: Path) -> None:
    text = TEXT.replace(TEXT[TEXT.index("matrix:") : TEXT.index("steps:")], "").replace("${size}", "4096")
    with pytest.raises(InputError) as raised:
        load(tmp_path, text.replace("${kind}", "pages"))
    assert "when" in str(raised.value)


def test_one_is_not_many(tmp_path: Path) -> None:
    load(tmp_path, TEXT)
    with pytest.raises(InputError) as raised:
        scenario.load(tmp_path / "kinds.yaml")
    assert "3 scenarios" in str(raised.value)
