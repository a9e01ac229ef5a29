# SPDX-License-Identifier: GPL-2.0-or-later
"""The first scenario of the README is one that loads."""

from __future__ import annotations

import textwrap
from pathlib import Path

from dmabed.paths import ROOT
from dmabed.scenario import load


def test_the_first_scenario_loads(tmp_path: Path) -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    start = lines.index("    scenario: first")
    end = next(number for number in range(start, len(lines)) if not lines[number].startswith("    "))
    file = tmp_path / "first.yaml"
    file.write_text(textwrap.dedent("\n".join(lines[start:end])))
    assert load(file).name == "first"
