# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of the agent's processes has which buffer, and how it gets there when another one uses it first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from dmabed.agent import Answer
from dmabed.errors import AgentRefused
from dmabed.steps import Step

# verbs that make a buffer, or use an attachment that is there
_BY_ATTACHMENT = (
    *("export", "heap", "from-handle", "map", "unmap", "detach"),
    *("sync-for-cpu", "sync-for-device"),
)

# None is the agent itself
Process = str | None


class Ask(Protocol):
    """How the agent is asked."""

    def __call__(self, op: str, arguments: Mapping[str, Any]) -> Answer: ...


class Holders:
    """The processes that have an fd of each buffer."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._held: dict[str, set[Process]] = {}

    def of(self, buffer: str) -> dict[str, str] | None:
        """Where to ask for a buffer, as a part of a request; None when nobody has it."""
        held = self._held.get(buffer)
        if not held:
            return None
        process = None if None in held else min(name for name in held if name)
        return {"process": process} if process else {}

    def bring(self, step: Step) -> None:
        """Pass the buffers of a step to its process, as far as it has them not."""
        for buffer in _buffers_of(step):
            if buffer in self._held and step.process not in self._held[buffer]:
                self._pass(buffer, step.process)

    def note(self, step: Step) -> None:
        """A step succeeded: buffers came and went."""
        args = step.args
        if step.verb in ("export", "heap", "from-handle"):
            self._held[args["buffer"]] = {step.process}
        elif step.verb in ("dup", "call") and "to" in args:
            self._held[args["to"]] = {step.process}
        elif step.verb == "close":
            self._held[args["buffer"]].discard(step.process)
        elif step.verb == "exit-process":
            for held in self._held.values():
                held.discard(args["name"])

    def _pass(self, buffer: str, to: Process) -> None:
        """Between two processes it goes by the agent, which does not keep it."""
        here = None in self._held[buffer]
        if not here:
            self._request(buffer, "from", min(name for name in self._held[buffer] if name))
        if to is not None:
            self._request(buffer, "to", to)
        if to is not None and not here:
            self._ask("close", {"buffer": buffer})
        self._held[buffer].add(to)

    def _request(self, buffer: str, way: str, process: str) -> None:
        answer = self._ask("pass", {"buffer": buffer, way: process})
        if not answer.ok:
            raise AgentRefused(f"the buffer '{buffer}' can't be passed {way} '{process}'", why=answer.errno)


def _buffers_of(step: Step) -> Iterator[str]:
    """The buffers whose fd a step uses; what goes by an attachment needs none."""
    if step.operation is None and step.verb not in _BY_ATTACHMENT and "buffer" in step.args:
        yield step.args["buffer"]
