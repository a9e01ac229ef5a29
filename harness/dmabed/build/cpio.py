# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes initramfs archives: cpio in ``newc`` format, the same bytes for the same content.

The format is the kernel's (Documentation/driver-api/early-userspace/buffer-format.rst):
a header of hexadecimal fields, name, data, each padded to 4 bytes. Archives may
follow each other; a later file replaces an earlier one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dmabed.errors import InputError

MAGIC = b"070701"
TRAILER = "TRAILER!!!"
ALIGNMENT = 4
LARGEST_FILE = 2**32 - 1  # the size field has 8 hexadecimal digits
LARGEST_NAME = 4095  # PATH_MAX with its NUL


@dataclass(frozen=True)
class Node:
    """A file, directory, link or device; owned by root, of no date."""

    mode: int  # type and permissions, as st_mode
    data: bytes = b""
    device: tuple[int, int] = (0, 0)

    @staticmethod
    def file(data: bytes, permissions: int = 0o644) -> Node:
        return Node(stat.S_IFREG | permissions, data)

    @staticmethod
    def directory(permissions: int = 0o755) -> Node:
        return Node(stat.S_IFDIR | permissions)

    @staticmethod
    def link(target: str) -> Node:
        return Node(stat.S_IFLNK | 0o777, os.fsencode(target))

    @staticmethod
    def character_device(major: int, minor: int, permissions: int = 0o600) -> Node:
        return Node(stat.S_IFCHR | permissions, device=(major, minor))


def archive(nodes: Mapping[str, Node]) -> bytes:
    """One archive of these paths, with or without a leading slash; a directory comes before its files."""
    named = {path.strip("/"): node for path, node in nodes.items()}
    ordered = sorted(named.items(), key=lambda item: item[0].split("/"))
    entries = [_entry(number, path, node) for number, (path, node) in enumerate(ordered, 1)]
    return b"".join(entries) + _entry(0, TRAILER, Node(0))


def tree(directory: Path) -> dict[str, Node]:
    """Everything below a directory, with its permissions; not the directory itself."""
    if not directory.is_dir():
        raise InputError(f"overlay {directory}: there is no such directory")
    found: dict[str, Node] = {}
    for parent, names, files in os.walk(directory, onerror=_unreadable):
        for name in sorted([*names, *files]):
            path = Path(parent) / name
            found[str(path.relative_to(directory))] = _node(path)
    return found


def overlay_cpio(directory: Path) -> bytes:
    """An archive of a user's directory, to follow the initrd."""
    return archive(tree(directory))


def _node(path: Path) -> Node:
    status = path.lstat()
    permissions = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return Node.link(os.readlink(path))  # noqa: PTH115 - a Path would normalise it
    if stat.S_ISDIR(status.st_mode):
        return Node.directory(permissions)
    if not stat.S_ISREG(status.st_mode):
        raise InputError(
            f"overlay: {path} is a {_kind(status.st_mode)}; only files, directories and links can go in"
        )
    if status.st_size > LARGEST_FILE:
        raise InputError(f"overlay: {path} is too large for an initramfs ({status.st_size} bytes)")
    return Node.file(_read(path), permissions)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"overlay: cannot read {path}: {error.strerror}") from error


def _unreadable(error: OSError) -> None:
    raise InputError(f"overlay: cannot read {error.filename}: {error.strerror}") from error


def _kind(mode: int) -> str:
    kinds = {stat.S_IFSOCK: "socket", stat.S_IFIFO: "named pipe", stat.S_IFBLK: "block device"}
    return kinds.get(stat.S_IFMT(mode), "character device")


def _entry(number: int, path: str, node: Node) -> bytes:
    name = os.fsencode(path) + b"\0"
    if len(name) > LARGEST_NAME:
        raise InputError(f"initramfs: the name is too long: {path}")
    fields = (
        number,
        node.mode,
        0, 0,  # uid, gid
        1,  # links: each file on its own
        0,  # modification time
        len(node.data),
        0, 0,  # device that the file came from
        *node.device,
        len(name),
        0,  # check sum, only in the crc format
    )  # fmt: skip
    header = MAGIC + b"".join(b"%08x" % field for field in fields)
    return _padded(header + name) + _padded(node.data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % ALIGNMENT)
