# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent client against a scripted peer on a socketpair."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dmabed.agent import BEGIN, LINE_LIMIT, Agent
from dmabed.errors import AgentError, AgentRefused

Peer = socket.socket


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Agent, Peer]]:
    ours, theirs = socket.socketpair()
    agent = Agent(ours, tmp_path / "agent.log")
    yield agent, theirs
    agent.close()
    theirs.close()


def serve(peer: Peer, reply: Callable[[dict[str, Any]], bytes]) -> None:
    """Answer the next request in the background."""

    def work() -> None:
        line = peer.makefile("rb").readline()
        assert line.startswith(BEGIN)
        peer.sendall(reply(json.loads(line[1:])))

    threading.Thread(target=work, daemon=True).start()


def answer(request: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps({"id": request["id"], **fields}).encode() + b"\n"


def test_a_result_comes_back(pair: tuple[Agent, Peer]) -> None:
    agent, peer = pair
    seen: list[dict[str, Any]] = []

    def reply(request: dict[str, Any]) -> bytes:
        seen.append(request)
        return answer(request, ok=True, result={"job": 3})

    serve(peer, reply)
    got = agent.call("submit", device="codec", src_offset="0x8", dst=None)
    assert got.ok
    assert got.result == {"job": 3}
    assert seen == [{"id": 1, "op": "submit", "device": "codec", "src-offset": "0x8"}]


def test_an_errno_is_an_answer_and_no_error(pair: tuple[Agent, Peer]) -> None:
    agent, peer = pair
    serve(peer, lambda r: answer(r, ok=False, errno="EBUSY", call="DMABED_IOC_ATTACH", why="busy"))
    got = agent.call("attach")
    assert (got.ok, got.errno, got.call) == (False, "EBUSY", "DMABED_IOC_ATTACH")


def test_answers_may_come_in_any_order(pair: tuple[Agent, Peer]) -> None:
    agent, peer = pair
    first, second = agent.ask("map"), agent.ask("hello")
    peer.sendall(b'{"id": 2, "ok": true}\n{"id": 1, "ok": false, "errno": "EIO"}\n')
    assert second.result(2)["ok"] is True
    assert first.result(2)["errno"] == "EIO"


def test_a_protocol_complaint_is_the_testbeds_error(pair: tuple[Agent, Peer]) -> None:
    agent, peer = pair
    serve(peer, lambda r: answer(r, ok=False, protocol="unknown op 'dance'"))
    with pytest.raises(AgentRefused, match="dance"):
        agent.call("dance")


@pytest.mark.parametrize(
    "line",
    [
        b"no json\n",
        b"[1]\n",
        b'{"id": [1], "ok": true}\n',
        b'{"id": null, "protocol": "no JSON"}\n',
        b'{"id": 77, "ok": true}\n',
        b"x" * (LINE_LIMIT + 2),
    ],
    ids=["garbage", "no-object", "odd-id", "no-id", "nobody-asked", "endless"],
)
def test_nonsense_ends_the_connection_with_an_error(pair: tuple[Agent, Peer], line: bytes) -> None:
    agent, peer = pair
    serve(peer, lambda _: line)
    with pytest.raises(AgentError, match="silent"):
        agent.call("hello", seconds=5)


@pytest.mark.parametrize("fields", [{"ok": False}, {"ok": 1}, {"ok": True, "result": [1]}])
def test_an_answer_that_is_neither_is_an_error(pair: tuple[Agent, Peer], fields: dict[str, Any]) -> None:
    agent, peer = pair
    serve(peer, lambda r: answer(r, **fields))
    with pytest.raises(AgentError, match="neither"):
        agent.call("hello")


def test_silence_is_an_error_within_the_timeout(pair: tuple[Agent, Peer]) -> None:
    agent, _ = pair
    with pytest.raises(AgentError, match="no answer to hello"):
        agent.call("hello", seconds=0.05)


def test_a_peer_that_goes_away_fails_what_is_open_and_what_comes(pair: tuple[Agent, Peer]) -> None:
    agent, peer = pair
    future = agent.ask("hello")
    peer.close()
    with pytest.raises(AgentError, match="silent"):
        future.result(2)
    with pytest.raises(AgentError, match="can't be asked"):
        agent.call("hello")
