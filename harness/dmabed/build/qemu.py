# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds QEMU with our machine and engine.

The tree of one QEMU version stays in the cache: our files are laid over it and
ninja rebuilds what they changed, in seconds.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dmabed.build import contentkey, process, project, sync, toolchain
from dmabed.build.cache import Cache
from dmabed.build.progress import Progress, Task
from dmabed.build.sources import Source
from dmabed.errors import BuildError

BUILDER = 1  # raise it when this file builds something else from the same inputs

BINARY = "qemu-system-aarch64"
QTEST = "tests/qtest/dmabed-engine-test"
FIRMWARE = ("efi-virtio.rom",)  # virtio-net-pci loads it at its creation

# Files of ours that are not part of QEMU's tree
NOT_COPIED = ("README.md", "configure.args", "hooks.patch")
REGS_IN_QEMU = "include/standard-headers/linux/dmabed_engine_regs.h"

NINJA_COUNT = re.compile(r"^\[(\d+)/(\d+)\]\s*(.*)")


@dataclass(frozen=True)
class Qemu:
    """The files of a built QEMU."""

    binary: Path
    data: Path
    qtest: Path


def key(source_version: str) -> str:
    """The content key of the QEMU that our files make."""
    return contentkey.combine(
        {
            "builder": BUILDER,
            "qemu": source_version,
            "devices": contentkey.of_tree(project.QEMU_DEVICES),
            "registers": contentkey.of_file(project.ENGINE_REGS),
            "compiler": toolchain.version(toolchain.HOST_CC),
        }
    )


def files(entry: Path) -> Qemu:
    """The files of a cache entry."""
    return Qemu(entry / BINARY, entry / "pc-bios", entry / Path(QTEST).name)


def build(cache: Cache, source: Source, entry_key: str, progress: Progress) -> None:
    """Make the cache entry if it is not there."""

    def fill(entry: Path) -> None:
        log = cache.log("qemu")
        log.write_text("")
        tree = _tree(cache, source)
        _lay_our_files(tree, source.path, log)
        env = toolchain.ccache_environment(cache, tree)
        _configure(tree, env, log, progress)
        _compile(tree, env, log, progress)
        _collect(tree, entry)

    cache.make("qemu", entry_key, fill, progress, lambda: key(source.versions["qemu"]))


def _tree(cache: Cache, source: Source) -> Path:
    """The tree that stays for this version and these options."""
    options = contentkey.of_file(project.QEMU_DEVICES / "configure.args")
    # meson runs in the Python that configured the tree
    name = contentkey.combine({"options": options, "python": str(_python()), "builder": BUILDER})[:12]
    tree = cache.root / "trees" / f"qemu-{source.versions['qemu']}-{name}"
    tree.mkdir(parents=True, exist_ok=True)
    if not (tree / "src").is_dir():
        sync.link_copy(source.path, tree / "src")
    return tree


def _python() -> Path:
    """The environment's Python by its place in the cache, not by a checkout's link to it."""
    return Path(sys.prefix).resolve() / "bin" / "python"


def _lay_our_files(tree: Path, original: Path, log: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        wanted = patched_files(original, Path(scratch), log) | _our_files()
        sync.overlay(tree / "src", wanted, original)


def _our_files() -> dict[str, Path]:
    found = {
        str(path.relative_to(project.QEMU_DEVICES)): path
        for path in contentkey.files_below(project.QEMU_DEVICES)
    }
    ours = {name: path for name, path in found.items() if name not in NOT_COPIED}
    return ours | {REGS_IN_QEMU: project.ENGINE_REGS}


def patched_files(original: Path, scratch: Path, log: Path) -> dict[str, Path]:
    """QEMU's own files with our hooks in them, made in a scratch directory."""
    patch = project.QEMU_DEVICES / "hooks.patch"
    names = re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(), re.MULTILINE)
    for name in names:
        if not (original / name).is_file():
            raise BuildError(f"hooks.patch changes {name}, which this QEMU does not have")
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(original / name, scratch / name)
    process.run(
        # no fuzz: a hook that lands elsewhere would be worse than one that fails
        ["patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch", "-i", patch],
        log=log,
        what="applying qemu-devices/hooks.patch",
        cwd=scratch,
    )
    return {name: scratch / name for name in names}


def configure_arguments(text: str) -> list[str]:
    """The options in configure.args: one a line, ``#`` for comments."""
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def _configure(tree: Path, env: dict[str, str], log: Path, progress: Progress) -> None:
    build_dir, done = tree / "build", tree / "configured"
    if done.is_file():
        return
    shutil.rmtree(build_dir, ignore_errors=True)  # what an interrupted configure left
    build_dir.mkdir()
    arguments = configure_arguments((project.QEMU_DEVICES / "configure.args").read_text())
    compiler = f"ccache {toolchain.HOST_CC}" if env else toolchain.HOST_CC
    with progress.task("configuring QEMU"):
        process.run(
            ["../src/configure", f"--python={_python()}", f"--cc={compiler}", *arguments],
            log=log,
            what="configuring QEMU",
            cwd=build_dir,
            env=env,
            hint="`dmabed doctor` says which packages are missing",
        )
    done.touch()


def _compile(tree: Path, env: dict[str, str], log: Path, progress: Progress) -> None:
    with progress.task("building QEMU") as task:
        process.run(
            ["ninja", f"-j{process.jobs()}", BINARY, QTEST],
            log=log,
            what="building QEMU",
            cwd=tree / "build",
            env=env | {"NINJA_STATUS": "[%f/%t] "},
            on_line=lambda line: count_ninja(task, line),
            chatter=NINJA_COUNT,
        )


def count_ninja(task: Task, line: str) -> None:
    """Take the progress from a line of ninja's."""
    match = NINJA_COUNT.match(line)
    if match:
        task.advance(int(match.group(1)), int(match.group(2)), match.group(3).split(" ")[-1])


def _collect(tree: Path, entry: Path) -> None:
    made = files(entry)
    shutil.copy2(tree / "build" / BINARY, made.binary)
    shutil.copy2(tree / "build" / QTEST, made.qtest)
    made.data.mkdir()
    for name in FIRMWARE:
        rom = tree / "src" / "pc-bios" / name
        if rom.is_file():
            shutil.copy2(rom, made.data / name)
