# SPDX-License-Identifier: GPL-2.0-or-later
"""What a layout says to QEMU: machine, CPUs, RAM, root ports and one engine per device.

Pure. The properties are those of docs/specs/dmabed-soc.md and
docs/specs/dmabed-engine.md. What does not come from the layout (kernel, QMP,
console, network) is the business of ``commandline.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

from dmabed import media
from dmabed.layout import Device, Iommu, Layout, Pcie
from dmabed.layout_names import port_id

MACHINE = "dmabed-soc"
ENGINE = "dmabed-engine-sys"
ENGINE_PCI = "dmabed-engine-pci"
ROOT_PORT = "pcie-root-port"
IOMMU = "dmabed-rk-iommu"
IOMMU_SUN50I = "dmabed-sun50i-iommu"
MEMORY_ID = "ram0"

_MIB = 1 << 20
_PAGE = 0x1000


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
    for number in range(layout.platform.pcie.ports if layout.platform.pcie else 0):
        words += ["-device", json.dumps(port_properties(number))]
    for iommu in layout.iommus:  # before the devices, which name them
        words += ["-device", json.dumps(iommu_properties(iommu))]
    for device in layout.devices:
        words += ["-device", json.dumps(engine_properties(device))]
    for block in layout.media:
        words += ["-device", json.dumps(media.properties(block))]
    return words


def machine_properties(layout: Layout) -> dict[str, int | str]:
    """The machine's own properties: where its parts are."""
    platform = layout.platform
    properties: dict[str, int | str] = {
        "ram-banks": ":".join(f"{bank.size:#x}@{bank.base:#x}" for bank in layout.banks),
        "gic-dist-base": platform.gic_distributor,
        "gic-redist-base": platform.gic_redistributor,
        "uart-base": platform.uart_base,
        "uart-spi": platform.uart_spi,
        "virtio-base": platform.virtio_base,
        "virtio-spi": platform.virtio_spi,
        "virtio-count": platform.virtio_count,
    }
    return properties | (_pcie_properties(platform.pcie) if platform.pcie else {})


def port_properties(number: int) -> dict[str, int | str]:
    """A root port, in which a device can be plugged."""
    return {
        "driver": ROOT_PORT,
        "id": port_id(number),
        "bus": "pcie.0",
        # slot 0 of the bus is the host bridge itself
        "addr": f"{number + 1:x}",
        "chassis": 1,
        "slot": number,
        "io-reserve": 0,
    }


def iommu_properties(iommu: Iommu) -> dict[str, int | str]:
    """An IOMMU of the platform, as docs/specs/rockchip-iommu.md and sun50i-iommu.md have it."""
    properties: dict[str, int | str] = {
        "driver": IOMMU,
        "id": iommu.name,
        "mmio-base": iommu.base,
        "spi": iommu.spi,
        "output-bits": iommu.output_bits,
        "tlb": iommu.tlb,
    }
    if iommu.type == "sun50i":
        return properties | {"driver": IOMMU_SUN50I}
    return properties | {"version": _IOMMU_VERSIONS[iommu.type]}


_IOMMU_VERSIONS = {"rockchip-v1": 1, "rockchip-v2": 2}


def engine_properties(device: Device) -> dict[str, int | str | list[int]]:
    """An engine for ``-device`` or ``device_add``; every limit is written out, so that it tells all."""
    return _place(device) | {
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


def _place(device: Device) -> dict[str, int | str | list[int]]:
    """Where an engine is, and its local memory."""
    properties: dict[str, int | str | list[int]] = {"driver": ENGINE, "id": device.name}
    if device.port is not None:
        properties |= {"driver": ENGINE_PCI, "bus": port_id(device.port)}
    if device.base is not None and device.spi is not None:
        properties |= {"mmio-base": device.base, "spi": device.spi}
    if device.iommu is not None:
        properties["iommu"] = device.iommu
    if local := device.local_memory:
        properties["local-memory"] = local.size
        if local.base is not None:
            properties |= {"local-base": local.base, "local-visible": local.visible}
    return properties


def _pcie_properties(pcie: Pcie) -> dict[str, int | str]:
    properties: dict[str, int | str] = {
        "pcie-ecam": pcie.ecam,
        "pcie-mmio": pcie.mmio.base,
        "pcie-mmio-size": pcie.mmio.size,
        "pcie-spi": pcie.spi,
        "pcie-msi": pcie.msi_base,
        "pcie-msi-spi": pcie.msi_spi,
        "pcie-msi-count": pcie.msi_count,
    }
    if high := pcie.high_mmio:
        properties |= {"pcie-high-mmio": high.base, "pcie-high-mmio-size": high.size}
    if smmu := pcie.smmu:
        properties |= {"pcie-smmu": smmu.base, "pcie-smmu-spi": smmu.spi}
    return properties


def _machine(layout: Layout) -> str:
    words = [MACHINE]
    for name, value in machine_properties(layout).items():
        is_address = isinstance(value, int) and value >= _PAGE
        words.append(f"{name}={value:#x}" if is_address else f"{name}={value}")
    return ",".join([*words, f"memory-backend={MEMORY_ID}"])


def _memory(layout: Layout, path: Path | None, share: bool) -> str:
    # A private view of all RAM counts as committed memory: without reserve=off
    # a host with less than that could not map it, though little is ever touched.
    backend = "memory-backend-memfd" if path is None else "memory-backend-file"
    words = [backend, f"id={MEMORY_ID}", "share=on" if share else "share=off,reserve=off"]
    if path is not None:
        words.append("mem-path=" + str(path).replace(",", ",,"))
    return ",".join([*words, f"size={layout.ram_size}"])
