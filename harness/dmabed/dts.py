# SPDX-License-Identifier: GPL-2.0-or-later
"""The device tree of a layout: what Linux is told of the hardware.

The template (``configs/templates/soc.dts.j2``) has loops only; every word in
it is computed here. An engine with windows of its own stands in a bus node
that has them as ``dma-ranges``, one bus node per distinct set.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dmabed import layout_checks, paths
from dmabed.errors import BuildError, SetupError
from dmabed.layout import DEVICE_MMIO_SIZE, Device, Layout, Reserved, Window

DTC_SECONDS = 60


def render(layout: Layout) -> str:
    """The layout as device tree source."""
    environment = Environment(
        loader=FileSystemLoader(paths.TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("soc.dts.j2").render(_words(layout))


def compile_dtb(layout: Layout, out: Path) -> Path:
    """Render and compile; anything that dtc has to say is a failure."""
    source = render(layout)
    command = ["dtc", "-I", "dts", "-O", "dtb", "-o", "-", "-"]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=DTC_SECONDS)
    except FileNotFoundError:
        raise SetupError(
            "dtc, the device tree compiler, is not installed", hint="apt-get install device-tree-compiler"
        ) from None
    except subprocess.TimeoutExpired:
        raise BuildError(f"{layout.name}: dtc did not end within {DTC_SECONDS} s") from None
    if done.returncode or done.stderr:
        why = done.stderr.decode(errors="replace")
        raise BuildError(f"{layout.name}: dtc finds fault with the device tree", why=why)
    _write(out, done.stdout)
    return out


def _write(out: Path, content: bytes) -> None:
    """All or nothing, so that a killed harness leaves no half a DTB to be found later."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(out)


def _words(layout: Layout) -> dict[str, Any]:
    """Everything that the template shows."""
    platform = layout.platform
    plain = [device for device in layout.devices if not device.tree_dma_ranges]
    return {
        "name": layout.name,
        "file": f"{layout.name}.yaml",
        "model": _string(f"{layout.modelled_after} (dmabed)"),
        "cpus": [_cpu(layout.cpu.model, index) for index in range(layout.cpu.count)],
        "banks": [_place(bank.base, bank.size) for bank in layout.banks],
        "reserved": [_reserved(entry) for entry in layout.reserved],
        "gic": {
            "unit": f"{platform.gic_distributor:x}",
            "distributor": cells(platform.gic_distributor, layout_checks.GIC_FRAME),
            "redistributors": cells(
                platform.gic_redistributor, layout_checks.GIC_REDISTRIBUTOR * layout.cpu.count
            ),
        },
        "uart": _place(platform.uart_base, layout_checks.UART_SIZE) | {"spi": platform.uart_spi},
        "virtio": [_virtio(layout, slot) for slot in range(platform.virtio_count)],
        "engines": [_engine(device) for device in plain],
        "buses": _buses(layout),
    }


def cells(*values: int) -> str:
    """64-bit numbers as pairs of cells: ``<0x1 0x00000000 0x0 0xc0000000>``."""
    return "<" + " ".join(f"{value >> 32:#x} {value & 0xFFFFFFFF:#010x}" for value in values) + ">"


def _string(text: str) -> str:
    """Any text as a DTS string on one line."""
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _place(base: int, size: int) -> dict[str, Any]:
    return {"unit": f"{base:x}", "reg": cells(base, size)}


def _cpu(model: str, index: int) -> dict[str, Any]:
    # "max" is no Arm part; the generic binding is all that can be said of it
    compatible = "arm,armv8" if model == "max" else f"arm,{model}"
    return {"id": f"{index:x}", "reg": index, "compatible": compatible}


# As reserved-memory.yaml and shared-dma-pool.yaml of dt-schema want them.
_KINDS = {
    "cma-default": ('compatible = "shared-dma-pool";', "reusable;", "linux,cma-default;"),
    # mapped by its driver only: arm64 refuses to memremap() RAM that the kernel maps already
    "pool": ('compatible = "shared-dma-pool";', "no-map;"),
    "no-map": ("no-map;",),
}


def _reserved(entry: Reserved) -> dict[str, Any]:
    return {"name": entry.name, "lines": _KINDS[entry.kind]} | _place(entry.base, entry.size)


def _virtio(layout: Layout, slot: int) -> dict[str, Any]:
    platform, size = layout.platform, layout_checks.VIRTIO_MMIO_SIZE
    return _place(platform.virtio_base + slot * size, size) | {"spi": platform.virtio_spi + slot}


def _engine(device: Device) -> dict[str, Any]:
    lines = ["dma-coherent;"] if device.coherent else []
    return {"name": device.name, "spi": device.spi, "lines": lines} | _place(device.base, DEVICE_MMIO_SIZE)


def _buses(layout: Layout) -> list[dict[str, Any]]:
    """A bus for each distinct set of windows, in the order of their first device."""
    behind: dict[tuple[Window, ...], list[Device]] = {}
    for device in layout.devices:
        if device.tree_dma_ranges:
            behind.setdefault(device.tree_dma_ranges, []).append(device)
    return [
        {
            "dma_ranges": ",\n\t\t\t     ".join(cells(w.bus, w.cpu, w.size) for w in windows),
            "engines": [_engine(device) for device in devices],
        }
        for windows, devices in behind.items()
    ]
