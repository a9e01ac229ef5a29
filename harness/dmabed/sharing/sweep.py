# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the cells of layouts, one guest for each layout, and makes results of them.

Cells go by importer: its evidence is read before and after all of its cells. A guest that breaks
takes along only the cells of the importer that it was at, and the rest go on in another one.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmabed import bouncepool, evidence, process, selfcheck
from dmabed.errors import TestbedError
from dmabed.evidence import Activity, EvidenceError
from dmabed.layout import Layout
from dmabed.machine import Machine
from dmabed.ranges import Run
from dmabed.sabotage import Switch
from dmabed.sharing import observed, outcomes, zones
from dmabed.sharing.cells import Cell, Plan, Result
from dmabed.sharing.observed import Surroundings
from dmabed.sharing.probe import Guest, Observation
from dmabed.testbed import Testbed

POLL_SECONDS = 0.2
# a layout on which so many guests broke is given up
GUESTS = 4
# said once when the DMA API can't map (kernel/dma/swiotlb.c:1617, direct.h:103); the refusal tells it, too
OVERFLOW = " overflow (mask "

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """What came of a layout."""

    plan: Plan
    results: tuple[Result, ...]
    complaints: tuple[str, ...]
    """Of the guests' kernels about themselves."""


class Sweep:
    """Runs plans on one testbed; logs go to ``folder/LAYOUT``."""

    def __init__(self, testbed: Testbed, folder: Path, switch: Switch | None = None) -> None:
        self._testbed = testbed
        self._folder = folder
        self._switch = switch
        self._stop = threading.Event()

    def run(self, plans: Sequence[Plan], jobs: int, report: Callable[[Swept], None]) -> None:
        """Run them all, some at a time; ``report`` is called in this thread as each one ends."""
        pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="matrix")
        left: set[Future[Swept]] = {pool.submit(self.one, plan) for plan in plans}
        try:
            while left:
                done, left = wait(left, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    report(future.result())
        except BaseException:
            self._stop.set()
            process.kill_all()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def one(self, plan: Plan) -> Swept:
        """All cells of a layout; what breaks is a result too, never an exception."""
        by_importer = itertools.groupby(sorted(plan.cells, key=_importer), key=_importer)
        groups = [list(cells) for _, cells in by_importer]
        results: list[Result] = []
        complaints: list[str] = []
        for attempt in range(1, GUESTS + 1):
            if not groups or self._stop.is_set():
                break
            folder = self._folder / plan.layout.name / f"guest-{attempt}"
            try:
                self._in_guest(plan.layout, folder, groups, results)
            except Exception as error:
                log.info("%s", plan.layout.name, exc_info=error)
                results += [_broken(cell, f"{error}".splitlines()[0]) for cell in groups.pop(0)]
            complaints += _complaints(folder)
        results += [_broken(cell, "no guest came to it") for cells in groups for cell in cells]
        order = {cell: index for index, cell in enumerate(plan.cells)}
        return Swept(plan, tuple(sorted(results, key=lambda result: order[result.cell])), tuple(complaints))

    def _in_guest(
        self, layout: Layout, folder: Path, groups: list[list[Cell]], results: list[Result]
    ) -> None:
        """As many groups as this guest lives; each is taken out when it has its results."""
        with self._testbed.start(layout, folder) as machine:
            guest = Guest(machine)
            guest.allow_many_pages()
            if self._switch and self._switch.module:
                guest.turn_on(self._switch.module, self._switch.name)
            pools = bouncepool.of_console(selfcheck.console_of(folder))
            while groups and not self._stop.is_set():
                results += self._group(machine, guest, pools, groups[0])
                del groups[0]

    def _group(self, machine: Machine, guest: Guest, pools: Sequence[Run], cells: list[Cell]) -> list[Result]:
        """The cells of one importer."""
        device = cells[0].importer
        where = surroundings(machine.layout, device, pools)
        guest.new_session()
        before = _read(machine, device)
        seen = [guest.try_cell(cell) for cell in cells]
        after = _read(machine, device)
        try:
            activity = evidence.activity(device, before.engine, after.engine)
            check_count(activity, guest.submitted(device))
            before.check_translated(after)
        except EvidenceError as error:
            return [_broken(cell, str(error)) for cell in cells]
        return [_result(cell, where, each, activity) for cell, each in zip(cells, seen, strict=True)]


def surroundings(layout: Layout, device: str, pools: Sequence[Run]) -> Surroundings:
    """What a layout and its guest's console say that is needed to place bytes."""
    memory = zones.memory(layout)
    entry = layout.device(device)
    ram = tuple(Run(bank.base, bank.size) for bank in layout.banks)
    return Surroundings(entry, layout.translates(entry), tuple(pools), memory.cma, ram, memory.page)


@dataclass(frozen=True)
class Reading:
    """The evidence of an engine, and of the IOMMU in front of it."""

    engine: Any
    iommu: Mapping[str, Any] | None

    def check_translated(self, after: Reading) -> None:
        """An IOMMU that let something through untranslated was off."""
        if self.iommu is None or after.iommu is None:
            return
        passed = after.iommu["untranslated"] - self.iommu["untranslated"]
        if passed:
            raise EvidenceError(f"its IOMMU let {passed} accesses through untranslated")


def _read(machine: Machine, device: str) -> Reading:
    name = machine.layout.device(device).iommu
    iommu = machine.qmp.get(machine.engine(name), "evidence") if name else None
    return Reading(machine.qmp.get(machine.engine(device), "evidence"), iommu)


def check_count(activity: Activity, submitted: int) -> None:
    if activity.jobs_done != submitted:
        what = f"{activity.device} did {activity.jobs_done} jobs, the guest submitted {submitted}"
        raise EvidenceError(what)


def _result(cell: Cell, where: Surroundings, seen: Observation, activity: Activity) -> Result:
    try:
        outcome, why = observed.judge(cell, where, seen, activity.jobs)
    except (TestbedError, ValueError) as error:
        return _broken(cell, str(error), seen.seconds)
    return Result(cell, outcome, why, seen.seconds)


def _broken(cell: Cell, why: str, seconds: float = 0.0) -> Result:
    return Result(cell, outcomes.ERROR, why, seconds)


def _complaints(folder: Path) -> list[str]:
    """What the kernel said of itself, but for what a refusal to map makes it say."""
    events, _ = selfcheck.of_console(selfcheck.console_of(folder))
    return [event.text for event in events if OVERFLOW not in event.text]


def _importer(cell: Cell) -> str:
    return cell.importer
