# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries one cell in a guest, and notes what everybody said. Nothing is judged here.

The device reads before it writes: a device that works in foreign memory is found out by what it reads,
and is not let loose on the guest's own pages.
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from typing import Any

from dmabed import answers
from dmabed.agent import Answer
from dmabed.answers import JobAnswer
from dmabed.errors import TestbedError
from dmabed.machine import Machine
from dmabed.pattern import sha256_of
from dmabed.ranges import Run
from dmabed.sharing import marks
from dmabed.sharing.cells import Cell
from dmabed.sharing.placement import Exporter, page_rounded
from dmabed.sharing.zones import page_of

BUFFER = "cell"
WAIT_MS = 10000
SLOTS_USED = "/sys/kernel/debug/swiotlb/io_tlb_used"
HEAPS = "/dev/dma_heap"
SYSTEM_HEAP = "system"


@dataclass
class Observation:
    """What the guest said of one cell, and which jobs of its importer's evidence are the cell's."""

    number: int
    """Of the cell in its guest: its seeds."""
    refused_by: str = ""
    """The call that said no."""
    errno: str = ""
    stuck: str = ""
    """A call that has nothing to do with the importer said no."""
    mapped: tuple[Run, ...] = ()
    storage: tuple[Run, ...] = ()
    """Of a buffer of ours while it is mapped, with CPU addresses."""
    migrations: int = 0
    """While the importer came."""
    slots: int | None = None
    """Of the bounce pool, that its mapping took; None: this kernel does not tell."""
    read: JobAnswer | None = None
    write: JobAnswer | None = None
    unsynced: str = ""
    """SHA-256 of what the CPU sees, past all syncs, when the device has written."""
    home: str = ""
    """The same, once it is unmapped and synced; of bytes that were not there before."""
    jobs: list[int] = field(default_factory=list)
    """Ordinals of its jobs among those of the importer in this session."""
    seconds: float = 0.0

    @property
    def seeds(self) -> tuple[int, int]:
        """Of what the CPU writes first, and of what the device writes over it."""
        return 2 * self.number + 1, 2 * self.number + 2


class _Refused(Exception):
    def __init__(self, call: str, errno: str) -> None:
        super().__init__(call)
        self.call = call
        self.errno = errno


class Guest:
    """A ready guest that cells are tried in, one after the other."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._page = page_of(machine.layout)
        self._jobs: dict[str, int] = {}
        self._number = 0
        self.cma_heap = self._find_cma_heap()

    def allow_many_pages(self) -> None:
        """udmabuf takes 1024 entries and 64 MiB, unless it is told otherwise."""
        for name, value in (("list_limit", 1 << 20), ("size_limit_mb", 1 << 14)):
            self._ask("write", path=f"/sys/module/udmabuf/parameters/{name}", text=str(value))

    def turn_on(self, module: str, switch: str) -> None:
        """Break something on purpose."""
        path = f"/sys/module/dmabed_{module}/parameters/sabotage"
        answer = self._ask("write", path=path, text=switch)
        if not answer.ok:
            raise TestbedError(f"{switch} can't be turned on", why=f"{path}: {answer.errno}")

    def new_session(self) -> None:
        """Evidence is read anew from here on: jobs are counted from 1."""
        self._jobs = {}

    def submitted(self, device: str) -> int:
        return self._jobs.get(device, 0)

    def try_cell(self, cell: Cell) -> Observation:
        """All of it, and everything given back. Raises AgentError and MachineDied."""
        self._number += 1
        seen = Observation(self._number)
        begun = time.monotonic()
        try:
            self._steps(cell, seen)
        except _Refused as no:
            seen.refused_by, seen.errno = no.call, no.errno
        self._ask("reset")
        seen.seconds = time.monotonic() - begun
        return seen

    # ---- the steps ----

    def _steps(self, cell: Cell, seen: Observation) -> None:
        before = self._slots()
        self._export(cell)
        late = cell.exporter in _ASK_FIRST
        if cell.first_user:
            self._attach_and_map(cell.first_user, seen, whose="the first user's ")
        if not late and not self._cpu_write(cell, seen):
            return
        moves = self._migrations(cell)
        seen.mapped = self._attach_and_map(cell.importer, seen)
        if late and not self._cpu_write(cell, seen):
            return
        seen.slots = _less(self._slots(), before)
        if cell.exporter.ours:
            self._note_storage(seen, moves)
        self._jobs_of(cell, seen)

    def _jobs_of(self, cell: Cell, seen: Observation) -> None:
        """Read, and write if what was read is right; then see what has arrived."""
        size = self._size(cell)
        seen.read = self._job(cell, seen, "digest", src=BUFFER)
        if seen.read.status == "ok" and seen.read.sha256 == marks.sha256_of(seen.seeds[0], size):
            seen.write = self._job(cell, seen, "fill", dst=BUFFER, seed=hex(seen.seeds[1]))
            seen.unsynced = self._digest(sync=False)
        self._ask("unmap", device=cell.importer, buffer=BUFFER)
        self._ask("detach", device=cell.importer, buffer=BUFFER)
        arrived = seen.unsynced == sha256_of(seen.seeds[1], 0, size)
        seen.home = seen.unsynced if arrived else self._digest(sync=True)

    def _export(self, cell: Cell) -> None:
        length = hex(cell.size)
        if cell.exporter is Exporter.UDMABUF:
            self._must("udmabuf", length=length, scattered=True)
            # it maps itself in the direction of its first bracket (udmabuf.c:221-234)
            for end in ("start", "end"):
                self._must("cpu-sync", flags=["read", "write", end])
        elif not cell.exporter.ours:
            heap = SYSTEM_HEAP if cell.exporter is Exporter.SYSTEM_HEAP else self.cma_heap
            self._must("heap", length=length, heap=heap)
        else:
            self._must("export", length=length, **_REQUESTS[cell.exporter])

    def _attach_and_map(self, device: str, seen: Observation, whose: str = "") -> tuple[Run, ...]:
        answers_ = [self._ask("attach", device=device, buffer=BUFFER)]
        if answers_[0].ok:
            answers_.append(self._ask("map", device=device, buffer=BUFFER))
        last = answers_[-1]
        if not last.ok:
            raise _Refused(f"{whose}{('attach', 'map')[len(answers_) - 1]}", last.errno)
        return answers.runs(last.result)

    def _cpu_write(self, cell: Cell, seen: Observation) -> bool:
        for offset, length in marks.parts(self._size(cell)):
            place = {"offset": hex(offset), "length": hex(length)}
            answer = self._ask("cpu-write", buffer=BUFFER, seed=hex(seen.seeds[0]), **place)
            if not answer.ok:
                seen.stuck = f"the CPU can't write to it: {answer.errno}"
                return False
        return True

    def _size(self, cell: Cell) -> int:
        return page_rounded(cell.size, self._page)

    def _job(self, cell: Cell, seen: Observation, operation: str, **arguments: Any) -> JobAnswer:
        device = cell.importer
        answer = self._ask("submit", device=device, operation=operation, **arguments)
        if not answer.ok:
            raise _Refused(f"submit of a {operation}", answer.errno)
        self._jobs[device] = self._jobs.get(device, 0) + 1
        seen.jobs.append(self._jobs[device])
        done = self._ask("wait", device=device, job=answer.result["job"], timeout_ms=WAIT_MS)
        if not done.ok:
            raise _Refused(f"wait for a {operation}", done.errno)
        return answers.job(done.result)

    # ---- what the guest tells beside ----

    def _digest(self, *, sync: bool) -> str:
        answer = self._ask("cpu-digest", buffer=BUFFER, sync=sync)
        return str(answer.result.get("sha256", answer.errno))

    def _migrations(self, cell: Cell) -> int:
        if not cell.exporter.ours:
            return 0
        return answers.number(self._ask("buffer", buffer=BUFFER).result, "migrations")

    def _note_storage(self, seen: Observation, moves: int) -> None:
        result = self._ask("buffer", buffer=BUFFER).result
        seen.storage = answers.runs(result)
        seen.migrations = answers.number(result, "migrations") - moves

    def _slots(self) -> int | None:
        answer = self._ask("read", path=SLOTS_USED)
        return int(base64.b64decode(answer.result["data"])) if answer.ok else None

    def _find_cma_heap(self) -> str:
        """The only other heap, which is called as its area is."""
        answer = self._ask("run", argv=["ls", HEAPS])
        names = base64.b64decode(answer.result["stdout"]).decode().split()
        return next((name for name in names if name != SYSTEM_HEAP), "")

    def _must(self, op: str, **arguments: Any) -> Answer:
        answer = self._ask(op, buffer=BUFFER, **arguments)
        if not answer.ok:
            raise _Refused(op, answer.errno)
        return answer

    def _ask(self, op: str, **arguments: Any) -> Answer:
        return self._machine.call(op, 2 * WAIT_MS / 1000, **arguments)


# Nothing is allocated before the importer has said what it needs.
_ASK_FIRST = (Exporter.AUTO, Exporter.SCATTERED, Exporter.CONTIGUOUS)

# as auto does, but from the top of RAM where it may be single pages
_ANYTHING = ["pages", "low-pages", "contiguous"]

_REQUESTS: dict[Exporter, dict[str, Any]] = {
    Exporter.AUTO: {"storage": "auto"},
    Exporter.IN_USE: {"storage": "pages", "allowed": _ANYTHING, "flags": ["dynamic", "high"]},
    Exporter.STATIC: {"storage": "pages", "allowed": _ANYTHING, "flags": ["high"]},
    Exporter.SCATTERED: {"storage": "pages"},
    Exporter.CONTIGUOUS: {"storage": "contiguous"},
    Exporter.HIGH: {"storage": "pages", "flags": ["unconstrained", "high"]},
}


def _less(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else after - before
