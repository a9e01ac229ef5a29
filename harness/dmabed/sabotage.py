# SPDX-License-Identifier: GPL-2.0-or-later
"""Switches that break the behaviour behind a row on purpose, and what came of trying them.

The switches stand in configs/sabotage.yaml and are explained in docs/sabotage.md.
Nothing runs here: ``campaign`` tries them, ``Execution`` turns them on, ``trials`` keeps what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmabed import paths, rows, yamlfile
from dmabed.errors import InputError
from dmabed.findings import Status
from dmabed.guesses import meant

SWITCHES = paths.CONFIGS / "sabotage.yaml"
_WAYS = ("module", "inject", "iommu", "tamper", "guest-test")


@dataclass(frozen=True)
class Switch:
    """One way to break something. Exactly one of the ways is set."""

    name: str
    rows: tuple[str, ...]
    shows: str
    """What a user would see."""
    ends: str
    """How a scenario that notices ends: ``failed``, or ``error`` where a witness is taken away."""
    module: str = ""
    """A module of ours, whose ``parameter`` takes the ``value``."""
    parameter: str = "sabotage"
    value: str = ""
    """Empty: the switch's name, which is another one only where two modules have one of that name."""
    breaks: str = ""
    """The row whose scenarios have to notice, of a switch that stands for a row about switches (P17)."""
    oops: bool = False
    """A guest that panics has noticed; without it that is no catch."""
    inject: Mapping[str, Any] | None = None
    """A fault of the hardware, on the devices of the scenario."""
    iommu: str = ""
    """What every IOMMU of the machine does wrong: ``ignore-zap``."""
    tamper: str = ""
    """What the harness does to its own record or requests."""
    guest_test: str = ""
    """What dmabed-tests is told to break."""

    @property
    def how(self) -> str:
        if self.module:
            return f"module {self.module} {self.parameter}={self.value or self.name}"
        if self.inject:
            return f"inject {self.inject['fault']}"
        if self.iommu:
            return f"iommu {self.iommu}"
        return f"tamper {self.tamper}" if self.tamper else f"guest test {self.guest_test}"


@dataclass(frozen=True)
class Attempt:
    """How a scenario ended with a switch on."""

    scenario: str
    layout: str
    status: str
    why: str
    rows: tuple[str, ...] = ()
    """The rows that it was to notice something on."""

    @property
    def tells(self) -> bool:
        """It came to a judgement; a scenario that was skipped, or whose testbed broke, saw nothing."""
        return self.status in (Status.PASSED.value, Status.FAILED.value)

    def as_json(self) -> dict[str, str]:
        return {"scenario": self.scenario, "layout": self.layout, "status": self.status, "why": self.why}


@dataclass
class Trial:
    """What came of one switch: for each row the scenario that noticed it, or None."""

    switch: Switch
    caught: dict[str, Attempt | None] = field(default_factory=dict)
    missed: list[Attempt] = field(default_factory=list)
    """Scenarios of its rows that did not notice, or ended for another reason."""
    interrupted: bool = False
    """Whoever watched had enough before every scenario had its turn."""

    @property
    def open(self) -> tuple[str, ...]:
        """The rows on which nothing noticed so far."""
        return tuple(row for row in self.caught if self.caught[row] is None)

    @property
    def not_tried(self) -> dict[str, str]:
        """The rows of which nothing was learned, and why."""
        found = {row: self._why_not_tried(row) for row in self.open}
        return {row: why for row, why in found.items() if why}

    @property
    def survived(self) -> tuple[str, ...]:
        """The rows on which the scenarios looked, and nothing noticed; or which no scenario claims."""
        return tuple(row for row in self.open if not self._why_not_tried(row))

    def _why_not_tried(self, row: str) -> str:
        if self.interrupted:
            return "interrupted"
        asked = [attempt for attempt in self.missed if row in attempt.rows]
        if any(attempt.tells for attempt in asked):
            return ""
        return "; ".join(f"{each.scenario} {each.status}: {each.why}" for each in asked)

    def as_json(self) -> dict[str, Any]:
        return {
            "switch": self.switch.name,
            "how": self.switch.how,
            "shows": self.switch.shows,
            "rows": {
                row: attempt and attempt.as_json()
                for row, attempt in self.caught.items()
                if row not in self.not_tried
            },
            "not-tried": self.not_tried,
            "missed": [attempt.as_json() for attempt in self.missed],
        }


def load(path: Path = SWITCHES) -> tuple[Switch, ...]:
    """The switches of the file. Raises InputError."""
    document = yamlfile.load(path, "sabotage")
    known = [row.id for row in rows.table()]
    switches: list[Switch] = []
    for index, data in enumerate(document.data["switches"]):
        for place, row in enumerate(data["rows"]):
            if row not in known:
                raise document.error(
                    ("switches", index, "rows", place), f"'{row}' is no row", ", ".join(known)
                )
        if not any(data.get(way) for way in _WAYS):
            raise document.error(("switches", index), "nothing turns it on", ", ".join(_WAYS))
        if data.get("breaks", "") not in ("", *known):
            raise document.error(
                ("switches", index, "breaks"), f"'{data['breaks']}' is no row", ", ".join(known)
            )
        if any(data["name"] == other.name for other in switches):
            raise document.error(("switches", index, "name"), f"'{data['name']}' is there already")
        switches.append(_switch(data))
    return tuple(switches)


def _switch(data: Mapping[str, Any]) -> Switch:
    return Switch(
        name=data["name"],
        rows=tuple(data["rows"]),
        shows=data["shows"],
        ends=data.get("ends", "failed"),
        module=data.get("module", ""),
        parameter=data.get("parameter", "sabotage"),
        value=data.get("value", ""),
        breaks=data.get("breaks", ""),
        oops=data.get("oops", False),
        inject=data.get("inject"),
        iommu=data.get("iommu", ""),
        tamper=data.get("tamper", ""),
        guest_test=data.get("guest-test", ""),
    )


def choose(switches: Sequence[Switch], words: Sequence[str]) -> list[tuple[Switch, tuple[str, ...]]]:
    """The switches that the words (rows or names) select, each with the rows to try it on.

    Raises InputError.
    """
    for word in words:
        _check_word(word, switches)
    chosen = []
    for switch in switches:
        wanted = tuple(row for row in switch.rows if not words or switch.name in words or row in words)
        if wanted:
            chosen.append((switch, wanted))
    return chosen


def _check_word(word: str, switches: Sequence[Switch]) -> None:
    names = [switch.name for switch in switches]
    tried = {row for switch in switches for row in switch.rows}
    if word in tried or word in names:
        return
    known = [row.id for row in rows.table()]
    if word in known:
        without = ", ".join(row for row in known if row not in tried)
        raise InputError(f"no switch breaks the row {word}", hint=f"all rows have one, but for {without}")
    raise InputError(
        f"'{word}' is neither a row nor a switch",
        hint=f"{meant(word, [*known, *names])}docs/sabotage.md lists the switches, `./dmabed rows` the rows",
    )
