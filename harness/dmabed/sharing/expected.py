# SPDX-License-Identifier: GPL-2.0-or-later
"""What has to come of each cell, from the layout alone. Pure; docs/matrix.md has the rules in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dmabed import ranges
from dmabed.sharing import placement
from dmabed.sharing.belief import Importer, Reach, Truth
from dmabed.sharing.outcomes import (
    BOUNCED,
    CORRUPTED,
    DIRECT,
    FAULT,
    MIGRATED,
    REMAPPED,
    STALE,
    Expectation,
    Outcome,
    refused,
)
from dmabed.sharing.placement import Exporter, Follow, Placement
from dmabed.sharing.zones import Memory

# What each exporter answers when the DMA API can't map: dma_map_sgtable() says EIO, and the CMA heap
# makes ENOMEM of everything (drivers/dma-buf/heaps/cma_heap.c:301-303).
_MAP_ERRNO = {Exporter.CMA_HEAP: "ENOMEM"}
# The importer's driver takes no list that its device can't do (engine/chardev.c map_and_list()).
UNFIT = refused("EINVAL")


def expect(
    memory: Memory, exporter: Exporter, importer: Importer, size: int, others: tuple[Importer, ...] = ()
) -> Expectation | None:
    """The outcomes that are allowed; ``others`` are the layout's other devices.

    None where there is nothing to try.
    """
    if exporter is Exporter.UDMABUF and size % memory.page:
        return _only(refused("EINVAL"), "udmabuf takes whole pages only")
    size = placement.page_rounded(size, memory.page)
    case = _Case(memory, exporter, importer, size)
    if exporter is Exporter.STATIC:
        first = first_user(memory, others)
        return None if first is None else case.static(first)
    return _RULES[exporter](case)


def first_user(memory: Memory, others: Iterable[Importer]) -> Importer | None:
    """Of the other devices the one that asks for least: reach first, then lists, then the layout's order."""
    return min(others, key=lambda user: _demands(memory, user), default=None)


def _demands(memory: Memory, user: Importer) -> tuple[int, bool]:
    reach = ranges.total(user.believed_part(memory.ram)) if not user.translated else ranges.total(memory.ram)
    return -reach, not (user.translated or user.takes_pages(4 << 20))


class _Case:
    """One exporter, one importer, one size."""

    def __init__(self, memory: Memory, exporter: Exporter, importer: Importer, size: int) -> None:
        self.memory = memory
        self.exporter = exporter
        self.importer = importer
        self.size = size

    # ---- exporters that ask what the importer needs ----

    def auto(self) -> Expectation:
        """Storage is chosen now, for this importer."""
        options = placement.choices(self.memory, (self.importer,), self.size, at_top=False)
        return self._chosen(options, self._good())

    def scattered(self) -> Expectation:
        if not placement.pages_possible(self.memory, (self.importer,), self.size):
            return _only(refused("EINVAL"), "it must be single pages of any zone, and these don't suit it")
        return self._chosen((placement.single_pages(self.memory, self.size),), self._good())

    def contiguous(self) -> Expectation:
        if not placement.contiguous_possible(self.memory, (self.importer,), self.size):
            return _only(refused("EINVAL"), "it must be a run of the CMA area, and none suits it")
        where = placement.contiguous(self.memory, self.size, (self.importer,))
        return self._chosen((where,), self._good())

    def in_use(self) -> Expectation:
        """Storage is at the top of RAM; what does not suit moves."""
        now = placement.high(self.memory, self.size)
        options = placement.choices(self.memory, (self.importer,), self.size, at_top=True)
        moved = self._chosen(options, self._good(MIGRATED))
        stays = self._actual(now, self._good())
        return _either(self._fits(now), stays, moved, f"it is in use at {now.name}")

    def static(self, first: Importer) -> Expectation:
        """Storage was chosen for another device, and can't move."""
        name = first.device.name
        options = placement.choices(self.memory, (first,), self.size, at_top=True)
        if not options:
            return _only(refused("EINVAL"), f"no storage suits {name}, which has to use it first")
        if first.truths(options[0].ram) == {Truth.UNMAPPED}:
            return _only(UNFIT, f"{name} has to use it first, and its IOMMU can't drive {options[0].name}")
        both = placement.choices(self.memory, (first, self.importer), self.size, at_top=True)
        no = _only(
            refused("EBUSY" if both else "EINVAL"),
            f"{name} has it mapped, so it can't move" if both else f"no storage suits both it and {name}",
        )
        stays = self._actual(options[0], self._good())
        return _either(self._fits(options[0]), stays, no, f"{name} uses it at {options[0].name}")

    def _chosen(self, options: tuple[Placement, ...], good: Outcome) -> Expectation:
        """The exporter tries the options in order, and looks whether what it got suits the importer."""
        if not options:
            return _only(refused("EINVAL"), "no storage can suit it")
        allowed: set[Outcome] = set()
        for option in options:
            fits = self._fits(option)
            if True in fits:
                allowed |= self._actual(option, good).allowed
            if False not in fits:
                break
        else:
            allowed.add(refused("ENOMEM"))  # such memory exists, but what was free of it does not suit
        return Expectation(frozenset(allowed), f"storage is chosen for it: {options[0].name}")

    def _fits(self, where: Placement) -> frozenset[bool]:
        """Could the importer use this storage without a bounce? dmabed_fits() of core/fit.c."""
        if not self.importer.allows(where.ram):
            return frozenset({False})
        if self.importer.translated:
            return frozenset({True})
        reach = self.importer.believed(where.ram)
        if reach is Reach.NONE:
            return frozenset({False})
        listable = self._listable(where.follow)
        return listable if reach is Reach.ALL else listable | {False}

    # ---- exporters that ask nobody ----

    def asks_nobody(self) -> Expectation:
        """The DMA API maps what there is: kernel/dma/direct.c, swiotlb.c."""
        where = _PLACES[self.exporter](self.memory, self.size)
        if self.exporter is Exporter.CMA_HEAP and self.size > where.ram[0].length:
            return _only(refused("ENOMEM"), "the CMA area is smaller")
        if self.importer.translated:
            return self._actual(where, REMAPPED)
        reach = self.importer.believed(where.ram)
        allowed: set[Outcome] = set()
        if reach is not Reach.NONE:
            listable = self._listable(where.follow)
            if True in listable:
                allowed |= self._actual(where, DIRECT).allowed
            if False in listable:
                allowed.add(UNFIT)
        if reach is not Reach.ALL:
            allowed |= self._bounced(where)
        return Expectation(frozenset(allowed), f"{where.name}, {_REACH_WORDS[reach]}")

    def _bounced(self, where: Placement) -> set[Outcome]:
        """Each entry that is out of reach gets a place in the bounce pool, if there is one."""
        pool, importer = (self.memory.pool,), self.importer
        errno = refused(_MAP_ERRNO.get(self.exporter, "EIO"))
        entry = min(where.entry, importer.bounce_limit) if self.exporter is Exporter.HIGH else where.entry
        too_big = entry > importer.bounce_limit or self.size > self.memory.pool_size
        if too_big or importer.believed(pool) is Reach.NONE:
            return {errno}
        allowed = set() if importer.believed(pool) is Reach.ALL else {errno}
        listable = self._listable(Follow.YES if entry >= self.size else Follow.OPEN)
        if True in listable:
            home = STALE if self.exporter is Exporter.UDMABUF else BOUNCED
            allowed |= _by_truth(importer.truths(pool), home)
        if False in listable:
            allowed.add(UNFIT)
        return allowed

    # ---- common to both ----

    def _good(self, otherwise: Outcome = DIRECT) -> Outcome:
        return REMAPPED if self.importer.translated else otherwise

    def _listable(self, follow: Follow) -> frozenset[bool]:
        """Does its hardware take the list?"""
        if self.importer.translated:
            return frozenset({True})
        run, pages = self.importer.takes_run(self.size), self.importer.takes_pages(self.size)
        if follow is Follow.YES:
            return frozenset({run})
        if follow is Follow.NO:
            return frozenset({pages})
        return frozenset({run, pages})

    def _actual(self, where: Placement, good: Outcome) -> Expectation:
        """What the hardware makes of storage that Linux believes it to reach."""
        importer = self.importer
        ram = where.ram if importer.translated else importer.believed_part(where.ram)
        return Expectation(frozenset(_by_truth(importer.truths(ram), good)), where.name)


def _by_truth(truths: frozenset[Truth], good: Outcome) -> set[Outcome]:
    found = {
        Truth.RIGHT: good, Truth.ELSEWHERE: CORRUPTED, Truth.NOWHERE: FAULT, Truth.UNMAPPED: UNFIT,
    }  # fmt: skip
    return {found[truth] for truth in truths}


def _either(which: frozenset[bool], yes: Expectation, no: Expectation, why: str) -> Expectation:
    """One of two, or both where it is open which."""
    picked = [each for truth, each in ((True, yes), (False, no)) if truth in which]
    allowed = frozenset(outcome for each in picked for outcome in each.allowed)
    return Expectation(allowed, f"{why}; {no.why}" if False in which else why)


def _only(outcome: Outcome, why: str) -> Expectation:
    return Expectation(frozenset({outcome}), why)


_REACH_WORDS = {
    Reach.ALL: "all of which it reaches",
    Reach.SOME: "of which it reaches some",
    Reach.NONE: "of which it reaches nothing",
}

_RULES: dict[Exporter, Callable[[_Case], Expectation]] = {
    Exporter.AUTO: _Case.auto,
    Exporter.IN_USE: _Case.in_use,
    Exporter.SCATTERED: _Case.scattered,
    Exporter.CONTIGUOUS: _Case.contiguous,
    Exporter.HIGH: _Case.asks_nobody,
    Exporter.SYSTEM_HEAP: _Case.asks_nobody,
    Exporter.CMA_HEAP: _Case.asks_nobody,
    Exporter.UDMABUF: _Case.asks_nobody,
}

_PLACES: dict[Exporter, Callable[[Memory, int], Placement]] = {
    Exporter.HIGH: placement.high,
    Exporter.SYSTEM_HEAP: placement.system_heap,
    Exporter.CMA_HEAP: placement.cma_heap,
    Exporter.UDMABUF: placement.udmabuf,
}
