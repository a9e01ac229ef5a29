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
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmabed import unreachable
from dmabed.build import Counted, reporter
from dmabed.build.cache import Cache, default_root
from dmabed.build.kernel import COUNTED
from dmabed.build.toolchain import CROSS
from dmabed.errors import TestbedError
from dmabed.unreachable import Known, Unreachable


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
    untaken: Mapping[int, int] = field(default_factory=dict)
    """How many branches of a line were not taken, where there are such."""

    def ranges(self, lines: Iterable[int]) -> str:
        """Some of the missing lines for people; what holds no code does not break a range."""
        return ranges(lines, self.ran)


@dataclass(frozen=True)
class Coverage:
    """All files, and what is known of what did not run."""

    files: tuple[FileCoverage, ...]
    known: Known

    @property
    def lines(self) -> Share:
        return sum((file.lines for file in self.files), Share(0, 0))

    @property
    def branches(self) -> Share:
        return sum((file.branches for file in self.files), Share(0, 0))

    @property
    def untaken(self) -> dict[str, Mapping[int, int]]:
        return {file.name: file.untaken for file in self.files}

    @property
    def unreachable(self) -> tuple[Unreachable, ...]:
        """The list's entries, and what its macros come to."""
        return (*self.known.entries, *self.known.of_macros(self.untaken))

    def unexplained(self, file: FileCoverage) -> tuple[int, ...]:
        """Lines of a file that did not run, and no reason is given."""
        known = {line for each in self._of(file) if not each.branches for line in each.lines}
        return tuple(line for line in file.missing if line not in known)

    def unexplained_branches(self, file: FileCoverage) -> dict[int, int]:
        """Branches of a file that were not taken, by line, and no reason is given."""
        left = dict(file.untaken)
        for each in self._of(file):
            for line in set(each.lines) & set(left):
                left[line] = max(0, left[line] - each.branches) if each.branches else 0
        return {line: count for line, count in left.items() if count}

    def _of(self, file: FileCoverage) -> list[Unreachable]:
        return [each for each in self.unreachable if each.file == file.name]

    def reached_after_all(self) -> list[str]:
        """What is given as unreachable, and was reached: the list is wrong there."""
        files = {file.name: file for file in self.files}
        wrong = [
            f"{each.file}:{ranges(each.lines)}: {each.reason}"
            for each in self.known.entries
            if not each.by_chance and each.file in files and _reached(each, files[each.file])
        ]
        useless = self.known.useless_macros(self.untaken)
        return wrong + [f"{macro.text} everywhere: {macro.reason}" for macro in useless]

    def as_json(self) -> dict[str, Any]:
        """The figures; keys beyond lines and branches tell what is missing."""
        files = {
            file.name: {
                **_ratios(file.lines, file.branches),
                "missing": file.ranges(file.missing),
                "unexplained": file.ranges(self.unexplained(file)),
                "missing-branches": counts(file.untaken),
                "unexplained-branches": counts(self.unexplained_branches(file)),
            }
            for file in self.files
        }
        return {
            "files": files,
            "total": _ratios(self.lines, self.branches),
            "unreachable": [_entry(each) for each in self.unreachable],
            "reached-after-all": self.reached_after_all(),
        }


def _reached(entry: Unreachable, file: FileCoverage) -> bool:
    if not entry.branches:
        return bool(set(entry.lines) & set(file.ran))
    return any(file.untaken.get(line, 0) < entry.branches for line in entry.lines if line in file.ran)


def _entry(each: Unreachable) -> dict[str, Any]:
    branches = {"branches": each.branches} if each.branches else {}
    return {"file": each.file, "lines": ranges(each.lines), **branches, "reason": each.reason}


def measure(counted: Counted, counters: Path, scratch: Path, html: Path | None = None) -> Coverage:
    """What the counters say, by gcovr; its pages go to ``html``."""
    work = scratch / "gcovr"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(counted.notes, work)
    shutil.copytree(counters, work, dirs_exist_ok=True)  # gcov wants counters beside their notes
    _gcovr(counted.source, work, scratch / "gcovr.json", html)
    files = read(json.loads((scratch / "gcovr.json").read_text()))
    return Coverage(files, unreachable.load(unreachable.LIST, counted.source, [file.name for file in files]))


def _gcovr(source: Path, work: Path, to: Path, html: Path | None) -> None:
    words = [sys.executable, "-m", "gcovr", "--root", str(source), "--filter", f"{COUNTED}/"]
    words += ["--gcov-executable", f"{CROSS}gcov", "--json", str(to.resolve())]
    if html is not None:
        html.mkdir(parents=True, exist_ok=True)
        index = html.resolve() / "index.html"
        words += ["--html-details", str(index), "--html-title", f"Coverage of {COUNTED}"]
    words.append(str(work.resolve()))  # the names of files are as seen from the source
    # for a moment gcov's files lie in the source, which all share
    with Cache(default_root()).lock("coverage-report", reporter()):
        done = subprocess.run(words, cwd=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TestbedError("gcovr failed", why=done.stderr)


def read(found: Mapping[str, Any]) -> tuple[FileCoverage, ...]:
    """The files of gcovr's JSON."""
    return tuple(sorted((_file(each) for each in found["files"]), key=lambda file: file.name))


def _file(found: Mapping[str, Any]) -> FileCoverage:
    lines: Counter[int] = Counter()
    untaken: Counter[int] = Counter()
    branches = [branch["count"] for line in found["lines"] for branch in line.get("branches", ())]
    for line in found["lines"]:  # a line stands once for each function that it was inlined into
        lines[line["line_number"]] += line["count"]
        untaken[line["line_number"]] += sum(not branch["count"] for branch in line.get("branches", ()))
    missing = tuple(sorted(number for number, count in lines.items() if not count))
    return FileCoverage(
        name=found["file"],
        lines=Share(len(lines) - len(missing), len(lines)),
        branches=Share(sum(count > 0 for count in branches), len(branches)),
        missing=missing,
        ran=tuple(sorted(set(lines) - set(missing))),
        untaken={line: count for line, count in sorted(untaken.items()) if count},
    )


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


def counts(lines: Mapping[int, int]) -> str:
    """Lines with how many of something, ``3, 7 (2)``: once is not told."""
    return ", ".join(f"{line} ({count})" if count > 1 else str(line) for line, count in sorted(lines.items()))


def _joined(last: int, line: int, breaks: list[int] | None) -> bool:
    if breaks is None:
        return line == last + 1
    return bisect(breaks, last) == bisect(breaks, line)


def _ratios(lines: Share, branches: Share) -> dict[str, float]:
    return {"lines": round(lines.ratio, 4), "branches": round(branches.ratio, 4)}
