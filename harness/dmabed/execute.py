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

from dmabed import media_watch, requests, tamper
from dmabed.accounting import SETTLE_SECONDS, Accountant
from dmabed.agent import Agent, Answer, take
from dmabed.deadline import Deadline, poll
from dmabed.errors import AgentError, AgentRefused, MachineDied, QmpError, TestbedError
from dmabed.evidence import FAULTS
from dmabed.generation import CURRENT
from dmabed.holders import Holders
from dmabed.machine import Machine
from dmabed.media_watch import MediaWatch
from dmabed.sabotage import Switch
from dmabed.scenario import Scenario
from dmabed.slots import How, Slots
from dmabed.steps import OPERATIONS, WAIT_S, Step
from dmabed.transcript import BufferSnapshot, Event, EventKind, JobRef, StepRecord, Transcript

# how long a thread is watched for having gone to sleep in the kernel
BLOCKED_SECONDS = 2.0
# the agent answers a little after the time that its request may take in the guest
GRACE_SECONDS = 5.0

# verbs that take long on a busy host: touching all of the memory
SLOW = {"pressure": 60.0}

# more than a scenario has
MANY_JOBS = 1 << 20
GUEST_TESTS = "/usr/bin/dmabed-tests"

# how long the agent's reader, which no operation blocks, may take for an answer
HUNG_SECONDS = 3.0
# these may sleep as long as they were told to
PATIENT_OPS = (None, "wait", "wait-fence", "poll", "run", "sync")

_OK: dict[str, Any] = {"ok": True, "result": {}}


@dataclass
class _Notes:
    """What a step leaves for its record, beside the answer."""

    job: JobRef | None = None
    buffers: Mapping[str, BufferSnapshot] = field(default_factory=dict)
    picture: int | None = None


class Execution:
    """One scenario on one machine, over one agent connection."""

    def __init__(
        self,
        machine: Machine,
        agent: Agent,
        scenario: Scenario,
        stop: threading.Event | None = None,
        switch: Switch | None = None,
    ) -> None:
        """``stop`` is set when the user ends the run; the machine is then taken away. ``switch`` breaks
        something on purpose."""
        self._machine = machine
        self._agent = agent
        self._scenario = scenario
        self._deadline = Deadline(scenario.timeout_s)
        self._stop = stop or threading.Event()
        self._switch = switch
        self._notes = _Notes()
        self._records: list[StepRecord] = []
        self._events: list[Event] = []
        self._submitted: dict[str, int] = {}  # jobs of each device so far
        self._jobs: dict[str, tuple[JobRef, int]] = {}  # by the name that `as` gave
        self._threads: dict[str, list[tuple[Step, float, Future[dict[str, Any]]]]] = {}
        self._places_known: set[str] = set()  # buffers of our exporter: they say where they are
        self._remembered: dict[str, BufferSnapshot] = {}  # places that buffers had, by the name of `as`
        self._holders = Holders(self._ask)
        self._drivers: dict[str, tuple[str, str]] = {}  # of devices that were unbound
        self._slots = Slots(machine, self._ask)
        self._generations: dict[str, str] = {}  # of buffers
        self._handles: dict[str, int] = {}  # their numbers, by the names that steps gave
        self._engines = {device.name for device in machine.layout.devices}
        self._watch = MediaWatch(machine, self._ask)

    def run(self) -> Transcript:
        """All steps, or as far as it goes."""
        started = time.monotonic()
        self._turn_on()
        before, iommus_before = self._evidence(), self._iommus()
        self._watch.begin()
        accountant = Accountant(self._machine, self._ask, self._slots)
        accountant.begin()
        for step in self._scenario.steps:
            if not self._step(step, started):
                break
        self._take_back_faults()
        evidence, iommus = self._evidence(), self._iommus()
        return Transcript(
            scenario=self._scenario.name,
            layout=self._machine.layout.name,
            steps=tuple(sorted(self._records, key=lambda record: record.step_index)),
            evidence=evidence,
            evidence_before=before,
            media=self._watch.end(),
            media_before=self._watch.before,
            iommus=iommus,
            iommus_before=iommus_before,
            events=tuple(self._events),
            seconds=time.monotonic() - started,
            departed=dict(self._slots.departed),
            away=tuple(sorted(self._slots.away)),
            counts_before=accountant.before,
            counts_after=None if self._stop.is_set() else accountant.end(),
        )

    def _turn_on(self) -> None:
        """Break what the switch breaks. Raises AgentRefused, which no scenario is blamed for."""
        if self._switch is None:
            return
        if self._switch.module:
            path = requests.parameter_path(self._switch.module, self._switch.parameter)
            answer = self._ask("write", {"path": path, "text": self._switch.value or self._switch.name})
            if not answer.ok:
                raise AgentRefused(f"{self._switch.name} can't be turned on", why=f"{path}: {answer.errno}")
        if self._switch.iommu:
            for iommu in self._machine.layout.iommus:
                self._set_ignore_zap(iommu.name, True)
        if self._switch.inject:
            fault = self._switch.inject
            for device in self._victims(fault["fault"]):
                self._set_fault(device, fault["fault"], fault.get("at", 0), MANY_JOBS)

    def _victims(self, fault: str) -> list[str]:
        """The devices of the scenario that know this fault."""
        return [
            device
            for device in self._scenario.devices
            if fault in (FAULTS if device in self._engines else media_watch.FAULTS)
        ]

    def _is_skipped(self, step: Step) -> bool:
        return self._switch is not None and step.verb == tamper.skipped_verb(self._switch.tamper)

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
                        step.index,
                        begun - started,
                        seconds,
                        answer,
                        self._notes.job,
                        self._notes.buffers,
                        self._notes.picture,
                    )
                )
        return not _refused(step, answer)

    def _do(self, step: Step) -> dict[str, Any] | None:
        if self._stop.is_set():
            raise AgentError("the run was interrupted")
        if self._deadline.passed():
            raise AgentError(f"the scenario ran out of its {self._deadline.seconds:g} s")
        if self._is_skipped(step):
            return dict(_OK)
        self._holders.bring(step)
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
        if hung := self._hung():
            return Event(EventKind.GUEST_HUNG, hung, step.index)
        if self._deadline.passed():
            return Event(EventKind.TIMEOUT, str(error), step.index)
        silent = isinstance(error, AgentError) and not isinstance(error, AgentRefused)
        return Event(EventKind.AGENT_SILENT if silent else EventKind.PROTOCOL, str(error), step.index)

    def _hung(self) -> str:
        """A thread of the agent that sleeps in a call which should have come back, '' if there is none.

        The agent tells of its threads even when they hang.
        """
        try:
            rows = self._agent.call("threads", HUNG_SECONDS).result
        except AgentError:
            return ""
        for name, row in rows.items():
            if row.get("op") not in PATIENT_OPS and _sleeps(row, None):
                return f"thread '{name}' never came back from {row.get('op')}: {row.get('stack')}".strip()
        return ""

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
        request = requests.plain(step, self._handles)
        seconds = step.args.get("timeout", SLOW.get(step.verb, WAIT_S))
        answer = poll(
            lambda: self._ask(requests.op(step), request, seconds),
            lambda found: _has_settled(step, found),
            SETTLE_SECONDS,
        )
        if answer.ok:
            self._note_buffers(step)
        if answer.ok and step.verb in requests.NEW_HANDLES:
            self._handles[step.args["handle"]] = int(answer.result["handle"])
        if answer.ok and step.frame is not None:
            self._notes.picture = self._watch.number_of(step.verb, step.frame.device)
            self._notes.buffers = self._places()
        if answer.ok and step.verb == "buffer" and step.name:
            self._remembered[step.name] = BufferSnapshot.from_result(answer.result)
        return answer.as_dict()

    def _note_buffers(self, step: Step) -> None:
        self._holders.note(step)
        if step.verb in ("export", "from-handle"):
            self._places_known.add(step.args["buffer"])
            self._generations[step.args["buffer"]] = step.generation
        if "to" in step.args and step.args["buffer"] in self._places_known:
            self._places_known.add(step.args["to"])
            self._generations[step.args["to"]] = step.generation

    def _start_in_thread(self, step: Step) -> None:
        assert step.thread is not None, "only a step with a thread comes here"
        op, arguments = requests.op(step), requests.plain(step)
        if step.verb in ("bind", "unbind"):
            op, arguments = "write", requests.bind(step, *self._driver_of(step))
        future = self._agent.ask(op, **arguments)
        self._threads.setdefault(step.thread, []).append((step, time.monotonic(), future))

    def _submit(self, step: Step) -> tuple[Answer, int]:
        """Queue a job; its reference and the buffers' places are noted for the record."""
        operation = step.operation
        assert operation is not None, "the verbs of jobs have one"
        answer = self._ask("submit", requests.submit(step))
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
        for name in sorted(self._places_known):
            answer = self._where(name)
            if answer is not None and answer.ok:
                places[name] = BufferSnapshot.from_result(answer.result)
        return places

    def _where(self, name: str) -> Answer | None:
        """Where a buffer is, by the word of a process that has it; None: nobody has it any more."""
        holder = self._holders.of(name)
        if holder is None:
            return None
        request = {
            "buffer": name,
            **requests.of_generation("buffer", self._generations.get(name, CURRENT)),
            **holder,
        }
        return self._ask("buffer", request)

    def _run_job(self, step: Step) -> dict[str, Any]:
        assert step.operation is not None, "the verbs of jobs have one"
        answer, number = self._submit(step)
        if not answer.ok:
            return answer.as_dict()
        return self._wait_for(step, step.operation.device, number, WAIT_S)

    def _wait_for(self, step: Step, device: str, number: int, seconds: float) -> dict[str, Any]:
        request = requests.wait(device, number, seconds) | requests.place(step)
        return self._ask("wait", request, seconds).as_dict()

    def _submit_step(self, step: Step) -> dict[str, Any]:
        answer, number = self._submit(step)
        if answer.ok and step.name and self._notes.job:
            self._jobs[step.name] = (self._notes.job, number)
        return answer.as_dict()

    def _wait_step(self, step: Step) -> dict[str, Any] | None:
        if step.args["job"] not in self._jobs:
            return None  # its submit failed, and that is recorded there
        self._notes.job, number = self._jobs[step.args["job"]]
        return self._wait_for(step, self._notes.job.device, number, float(step.args["timeout"]))

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
        row = poll(
            lambda: self._thread_row(step.args["thread"]),
            lambda row: _sleeps(row, step.args.get("in")),
            BLOCKED_SECONDS,
        )
        return {"ok": True, "result": row}

    def _thread_row(self, name: str) -> dict[str, Any]:
        process = self._threads[name][0][0].process if name in self._threads else None
        return dict(self._ask("threads", {"process": process}).result.get(name, {}))

    # ---- the kernel around the buffers ----

    def _bind(self, step: Step) -> dict[str, Any]:
        request = requests.bind(step, *self._driver_of(step))
        answer = self._ask("write", request)
        if answer.ok and step.verb == "unbind":
            device = step.args["device"]
            self._slots.note_unbound(device, self._submitted.get(device, 0))
        return answer.as_dict()

    def _driver_of(self, step: Step) -> tuple[str, str]:
        """The directory of a device's driver and its name there, asked while it is still bound."""
        device = step.args["device"]
        if device not in self._drivers:
            answer = self._ask("driver", {"device": device})
            if not answer.ok:
                raise AgentRefused(f"nobody tells which driver {device} has", why=answer.errno)
            self._drivers[device] = (answer.result["driver"], answer.result["name"])
        return self._drivers[device]

    def _unplug(self, step: Step) -> dict[str, Any]:
        device, how = step.args["device"], How(step.args["how"])
        submitted = self._submitted.get(device, 0)
        if how is How.REMOVED:
            return self._slots.forget(device, self._driver_of(step)[1], submitted)
        self._drivers.pop(device, None)  # in another slot it has another name
        return self._slots.unplug(device, how, submitted)

    def _plug(self, step: Step) -> dict[str, Any]:
        return self._slots.plug(step.args["device"], step.args.get("port"))

    def _guest_test(self, step: Step) -> dict[str, Any]:
        """The program's whole output; ``guest_tests`` judges it."""
        seconds = float(step.args["timeout"])
        broken = self._switch.guest_test if self._switch else step.args.get("sabotage")
        argv = [GUEST_TESTS, *(["--sabotage", broken] if broken else []), *step.args["tests"]]
        answer = self._ask("run", {"argv": argv, "timeout-ms": int(seconds * 1000)}, seconds)
        return answer.as_dict()

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

    def _ignore_zap(self, step: Step) -> dict[str, Any]:
        self._set_ignore_zap(step.args["iommu"], step.args["on"])
        return dict(_OK)

    def _set_ignore_zap(self, iommu: str, on: bool) -> None:
        self._machine.qmp.set(self._machine.peripheral(iommu), "ignore-zap", on)

    def _ram_digest(self, step: Step) -> dict[str, Any]:
        """Read the storage out of guest RAM, without asking the guest for its bytes."""
        place = self._place_of(step)
        length = left = step.args["size"]
        digest = hashlib.sha256()
        for number, run in enumerate(place.segments):
            part = min(run.length, left)  # storage is whole pages, a buffer need not be
            digest.update(self._dump(f"{step.index}-{number}", run.address, part))
            left -= part
        length -= left
        return {"ok": True, "result": {"sha256": digest.hexdigest(), "length": length}}

    def _place_of(self, step: Step) -> BufferSnapshot:
        """Where the buffer is now, or where it was when a place was remembered."""
        if "place" in step.args:
            return self._remembered[step.args["place"]]
        answer = self._where(step.args["buffer"])
        if answer is None or not answer.ok:
            why = "nobody has it any more" if answer is None else answer.errno
            raise AgentRefused(f"nobody tells where '{step.args['buffer']}' is", why=why)
        return BufferSnapshot.from_result(answer.result)

    def _dump(self, name: str, address: int, length: int) -> bytes:
        file = self._machine.directory / f"ram-{name}.bin"
        try:
            self._machine.qmp.command("pmemsave", val=address, size=length, filename=str(file))
            return file.read_bytes()
        finally:
            file.unlink(missing_ok=True)

    def _screendump(self, step: Step) -> dict[str, Any]:
        return {"ok": True, "result": self._watch.screendump(step.args["device"], step.index)}

    def _modprobe(self, step: Step) -> dict[str, Any]:
        """One of the kernel's own modules, with what it needs."""
        argv = ["modprobe", step.args["module"], *step.args.get("options", ())]
        answer = self._ask("run", {"argv": argv, "timeout-ms": int(WAIT_S * 1000)})
        if answer.ok and answer.result.get("status") != 0:
            return {"ok": False, "errno": "ENOENT", "call": f"modprobe {step.args['module']}"}
        return answer.as_dict()

    def _take_back_faults(self) -> None:
        """No hold or fault outlives the scenario; a dead machine has none."""
        used = {step.args["device"] for step in self._scenario.steps if step.verb in ("hold", "inject")}
        if self._switch and self._switch.inject:
            used.update(self._scenario.devices)
        try:
            for device in used - self._slots.away:
                if device in self._engines:
                    self._machine.qmp.set(self._machine.engine(device), "hold", False)
                self._set_fault(device, "none")
        except QmpError:
            return

    def _evidence(self) -> dict[str, Mapping[str, Any] | None]:
        return {device.name: self._evidence_of(device.name) for device in self._machine.layout.devices}

    def _iommus(self) -> dict[str, Mapping[str, Any] | None]:
        return {iommu.name: self._iommu_of(iommu.name) for iommu in self._machine.layout.iommus}

    def _iommu_of(self, name: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._machine.qmp.get(self._machine.peripheral(name), "evidence")
        except QmpError as error:
            if not any(event.kind is EventKind.QEMU_DIED for event in self._events):
                self._events.append(Event(EventKind.EVIDENCE, str(error), device=name))
            return None
        return found

    def _evidence_of(self, device: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._slots.evidence(device)
        except QmpError as error:
            if not any(event.kind is EventKind.QEMU_DIED for event in self._events):
                self._events.append(Event(EventKind.EVIDENCE, str(error), device=device))
            return None
        return found


def _refused(step: Step, answer: Mapping[str, Any] | None) -> bool:
    """A call that should have worked did not: what comes after it would only wait in vain."""
    return answer is not None and not answer["ok"] and step.expect.errno is None


def _has_settled(step: Step, answer: Answer) -> bool:
    """Does the kernel count what is expected? What a job's end or a last put leaves to do has its time."""
    wanted = step.expect.counts or {}
    return not answer.ok or all(answer.result.get(name) == number for name, number in wanted.items())


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
    "bind": Execution._bind,
    "unbind": Execution._bind,
    "unplug": Execution._unplug,
    "plug": Execution._plug,
    "guest-test": Execution._guest_test,
    "hold": Execution._hold,
    "release": Execution._release,
    "inject": Execution._inject,
    "ignore-zap": Execution._ignore_zap,
    "ram-digest": Execution._ram_digest,
    "screendump": Execution._screendump,
    "modprobe": Execution._modprobe,
}
