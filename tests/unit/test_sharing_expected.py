# SPDX-License-Identifier: GPL-2.0-or-later
"""What has to come of a cell, worked out by hand from the rules of docs/matrix.md."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sharing_layouts import GIB, KIB, MIB, behind_iommu, device, layout, window

from dmabed import layout as layouts
from dmabed.layout import Bank, Device, Layout, Reserved
from dmabed.sharing import cells, zones
from dmabed.sharing.belief import importer
from dmabed.sharing.expected import expect
from dmabed.sharing.placement import Exporter

SIZES = (4 * KIB, 256 * KIB, 4 * MIB)


def outcomes(at: Layout, name: str, exporter: Exporter) -> list[str]:
    """The expectation at each size."""
    memory = zones.memory(at)
    user = importer(at, at.device(name))
    others = tuple(importer(at, other) for other in at.devices if other.name != name)
    found = [expect(memory, exporter, user, size, others) for size in SIZES]
    return [str(each) for each in found]


def alone(one: Device) -> Layout:
    return layout(one, device("wide"))


WIDE = device("dut")
WIDE_RUN = device("dut", max_segments=1)
NARROW = device("dut", 32)
NARROW_RUN = device("dut", 32, max_segments=1)


@pytest.mark.parametrize(
    ("dut", "exporter", "expected"),
    [
        # reaches all, takes any list
        (WIDE, Exporter.AUTO, ["direct"] * 3),
        (WIDE, Exporter.HIGH, ["direct"] * 3),
        (WIDE, Exporter.UDMABUF, ["direct"] * 3),
        # reaches all, needs one run: a block of pages at the top has 2 MiB
        (WIDE_RUN, Exporter.IN_USE, ["direct", "direct", "migrated"]),
        (WIDE_RUN, Exporter.STATIC, ["direct", "direct", "refused EBUSY"]),
        (WIDE_RUN, Exporter.SCATTERED, ["direct", "refused EINVAL", "refused EINVAL"]),
        (WIDE_RUN, Exporter.CONTIGUOUS, ["direct"] * 3),
        (WIDE_RUN, Exporter.UDMABUF, ["direct", "refused EINVAL", "refused EINVAL"]),
        (WIDE_RUN, Exporter.SYSTEM_HEAP, ["direct", *["direct or refused EINVAL"] * 2]),
        # does not reach the top, where all pages come from
        (NARROW, Exporter.AUTO, ["direct"] * 3),
        (NARROW, Exporter.IN_USE, ["migrated"] * 3),
        (NARROW, Exporter.STATIC, ["refused EBUSY"] * 3),
        (NARROW, Exporter.SCATTERED, ["refused EINVAL"] * 3),
        (NARROW, Exporter.HIGH, ["bounced"] * 3),
        (NARROW, Exporter.UDMABUF, ["stale"] * 3),
        (NARROW, Exporter.CMA_HEAP, ["direct"] * 3),
        # chunks of 64 KiB bounce, one of 1 MiB can't
        (NARROW, Exporter.SYSTEM_HEAP, ["bounced", "bounced", "refused EIO"]),
        # one entry bounces as one run, several as the pool has it
        (NARROW_RUN, Exporter.HIGH, ["bounced", "bounced", "bounced or refused EINVAL"]),
        (NARROW_RUN, Exporter.SYSTEM_HEAP, ["bounced", "bounced or refused EINVAL", "refused EIO"]),
        # a single page is never taken from the CMA area
        (NARROW_RUN, Exporter.CONTIGUOUS, ["refused ENOMEM", "direct", "direct"]),
    ],
)
def test_widths_and_lists(dut: Device, exporter: Exporter, expected: list[str]) -> None:
    assert outcomes(alone(dut), "dut", exporter) == expected


@pytest.mark.parametrize("exporter", Exporter)
def test_an_iommu_makes_one_run_in_reach_of_anything(exporter: Exporter) -> None:
    dut, iommu = behind_iommu(NARROW_RUN)
    assert outcomes(replace(alone(dut), iommus=(iommu,)), "dut", exporter) == ["remapped"] * 3


@pytest.mark.parametrize(
    ("highest", "outcome"),
    [
        # 0x1c0000000 becomes 0xc0000000, which is RAM
        (3 * GIB, "corrupted"),
        # 0x120000000 becomes 0x20000000, which is not
        (GIB, "fault"),
    ],
)
def test_an_iommu_without_enough_lines_leads_elsewhere(highest: int, outcome: str) -> None:
    dut, iommu = behind_iommu(NARROW_RUN, bits=32)
    banks = (Bank(GIB, 3 * GIB), Bank(4 * GIB, highest))
    at = layout(dut, device("wide"), banks=banks, iommus=(iommu,))
    assert outcomes(at, "dut", Exporter.HIGH) == [outcome] * 3
    assert outcomes(at, "dut", Exporter.CMA_HEAP) == ["remapped"] * 3


def test_an_iommu_whose_driver_checks_maps_nothing_beyond_its_lines() -> None:
    dut, iommu = behind_iommu(NARROW_RUN, bits=32)
    banks = (Bank(GIB, GIB), Bank(4 * GIB, 4 * GIB))
    at = layout(dut, device("wide"), banks=banks, iommus=(replace(iommu, type="sun50i"),))
    assert outcomes(at, "dut", Exporter.HIGH) == ["refused EINVAL"] * 3
    assert outcomes(at, "dut", Exporter.CMA_HEAP) == ["remapped"] * 3


@pytest.mark.parametrize(("policy", "outcome"), [("fault", "fault"), ("wrap", "corrupted")])
def test_a_limit_that_the_device_hides(policy: str, outcome: str) -> None:
    liar = device("dut", 32, reported_address_bits=48, policy=policy)
    assert outcomes(alone(liar), "dut", Exporter.HIGH) == [outcome] * 3
    assert outcomes(alone(liar), "dut", Exporter.IN_USE) == [outcome] * 3
    assert outcomes(alone(liar), "dut", Exporter.CMA_HEAP) == ["direct"] * 3


def test_a_window_that_the_device_tree_hides() -> None:
    hidden = (window(GIB, GIB, 3 * GIB),)
    at = alone(device("dut", 40, dma_ranges=hidden, declared_dma_ranges=()))
    assert outcomes(at, "dut", Exporter.HIGH) == ["fault"] * 3
    assert outcomes(at, "dut", Exporter.CMA_HEAP) == ["direct"] * 3


def test_windows_at_a_wrong_offset_lead_elsewhere() -> None:
    true, told = window(0, 0x90000000, GIB), window(0, 0xB0000000, GIB)
    at = alone(device("dut", 32, dma_ranges=(true,), declared_dma_ranges=(told,)))
    assert outcomes(at, "dut", Exporter.CMA_HEAP) == ["corrupted"] * 3


def test_a_declared_offset_is_no_lie() -> None:
    at = alone(device("dut", 32, dma_ranges=(window(0, GIB, 3 * GIB),)))
    assert outcomes(at, "dut", Exporter.AUTO) == ["direct"] * 3
    assert outcomes(at, "dut", Exporter.HIGH) == ["bounced"] * 3


def test_a_bounce_pool_out_of_reach_is_of_no_use() -> None:
    at = alone(device("dut", 31))
    assert outcomes(at, "dut", Exporter.HIGH) == ["refused EIO"] * 3
    far = layout(device("dut", 30), device("wide"), reserved=())
    assert outcomes(far, "dut", Exporter.AUTO) == ["refused EINVAL"] * 3


def test_nothing_is_smaller_than_its_page() -> None:
    at = replace(alone(WIDE_RUN), kernel_variant="pages16k")
    assert outcomes(at, "dut", Exporter.SCATTERED) == ["direct", "refused EINVAL", "refused EINVAL"]
    # the others round up
    assert outcomes(alone(WIDE), "dut", Exporter.UDMABUF) == ["direct"] * 3
    coarse = replace(alone(WIDE), kernel_variant="pages16k")
    assert outcomes(coarse, "dut", Exporter.UDMABUF) == ["refused EINVAL", "direct", "direct"]
    # chunks are larger, and so are page blocks
    assert outcomes(at, "dut", Exporter.SYSTEM_HEAP) == ["direct"] * 3
    assert outcomes(at, "dut", Exporter.IN_USE) == ["direct"] * 3


def test_an_area_that_is_too_small() -> None:
    at = alone(WIDE)
    expectation = expect(zones.memory(at), Exporter.CMA_HEAP, importer(at, at.device("dut")), GIB)
    assert expectation is not None
    assert str(expectation) == "refused ENOMEM"


def test_segments_of_a_limited_size() -> None:
    at = alone(device("dut", 40, max_segments=4, max_segment_size=64 * KIB))
    assert outcomes(at, "dut", Exporter.CMA_HEAP) == ["direct", "direct", "refused EINVAL"]


def test_with_one_device_nobody_can_use_it_first() -> None:
    plan = cells.plan(layout(device("only")), list(Exporter), SIZES)
    assert [skipped.what for skipped in plan.skipped] == ["static-in-use"]
    assert len(plan.cells) == (len(Exporter) - 1) * len(SIZES)


@pytest.mark.parametrize("name", layouts.names())
def test_every_layout_has_cells_and_few_open_ones(name: str) -> None:
    at = layouts.find(name)
    plan = cells.plan(at, list(Exporter), SIZES)
    assert len({cell.name for cell in plan.cells}) == len(plan.cells)
    assert all(cell.expectation.allowed for cell in plan.cells)
    assert sum(cell.expectation.open for cell in plan.cells) <= len(plan.cells) / 4


AREA = Reserved("own", 0x80000000, 2 * MIB, "cma")
POOL = Reserved("own", 0x80000000, 2 * MIB, "pool")
DEFAULT = Reserved("linux,cma", 0xB8000000, 896 * MIB, "cma-default")


@pytest.mark.parametrize(
    ("region", "exporter", "expected"),
    [
        (AREA, Exporter.AUTO, ["direct", "direct", "refused EINVAL"]),
        (POOL, Exporter.AUTO, ["direct", "direct", "refused EINVAL"]),
        (AREA, Exporter.IN_USE, ["migrated", "migrated", "refused EINVAL"]),
        (POOL, Exporter.STATIC, ["refused EBUSY", "refused EBUSY", "refused EINVAL"]),
        # a single page of the area, too; a pool is no area
        (AREA, Exporter.CONTIGUOUS, ["direct", "direct", "refused EINVAL"]),
        (POOL, Exporter.CONTIGUOUS, ["refused EINVAL"] * 3),
        (AREA, Exporter.SCATTERED, ["refused EINVAL"] * 3),
        # who asks nobody is not told
        (AREA, Exporter.HIGH, ["direct"] * 3),
        (POOL, Exporter.CMA_HEAP, ["direct"] * 3),
    ],
)
def test_a_region_of_its_own(region: Reserved, exporter: Exporter, expected: list[str]) -> None:
    dut = device("dut", memory_region="own")
    assert outcomes(layout(dut, device("wide"), reserved=(DEFAULT, region)), "dut", exporter) == expected


def test_the_default_area_asks_for_nothing() -> None:
    dut = device("dut", memory_region="linux,cma")
    assert outcomes(layout(dut, device("wide")), "dut", Exporter.SCATTERED) == ["direct"] * 3
