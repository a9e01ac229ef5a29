# SPDX-License-Identifier: GPL-2.0-or-later
"""The QMP facade against a scripted QEMU on a socketpair."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dmabed import qmp as qmp_module
from dmabed.errors import FileError, QmpError
from dmabed.qmp import Qmp

_VERSION = {"qemu": {"major": 10, "minor": 0, "micro": 0}, "package": ""}
_GREETING = {"QMP": {"version": _VERSION, "capabilities": []}}

Behaviour = Callable[[dict[str, Any]], list[dict[str, Any]]]


class FakeQemu:
    """Greets, negotiates, and answers each command as ``behaviour`` says."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.ours, self._theirs = socket.socketpair()
        self._behaviour = behaviour
        self.commands: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _send(self, message: dict[str, Any]) -> None:
        self._theirs.sendall(json.dumps(message).encode() + b"\r\n")

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            self._send(_GREETING)
            # the client ends its messages with nothing: decode as soon as one is whole
            pending = ""
            while data := self._theirs.recv(65536):
                pending += data.decode()
                with contextlib.suppress(json.JSONDecodeError):
                    request, pending = json.loads(pending), ""
                    self._answer(request)

    def _answer(self, request: dict[str, Any]) -> None:
        self.commands.append(request["execute"])
        if request["execute"] == "qmp_capabilities":
            self._send({"return": {}})
            return
        for message in self._behaviour(request):
            self._send({**message, **({} if "event" in message else {"id": request["id"]})})

    def die(self) -> None:
        self._theirs.shutdown(socket.SHUT_RDWR)
        self._theirs.close()


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[[Behaviour], tuple[Qmp, FakeQemu]]]:
    opened: list[Qmp] = []

    def make(behaviour: Behaviour) -> tuple[Qmp, FakeQemu]:
        fake = FakeQemu(behaviour)
        opened.append(Qmp(fake.ours, tmp_path / "qmp.log"))
        return opened[-1], fake

    yield make
    for qmp in opened:
        qmp.close()


def test_a_command_returns_its_value_and_is_logged(connect: Any, tmp_path: Path) -> None:
    qmp, fake = connect(lambda request: [{"return": request["arguments"]}])
    assert qmp.get("/machine", "evidence") == {"path": "/machine", "property": "evidence"}
    assert fake.commands == ["qmp_capabilities", "qom-get"]
    assert "qom-get" in (tmp_path / "qmp.log").read_text()


def test_a_refusal_names_the_command_and_the_reason(connect: Any) -> None:
    qmp, _ = connect(lambda _: [{"error": {"class": "GenericError", "desc": "no such property"}}])
    with pytest.raises(QmpError, match="qom-set") as caught:
        qmp.set("/machine", "hold", True)
    assert "no such property" in str(caught.value)


def test_events_are_kept_until_asked_for(connect: Any) -> None:
    event = {"event": "RESET", "data": {}, "timestamp": {"seconds": 1, "microseconds": 2}}
    qmp, _ = connect(lambda _: [event, {"return": {}}])
    qmp.command("query-status")
    assert [e["event"] for e in qmp.events()] == ["RESET"]
    assert qmp.events() == []


def test_an_event_is_looked_out_for_by_its_data(connect: Any) -> None:
    def deleted(name: str) -> dict[str, Any]:
        stamp = {"seconds": 1, "microseconds": 2}
        return {"event": "DEVICE_DELETED", "data": {"device": name, "path": "/x"}, "timestamp": stamp}

    qmp, _ = connect(lambda request: [deleted(request["arguments"]["id"]), {"return": {}}])
    with qmp.watching("DEVICE_DELETED", device="card") as came:
        qmp.command("device_del", id="accel")
        assert not came(0.1)
        qmp.command("device_del", id="card")
        assert came(5.0)


def test_silence_ends_in_an_error(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    qmp, _ = connect(lambda _: [])
    monkeypatch.setattr(qmp_module, "COMMAND_SECONDS", 0.1)
    with pytest.raises(QmpError, match="no answer to the QMP command query-status"):
        qmp.command("query-status")


def test_a_qemu_that_dies_is_an_error_not_a_hang(connect: Any) -> None:
    qmp, fake = connect(lambda _: [])
    threading.Timer(0.1, fake.die).start()
    with pytest.raises(QmpError):
        qmp.command("query-status")


def test_nobody_greets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qmp_module, "COMMAND_SECONDS", 0.1)
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(QmpError, match="does not answer"):
        Qmp(ours, tmp_path / "qmp.log")


def test_a_log_on_a_full_disk_is_told_once_and_closing_is_quiet() -> None:
    qemu = FakeQemu(lambda _request: [{"return": {}}])
    qmp = Qmp(qemu.ours, Path("/dev/full"))
    with pytest.raises(FileError, match="/dev/full: No space left on device"):
        qmp.command("query-status")
    qmp.close()
    qemu.die()


def test_closing_is_quiet_though_the_last_events_cannot_be_logged() -> None:
    qemu = FakeQemu(lambda _request: [{"return": {}}])
    qmp = Qmp(qemu.ours, Path("/dev/full"))
    qemu._send({"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}, "data": {}})
    qmp.close()
    qemu.die()
