# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's processes, on this machine: requests go there, fds travel, and an end is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_agent_protocol import AgentProcess, program

__all__ = ["program"]


@pytest.fixture
def agent(program: Path) -> Iterator[AgentProcess]:
    running = AgentProcess(program)
    yield running
    assert running.finish() == 0


def counts(agent: AgentProcess) -> dict[str, int | None]:
    result: dict[str, int | None] = agent.result("accounting")["counts"]
    return result


def test_a_process_is_another(agent: AgentProcess) -> None:
    assert agent.result("hello")["pid"] != agent.result("hello", process="other")["pid"]
    assert agent.result("hello", process="other")["pid"] == agent.result("hello", process="other")["pid"]


def test_it_has_buffers_of_its_own(agent: AgentProcess) -> None:
    agent.result("export", buffer="frame", length=4096)
    assert "unknown buffer" in agent.refusal("close", buffer="frame", process="other")
    agent.result("pass", buffer="frame", to="other")
    agent.result("close", buffer="frame")
    agent.result("pass", buffer="frame", **{"from": "other"})
    agent.result("close", buffer="frame")
    agent.result("close", buffer="frame", process="other")


@pytest.mark.parametrize(("how", "status", "signal"), [("exit", 0, None), ("kill", None, 9)])
def test_how_it_ended(agent: AgentProcess, how: str, status: int | None, signal: int | None) -> None:
    agent.result("hello", process="other")
    assert agent.result("exit-process", name="other", how=how) == {"status": status, "signal": signal}
    assert "no process" in agent.refusal("exit-process", name="other")


def test_what_it_was_asked_is_answered_when_it_dies(agent: AgentProcess) -> None:
    asked = agent.send("sync", process="other", threads=["busy"], timeout_ms=-1)
    agent.send("run", process="other", thread="busy", argv=["sleep", "60"])
    ended = agent.send("exit-process", name="other", how="kill")
    answers = {answer["id"]: answer for answer in (agent.read(), agent.read(), agent.read())}
    assert answers[ended]["ok"]
    assert answers[asked + 1]["errno"] == "ESRCH"


def test_a_reset_ends_them_and_leaves_no_fd(agent: AgentProcess) -> None:
    before = counts(agent)
    agent.result("export", buffer="frame", length=4096, process="one")
    agent.result("pass", buffer="frame", **{"from": "one"})
    agent.result("pass", buffer="frame", to="two")
    assert counts(agent)["fds"] != before["fds"]
    agent.result("reset")
    assert counts(agent)["fds"] == before["fds"]


def test_there_are_not_any_number(agent: AgentProcess) -> None:
    for number in range(16):
        agent.result("hello", process=f"p{number}")
    assert "no more processes" in agent.refusal("hello", process="one-too-many")


def test_memory_is_given_back(agent: AgentProcess) -> None:
    agent.result("pressure", length=1 << 20)
    agent.result("pressure", length=2 << 20)
    agent.result("pressure", length=0)


def test_errors_of_files_are_the_kernels(agent: AgentProcess) -> None:
    assert agent.errno("write", path="/proc/nothing/here", text="1") == "ENOENT"
    assert agent.errno("load", path="/nowhere.ko") == "ENOENT"
    assert agent.errno("driver", device="nothing") == "ENOENT"
