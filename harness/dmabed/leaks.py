# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario left behind: counts from before its first step against those after its reset. Pure.

A count that could not be had is None, and a name that is missing was never
told: neither is a zero.
"""

from __future__ import annotations

from collections.abc import Mapping

Counts = Mapping[str, int | None]

# names that are told only where there is something: a missing one is none
ALLOCATIONS = "allocations at "

# one, and several, of what is counted
_NOUNS = {
    "fds": ("file descriptor of the agent", "file descriptors of the agent"),
    "dma-bufs": ("dma-buf", "dma-bufs"),
    "dma-buf statistics": ("entry of dma-buf statistics", "entries of dma-buf statistics"),
    "pages of CMA": ("page of CMA memory", "pages of CMA memory"),
    "live buffers": ("buffer", "buffers"),
    "live attachments": ("attachment", "attachments"),
    "live mappings": ("mapping", "mappings"),
    "live pages": ("page of storage", "pages of storage"),
    "live jobs": ("job", "jobs"),
    "live posted-buffers": ("posted buffer", "posted buffers"),
    "live posted-attachments": ("posted attachment", "posted attachments"),
    "live posted-lists": ("posted scatterlist", "posted scatterlists"),
    "live merged-buffers": ("merged buffer", "merged buffers"),
    "live merged-attachments": ("merged attachment", "merged attachments"),
    "live merged-tables": ("merged sg_table", "merged sg_tables"),
    "live handles": ("handle", "handles"),
}

# the first word of names that say where something is
_SINGULAR = {
    "jobs": "job",
    "references": "reference",
    "entries": "entry",
    "interrupts": "interrupt",
    "errors": "error",
    "allocations": "allocation",
}


def left_behind(before: Counts, after: Counts) -> tuple[str, ...]:
    """A sentence for each kind of thing of which there is more than before."""
    sentences = []
    for name in (*before, *(name for name in after if name not in before)):
        count, now = _count(before, name), _count(after, name)
        if count is not None and now is not None and now > count:
            sentences.append(_sentence(name, now - count))
    return tuple(sentences)


def gone(before: Counts, after: Counts) -> tuple[str, ...]:
    """Names that were counted before and could not be afterwards."""
    return tuple(name for name, count in before.items() if count is not None and _count(after, name) is None)


def undercut(before: Counts, after: Counts) -> tuple[str, ...]:
    """A sentence for each count that fell: something was given back twice.

    Not of allocations: a driver that was unbound has fewer.
    """
    sentences = []
    for name, count in before.items():
        now = after.get(name)
        if count is not None and now is not None and now < count and not name.startswith(ALLOCATIONS):
            sentences.append(f"there are {count - now} fewer {_noun(name, 2)} than before")
    return tuple(sentences)


def is_settled(before: Counts, after: Counts) -> bool:
    """Nothing to wait for any more."""
    return not left_behind(before, after)


def _count(counts: Counts, name: str) -> int | None:
    return counts.get(name, 0 if name.startswith(ALLOCATIONS) else None)


def _sentence(name: str, more: int) -> str:
    return f"{more} {_noun(name, more)} {'was' if more == 1 else 'were'} left"


def _noun(name: str, number: int) -> str:
    if name in _NOUNS:
        return _NOUNS[name][number != 1]
    plain = name.removeprefix("live ").replace("references to ", "references to the module ")
    many, _space, rest = plain.partition(" ")
    return f"{_SINGULAR[many]} {rest}" if number == 1 and many in _SINGULAR else plain
