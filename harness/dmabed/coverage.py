# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lines and branches of drivers/dma-buf ran: gcovr's findings, and the lines that can't run.

gcovr reads the counters with the cross compiler's gcov and writes JSON and HTML;
the rest of this module is pure.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from bisect import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmabed import yamlfile
from dmabed.build import Counted
from dmabed.build.kernel import COUNTED
from dmabed.build.toolchain import CROSS
from dmabed.errors import TestbedError
from dmabed.paths import CONFIGS

UNREACHABLE = CONFIGS / "coverage-unreachable.yaml"


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    covered: int
    total: int

    @property
    def ratio(self) -> float:
        """1.0 is all of them, also of none: no branch is missed in a file without branches."""
        return self.covered / self.total if self.total else 1.0

    def __add__(self, other: Share) -> Share:
        return Share(self.covered + other.covered, self.total + other.total)


@dataclass(frozen=True)
class FileCoverage:
    """One source file."""

    name: str
    lines: Share
    branches: Share
    missing: tuple[int, ...]
    """Lines that did not run."""
    ran: tuple[int, ...] = ()
    """Lines that ran."""

    def ranges(self, lines: Iterable[int]) -> str:
        """Some of the missing lines for people; what holds no code does not break a range."""
        return ranges(lines, self.ran)


@dataclass(frozen=True)
class Unreachable:
    """Lines that no test can run, and why."""

    file: str
    lines: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Coverage:
    """All files, and what is known of the lines that did not run."""

    files: tuple[FileCoverage, ...]
    unreachable: tuple[Unreachable, ...]

    @property
    def lines(self) -> Share:
        return sum((file.lines for file in self.files), Share(0, 0))

    @property
    def branches(self) -> Share:
        return sum((file.branches for file in self.files), Share(0, 0))

    def unexplained(self, file: FileCoverage) -> tuple[int, ...]:
        """Lines of a file that did not run, and no reason is given."""
        known = {line for each in self.unreachable if each.file == file.name for line in each.lines}
        return tuple(line for line in file.missing if line not in known)

    def reached_after_all(self) -> list[Unreachable]:
        """What is given as unreachable, and ran: the list is wrong there."""
        ran = {file.name: set(file.ran) for file in self.files}
        return [each for each in self.unreachable if set(each.lines) & ran.get(each.file, set())]

    def as_json(self) -> dict[str, Any]:
        """The figures; keys beyond lines and branches tell what is missing."""
        files = {
            file.name: {
                **_ratios(file.lines, file.branches),
                "missing": file.ranges(file.missing),
                "unexplained": file.ranges(self.unexplained(file)),
            }
            for file in self.files
        }
        return {
            "files": files,
            "total": _ratios(self.lines, self.branches),
            "unreachable": [
                {"file": each.file, "lines": ranges(each.lines), "reason": each.reason}
                for each in self.unreachable
            ],
        }


def measure(counted: Counted, counters: Path, scratch: Path, html: Path | None = None) -> Coverage:
    """What the counters say, by gcovr; its pages go to ``html``."""
    work = scratch / "gcovr"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(counted.notes, work)
    shutil.copytree(counters, work, dirs_exist_ok=True)  # gcov wants counters beside their notes
    _gcovr(counted.source, work, scratch / "gcovr.json", html)
    files = read(json.loads((scratch / "gcovr.json").read_text()))
    return Coverage(files, unreachable(UNREACHABLE, counted.source))


def _gcovr(source: Path, work: Path, to: Path, html: Path | None) -> None:
    words = [sys.executable, "-m", "gcovr", "--root", str(source), "--filter", f"{COUNTED}/"]
    words += ["--gcov-executable", f"{CROSS}gcov", "--json", str(to.resolve())]
    if html is not None:
        html.mkdir(parents=True, exist_ok=True)
        index = html.resolve() / "index.html"
        words += ["--html-details", str(index), "--html-title", f"Coverage of {COUNTED}"]
    words.append(str(work.resolve()))  # the names of files are as seen from the source
    done = subprocess.run(words, cwd=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TestbedError("gcovr failed", why=done.stderr)


def read(found: Mapping[str, Any]) -> tuple[FileCoverage, ...]:
    """The files of gcovr's JSON."""
    return tuple(sorted((_file(each) for each in found["files"]), key=lambda file: file.name))


def _file(found: Mapping[str, Any]) -> FileCoverage:
    lines: dict[int, int] = {}
    branches = [branch["count"] for line in found["lines"] for branch in line.get("branches", ())]
    for line in found["lines"]:  # a line stands once for each function that it was inlined into
        lines[line["line_number"]] = lines.get(line["line_number"], 0) + line["count"]
    missing = tuple(sorted(number for number, count in lines.items() if not count))
    return FileCoverage(
        name=found["file"],
        lines=Share(len(lines) - len(missing), len(lines)),
        branches=Share(sum(count > 0 for count in branches), len(branches)),
        missing=missing,
        ran=tuple(sorted(set(lines) - set(missing))),
    )


def unreachable(path: Path, source: Path) -> tuple[Unreachable, ...]:
    """The list of what can't run; its code is looked up, so that it holds for another version's numbers."""
    document = yamlfile.load(path, "coverage-unreachable")
    return tuple(
        Unreachable(entry["file"], _find(document, number, source), entry["reason"])
        for number, entry in enumerate(document.data["unreachable"])
    )


def _find(document: yamlfile.Document, number: int, source: Path) -> tuple[int, ...]:
    """Where the code of an entry stands in the source: behind its function's name, the first place."""
    entry = document.data["unreachable"][number]
    at: tuple[str | int, ...] = ("unreachable", number, "code")
    file = source / entry["file"]
    if not file.is_file():
        raise document.error(at, f"there is no {entry['file']} in this kernel")
    lines = file.read_text(errors="replace").splitlines()
    wanted = [line.strip() for line in entry["code"].splitlines()]
    for start in range(_function(lines, entry["function"]), len(lines) - len(wanted) + 1):
        if [line.strip() for line in lines[start : start + len(wanted)]] == wanted:
            return tuple(range(start + 1, start + 1 + len(wanted)))
    raise document.error(at, f"this code is not in {entry['file']} behind {entry['function']}()")


def _function(lines: list[str], name: str) -> int:
    """The index of the line where a function's definition begins; the end if there is none."""
    for index, line in enumerate(lines):
        # a definition begins in the first column, and no declaration ends it
        if f"{name}(" in line and line[:1].strip() and not line.rstrip().endswith(";"):
            return index
    return len(lines)


def ranges(lines: Iterable[int], between: Iterable[int] | None = None) -> str:
    """Line numbers for people, ``3, 7-9``: a range ends at a line of ``between``, or at any gap."""
    parts: list[list[int]] = []
    breaks = None if between is None else sorted(between)
    for line in sorted(lines):
        if parts and _joined(parts[-1][1], line, breaks):
            parts[-1][1] = line
        else:
            parts.append([line, line])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def _joined(last: int, line: int, breaks: list[int] | None) -> bool:
    if breaks is None:
        return line == last + 1
    return bisect(breaks, last) == bisect(breaks, line)


def _ratios(lines: Share, branches: Share) -> dict[str, float]:
    return {"lines": round(lines.ratio, 4), "branches": round(branches.ratio, 4)}
