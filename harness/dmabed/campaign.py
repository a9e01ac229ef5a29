# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries switches on the scenarios of their rows, and sees which of them notice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from dmabed.plan import Planned
from dmabed.runner import Done
from dmabed.sabotage import Attempt, Switch, Trial

RunOne = Callable[[Planned], Done]


class Campaign:
    """All trials share what is known of the scenarios without a switch."""

    def __init__(self, plan: Sequence[Planned], run_one: RunOne) -> None:
        """``plan`` has the scenarios that may be used, ``run_one`` runs one of them."""
        self._plan = plan
        self._run_one = run_one
        self._passes: dict[str, bool] = {}

    def run(
        self,
        chosen: Sequence[tuple[Switch, tuple[str, ...]]],
        jobs: int,
        report: Callable[[Trial], None],
    ) -> list[Trial]:
        """Try the switches, each on its rows; ``report`` is called as each one ends, in its thread."""
        wanted = {row for _, rows in chosen for row in rows}
        with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="sabotage") as pool:
            self._passes = self._try_without(pool, wanted)

            def one(entry: tuple[Switch, tuple[str, ...]]) -> Trial:
                trial = self._try(*entry)
                report(trial)
                return trial

            return list(pool.map(one, chosen))

    def _try_without(self, pool: ThreadPoolExecutor, rows: set[str]) -> dict[str, bool]:
        """Which of the scenarios of these rows pass as they are."""
        used = [planned for planned in self._plan if rows & set(planned.scenario.rows)]
        done = pool.map(self._run_one, used)
        return {each.planned.folder: each.verdict.passed for each in done}

    def _try(self, switch: Switch, rows: tuple[str, ...]) -> Trial:
        """Until every row has a scenario that notices, or none is left."""
        trial = Trial(switch, dict.fromkeys(rows))
        for planned in self._plan:
            open_rows = set(trial.survived) & set(planned.scenario.rows)
            if open_rows and self._passes.get(planned.folder):
                self._try_scenario(trial, planned, open_rows)
        return trial

    def _try_scenario(self, trial: Trial, planned: Planned, open_rows: set[str]) -> None:
        verdict = self._run_one(dataclasses.replace(planned, switch=trial.switch)).verdict
        attempt = Attempt(planned.scenario.name, planned.layout.name, verdict.status.value, verdict.why)
        if attempt.status != trial.switch.ends:
            trial.missed.append(attempt)
            return
        trial.caught.update(dict.fromkeys(open_rows, attempt))


def survivors(trials: Sequence[Trial]) -> Mapping[str, tuple[str, ...]]:
    """By switch, the rows on which nothing noticed it."""
    return {trial.switch.name: trial.survived for trial in trials if trial.survived}
