# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts what there is before a scenario and after it; ``leaks`` compares, the verdict judges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from dmabed import leaks
from dmabed.agent import Answer
from dmabed.deadline import poll
from dmabed.errors import QmpError, TestbedError
from dmabed.machine import Machine
from dmabed.slots import Slots

# what ends later than the call that ended it (work items, RCU) has ended by then
SETTLE_SECONDS = 2.0

Counts = dict[str, int | None]


class Ask(Protocol):
    """How the agent is asked."""

    def __call__(self, op: str, arguments: Mapping[str, Any]) -> Answer: ...


class Accountant:
    """The counts of one scenario; None where nobody could be asked."""

    def __init__(self, machine: Machine, ask: Ask, slots: Slots) -> None:
        self._machine = machine
        self._ask = ask
        self._slots = slots
        self.before: Counts | None = None

    def begin(self) -> None:
        """Count before the first step."""
        self.before = self._count()

    def end(self) -> Counts | None:
        """Let the agent give everything back, and count until all is gone or the time is up."""
        if self.before is None or self._machine.child.status() is not None:
            return None
        try:
            self._ask("reset", {})
        except TestbedError:
            return None
        before = self.before
        return poll(
            self._count, lambda after: after is None or leaks.is_settled(before, after), SETTLE_SECONDS
        )

    def _count(self) -> Counts | None:
        try:
            answer = self._ask("accounting", {})
            return {**answer.result["counts"], **self._devices()} if answer.ok else None
        except (TestbedError, KeyError):
            return None

    def _devices(self) -> Counts:
        """By device, jobs that have neither ended nor been dropped, and what its registers hold of them."""
        counts: Counts = {}
        for device in self._machine.layout.devices:
            counts[f"jobs in {device.name}"] = self._jobs_of(device.name)
            counts |= self._registers_of(device.name)
        return counts

    def _registers_of(self, device: str) -> Counts:
        ring, pending, errors = (
            f"{what} {device}" for what in ("entries in the ring of", "interrupts pending in", "errors in")
        )
        try:
            state = self._slots.state(device)
        except QmpError:
            return {ring: None, pending: None, errors: None}
        return {
            ring: state["ring-pending"],
            pending: (state["irq-status"] & state["irq-enable"]).bit_count(),
            errors: int(state["error"] != 0),
        }

    def _jobs_of(self, device: str) -> int | None:
        try:
            found = self._slots.evidence(device)
        except QmpError:
            return None
        return sum(not job.get("end-ns") for job in found.get("jobs", ()))
