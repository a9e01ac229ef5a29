# SPDX-License-Identifier: GPL-2.0-or-later
"""Only files whose content changed get a new time; what is gone goes."""

from pathlib import Path

import pytest

from dmabed.build import sync


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path, Path]:
    """QEMU's tree, its copy to build in, and ours."""
    original, ours = tmp_path / "original", tmp_path / "ours"
    original.mkdir(), ours.mkdir()
    (original / "meson.build").write_text("upstream")
    (original / "untouched.c").write_text("upstream")
    (ours / "meson.build").write_text("patched")
    (ours / "device.c").write_text("device")
    sync.link_copy(original, tmp_path / "build")
    return original, tmp_path / "build", ours


def test_overlay_leaves_the_original_alone(trees: tuple[Path, Path, Path]) -> None:
    original, build, ours = trees
    files = {"meson.build": ours / "meson.build", "hw/device.c": ours / "device.c"}
    assert sorted(sync.overlay(build, files, original)) == ["hw/device.c", "meson.build"]
    assert (build / "meson.build").read_text() == "patched"
    assert (original / "meson.build").read_text() == "upstream"
    assert (build / "untouched.c").samefile(original / "untouched.c")


def test_what_did_not_change_is_not_written(trees: tuple[Path, Path, Path]) -> None:
    original, build, ours = trees
    files = {"meson.build": ours / "meson.build", "hw/device.c": ours / "device.c"}
    sync.overlay(build, files, original)
    before = (build / "meson.build").stat()
    (ours / "meson.build").write_text("patched")  # same content, new time
    (ours / "device.c").write_text("device 2")
    assert sync.overlay(build, files, original) == ["hw/device.c"]
    assert (build / "meson.build").stat().st_mtime_ns == before.st_mtime_ns


def test_what_is_gone_goes_or_comes_back(trees: tuple[Path, Path, Path]) -> None:
    original, build, ours = trees
    sync.overlay(build, {"meson.build": ours / "meson.build", "device.c": ours / "device.c"}, original)
    assert sorted(sync.overlay(build, {}, original)) == ["device.c", "meson.build"]
    assert not (build / "device.c").exists()
    assert (build / "meson.build").read_text() == "upstream"
