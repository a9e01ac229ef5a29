# SPDX-License-Identifier: GPL-2.0-or-later
"""Cards that leave their slot and come back while the guest runs: the host's side of it.

What a card has recorded goes with it, so it is asked for its last words: QEMU keeps the evidence of
an engine that was unplugged (docs/specs/dmabed-engine.md, *PCI front end*).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Protocol

from dmabed import argv, layout_names
from dmabed.agent import Answer
from dmabed.deadline import Deadline, poll
from dmabed.errors import QmpError
from dmabed.layout import Device
from dmabed.machine import Machine
from dmabed.transcript import Departed

# pciehp gives who pressed the button by mistake 5 s to press it again (PCIe 6.0, 6.7.1.5), and after the
# power was switched it waits 1 s more
SWITCH_SECONDS = 15.0

_OK: dict[str, Any] = {"ok": True, "result": {}}


class How(Enum):
    """How a card leaves its slot."""

    ASKED = "asked"
    """The button is pressed, and the guest's operator switches the slot off without waiting."""
    BUTTON = "button"
    """The button is pressed, and the guest switches the slot off when its 5 s are over."""
    SURPRISE = "surprise"
    """It is pulled out; the guest learns of it afterwards."""
    REMOVED = "removed"
    """It stays, and the guest forgets it (``remove`` in sysfs): the hot-plug driver has no part in it."""


class Ask(Protocol):
    """How the agent is asked."""

    def __call__(self, op: str, arguments: Mapping[str, Any]) -> Answer: ...


class Slots:
    """Which cards are away, and what those that went have left."""

    def __init__(self, machine: Machine, ask: Ask) -> None:
        self._machine = machine
        self._ask = ask
        self._ports: dict[str, int] = {}  # of cards that were put into another slot
        self._forgotten: set[str] = set()  # by the guest, though they are in their slot
        self.away: set[str] = set()
        self.departed: dict[str, tuple[Departed, ...]] = {}

    def evidence(self, device: str) -> Any:
        """The evidence of a device, or its last words. Raises QmpError."""
        if device in self.away:
            return self.departed[device][-1].evidence
        return self._machine.qmp.get(self._machine.engine(device), "evidence")

    def state(self, device: str) -> Mapping[str, int]:
        """What its registers hold; those of a device that is away hold nothing. Raises QmpError."""
        if device in self.away:
            return dict.fromkeys(("ring-pending", "irq-status", "irq-enable", "error"), 0)
        found: Mapping[str, int] = self._machine.qmp.get(self._machine.engine(device), "state")
        return found

    def unplug(self, device: str, how: How, submitted: int) -> dict[str, Any]:
        """Take a card out; the answer says whether the guest let go of it. ``submitted``: jobs so far."""
        qmp = self._machine.qmp
        with qmp.watching("DEVICE_DELETED", device=device) as deleted:
            if how is How.SURPRISE:
                qmp.set(self._machine.engine(device), "pull", True)
            else:
                qmp.command("device_del", id=device)
            answer = self._switch_off(device) if how is How.ASKED else _OK
            if not answer["ok"]:
                return answer
            if not deleted(Deadline(SWITCH_SECONDS).left()):
                return _never("device_del")
        self._note_gone(device, submitted)
        return self._wait(lambda names: device not in names, "remove")

    def plug(self, device: str, port: int | None) -> dict[str, Any]:
        """Put a card in, into its own slot or another; the answer says whether the guest's driver took it."""
        if device in self._forgotten:
            return self._rescan(device)
        if port is not None:
            self._ports[device] = port
        bus = {"bus": layout_names.port_id(self._port(device))}
        self._machine.qmp.command("device_add", **(argv.engine_properties(self._card(device)) | bus))
        self.away.discard(device)
        return self._wait(lambda names: device in names, "probe")

    def forget(self, device: str, name: str, submitted: int) -> dict[str, Any]:
        """Have the guest let go of a card that stays; ``name`` is its own for it, as 0000:03:00.0."""
        answer = self._ask("write", {"path": f"/sys/bus/pci/devices/{name}/remove", "text": "1"})
        if not answer.ok:
            return answer.as_dict()
        self._forgotten.add(device)
        self.note_unbound(device, submitted)
        return self._wait(lambda names: device not in names, "remove")

    def _rescan(self, device: str) -> dict[str, Any]:
        self._forgotten.discard(device)
        answer = self._ask("write", {"path": "/sys/bus/pci/rescan", "text": "1"})
        return self._wait(lambda names: device in names, "probe") if answer.ok else answer.as_dict()

    def note_unbound(self, device: str, submitted: int) -> None:
        """Its driver has dropped all jobs: those that never reached the device never will."""
        self._note(device, Departed(self.evidence(device), submitted, gone=False))

    def _note_gone(self, device: str, submitted: int) -> None:
        words = self._machine.qmp.get("/machine", "departed").get(device)
        if words is None:
            raise QmpError(f"nobody has kept the evidence of {device}, which was unplugged")
        self._note(device, Departed(words, submitted))
        self.away.add(device)

    def _note(self, device: str, departed: Departed) -> None:
        self.departed[device] = (*self.departed.get(device, ()), departed)

    def _switch_off(self, device: str) -> dict[str, Any]:
        path = f"/sys/bus/pci/slots/{self._port(device)}/power"
        return self._ask("write", {"path": path, "text": "0"}).as_dict()

    def _card(self, device: str) -> Device:
        return self._machine.layout.device(device)

    def _port(self, device: str) -> int:
        port = self._ports.get(device, self._card(device).port)
        assert port is not None, "the plan has refused what is on no slot"
        return port

    def _wait(self, is_so: Callable[[list[str]], bool], call: str) -> dict[str, Any]:
        """The guest has taken it, or let go of it, when its name in /dev/dmabed has come or gone."""
        names = poll(lambda: self._ask("hello", {}).result["devices"], is_so, SWITCH_SECONDS)
        return _OK if is_so(names) else _never(call)


def _never(call: str) -> dict[str, Any]:
    return {"ok": False, "errno": "ETIMEDOUT", "call": call}
