# SPDX-License-Identifier: GPL-2.0-or-later
"""Fetches packages with the machine's apt, but without touching the machine's apt.

The machine's own entries say where its Debian mirror is and which keys sign it.
A source list for another suite is derived from them, and apt gets lists and
cache directories of its own, so neither root nor a change of /etc/apt is needed
and every byte is still verified against Debian's signatures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dmabed.build.cache import replace
from dmabed.build.process import run
from dmabed.errors import SetupError

ETC_APT = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")

# Debian's pockets of one release: bookworm, bookworm-updates, bookworm-security (once bookworm/updates)
POCKETS = ("", "-updates", "-security", "/updates")
# What a release may be called instead of its codename
ROLLING_NAMES = ("oldoldstable", "oldstable", "stable")
# Fields that a derived entry has otherwise, or for other machines
DROPPED_FIELDS = ("types", "uris", "suites", "components", "enabled")
DROPPED_OPTIONS = ("architectures", "arch", "languages", "lang")
NO = ("no", "false", "off", "0", "without", "disable")  # apt's words, apt.conf(5)

NETWORK_HINT = "the machine's apt must reach its mirror: try `apt-get update`"


@dataclass(frozen=True)
class Entry:
    """One entry of a source list."""

    types: tuple[str, ...]
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)  # other fields, as Signed-By

    def stanza(self) -> str:
        """The entry in deb822 format."""
        fields = {
            "Types": " ".join(self.types),
            "URIs": " ".join(self.uris),
            "Suites": " ".join(self.suites),
            "Components": " ".join(self.components),
        } | dict(self.options)
        return "".join(f"{name}: {value}\n" for name, value in fields.items())


def machine_entries(etc_apt: Path = ETC_APT) -> list[Entry]:
    """All entries that the machine's apt uses."""
    files = [etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*"))]
    entries: list[Entry] = []
    for path in files:
        if path.suffix == ".list" and path.is_file():
            entries += parse_one_line(path.read_text(errors="replace"))
        elif path.suffix == ".sources" and path.is_file():
            entries += parse_deb822(path.read_text(errors="replace"))
    return entries


def parse_one_line(text: str) -> list[Entry]:
    """``deb [signed-by=K] URI SUITE COMPONENT…`` (sources.list(5))."""
    entries = []
    for line in text.splitlines():
        match = re.match(r"\s*(deb|deb-src)\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if match:
            kind, options, uri, suite, components = match.groups()
            pairs = dict(word.split("=", 1) for word in (options or "").split() if "=" in word)
            values = {name: value.replace(",", " ") for name, value in pairs.items()}
            entries.append(Entry((kind,), (uri,), (suite,), tuple(components.split()), _options(values)))
    return entries


def parse_deb822(text: str) -> list[Entry]:
    """Stanzas of fields (sources.list(5)), without the disabled ones."""
    entries = []
    for stanza in _stanzas(text):
        types, uris, suites, components = (
            tuple(stanza.get(name, "").split()) for name in ("types", "uris", "suites", "components")
        )
        enabled = stanza.get("enabled", "yes").lower() not in NO
        if enabled and types and uris and suites:
            entries.append(Entry(types, uris, suites, components, _options(stanza)))
    return entries


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    name = ""
    for line in [*text.splitlines(), ""]:
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line.startswith("#"):
            continue
        elif line[0] in " \t":
            if name:  # the key itself may stand in Signed-By, over many lines
                fields[name] += "\n" + line
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.strip()


def _options(fields: Mapping[str, str]) -> dict[str, str]:
    dropped = DROPPED_FIELDS + DROPPED_OPTIONS
    return {name.title(): value for name, value in fields.items() if name.lower() not in dropped}


def machine_codename(os_release: Path = OS_RELEASE) -> str:
    """``bookworm``, or what the machine runs."""
    match = re.search(r'^VERSION_CODENAME="?([\w-]+)', os_release.read_text(), re.MULTILINE)
    return match.group(1) if match else ""


def derive(entries: Sequence[Entry], own: str, target: str, kind: str) -> list[Entry]:
    """The entries of Debian release ``own``, rewritten for ``target`` and ``deb`` or ``deb-src``."""
    derived: list[Entry] = []
    for entry in entries:
        suites = [_moved(suite, own, target) for suite in entry.suites]
        wanted = tuple(suite for suite in suites if suite)
        if "deb" in entry.types and wanted and "main" in entry.components:
            new = Entry((kind,), entry.uris, wanted, ("main",), entry.options)
            if new not in derived:
                derived.append(new)
    return derived


def _moved(suite: str, own: str, target: str) -> str:
    for base in (own, *ROLLING_NAMES):
        for pocket in POCKETS:
            if base and suite == base + pocket:
                return target + pocket
    return ""


class PrivateApt:
    """An apt of our own for one suite, kind and architecture."""

    def __init__(self, root: Path, target: str, kind: str, architecture: str, log: Path) -> None:
        self._root = root / f"{target}-{kind}-{architecture}"
        self._target, self._kind, self._architecture = target, kind, architecture
        self._log = log

    def update(self) -> None:
        """Read the package lists."""
        entries = derive(machine_entries(), machine_codename(), self._target, self._kind)
        if not entries:
            raise SetupError(
                f"no Debian mirror found to fetch {self._target} packages from",
                why="the machine's apt has no enabled `deb` entry of its own Debian release with `main`",
                hint="add the Debian mirror to /etc/apt/sources.list.d (sources.list(5))",
            )
        for name in ("lists/partial", "cache/archives/partial", "state"):
            (self._root / name).mkdir(parents=True, exist_ok=True)
        replace(self._sources(), "\n".join(entry.stanza() for entry in entries).encode())
        self._run("update", error_hint=NETWORK_HINT, cwd=self._root)

    def download(self, packages: Sequence[str], directory: Path) -> None:
        """Get binary packages into a directory."""
        self._run("download", *packages, cwd=directory, error_hint=NETWORK_HINT)

    def source(self, package: str, directory: Path) -> None:
        """Get the files of a source package into a directory."""
        self._run("--download-only", "source", package, cwd=directory, error_hint=NETWORK_HINT)

    def _sources(self) -> Path:
        return self._root / "dmabed.sources"

    def _run(self, *words: str, cwd: Path, error_hint: str) -> None:
        run(
            ["apt-get", "-q", *self._options(), *words],
            log=self._log,
            what=f"apt-get {' '.join(words)} ({self._target}, {self._kind})",
            cwd=cwd,
            error=SetupError,
            hint=error_hint,
        )

    def _options(self) -> list[str]:
        settings = {
            "Dir::Etc::sourcelist": self._sources(),
            "Dir::Etc::sourceparts": "-",
            "Dir::State": self._root / "state",
            "Dir::State::lists": self._root / "lists",
            "Dir::State::status": "/dev/null",  # what is installed here says nothing about the guest
            "Dir::Cache": self._root / "cache",
            "APT::Architecture": self._architecture,
            "APT::Architectures": self._architecture,
            "APT::Sandbox::User": "root",  # _apt may not write into a home directory
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "APT::Update::Error-Mode": "any",  # a list that can't be read is an error, not a warning
        }
        return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
