# SPDX-License-Identifier: GPL-2.0-or-later
"""Which scenarios run on which layouts: pure, decided before anything boots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dmabed import layout as layouts
from dmabed import scenario as scenarios
from dmabed.layout import Layout
from dmabed.scenario import Scenario

ALL = "all"


@dataclass(frozen=True)
class Planned:
    """One scenario on one layout, with the scenario's overrides in it.

    ``skip`` is the reason why it will not run, or empty.
    """

    scenario: Scenario
    layout: Layout
    skip: str = ""

    @property
    def folder(self) -> str:
        """A name for its files, unique in a run."""
        return f"{self.scenario.name}.{self.layout.name}"


def make_plan(chosen: Sequence[Scenario], wanted: Sequence[str]) -> list[Planned]:
    """The scenarios on ``wanted`` layouts (names or files; ``all``; none: each one's first).

    Everything is checked here, so that a wrong file stops the run before it
    starts. Raises InputError.
    """
    return [_planned(scenario, name) for scenario in chosen for name in _layouts_for(scenario, wanted)]


def _layouts_for(scenario: Scenario, wanted: Sequence[str]) -> Sequence[str]:
    if ALL in wanted:
        return scenario.layouts
    return wanted or scenario.layouts[:1]


def _planned(scenario: Scenario, name: str) -> Planned:
    layout = layouts.find(name)
    if layout.name not in scenario.layouts:
        return Planned(scenario, layout, skip=f"{scenario.name} is not for {layout.name}")
    scenarios.check_layout(scenario, layout)
    return Planned(scenario, layouts.override(layout, scenario.device_overrides, scenario.document))
