# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports of the kernel about code that is not the subject: configs/known-splats.yaml.

A list, so that each has its reason and its place in the source; narrow, so that another
report of the same kind is still told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dmabed import paths, yamlfile
from dmabed.splat import Splat

FILE = paths.CONFIGS / "known-splats.yaml"

# frames of our modules, and of drivers/dma-buf
SUBJECT = re.compile(r"\[dmabed|\b(dma_(buf|fence|resv|heap)|sync_file|sw_sync|udmabuf|system_heap|cma_heap)")


@dataclass(frozen=True)
class Known:
    """One such report."""

    name: str
    contains: tuple[str, ...]
    callers: tuple[str, ...] = ()

    def is_it(self, splat: Splat) -> bool:
        """Has the report all of its texts, and no more of the subject than its callers?"""
        whole = "\n".join(splat.lines)
        return all(text in whole for text in self.contains) and not SUBJECT.search(
            self._without_callers(whole)
        )

    def _without_callers(self, whole: str) -> str:
        for frame in self.callers:
            whole = re.sub(rf"\b{re.escape(frame)}\+0x", "+0x", whole)
        return whole


def load() -> tuple[Known, ...]:
    """The list. Raises InputError."""
    document = yamlfile.load(FILE, "known-splats")
    return tuple(
        Known(each["name"], tuple(each["contains"]), tuple(each.get("callers", ())))
        for each in document.data["splats"]
    )


def name_of(splat: Splat, known: Sequence[Known]) -> str:
    """Which one it is, '' if none."""
    return next((each.name for each in known if each.is_it(splat)), "")
