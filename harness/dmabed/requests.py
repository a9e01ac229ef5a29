# SPDX-License-Identifier: GPL-2.0-or-later
"""From a step to the agent's request: pure (docs/specs/agent-protocol.md)."""

from __future__ import annotations

from typing import Any

from dmabed.steps import Operation, Step

# keys of a step whose request has another name for them
_NAMES = {"size": "length"}
# numbers that may pass 2**53 travel as hexadecimal strings
_WIDE = ("size", "offset", "address", "seed")
# verbs that are one request with the same arguments
PLAIN_VERBS = (
    "export",
    "heap",
    "attach",
    "detach",
    "map",
    "unmap",
    "cpu-write",
    "cpu-digest",
    "buffer",
    "close",
)


def plain(step: Step) -> dict[str, Any]:
    """The arguments of a step that is one request."""
    request = {_NAMES.get(key, key): _value(key, value) for key, value in step.args.items()}
    if step.thread:
        request["thread"] = step.thread
    return request


def _value(key: str, value: Any) -> Any:
    if key in _WIDE:
        return hex(value)
    return list(value) if isinstance(value, tuple) else value


def submit(operation: Operation) -> dict[str, Any]:
    """The arguments of ``submit``."""
    request = {
        "device": operation.device,
        "operation": operation.operation,
        "src": operation.source,
        "dst": operation.target,
        "seed": hex(operation.seed),
        "length": hex(operation.length),
    }
    if operation.source is not None:
        request["src-offset"] = hex(operation.offset)
    if operation.target is not None:
        request["dst-offset"] = hex(operation.offset)
    return {key: value for key, value in request.items() if value is not None}


def wait(device: str, job: int, seconds: float) -> dict[str, Any]:
    """The arguments of ``wait``; the agent's clock gets the whole time."""
    return {"device": device, "job": job, "timeout-ms": int(seconds * 1000)}
