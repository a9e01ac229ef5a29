# SPDX-License-Identifier: GPL-2.0-or-later
"""What the agent makes of requests about the older generations of dma-buf."""

from __future__ import annotations

import pytest
from test_agent_protocol import AgentProcess, agent, program

from dmabed.pattern import sha256_of

__all__ = ["agent", "program"]  # fixtures

POSTED, MERGED, HANDLE = 0x1000, 0x2000, 7  # of the played kernel


def test_a_device_attaches_in_the_way_of_the_generation(agent: AgentProcess) -> None:
    for generation, bits in (("current", 0), ("posted", POSTED), ("merged", MERGED)):
        agent.result("export", buffer=generation, length=4096, generation=generation)
        found = agent.result("attach", device="codec", buffer=generation, generation=generation)
        assert found["attachment"] & (POSTED | MERGED) == bits


def test_an_exporter_that_is_not_there(agent: AgentProcess) -> None:
    answer = agent.ask("export", buffer="a", length=4096, generation="posted-off")
    assert (answer["errno"], answer["call"]) == ("ENOENT", "open /dev/dmabed-posted-off")
    agent.result("stats", generation="posted")
    assert "generation" in agent.refusal("stats", generation="future")


def test_an_exporter_is_closed_by_its_generation(agent: AgentProcess) -> None:
    agent.result("stats", generation="merged")
    assert "'/posted' is not open" in agent.refusal("close-device", generation="posted")
    agent.result("close-device", generation="merged")


def test_lists_are_synchronised_by_their_attachment(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=4096, generation="posted")
    agent.result("attach", device="codec", buffer="a", generation="posted")
    agent.result("attach", device="capture", buffer="a", generation="merged")
    agent.result("sync-for-cpu", device="codec", buffer="a")
    assert agent.errno("sync-for-device", device="codec", buffer="a") == "EINVAL"
    assert agent.errno("sync-for-cpu", device="capture", buffer="a") == "EOPNOTSUPP"
    assert "not attached" in agent.refusal("sync-for-cpu", device="codec", buffer="b")


def test_handles_are_numbers(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=8192, generation="merged")
    assert agent.result("to-handle", buffer="a", generation="merged") == {"handle": HANDLE}
    assert agent.result("handle-export", length=4096, generation="merged") == {"handle": HANDLE + 1}
    assert agent.result("handle-info", handle=HANDLE, generation="merged")["storage"] == "none"
    assert agent.result("from-handle", handle=HANDLE, buffer="b", generation="merged")["length"] == "0x2000"
    assert agent.errno("from-handle", handle=99, buffer="c", generation="merged") == "ENOENT"
    assert "'b' is there already" in agent.refusal("from-handle", handle=HANDLE, buffer="b")
    agent.result("close-handle", handle=HANDLE, generation="merged")
    assert agent.errno("close-handle", handle=99, generation="merged") == "ENOENT"


def test_the_exporters_file_maps_what_it_has_selected(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=8192, generation="merged")
    access = {"buffer": "a", "sync": False, "through": "exporter", "generation": "merged"}
    written = agent.result("cpu-write", seed=4, **access)["sha256"]
    assert written == sha256_of(4, 0, 8192)
    assert agent.result("cpu-digest", buffer="a", sync=False)["sha256"] == written


def test_a_kept_mapping_of_the_fd_serves_only_the_fd(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=4096, generation="merged")
    agent.result("mmap", buffer="a")
    missing = agent.ask("cpu-digest", buffer="a", sync=False, through="exporter", generation="posted-off")
    assert (missing["errno"], missing["call"]) == ("ENOENT", "DMABED_IOC_SELECT")


def test_a_kept_mapping_of_the_exporters_file_serves_that(agent: AgentProcess) -> None:
    way = {"through": "exporter", "generation": "merged"}
    agent.result("export", buffer="a", length=8192, generation="merged")
    agent.result("mmap", buffer="a", **way)
    written = agent.result("cpu-write", buffer="a", seed=4, sync=False, **way)["sha256"]
    assert agent.result("cpu-digest", buffer="a", sync=False)["sha256"] == written
    missing = agent.ask("mmap", buffer="a", through="exporter", generation="posted-off")
    assert (missing["errno"], missing["call"]) == ("ENOENT", "DMABED_IOC_SELECT")


def test_counts_of_an_exporter(agent: AgentProcess) -> None:
    counts = agent.result("stats", generation="posted")
    assert (counts["buffers"], counts["releases"]) == (3, 5)


def test_functions_tell_what_they_returned(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=4096, generation="posted")
    call = {"generation": "posted"}
    assert agent.result("call", function="list-null", **call) == {"result": "EINVAL"}
    assert agent.result("call", function="references", buffer="a", **call) == {"result": 4}
    assert agent.result("call", function="references", **call) == {"result": "EBADF"}
    assert agent.errno("call", function="export", **call) == "EINVAL"
    agent.result("call", function="fd", buffer="a", to="b", **call)
    taken = {"function": "fd", "buffer": "a", "to": "b", **call}
    assert "there already" in agent.refusal("call", **taken)
    agent.result("call", function="fd", buffer="b", **call)
    agent.result("close", buffer="a")
    agent.result("close", buffer="b")


@pytest.mark.parametrize("op", ["to-handle", "from-handle", "sync-for-cpu", "close-handle"])
def test_what_is_missing_is_told(agent: AgentProcess, op: str) -> None:
    assert "missing" in agent.refusal(op) or "needs" in agent.refusal(op)
