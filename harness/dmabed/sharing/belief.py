# SPDX-License-Identifier: GPL-2.0-or-later
"""What Linux believes of an importer, beside what the hardware does. Pure.

Linux has its driver's mask (what the device reports) and the device tree's dma-ranges. The hardware has
address lines and windows of its own. Where they differ no call fails, and the bytes go astray.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from dmabed import ranges
from dmabed.layout import NO_BOUNDARY, Device, Layout, Reserved, Window
from dmabed.ranges import Run
from dmabed.sharing.zones import page_of

# IO_TLB_SIZE and IO_TLB_SEGSIZE (include/linux/swiotlb.h:26,32): the most that one mapping can bounce
SLOT = 2 << 10
BOUNCE_LIMIT = 128 * SLOT


class Reach(Enum):
    """How much of some RAM a device reaches."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


class Truth(Enum):
    """Where a bus address that Linux gives a device really leads."""

    RIGHT = "right"
    ELSEWHERE = "elsewhere"
    """To other memory: nothing notices."""
    NOWHERE = "nowhere"
    """The engine or the bus refuses."""
    UNMAPPED = "unmapped"
    """The driver of its IOMMU does not map it."""


@dataclass(frozen=True)
class Importer:
    """A device of a layout, as an importer."""

    device: Device
    translated: bool
    output_bits: int
    """What the IOMMU in front of it drives, if there is one."""
    ram: tuple[Run, ...]
    """All that answers when a device reads; anything else is nobody."""
    page: int = 4096
    checked: bool = False
    """The driver of its IOMMU refuses what that can't drive, and does not truncate it."""
    region: Reserved | None = None
    """Where buffers for it have to come from, by exporters that ask: dmabed_region_of() of core/region.c."""

    # ---- what Linux believes ----

    @property
    def windows(self) -> tuple[Window, ...]:
        """Of CPU addresses that Linux thinks the device reaches: of_dma_configure_id(), dma_capable()."""
        limit = (1 << self.device.reported_address_bits) - 1
        declared = self.device.tree_dma_ranges
        if not declared:
            return (Window(0, 0, limit + 1),)
        cut = (Window(w.bus, w.cpu, min(w.size, limit + 1 - w.bus)) for w in declared)
        return tuple(window for window in cut if window.size > 0)

    def believed(self, runs: Sequence[Run]) -> Reach:
        """How much of these CPU addresses Linux would map directly."""
        if self.translated:
            return Reach.ALL
        inside = ranges.common(runs, [Run(w.cpu, w.size) for w in self.windows])
        return _share(ranges.total(inside), ranges.total(runs))

    def believed_part(self, runs: Sequence[Run]) -> tuple[Run, ...]:
        return ranges.common(runs, [Run(w.cpu, w.size) for w in self.windows])

    def holds(self, span: Run) -> bool:
        """Is all of it in one window? dmabed_constraints_reach() of core/constraints.c."""
        if not self.allows([span]):
            return False
        if self.translated:
            return True
        return any(w.cpu <= span.address and span.end <= w.cpu + w.size for w in self.windows)

    def allows(self, runs: Sequence[Run]) -> bool:
        """Is all of it where its buffers have to be?"""
        if self.region is None:
            return True
        return ranges.total(ranges.common(runs, [self.region.run])) == ranges.total(runs)

    def holds_part(self, area: Run, size: int) -> bool:
        """Does one window have so much of an area? dmabed_constraints_hold() of core/constraints.c."""
        parts = ranges.common([area], [self.region.run]) if self.region else (area,)
        if self.translated:
            return any(part.length >= size for part in parts)
        shared = (ranges.common(parts, [Run(w.cpu, w.size)]) for w in self.windows)
        return any(run.length >= size for runs in shared for run in runs)

    # ---- what the hardware does ----

    def truths(self, runs: Sequence[Run]) -> frozenset[Truth]:
        """Where the bus addresses that Linux gives for these CPU addresses lead."""
        if self.translated:
            return self._output(runs)
        return frozenset(truth for run in runs for piece in self._pieces(run) for truth in self._truth(piece))

    def _output(self, runs: Sequence[Run]) -> frozenset[Truth]:
        """An IOMMU without enough lines leaves the upper ones out, if its driver lets it come to that."""
        limit = 1 << self.output_bits
        found = set()
        for run in runs:
            for start in range(run.address // limit * limit, run.end, limit):
                piece = ranges.common([run], [Run(start, limit)])
                cut = tuple(Run(part.address - start, part.length) for part in piece)
                found |= {Truth.RIGHT} if not start else self._beyond(cut)
        return frozenset(found)

    def _beyond(self, cut: Sequence[Run]) -> set[Truth]:
        return {Truth.UNMAPPED} if self.checked else self._answer(cut)

    def _answer(self, runs: Sequence[Run]) -> set[Truth]:
        """What is at addresses that were not meant."""
        share = _share(ranges.total(ranges.common(runs, self.ram)), ranges.total(runs))
        both = {Truth.ELSEWHERE, Truth.NOWHERE}
        return {Reach.ALL: {Truth.ELSEWHERE}, Reach.NONE: {Truth.NOWHERE}, Reach.SOME: both}[share]

    def _truth(self, piece: Run) -> set[Truth]:
        bus = self._bus(piece.address)
        lines = self.device.address_bits
        if bus + piece.length > 1 << lines:
            if self.device.policy == "fault":
                return {Truth.NOWHERE}
            bus &= (1 << lines) - 1
        found = self.device.to_cpu(bus)
        if found == piece.address:
            return {Truth.RIGHT}
        return {Truth.NOWHERE} if found is None else self._answer([Run(found, piece.length)])

    def _bus(self, cpu: int) -> int:
        return next(w.bus + cpu - w.cpu for w in self.windows if w.cpu <= cpu < w.cpu + w.size)

    def _pieces(self, run: Run) -> list[Run]:
        """The believed part of a run, cut wherever a window (declared or true) or the width ends."""
        found = []
        for part in self.believed_part([run]):
            edges = (edge for edge in self._edges() if part.address < edge < part.end)
            cuts = sorted({part.address, part.end, *edges})
            found += [Run(start, end - start) for start, end in itertools.pairwise(cuts)]
        return found

    def _edges(self) -> list[int]:
        """CPU addresses at which the answer may change."""
        bus_edges = [1 << self.device.address_bits]
        for window in self.device.dma_ranges:
            bus_edges += [window.bus, window.bus + window.size]
        edges = [edge for w in self.windows for edge in (w.cpu, w.cpu + w.size)]
        for window in self.windows:
            edges += [window.cpu + edge - window.bus for edge in bus_edges]
        return edges

    # ---- lists of segments: core/segments.c, core/storage.c ----

    def takes_run(self, size: int) -> bool:
        """Does one run of memory, well aligned, make a list that it takes?"""
        boundary = self.device.segment_boundary
        window = size if boundary == NO_BOUNDARY else boundary + 1
        cut = min(self.device.max_segment_size or size, window)
        return -(-size // cut) <= self._segments

    def takes_pages(self, size: int) -> bool:
        """Does a list of single pages, no two of which follow each other?"""
        each = -(-self.page // min(self.device.max_segment_size or self.page, self.page))
        fine = self.device.alignment <= self.page and self.device.granule <= self.page
        return fine and each * -(-size // self.page) <= self._segments

    @property
    def _segments(self) -> int:
        return self.device.max_segments or LIST_MAX_SEGMENTS

    # ---- bouncing ----

    @property
    def bounce_limit(self) -> int:
        """swiotlb_max_mapping_size() (kernel/dma/swiotlb.c:1628-1642); the driver sets min_align_mask."""
        mask = min(self.device.alignment, self.page) - 1 if self.device.alignment > 1 else 0
        return BOUNCE_LIMIT - -(-mask // SLOT) * SLOT


# IOMMUs whose driver says EINVAL to an address that they can't drive (drivers/iommu/sun50i-iommu.c:606)
CHECKING = ("sun50i",)
LIST_MAX_SEGMENTS = 65536  # DMABED_LIST_MAX_SEGMENTS


def importer(layout: Layout, device: Device) -> Importer:
    """A device of the layout as an importer."""
    iommu = next((entry for entry in layout.iommus if entry.name == device.iommu), None)
    ram = ranges.union(Run(bank.base, bank.size) for bank in layout.banks)
    return Importer(
        device,
        layout.translates(device),
        iommu.output_bits if iommu else 64,
        ram,
        page_of(layout),
        checked=iommu is not None and iommu.type in CHECKING,
        region=_region(layout, device),
    )


def _region(layout: Layout, device: Device) -> Reserved | None:
    """The default area asks for nothing: who names it says where its driver's own memory is from."""
    named = (entry for entry in layout.reserved if entry.name == device.memory_region)
    return next((entry for entry in named if entry.kind != "cma-default"), None)


def _share(part: int, whole: int) -> Reach:
    if part == whole:
        return Reach.ALL
    return Reach.SOME if part else Reach.NONE
