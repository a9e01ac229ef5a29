# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the steps of one scenario on a ready guest and writes the transcript.

Nothing is judged here. What breaks on the way becomes an event of the
transcript, and the evidence is taken whatever happened before.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from dmabed import requests
from dmabed.accounting import Accountant
from dmabed.agent import Agent, Answer, take
from dmabed.deadline import Deadline
from dmabed.errors import AgentError, AgentRefused, MachineDied, QmpError, TestbedError
from dmabed.machine import Machine
from dmabed.scenario import Scenario
from dmabed.steps import OPERATIONS, WAIT_S, Operation, Step
from dmabed.transcript import BufferSnapshot, Event, EventKind, JobRef, StepRecord, Transcript

# how long a thread is watched for having gone to sleep in the kernel
BLOCKED_SECONDS = 2.0
# the agent answers a little after the time that its request may take in the guest
GRACE_SECONDS = 5.0

_OK: dict[str, Any] = {"ok": True, "result": {}}


@dataclass
class _Notes:
    """What a step leaves for its record, beside the answer."""

    job: JobRef | None = None
    buffers: Mapping[str, BufferSnapshot] = field(default_factory=dict)


class Execution:
    """One scenario on one machine, over one agent connection."""

    def __init__(
        self, machine: Machine, agent: Agent, scenario: Scenario, stop: threading.Event | None = None
    ) -> None:
        """``stop`` is set when the user ends the run; the machine is then taken away."""
        self._machine = machine
        self._agent = agent
        self._scenario = scenario
        self._deadline = Deadline(scenario.timeout_s)
        self._stop = stop or threading.Event()
        self._notes = _Notes()
        self._records: list[StepRecord] = []
        self._events: list[Event] = []
        self._submitted: dict[str, int] = {}  # jobs of each device so far
        self._jobs: dict[str, tuple[JobRef, int]] = {}  # by the name that `as` gave
        self._threads: dict[str, list[tuple[Step, float, Future[dict[str, Any]]]]] = {}
        self._buffers: set[str] = set()  # of our exporter: they say where they are

    def run(self) -> Transcript:
        """All steps, or as far as it goes."""
        started = time.monotonic()
        before = self._evidence()
        accountant = Accountant(self._machine, self._ask)
        accountant.begin()
        for step in self._scenario.steps:
            if not self._step(step, started):
                break
        self._take_back_faults()
        evidence = self._evidence()
        return Transcript(
            scenario=self._scenario.name,
            layout=self._machine.layout.name,
            steps=tuple(sorted(self._records, key=lambda record: record.step_index)),
            evidence=evidence,
            evidence_before=before,
            events=tuple(self._events),
            seconds=time.monotonic() - started,
            counts_before=accountant.before,
            counts_after=None if self._stop.is_set() else accountant.end(),
        )

    # ---- one step ----

    def _step(self, step: Step, started: float) -> bool:
        """Do a step and record it; False when there is no going on."""
        begun = time.monotonic()
        self._notes = _Notes()
        answer: dict[str, Any] | None = None
        try:
            answer = self._do(step)
        except TestbedError as error:
            self._events.append(self._event(error, step))
            return False
        finally:
            if not step.thread:  # a thread's step is recorded by its join
                seconds = time.monotonic() - begun
                self._records.append(
                    StepRecord(
                        step.index, begun - started, seconds, answer, self._notes.job, self._notes.buffers
                    )
                )
        return not _refused(step, answer)

    def _do(self, step: Step) -> dict[str, Any] | None:
        if self._stop.is_set():
            raise AgentError("the run was interrupted")
        if self._deadline.passed():
            raise AgentError(f"the scenario ran out of its {self._deadline.seconds:g} s")
        if step.thread:
            self._start_in_thread(step)
            return None
        if step.verb in requests.PLAIN_VERBS:
            return self._plain(step)
        if step.verb in OPERATIONS:
            return self._run_job(step)
        return _HOST_VERBS[step.verb](self, step)

    def _event(self, error: TestbedError, step: Step) -> Event:
        """What ended the scenario: the user, the guest, QEMU, the time, or the agent."""
        if self._stop.is_set():
            return Event(EventKind.INTERRUPTED, "the run was interrupted", step.index)
        died = self._death(error)
        if panic := self._machine.panic():
            return Event(EventKind.GUEST_PANIC, panic, step.index)
        if died:
            return Event(EventKind.QEMU_DIED, str(died), step.index)
        if self._deadline.passed():
            return Event(EventKind.TIMEOUT, str(error), step.index)
        silent = isinstance(error, AgentError) and not isinstance(error, AgentRefused)
        return Event(EventKind.AGENT_SILENT if silent else EventKind.PROTOCOL, str(error), step.index)

    def _death(self, error: TestbedError) -> MachineDied | None:
        try:
            self._machine.raise_if_dead(error)
        except MachineDied as died:
            return died
        return None

    # ---- the guest's side ----

    def _ask(self, op: str, arguments: Mapping[str, Any], seconds: float = WAIT_S) -> Answer:
        own = Deadline(seconds + GRACE_SECONDS)
        limit = own if own.left() < self._deadline.left() else self._deadline
        return take(self._agent.ask(op, **arguments), op, limit)

    def _plain(self, step: Step) -> dict[str, Any]:
        answer = self._ask(step.verb, requests.plain(step))
        if answer.ok and step.verb == "export":
            self._buffers.add(step.args["buffer"])
        if answer.ok and step.verb == "close":
            self._buffers.discard(step.args["buffer"])
        return answer.as_dict()

    def _start_in_thread(self, step: Step) -> None:
        assert step.thread is not None, "only a step with a thread comes here"
        future = self._agent.ask(step.verb, **requests.plain(step))
        self._threads.setdefault(step.thread, []).append((step, time.monotonic(), future))

    def _submit(self, operation: Operation) -> tuple[Answer, int]:
        """Queue a job; its reference and the buffers' places are noted for the record."""
        answer = self._ask("submit", requests.submit(operation))
        if not answer.ok:
            return answer, 0
        nth = self._submitted.get(operation.device, 0) + 1
        self._submitted[operation.device] = nth
        self._notes.job = JobRef(operation.device, nth)
        self._notes.buffers = self._places()
        return answer, int(answer.result["job"])

    def _places(self) -> dict[str, BufferSnapshot]:
        """Where each known buffer is now."""
        places = {}
        for name in sorted(self._buffers):
            answer = self._ask("buffer", {"buffer": name})
            if answer.ok:
                places[name] = BufferSnapshot.from_result(answer.result)
        return places

    def _run_job(self, step: Step) -> dict[str, Any]:
        assert step.operation is not None, "the verbs of jobs have one"
        answer, number = self._submit(step.operation)
        if not answer.ok:
            return answer.as_dict()
        return self._wait_for(step.operation.device, number, WAIT_S)

    def _wait_for(self, device: str, number: int, seconds: float) -> dict[str, Any]:
        return self._ask("wait", requests.wait(device, number, seconds), seconds).as_dict()

    def _submit_step(self, step: Step) -> dict[str, Any]:
        assert step.operation is not None, "submit has one"
        answer, number = self._submit(step.operation)
        if answer.ok and step.name and self._notes.job:
            self._jobs[step.name] = (self._notes.job, number)
        return answer.as_dict()

    def _wait_step(self, step: Step) -> dict[str, Any] | None:
        if step.args["job"] not in self._jobs:
            return None  # its submit failed, and that is recorded there
        self._notes.job, number = self._jobs[step.args["job"]]
        return self._wait_for(self._notes.job.device, number, float(step.args["timeout"]))

    # ---- threads ----

    def _join(self, step: Step) -> dict[str, Any] | None:
        limit = Deadline(float(step.args["timeout"]))
        whole = True
        for begun, started, future in self._threads.pop(step.args["thread"], []):
            whole = self._record_threaded(begun, started, future, limit) and whole
        return dict(_OK) if whole else None

    def _record_threaded(
        self, step: Step, started: float, future: Future[dict[str, Any]], limit: Deadline
    ) -> bool:
        try:
            answer = take(future, step.verb, limit).as_dict()
        except AgentError:
            if not limit.passed():
                raise
            answer = None
        now = time.monotonic()
        self._records.append(StepRecord(step.index, 0.0, now - started, answer))
        return answer is not None

    def _blocked(self, step: Step) -> dict[str, Any]:
        """The thread's row, as soon as it sleeps where it should, or what it is after the wait."""
        limit = Deadline(BLOCKED_SECONDS)
        while True:
            row = self._thread_row(step.args["thread"])
            if limit.passed() or _sleeps(row, step.args.get("in")):
                return {"ok": True, "result": row}
            time.sleep(0.02)

    def _thread_row(self, name: str) -> dict[str, Any]:
        return dict(self._ask("threads", {}).result.get(name, {}))

    # ---- the host's side ----

    def _hold(self, step: Step) -> dict[str, Any]:
        engine = self._machine.engine(step.args["device"])
        self._machine.qmp.set(engine, "hold-at", step.args["at"])
        self._machine.qmp.set(engine, "hold", True)
        return dict(_OK)

    def _release(self, step: Step) -> dict[str, Any]:
        self._machine.qmp.set(self._machine.engine(step.args["device"]), "hold", False)
        return dict(_OK)

    def _inject(self, step: Step) -> dict[str, Any]:
        self._set_fault(step.args["device"], step.args["fault"], step.args["at"], step.args["count"])
        return dict(_OK)

    def _set_fault(self, device: str, fault: str, at: int = 0, count: int = 0) -> None:
        value = {"fault": fault, "at": at, "count": count}
        self._machine.qmp.set(self._machine.engine(device), "inject", value)

    def _ram_digest(self, step: Step) -> dict[str, Any]:
        """Read the storage out of guest RAM, without asking the guest for its bytes."""
        answer = self._ask("buffer", {"buffer": step.args["buffer"]})
        if not answer.ok:
            return answer.as_dict()
        place = BufferSnapshot.from_result(answer.result)
        length = left = step.args["size"]
        digest = hashlib.sha256()
        for number, run in enumerate(place.segments):
            part = min(run.length, left)  # storage is whole pages, a buffer need not be
            digest.update(self._dump(f"{step.index}-{number}", run.address, part))
            left -= part
        length -= left
        return {"ok": True, "result": {"sha256": digest.hexdigest(), "length": length}}

    def _dump(self, name: str, address: int, length: int) -> bytes:
        file = self._machine.directory / f"ram-{name}.bin"
        try:
            self._machine.qmp.command("pmemsave", val=address, size=length, filename=str(file))
            return file.read_bytes()
        finally:
            file.unlink(missing_ok=True)

    def _take_back_faults(self) -> None:
        """No hold or fault outlives the scenario; a dead machine has none."""
        used = {step.args["device"] for step in self._scenario.steps if step.verb in ("hold", "inject")}
        try:
            for device in used:
                self._machine.qmp.set(self._machine.engine(device), "hold", False)
                self._set_fault(device, "none")
        except QmpError:
            return

    def _evidence(self) -> dict[str, Mapping[str, Any] | None]:
        return {device.name: self._evidence_of(device.name) for device in self._machine.layout.devices}

    def _evidence_of(self, device: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._machine.qmp.get(self._machine.engine(device), "evidence")
        except QmpError as error:
            if not any(event.kind is EventKind.QEMU_DIED for event in self._events):
                self._events.append(Event(EventKind.EVIDENCE, str(error), device=device))
            return None
        return found


def _refused(step: Step, answer: Mapping[str, Any] | None) -> bool:
    """A call that should have worked did not: what comes after it would only wait in vain."""
    return answer is not None and not answer["ok"] and step.expect.errno is None


def _sleeps(row: Mapping[str, Any], function: str | None) -> bool:
    if not row.get("busy"):
        return False
    where = f"{row.get('wchan', '')}\n{row.get('stack', '')}"
    return function in where if function else row.get("wchan") not in (None, "", "0")


_HOST_VERBS: dict[str, Callable[[Execution, Step], dict[str, Any] | None]] = {
    "submit": Execution._submit_step,
    "wait": Execution._wait_step,
    "join": Execution._join,
    "blocked": Execution._blocked,
    "hold": Execution._hold,
    "release": Execution._release,
    "inject": Execution._inject,
    "ram-digest": Execution._ram_digest,
}
