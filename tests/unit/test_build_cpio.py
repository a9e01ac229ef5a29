# SPDX-License-Identifier: GPL-2.0-or-later
"""The archive is what the kernel reads, and the same bytes for the same content."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dmabed.build.cpio import Node, archive, overlay_cpio, tree
from dmabed.errors import InputError

HEADER = 110  # six characters of magic, thirteen fields of eight


def entries(data: bytes) -> Iterator[tuple[str, list[int], bytes]]:
    """An independent reader of newc: name, fields, content."""
    at = 0
    while True:
        assert data[at : at + 6] == b"070701"
        fields = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        size, name_size = fields[6], fields[11]
        name = data[at + HEADER : at + HEADER + name_size - 1].decode()
        start = (at + HEADER + name_size + 3) & ~3
        if name == "TRAILER!!!":
            assert (start + 3) & ~3 == len(data)
            return
        yield name, fields, data[start : start + size]
        at = (start + size + 3) & ~3


def test_everything_is_in_it_in_order() -> None:
    data = archive(
        {
            "/lib/x": Node.link("../y"),
            "/lib": Node.directory(),
            "/lib-a": Node.file(b"abc", 0o755),
            "/dev/console": Node.character_device(5, 1),
        }
    )
    got = {name: (fields, content) for name, fields, content in entries(data)}
    assert list(got) == ["dev/console", "lib", "lib/x", "lib-a"]
    assert got["lib/x"][1] == b"../y"
    assert got["lib-a"][1] == b"abc"
    assert got["lib-a"][0][1] == stat.S_IFREG | 0o755
    assert got["dev/console"][0][9:11] == [5, 1]


def test_owner_and_time_are_nobodys(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    os.utime(tmp_path / "file", (12345, 67890))
    ((_name, fields, _content),) = entries(overlay_cpio(tmp_path))
    assert (fields[2], fields[3], fields[5]) == (0, 0, 0)


def test_same_content_same_bytes(tmp_path: Path) -> None:
    made = []
    for number, names in enumerate((("b", "a", "c"), ("c", "b", "a"))):
        directory = tmp_path / str(number)
        directory.mkdir()
        for name in names:
            (directory / name).write_text(name)
        made.append(overlay_cpio(directory))
    assert made[0] == made[1]


def test_an_overlay_keeps_links_modes_and_empty_directories(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir(mode=0o750)
    (tmp_path / "bin" / "tool").write_bytes(b"\x7fELF")
    (tmp_path / "bin" / "tool").chmod(0o4755)
    (tmp_path / "dangling").symlink_to("nowhere//x/")
    (tmp_path / "link-to-directory").symlink_to("bin")
    nodes = tree(tmp_path)
    assert nodes["bin"].mode == stat.S_IFDIR | 0o750
    assert nodes["bin/tool"].mode == stat.S_IFREG | 0o4755
    assert nodes["dangling"] == Node.link("nowhere//x/")
    assert nodes["link-to-directory"] == Node.link("bin")


def test_what_cannot_go_in_is_named(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(InputError, match=r"/s is a socket"):
            overlay_cpio(tmp_path)


def test_a_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    with pytest.raises(InputError, match="named pipe"):
        overlay_cpio(tmp_path)


def test_an_overlay_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        overlay_cpio(tmp_path / "none")


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").touch()

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=r"cannot read .*/secret: Permission denied"):
        overlay_cpio(tmp_path)
