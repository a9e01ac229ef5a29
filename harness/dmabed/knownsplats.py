# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports of the kernel about code that is not the subject, and memory that it only seems to have lost.

They stand in configs/known-splats.yaml: a list, so that each has its reason and its place in the source;
narrow, so that another report of the same kind is still told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dmabed import paths, yamlfile
from dmabed.splat import Splat

FILE = paths.CONFIGS / "known-splats.yaml"

# frames of our modules, and of drivers/dma-buf
SUBJECT = re.compile(r"\[dmabed|\b(dma_(buf|fence|resv|heap)|sync_file|sw_sync|udmabuf|system_heap|cma_heap)")

# the function of a line of a backtrace
FRAME = re.compile(r"^.*?([\w.]+)\+0x", re.M)
# what stands above the caller in kmemleak's backtraces
ALLOCATOR = re.compile(r"(kmemleak|__?kmalloc|kmalloc|kmem_cache|kvmalloc|krealloc|__alloc|alloc_pages)")


@dataclass(frozen=True)
class Known:
    """One such report."""

    name: str
    contains: tuple[str, ...]
    mentions: tuple[str, ...] = ()

    def is_it(self, splat: Splat) -> bool:
        """Has the report all of its texts, and no more of the subject than it mentions?"""
        whole = "\n".join(splat.lines)
        return all(text in whole for text in self.contains) and not SUBJECT.search(self._unmentioned(whole))

    def _unmentioned(self, whole: str) -> str:
        for text in self.mentions:
            whole = re.sub(rf"\b{re.escape(text)}\b", "", whole)
        return whole


@dataclass(frozen=True)
class KnownLeak:
    """Memory whose address is where kmemleak does not look."""

    name: str
    allocated_in: str

    def is_it(self, backtrace: str) -> bool:
        """Is it this function that asked the allocator?"""
        callers = (name for name in FRAME.findall(backtrace) if not ALLOCATOR.match(name))
        return next(callers, "") == self.allocated_in


@dataclass(frozen=True)
class Listed:
    """All that is listed."""

    splats: tuple[Known, ...] = ()
    leaks: tuple[KnownLeak, ...] = ()

    def splat(self, splat: Splat) -> str:
        """Which one it is, '' if none."""
        return next((each.name for each in self.splats if each.is_it(splat)), "")

    def leak(self, backtrace: str) -> str:
        """Which one it is, '' if none. ``backtrace`` is of a kmemleak report, a frame a line."""
        return next((each.name for each in self.leaks if each.is_it(backtrace)), "")


def load() -> Listed:
    """The list. Raises InputError."""
    document = yamlfile.load(FILE, "known-splats")
    return Listed(
        tuple(
            Known(each["name"], tuple(each["contains"]), tuple(each.get("mentions", ())))
            for each in document.data["splats"]
        ),
        tuple(KnownLeak(each["name"], each["allocated-in"]) for each in document.data["leaks"]),
    )
