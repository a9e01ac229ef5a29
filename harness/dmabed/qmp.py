# SPDX-License-Identifier: GPL-2.0-or-later
"""QMP: qemu.qmp's client behind a small synchronous facade.

The asynchronous client lives on one loop thread that all machines share;
callers see plain methods, each with a timeout. Every command and event is
written to a log, so that a run's QMP traffic can be read afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any, TypeVar

from qemu.qmp import ConnectError, EventListener, ExecuteError, QMPClient, QMPError
from qemu.qmp.protocol import StateError

from dmabed.deadline import Deadline
from dmabed.errors import FileError, QmpError
from dmabed.files import Log

T = TypeVar("T")

COMMAND_SECONDS = 20.0


class _LoopThread:
    """The one event loop of all QMP clients, on a daemon thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Run ``work`` on the loop; TimeoutError after ``seconds``."""
        future = asyncio.run_coroutine_threadsafe(work, self._start())
        try:
            return future.result(seconds)
        except FutureTimeout:
            future.cancel()
            raise

    def _start(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="qmp", daemon=True).start()
            return self._loop


_LOOP = _LoopThread()


class Qmp:
    """One QMP connection over a connected socket."""

    def __init__(self, connection: socket.socket, log: Path) -> None:
        """Take the greeting and leave the negotiation mode.

        Raises QmpError when nobody greets within the timeout, FileError when the log can't be made.
        """
        self._log = Log(log)
        self._log_lock = threading.Lock()
        self._client = QMPClient("dmabed")
        self._events = EventListener()
        self._client.register_listener(self._events)
        connection.setblocking(False)  # as asyncio wants its sockets
        try:
            _LOOP.run(self._client.connect(connection), Deadline(COMMAND_SECONDS).left())
        except (ConnectError, QMPError, OSError, FutureTimeout) as error:
            self._log.close()
            raise QmpError("QEMU does not answer on QMP", why=str(error)) from error

    def command(self, name: str, **arguments: Any) -> Any:
        """Run a command; its return value. Raises QmpError, or FileError when it can't be logged."""
        self._write(">", {"execute": name, "arguments": arguments})
        try:
            result = _LOOP.run(self._client.execute(name, arguments), Deadline(COMMAND_SECONDS).left())
        except ExecuteError as error:
            self._write("<", {"error": str(error)})
            raise QmpError(f"QEMU refused the QMP command {name}", why=str(error)) from error
        except FutureTimeout as error:
            raise QmpError(f"QEMU gave no answer to the QMP command {name}") from error
        except (QMPError, StateError, OSError, asyncio.CancelledError) as error:
            raise QmpError(f"the QMP connection was lost during {name}", why=str(error)) from error
        self._write("<", {"return": result})
        return result

    def get(self, path: str, prop: str) -> Any:
        """Read a QOM property."""
        return self.command("qom-get", path=path, property=prop)

    def set(self, path: str, prop: str, value: Any) -> None:
        """Write a QOM property."""
        self.command("qom-set", path=path, property=prop, value=value)

    def monitor(self, line: str) -> str:
        """Run a line of the human monitor, for what QMP lacks."""
        return str(self.command("human-monitor-command", **{"command-line": line}))

    def events(self) -> list[dict[str, Any]]:
        """The events since the last call, oldest first."""
        found = [dict(event) for event in self._events.clear()]
        for event in found:
            self._write("!", event)
        return found

    @contextlib.contextmanager
    def watching(self, name: str, **data: Any) -> Iterator[Callable[[float], bool]]:
        """Look out for an event from now on. The value waits for the first one with these data, so many
        seconds, and says whether it came."""
        listener = EventListener(name, lambda event: _has(event["data"], data))
        self._client.register_listener(listener)
        try:
            yield lambda seconds: _comes(listener, seconds)
        finally:
            self._client.remove_listener(listener)

    def close(self) -> None:
        """Disconnect; never raises."""
        # an error here says that the peer is gone already, which is what was wanted
        with contextlib.suppress(
            QMPError, StateError, OSError, EOFError, FutureTimeout, asyncio.CancelledError
        ):
            _LOOP.run(self._client.disconnect(), Deadline(COMMAND_SECONDS).left())
        with contextlib.suppress(FileError):
            self.events()
        with self._log_lock:
            self._log.close()

    def _write(self, mark: str, message: Any) -> None:
        with self._log_lock:
            self._log.write(f"{time.monotonic():.6f} {mark} {json.dumps(message, default=str)}")


def _has(found: Any, wanted: Mapping[str, Any]) -> bool:
    return wanted.items() <= dict(found).items()


def _comes(listener: EventListener, seconds: float) -> bool:
    try:
        _LOOP.run(listener.get(), seconds)
    except FutureTimeout:
        return False
    return True
