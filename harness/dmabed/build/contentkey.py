# SPDX-License-Identifier: GPL-2.0-or-later
"""Names for content: the hash of everything that goes into an artifact."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

KEY_LENGTH = 32  # hex digits: 128 bits, far beyond any chance of two alike
IGNORED = ("__pycache__", ".git")  # never part of a build
UNBUILT = (".md", "~", ".o", ".ko", ".swp", ".orig", ".rej")


def combine(parts: Mapping[str, object]) -> str:
    """The key of named parts; the order in which they are given does not matter."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def of_file(path: Path) -> str:
    """The key of one file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:KEY_LENGTH]


def of_tree(*roots: Path) -> str:
    """The key of names, contents, executable bits and link targets below the roots."""
    digest = hashlib.sha256()
    for number, root in enumerate(roots):
        for path in files_below(root):
            _add(digest, f"{number}/{path.relative_to(root)}", path)
    return digest.hexdigest()[:KEY_LENGTH]


def files_below(root: Path) -> list[Path]:
    """All files and links below a directory in a fixed order; the root itself if it is a file."""
    if not root.is_dir():
        return [root]
    found: list[Path] = []
    for directory, names, files in os.walk(root):
        names[:] = [name for name in names if name not in IGNORED]
        links = [name for name in names if (Path(directory) / name).is_symlink()]
        found += [Path(directory) / name for name in _wanted([*files, *links])]
    return sorted(found)


def _wanted(names: Iterable[str]) -> list[str]:
    """Without pages for people, and what editors and compilers leave beside the sources."""
    return [name for name in names if not name.endswith(UNBUILT)]


def _add(digest: hashlib._Hash, name: str, path: Path) -> None:
    if path.is_symlink():
        kind, content = "link", os.fsencode(path.readlink())
    else:
        executable = path.stat().st_mode & stat.S_IXUSR
        kind, content = ("exec" if executable else "file"), path.read_bytes()
    digest.update(f"{kind} {name} {len(content)}\n".encode())
    digest.update(content)
