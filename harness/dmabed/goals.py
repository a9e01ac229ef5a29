# SPDX-License-Identifier: GPL-2.0-or-later
"""How much of drivers/dma-buf has to run: configs/coverage-goals.yaml against what was measured. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmabed import yamlfile
from dmabed.coverage import Coverage, Share
from dmabed.paths import CONFIGS

GOALS = CONFIGS / "coverage-goals.yaml"
TOTAL = "total"


@dataclass(frozen=True)
class Goal:
    """At least these shares of a file, or of all."""

    of: str
    lines: float
    branches: float
    """0: any will do."""

    def misses(self, found: Coverage) -> Iterator[str]:
        """What falls short, in words."""
        shares = _shares(found, self.of)
        if shares is None:
            yield f"{self.of} was not counted"
            return
        for what, share, wanted in zip(
            ("lines", "branches"), shares, (self.lines, self.branches), strict=True
        ):
            if share.ratio < wanted:
                yield f"{100 * share.ratio:.1f} % of the {what} of {self.of} ran, {100 * wanted:g} % should"

    def as_json(self, found: Coverage) -> dict[str, Any]:
        """The goal, and whether it is met."""
        asked = {"lines": self.lines, "branches": self.branches}
        return {
            "of": self.of,
            **{what: share for what, share in asked.items() if share},
            "met": not list(self.misses(found)),
        }


def load(path: Path = GOALS) -> tuple[Goal, ...]:
    """The goals. Raises InputError."""
    document = yamlfile.load(path, "coverage-goals")
    return tuple(
        Goal(each["of"], each.get("lines", 0.0), each.get("branches", 0.0)) for each in document.data["goals"]
    )


def problems(found: Coverage, wanted: Iterable[Goal]) -> list[str]:
    """What fails a run: goals that are missed, and what was reached though it is given as unreachable."""
    missed = [miss for goal in wanted for miss in goal.misses(found)]
    wrong = [f"it was reached, though given as unreachable: {each}" for each in found.reached_after_all()]
    return missed + wrong


def _shares(found: Coverage, of: str) -> tuple[Share, Share] | None:
    if of == TOTAL:
        return found.lines, found.branches
    return next(((file.lines, file.branches) for file in found.files if file.name == of), None)
