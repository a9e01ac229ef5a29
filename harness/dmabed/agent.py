# SPDX-License-Identifier: GPL-2.0-or-later
"""The harness's end of the agent protocol (docs/specs/agent-protocol.md).

One reader thread gives each answer to whoever asked; requests may be in flight
together. The stream is a virtio-serial port's socket or an SSH channel: both
have ``sendall`` and ``recv``.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dmabed.deadline import Deadline
from dmabed.errors import AgentError, AgentRefused, FileError, TestbedError
from dmabed.files import Log

PROTOCOL = 1
LINE_LIMIT = 1 << 20
# "a connection begins here": what another host sent before a snapshot is forgotten
BEGIN = b"\x18"


class Stream(Protocol):
    """What the agent client needs of a socket or an SSH channel."""

    def sendall(self, data: bytes, /) -> Any: ...
    def recv(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Answer:
    """What the guest's kernel said: ``result``, or the ``errno`` of ``call``."""

    ok: bool
    result: dict[str, Any]
    errno: str = ""
    call: str = ""
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        if self.ok:
            return {"ok": True, "result": self.result}
        return {"ok": False, "errno": self.errno, "call": self.call, "why": self.why}


class Agent:
    """A connection to the agent."""

    def __init__(self, stream: Stream, log: Path) -> None:
        """Raises FileError when the log can't be made."""
        self._stream = stream
        self._log = Log(log)
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._end: str = ""  # why there will be no more answers
        with contextlib.suppress(OSError):  # the reader tells of a stream that is broken
            stream.sendall(BEGIN)
        threading.Thread(target=self._read, name="agent", daemon=True).start()

    def ask(self, op: str, **arguments: Any) -> Future[dict[str, Any]]:
        """Send a request; the future holds the raw answer or an AgentError.

        Keyword names take ``_`` for the protocol's ``-``; None is left out.
        """
        number = next(self._ids)
        request = {"id": number, "op": op}
        request.update({k.replace("_", "-"): v for k, v in arguments.items() if v is not None})
        future: Future[dict[str, Any]] = Future()
        line = json.dumps(request)
        with self._lock:
            if self._end:
                raise AgentError(f"the agent can't be asked for {op}", why=self._end)
            self._note(">", line)
            self._waiting[number] = future
            try:
                self._stream.sendall(line.encode() + b"\n")
            except OSError as error:
                del self._waiting[number]
                raise AgentError(f"the agent can't be asked for {op}", why=str(error)) from error
        return future

    def call(self, op: str, seconds: float = 10.0, **arguments: Any) -> Answer:
        """Ask and wait. Raises AgentError when no (sensible) answer comes, FileError without a log."""
        return take(self.ask(op, **arguments), op, Deadline(seconds))

    def close(self) -> None:
        """End the connection; open requests fail with AgentError."""
        self._finish("the connection was closed")
        with contextlib.suppress(OSError):
            self._stream.close()

    def _read(self) -> None:
        pending = b""
        try:
            while data := self._stream.recv(65536):
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    self._answered(line)
                if len(pending) > LINE_LIMIT:
                    raise ValueError(f"a line of more than {LINE_LIMIT} bytes")
        except (OSError, ValueError) as error:
            self._finish(f"the agent's stream broke: {error}")
        except FileError as error:  # the log's: whoever waits is told of that, not of a guest that is silent
            self._finish(str(error), error)
        else:
            self._finish("the agent's stream ended")

    def _answered(self, line: bytes) -> None:
        if not line.strip():
            return
        text = line.decode("utf-8", "replace")
        with self._lock:
            self._note("<", text)
        message = json.loads(text)
        if not isinstance(message, dict) or not isinstance(message.get("id"), int):
            raise ValueError(f"no JSON object with an id: {text[:200]}")
        with self._lock:
            future = self._waiting.pop(message["id"], None)
        if future is None:
            raise ValueError(f"an answer that nobody asked for: {text[:200]}")
        future.set_result(message)

    def _finish(self, why: str, error: TestbedError | None = None) -> None:
        """No more answers; never raises."""
        with self._lock:
            self._end = self._end or why
            left, self._waiting = self._waiting, {}
            with contextlib.suppress(FileError):
                self._note("!", self._end)
            self._log.close()
        for future in left.values():
            future.set_exception(error or AgentError("the agent went silent", why=self._end))

    def _note(self, mark: str, line: str) -> None:
        self._log.write(f"{time.monotonic():.6f} {mark} {line}")


def take(future: Future[dict[str, Any]], op: str, deadline: Deadline) -> Answer:
    """The answer to ``op``, checked for its form. Raises AgentError."""
    try:
        message = future.result(deadline.left())
    except FutureTimeout as error:
        raise AgentError(f"the agent gave no answer to {op} within {deadline.seconds:g} s") from error
    if message.get("protocol"):
        raise AgentRefused(f"the agent can't take {op}", why=str(message["protocol"]))
    result = message.get("result", {})
    if message.get("ok") is True and isinstance(result, dict):
        return Answer(True, result)
    if message.get("ok") is False and message.get("errno"):
        return Answer(
            False, {}, str(message["errno"]), str(message.get("call", "")), str(message.get("why", ""))
        )
    raise AgentError(f"the agent's answer to {op} is neither a result nor an errno", why=json.dumps(message))
