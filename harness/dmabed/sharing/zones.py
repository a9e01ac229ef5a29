# SPDX-License-Identifier: GPL-2.0-or-later
"""A layout's RAM as Linux 6.12 on arm64 divides it: zones, the default CMA area, the bounce pool. Pure.

File and line numbers are of Linux 6.12.117.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dmabed import ranges
from dmabed.layout import Device, Layout
from dmabed.ranges import Run

FOUR_GIB = 1 << 32
MIB = 1 << 20

PAGE_OF_VARIANT = {"pages16k": 16384}  # by the kernel variant that a layout asks for

# IO_TLB_DEFAULT_SIZE (include/linux/swiotlb.h:35)
DEFAULT_POOL = 64 * MIB
# swiotlb_adjust_size() keeps whole segments of 128 slots of 2 KiB (kernel/dma/swiotlb.c:185; swiotlb.h:26,32)
POOL_SEGMENT = 256 << 10

# of one page, as arm64 has it (include/linux/mm_types.h)
PAGE_STRUCT = 64

# A zone with less is not counted on.
ROOM = 64 * MIB


@dataclass(frozen=True)
class Zone:
    """``span`` is what the kernel calls the zone, holes included; ``ram`` what of it pages come from."""

    name: str
    span: Run
    ram: tuple[Run, ...]

    @property
    def room(self) -> int:
        return ranges.total(self.ram)


@dataclass(frozen=True)
class Memory:
    """All that the DMA core and the page allocator know of a layout's RAM."""

    page: int
    zones: tuple[Zone, ...]  # from the lowest
    cma: Run | None
    pool: Run
    """About where swiotlb is."""
    pool_size: int
    required: int
    """The last byte of RAM: dma_get_required_mask() is the mask that holds it."""

    @property
    def ram(self) -> tuple[Run, ...]:
        return ranges.union(run for zone in self.zones for run in zone.ram)

    def zone(self, name: str) -> Zone | None:
        return next((zone for zone in self.zones if zone.name == name), None)

    def favourite(self, highest: str = "Normal") -> tuple[Zone, ...]:
        """The zones that an allocation of ``highest`` and below may end in.

        The zonelist goes downwards (mm/page_alloc.c build_zonerefs_node()), and in a fresh
        guest the first zone with room is never left.
        """
        allowed = [zone for zone in reversed(self.zones) if _ORDER[zone.name] <= _ORDER[highest]]
        for index, zone in enumerate(allowed):
            if zone.room >= ROOM:
                return tuple(allowed[: index + 1])
        return tuple(allowed)


_ORDER = {"DMA": 0, "DMA32": 1, "Normal": 2}


def page_of(layout: Layout) -> int:
    """The pages of the kernel that a layout asks for."""
    return PAGE_OF_VARIANT.get(layout.kernel_variant or "", 4096)


def memory(layout: Layout) -> Memory:
    """How Linux sees the RAM of a layout."""
    page = page_of(layout)
    banks = ranges.union(Run(bank.base, bank.size) for bank in layout.banks)
    kept = [Run(entry.base, entry.size) for entry in layout.reserved if entry.kind in ("no-map", "pool")]
    usable = _without(banks, [*kept, _page_structs(banks, page)])
    limit = dma_limit(layout, banks)
    cma = next((Run(r.base, r.size) for r in layout.reserved if r.kind == "cma-default"), None)
    size = _pool_size(banks, limit)
    return Memory(
        page=page,
        zones=_zones(banks, usable, limit),
        cma=cma,
        pool=_pool(layout, usable, limit, size),
        pool_size=size,
        required=banks[-1].end - 1,
    )


def _page_structs(banks: Sequence[Run], page: int) -> Run:
    """The memory map is at the top of RAM: sparse_buffer_init() (mm/sparse.c) is among the first to ask."""
    size = ranges.total(banks) // page * PAGE_STRUCT
    return Run(banks[-1].end - size, size) if banks[-1].length > size else Run(0, 0)


def dma_limit(layout: Layout, banks: Sequence[Run]) -> int:
    """The end of ZONE_DMA: zone_sizes_init() (arch/arm64/mm/init.c:121-157).

    The *smallest* maximum of all dma-ranges of the tree, at most 4 GiB if RAM starts below 4 GiB.
    """
    last = min((_last_cpu(device) for device in layout.devices if device.tree_dma_ranges), default=1 << 64)
    if banks[0].address < FOUR_GIB - 1:
        last = min(last, FOUR_GIB - 1)
    return min(last, banks[-1].end - 1) + 1


def _last_cpu(device: Device) -> int:
    """The highest CPU address of a bus: of_dma_get_max_cpu_address() (drivers/of/address.c:955-995)."""
    return max(window.cpu + window.size - 1 for window in device.tree_dma_ranges)


def _zones(banks: Sequence[Run], usable: Sequence[Run], limit: int) -> tuple[Zone, ...]:
    """free_area_init(): each zone begins where the one below it ended (mm/mm_init.c)."""
    start, end = banks[0].address, banks[-1].end
    dma32 = max(min(FOUR_GIB, end), limit)
    bounds = (("DMA", start, limit), ("DMA32", max(limit, start), dma32), ("Normal", dma32, end))
    found = []
    for name, first, behind in bounds:
        span = Run(max(first, start), max(min(behind, end) - max(first, start), 0))
        if span.length and ranges.common(banks, [span]):
            found.append(Zone(name, span, ranges.common(usable, [span])))
    return tuple(found)


def _pool_size(banks: Sequence[Run], limit: int) -> int:
    """mem_init() (arch/arm64/mm/init.c:369-385): where all RAM is in ZONE_DMA only 1 MiB per GiB."""
    if banks[-1].end > limit:
        return DEFAULT_POOL
    size = -(-ranges.total(banks) // 1024)
    return min(DEFAULT_POOL, -(-size // POOL_SEGMENT) * POOL_SEGMENT)


def _pool(layout: Layout, usable: Sequence[Run], limit: int, size: int) -> Run:
    """memblock_alloc_low() takes the highest place below the end of ZONE_DMA that is free.

    What the kernel has put there before (its page tables, struct pages) is small, or higher
    where RAM is higher; the reserved areas are what matters.
    """
    taken = [Run(entry.base, entry.size) for entry in layout.reserved]
    free = ranges.common(_without(usable, taken), [Run(0, limit)])
    for run in reversed(free):
        if run.length >= size:
            return Run(run.end - size, size)
    return Run(0, 0)


def _without(runs: Iterable[Run], holes: Iterable[Run]) -> tuple[Run, ...]:
    """The bytes of ``runs`` that are not in ``holes``."""
    left = list(ranges.union(runs))
    for hole in ranges.union(holes):
        left = [piece for run in left for piece in _cut_out(run, hole)]
    return tuple(left)


def _cut_out(run: Run, hole: Run) -> list[Run]:
    before = Run(run.address, max(min(run.end, hole.address) - run.address, 0))
    start = max(run.address, hole.end)
    behind = Run(start, max(run.end - start, 0))
    return [piece for piece in (before, behind) if piece.length]
