# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed matrix``: what it takes, and what it makes of results. No guest is started here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from sharing_layouts import KIB, device, layout

from dmabed.cli.matrix import matrix
from dmabed.errors import InputError
from dmabed.outcome import Overall
from dmabed.sharing import cells, heatmap
from dmabed.sharing.cells import Cell
from dmabed.sharing.outcomes import BOUNCED, CORRUPTED, DIRECT, ERROR, Kind, Outcome
from dmabed.sharing.placement import Exporter
from dmabed.sharing.record import Record
from dmabed.sharing.sweep import Swept

PLAN = cells.plan(layout(device("dut"), device("<b>")), [Exporter.HIGH, Exporter.UDMABUF], [4 * KIB])


def refuse(*words: str) -> str:
    done: Result = CliRunner().invoke(matrix, words)
    assert isinstance(done.exception, InputError), done.output
    return str(done.exception)


def test_words_that_it_does_not_know() -> None:
    assert "no layout is called 'imx8mp-6'" in refuse("--layout", "imx8mp-6")
    assert "did you mean 'imx8mp-6g'" in refuse("--layout", "imx8mp-6")
    assert re.search("no exporter is called 'heap'; allowed: auto, .*, udmabuf", refuse("--exporter", "heap"))
    assert "has no device 'vpu'" in refuse("--importer", "vpu")
    assert "no switch of a module is called 'x'; allowed: no-copy, " in refuse("--sabotage", "x")


@pytest.mark.parametrize("size", ["0", "1GiB", "-4KiB", "many"])
def test_sizes_that_no_cell_has(size: str) -> None:
    assert "; allowed: " in refuse("--size", size)


def results(*outcomes: Outcome) -> Swept:
    """The plan's cells, with these outcomes in order and the expected one for the rest."""
    found = []
    for number, cell in enumerate(PLAN.cells):
        outcome = outcomes[number] if number < len(outcomes) else next(iter(cell.expectation.allowed))
        found.append(cells.Result(cell, outcome, "it was seen", 0.5))
    return Swept(PLAN, tuple(found), ())


def record(folder: Path, swept: Swept, *, finish: bool = True) -> Record:
    made = Record(folder, len(PLAN.cells), {"linux": "6.12"})
    made.add(swept)
    if finish:
        made.finish()
    return made


@pytest.mark.parametrize(
    ("outcomes", "verdict", "unexpected"),
    [
        ((), Overall.PASSED, 0),
        ((BOUNCED,), Overall.FAILED, 1),
        ((ERROR,), Overall.ERROR, 1),
        ((ERROR, CORRUPTED), Overall.FAILED, 2),
    ],
)
def test_one_wrong_cell_is_enough(
    tmp_path: Path, outcomes: tuple[Outcome, ...], verdict: Overall, unexpected: int
) -> None:
    record(tmp_path, results(*outcomes))
    stored = json.loads((tmp_path / "matrix.json").read_text())
    assert (stored["verdict"], stored["unexpected"]) == (verdict.value, unexpected)
    assert len(stored["cells"]) == len(PLAN.cells)


def test_every_cell_is_told(tmp_path: Path) -> None:
    record(tmp_path, results(BOUNCED))
    first = json.loads((tmp_path / "matrix.json").read_text())["cells"][0]
    named = {"layout": "some", "exporter": "unconstrained-high", "importer": "dut", "size": 4096}
    assert first.items() >= (named | {"expected": "direct", "outcome": "bounced", "unexpected": True}).items()
    assert first["why"] == "it was seen"


def test_cells_that_are_missing_are_no_pass(tmp_path: Path) -> None:
    swept = results()
    cut = Swept(PLAN, swept.results[1:], ())
    assert record(tmp_path, cut).verdict is Overall.ERROR
    assert record(tmp_path, swept, finish=False).verdict is Overall.ERROR
    assert json.loads((tmp_path / "matrix.json").read_text())["interrupted"] is True
    assert Record(tmp_path, 0, {}).verdict is Overall.ERROR


def test_a_kernel_that_complains_fails(tmp_path: Path) -> None:
    swept = results()
    assert record(tmp_path, Swept(PLAN, swept.results, ("BUG: KASAN",))).verdict is Overall.FAILED


def test_junit(tmp_path: Path) -> None:
    record(tmp_path, results(BOUNCED, ERROR))
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert len(suite.findall(".//testcase")) == len(PLAN.cells)
    assert (len(suite.findall(".//failure")), len(suite.findall(".//error"))) == (1, 1)


def test_the_page_shows_every_cell_and_escapes_names(tmp_path: Path) -> None:
    page = heatmap.render(record(tmp_path, results(BOUNCED)))
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    boxes = re.findall(r'<td class="box (\w+)( unexpected)?[^"]*" title="([^"]*)"[^>]*>(.)</td>', page)
    assert len(boxes) == len(PLAN.cells)
    assert [(kind, bool(bad), letter) for kind, bad, _, letter in boxes][:1] == [("bounced", True, "B")]
    assert "expected direct. it was seen" in boxes[0][2]


def test_each_kind_has_a_letter_of_its_own_and_a_colour() -> None:
    assert len({kind.letter for kind in Kind}) == len(Kind)
    template = (heatmap.paths.TEMPLATES / "matrix.html.j2").read_text()
    assert all(f".box.{kind.value} {{" in template for kind in Kind)


def test_an_open_expectation_allows_several() -> None:
    open_cells = [cell for cell in _codec_cells() if cell.expectation.open]
    assert open_cells
    for cell in open_cells:
        for outcome in cell.expectation.allowed:
            assert not cells.Result(cell, outcome, "").unexpected
        assert cells.Result(cell, CORRUPTED, "").unexpected
    assert DIRECT in next(iter(_codec_cells())).expectation.allowed


def _codec_cells() -> tuple[Cell, ...]:
    at = layout(device("codec", 32, max_segments=1), device("wide"))
    return cells.plan(at, list(Exporter), cells.DEFAULT_SIZES).cells
