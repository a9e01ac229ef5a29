# SPDX-License-Identifier: GPL-2.0-or-later
"""An entry that exists is whole, and two builds never make the same one."""

import errno
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from dmabed.build.cache import Cache, SourcesChanged, default_root, disk_full_is_plain, replace
from dmabed.build.progress import SilentProgress
from dmabed.errors import BuildError, SetupError

QUIET = SilentProgress()


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    cache, made = Cache(tmp_path), []

    def fill(entry: Path) -> None:
        made.append(entry)
        (entry / "file").write_text("content")

    for _ in range(2):
        place = cache.make("thing", "key", fill, QUIET)
    assert len(made) == 1
    assert (place / "file").read_text() == "content"


def test_a_failed_build_leaves_no_entry(tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    def fill(entry: Path) -> None:
        (entry / "half").touch()
        raise BuildError("compiler said no")

    with pytest.raises(BuildError):
        cache.make("thing", "key", fill, QUIET)
    assert list((tmp_path / "entries" / "thing").iterdir()) == []


def _make_slowly(root: Path, count: Path) -> None:
    def fill(entry: Path) -> None:
        with count.open("a") as file:
            file.write("made\n")
        time.sleep(0.2)

    Cache(root).make("thing", "key", fill, QUIET)


def test_of_two_processes_one_builds(tmp_path: Path) -> None:
    count = tmp_path / "count"
    spawn = multiprocessing.get_context("fork")
    workers = [spawn.Process(target=_make_slowly, args=(tmp_path / "cache", count)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert count.read_text() == "made\n"


def test_prune_keeps_what_was_used_last(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for age, key in enumerate(("new", "middle", "old")):
        place = cache.make("thing", key, lambda entry: None, QUIET)
        os.utime(place, (1000 - age, 1000 - age))
    cache.use(cache.entry("thing", "old"))
    assert [path.name for path in cache.prune(keep=2)] == ["middle"]
    assert not cache.entry("thing", "middle").exists()


def test_damaged_records_count_as_none(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.record("facts", {"version": "1"})
    assert cache.recall("facts") == {"version": "1"}
    (tmp_path / "state" / "facts.json").write_text('{"version": ')
    assert cache.recall("facts") == {}


@pytest.mark.parametrize(
    ("code", "says"), [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "cannot write to the cache")]
)
def test_disk_errors_become_plain(tmp_path: Path, code: int, says: str) -> None:
    with pytest.raises(SetupError, match=says), disk_full_is_plain(tmp_path):
        raise OSError(code, os.strerror(code), "/some/file")


def test_replace_leaves_the_old_file_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    replace(path, b"old")

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="full"):
        replace(path, b"new")
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("file", b"old")]


def test_a_relative_cache_home_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_root() == Path("/home/someone/.cache/dmabed")


def test_prune_drops_old_versions_with_their_trees(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.record("source-qemu", {"qemu": "10.0.13"})
    for version in ("10.0.12", "10.0.13"):
        (tmp_path / "sources" / "qemu" / version).mkdir(parents=True)
        (tmp_path / "trees" / f"qemu-{version}-abc").mkdir(parents=True)
    assert [path.name for path in cache.prune()] == ["10.0.12", "qemu-10.0.12-abc"]
    assert (tmp_path / "trees" / "qemu-10.0.13-abc").is_dir()


def test_sources_that_change_meanwhile_leave_no_entry(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with pytest.raises(SourcesChanged, match="sources of thing changed"):
        cache.make("thing", "key", lambda entry: None, QUIET, key_now=lambda: "other")
    assert not cache.entry("thing", "key").exists()
