# SPDX-License-Identifier: GPL-2.0-or-later
"""What a layout says to QEMU: machine, CPUs, RAM and one engine per device.

Pure. The properties are those of docs/specs/dmabed-soc.md and
docs/specs/dmabed-engine.md. What does not come from the layout (kernel, QMP,
console, network) is the business of ``commandline.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

from dmabed.layout import Device, Layout

MACHINE = "dmabed-soc"
ENGINE = "dmabed-engine-sys"
MEMORY_ID = "ram0"

_MIB = 1 << 20


def machine_arguments(layout: Layout, memory_path: Path | None, share: bool) -> list[str]:
    """The words that make QEMU this SoC.

    RAM lies in the file ``memory_path``, or in anonymous memory without one.
    ``share`` writes through to the file; without it the guest gets a
    copy-on-write view.
    """
    words = ["-machine", _machine(layout)]
    words += ["-cpu", layout.cpu.model, "-smp", str(layout.cpu.count)]
    words += ["-m", f"{layout.ram_size // _MIB}M"]
    words += ["-object", _memory(layout, memory_path, share)]
    for device in layout.devices:
        words += ["-device", json.dumps(engine_properties(device))]
    return words


def machine_properties(layout: Layout) -> dict[str, int | str]:
    """The machine's own properties: where its parts are."""
    platform = layout.platform
    return {
        "ram-banks": ":".join(f"{bank.size:#x}@{bank.base:#x}" for bank in layout.banks),
        "gic-dist-base": platform.gic_distributor,
        "gic-redist-base": platform.gic_redistributor,
        "uart-base": platform.uart_base,
        "uart-spi": platform.uart_spi,
        "virtio-base": platform.virtio_base,
        "virtio-spi": platform.virtio_spi,
        "virtio-count": platform.virtio_count,
    }


def engine_properties(device: Device) -> dict[str, int | str | list[int]]:
    """An engine for ``-device``; every limit is written out, so that the command tells all."""
    return {
        "driver": ENGINE,
        "id": device.name,
        "mmio-base": device.base,
        "spi": device.spi,
        "addr-bits": device.address_bits,
        "report-addr-bits": device.reported_address_bits,
        "dma-ranges": [number for w in device.dma_ranges for number in (w.bus, w.cpu, w.size)],
        "max-segments": device.max_segments,
        "max-segment-size": device.max_segment_size,
        "segment-boundary-mask": device.segment_boundary,
        "alignment": device.alignment,
        "granule": device.granule,
        "policy": device.policy,
        "latency-ns": device.latency_ns,
        "bandwidth": device.bandwidth,
    }


def _machine(layout: Layout) -> str:
    words = [MACHINE]
    for name, value in machine_properties(layout).items():
        words.append(f"{name}={value:#x}" if name.endswith("-base") else f"{name}={value}")
    return ",".join([*words, f"memory-backend={MEMORY_ID}"])


def _memory(layout: Layout, path: Path | None, share: bool) -> str:
    # A private view of all RAM counts as committed memory: without reserve=off
    # a host with less than that could not map it, though little is ever touched.
    backend = "memory-backend-memfd" if path is None else "memory-backend-file"
    words = [backend, f"id={MEMORY_ID}", "share=on" if share else "share=off,reserve=off"]
    if path is not None:
        words.append("mem-path=" + str(path).replace(",", ",,"))
    return ",".join([*words, f"size={layout.ram_size}"])
