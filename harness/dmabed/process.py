# SPDX-License-Identifier: GPL-2.0-or-later
"""A child process that can't outlive the harness.

``setpriv --pdeathsig KILL`` asks the kernel to kill the child when the thread
that started it ends, so even SIGKILL of the harness leaves nothing behind. The
signal is not sent for a parent that died *before* the request; the shell in
between closes that gap by comparing its parent with the one it was told.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from dmabed.errors import LaunchError, SetupError
from dmabed.files import named

_GUARD = '[ "$PPID" = "$DMABED_PARENT" ] || exit 125; unset DMABED_PARENT; exec "$@"'


def _guarded(argv: Sequence[str]) -> list[str]:
    return ["setpriv", "--pdeathsig", "KILL", "sh", "-c", _GUARD, "dmabed", *argv]


_live: set[Child] = set()
_live_lock = threading.Lock()


def kill_all() -> None:
    """End every child of this harness at once; their owners see that they died."""
    with _live_lock:
        children = list(_live)
    for child in children:
        child.kill()


class Child:
    """A running child, its output in a file, its end always collected."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        output: Path | None,
        pass_fds: Sequence[int] = (),
        foreground: bool = False,
    ) -> None:
        """Start ``argv``. ``output`` takes stdout and stderr; ``foreground``
        leaves the terminal to the child instead (``dmabed shell``)."""
        self.argv = list(argv)
        self.output = output
        log = None if output is None else _opened(output)
        try:
            self._popen = subprocess.Popen(
                _guarded(argv),
                stdin=None if foreground else subprocess.DEVNULL,
                stdout=None if foreground else log,
                stderr=None if foreground else log,
                pass_fds=tuple(pass_fds),
                # a Ctrl-C is the harness's to handle; the child ends by its order
                start_new_session=not foreground,
                env={**os.environ, "DMABED_PARENT": str(os.getpid())},
            )
        except FileNotFoundError as error:
            raise SetupError(
                "setpriv is missing", hint="it is part of Debian's util-linux: apt-get install util-linux"
            ) from error
        except OSError as error:
            raise LaunchError(f"cannot start {argv[0]}", why=str(error)) from error
        finally:
            if log is not None:
                log.close()
        with _live_lock:
            _live.add(self)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def status(self) -> int | None:
        """Exit status (negative: the signal), None while it runs."""
        return self._popen.poll()

    def wait(self, seconds: float | None = None) -> int | None:
        """The exit status, or None when it still runs after ``seconds``."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> int:
        """Make sure that it has ended, and return its exit status."""
        if self._popen.poll() is None:
            self._popen.kill()
        with _live_lock:
            _live.discard(self)
        return self._popen.wait()

    def said(self, limit: int = 4096) -> str:
        """The end of its output, at most ``limit`` bytes."""
        return tail(self.output, limit) if self.output else ""


def _opened(output: Path) -> BinaryIO:
    with named(output):
        return output.open("wb")


def describe_status(status: int) -> str:
    """``exit status 1`` or ``signal SIGKILL``, for messages."""
    if status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"exit status {status}"


def tail(path: Path, limit: int = 4096) -> str:
    """The last ``limit`` bytes of a log as text, from a line's start; '' if there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit))
            data = file.read()
    except OSError:
        return ""
    if size > limit:
        data = data.partition(b"\n")[2]
    return data.decode("utf-8", "replace")
