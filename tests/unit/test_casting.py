# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of a scenario are played by what each SoC has."""

from __future__ import annotations

from pathlib import Path

import pytest

from dmabed import casting, layout, scenario
from dmabed.errors import InputError
from dmabed.plan import make_plan

TEXT = """\
scenario: {name}
purpose: parts
layouts: {layouts}
cast:
  maker: [capture, 2d]
  other: [{roles}]
steps:
  - export: {{buffer: frame, size: 64KiB}}
  - attach: {{device: maker, buffer: frame}}
  - fill: {{device: maker, buffer: frame, seed: 1}}
hardware:
  maker: {{jobs: 1, violations: 0}}
"""


def made(folder: Path, layouts: str = "[imx8mp-6g]", roles: str = "display") -> scenario.Scenario:
    file = folder / "parts.yaml"
    file.write_text(TEXT.format(name="parts", layouts=layouts, roles=roles))
    return scenario.load(file)


def test_the_best_role_that_there_is() -> None:
    cast = {"maker": ("capture", "2d"), "shower": ("display",)}
    assert casting.players(cast, layout.find("imx8mp-6g")) == {"maker": "capture", "shower": "display"}
    assert casting.players(cast, layout.find("rk3568-4g-tail")) == {"maker": "gpu2d", "shower": "display"}


def test_nobody_plays_two_parts() -> None:
    cast = {"one": ("codec",), "two": ("codec",), "three": ("codec",)}
    assert casting.players(cast, layout.find("h616-shared-iommu-4g")) == {"one": "codec", "two": "codec2"}


def test_steps_and_expectations_name_the_devices(tmp_path: Path) -> None:
    (planned,) = make_plan([made(tmp_path, "[rk3568-4g-tail]")], [])
    assert planned.scenario.devices == ("gpu2d",)
    assert planned.scenario.hardware["gpu2d"].jobs == 1
    assert planned.scenario.steps[2].operation is not None
    assert planned.scenario.steps[2].operation.device == "gpu2d"
    assert planned.scenario.name == "parts"


def test_a_part_for_nobody_is_a_reason(tmp_path: Path) -> None:
    (planned,) = make_plan([made(tmp_path, roles="jpeg")], [])
    assert planned.skip == "imx8mp-6g has nobody for other"


def test_every_soc_is_all_but_what_is_none(tmp_path: Path) -> None:
    first, *rest = made(tmp_path, "[rk3588-8g, every-soc]").layouts
    assert first == "rk3588-8g"
    assert {first, *rest} == {name for name in layout.names() if not name.startswith("testbed-")}
    assert len(rest) == 19


def test_a_role_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"parts\.yaml:6: cast\.other\[0\]: \"codek\" is not known"):
        made(tmp_path, roles="codek")
