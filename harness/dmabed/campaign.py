# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries switches on the scenarios of their rows, and sees which of them notice."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from dmabed import tamper
from dmabed.findings import Status, Verdict
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
        self._without: dict[str, Verdict] = {}
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def run(
        self,
        chosen: Sequence[tuple[Switch, tuple[str, ...]]],
        jobs: int,
        report: Callable[[Trial], None],
    ) -> list[Trial]:
        """Try the switches, each on its rows; ``report`` is called as each one ends, in its thread.

        An error, KeyboardInterrupt too, ends the runs; trials under way are reported as interrupted.
        """
        pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="sabotage")

        def one(entry: tuple[Switch, tuple[str, ...]]) -> Trial:
            trial = self._try(*entry)
            report(trial)
            return trial

        try:
            trials = [pool.submit(one, entry) for entry in chosen]
            done, _ = wait(trials, return_when=FIRST_EXCEPTION)
            for trial in done:
                trial.result()  # raises what one of them raised, though earlier ones are under way
            return [trial.result() for trial in trials]
        except BaseException:
            self._ended.set()
            pool.shutdown(wait=False, cancel_futures=True)
            self._stop()
            raise
        finally:
            pool.shutdown()

    def _verdict_without(self, planned: Planned) -> Verdict:
        """How does the scenario end as it is? Asked only of those that noticed something, once it tells."""
        with self._lock_of(planned.folder):  # two switches may be noticed by it at the same time
            known = self._without.get(planned.folder)
            verdict = known or self._run_one(planned).verdict
            if verdict.status in (Status.PASSED, Status.FAILED):
                self._without[planned.folder] = verdict
            return verdict

    def _lock_of(self, folder: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(folder, threading.Lock())

    def _try(self, switch: Switch, rows: tuple[str, ...]) -> Trial:
        """Until every row has a scenario that notices, or none is left."""
        trial = Trial(switch, dict.fromkeys(rows))
        for planned in self._plan:
            open_rows = tuple(row for row in trial.open if row in planned.scenario.rows)
            if open_rows and _concerns(trial.switch, planned) and not self._ended.is_set():
                self._try_scenario(trial, planned, open_rows)
        trial.interrupted = self._ended.is_set()
        return trial

    def _try_scenario(self, trial: Trial, planned: Planned, open_rows: tuple[str, ...]) -> None:
        done = self._run_one(dataclasses.replace(planned, switch=trial.switch))
        attempt = _attempt(planned, open_rows, done.verdict)
        if not _as_told(trial.switch, done):
            trial.missed.append(attempt)
            return
        without = self._verdict_without(planned)
        if without.passed:
            trial.caught.update(dict.fromkeys(open_rows, attempt))
        else:
            trial.missed.append(_attempt(planned, open_rows, without, "without the switch: "))


def _attempt(planned: Planned, rows: tuple[str, ...], verdict: Verdict, told: str = "") -> Attempt:
    status, why = verdict.status.value, f"{told}{verdict.why}"
    return Attempt(planned.scenario.name, planned.layout.name, status, why, rows)


def _as_told(switch: Switch, done: Done) -> bool:
    """The scenario ended as one that notices does."""
    return done.verdict.status.value == switch.ends and (switch.oops or not _panicked(done))


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


def not_tried(trials: Sequence[Trial]) -> Mapping[str, Mapping[str, str]]:
    """By switch, the rows of which nothing was learned, and why."""
    return {trial.switch.name: trial.not_tried for trial in trials if trial.not_tried}
