# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own modules that a guest may want: upstream drivers, unmodified.

Only layouts with media blocks get them, in an archive of their own. They lie
where modprobe looks, with the list of dependencies that it reads.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from dmabed.build import cpio
from dmabed.build.cpio import Node
from dmabed.errors import BuildError

BUILDER = 2  # raise it when this file makes something else from the same inputs

# Drivers for our models, the kernel's test drivers, and what our capture driver is linked with
WANTED = (
    *("sun8i-rotate", "mxsfb", "panel-simple"),
    *("vivid", "vim2m", "vgem", "vkms"),
    *("videobuf2-dma-contig", "videobuf2-dma-sg"),
)
FOLDER = "in-tree"  # in the kernel's cache entry
OURS = ("dmabed-capture.ko",)  # of our modules, those that need some of these

_DEPENDS = b"\0depends="


def keep(built: Path, entry: Path) -> None:
    """Copy the wanted modules of a built tree, and what they need. A kernel without any is fine."""
    there = {_plain(path.stem): path for path in built.rglob("*.ko")}
    wanted = [_plain(name) for name in WANTED if _plain(name) in there]
    folder = entry / FOLDER
    folder.mkdir()
    for name in _closure(wanted, there):
        shutil.copy2(there[name], folder / there[name].name)


def archive(entry: Path, ours: Iterable[Path]) -> bytes:
    """The archive for the guest, from a kernel's entry: modules, and the list of what each needs."""
    modules = {_plain(path.stem): path for path in sorted((entry / FOLDER).glob("*.ko"))}
    home = f"/lib/modules/{(entry / 'release').read_text().strip()}"
    lines = [_dependency_line(path, path.name, modules) for path in modules.values()]
    lines += [_dependency_line(path, f"/lib/modules/{path.name}", modules) for path in ours]
    nodes = {home: Node.directory(), f"{home}/modules.dep": Node.file("".join(lines).encode())}
    files = {f"{home}/{path.name}": Node.file(path.read_bytes()) for path in modules.values()}
    return cpio.archive(nodes | files)


def _dependency_line(module: Path, place: str, there: Mapping[str, Path]) -> str:
    """A line of modules.dep: all that it needs, what has to be loaded first stands last."""
    needed = [there[name].name for name in _closure(_needs(module), there)]
    return f"{place}: {' '.join(reversed(needed))}\n"


def _closure(names: Iterable[str], there: Mapping[str, Path]) -> list[str]:
    """The names and all that they need, in an order in which they can be loaded."""
    found: dict[str, None] = {}

    def add(name: str) -> None:
        if name not in there:
            raise BuildError(f"the kernel's module {name} is wanted by another one, and was not built")
        if name not in found:
            for needed in _needs(there[name]):
                add(needed)
            found[name] = None

    for name in names:
        add(name)
    return list(found)


def _needs(module: Path) -> list[str]:
    """The names in the section .modinfo of a module."""
    text = module.read_bytes()
    start = text.find(_DEPENDS)
    if start < 0:
        return []
    start += len(_DEPENDS)
    words = text[start : text.index(b"\0", start)].decode()
    return [_plain(name) for name in words.split(",") if name]


def _plain(name: str) -> str:
    """The kernel takes - and _ for the same."""
    return name.replace("-", "_")
