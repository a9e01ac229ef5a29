# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own modules: which are kept, and the list that modprobe reads."""

import pytest

from dmabed.build import intree
from dmabed.errors import BuildError


def module(folder, name, *needs):
    path = folder / f"{name}.ko"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x7fELF" + b"license=GPL\0depends=" + ",".join(needs).encode() + b"\0name=x\0")
    return path


@pytest.fixture
def entry(tmp_path):
    built, entry = tmp_path / "built", tmp_path / "entry"
    entry.mkdir()
    module(built / "drivers/media", "vivid", "videodev", "mc")
    module(built / "drivers/media", "videodev", "mc")
    module(built / "drivers/media", "mc")
    module(built / "drivers/gpu", "unwanted")
    intree.keep(built, entry)
    (entry / "release").write_text("6.12.1-dmabed\n")
    return entry


def test_wanted_modules_and_what_they_need(entry):
    assert sorted(path.name for path in (entry / "in-tree").iterdir()) == ["mc.ko", "videodev.ko", "vivid.ko"]


def test_the_archive_has_the_list(entry, tmp_path):
    ours = module(tmp_path, "dmabed-capture", "videodev")
    archive = intree.archive(entry, [ours])
    assert b"lib/modules/6.12.1-dmabed/vivid.ko" in archive
    assert b"vivid.ko: videodev.ko mc.ko\n" in archive  # what is loaded first stands last
    assert b"/lib/modules/dmabed-capture.ko: videodev.ko mc.ko\n" in archive
    assert b"mc.ko: \n" in archive


def test_a_module_that_was_not_built_is_missed(tmp_path):
    module(tmp_path / "built", "vivid", "nowhere")
    (tmp_path / "entry").mkdir()
    with pytest.raises(BuildError, match="nowhere"):
        intree.keep(tmp_path / "built", tmp_path / "entry")


def test_a_kernel_without_any_is_fine(tmp_path):
    (tmp_path / "entry").mkdir()
    intree.keep(tmp_path, tmp_path / "entry")
    assert list((tmp_path / "entry/in-tree").iterdir()) == []
