# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrong with the IOMMUs of a layout, and with who is behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dmabed.schema import Problem

if TYPE_CHECKING:
    from dmabed.layout import Device, Iommu, Layout

_MIN_OUTPUT_BITS = 24
# What an entry of their tables can hold (drivers/iommu/rockchip-iommu.c:188-220, sun50i-iommu.c:203-215).
MAX_OUTPUT_BITS = {"rockchip-v1": 32, "rockchip-v2": 40, "sun50i": 32}
_MAX_MASTERS = 6  # of a sun50i (drivers/iommu/sun50i-iommu.c:79-84)


def problems(layout: Layout, devices: Sequence[Device]) -> Iterator[Problem]:
    """All but addresses and interrupts that collide."""
    for iommu in layout.iommus:
        yield from _iommu_problems(layout, iommu)
    for device in devices:
        if device.iommu is not None:
            yield from _device_problems(layout, device, device.iommu)


def _iommu_problems(layout: Layout, iommu: Iommu) -> Iterator[Problem]:
    path, most = ("iommus", iommu.name), MAX_OUTPUT_BITS[iommu.type]
    first = next((other.type for other in layout.iommus if other.type != "sun50i"), iommu.type)
    masters = [block.name for block in layout.blocks if block.iommu == iommu.name]
    if iommu.output_bits > most:
        what = f"a {iommu.type} drives at most {most} bits"
        yield Problem((*path, "output-bits"), what, f"{_MIN_OUTPUT_BITS} to {most}")
    if iommu.type == "sun50i" and len(masters) > _MAX_MASTERS:
        what = f"{len(masters)} devices are behind it: {', '.join(masters)}"
        yield Problem(path, what, f"at most {_MAX_MASTERS} of a sun50i")
    if iommu.type not in ("sun50i", first):
        # rk_ops is one for all instances (drivers/iommu/rockchip-iommu.c:1229-1237)
        what = f"Linux takes one version of them in a guest, and the first is {first}"
        yield Problem((*path, "type"), what, first)
    if iommu.name in (block.name for block in layout.blocks):
        yield Problem(path, f"'{iommu.name}' is a device already", "another name")


def _device_problems(layout: Layout, device: Device, iommu: str) -> Iterator[Problem]:
    path, known = ("devices", device.name), [iommu.name for iommu in layout.iommus]
    if iommu not in known:
        what = f"{layout.name} has no IOMMU '{iommu}'"
        yield Problem((*path, "iommu"), what, ", ".join([*known, "none"]))
    told = (("dma-ranges", device.dma_ranges), ("declared-dma-ranges", device.declared_dma_ranges or ()))
    for key, windows in told:
        for index, window in enumerate(windows):
            # iommu_dma_alloc_iova() looks at bus_dma_limit alone
            if window.bus != window.cpu:
                what = f"Linux heeds no offset of a window in front of an IOMMU, and this has {window.bus:#x}"
                yield Problem((*path, key, index, "bus"), what, f"{window.cpu:#x}, as cpu")
