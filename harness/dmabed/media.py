# SPDX-License-Identifier: GPL-2.0-or-later
"""Models of real media blocks: what QEMU and the device tree are told of each.

A block has one page of registers, an interrupt and a bus, and a node that its
upstream driver binds to. What the driver needs beside it (clocks, a reset
line, a panel) is as little as does: docs/layouts.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dmabed.layout import Device, Layout, Panel

_RESET_LINE = 0xF00  # in the page of a sun8i-rotate: docs/specs/sun8i-rotate.md
_REFRESH = 60  # Hz
# Blanking of the panel, in pixels and lines: any values suit the model
_BACK, _FRONT, _SYNC = 8, 8, 4

# The modules of each, as modprobe knows them; a panel has to be there before its controller
_MODULES: Mapping[str, tuple[str, ...]] = {
    "sun8i-rotate": ("sun8i-rotate",),
    "imx28-lcdif": ("panel-simple", "mxsfb"),
    "dmabed-capture": ("dmabed-capture",),
}


def modules(layout: Layout) -> list[str]:
    """What the guest loads beside our engine's drivers."""
    return list(dict.fromkeys(name for block in layout.media for name in _MODULES[block.model]))


def properties(block: Device) -> dict[str, Any]:
    """A block for ``-device``."""
    latency = {} if block.model == "imx28-lcdif" else {_LATENCY[block.model]: block.latency_ns}
    return {
        "driver": block.model,
        "id": block.name,
        "mmio-base": block.base,
        "spi": block.spi,
        "addr-bits": block.address_bits,
        "dma-ranges": [number for w in block.dma_ranges for number in (w.bus, w.cpu, w.size)],
        **({"iommu": block.iommu} if block.iommu is not None else {}),
    } | latency


_LATENCY = {"sun8i-rotate": "latency-ns", "dmabed-capture": "frame-ns"}


# ---- the device tree ----


def node(block: Device) -> dict[str, Any]:
    """The words of a block's node, and the nodes beside it."""
    assert block.base is not None, "a block of the platform has registers"
    return {
        "name": block.name,
        "unit": f"{block.base:x}",
        "base": block.base,
        "spi": block.spi,
        **_NODES[block.model](block, block.base),
        "coherent": ["dma-coherent;"] if block.coherent else [],
    }


def _rotate(block: Device, base: int) -> dict[str, Any]:
    return {
        "compatible": "allwinner,sun8i-a83t-de2-rotate",
        "size": 0x100,
        "lines": [
            "clocks = <&uart_clock>, <&uart_clock>;",
            'clock-names = "bus", "mod";',
            f"resets = <&{_label(block)}_reset 0>;",
        ],
        "reset": {"label": f"{_label(block)}_reset", "base": base + _RESET_LINE, "size": 4},
        "panel": None,
    }


def _lcdif(block: Device, base: int) -> dict[str, Any]:
    assert block.panel is not None, "layout_checks sees to it"
    return {
        "compatible": "fsl,imx28-lcdif",
        "size": 0x1000,
        "lines": ["clocks = <&uart_clock>;"],
        "reset": None,
        "panel": {"label": _label(block), "timing": _timing(block.panel)},
    }


def _timing(panel: Panel) -> list[str]:
    blank = _BACK + _FRONT + _SYNC
    clock = (panel.width + blank) * (panel.height + blank) * _REFRESH
    return [
        f"clock-frequency = <{clock}>;",
        *(f"{way}active = <{size}>;" for way, size in (("h", panel.width), ("v", panel.height))),
        *(f"{way}back-porch = <{_BACK}>;" for way in "hv"),
        *(f"{way}front-porch = <{_FRONT}>;" for way in "hv"),
        *(f"{way}sync-len = <{_SYNC}>;" for way in "hv"),
    ]


def _capture(block: Device, base: int) -> dict[str, Any]:
    return {"compatible": "dmabed,capture", "size": 0x1000, "lines": [], "reset": None, "panel": None}


_NODES: Mapping[str, Callable[[Device, int], dict[str, Any]]] = {
    "sun8i-rotate": _rotate,
    "imx28-lcdif": _lcdif,
    "dmabed-capture": _capture,
}


def _label(block: Device) -> str:
    return block.name.replace("-", "_")
