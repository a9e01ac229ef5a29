# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guest's kernel complained about on its console: pure, from text to splats.

A splat is a report of the kernel about itself: a warning, a lock order that can
deadlock, memory used after its end, a thread that is stuck. It is against the
subject, whatever the scenario's steps said.

A guest test that provokes one on purpose says so before, on /dev/kmsg, or a module with pr_info():

    dmabed-expect: TEXT

The next splat that contains TEXT is then no complaint, and one that never comes is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

EXPECT = "dmabed-expect: "

# What opens a report, or stands near its opening; the first that fits names its kind.
_KINDS = (
    ("KASAN", r"BUG: KASAN: "),
    ("UBSAN", r"UBSAN: "),
    ("sleep in atomic context", r"BUG: (sleeping function called from invalid|scheduling while atomic)"),
    ("locking", r"WARNING: (?!CPU: )|BUG: Invalid wait context|INFO: trying to register non-static key"),
    ("hung task", r"INFO: task \S+ blocked for more than "),
    ("stall", r"INFO: rcu\S* .*stall"),
    ("DMA API", r"DMA-API: (?!preallocated|debugging enabled|Mapped at:)"),
    ("object lifetime", r"ODEBUG: (?!selftest passed)"),
    ("reference count", r"refcount_t: "),
    ("list", r"list_(add|del) corruption"),
    ("BUG", r"\bBUG: |kernel BUG at "),
    ("warning", r"WARNING: CPU: "),
)
_OPENINGS = tuple((kind, re.compile(pattern)) for kind, pattern in _KINDS)
_CUT = "------------[ cut here ]------------"
_END_OF_CUT = "---[ end trace"
_RULE = re.compile(r"^[=-]{20,}$")  # lockdep and KASAN frame their reports
_STAMP = re.compile(r"^\[\s*\d+\.\d+\] ?")

LONGEST = 60  # lines: a report without an end mark is taken to be no longer
SHOWN = 6  # lines of it that a verdict quotes


@dataclass(frozen=True)
class Splat:
    """One report; ``lines`` from its first to its last, without times."""

    kind: str
    lines: tuple[str, ...]

    @property
    def beginning(self) -> str:
        """Its first lines, as far as they say something."""
        said = [line for line in self.lines if line.strip() and line != _CUT and not _RULE.match(line)]
        return "\n".join(said[:SHOWN])


@dataclass(frozen=True)
class Complaints:
    """What the console holds against the kernel, and what was announced and never came."""

    splats: tuple[Splat, ...]
    missing: tuple[str, ...]


def complaints(console: str) -> Complaints:
    """The splats that nobody announced, and the announced that never came."""
    found: list[Splat] = []
    announced: list[str] = []
    for item in _read(console):
        if isinstance(item, str):
            announced.append(item)
        elif (text := _announced(item, announced)) is not None:
            announced.remove(text)
        else:
            found.append(item)
    return Complaints(tuple(found), tuple(announced))


def find(console: str) -> list[Splat]:
    """All splats of a console, announced or not."""
    return [item for item in _read(console) if isinstance(item, Splat)]


def _announced(splat: Splat, announced: Iterable[str]) -> str | None:
    whole = "\n".join(splat.lines)
    return next((text for text in announced if text in whole), None)


def _read(console: str) -> Iterator[Splat | str]:
    """Splats, and the texts of announcements, in the order in which they stand there."""
    lines = [_STAMP.sub("", line.rstrip("\r")) for line in console.split("\n")]
    at = 0
    while at < len(lines):
        line = lines[at]
        if EXPECT in line:
            yield line.partition(EXPECT)[2].strip()
        elif line == _CUT or _kind(line):
            block = _block(lines, at)
            yield Splat(_kind_of_block(block), tuple(block))
            at += len(block) - 1
        at += 1


def _block(lines: list[str], start: int) -> list[str]:
    """The report that begins here: up to its end mark, the next report, or LONGEST."""
    block = [lines[start]]
    for line in lines[start + 1 : start + LONGEST]:
        if line == _CUT or EXPECT in line or line.startswith("====="):
            break
        block.append(line)
        if line.startswith(_END_OF_CUT):
            break
    return block


def _kind_of_block(block: list[str]) -> str:
    """By its most telling line: a reference count's message says more than the warning around it."""
    kinds = [kind for line in block[:SHOWN] if (kind := _kind(line))]
    return next((kind for kind in kinds if kind != "warning"), "warning")


def _kind(line: str) -> str:
    return next((kind for kind, opening in _OPENINGS if opening.search(line)), "")
