# SPDX-License-Identifier: GPL-2.0-or-later
"""--kernel takes an arm64 Image or a built tree, and says why when it is neither."""

import os
from pathlib import Path

import pytest

from dmabed.build import userkernel
from dmabed.build.cache import Cache
from dmabed.build.kernel import IMAGE, RELEASE
from dmabed.errors import InputError

CONTENT = bytes(56) + b"ARM\x64" + b"... Linux version 6.99.0-mine (me@here) ..."
CONFIG = "".join(f"{option}=y\n" for option in userkernel.NEEDED)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A built kernel tree, as far as it is looked at."""
    root = tmp_path / "linux"
    for name, content in {
        IMAGE: CONTENT,
        RELEASE: b"6.99.0-mine\n",
        ".config": CONFIG.encode(),
        "Module.symvers": b"0x1 symbol vmlinux EXPORT_SYMBOL\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_an_image_has_no_tree_for_modules(tmp_path: Path, cache: Cache) -> None:
    path = tmp_path / "Image"
    path.write_bytes(CONTENT)
    kernel = userkernel.find(cache, path)
    assert (kernel.image, kernel.version, kernel.tree) == (path, "6.99.0-mine", None)


def test_a_tree_and_its_image_are_the_same_kernel(tree: Path, cache: Cache) -> None:
    kernel = userkernel.find(cache, tree)
    assert (kernel.version, kernel.tree) == ("6.99.0-mine", tree)
    assert userkernel.find(cache, tree / IMAGE) == kernel


def test_the_key_follows_the_content(tree: Path, cache: Cache) -> None:
    before = userkernel.find(cache, tree).key
    (tree / IMAGE).write_bytes(CONTENT + b"more")
    assert userkernel.find(cache, tree).key != before
    (tree / IMAGE).write_bytes(CONTENT)
    os.utime(tree / IMAGE)
    assert userkernel.find(cache, tree).key == before


def test_an_unbuilt_tree_names_what_it_lacks(tree: Path, cache: Cache) -> None:
    (tree / "Module.symvers").unlink()
    (tree / IMAGE).unlink()
    with pytest.raises(InputError, match=rf"it has no {IMAGE}, Module.symvers") as refused:
        userkernel.find(cache, tree)
    assert "ARCH=arm64" in refused.value.hint


def test_missing_options_are_all_named(tree: Path, cache: Cache) -> None:
    (tree / ".config").write_text(
        CONFIG.replace("CONFIG_MODULES=y", "# CONFIG_MODULES is not set").replace(
            "CONFIG_VIRTIO_MMIO=y", "CONFIG_VIRTIO_MMIO=m"
        )
    )
    with pytest.raises(InputError, match="lacks") as refused:
        userkernel.find(cache, tree)
    assert [line.split(":")[0] for line in refused.value.why.splitlines()] == [
        "CONFIG_MODULES=y",
        "CONFIG_VIRTIO_MMIO=y",
    ]


@pytest.mark.parametrize("content", [b"", b"\x7fELF" + bytes(100), b"short"])
def test_what_is_no_image_is_refused(tmp_path: Path, cache: Cache, content: bytes) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not an arm64 Image"):
        userkernel.find(cache, path)


def test_a_path_that_is_not_there_is_named(tmp_path: Path, cache: Cache) -> None:
    with pytest.raises(InputError, match="nowhere: there is no such"):
        userkernel.find(cache, tmp_path / "nowhere")
