# SPDX-License-Identifier: GPL-2.0-or-later
"""One guest: QEMU's process, its QMP and its agent, from start to end.

``Machine`` is a context manager that owns them all. It comes up in one of two
ways, ``boot`` (from the kernel) or ``restore`` (from a snapshot), and is the
same afterwards. However it ends, the process is gone and the logs are kept.
"""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from dmabed import commandline
from dmabed.agent import PROTOCOL, Agent, Answer, take
from dmabed.build import Artifacts
from dmabed.commandline import Channels, Image, Memory
from dmabed.deadline import Deadline
from dmabed.errors import AgentError, GuestPanicked, LaunchError, MachineDied, QmpError, TestbedError
from dmabed.files import named
from dmabed.layout import Layout
from dmabed.process import Child, describe_status, tail
from dmabed.qmp import Qmp

BOOT_SECONDS = 60.0
SSH_SECONDS = 30.0
# how long the end of QEMU may lag behind the end of its sockets
EXIT_SECONDS = 5.0

_PANIC = re.compile(r"^.*(Kernel panic - not syncing.*|Internal error: .*|Unable to handle kernel .*)$", re.M)


@dataclass(frozen=True)
class Hello:
    """The agent's first answer: what the guest is."""

    kernel: str
    devices: tuple[str, ...]


class Machine:
    """A running guest."""

    def __init__(
        self,
        artifacts: Artifacts,
        layout: Layout,
        image: Image,
        directory: Path,
        memory: Memory,
        *,
        incoming: bool = False,
    ) -> None:
        """Start QEMU and reach it over QMP. ``directory`` takes the logs; it
        is made, and closed to others. Raises LaunchError, FileError."""
        with named(directory):
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o700)
        self.layout = layout
        self.directory = directory
        self.started = time.monotonic()
        self.ready_seconds = 0.0
        self.restored = incoming
        self.hello = Hello("", ())
        self._agent: Agent | None = None
        self._qmp: Qmp | None = None
        self._child: Child | None = None
        self._sockets: tuple[socket.socket, ...] = ()
        with self.closed_on_error():
            self._launch(artifacts, image, memory, incoming)

    # ---- coming up ----

    @classmethod
    def boot(
        cls, artifacts: Artifacts, layout: Layout, image: Image, directory: Path, memory: Memory
    ) -> Machine:
        """Boot to readiness: the agent answers. Raises LaunchError."""
        machine = cls(artifacts, layout, image, directory, memory)
        with machine.closed_on_error():
            machine.greet()
        return machine

    @contextlib.contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """On any error leave nothing behind."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _launch(self, artifacts: Artifacts, image: Image, memory: Memory, incoming: bool) -> None:
        qmp, qmp_theirs = socket.socketpair()
        agent, agent_theirs = socket.socketpair()
        self._sockets = (qmp, agent)
        fds = (qmp_theirs.fileno(), agent_theirs.fileno())
        channels = Channels(*fds, console=self.console_log, log=self.directory / "qemu.log")
        command = commandline.qemu_command(
            artifacts.qemu, artifacts.qemu_data, self.layout, image, channels, memory, incoming=incoming
        )
        with qmp_theirs, agent_theirs:
            self._child = Child(command, output=self.directory / "qemu.out", pass_fds=fds)
        self._agent = Agent(agent, self.directory / "agent.log")
        try:
            self._qmp = Qmp(qmp, self.directory / "qmp.log")
        except QmpError as error:
            raise self._launch_error("QEMU did not start", command) from error

    def greet(self) -> None:
        """Wait until the agent answers. Raises LaunchError."""
        deadline = Deadline(BOOT_SECONDS)
        try:
            answer = take(self.agent.ask("hello"), "hello", deadline)
        except AgentError as error:
            raise self._launch_error("the guest did not become ready", why=str(error)) from error
        if answer.result.get("protocol") != PROTOCOL:
            raise LaunchError(f"the agent speaks protocol {answer.result.get('protocol')}, not {PROTOCOL}")
        self.hello = Hello(str(answer.result.get("kernel")), tuple(answer.result.get("devices", ())))
        self.ready_seconds = time.monotonic() - self.started

    def _launch_error(self, what: str, command: list[str] | None = None, why: str = "") -> LaunchError:
        """A LaunchError with all that is known: exit status, command, outputs."""
        status = self._wait_for_exit()
        parts = [why] if why else []
        if status is not None:
            parts.append(f"QEMU ended with {describe_status(status)}")
        if command:
            parts.append("command: " + " ".join(command))
        if said := self.child.said():
            parts.append("QEMU said:\n" + said)
        if console := self.console_tail():
            parts.append("the console's end:\n" + console)
        hint = f"logs are in {self.directory}"
        if panic := self.panic():
            return GuestPanicked(
                f"the guest kernel died while booting: {panic}", why="\n".join(parts), hint=hint
            )
        return LaunchError(what, why="\n".join(parts), hint=hint)

    # ---- in use ----

    @property
    def console_log(self) -> Path:
        return self.directory / "console.log"

    @property
    def qmp(self) -> Qmp:
        assert self._qmp is not None, "QMP is up from the constructor on"
        return self._qmp

    @property
    def agent(self) -> Agent:
        assert self._agent is not None, "the agent's stream is there from the constructor on"
        return self._agent

    @property
    def child(self) -> Child:
        assert self._child is not None, "the process is there from the constructor on"
        return self._child

    def call(self, op: str, seconds: float = 10.0, **arguments: Any) -> Answer:
        """Ask the agent; MachineDied when QEMU or the guest is gone."""
        try:
            return self.agent.call(op, seconds, **arguments)
        except AgentError as error:
            self.raise_if_dead(error)
            raise

    def engine(self, device: str) -> str:
        """The QOM path of an engine."""
        return self.peripheral(device)

    def peripheral(self, name: str) -> str:
        """The QOM path of what ``-device`` made with this id."""
        return f"/machine/peripheral/{name}"

    def missing_devices(self) -> list[str]:
        """Blocks of the layout that no driver of the guest took."""
        return [d.name for d in self.layout.blocks if d.name not in self.hello.devices]

    def ssh_port(self) -> int:
        """The loopback port that leads to the guest's SSH. Raises QmpError."""
        table = self.qmp.monitor("info usernet")
        match = re.search(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s", table)
        if not match:
            raise QmpError("QEMU forwards no SSH port", why=table)
        return int(match[1])

    def wait_for_ssh(self) -> float:
        """Wait for the SSH server's banner; seconds since QEMU's start."""
        deadline = Deadline(SSH_SECONDS)
        port = self.ssh_port()
        while not _banner(port, deadline):
            self.raise_if_dead()
            if deadline.passed():
                raise LaunchError("the guest's SSH server does not answer", why=self.console_tail())
            time.sleep(0.01)
        return time.monotonic() - self.started

    def ssh_port_when_ready(self) -> int:
        """The port, once an SSH server answers there."""
        self.wait_for_ssh()
        return self.ssh_port()

    def console_tail(self, limit: int = 4096) -> str:
        return tail(self.console_log, limit)

    # ---- the end ----

    def panic(self) -> str:
        """The kernel's first words of a panic or oops, '' when there was none."""
        match = _PANIC.search(tail(self.console_log, 1 << 20))
        return match[1].strip() if match else ""

    def raise_if_dead(self, cause: TestbedError | None = None) -> None:
        """MachineDied when QEMU has ended, telling how; otherwise nothing."""
        status = self._wait_for_exit() if cause else self.child.status()
        if status is None:
            return
        panic = self.panic()
        what = f"the guest kernel died: {panic}" if panic else f"QEMU ended with {describe_status(status)}"
        died = MachineDied(what, why=self.child.said() + self.console_tail(2048))
        raise died from cause

    def _wait_for_exit(self) -> int | None:
        """QEMU's status if it is ending, None if it is alive: closed sockets come before the exit."""
        if self._child is None:
            return None
        alive = self._qmp is not None and self._answers()
        return self._child.wait(0 if alive else Deadline(EXIT_SECONDS).left())

    def _answers(self) -> bool:
        try:
            self.qmp.command("query-status")
        except QmpError:
            return False
        return True

    def close(self) -> None:
        """End QEMU and everything that talks to it. Safe to call twice."""
        if self._child is not None:
            self._child.kill()
        if self._agent is not None:
            self._agent.close()
        if self._qmp is not None:
            self._qmp.close()
            self._qmp = None
        for ours in self._sockets:
            ours.close()

    def __enter__(self) -> Machine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _banner(port: int, deadline: Deadline) -> bool:
    """Does an SSH server greet? User-mode networking accepts before the guest does."""
    try:
        with socket.create_connection(
            ("127.0.0.1", port), timeout=deadline.at_most(2.0) or 0.1
        ) as connection:
            return connection.recv(64).startswith(b"SSH-2.0")
    except OSError:
        return False
