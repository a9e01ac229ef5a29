# SPDX-License-Identifier: GPL-2.0-or-later
"""A long job is never silent."""

import io
import time

import pytest

from dmabed.build.progress import BarProgress, LineProgress, seconds
from dmabed.build.qemu import count_ninja


def test_lines_tell_start_life_and_end() -> None:
    stream = io.StringIO()
    with LineProgress(stream, heartbeat=0.02).task("building X") as task:
        task.advance(3, 10, "a.c")
        time.sleep(0.2)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "building X ..."
    assert any("[3/10] a.c" in line for line in lines[1:-1])
    assert lines[-1].startswith("building X: done in ")


def test_a_failure_is_not_told_as_done() -> None:
    stream = io.StringIO()
    with pytest.raises(RuntimeError), LineProgress(stream).task("building X"):
        raise RuntimeError
    assert stream.getvalue().splitlines()[-1].startswith("building X: failed after ")


def test_the_bar_leaves_a_line() -> None:
    stream = io.StringIO()
    with BarProgress(stream).task("building X") as task:
        task.advance(1, 2, "[odd/markup]")
    assert "building X: done in " in stream.getvalue()


def test_ninja_is_understood() -> None:
    told: list[tuple[int, int | None, str]] = []

    class Task:
        def advance(self, done: int, total: int | None = None, detail: str = "") -> None:
            told.append((done, total, detail))

    for line in ("[12/1300] Compiling C object libx.a.p/hw_dma_x.c.o", "warning: unused [3/4]"):
        count_ninja(Task(), line)
    assert told == [(12, 1300, "libx.a.p/hw_dma_x.c.o")]


@pytest.mark.parametrize(("value", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (245.9, "4 min 05 s")])
def test_durations(value: float, text: str) -> None:
    assert seconds(value) == text
