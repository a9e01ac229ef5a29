# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs planned scenarios, some at a time, each in a guest of its own.

However a run ends, no guest is left and what was found up to then is kept.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from dmabed import bouncepool, process, selfcheck, tamper
from dmabed.agent import Agent
from dmabed.errors import FileError, GuestPanicked, NotProbed, TestbedError
from dmabed.execute import Execution
from dmabed.files import named
from dmabed.findings import Status, Verdict
from dmabed.machine import Machine
from dmabed.plan import Planned
from dmabed.ssh import Ssh
from dmabed.testbed import Testbed
from dmabed.transcript import Event, EventKind, Transcript
from dmabed.verdict import judge

POLL_SECONDS = 0.2

log = logging.getLogger(__name__)


class Transport(Enum):
    """How the agent is reached."""

    SERIAL = "serial"
    SSH = "ssh"


@dataclass(frozen=True)
class Done:
    """How one planned scenario ended."""

    planned: Planned
    verdict: Verdict
    seconds: float
    transcript: Transcript | None = None  # None: it never came to the first step


# What somebody wants of each guest whose scenario came to its end.
AtEnd = Callable[[Agent], None]


class Runner:
    """Runs plans on one testbed; logs go to ``folder/<scenario>.<layout>``."""

    def __init__(
        self,
        testbed: Testbed,
        folder: Path,
        transport: Transport = Transport.SERIAL,
        at_end: AtEnd = lambda _agent: None,
    ) -> None:
        self._testbed = testbed
        self._folder = folder
        self._transport = transport
        self._at_end = at_end
        self._stop = threading.Event()

    def run(self, plan: Sequence[Planned], jobs: int, report: Callable[[Done], None]) -> None:
        """Run them all; ``report`` is called in this thread as each one ends.

        KeyboardInterrupt ends the guests, reports what was under way as
        interrupted, and is raised again; what had not begun is not reported.
        """
        pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="scenario")
        left = {pool.submit(self.one, planned) for planned in plan}
        try:
            while left:
                _report_finished(left, report)
        except BaseException:
            try:
                left = {future for future in left if not future.cancel()}
            finally:  # the guests die, and each worker comes back with what it has
                self.stop()
            while left:
                with contextlib.suppress(FileError):  # the first one is told
                    _report_finished(left, report)
            raise
        finally:
            pool.shutdown()

    def stop(self) -> None:
        """End all guests; what is under way ends as interrupted, and nothing begins any more."""
        self._stop.set()
        process.kill_all()

    # ---- one scenario ----

    def one(self, planned: Planned) -> Done:
        """Run one scenario; a testbed that breaks is a verdict too, never an exception."""
        started = time.monotonic()
        transcript = None
        if planned.skip:
            verdict = Verdict(Status.SKIPPED, planned.skip)
        elif self._stop.is_set():
            verdict = Verdict(Status.SKIPPED, "the run was interrupted before it began")
        else:
            try:
                verdict, transcript = self._in_guest(planned)
            except FileError as error:
                verdict = Verdict(Status.ERROR, str(error))
            except Exception as error:  # a bug of ours must not take the other scenarios along
                log.exception("%s", planned.folder)
                verdict = Verdict(Status.ERROR, f"a bug of dmabed: {error!r}")
        return Done(planned, verdict, time.monotonic() - started, transcript)

    def _in_guest(self, planned: Planned) -> tuple[Verdict, Transcript | None]:
        directory = self._folder / planned.folder
        try:
            with (
                self._testbed.start(planned.layout, directory) as machine,
                self._connected(machine) as agent,
            ):
                transcript = Execution(machine, agent, planned.scenario, self._stop, planned.switch).run()
                found, remarks = self._after(machine, agent, transcript)
        except (GuestPanicked, NotProbed) as error:
            return Verdict(Status.FAILED, "; ".join(filter(None, (error.what, error.hint)))), None
        except TestbedError as error:
            if self._stop.is_set():
                return Verdict(Status.SKIPPED, "the run was interrupted"), None
            return Verdict(Status.ERROR, str(error)), None
        if found and self._stop.is_set():  # the guest was taken away while it was scanned
            found = [Event(EventKind.INTERRUPTED, "the run was interrupted")]
        transcript = _with_console(transcript, found, remarks, selfcheck.console_of(directory))
        if planned.switch:
            transcript = tamper.apply(planned.switch.tamper, transcript)
        verdict = judge(planned.scenario, planned.layout, transcript)
        _keep(directory, transcript, verdict)
        return verdict, transcript

    def _after(self, machine: Machine, agent: Agent, transcript: Transcript) -> tuple[list[Event], list[str]]:
        """What the guest says of itself once the steps are done, and remarks; it may die of them only now."""
        found: list[Event] = []
        remarks: list[str] = []
        if not transcript.events:
            try:
                found, remarks = selfcheck.of_memory(agent)
                self._at_end(agent)
            except TestbedError as error:
                found = [Event(EventKind.AGENT_SILENT, str(error))]
        known = any(event.kind is EventKind.GUEST_PANIC for event in transcript.events)
        if not known and (panic := machine.panic()):
            found.insert(0, Event(EventKind.GUEST_PANIC, panic))
        return found, remarks

    @contextlib.contextmanager
    def _connected(self, machine: Machine) -> Iterator[Agent]:
        """The agent over the chosen transport."""
        if self._transport is Transport.SERIAL:
            yield machine.agent
            return
        with Ssh(machine.ssh_port_when_ready(), self._testbed.artifacts) as ssh:
            agent = Agent(ssh.agent_stream(), machine.directory / "agent-ssh.log")
            try:
                yield agent
            finally:
                agent.close()


def _with_console(
    transcript: Transcript, found: Sequence[Event], remarks: Sequence[str], console: str
) -> Transcript:
    """The transcript with what was found after the steps, and with what the kernel said."""
    complaints, more = selfcheck.of_console(console)
    return dataclasses.replace(
        transcript,
        events=(*transcript.events, *found, *complaints),
        remarks=(*transcript.remarks, *remarks, *more),
        bounce_pools=bouncepool.of_console(console),
    )


def _report_finished(left: set[Future[Done]], report: Callable[[Done], None]) -> None:
    """Take what has ended out of ``left`` and report it. Wakes up often enough for Ctrl-C."""
    done, _ = wait(left, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
    for future in done:
        left.discard(future)  # first: an interrupt while it is reported must not report it again
        report(future.result())


def _keep(directory: Path, transcript: Transcript, verdict: Verdict) -> None:
    """Evidence, transcript and verdict as files beside the logs."""
    _write(directory / "evidence.json", {**transcript.evidence, **transcript.iommus})
    _write(directory / "transcript.json", transcript.as_json())
    _write(directory / "verdict.json", verdict.as_json())


def _write(path: Path, value: Any) -> None:
    with named(path):
        path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
