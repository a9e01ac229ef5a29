# SPDX-License-Identifier: GPL-2.0-or-later
"""Buffers get to the process that uses them first, and stay nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from recorded import load

from dmabed.agent import Answer
from dmabed.errors import InputError
from dmabed.holders import Holders

Asked = list[tuple[str, dict[str, Any]]]


def played(folder: Path, steps: str) -> tuple[Asked, Holders]:
    """The requests that the steps' buffers cause."""
    asked: Asked = []

    def ask(op: str, arguments: Mapping[str, Any]) -> Answer:
        asked.append((op, dict(arguments)))
        return Answer(True, {})

    holders = Holders(ask)
    for step in load(folder, steps).steps:
        holders.bring(step)
        holders.note(step)
    return asked, holders


def test_the_agents_buffer_is_passed_once(tmp_path: Path) -> None:
    steps = """
  - export: {buffer: frame, size: 64KiB}
  - cpu-write: {buffer: frame, seed: 1}
    process: one
  - cpu-digest: {buffer: frame}
    process: one
"""
    asked, holders = played(tmp_path, steps)
    assert asked == [("pass", {"buffer": "frame", "to": "one"})]
    assert holders.of("frame") == {}


def test_between_processes_the_agent_keeps_nothing(tmp_path: Path) -> None:
    steps = """
  - export: {buffer: frame, size: 64KiB}
    process: one
  - cpu-digest: {buffer: frame}
    process: two
  - exit-process: {name: one}
"""
    asked, holders = played(tmp_path, steps)
    assert asked == [
        ("pass", {"buffer": "frame", "from": "one"}),
        ("pass", {"buffer": "frame", "to": "two"}),
        ("close", {"buffer": "frame"}),
    ]
    assert holders.of("frame") == {"process": "two"}


def test_nobody_has_it_any_more(tmp_path: Path) -> None:
    steps = """
  - export: {buffer: frame, size: 64KiB}
    process: one
  - exit-process: {name: one, how: kill}
"""
    assert played(tmp_path, steps)[1].of("frame") is None


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (
            """
  - export: {buffer: frame, size: 64KiB}
  - attach: {device: codec, buffer: frame}
  - fill: {device: codec, buffer: frame, seed: 1}
    process: one
""",
            "process 'one' has not attached codec to 'frame' here",
        ),
        (
            """
  - export: {buffer: frame, size: 64KiB}
    process: one
  - exit-process: {name: one}
  - cpu-digest: {buffer: frame}
""",
            "buffer 'frame' was closed before",
        ),
        ("\n  - exit-process: {name: one}\n", "there is no process 'one' here"),
        (
            """
  - export: {buffer: frame, size: 64KiB}
  - attach: {device: codec, buffer: frame}
    process: one
  - submit: {device: codec, operation: digest, buffer: frame}
    process: one
    as: job
  - wait: {job: job}
""",
            "job 'job' was submitted by one",
        ),
        ("\n  - wait-fence: {fence: gone}\n", "there is no fence 'gone' here"),
        (
            """
  - export: {buffer: frame, size: 64KiB}
  - attach: {device: codec, buffer: frame}
  - fill: {device: codec, buffer: frame, seed: 1}
  - guest-test: {tests: [C9]}
""",
            "a scenario with guest tests has no jobs of its own",
        ),
    ],
)
def test_stories_that_make_no_sense(tmp_path: Path, steps: str, why: str) -> None:
    with pytest.raises(InputError) as raised:
        load(tmp_path, steps)
    assert why in str(raised.value)
