# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel configuration from fragments, and the proof that nothing of it got lost.

Kconfig drops an option silently when a dependency is missing, so each line of
each fragment is looked up in the configuration that came out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

SET = re.compile(r"^(CONFIG_\w+)=(.*)$")
UNSET = re.compile(r"^# (CONFIG_\w+) is not set$")
OFF = "n"


@dataclass(frozen=True)
class Wish:
    """One line of a fragment."""

    fragment: str
    line: int
    option: str
    value: str


def parse(text: str) -> dict[str, str]:
    """The options of a configuration; those that are off have the value ``n``."""
    return {wish.option: wish.value for wish in wishes("", text)}


def wishes(fragment: str, text: str) -> list[Wish]:
    """What a fragment asks for, line by line."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        on, off = SET.match(line.strip()), UNSET.match(line.strip())
        if on:
            found.append(Wish(fragment, number, on.group(1), on.group(2)))
        elif off:
            found.append(Wish(fragment, number, off.group(1), OFF))
    return found


def merge(fragments: Iterable[Path]) -> list[Wish]:
    """All wishes; a later fragment wins over an earlier one."""
    merged: dict[str, Wish] = {}
    for path in fragments:
        for wish in wishes(path.name, path.read_text()):
            merged[wish.option] = wish
    return list(merged.values())


def text(merged: Iterable[Wish]) -> str:
    """The wishes as lines of a configuration."""
    return "".join(
        f"# {wish.option} is not set\n" if wish.value == OFF else f"{wish.option}={wish.value}\n"
        for wish in merged
    )


def apply(config: str, merged: Iterable[Wish]) -> str:
    """A configuration with the wishes in the place of what it said about these options."""
    merged = list(merged)
    wished = {wish.option for wish in merged}
    kept = [line for line in config.splitlines() if not wished & set(parse(line))]
    return "\n".join(kept) + "\n" + text(merged)


def lost(merged: Iterable[Wish], final: Mapping[str, str]) -> list[str]:
    """The wishes that the final configuration does not hold, as messages."""
    return [
        f"{wish.fragment}:{wish.line}: {wish.option}={wish.value}, but it is {final.get(wish.option, OFF)}"
        for wish in merged
        if final.get(wish.option, OFF) != wish.value
    ]
