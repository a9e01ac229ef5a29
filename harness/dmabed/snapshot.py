# SPDX-License-Identifier: GPL-2.0-or-later
"""Snapshots: boot once, restore copy-on-write for each scenario.

The guest's RAM is a file that QEMU maps shared while it boots. When the guest
is ready it is stopped and only the rest of its state is written (capability
x-ignore-shared). A restore maps the same file privately: nothing is copied, the
file is never written again, and restores run side by side.
(QEMU docs/system/vm-templating.rst)

A snapshot belongs to an *identity*: a hash of everything that went into the
boot. Any other input has another identity, so a stale snapshot can't be used.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from dmabed.build import Artifacts
from dmabed.build.cache import default_root
from dmabed.commandline import Channels, Image, Memory, qemu_command
from dmabed.deadline import Deadline
from dmabed.errors import LaunchError, NotProbed, QmpError, SetupError
from dmabed.files import named
from dmabed.layout import Layout
from dmabed.machine import Machine

FORMAT = 2
BOOT_CONSOLE = "boot-console.log"  # beside a restored guest's own: what it said before the snapshot
KEEP = 48  # one for each layout, and for those whose devices scenarios change: all the tests need 43
NO_MODULES = "a bare Image has no modules of ours: give --kernel the tree that it was built in"
# a ready guest has touched 160 to 250 MiB of its RAM (measured on the three base layouts), one with
# the debug kernel 1.1 GiB on 6 GiB: KASAN's shadow
NEEDED_BYTES = 1280 << 20
MIGRATE_SECONDS = 30.0
_SCRATCH = ".tmp"


def identity(artifacts: Artifacts, layout: Layout, image: Image) -> str:
    """A hash over all inputs of a boot: binaries by content, the command line by its words."""
    nowhere = Channels(0, 0, console=Path("console"), log=Path("log"))
    command = qemu_command(Path("qemu"), None, layout, image, nowhere, Memory(Path("ram"), share=True))
    files = {str(path) for path in (image.kernel, image.initrd, image.dtb)}
    parts = {
        "format": FORMAT,
        "qemu": artifacts.keys["qemu"],
        "kernel": _file_digest(image.kernel),
        "initrd": _file_digest(image.initrd),
        "dtb": _file_digest(image.dtb),
        "command": [word for word in command if word not in files],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _file_digest(path: Path) -> str:
    status = path.stat()
    return _digest_of_version(path, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _digest_of_version(path: Path, _size: int, _mtime_ns: int) -> str:
    """Read a file once as long as it does not change."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Store:
    """The snapshots on disk, ``<cache>/snapshots/<identity>/{ram,state,meta.json}``."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root() / "snapshots"
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, key: str) -> Path:
        return self.root / key

    def usable(self, key: str) -> bool:
        """A snapshot with this identity is there, whole and undamaged as far as sizes tell."""
        try:
            meta = json.loads((self.path(key) / "meta.json").read_text())
            sizes = {name: (self.path(key) / name).stat().st_size for name in ("ram", "state")}
        except (OSError, ValueError):
            return False
        return isinstance(meta, dict) and meta.get("identity") == key and meta.get("sizes") == sizes

    @contextlib.contextmanager
    def lock(self, key: str, how: int = fcntl.LOCK_EX) -> Iterator[None]:
        """One maker at a time for each identity, across processes and threads; readers share (LOCK_SH)."""
        with (self.root / f"{key}.lock").open("w") as file:
            fcntl.flock(file, how)
            yield

    def take(self, key: str) -> bool:
        """Whether there is a usable one; then it is the last used, and not pruned for long."""
        with self.lock(key, fcntl.LOCK_SH):
            usable = self.usable(key)
            if usable:
                os.utime(self.path(key))
            return usable

    def prune(self) -> None:
        """Keep the last used, and nothing of makers that were killed.

        A guest that still maps an older snapshot is not disturbed. Locks stay:
        another process may be waiting on one.
        """
        for used, path in self._by_last_use()[:-KEEP]:
            self._drop(path, used)
        for scratch in self.root.glob(f"*{_SCRATCH}"):
            self._drop(scratch)

    def _by_last_use(self) -> list[tuple[float, Path]]:
        """The oldest first, without those that another process takes away meanwhile."""
        made = [meta.parent for meta in self.root.glob("*/meta.json") if meta.parent.suffix != _SCRATCH]
        found = []
        for path in made:
            with contextlib.suppress(FileNotFoundError):
                found.append((path.stat().st_mtime, path))
        return sorted(found)

    def _drop(self, path: Path, used: float | None = None) -> None:
        """Remove a folder, unless somebody has its lock, or has taken it since it was ``used``."""
        lock = self.lock(path.name.partition(".")[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
        with contextlib.suppress(BlockingIOError, FileNotFoundError), lock:
            if used is None or path.stat().st_mtime == used:
                shutil.rmtree(path, ignore_errors=True)


def ensure(store: Store, artifacts: Artifacts, layout: Layout, image: Image, directory: Path) -> str:
    """The identity of a usable snapshot; boots and makes one if there is none.

    ``directory`` takes the logs of that boot. Raises LaunchError; NotProbed
    when an engine is missing, since every restore would miss it.
    """
    key = identity(artifacts, layout, image)
    if store.take(key):
        return key
    with store.lock(key):
        if not store.usable(key):
            _make(store, key, artifacts, layout, image, directory)
    store.prune()
    return key


def _make(
    store: Store, key: str, artifacts: Artifacts, layout: Layout, image: Image, directory: Path
) -> None:
    _check_room(store.root)
    shutil.rmtree(store.path(key), ignore_errors=True)
    scratch = store.root / f"{key}.{os.getpid()}{_SCRATCH}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    try:
        memory = Memory(scratch / "ram", share=True)
        with Machine.boot(artifacts, layout, image, directory, memory) as machine:
            machine.wait_for_ssh()
            require_devices(machine, artifacts)
            _save(machine, scratch / "state")
            shutil.copyfile(machine.console_log, scratch / BOOT_CONSOLE)
            ready = machine.ready_seconds
        sizes = {name: (scratch / name).stat().st_size for name in ("ram", "state")}
        meta = {"identity": key, "layout": layout.name, "ready_seconds": ready, "sizes": sizes}
        (scratch / "meta.json").write_text(json.dumps(meta))
        scratch.rename(store.path(key))
    except OSError as error:
        raise LaunchError("the snapshot could not be written", why=str(error)) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check_room(root: Path) -> None:
    """A disk that fills up while the guest's RAM is written kills QEMU with SIGBUS: better say so before."""
    free = shutil.disk_usage(root).free
    if free < NEEDED_BYTES:
        raise SetupError(
            f"{root}: {free >> 20} MiB are free, a snapshot needs up to {NEEDED_BYTES >> 20} MiB",
            hint="make room, or run with --no-snapshot",
        )


def require_devices(machine: Machine, artifacts: Artifacts) -> None:
    """Raise NotProbed when the guest's driver did not take every engine."""
    if missing := machine.missing_devices():
        raise NotProbed(
            f"{machine.layout.name}: the guest's driver did not probe {', '.join(missing)}",
            why=machine.console_tail(),
            hint="" if "modules" in artifacts.keys else NO_MODULES,
        )


def _save(machine: Machine, state: Path) -> None:
    qmp = machine.qmp
    _ignore_shared(machine)
    qmp.command("stop")
    qmp.command("migrate", channels=[_channel(state)])
    _wait_until_migrated(machine)


def _ignore_shared(machine: Machine) -> None:
    capability = {"capability": "x-ignore-shared", "state": True}
    machine.qmp.command("migrate-set-capabilities", capabilities=[capability])


def _channel(state: Path) -> dict[str, object]:
    address = {"transport": "file", "filename": str(state), "offset": 0}
    return {"channel-type": "main", "addr": address}


def _wait_until_migrated(machine: Machine) -> None:
    deadline = Deadline(MIGRATE_SECONDS)
    while True:
        info = machine.qmp.command("query-migrate")
        status = info.get("status")
        if status == "completed":
            return
        if status == "failed" or deadline.passed():
            raise LaunchError(f"the snapshot is {status}", why=str(info.get("error-desc", "")))
        time.sleep(0.001)


def restore(
    store: Store, key: str, artifacts: Artifacts, layout: Layout, image: Image, directory: Path
) -> Machine:
    """A guest from the snapshot ``key``, ready. Raises LaunchError."""
    if key != identity(artifacts, layout, image):
        raise LaunchError("this snapshot was made from other inputs", hint="it is made anew by a boot")
    path = store.path(key)
    memory = Memory(path / "ram", share=False)
    machine = Machine(artifacts, layout, image, directory, memory, incoming=True)
    with machine.closed_on_error():
        with named(directory / BOOT_CONSOLE):
            shutil.copyfile(path / BOOT_CONSOLE, directory / BOOT_CONSOLE)
        _load(machine, path / "state")
        machine.greet()
    return machine


def _load(machine: Machine, state: Path) -> None:
    try:
        _ignore_shared(machine)
        machine.qmp.command("migrate-incoming", channels=[_channel(state)])
        _wait_until_migrated(machine)
        machine.qmp.command("cont")
    except QmpError as error:
        raise LaunchError("the snapshot can't be restored", why=str(error) + machine.child.said()) from error
