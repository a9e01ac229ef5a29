# SPDX-License-Identifier: GPL-2.0-or-later
"""How a long job tells that it lives: a bar on a terminal, plain lines elsewhere.

Plain output says something at least every ``HEARTBEAT`` seconds, so that a CI
log never has a silent minute.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import ProgressColumn, TaskID

HEARTBEAT = 15.0  # seconds; half a minute of silence already looks like a hang


class Task(Protocol):
    """One job that is under way."""

    def advance(self, done: int, total: int | None = None, detail: str = "") -> None:
        """Tell how far it is; a total of None means that the end is not known."""


class Progress(Protocol):
    """Where jobs report."""

    def task(self, title: str) -> AbstractContextManager[Task]:
        """Report one job from start to end."""

    def note(self, text: str) -> None:
        """Say one line."""


def reporter(stream: TextIO | None = None) -> Progress:
    """The reporter that suits the stream (standard error by default)."""
    stream = stream or sys.stderr
    return BarProgress(stream) if stream.isatty() else LineProgress(stream)


class _SilentTask:
    def advance(self, done: int, total: int | None = None, detail: str = "") -> None:
        pass


class SilentProgress:
    """Says nothing: for tests, and for callers that have a display of their own."""

    @contextmanager
    def task(self, title: str) -> Iterator[Task]:
        yield _SilentTask()

    def note(self, text: str) -> None:
        pass


class _LineTask:
    """The last known state of a job; a thread prints it from time to time."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self._state = ""

    def advance(self, done: int, total: int | None = None, detail: str = "") -> None:
        share = f"[{done}/{total}]" if total else f"[{done}]"
        self._state = f"{share} {detail}".rstrip()

    def line(self) -> str:
        return f"  {self.title}: {seconds(self.elapsed())} {self._state}".rstrip()

    def elapsed(self) -> float:
        return time.monotonic() - self.started


class LineProgress:
    """Plain lines: the start, a sign of life now and then, and how long it took."""

    def __init__(self, stream: TextIO, heartbeat: float = HEARTBEAT) -> None:
        self._stream = stream
        self._heartbeat = heartbeat

    @contextmanager
    def task(self, title: str) -> Iterator[Task]:
        self.note(f"{title} ...")
        task, ended = _LineTask(title), threading.Event()
        beat = threading.Thread(target=self._beat, args=(task, ended), daemon=True)
        beat.start()
        outcome = "failed after"
        try:
            yield task
            outcome = "done in"
        finally:
            ended.set()
            beat.join()
            self.note(f"{title}: {outcome} {seconds(task.elapsed())}")

    def note(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def _beat(self, task: _LineTask, ended: threading.Event) -> None:
        while not ended.wait(self._heartbeat):
            self.note(task.line())


class BarProgress:
    """A live bar; what is done stays as a line."""

    def __init__(self, stream: TextIO) -> None:
        # rich takes 50 ms to import, and a warm run shows no bar
        from rich.console import Console

        self._console = Console(file=stream, highlight=False)

    @contextmanager
    def task(self, title: str) -> Iterator[Task]:
        from rich.progress import Progress as Bars

        started = time.monotonic()
        outcome = "failed after"
        try:
            with Bars(*_bar_columns(), console=self._console, transient=True) as bars:
                yield _BarTask(bars, bars.add_task(title, total=None, detail=""))
            outcome = "done in"
        finally:
            self.note(f"{title}: {outcome} {seconds(time.monotonic() - started)}")

    def note(self, text: str) -> None:
        self._console.print(text, markup=False)


def _bar_columns() -> tuple[ProgressColumn, ...]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

    return (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
    )


class _BarTask:
    DETAIL_WIDTH = 40

    def __init__(self, bars: Bars, task_id: TaskID) -> None:
        self._bars, self._id = bars, task_id

    def advance(self, done: int, total: int | None = None, detail: str = "") -> None:
        self._bars.update(self._id, completed=done, total=total, detail=detail[-self.DETAIL_WIDTH :])


def seconds(value: float) -> str:
    """A duration for people: ``12.3 s`` or ``4 min 05 s``."""
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value) // 60} min {int(value) % 60:02d} s"
