# SPDX-License-Identifier: GPL-2.0-or-later
"""Layouts with PCI Express and devices with memory of their own: what they hold, what is refused."""

from pathlib import Path

import pytest

from dmabed import dts, layout, yamlfile
from dmabed.layout import LocalMemory, Pcie, Range

GOOD = """\
layout: small
modelled-after: nothing
cpu: {model: cortex-a53, count: 2}
memory:
  banks:
    - {base: 0x40000000, size: 1GiB}
platform:
  gic: {distributor: 0x8000000, redistributor: 0x8100000}
  uart: {base: 0x9000000, spi: 1}
  virtio: {base: 0xa000000, spi: 16, count: 8}
  pcie:
    ecam: 0x30000000
    mmio: {base: 0x10000000, size: 256MiB}
    high-mmio: {base: 0x1000000000, size: 1GiB}
    spi: 32
    msi: {base: 0x8020000, spi: 64, count: 32}
    ports: 2
devices:
  npu:
    role: npu
    hardware: an accelerator
    base: 0xb000000
    spi: 40
    address-bits: 32
    local-memory: {base: 0xc000000, size: 1MiB}
  card:
    role: gpu
    hardware: a card
    bus: pcie
    port: 0
    address-bits: 64
    local-memory: {size: 2MiB}
  other:
    role: gpu
    hardware: a card
    bus: pcie
    port: 1
    address-bits: 64
"""


def test_fields(load):
    small = load(GOOD)
    assert small.platform.pcie == Pcie(
        ecam=0x30000000,
        mmio=Range(0x10000000, 256 << 20),
        high_mmio=Range(0x1000000000, 1 << 30),
        spi=32,
        msi_base=0x8020000,
        msi_spi=64,
        msi_count=32,
        ports=2,
    )
    card = small.device("card")
    assert (card.bus, card.port, card.base, card.spi) == ("pcie", 0, None, None)
    assert card.local_memory == LocalMemory(2 << 20)
    assert small.device("npu").local_memory == LocalMemory(1 << 20, 0xC000000, visible=True)


def test_local_memory_is_where_it_is_whatever_the_windows_say(load):
    npu = load(
        GOOD.replace("size: 1MiB}", "size: 1MiB}\n    dma-ranges: [{bus: 0, cpu: 0x40000000, size: 1GiB}]")
    )
    npu = npu.device("npu")
    assert npu.to_cpu(0xC000010) == 0xC000010 == npu.to_bus(0xC000010)
    assert npu.to_cpu(0xC100000) == 0x4C100000
    assert npu.to_cpu(0xBFFFFFF) == 0x4BFFFFFF


def test_hidden_local_memory_has_no_cpu_address(load):
    hidden = load(GOOD.replace("size: 1MiB}", "size: 1MiB, visible: false}"))
    assert hidden.device("npu").to_cpu(0xC000010) is None
    assert "local" not in dts.render(hidden)
    assert 'reg-names = "regs", "local";' in dts.render(load(GOOD))


def test_without_a_high_window(load):
    small = load(GOOD.replace("    high-mmio: {base: 0x1000000000, size: 1GiB}\n", ""))
    assert small.platform.pcie.high_mmio is None
    assert "0x43000000" not in dts.render(small)


REFUSED = {
    "no PCI Express": (
        GOOD[GOOD.index("  pcie:") : GOOD.index("devices:")],
        "",
        "22: devices.card.bus: small has no PCI Express; allowed: a layout with platform.pcie",
    ),
    "no port": (
        "    port: 0\n",
        "",
        "26: devices.card: key 'port' is missing",
    ),
    "platform device without a place": (
        "    base: 0xb000000\n",
        "",
        "19: devices.npu: key 'base' is missing",
    ),
    "the name of a root port": (
        "  card:",
        "  rp1:",
        "26: devices.rp1: 'rp1' is a root port of PCI Express; allowed: another name",
    ),
    "a port that is not there": (
        "port: 1",
        "port: 2",
        "37: devices.other.port: there is no port 2; allowed: 0 to 1",
    ),
    "two cards in one port": (
        "port: 1",
        "port: 0",
        "37: devices.other.port: port 0 is taken by card; allowed: a port of its own",
    ),
    "a card with registers somewhere": (
        "port: 1",
        "port: 1\n    base: 0xb002000",
        "38: devices.other.base: a device on bus 'pcie' has no base",
    ),
    "a card with windows": (
        "port: 1",
        "port: 1\n    dma-ranges: [{bus: 0, cpu: 0, size: 1GiB}]",
        "38: devices.other.dma-ranges: a device on bus 'pcie' has no dma-ranges",
    ),
    "a port on the platform": (
        "spi: 40",
        "spi: 40\n    port: 0",
        "24: devices.npu.port: a device on bus 'platform' has no port",
    ),
    "an unknown bus": (
        "bus: pcie\n    port: 1",
        "bus: isa\n    port: 1",
        '36: devices.other.bus: "isa" is not known; allowed: platform, pcie',
    ),
    "ECAM on RAM": (
        "ecam: 0x30000000",
        "ecam: 0x3ff00000",
        "12: platform.pcie.ecam: PCIe ECAM 0x3ff00000-0x40efffff overlaps RAM 0x40000000-0x7fffffff",
    ),
    "ECAM unaligned": (
        "ecam: 0x30000000",
        "ecam: 0x30010000",
        "12: platform.pcie.ecam: PCIe ECAM 0x30010000-0x3100ffff is not aligned; "
        "allowed: multiples of 0x100000",
    ),
    "window on ECAM": (
        "size: 256MiB",
        "size: 513MiB",
        "13: platform.pcie.mmio.base: PCIe window 0x10000000-0x300fffff "
        "overlaps PCIe ECAM 0x30000000-0x30ffffff",
    ),
    "window beyond 32 bits": (
        "mmio: {base: 0x10000000, size: 256MiB}",
        "mmio: {base: 0xf0000000, size: 512MiB}",
        "13: platform.pcie.mmio: the window ends beyond 32 bits; allowed: an end below 4 GiB",
    ),
    "pins on virtio's interrupts": (
        "spi: 32",
        "spi: 20",
        "15: platform.pcie.spi: SPI 20 of PCIe is taken by virtio-mmio; allowed: an SPI of its own",
    ),
    "messages on a device's interrupt": (
        "spi: 64, count: 32",
        "spi: 33, count: 32",
        "16: platform.pcie.msi.spi: SPI 33 of the PCIe MSI frame is taken by PCIe; "
        "allowed: an SPI of its own",
    ),
    "message frame on the GIC": (
        "msi: {base: 0x8020000",
        "msi: {base: 0x8000000",
        "16: platform.pcie.msi.base: PCIe MSI frame 0x8000000-0x8000fff "
        "overlaps GIC distributor 0x8000000-0x800ffff",
    ),
    "local memory nowhere": (
        "{base: 0xc000000, size: 1MiB}",
        "{size: 1MiB}",
        "25: devices.npu.local-memory: key 'base' is missing",
    ),
    "local memory on RAM": (
        "base: 0xc000000",
        "base: 0x40000000",
        "25: devices.npu.local-memory.base: local memory of npu 0x40000000-0x400fffff "
        "overlaps RAM 0x40000000-0x7fffffff",
    ),
    "local memory out of its engine's reach": (
        "base: 0xc000000",
        "base: 0xfff80000",
        "25: devices.npu.local-memory.base: npu cannot reach the end of it with 32 address bits; "
        "allowed: an end of at most 0x100000000",
    ),
    "local memory off a page": (
        "base: 0xc000000",
        "base: 0xc000800",
        "25: devices.npu.local-memory.base: 0xc000800 is not aligned; allowed: multiples of 0x1000",
    ),
    "local memory in bytes": (
        "size: 1MiB",
        "size: 1000",
        "25: devices.npu.local-memory.size: 1000 does not fit; allowed: multiples of 4KiB up to 1GiB",
    ),
    "a BAR with a base": (
        "{size: 2MiB}",
        "{base: 0x1000000000, size: 2MiB}",
        "32: devices.card.local-memory.base: Linux chooses where a BAR is; allowed: no base",
    ),
    "a BAR that nobody sees": (
        "{size: 2MiB}",
        "{size: 2MiB, visible: false}",
        "32: devices.card.local-memory.visible: a BAR is visible; allowed: true",
    ),
    "a BAR of 3 MiB": (
        "{size: 2MiB}",
        "{size: 3MiB}",
        "32: devices.card.local-memory.size: 3145728 is no size of a BAR; allowed: a power of 2",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(refusal, name):
    old, new, message = REFUSED[name]
    assert refusal(GOOD, old, new) == f"small.yaml:{message}"


def test_the_name_of_a_root_port_that_is_not_there(load):
    assert load(GOOD.replace("  card:", "  rp2:")).device("rp2").port == 0


def test_a_scenario_changes_local_memory(load):
    small = load(GOOD)
    document = yamlfile.Document(Path("scene.yaml"), {}, {})
    changed = layout.override(small, {"card": {"local-memory": {"size": "64KiB"}}}, document)
    assert changed.device("card").local_memory == LocalMemory(64 << 10)
