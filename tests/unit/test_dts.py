# SPDX-License-Identifier: GPL-2.0-or-later
"""The device tree source, against golden files (``DMABED_RENDER=1`` writes them anew)."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dmabed import dts, layout
from dmabed.errors import BuildError, SetupError
from dmabed.layout import Reserved, Window

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def pi4():
    return layout.find("bcm2711-pi4")


def with_device(base, name, **changes):
    devices = tuple(replace(d, **changes) if d.name == name else d for d in base.devices)
    return replace(base, devices=devices)


@pytest.mark.parametrize("name", layout.names())
def test_golden(name):
    path = GOLDEN / f"{name}.dts"
    source = dts.render(layout.find(name))
    if os.environ.get("DMABED_RENDER"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    assert source == path.read_text(), "if that is meant: DMABED_RENDER=1 pytest tests/unit/test_dts.py"


def test_the_file_need_not_be_where_it_was(pi4):
    assert dts.render(replace(pi4, file=Path("/elsewhere.yaml"))) == dts.render(pi4)


def test_declared_windows_are_what_the_tree_tells(pi4):
    hidden = with_device(pi4, "capture", declared_dma_ranges=())
    assert dts.render(hidden).count("dma-ranges") == 2
    alone = dts.render(hidden).split("bus-0 {")[0]
    assert 'label = "capture"' in alone
    lying = with_device(pi4, "gpu", declared_dma_ranges=(Window(0, 1 << 32, 4096), Window(1 << 20, 0, 8192)))
    assert (
        "dma-ranges = <0x0 0x00000000 0x1 0x00000000 0x0 0x00001000>,\n"
        "\t\t\t     <0x0 0x00100000 0x0 0x00000000 0x0 0x00002000>;"
    ) in dts.render(lying)


def test_coherent(pi4):
    before, after = dts.render(pi4), dts.render(with_device(pi4, "display", coherent=True))
    assert after.count("dma-coherent;") == before.count("dma-coherent;") + 1


def test_kinds_of_reserved_memory(pi4):
    pool = Reserved("frames", 0x50000000, 4096, "pool")
    firmware = Reserved("firmware", 0x60000000, 4096, "no-map")
    source = dts.render(replace(pi4, reserved=(pool, firmware)))
    areas = source.split("reserved-memory {")[1].split("timer {")[0]
    assert (
        'frames@50000000 {\n\t\t\treg = <0x0 0x50000000 0x0 0x00001000>;\n\t\t\tcompatible = "shared' in areas
    )
    assert "firmware@60000000 {\n\t\t\treg = <0x0 0x60000000 0x0 0x00001000>;\n\t\t\tno-map;\n\t\t};" in areas


def test_any_text_is_a_model(pi4):
    source = dts.render(replace(pi4, modelled_after='a "board"\nwith \\ and é'))
    assert 'model = "a \\"board\\" with \\\\ and é (dmabed)";' in source


@pytest.fixture
def fake_dtc(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def install(script):
        (tmp_path / "dtc").write_text(f"#!/bin/sh\ncat >/dev/null\n{script}\n")
        (tmp_path / "dtc").chmod(0o755)

    return install


def test_compile_writes_what_dtc_makes(pi4, tmp_path, fake_dtc):
    fake_dtc("printf blob")
    assert dts.compile_dtb(pi4, tmp_path / "new" / "x.dtb").read_bytes() == b"blob"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.dtb"]


@pytest.mark.parametrize(
    "script", ["printf blob; echo Warning: odd >&2", "echo Error: odd >&2; exit 1", "exit 1"]
)
def test_a_warning_is_a_failure(pi4, tmp_path, fake_dtc, script):
    fake_dtc(script)
    with pytest.raises(BuildError, match="bcm2711-pi4: dtc finds fault") as caught:
        dts.compile_dtb(pi4, tmp_path / "x.dtb")
    assert ("odd" in caught.value.why) == ("odd" in script)
    assert not (tmp_path / "x.dtb").exists()


def test_dtc_missing(pi4, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="device-tree-compiler"):
        dts.compile_dtb(pi4, tmp_path / "x.dtb")


def test_threads_may_compile_the_same_tree_at_the_same_time(tmp_path: Path) -> None:
    """As two scenarios on one layout do when the cache is empty."""
    soc = layout.find("imx8mp-6g")
    out = tmp_path / "dtb" / "soc.dtb"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: dts.compile_dtb(soc, out), range(32)))
    assert [path.name for path in out.parent.iterdir()] == ["soc.dtb"]
