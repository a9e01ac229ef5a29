# SPDX-License-Identifier: GPL-2.0-or-later
"""The list of lines and branches that no test can reach, looked up in the source: pure but for reading it.

Code is looked up by function, and macros by their name, so the list holds when numbers move.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dmabed import yamlfile
from dmabed.errors import InputError
from dmabed.paths import CONFIGS

LIST = CONFIGS / "coverage-unreachable.yaml"
SCHEMA = "coverage-unreachable"


@dataclass(frozen=True)
class Unreachable:
    """Lines that no test can run, or of which it cannot take each branch, and why."""

    file: str
    lines: tuple[int, ...]
    reason: str
    branches: int = 0
    """So many branches of each line; 0: the lines themselves, with all their branches."""
    by_chance: bool = False
    """A race: no test can make it, and it may come all the same."""


@dataclass(frozen=True)
class Macro:
    """Branches that a macro brings along wherever it stands."""

    text: str
    branches: int
    reason: str


@dataclass(frozen=True)
class Known:
    """The list, for one source."""

    entries: tuple[Unreachable, ...]
    macros: tuple[Macro, ...] = ()
    sources: Mapping[str, tuple[str, ...]] | None = None
    """The lines of each file that macros are looked for in."""

    def of_macros(self, untaken: Mapping[str, Mapping[int, int]]) -> Iterator[Unreachable]:
        """What macros bring along, given the branches that were not taken, by file and line."""
        for file, lines in untaken.items():
            source = (self.sources or {}).get(file, ())
            for macro in self.macros:
                found = tuple(line for line in sorted(lines) if _holds(source, line, macro.text))
                if found:
                    yield Unreachable(file, found, macro.reason, macro.branches)

    def useless_macros(self, untaken: Mapping[str, Mapping[int, int]]) -> list[Macro]:
        """Macros that explain nothing: no line with them has a branch that was not taken."""
        used = {(each.reason, each.branches) for each in self.of_macros(untaken)}
        return [macro for macro in self.macros if (macro.reason, macro.branches) not in used]


def load(path: Path, source: Path, files: Iterable[str] = ()) -> Known:
    """Read the list and look its code up. Raises InputError."""
    document = yamlfile.load(path, SCHEMA)
    numbers = range(len(document.data["unreachable"]))
    entries = tuple(_entry(document, number, source) for number in numbers)
    macros = tuple(Macro(**each) for each in document.data.get("macros", ()))
    return Known(entries, macros, {name: tuple(_lines(source / name)) for name in files})


def _entry(document: yamlfile.Document, number: int, source: Path) -> Unreachable:
    entry = document.data["unreachable"][number]
    lines = _find(document, number, source)
    branches = entry.get("branches", 0)
    # the lines before it tell one line with branches from others like it
    lines = lines[-1:] if branches else lines
    return Unreachable(entry["file"], lines, entry["reason"], branches, entry.get("by-chance", False))


def _lines(file: Path) -> list[str]:
    return file.read_text(errors="replace").splitlines()


def _holds(source: tuple[str, ...], line: int, text: str) -> bool:
    return 0 < line <= len(source) and text in source[line - 1]


def _find(document: yamlfile.Document, number: int, source: Path) -> tuple[int, ...]:
    """Where the code of an entry stands in the source: behind its function's name, the first place."""
    entry = document.data["unreachable"][number]
    at: tuple[str | int, ...] = ("unreachable", number, "code")
    file = source / entry["file"]
    if not file.is_file():
        raise document.error(at, f"there is no {entry['file']} in this kernel")
    lines = _lines(file)
    wanted = [line.strip() for line in entry["code"].splitlines()]
    for start in range(_function(lines, entry["function"]), len(lines) - len(wanted) + 1):
        if [line.strip() for line in lines[start : start + len(wanted)]] == wanted:
            return tuple(range(start + 1, start + 1 + len(wanted)))
    raise _missing(document, at, entry)


def _missing(document: yamlfile.Document, at: tuple[str | int, ...], entry: Mapping[str, str]) -> InputError:
    return document.error(at, f"this code is not in {entry['file']} behind {entry['function']}()")


def _function(lines: list[str], name: str) -> int:
    """The index of the line where a function's definition begins; the end if there is none."""
    for index, line in enumerate(lines):
        # a definition begins in the first column, and no declaration ends it
        if f"{name}(" in line and line[:1].strip() and not line.rstrip().endswith(";"):
            return index
    return len(lines)
