# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts our files into a build tree so that only what really changed gets a new time.

Build tools go by modification times. A file whose content did not change must
therefore not be written, and a file that is gone must go, or come back as it
was before ours was laid over it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from dmabed.build.cache import replace

MANIFEST = ".dmabed-files.json"  # in the build tree: what was laid over it


def overlay(tree: Path, files: Mapping[str, Path], original: Path | None = None) -> list[str]:
    """Make ``tree`` hold ``files`` (path in the tree: source); returns the paths that changed.

    What an earlier overlay put there and this one doesn't have is restored
    from ``original``, or removed.
    """
    changed = [name for name, source in files.items() if _copy(source, tree / name)]
    for name in sorted(set(_manifest(tree)) - set(files)):
        before = original / name if original else None
        if before and before.exists():
            _copy(before, tree / name)
        else:
            (tree / name).unlink(missing_ok=True)
        changed.append(name)
    replace(tree / MANIFEST, json.dumps(sorted(files)).encode())
    return changed


def link_copy(source: Path, target: Path) -> None:
    """A copy of a tree that shares its files: nobody writes into one, files are only replaced."""
    new = target.with_name(f".new-{target.name}")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(source, new, symlinks=True, copy_function=_link)
    new.rename(target)


def _link(source: str, target: str) -> str:
    Path(target).hardlink_to(source)
    return target


def _copy(source: Path, target: Path) -> bool:
    content = source.read_bytes()
    if target.is_file() and target.read_bytes() == content:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    replace(target, content, source.stat().st_mode & 0o777)
    return True


def _manifest(tree: Path) -> list[str]:
    try:
        return [str(name) for name in json.loads((tree / MANIFEST).read_text())]
    except (OSError, ValueError):
        return []
