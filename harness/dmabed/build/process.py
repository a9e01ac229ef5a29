# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs build tools: output goes to a log and, line by line, to whoever counts progress."""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dmabed.errors import BuildError, SetupError, TestbedError

TAIL_LINES = 25  # of the log, in an error message
DISK_FULL = re.compile(r"No space left on device|Disk quota exceeded|not enough free space", re.IGNORECASE)

# What builds may see of the caller's environment; the rest (CFLAGS, PYTHONPATH, MAKEFLAGS,
# a foreign locale) would change what is built without being part of its key.
KEPT_ENVIRONMENT = ("HOME", "PATH", "TMPDIR", "LOGNAME", "USER")


def jobs() -> int:
    """How many compilers run at a time: the CPUs we may use, or ``DMABED_JOBS``."""
    wanted = os.environ.get("DMABED_JOBS", "")
    return int(wanted) if wanted.isdigit() and int(wanted) else len(os.sched_getaffinity(0))


def run(
    argv: Sequence[str | Path],
    *,
    log: Path,
    what: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    chatter: re.Pattern[str] | None = None,
    error: type[TestbedError] = BuildError,
    hint: str = "",
) -> None:
    """Run a tool to its end, appending to the log; raise ``error`` with the log's tail if it fails.

    Lines that match ``chatter`` say only that work goes on: they stay out of the tail.
    """
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with log.open("a", errors="replace") as out:
        out.write(f"$ {' '.join(map(str, argv))}\n")
        out.flush()
        process = _start(argv, cwd, env)
        try:
            status = _follow(process, out.write, tail, on_line, chatter)
        except BaseException:
            process.terminate()  # ninja and make end their compilers then
            raise
        finally:
            process.wait()
    if status:
        _fail(what, status, "".join(tail), log, error, hint)


def output(argv: Sequence[str | Path], *, what: str, env: Mapping[str, str] | None = None) -> str:
    """What a short command prints on standard output."""
    try:
        done = subprocess.run(
            [str(word) for word in argv], env=environment(env), capture_output=True, text=True, check=True
        )
    except FileNotFoundError as missing:
        raise _not_installed(argv) from missing
    except subprocess.CalledProcessError as failed:
        raise BuildError(f"{what} failed", why=failed.stderr.strip()) from failed
    return done.stdout


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of build tools."""
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8"} | dict(extra or {})


def _start(
    argv: Sequence[str | Path], cwd: Path | None, env: Mapping[str, str] | None
) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            [str(word) for word in argv],
            cwd=cwd,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as missing:
        raise _not_installed(argv) from missing


def _follow(
    process: subprocess.Popen[str],
    write: Callable[[str], int],
    tail: deque[str],
    on_line: Callable[[str], None] | None,
    chatter: re.Pattern[str] | None,
) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        write(line)
        if not (chatter and chatter.match(line)):
            tail.append(line)
        if on_line:
            on_line(line.rstrip("\n"))
    return process.wait()


def _fail(what: str, status: int, tail: str, log: Path, error: type[TestbedError], hint: str) -> None:
    if DISK_FULL.search(tail):
        raise SetupError(
            f"{what} failed: the disk is full",
            why=tail,
            hint="a complete build takes about 10 GB; point XDG_CACHE_HOME at a larger disk",
        )
    how = f"signal {-status}" if status < 0 else f"status {status}"
    raise error(f"{what} failed with {how}; its log: {log}", why=tail, hint=hint)


def _not_installed(argv: Sequence[str | Path]) -> SetupError:
    return SetupError(f"{argv[0]} is not installed", hint="`dmabed doctor` says which package has it")
