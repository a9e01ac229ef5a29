# SPDX-License-Identifier: GPL-2.0-or-later
"""What this machine has and lacks for the testbed, why that is needed, and what mends it.

Looks and changes nothing. It uses the standard library only, so that it also
runs before there is an environment: ``python3 -m dmabed.doctor``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from dmabed.build import load, sources
from dmabed.build.apt import OS_RELEASE, derive, machine_codename, machine_entries
from dmabed.build.cache import Cache, default_root
from dmabed.build.pipeline import NEEDED_DISK
from dmabed.errors import TestbedError
from dmabed.paths import ROOT

PACKAGE_LIST = ROOT / "tools" / "packages.txt"
VENV_PYTHON = ROOT / "build" / "venv" / "bin" / "python"
OLDEST_PYTHON = (3, 11)  # pyproject.toml
RUN_DISK = 500_000_000  # snapshots and results of a run over all layouts
SUPPORTED = ("12",)  # VERSION_ID of Debian releases that the set-up is tested on
INSTALL = "apt-get update && apt-get install -y --no-install-recommends"
EXIT_BROKEN = 2


class State(Enum):
    """What was found."""

    OK = "ok"
    NOTE = "note"  # worth knowing, nothing is wrong
    MISSING = "missing"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    found: str  # what there is
    why: str  # what it is needed for
    fix: str = ""  # the line that mends it

    @property
    def ok(self) -> bool:
        return self.state is not State.MISSING

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"state": self.state.value, "ok": self.ok}

    def as_text(self) -> str:
        lines = [f"{self.state.value:8}{self.name}: {self.found} ({self.why})"]
        if self.fix:
            lines.append(f"{'':8}  {self.fix}")
        return "\n".join(lines)


def run(cache: Cache | None = None) -> list[Check]:
    """All checks, in the order in which a set-up needs them."""
    cache = cache or Cache(default_root())
    return [
        _host(),
        *_packages(),
        *_environment(),
        *_mirrors(),
        _cache_directory(cache),
        _disk("disk of the cache", cache.root, 0 if _is_built(cache) else NEEDED_DISK, "sources and builds"),
        _disk("disk of this directory", Path.cwd(), RUN_DISK, "results of runs"),
        *_sources(cache),
        _artifacts(cache),
        _kvm(),
    ]


def _host() -> Check:
    """The set-up is made for one release; others may do, if their packages have the same names."""
    facts = _os_release(OS_RELEASE)
    found = f"{facts.get('PRETTY_NAME', 'unknown')} on {os.uname().machine}"
    supported = facts.get("ID") == "debian" and facts.get("VERSION_ID") in SUPPORTED
    state = State.OK if supported else State.NOTE
    return Check("host", state, found, "the set-up is tested on Debian 12")


def _os_release(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name: value.strip("\"'") for name, value in pairs}


def needed_packages(text: str) -> dict[str, str]:
    """The packages of packages.txt, each with its reason."""
    lines = (line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {words[0]: words[1].strip() if len(words) > 1 else "" for words in lines if words}


def _packages() -> Iterator[Check]:
    needed = needed_packages(PACKAGE_LIST.read_text())
    installed = _installed(list(needed))
    for name, reason in needed.items():
        if name in installed:
            yield Check(f"package {name}", State.OK, installed[name], reason)
        else:
            yield Check(f"package {name}", State.MISSING, "not installed", reason, f"{INSTALL} {name}")


def _installed(names: list[str]) -> dict[str, str]:
    """Versions of those that are installed; dpkg-query fails when one is not, and tells the rest."""
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\n", *names]
    try:
        told = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    except OSError:
        return {}
    rows = (line.split() for line in told.splitlines())
    return {row[1]: row[2] for row in rows if len(row) == 3 and row[0] == "installed"}


def _environment() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= OLDEST_PYTHON:
        yield Check("python", State.OK, version, "the harness")
    else:
        yield Check("python", State.MISSING, version, "the harness needs 3.11", f"{INSTALL} python3")
    if VENV_PYTHON.exists():
        yield Check("environment", State.OK, str(VENV_PYTHON.parents[1].resolve()), "pinned Python packages")
    else:
        yield Check("environment", State.MISSING, "not made", "pinned Python packages", "make setup")


def _mirrors() -> Iterator[Check]:
    """Whether the machine's source lists tell where the sources come from."""
    entries = machine_entries()
    for suite, kind, reason in (
        (sources.QEMU_SUITE, "deb-src", "QEMU's source"),
        (sources.GUEST_SUITE, "deb", "Linux's source and the guest's packages"),
    ):
        derived = derive(entries, machine_codename(), suite, kind)
        name = f"apt: {kind} {suite}"
        if derived:
            suites = " ".join(suite for entry in derived for suite in entry.suites)
            yield Check(name, State.OK, f"from the machine's own mirror: {suites}", reason)
        else:
            fix = "add a `deb` entry of this Debian release with component main to /etc/apt/sources.list.d"
            yield Check(name, State.MISSING, "the machine's apt names no Debian mirror", reason, fix)


def _cache_directory(cache: Cache) -> Check:
    name, reason = "cache", "holds all that is built"
    place = _existing(cache.root)
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Check(name, State.OK, str(cache.root), reason)
    fix = f'chown -R "$(id -u)" {place}, or set XDG_CACHE_HOME to a directory of yours'
    return Check(name, State.MISSING, f"{place} can't be written", reason, fix)


def _disk(name: str, path: Path, needed: int, reason: str) -> Check:
    free = shutil.disk_usage(_existing(path)).free
    found = f"{free / 1e9:.1f} GB free"
    if free >= needed:
        return Check(name, State.OK, found, reason)
    fix = f"free some space: {needed / 1e9:.1f} GB are needed below {path}"
    return Check(name, State.MISSING, found, reason, fix)


def _existing(path: Path) -> Path:
    """The path, or the nearest directory above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _sources(cache: Cache) -> Iterator[Check]:
    reasons = {"qemu": "the emulator", "linux": "the guest's kernel", "guest": "busybox, SSH server"}
    for name, reason in reasons.items():
        source = sources.known(cache, name)
        if source:
            yield Check(f"source {name}", State.OK, source.versions[name], reason)
        else:
            yield Check(f"source {name}", State.NOTE, "not fetched yet", reason, "make build")


def _artifacts(cache: Cache) -> Check:
    reason = "QEMU, kernel, modules and root file system for the present sources"
    try:
        versions = load(cache=cache).versions
    except TestbedError as error:
        return Check("artifacts", State.NOTE, error.what, reason, "make build")
    return Check("artifacts", State.OK, f"built, dmabed {versions['dmabed']}", reason)


def _is_built(cache: Cache) -> bool:
    return _artifacts(cache).state is State.OK


def _kvm() -> Check:
    found = "there" if Path("/dev/kvm").exists() else "not there"
    return Check("/dev/kvm", State.NOTE, found, "not used: guests run under TCG on every host")


def main() -> int:
    checks = run()
    for check in checks:
        print(check.as_text())
    return 0 if all(check.ok for check in checks) else EXIT_BROKEN


if __name__ == "__main__":
    sys.exit(main())
