# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache of what was built: one directory per artifact and content key.

    $XDG_CACHE_HOME/dmabed/
      entries/ARTIFACT/KEY/   finished, never changed afterwards
      sources/                what apt gave us, unpacked, by version
      trees/                  build trees that stay, so that one changed file rebuilds in seconds
      locks/ logs/ state/     who builds, what they said, what was recorded

An entry is made beside its place and renamed into it, so an entry that exists
is whole, whatever happened to the process that made it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dmabed.build.progress import Progress
from dmabed.errors import BuildError, SetupError

KEEP = 8  # entries that stay per artifact: four kernels, and going back and forth between two branches


class SourcesChanged(BuildError):
    """What was built belongs to no key; building again helps."""


class Cache:
    """A cache directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def entry(self, artifact: str, key: str) -> Path:
        """Where an artifact with this content is, or would be."""
        return self.root / "entries" / artifact / key

    def make(
        self,
        artifact: str,
        key: str,
        fill: Callable[[Path], None],
        progress: Progress,
        key_now: Callable[[], str] | None = None,
        lock: str = "",
    ) -> Path:
        """The entry, which ``fill`` writes into an empty directory if it is not there.

        ``key_now`` computes the key once more after that: somebody may have
        edited a source meanwhile, and then nobody knows what was built.
        ``lock`` is for artifacts of a kind that can be made side by side.
        """
        place = self.entry(artifact, key)
        if place.is_dir():
            return place
        with self.lock(lock or artifact, progress):
            if not place.is_dir():  # another process may have made it while this one waited
                self._fill(place, fill, lambda: key_now is None or key_now() == key)
        return place

    def use(self, entry: Path) -> None:
        """Note that an entry is in use: prune goes by that."""
        with suppress(OSError):  # a cache that we may only read is as good
            os.utime(entry)

    def _fill(self, place: Path, fill: Callable[[Path], None], is_current: Callable[[], bool]) -> None:
        with disk_full_is_plain(self.root):
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=place.parent) as new:
                made = Path(new) / "entry"
                made.mkdir()
                fill(made)
                if not is_current():
                    raise SourcesChanged(f"sources of {place.parent.name} changed while it was built")
                made.rename(place)

    @contextmanager
    def lock(self, name: str, progress: Progress) -> Iterator[None]:
        """Keep other processes out; the kernel drops the lock when the holder dies."""
        path = self.root / "locks" / name
        with disk_full_is_plain(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with progress.task(f"waiting for another process that builds {name}"):
                    fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def log(self, name: str) -> Path:
        """Where a build writes what its tools say."""
        path = self.root / "logs" / f"{name}.log"
        with disk_full_is_plain(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def recall(self, name: str) -> dict[str, str]:
        """What was recorded under this name; empty when nothing was, or it is damaged."""
        try:
            found = json.loads((self.root / "state" / f"{name}.json").read_text())
        except (OSError, ValueError):
            return {}
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}

    def record(self, name: str, facts: dict[str, str]) -> None:
        """Keep facts for later runs."""
        path = self.root / "state" / f"{name}.json"
        with disk_full_is_plain(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, json.dumps(facts, indent=1, sort_keys=True).encode())

    def prune(self, keep: int = KEEP) -> list[Path]:
        """Drop all but the last used entries of each artifact, and sources and trees of old versions."""
        dropped = [old for kind in sorted((self.root / "entries").glob("*")) for old in _old(kind, keep)]
        for source in sorted((self.root / "sources").glob("*")):
            current = self.recall(f"source-{source.name}").get(source.name, "")
            outdated = [place.name for place in source.iterdir() if current and place.name != current]
            dropped += [source / version for version in outdated]
            for version in outdated:
                dropped += (self.root / "trees").glob(f"{source.name}-{version}-*")
        for path in dropped:
            shutil.rmtree(path, ignore_errors=True)
        return dropped


def _old(kind: Path, keep: int) -> list[Path]:
    """The entries of an artifact beyond those used last."""
    entries = [path for path in kind.iterdir() if not path.name.startswith(".")]
    return sorted(entries, key=lambda path: path.stat().st_mtime, reverse=True)[keep:]


def default_root() -> Path:
    """``$XDG_CACHE_HOME/dmabed``, or the usual place in the home directory."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # the XDG specification has relative paths ignored
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "dmabed"


def replace(path: Path, content: bytes, mode: int = 0o644, *, durable: bool = False) -> None:
    """Write a file so that nobody ever sees half of it; ``durable``: it is on disk on return."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def disk_full_is_plain(root: Path) -> Iterator[None]:
    """Turn the errors of a full or forbidden disk into a message that can be acted on."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SetupError(
                f"the disk is full: {error.filename or root}",
                why=str(error),
                hint="a complete build takes about 10 GB; point XDG_CACHE_HOME at a larger disk",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise SetupError(
                f"cannot write to the cache: {error.filename or root}",
                why=str(error),
                hint="make it writable, or point XDG_CACHE_HOME somewhere else",
            ) from error
        raise
