# SPDX-License-Identifier: GPL-2.0-or-later
"""From a step to the agent's request: pure (docs/specs/agent-protocol.md)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dmabed.generation import CURRENT, KEY, module_of
from dmabed.media_story import NEW_BUFFERS
from dmabed.steps import Operation, Step

# keys of a step whose request has another name for them
_NAMES = {"size": "length"}
# numbers that may pass 2**53 travel as hexadecimal strings
_WIDE = ("size", "offset", "address", "seed")
# verbs that are one request with the same arguments
PLAIN_VERBS = (
    *("export", "heap", "buffer", "close", "close-device", "close-exporter", "dup"),
    *("attach", "detach", "map", "unmap", "migrate", "pin", "unpin"),
    *("cpu-write", "cpu-digest", "mmap", "munmap", "sync", "seek", "fdinfo", "set-name"),
    *("poll", "export-sync-file", "import-sync-file", "merge-fences", "wait-fence", "close-fence"),
    *("exit-process", "unload", "load", "pressure", "parameter", "udmabuf"),
    *("sync-for-cpu", "sync-for-device", "stats", "handle-info", "close-handle", "from-handle"),
    *("to-handle", "handle-export", "call"),
    *("video-open", "video-close", "video-format", "video-control", "video-buffers", "video-export"),
    *("video-queue", "video-dequeue", "video-stream"),
    *("drm-open", "drm-close", "drm-buffer", "drm-show", "drm-crc"),
)
# verbs that make a handle
NEW_HANDLES = ("to-handle", "handle-export")
# what a submit may have beside its operation
JOB_EXTRAS = ("in-fence", "out-fence", "usage")
# verbs whose request has another name
_OPS = {"sync": "cpu-sync", "close-exporter": "close-device", "parameter": "write"}
# requests that go to an exporter, or to a device in the way of a generation
_OF_A_GENERATION = (
    *("export", "buffer", "migrate", "attach", "close-exporter", "stats", "call"),
    *("cpu-write", "cpu-digest", "mmap"),
    *("to-handle", "from-handle", "close-handle", "handle-export", "handle-info"),
)


def op(step: Step) -> str:
    """The name of a step's request."""
    return _OPS.get(step.verb, step.verb)


def plain(step: Step, handles: Mapping[str, int] = MappingProxyType({})) -> dict[str, Any]:
    """The arguments of a step that is one request. ``handles`` has the numbers behind their names."""
    request = {_NAMES.get(key, key): _value(key, value) for key, value in step.args.items()}
    if step.verb in NEW_BUFFERS:
        request.pop("length")  # known here, and not the caller's choice
    if "timeout" in request:
        request["timeout-ms"] = int(request.pop("timeout") * 1000)
    if step.verb == "parameter":
        return _parameter(step)
    if "limits" in request:
        request |= _limits(request.pop("limits"))
    if "module" in request:
        request |= _module(step)
    if "handle" in request:
        request |= _handle(step, handles)
    return request | of_generation(step.verb, step.generation) | place(step)


def of_generation(verb: str, generation: str) -> dict[str, str]:
    """What a request says of the generation; nothing is the current one."""
    return {KEY: generation} if verb in _OF_A_GENERATION and generation != CURRENT else {}


def _limits(limits: Mapping[str, int]) -> dict[str, Any]:
    """A buffer's own: the agent is told the highest address, not the first one behind it."""
    numbers = {"highest" if key == "below" else key: value for key, value in limits.items()}
    if "highest" in numbers:
        numbers["highest"] -= 1
    return {key: value if key == "max-segments" else hex(value) for key, value in numbers.items()}


def _handle(step: Step, handles: Mapping[str, int]) -> dict[str, int | None]:
    """A handle is a number; that of a new one comes with the answer, and None is left out."""
    name = step.args["handle"]
    return {"handle": None if step.verb in NEW_HANDLES else handles.get(name, name)}


def place(step: Step) -> dict[str, str]:
    """In which process and thread it is done; nothing: the agent's main thread."""
    names = {"process": step.process, "thread": step.thread}
    return {key: name for key, name in names.items() if name}


def _module(step: Step) -> dict[str, str | None]:
    """Our modules are files in /lib/modules; the kernel writes their names with an underscore."""
    name = module_of(step.args["module"], step.generation)
    if step.verb == "load":
        return {"module": None, "path": f"/lib/modules/dmabed-{name}.ko"}
    return {"module": f"dmabed_{name.replace('-', '_')}"}


def _parameter(step: Step) -> dict[str, Any]:
    """A parameter of a module of ours, through sysfs."""
    module = module_of(step.args["module"], step.generation)
    return {"path": parameter_path(module, step.args["name"]), "text": str(step.args["value"]), **place(step)}


def parameter_path(module: str, name: str) -> str:
    """Where the guest has a parameter of one of our modules."""
    return f"/sys/module/dmabed_{module.replace('-', '_')}/parameters/{name}"


def bind(step: Step, driver: str, name: str) -> dict[str, Any]:
    """``bind`` and ``unbind`` of sysfs."""
    return {"path": f"{driver}/{step.verb}", "text": name, **place(step)}


def _value(key: str, value: Any) -> Any:
    if key in _WIDE:
        return hex(value)
    return list(value) if isinstance(value, tuple) else value


def submit(step: Step) -> dict[str, Any]:
    """The arguments of ``submit``, for a step that is a job."""
    operation = step.operation
    assert operation is not None, "the verbs of jobs have one"
    extras = {key: step.args[key] for key in JOB_EXTRAS if key in step.args}
    return _submit(operation) | extras | place(step)


def _submit(operation: Operation) -> dict[str, Any]:
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
