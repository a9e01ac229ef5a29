# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds our kernel modules against a kernel: ours, or a user's built tree."""

from __future__ import annotations

import shutil
from pathlib import Path

from dmabed.build import contentkey, kconfig, process, project, sync, toolchain
from dmabed.build.cache import Cache
from dmabed.build.kernel import REPRODUCIBLE, STEP, make_command
from dmabed.build.progress import Progress
from dmabed.errors import BuildError

BUILDER = 1  # raise it when this file builds something else from the same inputs

PARTS = ("modules", "include")  # of guest-kernel, side by side as there
IN_GUEST = "/lib/modules"  # rootfs/README.md


def key(kernel_key: str) -> str:
    """The content key of our modules for a kernel."""
    return contentkey.combine(
        {
            "builder": BUILDER,
            "kernel": kernel_key,
            "sources": contentkey.of_tree(*(project.GUEST_KERNEL / part for part in PARTS)),
            "compiler": toolchain.version(f"{toolchain.CROSS}gcc"),
        }
    )


def build(cache: Cache, against: Path, kernel_key: str, progress: Progress, name: str) -> None:
    """Make the cache entry if it is not there; ``against`` is the kernel's tree, or what it keeps of one.

    ``name`` is for lock and log: modules for several trees are built side by side.
    """

    def fill(entry: Path) -> None:
        log = cache.log(name)
        log.write_text("")
        staged = _stage(cache, against)
        with progress.task("building the modules"):
            process.run(
                make_command(against, *_compiler(against), f"M={staged / 'modules'}", "modules"),
                log=log,
                what="building the modules",
                env=REPRODUCIBLE,
                chatter=STEP,
            )
        _collect(staged / "modules", entry)

    cache.make("modules", key(kernel_key), fill, progress, lambda: key(kernel_key), name)


def files(entry: Path) -> list[Path]:
    """The modules of a cache entry."""
    return sorted(entry.glob("*.ko"))


def _stage(cache: Cache, against: Path) -> Path:
    """A copy of the sources for this kernel tree: builds leave their objects beside them."""
    staged = cache.root / "trees" / f"modules-{contentkey.combine({'tree': str(against)})[:12]}"
    staged.mkdir(parents=True, exist_ok=True)
    wanted = {
        str(path.relative_to(project.GUEST_KERNEL)): path
        for part in PARTS
        for path in contentkey.files_below(project.GUEST_KERNEL / part)
    }
    sync.overlay(staged, wanted)
    return staged


def _compiler(against: Path) -> list[str]:
    """A kernel that clang built takes modules only from clang."""
    config = kconfig.parse((against / ".config").read_text())
    return ["LLVM=1"] if config.get("CONFIG_CC_IS_CLANG") == "y" else []


def _collect(built: Path, entry: Path) -> None:
    made = sorted(built.rglob("*.ko"))
    if not made:
        raise BuildError("the build of the modules made no module", hint="see guest-kernel/modules/Kbuild")
    for path in made:
        shutil.copy2(path, entry / path.name)
