# SPDX-License-Identifier: GPL-2.0-or-later
"""What is missing is told at once; the lists of rootfs and the hooks of QEMU are taken as written."""

from pathlib import Path

import pytest

from dmabed.build import build, load, modules, pipeline, qemu, rootfs
from dmabed.build.cache import Cache
from dmabed.build.progress import SilentProgress
from dmabed.errors import BuildError, SetupError


def test_load_from_an_empty_cache_says_what_builds_it(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="not built yet") as missing:
        load(cache=Cache(tmp_path / "cache"))
    assert "make demo" in missing.value.hint
    assert not (tmp_path / "cache").exists()


def test_a_small_disk_is_told_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = type("Usage", (), {"free": 1_000_000_000})
    monkeypatch.setattr(pipeline.shutil, "disk_usage", lambda path: small)
    with pytest.raises(SetupError, match=r"1\.0 GB free; a build from nothing takes"):
        build(progress=SilentProgress(), cache=Cache(tmp_path / "cache"))


def test_configure_arguments_without_comments() -> None:
    text = "# options\n--target-list=x  # why\n\n--disable-user\n"
    assert qemu.configure_arguments(text) == ["--target-list=x", "--disable-user"]


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A patch of ours, and the QEMU that it is for."""
    monkeypatch.setattr(qemu.project, "QEMU_DEVICES", tmp_path)
    change = "@@ -1 +1,2 @@\n one\n+two\n"
    (tmp_path / "hooks.patch").write_text(f"--- a/hw/meson.build\n+++ b/hw/meson.build\n{change}")
    (tmp_path / "qemu" / "hw").mkdir(parents=True)
    return tmp_path / "qemu"


def patched(original: Path, tmp_path: Path) -> dict[str, Path]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return qemu.patched_files(original, scratch, tmp_path / "log")


def test_hooks_go_into_a_copy(hooks: Path, tmp_path: Path) -> None:
    (hooks / "hw" / "meson.build").write_text("one\n")
    files = patched(hooks, tmp_path)
    assert {name: path.read_text() for name, path in files.items()} == {"hw/meson.build": "one\ntwo\n"}
    assert (hooks / "hw" / "meson.build").read_text() == "one\n"


def test_hooks_for_another_qemu_fail(hooks: Path, tmp_path: Path) -> None:
    (hooks / "hw" / "meson.build").write_text("quite different\n")
    with pytest.raises(BuildError, match=r"applying qemu-devices/hooks\.patch failed"):
        patched(hooks, tmp_path)


def test_hooks_for_a_file_that_is_gone_name_it(hooks: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"hooks\.patch changes hw/meson\.build"):
        patched(hooks, tmp_path)


def test_the_lists_name_the_packages() -> None:
    packages = rootfs.packages()
    assert {"busybox-static", "dropbear-bin", "libc6"} <= set(packages)
    assert "pthread" not in packages


def test_an_unknown_kind_in_the_manifest_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs.project, "ROOTFS", tmp_path)
    (tmp_path / "manifest.txt").write_text("node /dev/null c\n")
    with pytest.raises(BuildError, match="unknown kind 'node'"):
        rootfs._manifest()


def test_a_file_that_a_package_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs.project, "ROOTFS", tmp_path)
    (tmp_path / "packages.txt").write_text("busybox-static /bin/busybox /bin/busybox\n")
    with pytest.raises(BuildError, match="busybox-static has no /bin/busybox"):
        rootfs._package_files(tmp_path / "packages")


def test_a_kernel_by_clang_gets_modules_by_clang(tmp_path: Path) -> None:
    (tmp_path / ".config").write_text("CONFIG_CC_IS_CLANG=y\n")
    assert modules._compiler(tmp_path) == ["LLVM=1"]
    (tmp_path / ".config").write_text("CONFIG_CC_IS_GCC=y\n")
    assert modules._compiler(tmp_path) == []
