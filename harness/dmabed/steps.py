# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps of a scenario as values: verbs, arguments, and what is expected of them.

The schema has checked names and types; here sizes become bytes, defaults are
filled in, and expectations that mean nothing for their verb are refused.
What depends on the steps before (a buffer's size, say) is ``storyline``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dmabed import pictures, units
from dmabed.generation import CURRENT, KEY
from dmabed.picture import Picture
from dmabed.yamlfile import Document

WAIT_S = 10.0
GUEST_TEST_S = 120.0

OPERATIONS = ("fill", "digest", "copy", "compare")
DIGESTS = ("digest", "cpu-digest", "ram-digest")
FRAMES = ("video-dequeue", "drm-show")  # a media block has done a picture
HOST_VERBS = (
    *("hold", "release", "inject", "ignore-zap", "unplug", "plug", "ram-digest"),
    *("screendump", "join", "blocked"),
)
# A step with `thread` is one request that the agent answers when it is done. Jobs
# are not: their order on the device, by which evidence is found, would be open.
THREAD_VERBS = (
    "attach",
    "detach",
    "map",
    "unmap",
    "cpu-write",
    "cpu-digest",
    "buffer",
    "close",
    "sync",
    "poll",
    "wait-fence",
    "unbind",
    "close-device",
    "migrate",
    "pin",
    "unpin",
    "sync-for-cpu",
    "sync-for-device",
)
# what one of the agent's processes can do in the place of the agent
PROCESS_VERBS = (
    *("export", "heap", "attach", "detach", "map", "unmap", "close", "close-device", "dup", "buffer"),
    *("migrate", "pin", "unpin", "sync-for-cpu", "sync-for-device", "close-exporter"),
    *("to-handle", "from-handle", "close-handle", "handle-export", "handle-info", "call"),
    *("fill", "digest", "copy", "compare", "submit", "wait"),
    *("cpu-write", "cpu-digest", "mmap", "munmap", "sync", "seek", "fdinfo", "set-name"),
    *("poll", "export-sync-file", "import-sync-file", "merge-fences", "wait-fence", "close-fence"),
)
NAMED_VERBS = ("submit", "buffer", "drm-crc", *OPERATIONS, *DIGESTS)

_DEFAULTS: dict[str, dict[str, Any]] = {
    "export": {"storage": "auto", "flags": ()},
    "heap": {"heap": "system"},
    "attach": {"dynamic": False, "p2p": False},
    "migrate": {"storage": "auto"},
    "map": {"direction": "bidirectional"},
    "wait": {"timeout": WAIT_S},
    "join": {"timeout": WAIT_S},
    "cpu-write": {"seed": 0, "offset": 0},
    "cpu-digest": {"offset": 0},
    "mmap": {"offset": 0},
    "seek": {"offset": 0, "from": "start"},
    "poll": {"timeout": 0.0},
    "wait-fence": {"timeout": WAIT_S},
    "exit-process": {"how": "exit"},
    "guest-test": {"timeout": GUEST_TEST_S},
    "hold": {"at": 0},
    "unplug": {"how": "asked"},
    "inject": {"at": 0, "count": 1},
    "ignore-zap": {"on": True},
    "handle-export": {"storage": "auto", "flags": ()},
    "video-format": {"queue": "capture", "format": "XR24"},
    "video-buffers": {"queue": "capture"},
    "video-export": {"queue": "capture", "index": 0},
    "video-queue": {"queue": "capture", "index": 0},
    "video-stream": {"queue": "capture", "on": True},
    "video-dequeue": {"queue": "capture", "memory": "dmabuf", "timeout": WAIT_S},
    "drm-buffer": {"format": "XR24"},
    "drm-show": {"format": "XR24"},
}

_ADDRESSES = ("segments", "below", "above")
_JOB = ("errno", "status", "error")
_EXPECT_KEYS: dict[str, tuple[str, ...]] = {
    "map": ("errno", *_ADDRESSES),
    "buffer": ("errno", "storage", "migrations", "inside", "outside", *_ADDRESSES),
    "fill": _JOB,
    "copy": _JOB,
    "digest": (*_JOB, "pattern", "corrupted-at", "same-as", "differs-from"),
    "compare": (*_JOB, "mismatch"),
    "cpu-digest": ("errno", "pattern", "corrupted-at", "picture", "same-as", "differs-from"),
    "drm-crc": ("errno", "picture", "same-as", "differs-from"),
    "screendump": ("picture",),
    "ram-digest": ("pattern", "corrupted-at", "same-as", "differs-from"),
    "submit": ("errno",),
    "seek": ("errno", "at"),
    "fdinfo": ("errno", "fields"),
    "poll": ("errno", "ready"),
    "wait-fence": ("errno", "signaled", "error"),
    "guest-test": (),
    "to-handle": ("errno", "number"),
    "handle-export": ("errno", "number"),
    "handle-info": ("errno", "storage"),
    "stats": ("errno", "counts"),
    "call": ("errno", "result", "below"),
    "exit-process": (),
    "close-exporter": (),
    "hold": (),
    "release": (),
    "inject": (),
    "ignore-zap": (),
    "unplug": (),
    "plug": (),
    "join": (),
    "blocked": (),
}
_MODIFIERS = ("expect", "hardware", "thread", "process", "as")
_SIZES = (
    *("size", "offset", "at", "below", "above", "mismatch", "corrupted-at"),
    *("max-segment-size", "alignment"),
)
_LISTS = ("flags", "events", "ready", "tests", "allowed")


class Via(Enum):
    """How the device reached a buffer's bytes."""

    DIRECT = "direct"
    REMAPPED = "remapped"
    BOUNCE = "bounce"
    ANY = "any"


@dataclass(frozen=True)
class Expect:
    """What the guest should say; None: not asked (and no errno: the call succeeds)."""

    errno: str | None = None
    status: str | None = None
    error: str | None = None
    pattern: int | None = None
    corrupted_at: int | None = None
    same_as: str | None = None
    differs_from: str | None = None
    storage: str | None = None
    segments: int | None = None
    migrations: int | None = None
    below: int | None = None
    above: int | None = None
    inside: str | None = None
    outside: str | None = None
    mismatch: int | None = None
    at: int | None = None
    fields: Mapping[str, str] | None = None
    ready: tuple[str, ...] | None = None
    signaled: bool | None = None
    number: int | None = None
    counts: Mapping[str, int] | None = None
    result: int | str | None = None
    picture: Picture | None = None


@dataclass(frozen=True)
class JobHardware:
    """What the device should have done in one job, or a media block in one picture."""

    via: Via = Via.DIRECT
    violations: tuple[str, ...] = ()
    touches: str | None = None
    segments: int | None = None
    below: int | None = None
    above: int | None = None
    reads: Picture | None = None
    writes: Picture | None = None


@dataclass(frozen=True)
class Frame:
    """A picture that a media block has done: buffers by name, None where nobody gave it one."""

    device: str
    source: str | None
    target: str | None


@dataclass(frozen=True)
class Operation:
    """A job as it is submitted: all sizes in bytes, buffers by name, None where it uses none."""

    device: str
    operation: str
    source: str | None
    target: str | None
    seed: int
    offset: int
    length: int

    @property
    def buffers(self) -> tuple[str, ...]:
        return tuple(name for name in (self.source, self.target) if name is not None)


@dataclass(frozen=True)
class Step:
    """One step. ``args`` has the file's keys, with bytes for sizes and defaults filled in.

    ``operation`` is set for the verbs that submit a job. ``hardware`` is set
    for those too, and on the ``submit`` of a job that is waited for later.
    """

    index: int
    line: int
    verb: str
    args: Mapping[str, Any]
    expect: Expect = field(default_factory=Expect)
    hardware: JobHardware | None = None
    thread: str | None = None
    process: str | None = None
    name: str | None = None
    operation: Operation | None = None
    generation: str = CURRENT
    frame: Frame | None = None

    @property
    def device(self) -> str | None:
        return self.args.get("device")

    @property
    def what(self) -> str:
        """Verb and main arguments, as messages name the step: ``digest codec frame``."""
        keys = (
            "device",
            "video",
            "drm",
            "operation",
            "function",
            "buffer",
            "from",
            "to",
            "fence",
            "fault",
            "iommu",
            "job",
            "thread",
            "handle",
            "name",
            "module",
        )
        words = [self.place_prefix + self.verb, *(str(self.args[key]) for key in keys if key in self.args)]
        return " ".join(words)

    @property
    def place_prefix(self) -> str:
        place = "/".join(name for name in (self.process, self.thread) if name)
        return f"[{place}] " if place else ""


def make_step(document: Document, index: int) -> Step:
    """The step as far as it can be known alone. Raises InputError."""
    data = document.data["steps"][index]
    verb = _verb(document, index)
    _check_modifiers(document, index, verb)
    generation = data[verb].get(KEY, document.data.get(KEY, CURRENT))
    args = {**_DEFAULTS.get(verb, {}), **_in_bytes(data[verb])}
    args.pop(KEY, None)
    return Step(
        index=index,
        line=document.line("steps", index),
        verb=verb,
        args=args,
        expect=_expect(document, index, verb),
        hardware=_hardware(document, index, verb) if verb in ("submit", *OPERATIONS, *FRAMES) else None,
        thread=data.get("thread"),
        process=data.get("process"),
        name=data.get("as"),
        generation=generation,
    )


def _verb(document: Document, index: int) -> str:
    data = document.data["steps"][index]
    verbs = [key for key in data if key not in _MODIFIERS]
    if len(verbs) == 1:
        return str(verbs[0])
    if not verbs:
        raise document.error(("steps", index), "a step needs a verb", "one of docs/scenarios.md, as export")
    what = f"a step has one verb, this one has {' and '.join(verbs)}"
    raise document.error(("steps", index, verbs[1]), what, "start each step with its own '-'")


def _check_modifiers(document: Document, index: int, verb: str) -> None:
    allowed = {
        "hardware": ("submit", *OPERATIONS, *FRAMES),
        "thread": THREAD_VERBS,
        "process": PROCESS_VERBS,
        "as": NAMED_VERBS,
    }
    for key, verbs in allowed.items():
        if key in document.data["steps"][index] and verb not in verbs:
            what = f"'{key}' has no meaning for {verb}"
            raise document.error(("steps", index, key), what, f"with {', '.join(verbs)}")


def _expect(document: Document, index: int, verb: str) -> Expect:
    wanted = document.data["steps"][index].get("expect", {})
    # what a `wait` may expect depends on the job that it waits for
    allowed = _EXPECT_KEYS.get(verb, ("errno",)) if verb != "wait" else wait_keys(None)
    for key in wanted:
        if key not in allowed:
            what = f"{verb} has no such answer"
            raise document.error(("steps", index, "expect", key), what, ", ".join(allowed) or "nothing")
    if "corrupted-at" in wanted and "pattern" not in wanted:
        what = "a byte is corrupted of a pattern, and none is expected"
        raise document.error(("steps", index, "expect", "corrupted-at"), what, "with 'pattern'")
    values = {key.replace("-", "_"): value for key, value in _in_bytes(wanted).items()}
    if "picture" in values:
        values["picture"] = pictures.find(document, ("steps", index, "expect", "picture"))
    return Expect(**values)


def wait_keys(operation: str | None) -> tuple[str, ...]:
    """What can be expected of a job that is waited for; None: of any job."""
    if operation is not None:
        return _EXPECT_KEYS[operation]
    return tuple(dict.fromkeys(key for name in OPERATIONS for key in _EXPECT_KEYS[name]))


_FRAME_HARDWARE = ("via", "violations", "reads", "writes")


def _hardware(document: Document, index: int, verb: str) -> JobHardware:
    wanted = document.data["steps"][index].get("hardware", {})
    of_frames = verb in FRAMES
    for key in wanted:
        if key not in _FRAME_HARDWARE if of_frames else key in ("reads", "writes"):
            allowed = ", ".join(_FRAME_HARDWARE) if of_frames else "with video-dequeue and drm-show"
            raise document.error(
                ("steps", index, "hardware", key), f"{verb} has no such expectation", allowed
            )
    values: dict[str, Any] = _in_bytes(wanted)
    if "via" in values:
        values["via"] = Via(values["via"])
    if "violations" in values:
        values["violations"] = tuple(values["violations"])
    for key in ("reads", "writes"):
        if key in values:
            values[key] = pictures.find(document, ("steps", index, "hardware", key))
    return JobHardware(**values)


def _in_bytes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes in bytes, lists as tuples."""
    return {key: _plain(key, value) for key, value in values.items()}


def _plain(key: str, value: Any) -> Any:
    if key in _LISTS:
        return tuple(value)
    if key == "limits":
        return _in_bytes(value)
    return units.size(value) if key in _SIZES else value
