# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries switches on the scenarios of their rows, and sees which of them notice."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from dmabed import tamper
from dmabed.plan import Planned
from dmabed.runner import Done
from dmabed.sabotage import Attempt, Switch, Trial
from dmabed.transcript import EventKind

RunOne = Callable[[Planned], Done]


class Campaign:
    """All trials share what is known of the scenarios without a switch."""

    def __init__(
        self, plan: Sequence[Planned], run_one: RunOne, stop: Callable[[], None] = lambda: None
    ) -> None:
        """``plan`` has the scenarios that may be used; ``run_one`` runs one, ``stop`` ends the runs."""
        self._plan = sorted(plan, key=_many_last)
        self._run_one = run_one
        self._stop = stop
        self._passes: dict[str, bool] = {}
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def run(
        self,
        chosen: Sequence[tuple[Switch, tuple[str, ...]]],
        jobs: int,
        report: Callable[[Trial], None],
    ) -> list[Trial]:
        """Try the switches, each on its rows; ``report`` is called as each one ends, in its thread."""
        pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="sabotage")

        def one(entry: tuple[Switch, tuple[str, ...]]) -> Trial:
            trial = self._try(*entry)
            report(trial)
            return trial

        try:
            return list(pool.map(one, chosen))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            self._stop()
            raise
        finally:
            pool.shutdown()

    def _passes_without(self, planned: Planned) -> bool:
        """Does the scenario pass as it is? Asked once, and only of those that noticed something."""
        with self._lock_of(planned.folder):  # two switches may be noticed by it at the same time
            if planned.folder not in self._passes:
                self._passes[planned.folder] = self._run_one(planned).verdict.passed
            return self._passes[planned.folder]

    def _lock_of(self, folder: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(folder, threading.Lock())

    def _try(self, switch: Switch, rows: tuple[str, ...]) -> Trial:
        """Until every row has a scenario that notices, or none is left."""
        trial = Trial(switch, dict.fromkeys(rows))
        for planned in self._plan:
            open_rows = set(trial.survived) & set(planned.scenario.rows)
            if open_rows and _concerns(trial.switch, planned):
                self._try_scenario(trial, planned, open_rows)
        return trial

    def _try_scenario(self, trial: Trial, planned: Planned, open_rows: set[str]) -> None:
        done = self._run_one(dataclasses.replace(planned, switch=trial.switch))
        verdict = done.verdict
        attempt = Attempt(planned.scenario.name, planned.layout.name, verdict.status.value, verdict.why)
        as_told = attempt.status == trial.switch.ends and (trial.switch.oops or not _panicked(done))
        if as_told and self._passes_without(planned):
            trial.caught.update(dict.fromkeys(open_rows, attempt))
        else:
            trial.missed.append(attempt)


def _concerns(switch: Switch, planned: Planned) -> bool:
    """Can the scenario notice at all? Guest tests' switches need a guest test, a verb's needs the verb."""
    verbs = {step.verb for step in planned.scenario.steps}
    if switch.breaks and switch.breaks not in planned.scenario.rows:
        return False
    if switch.guest_test:
        return "guest-test" in verbs
    skipped = tamper.skipped_verb(switch.tamper)
    return skipped is None or skipped in verbs


def _panicked(done: Done) -> bool:
    """The guest died of it, which says little of what is broken, unless the switch is about just that."""
    events = done.transcript.events if done.transcript else ()
    return any(event.kind is EventKind.GUEST_PANIC for event in events)


def _many_last(planned: Planned) -> bool:
    """The combinations of a matrix and the guest tests take long."""
    return "[" in planned.scenario.name or any(step.verb == "guest-test" for step in planned.scenario.steps)


def survivors(trials: Sequence[Trial]) -> Mapping[str, tuple[str, ...]]:
    """By switch, the rows on which nothing noticed it."""
    return {trial.switch.name: trial.survived for trial in trials if trial.survived}
