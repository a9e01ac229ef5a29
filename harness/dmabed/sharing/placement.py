# SPDX-License-Identifier: GPL-2.0-or-later
"""The exporters of the matrix, and where each puts a buffer. Pure.

A placement is what can be said of storage before it is allocated: which RAM its pages come from,
whether they follow each other, and in entries of which size they are mapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dmabed import ranges
from dmabed.layout import Reserved
from dmabed.ranges import Run
from dmabed.sharing.belief import Importer
from dmabed.sharing.zones import MIB, Memory

# The heap's orders 8, 4, 0 (drivers/dma-buf/heaps/system_heap.c:54), of pages of 4 KiB
HEAP_ORDERS = (8, 4, 0)

# pageblock_order is HUGETLB_PAGE_ORDER (include/linux/pageblock-flags.h:44): a huge page is what one table of
# 8-byte entries maps. `high` storage is taken block by block from the top downwards (core/storage.c), so that
# blocks never follow each other upwards.
TABLE_ENTRY = 8

# of free RAM: page blocks at its very top may have pages of the kernel that can't move
TOP = 128 * MIB


class Exporter(Enum):
    """Who owns the buffer, and in what state it is when the importer comes."""

    AUTO = "auto"
    """Ours: nothing is allocated before it knows who is attached."""
    IN_USE = "auto-in-use"
    """Ours, dynamic: it has its storage, at the top of RAM, when the importer comes."""
    STATIC = "static-in-use"
    """Ours, static: another device has it mapped, so that it cannot move."""
    SCATTERED = "scattered"
    """Ours: single pages, and nothing else."""
    CONTIGUOUS = "contiguous"
    """Ours: one run of the default CMA area, or of that which the importer names, and nothing else."""
    HIGH = "unconstrained-high"
    """Ours, as exporters are that ask nobody: at the top of RAM."""
    SYSTEM_HEAP = "system-heap"
    CMA_HEAP = "cma-heap"
    UDMABUF = "udmabuf"
    """Of a memfd, its pages in an order in which none follows its neighbour."""

    @property
    def ours(self) -> bool:
        return self not in (Exporter.SYSTEM_HEAP, Exporter.CMA_HEAP, Exporter.UDMABUF)


class Follow(Enum):
    """Do the entries of a list follow each other in memory?"""

    YES = "one run"
    NO = "scattered"
    OPEN = "as the page allocator has it"


@dataclass(frozen=True)
class Placement:
    name: str
    """For people: what storage this is."""
    ram: tuple[Run, ...]
    """Where its pages can be."""
    follow: Follow
    entry: int
    """The largest entry of the list that is mapped."""


def favourite(memory: Memory, follow: Follow, entry: int, highest: str = "Normal") -> Placement:
    """Pages as the page allocator gives them."""
    zones = memory.favourite(highest)
    names = " or ".join(f"ZONE_{zone.name.upper()}" for zone in zones)
    ram = ranges.union(run for zone in zones for run in zone.ram)
    return Placement(f"pages of {names}", ram, follow, entry)


def high(memory: Memory, size: int) -> Placement:
    """The highest page blocks of RAM."""
    top = next(zone for zone in reversed(memory.zones) if zone.ram)
    end = top.ram[-1].end
    follow = Follow.YES if size <= pageblock(memory.page) else Follow.NO
    ram = ranges.common(top.ram, [Run(max(end - TOP, 0), min(TOP, end))])
    return Placement(f"the top of ZONE_{top.name.upper()}", ram, follow, size)


def pageblock(page: int) -> int:
    return page * (page // TABLE_ENTRY)


def region_of(users: tuple[Importer, ...]) -> Reserved | None:
    """What the users ask for; where two ask for different ones nothing is possible anyway."""
    return next((user.region for user in users if user.region), None)


def contiguous(memory: Memory, size: int, users: tuple[Importer, ...] = ()) -> Placement:
    """One run of the users' area, or the default one, which gives no single page (dma_alloc_contiguous())."""
    region = region_of(users)
    if region:
        return Placement(f"the CMA area {region.name}", (region.run,), Follow.YES, size)
    if size <= memory.page or memory.cma is None:
        return favourite(memory, Follow.YES, size)
    return Placement("the CMA area", (memory.cma,), Follow.YES, size)


def single_pages(memory: Memory, size: int, highest: str = "Normal") -> Placement:
    follow = Follow.YES if size <= memory.page else Follow.OPEN
    return favourite(memory, follow, size, highest)


def system_heap(memory: Memory, size: int) -> Placement:
    """The largest chunks first; in a fresh guest there are always some (system_heap.c:310-342)."""
    entry = next(memory.page << order for order in HEAP_ORDERS if memory.page << order <= size or not order)
    return favourite(memory, Follow.YES if entry >= size else Follow.OPEN, min(entry, size))


def cma_heap(memory: Memory, size: int) -> Placement:
    """One entry, however large; the heap takes single pages from its area too (cma_heap.c:290-300)."""
    area = memory.cma or memory.zones[0].span
    return Placement("the CMA area", (area,), Follow.YES, size)


def udmabuf(memory: Memory, size: int) -> Placement:
    """One entry for each page (drivers/dma-buf/udmabuf.c:110-118)."""
    return favourite(memory, Follow.YES if size <= memory.page else Follow.NO, memory.page)


# ---- our exporter's choice: core/backing.c and core/storage.c ----


def choices(memory: Memory, users: tuple[Importer, ...], size: int, *, at_top: bool) -> tuple[Placement, ...]:
    """What storage auto would take, in order; nothing when none can suit these devices."""
    found = []
    listable = all(user.translated or user.takes_pages(size) for user in users)
    if listable and _reached(memory, users, "Normal"):
        found.append(high(memory, size) if at_top else single_pages(memory, size))
    low = low_zone(memory, users)
    if listable and low:
        found.append(single_pages(memory, size, low))
    if contiguous_possible(memory, users, size):
        found.append(contiguous(memory, size, users))
    region = region_of(users)
    if region and region.kind == "pool" and _run_possible(users, size, [region.run]):
        found.append(Placement(f"the pool {region.name}", (region.run,), Follow.YES, size))
    return tuple(found)


def low_zone(memory: Memory, users: tuple[Importer, ...]) -> str:
    """The highest low zone that all reach with all below it: low_zone_flag()."""
    for name in ("DMA32", "DMA"):
        if _reached(memory, users, name) and (name == "DMA32" or memory.zone("DMA")):
            return name
    return ""


def pages_possible(memory: Memory, users: tuple[Importer, ...], size: int) -> bool:
    """Can it be single pages of any zone?"""
    listable = all(user.translated or user.takes_pages(size) for user in users)
    return listable and _reached(memory, users, "Normal")


def contiguous_possible(memory: Memory, users: tuple[Importer, ...], size: int) -> bool:
    """contiguous_reached() and run_listable()."""
    region = region_of(users)
    if region:
        return region.kind == "cma" and _run_possible(users, size, [region.run])
    areas = [memory.cma] if memory.cma else [zone.span for zone in memory.zones]
    return _run_possible(users, size, areas)


def _run_possible(users: tuple[Importer, ...], size: int, areas: list[Run]) -> bool:
    if not all(user.translated or user.takes_run(size) for user in users):
        return False
    return any(all(user.holds_part(area, size) for user in users) for area in areas)


def _reached(memory: Memory, users: tuple[Importer, ...], highest: str) -> bool:
    """Does everybody reach every zone up to this one, holes and all? zones_reached()."""
    order = ("DMA", "DMA32", "Normal")
    zones = [zone for zone in memory.zones if order.index(zone.name) <= order.index(highest)]
    return all(user.holds(zone.span) for zone in zones for user in users)


def page_rounded(size: int, page: int) -> int:
    """A buffer has whole pages."""
    return -(-size // page) * page
