# SPDX-License-Identifier: GPL-2.0-or-later
"""The root file system is the same bytes whenever and wherever it is built."""

from pathlib import Path

import pytest

from dmabed.build import Artifacts, rootfs, sources, sshkeys
from dmabed.build.cache import Cache, default_root
from dmabed.build.progress import SilentProgress


def test_building_again_makes_the_same_bytes(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(default_root())
    guest = sources.guest(cache, rootfs.packages(), SilentProgress())
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    again = rootfs.assemble(guest.path, sshkeys.keys(cache), tmp_path / "log")
    built = cache.entry("rootfs", artifacts.keys["rootfs"]) / "rootfs.cpio"
    assert again == built.read_bytes()
    assert artifacts.initrd.read_bytes().startswith(again)


def test_it_names_no_path_of_this_machine(artifacts: Artifacts) -> None:
    initrd = artifacts.initrd.read_bytes()
    for place in (default_root(), Path.cwd()):
        assert str(place).encode() not in initrd


def test_it_is_a_few_megabytes(artifacts: Artifacts) -> None:
    assert artifacts.initrd.stat().st_size < 10_000_000
