# SPDX-License-Identifier: GPL-2.0-or-later
"""Small layouts for the tests of the sharing matrix."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from dmabed.layout import Bank, Cpu, Device, Iommu, Layout, Platform, Reserved, Window

GIB = 1 << 30
MIB = 1 << 20
KIB = 1 << 10


def device(name: str, bits: int = 40, **keys: Any) -> Device:
    """A scatter device that tells the truth, unless told otherwise."""
    fields: dict[str, Any] = {"reported_address_bits": bits, **keys}
    return Device(name, "2d", "", 0x1000, 1, bits, **fields)


def layout(*devices: Device, banks: tuple[Bank, ...] = (), **keys: Any) -> Layout:
    """3 GiB from 1 GiB on and 3 GiB from 4 GiB on, a CMA area in the lower half."""
    fields: dict[str, Any] = {
        "reserved": (Reserved("linux,cma", 0xB8000000, 896 * MIB, "cma-default"),),
        "iommus": (),
        "media": (),
        **keys,
    }
    return Layout(
        name="some",
        modelled_after="nothing",
        good_for="",
        sources=(),
        cpu=Cpu("cortex-a53", 2),
        banks=banks or (Bank(GIB, 3 * GIB), Bank(4 * GIB, 3 * GIB)),
        platform=Platform(0, 0, 0, 0, 0, 0, 0),
        devices=devices,
        file=Path("some.yaml"),
        **fields,
    )


def window(bus: int, cpu: int, size: int) -> Window:
    return Window(bus, cpu, size)


def behind_iommu(one: Device, bits: int = 40) -> tuple[Device, Iommu]:
    iommu = Iommu("mmu", "rockchip-v2", 0x2000, 2, bits)
    return replace(one, iommu="mmu"), iommu
