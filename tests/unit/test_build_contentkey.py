# SPDX-License-Identifier: GPL-2.0-or-later
"""A key changes with everything that can change the build, and with nothing else."""

from pathlib import Path

import pytest

from dmabed.build import contentkey


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "a.c").write_text("int a;")
    (root / "sub" / "b.c").write_text("int b;")
    (root / "link").symlink_to("a.c")
    return root


def _relink(tree: Path) -> None:
    (tree / "link").unlink()
    (tree / "link").symlink_to("sub/b.c")


CHANGES = {
    "content": lambda tree: (tree / "a.c").write_text("int c;"),
    "name": lambda tree: (tree / "a.c").rename(tree / "c.c"),
    "new file": lambda tree: (tree / "sub" / "new.h").touch(),
    "executable": lambda tree: (tree / "a.c").chmod(0o755),
    "link": _relink,
}
SAME = {
    "object file": lambda tree: (tree / "a.o").write_text("object"),
    "page for people": lambda tree: (tree / "README.md").write_text("read me"),
    "time": lambda tree: (tree / "a.c").write_text("int a;"),
    "umask": lambda tree: (tree / "a.c").chmod(0o600),
}


@pytest.mark.parametrize("change", CHANGES)
def test_key_changes_with(tree: Path, change: str) -> None:
    before = contentkey.of_tree(tree)
    CHANGES[change](tree)
    assert contentkey.of_tree(tree) != before


@pytest.mark.parametrize("change", SAME)
def test_key_stays_with(tree: Path, change: str) -> None:
    before = contentkey.of_tree(tree)
    SAME[change](tree)
    assert contentkey.of_tree(tree) == before


def test_content_cannot_pose_as_a_name(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    (one / "a").write_bytes(b"x\nfile 0/b 1\ny")
    (two / "a").write_bytes(b"x\n")
    (two / "b").write_bytes(b"y")
    assert contentkey.of_tree(one) != contentkey.of_tree(two)


def test_order_of_parts_does_not_matter() -> None:
    assert contentkey.combine({"a": 1, "b": 2}) == contentkey.combine({"b": 2, "a": 1})
    assert contentkey.combine({"a": 1}) != contentkey.combine({"a": 2})
