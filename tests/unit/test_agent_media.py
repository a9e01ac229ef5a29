# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's video devices and displays: what it refuses, on a machine that has none of ours."""

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


@pytest.mark.parametrize(
    ("op", "arguments", "why"),
    [
        ("video-open", {"video": "v"}, "ENODEV"),
        ("video-open", {"video": "v", "driver": "no-such-driver"}, "ENODEV"),
        ("video-open", {"video": "v", "device": "no-such-block"}, "ENODEV"),
        ("drm-open", {"drm": "d", "driver": "no-such-driver"}, "ENODEV"),
    ],
)
def test_nothing_of_that_kind(agent: AgentProcess, op: str, arguments: dict[str, str], why: str) -> None:
    assert agent.errno(op, **arguments) == why


@pytest.mark.parametrize(
    ("op", "arguments", "why"),
    [
        ("video-open", {}, "needs 'video'"),
        ("video-close", {"video": "v"}, "unknown video 'v'"),
        ("video-format", {"video": "v", "width": 8, "height": 8, "format": "XR24"}, "unknown video 'v'"),
        ("video-format", {"video": "v", "width": 8, "height": 8}, "needs 'format'"),
        ("video-format", {"video": "v", "queue": "both"}, "'queue' must be one of"),
        ("video-control", {"video": "v", "control": "colour", "value": 1}, "'control' must be one of"),
        ("video-buffers", {"video": "v", "memory": "userptr", "count": 1}, "'memory' must be one of"),
        ("video-export", {"video": "v", "buffer": "b"}, "unknown video 'v'"),
        ("video-queue", {"video": "v"}, "unknown video 'v'"),
        ("video-dequeue", {"video": "v", "timeout-ms": "soon"}, "'timeout-ms' must be"),
        ("video-stream", {"video": "v", "on": 1}, "'on' must be"),
        ("drm-close", {"drm": "d"}, "unknown drm 'd'"),
        ("drm-buffer", {"drm": "d", "buffer": "b", "width": 8, "height": 8}, "unknown drm 'd'"),
        ("drm-show", {"drm": "d", "buffer": "b", "width": 8, "height": 8}, "unknown drm 'd'"),
        ("drm-show", {"drm": "d", "width": 8, "height": 8}, "needs 'buffer'"),
        ("drm-show", {"drm": "d", "buffer": "b", "width": 8, "height": 8, "format": "NV12"}, "'format' must"),
        ("drm-crc", {"drm": "d"}, "unknown drm 'd'"),
    ],
)
def test_requests_that_make_no_sense(
    agent: AgentProcess,
    op: str,
    arguments: dict[str, object],
    why: str,
) -> None:
    assert why in agent.ask(op, **arguments)["protocol"]
