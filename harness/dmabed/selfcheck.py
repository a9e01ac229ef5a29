# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guest's kernel found out about itself, as events of a transcript.

The console is read in every kernel. A kernel with kmemleak is asked for memory
that nobody points to any more; only the subject's own counts.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from pathlib import Path

from dmabed import knownsplats, splat
from dmabed.agent import Agent
from dmabed.errors import AgentError
from dmabed.knownsplats import SUBJECT
from dmabed.transcript import Event, EventKind

KMEMLEAK = "/sys/kernel/debug/kmemleak"
# an object counts as lost 5 s after it was allocated, if two scans found the same
# bytes in it and no pointer to it (mm/kmemleak.c: MSECS_MIN_AGE, update_checksum)
SCAN = f"echo scan > {KMEMLEAK}; sleep 6; echo scan > {KMEMLEAK}"
SCAN_SECONDS = 120.0  # each scan takes 7 s on an idle host
READ_LIMIT = 256 << 10


def console_of(directory: Path) -> str:
    """The consoles of a guest's folder: its boot's, then its own."""
    logs = sorted(directory.glob("*console.log"))  # boot-console.log comes first
    return "\n".join(log.read_text(errors="replace") for log in logs)


def of_console(console: str) -> tuple[list[Event], list[str]]:
    """What a console holds against the kernel; beside it, remarks on reports that are about other code."""
    found = splat.complaints(console)
    known = knownsplats.load() if found.splats else knownsplats.Listed()
    names = {each: known.splat(each) for each in found.splats}
    events = [
        Event(EventKind.SPLAT, f"{each.kind}: {each.beginning}") for each in found.splats if not names[each]
    ]
    missing = [
        Event(EventKind.NO_SPLAT, f"a test announced a report with {text!r}, and none came")
        for text in found.missing
    ]
    return events + missing, [f"the kernel's known report '{name}' came" for name in _told(names.values())]


def of_memory(agent: Agent) -> tuple[list[Event], list[str]]:
    """The subject's lost memory, where the kernel keeps count; beside it, remarks on what is not lost.

    Everything is given back before.
    """
    try:
        if not agent.call("read", path=KMEMLEAK, limit=1).ok:
            return [], []
        report = _scanned(agent)
    except AgentError as error:
        return [Event(EventKind.AGENT_SILENT, f"while it looked for lost memory: {error}")], []
    objects = lost(report)
    known = knownsplats.load() if objects else knownsplats.Listed()
    names = {text: known.leak(frames(text)) for text in objects}
    events = [Event(EventKind.LEAK, text) for text in objects if not names[text]]
    return events, [f"kmemleak does not see who has '{name}'" for name in _told(names.values())]


def _told(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, names)))


def _scanned(agent: Agent) -> str:
    """The report after two scans. AgentError when there is none: that is not a clean one."""
    agent.call("reset")
    scan = agent.call("run", SCAN_SECONDS, argv=["sh", "-c", SCAN], timeout_ms=-1)
    answer = agent.call("read", path=KMEMLEAK, limit=READ_LIMIT)
    if scan.result.get("status") != 0 or not answer.ok:
        raise AgentError("the kernel could not be scanned", why=f"{scan.as_dict()} {answer.why}")
    return base64.b64decode(answer.result["data"]).decode(errors="replace")


def lost(report: str) -> list[str]:
    """Those objects of a kmemleak report that the subject allocated, without their bytes."""
    objects = re.split(r"^(?=unreferenced object )", report, flags=re.M)
    return [_without_bytes(text) for text in objects if SUBJECT.search(_backtrace(text))]


def _backtrace(text: str) -> str:
    return text.partition("backtrace")[2]


def _without_bytes(text: str) -> str:
    head = text.partition("  hex dump")[0].strip()
    return "\n".join([head, *(line.strip() for line in _backtrace(text).splitlines()[1:])])


def frames(text: str) -> str:
    """The backtrace in one of the objects of :func:`lost`: what follows its two lines of head."""
    return text.split("\n", 2)[2]
