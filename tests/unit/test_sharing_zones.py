# SPDX-License-Identifier: GPL-2.0-or-later
"""RAM as Linux divides it, against what guests print at their boot."""

from __future__ import annotations

from sharing_layouts import GIB, MIB, device, layout, window

from dmabed import layout as layouts
from dmabed.layout import Bank
from dmabed.ranges import Run
from dmabed.sharing import zones


def spans(name: str) -> list[tuple[str, int, int]]:
    memory = zones.memory(layouts.find(name))
    return [(zone.name, zone.span.address, zone.span.end) for zone in memory.zones]


def test_without_windows_the_low_zone_ends_at_4_gib() -> None:
    assert spans("imx8mp-6g")[0] == ("DMA", 0x40000000, 0x100000000)
    assert [zone for zone, _, _ in spans("am62a-k3-split")] == ["DMA", "Normal"]


def test_the_narrowest_window_of_all_ends_the_low_zone() -> None:
    assert spans("bcm2711-pi4") == [("DMA", 0, 0x40000000), ("DMA32", 0x40000000, 0xFC000000)]


def test_a_zone_has_its_holes_in_its_span_and_not_in_its_ram() -> None:
    memory = zones.memory(layouts.find("am62a-k3-split"))
    normal = memory.zones[-1]
    assert normal.span == Run(0x100000000, 0x800000000)
    struct_pages = 4 * GIB // 64
    assert normal.ram == (Run(0x880000000, 2 * GIB - struct_pages),)


def test_ram_that_begins_above_4_gib_is_one_zone_without_a_limit() -> None:
    memory = zones.memory(layout(device("any"), banks=(Bank(32 * GIB, 2 * GIB),), reserved=()))
    assert [zone.name for zone in memory.zones] == ["DMA"]


def test_memory_of_nobody_is_no_page() -> None:
    memory = zones.memory(layouts.find("am62a-k3-split"))
    assert not any(run.address <= 0x9E800000 < run.end for zone in memory.zones for run in zone.ram)


def test_the_pool_is_small_where_no_ram_is_out_of_the_low_zone() -> None:
    low = layout(device("any"), banks=(Bank(GIB, 2 * GIB),), reserved=())
    assert zones.memory(low).pool_size == 2 * MIB
    assert zones.memory(layout(device("any"))).pool_size == zones.DEFAULT_POOL


def test_the_pool_is_below_the_end_of_the_low_zone_and_in_no_reserved_area() -> None:
    narrow = device("narrow", 32, dma_ranges=(window(0, 0, 2 * GIB),))
    memory = zones.memory(layout(narrow, banks=(Bank(0, 2 * GIB), Bank(4 * GIB, GIB)), reserved=()))
    assert memory.pool == Run(2 * GIB - 64 * MIB, 64 * MIB)
    taken = zones.memory(layout(device("any")))
    assert taken.pool.end <= 4 * GIB
    assert not (taken.pool.address < 0xF0000000 and taken.pool.end > 0xB8000000)


def test_pages_come_from_the_highest_zone_that_has_room() -> None:
    memory = zones.memory(layout(device("any"), banks=(Bank(GIB, 3 * GIB), Bank(4 * GIB, 64 * MIB))))
    assert [zone.name for zone in memory.favourite()] == ["Normal", "DMA"]
    assert [zone.name for zone in zones.memory(layout(device("any"))).favourite()] == ["Normal"]
    assert [zone.name for zone in zones.memory(layout(device("any"))).favourite("DMA32")] == ["DMA"]
