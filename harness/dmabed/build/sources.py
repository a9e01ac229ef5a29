# SPDX-License-Identifier: GPL-2.0-or-later
"""Gets what others wrote: QEMU, Linux and the guest's Debian packages, through apt.

Each source is fetched once and stays at that version until ``update``; the
series is pinned here, the exact version is recorded. Debian's own patches to
QEMU are not applied: they serve Debian's packaging and other targets, and the
files in qemu-devices are written against upstream's tree.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from dmabed.build.apt import PrivateApt
from dmabed.build.cache import Cache, disk_full_is_plain
from dmabed.build.contentkey import combine
from dmabed.build.process import run
from dmabed.build.progress import Progress
from dmabed.errors import SetupError

QEMU_SUITE, QEMU_SERIES = "trixie", "10.0."
GUEST_SUITE, LINUX_SERIES = "bookworm", "6.12."
LINUX_PACKAGE = "linux-source-6.12"


@dataclass(frozen=True)
class Source:
    """An unpacked source: where, and which version."""

    path: Path
    versions: dict[str, str]


def qemu(cache: Cache, progress: Progress) -> Source:
    """QEMU's tree as upstream released it."""
    return _ensure(cache, "qemu", _fetch_qemu, progress)


def linux(cache: Cache, progress: Progress) -> Source:
    """Linux's tree with Debian's stable patches."""
    return _ensure(cache, "linux", _fetch_linux, progress)


def guest(cache: Cache, packages: Sequence[str], progress: Progress) -> Source:
    """The guest's arm64 packages unpacked over each other, as the root of a system."""
    fetch = partial(_fetch_guest, packages=packages)
    return _ensure(cache, "guest", fetch, progress, needs=packages)


def known(cache: Cache, name: str, needs: Sequence[str] = ()) -> Source | None:
    """A source that is there already, with all the packages that are needed of it."""
    versions = cache.recall(f"source-{name}")
    if not {name, *needs} <= set(versions):
        return None
    place = cache.root / "sources" / name / versions[name]
    return Source(place, versions) if place.is_dir() else None


def forget(cache: Cache) -> None:
    """Have the newest versions of the pinned series fetched by the next build."""
    for name in ("qemu", "linux", "guest"):
        cache.record(f"source-{name}", {})


Fetch = Callable[[Cache, Path, Progress], dict[str, str]]


def _ensure(cache: Cache, name: str, fetch: Fetch, progress: Progress, needs: Sequence[str] = ()) -> Source:
    found = known(cache, name, needs)
    if found:
        return found
    with cache.lock(f"source-{name}", progress), disk_full_is_plain(cache.root):
        return known(cache, name, needs) or _fetch(cache, name, fetch, progress)


def _fetch(cache: Cache, name: str, fetch: Fetch, progress: Progress) -> Source:
    parent = cache.root / "sources" / name
    parent.mkdir(parents=True, exist_ok=True)
    cache.log(f"source-{name}").write_text("")
    with tempfile.TemporaryDirectory(prefix=".new-", dir=parent) as new:
        tree = Path(new) / "tree"
        tree.mkdir()
        versions = fetch(cache, tree, progress)
        place = parent / versions[name]
        if not place.exists():
            tree.rename(place)
    cache.record(f"source-{name}", versions)
    progress.note(f"{name}: {versions[name]}")
    return Source(place, versions)


def _fetch_qemu(cache: Cache, tree: Path, progress: Progress) -> dict[str, str]:
    log = cache.log("source-qemu")
    apt = PrivateApt(cache.root / "apt", QEMU_SUITE, "deb-src", "amd64", log)
    with tempfile.TemporaryDirectory(prefix=".down-", dir=tree.parent) as down:
        with progress.task(f"reading the source lists of Debian {QEMU_SUITE}"):
            apt.update()
        with progress.task("fetching the source of QEMU"):
            apt.source("qemu", Path(down))
        tarball = _only(Path(down), "qemu_*.orig.tar.*")
        version = _version_of(tarball.name, r"qemu_(.+?)(?:\+ds\w*)?\.orig\.tar", QEMU_SERIES)
        with progress.task(f"unpacking QEMU {version}"):
            _untar(tarball, tree, log)
    return {"qemu": version}


def _fetch_linux(cache: Cache, tree: Path, progress: Progress) -> dict[str, str]:
    log = cache.log("source-linux")
    with tempfile.TemporaryDirectory(prefix=".down-", dir=tree.parent) as down:
        package = _download(cache, [LINUX_PACKAGE], Path(down), log, progress)[0]
        version = _version_of(package.name, r"_(.+?)_all\.deb", LINUX_SERIES)
        with progress.task(f"unpacking Linux {version}"):
            run(["dpkg-deb", "-x", package, down], log=log, what="unpacking the Linux package")
            _untar(_only(Path(down) / "usr/src", "linux-source-*.tar.*"), tree, log)
    return {"linux": version}


def _fetch_guest(cache: Cache, tree: Path, progress: Progress, *, packages: Sequence[str]) -> dict[str, str]:
    log = cache.log("source-guest")
    with tempfile.TemporaryDirectory(prefix=".down-", dir=tree.parent) as down:
        files = _download(cache, packages, Path(down), log, progress)
        for package in files:
            run(["dpkg-deb", "-x", package, tree], log=log, what=f"unpacking {package.name}")
        pattern = r"_(.+?)_(?:arm64|all)\.deb"
        versions = {path.name.split("_")[0]: _version_of(path.name, pattern) for path in files}
    versions["busybox"], versions["dropbear"] = versions["busybox-static"], versions["dropbear-bin"]
    versions["guest"] = combine(versions)  # the packages are one source: its version is all of theirs
    return versions


def _download(cache: Cache, packages: Sequence[str], down: Path, log: Path, progress: Progress) -> list[Path]:
    """Get arm64 (or all) packages, sorted by name."""
    apt = PrivateApt(cache.root / "apt", GUEST_SUITE, "deb", "arm64", log)
    with cache.lock("apt", progress):  # Linux and the guest's packages share their lists
        with progress.task(f"reading the package lists of Debian {GUEST_SUITE} arm64"):
            apt.update()
        with progress.task(f"fetching {', '.join(packages)}"):
            apt.download(packages, down)
    return sorted(down.glob("*.deb"))


def _version_of(name: str, pattern: str, series: str = "") -> str:
    match = re.search(pattern, unquote(name))
    version = match.group(1) if match else ""
    if not version.startswith(series) or not version:
        raise SetupError(
            f"apt has {unquote(name)}, but this needs the {series}x series",
            hint="this testbed was written for Debian bookworm and trixie mirrors",
        )
    return version


def _only(directory: Path, pattern: str) -> Path:
    found = [path for path in sorted(directory.glob(pattern)) if path.suffix != ".asc"]
    if len(found) != 1:
        raise SetupError(f"expected one {pattern} from apt, got {[path.name for path in found]}")
    return found[0]


def _untar(tarball: Path, tree: Path, log: Path) -> None:
    run(
        ["tar", "-x", "-f", tarball, "-C", tree, "--strip-components=1", "--no-same-owner"],
        log=log,
        what=f"unpacking {tarball.name}",
    )
