# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed matrix`` on guests: what is right passes, and what is broken on purpose is seen."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dmabed.paths import LAYOUTS

pytestmark = pytest.mark.integration

Dmabed = Callable[..., "subprocess.CompletedProcess[str]"]
Matrix = Callable[..., tuple[int, dict[str, Any]]]

# few cells, and in them every way that a buffer of imx8mp-6g can go
NARROW = ("--importer", "codec")


@pytest.fixture
def matrix(dmabed: Dmabed, tmp_path: Path) -> Matrix:
    """Run it; its exit status and its JSON."""

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        done = dmabed("matrix", *words, "--results", str(tmp_path / "results"), "--json")
        return done.returncode, json.loads(done.stdout)

    return run


def outcomes(found: dict[str, Any]) -> dict[tuple[str, int], str]:
    return {(cell["exporter"], cell["size"]): cell["outcome"] for cell in found["cells"]}


def test_all_exporters_with_a_narrow_importer(matrix: Matrix, tmp_path: Path) -> None:
    status, found = matrix(*NARROW)
    assert (status, found["verdict"], found["unexpected"]) == (0, "passed", 0), found["cells"]
    seen = outcomes(found)
    assert len(seen) == found["planned"] == len(found["cells"]) == 27
    assert seen["auto", 4096] == "direct"
    assert seen["auto-in-use", 4096] == "migrated"
    assert seen["static-in-use", 4096] == "refused EBUSY"
    assert seen["unconstrained-high", 4096] == "bounced"
    assert seen["udmabuf", 4096] == "stale"
    page = (tmp_path / "results" / "latest" / "report.html").read_text()
    assert len(re.findall('<td class="box [a-z]+[ a-z]*" title=', page)) == 27


@pytest.mark.parametrize(
    ("switch", "exporter", "outcome"),
    [
        # the exporter does not look where the device reaches
        ("ignore-reach", "auto", "bounced"),
        # the driver tells a wrong width
        ("wide-mask", "unconstrained-high", "fault"),
    ],
)
def test_what_is_broken_is_seen(matrix: Matrix, switch: str, exporter: str, outcome: str) -> None:
    status, found = matrix(*NARROW, "--exporter", exporter, "--sabotage", switch)
    assert (status, found["verdict"]) == (1, "failed")
    bad = [cell for cell in found["cells"] if cell["unexpected"]]
    assert len(bad) == found["unexpected"] > 0
    assert outcome in {cell["outcome"] for cell in bad}


@pytest.mark.parametrize(("policy", "outcome"), [("fault", "fault"), ("wrap", "corrupted")])
def test_a_device_that_hides_its_width(matrix: Matrix, tmp_path: Path, policy: str, outcome: str) -> None:
    """What has to come of it is known, too, and foreign memory is left as it is."""
    layout = tmp_path / "liar.yaml"
    text = (LAYOUTS / "am62a-k3-split.yaml").read_text().replace("layout: am62a-k3-split", "layout: liar")
    lie = f"address-bits: 32\n    reported-address-bits: 48\n    policy: {policy}\n"
    layout.write_text(text.replace("address-bits: 32\n", lie, 1))
    status, found = matrix("--layout", str(layout), *NARROW, "--exporter", "unconstrained-high")
    assert (status, found["unexpected"]) == (0, 0), found["cells"]
    assert outcomes(found)["unconstrained-high", 4096] == outcome
