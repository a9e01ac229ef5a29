# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that tells how to write a layout says what is true of its example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dmabed import argv, dts, layout
from dmabed.errors import InputError
from dmabed.paths import ROOT
from dmabed.plan import make_plan
from dmabed.scenario import find

PAGE = (ROOT / "docs" / "writing-a-layout.md").read_text()
EXAMPLE = ROOT / "docs" / "examples" / "imx8mm-evk.yaml"
# how a block of the page begins that is a part of the file, not a command with its output
PARTS = ("layout:", "memory:", "cpu:", "platform:", "dma-ranges:", "devices:", "# yaml-language-server")


def blocks() -> list[list[str]]:
    """The indented blocks of the page, each without what all its lines are indented by."""
    found = [block.splitlines() for block in re.findall(r"(?:^    .*\n)+", PAGE, re.MULTILINE)]
    return [[line.strip() for line in block] for block in found]


def test_it_loads_and_renders() -> None:
    soc = layout.load(EXAMPLE)
    assert [device.name for device in soc.devices] == ["capture", "codec", "gpu", "display"]
    source = dts.render(soc)
    assert source.count('compatible = "dmabed,engine"') == 4
    assert "ram-banks=0x80000000@0x40000000" in argv.machine_arguments(soc, None, False)[1]


def test_every_part_on_the_page_is_in_the_file() -> None:
    lines = [line.strip() for line in EXAMPLE.read_text().splitlines()]
    parts = [block for block in blocks() if block[0].startswith(PARTS)]
    assert len(parts) >= 6
    for part in parts:
        assert [line for line in part if line not in lines] == []


def test_the_mistake_is_told_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("imx8mm-evk.yaml").write_text(EXAMPLE.read_text().replace("spi: 5\n", "spi: 16\n"))
    with pytest.raises(InputError) as caught:
        layout.load("imx8mm-evk.yaml")
    assert f"dmabed: {caught.value}" in PAGE


def test_the_scenarios_fit_as_the_page_says() -> None:
    chosen = find(["share-on-every-soc", "bounce-above-limit"])
    skipped, fitting = sorted(make_plan(chosen, [str(EXAMPLE)]), key=lambda planned: planned.scenario.name)
    assert skipped.skip == "imx8mm-evk has no usb-camera, npu"
    assert fitting.skip == ""
    assert skipped.skip in PAGE
