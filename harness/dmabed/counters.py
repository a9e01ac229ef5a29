# SPDX-License-Identifier: GPL-2.0-or-later
"""The counters of guests whose kernel counts its lines: read from each, added up by gcov-tool.

Counts are of a guest since its boot. Restores of one snapshot all hold the
counts of that boot, which are then added once for each: harmless, since a
report asks which lines ran, not how often.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from dmabed.agent import Agent
from dmabed.build.kernel import COUNTED
from dmabed.build.toolchain import CROSS
from dmabed.errors import AgentError, TestbedError

IN_GUEST = "/sys/kernel/debug/gcov"  # Documentation/dev-tools/gcov.rst
READ_SECONDS = 30.0
READ_LIMIT = 512 << 10  # the agent's most; a file of counters has less than 30 KiB


class Counters:
    """The sum of all guests, as ``folder/COUNTED/**.gcda``; guests may come from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.guests = 0
        self._lock = threading.Lock()

    def add(self, agent: Agent) -> None:
        """Read a guest's counters and add them. AgentError when it has none."""
        files = _read(agent)
        with self._lock, tempfile.TemporaryDirectory(dir=self.folder.parent) as scratch:
            one = Path(scratch) / "one"
            for name, content in files.items():
                place = one / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            self._merge(one, Path(scratch) / "sum")
            self.guests += 1

    def _merge(self, one: Path, total: Path) -> None:
        if not self.folder.exists():
            one.rename(self.folder)
            return
        _run("adding counters", f"{CROSS}gcov-tool", "merge", "-o", str(total), str(self.folder), str(one))
        shutil.rmtree(self.folder)
        total.rename(self.folder)


def _read(agent: Agent) -> dict[str, bytes]:
    """The counted files of a guest by their names below Linux's tree."""
    argv = ["find", IN_GUEST, "-name", "*.gcda", "-path", f"*/{COUNTED}/*"]
    found = agent.call("run", READ_SECONDS, argv=argv)
    paths = base64.b64decode(found.result.get("stdout", "")).decode().split()
    if not paths:
        raise AgentError("this guest's kernel counts nothing", hint="it takes --variant coverage")
    return {path[path.rindex(COUNTED) :]: _content(agent, path) for path in paths}


def _content(agent: Agent, path: str) -> bytes:
    answer = agent.call("read", READ_SECONDS, path=path, limit=READ_LIMIT)
    if not answer.ok or answer.result.get("truncated"):
        raise AgentError(f"{path} could not be read", why=answer.why)
    return base64.b64decode(answer.result["data"])


def _run(what: str, *argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TestbedError(f"{what} failed", why=done.stdout + done.stderr)
