# SPDX-License-Identifier: GPL-2.0-or-later
"""Which scenarios run on which layouts: pure, decided before anything boots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dmabed import layout as layouts
from dmabed import scenario as scenarios
from dmabed.errors import InputError
from dmabed.layout import Layout
from dmabed.sabotage import Switch
from dmabed.scenario import Scenario

ALL = "all"


@dataclass(frozen=True)
class Planned:
    """One scenario on one layout, with the scenario's overrides in it.

    ``skip`` is the reason why it will not run, or empty; ``switch`` what is broken on purpose.
    """

    scenario: Scenario
    layout: Layout
    skip: str = ""
    switch: Switch | None = None

    @property
    def folder(self) -> str:
        """A name for its files, unique in a run."""
        name = f"{_plain(self.scenario.name)}.{self.layout.name}"
        return f"{name}.{self.switch.name}" if self.switch else name


def _plain(name: str) -> str:
    """A combination of a matrix in characters that neither a shell nor QEMU's options read."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")


def make_plan(chosen: Sequence[Scenario], wanted: Sequence[str]) -> list[Planned]:
    """The scenarios on ``wanted`` layouts (names or files; ``all``; none: each one's first).

    Everything is checked here, so that a wrong file stops the run before it
    starts. Raises InputError.
    """
    plan = [_planned(scenario, name) for scenario in chosen for name in _layouts_for(scenario, wanted)]
    return _each_once(plan)


def in_variant(plan: Sequence[Planned], variant: str) -> list[Planned]:
    """The plan with those skipped that cannot be had in this variant of the kernel."""
    return [entry if entry.skip else replace(entry, skip=_why_not(entry, variant)) for entry in plan]


def _why_not(entry: Planned, variant: str) -> str:
    reason = entry.scenario.not_in.get(variant, "")
    return f"not in the {variant} kernel: {reason}" if reason else ""


def _layouts_for(scenario: Scenario, wanted: Sequence[str]) -> Sequence[str]:
    if ALL in wanted:
        return scenario.layouts
    return wanted or scenario.layouts[:1]


def _planned(scenario: Scenario, name: str) -> Planned:
    layout = layouts.find(name)
    shipped = layout.name in layouts.names()
    if shipped and layout.name not in scenario.layouts:
        return Planned(scenario, layout, skip=f"{scenario.name} is not for {layout.name}")
    if parts := scenarios.open_parts(scenario, layout):
        return Planned(scenario, layout, skip=f"{layout.name} has nobody for {', '.join(parts)}")
    scenario = scenarios.for_layout(scenario, layout)
    # a user's own SoC: whatever finds its devices there may run
    missing = [device for device in scenario.devices if device not in {d.name for d in layout.blocks}]
    if missing and not shipped:
        return Planned(scenario, layout, skip=f"{layout.name} has no {', '.join(missing)}")
    scenarios.check_layout(scenario, layout)
    return Planned(scenario, layouts.override(layout, scenario.device_overrides, scenario.document))


def _each_once(plan: Sequence[Planned]) -> list[Planned]:
    """Asked for twice is run once; two files of one name would share a folder."""
    seen: dict[str, Planned] = {}
    for planned in plan:
        first = seen.setdefault(planned.folder, planned)
        if first.scenario.file.resolve() != planned.scenario.file.resolve():
            raise InputError(
                f"{planned.scenario.file}: the scenario is called {planned.scenario.name}, "
                f"as the one in {first.scenario.file}",
                hint="give it another name, or run them one after the other",
            )
    return list(seen.values())
