# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened in one run of one scenario: the runner writes it down, the verdict reads it.

A transcript judges nothing. It holds the guest's answers as the agent gave
them, the devices' evidence as QMP gave it, and what happened to the machine.
Something that never came is ``None``: the verdict makes an error of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dmabed.ranges import Run

Answer = Mapping[str, Any]


class EventKind(Enum):
    """What can happen to the machine, beside the steps."""

    GUEST_PANIC = "guest-panic"
    """The guest kernel panicked: the subject failed."""
    GUEST_HUNG = "guest-hung"
    """A call into the guest kernel did not come back, while the guest itself went on: the subject failed."""
    QEMU_DIED = "qemu-died"
    """QEMU ended or crashed."""
    AGENT_SILENT = "agent-silent"
    """The agent did not answer in time, and the guest did not panic."""
    TIMEOUT = "timeout"
    """The scenario as a whole ran out of its time."""
    PROTOCOL = "protocol"
    """The agent, or QMP, could not take what the harness sent."""
    EVIDENCE = "evidence"
    """The evidence of a device could not be read; ``device`` names it."""
    SPLAT = "splat"
    """The guest kernel reported a mistake of its own on the console: the subject failed."""
    NO_SPLAT = "no-splat"
    """A guest test announced such a report, and it never came: the subject failed."""
    LEAK = "leak"
    """Memory of the subject that nobody points to any more: the subject failed."""
    INTERRUPTED = "interrupted"
    """The user stopped the run (Ctrl-C)."""


@dataclass(frozen=True)
class Event:
    """One thing that happened to the machine; ``text`` is what a user should read of it."""

    kind: EventKind
    text: str
    step_index: int | None = None
    device: str | None = None


@dataclass(frozen=True)
class BufferSnapshot:
    """Where a buffer was, in CPU physical addresses: the agent's ``buffer`` answer with plain integers."""

    storage: str
    segments: tuple[Run, ...]
    migrations: int = 0

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> BufferSnapshot:
        """The agent's ``buffer`` result (hexadecimal strings or integers) as a snapshot."""
        runs = tuple(Run(_number(address), _number(length)) for address, length in result["segments"])
        return cls(str(result["storage"]), runs, _number(result.get("migrations", 0)))


@dataclass(frozen=True)
class JobRef:
    """The ``nth`` job (from 1) that this scenario submitted to ``device``.

    An engine works on its jobs in the order of submission, so this is also
    the nth job in the device's evidence that was not there before the scenario.
    """

    device: str
    nth: int


@dataclass(frozen=True)
class Departed:
    """What an engine had recorded when it was unplugged, or its driver unbound.

    ``submitted`` is how many jobs this scenario had submitted to it by then: some of them may
    never have reached it. ``gone``: the device went with its record; the next begins blank.
    """

    evidence: Mapping[str, Any] | None
    submitted: int
    gone: bool = True


@dataclass(frozen=True)
class StepRecord:
    """What came of one step.

    ``answer`` is ``{"ok": True, "result": {...}}``, ``{"ok": False, "errno": "EINVAL", "call": ...}``,
    or None when no answer came. By verb:

    - ``fill``, ``digest``, ``copy``, ``compare``: the answer to the agent's ``wait``; the answer to its
      ``submit`` when that failed (``job`` is then None);
    - ``submit``: the answer to ``submit``; ``job`` is set when it was ok. ``wait``: the answer to
      ``wait``; ``job`` is the job waited for;
    - a step with ``thread``: the answer that had come by the ``join``, None if it had not;
    - ``join``: ok with an empty result when all steps of the thread had answered, else None;
    - ``blocked``: ok, and as result the thread's row of the agent's ``threads`` (``busy``, ``op``,
      ``wchan``, ``stack``), polled until it sleeps in the wanted function or the time is up;
    - ``hold``, ``release``, ``inject``: ok with an empty result once QMP took it;
    - ``unplug``, ``plug``: ok with an empty result once the guest's driver is gone, or there; ETIMEDOUT
      if it never was;
    - ``ram-digest``: ok, and as result ``sha256`` of the storage as the host reads it from guest RAM,
      in the order of the buffer's segments, up to the step's ``size``, and the ``length`` that was read.

    ``buffers`` holds the known buffers with storage, as they were just after the step submitted its job
    (``fill``, ``digest``, ``copy``, ``compare``, ``submit``); else it is empty. Buffers of kernel heaps
    tell nobody where they are and are left out.
    """

    step_index: int
    started_s: float
    seconds: float
    answer: Answer | None
    job: JobRef | None = None
    buffers: Mapping[str, BufferSnapshot] = field(default_factory=dict)
    picture: int | None = None
    """The number (``seq``) of the picture that a media block did for this step."""


@dataclass(frozen=True)
class Transcript:
    """All that is known of one run; ``steps`` holds a record for each step that was begun, in order.

    ``evidence`` has the raw ``evidence`` property of every device of the layout at the end,
    ``evidence_before`` the same just before the first step; None where it could not be had.
    ``iommus`` and ``iommus_before`` are the same of the layout's IOMMUs.
    ``remarks`` are worth telling, and against nobody. ``bounce_pools`` is where the guest's kernel bounces.
    A device that was unplugged, or unbound, has a record in ``departed`` for each time; ``away`` are those
    that were not plugged again, whose ``evidence`` is the last of these.
    ``counts_before`` and ``counts_after`` are what ``leaks`` compares: the agent's ``accounting``, and the
    jobs that each device has not ended; None when the guest could not be asked.
    """

    scenario: str
    layout: str
    steps: tuple[StepRecord, ...]
    evidence: Mapping[str, Mapping[str, Any] | None]
    evidence_before: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()
    bounce_pools: tuple[Run, ...] = ()
    departed: Mapping[str, tuple[Departed, ...]] = field(default_factory=dict)
    away: tuple[str, ...] = ()
    counts_before: Mapping[str, int | None] | None = None
    counts_after: Mapping[str, int | None] | None = None
    media: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """The ``evidence`` of every media block at the end."""
    media_before: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    iommus: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    iommus_before: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)

    def record(self, step_index: int) -> StepRecord | None:
        return next((record for record in self.steps if record.step_index == step_index), None)

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the file in the scenario's folder."""
        plain = dataclasses.asdict(self)
        for event in plain["events"]:
            event["kind"] = event["kind"].value
        return plain


def _number(value: Any) -> int:
    return value if isinstance(value, int) else int(value, 0)
