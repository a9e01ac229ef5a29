# SPDX-License-Identifier: GPL-2.0-or-later
"""Layouts: what they hold, and what is refused with its file, line and key."""

import pytest

from dmabed import layout, paths, yamlfile
from dmabed.errors import InputError
from dmabed.layout import Bank, Device, Window

GOOD = """\
layout: small
modelled-after: nothing
cpu: {model: cortex-a53, count: 2}
memory:
  banks:
    - {base: 0x40000000, size: 1GiB}
    - {base: 0x100000000, size: 1GiB}
  reserved:
    - {name: "linux,cma", base: 0x50000000, size: 64MiB, kind: cma-default}
    - {name: firmware, base: 0x60000000, size: 4KiB, kind: no-map}
platform:
  gic: {distributor: 0x8000000, redistributor: 0x8100000}
  uart: {base: 0x9000000, spi: 1}
  virtio: {base: 0xa000000, spi: 16, count: 8}
devices:
  capture:
    role: capture
    hardware: a camera
    base: 0xb000000
    spi: 64
    address-bits: 32
  codec:
    role: codec
    hardware: a codec
    base: 0xb001000
    spi: 65
    address-bits: 32
    dma-ranges:
      - {bus: 0x0, cpu: 0x40000000, size: 256MiB}
    alignment: 64
    max-segment-size: 1MiB
"""


@pytest.fixture
def small(write):
    return layout.load(write(GOOD))


def test_fields(small):
    assert small.banks == (Bank(0x40000000, 1 << 30), Bank(0x100000000, 1 << 30))
    assert small.ram_size == 2 << 30
    assert small.device("codec") == Device(
        name="codec",
        role="codec",
        hardware="a codec",
        base=0xB001000,
        spi=65,
        address_bits=32,
        reported_address_bits=32,
        dma_ranges=(Window(0, 0x40000000, 256 << 20),),
        alignment=64,
        max_segment_size=1 << 20,
    )


def test_unknown_device_lists_those_that_are_there(small):
    with pytest.raises(
        InputError, match=r"no device 'codek' \(did you mean 'codec'\?\); allowed: capture, codec"
    ):
        small.device("codek")


@pytest.mark.parametrize("name", layout.names())
def test_the_repositorys_layouts(name):
    found = layout.find(name)
    assert found.name == name
    assert found.sources
    assert all(device.source for device in found.devices)


def test_find():
    assert set(layout.names()) >= {"imx8mp-6g", "bcm2711-pi4", "am62a-k3-split"}
    assert layout.find(paths.LAYOUTS / "imx8mp-6g.yaml") == layout.find("imx8mp-6g")
    with pytest.raises(InputError, match=r"'imx8mp' \(did you mean 'imx8mp-6g'\?\); allowed: .*bcm2711-pi4"):
        layout.find("imx8mp")
    with pytest.raises(InputError, match=r"^nowhere/x\.yaml: cannot be read"):
        layout.find("nowhere/x.yaml")


def make(bits, *windows):
    ranges = tuple(Window(*window) for window in windows)
    return Device("d", "codec", "", 0, 0, bits, bits, dma_ranges=ranges)


@pytest.mark.parametrize(
    ("device", "bus", "cpu"),
    [
        (make(32), 0xFFFFFFFF, 0xFFFFFFFF),
        (make(32), 0x100000000, None),
        (make(64), (1 << 64) - 1, (1 << 64) - 1),
        (make(32, (0xC0000000, 0, 1 << 30)), 0xC0000000, 0),
        (make(32, (0xC0000000, 0, 1 << 30)), 0xFFFFFFFF, 0x3FFFFFFF),
        (make(32, (0xC0000000, 0, 1 << 30)), 0xBFFFFFFF, None),
        (make(30, (0xC0000000, 0, 1 << 30)), 0xC0000000, None),
        (make(36, (0, 0x80000000, 4096), (0x80000000, 0x880000000, 4096)), 0x80000FFF, 0x880000FFF),
    ],
)
def test_bus_and_cpu_addresses(device, bus, cpu):
    assert device.to_cpu(bus) == cpu
    if cpu is not None:
        assert device.to_bus(cpu) == bus
        assert device.reaches(cpu)


def test_out_of_reach():
    assert not make(32).reaches(0x100000000)
    assert not make(32, (0xC0000000, 0, 1 << 30)).reaches(0x40000000)
    assert not make(31, (0x80000000, 0, 1 << 30)).reaches(0)


DEVICE_KEYS = (
    "role, hardware, model, panel, bus, base, spi, port, address-bits, reported-address-bits, dma-ranges, "
    "declared-dma-ranges, max-segments, max-segment-size, segment-boundary, alignment, granule, policy, "
    "latency-ns, bandwidth, local-memory, iommu, memory-region, coherent, source, notes"
)
ROLES = "capture, isp, codec, jpeg, 2d, npu, gpu, display, usb-camera, command, probe"
WRONG = {
    "unknown key of a device": (
        "    alignment: 64",
        "    alignement: 64",
        f"30: devices.codec.alignement: unknown key (did you mean 'alignment'?); allowed: {DEVICE_KEYS}",
    ),
    "missing key of a device": (
        "    spi: 65\n",
        "",
        "22: devices.codec: key 'spi' is missing",
    ),
    "role": ("role: codec", "role: video", f'23: devices.codec.role: "video" is not known; allowed: {ROLES}'),
    "device name": (
        "  codec:\n",
        "  2d:\n",
        "22: devices.2d: not a good name; allowed: up to 31 of a-z 0-9 -, a letter first",
    ),
    "negative size of a bank": (
        "size: 1GiB}\n    - {base: 0x1",
        "size: -1GiB}\n    - {base: 0x1",
        "6: memory.banks[0].size: '-1GiB' is negative; allowed: whole bytes (65536, 0x10000), "
        "or a whole number with B, KiB, MiB or GiB (64KiB)",
    ),
    "empty bank": (
        "size: 1GiB}\n    - {base: 0x1",
        "size: 0}\n    - {base: 0x1",
        "6: memory.banks[0].size: RAM at 0x40000000 is empty; allowed: more than 0",
    ),
    "odd bank": (
        "base: 0x40000000, size: 1",
        "base: 0x40001000, size: 1",
        "6: memory.banks[0].base: RAM 0x40001000-0x80000fff is not aligned; allowed: multiples of 0x200000",
    ),
    "bank of odd size": (
        "size: 1GiB}\n    - {base: 0x1",
        "size: 0x3ffff000}\n    - {base: 0x1",
        "6: memory.banks[0].size: RAM 0x40000000-0x7fffefff is not aligned; allowed: multiples of 0x100000",
    ),
    "bank of an odd number of MiB": (
        "size: 1GiB}\n    - {base: 0x1",
        "size: 0x3ff00000}\n    - {base: 0x1",
        None,
    ),
    "banks overlap": (
        "0x100000000, size",
        "0x60000000, size",
        "7: memory.banks[1].base: RAM 0x60000000-0x9fffffff overlaps RAM 0x40000000-0x7fffffff",
    ),
    "device in RAM": (
        "base: 0xb001000",
        "base: 0x40000000",
        "25: devices.codec.base: codec 0x40000000-0x40000fff overlaps RAM 0x40000000-0x7fffffff",
    ),
    "UART in RAM": (
        "uart: {base: 0x9000000",
        "uart: {base: 0x40000000",
        "13: platform.uart.base: UART 0x40000000-0x40000fff overlaps RAM 0x40000000-0x7fffffff",
    ),
    "devices overlap": (
        "base: 0xb001000",
        "base: 0xb000000",
        "25: devices.codec.base: codec 0xb000000-0xb000fff overlaps capture 0xb000000-0xb000fff",
    ),
    "device in the last CPU's redistributor": (
        "base: 0xb001000",
        "base: 0x813f000",
        "25: devices.codec.base: codec 0x813f000-0x813ffff overlaps GIC redistributors 0x8100000-0x813ffff",
    ),
    "device off its page": (
        "base: 0xb001000",
        "base: 0xb001800",
        "25: devices.codec.base: codec 0xb001800-0xb0027ff is not aligned; allowed: multiples of 0x1000",
    ),
    "base beyond the last page": (
        "base: 0xb001000",
        "base: 0x10000000000000000",
        "25: devices.codec.base: 18446744073709551616 is out of range; "
        "allowed: an address such as 0x40000000",
    ),
    "two devices on one interrupt": (
        "spi: 65",
        "spi: 64",
        "26: devices.codec.spi: SPI 64 of codec is taken by capture; allowed: an SPI of its own",
    ),
    "interrupt of virtio": (
        "spi: 65",
        "spi: 23",
        "26: devices.codec.spi: SPI 23 of codec is taken by virtio-mmio; allowed: an SPI of its own",
    ),
    "interrupts run out": (
        "spi: 16, count: 8",
        "spi: 217, count: 8",
        "14: platform.virtio.spi: SPI 224 of virtio-mmio is out of range; allowed: 0 to 223",
    ),
    "reserved outside RAM": (
        "base: 0x60000000",
        "base: 0x90000000",
        "10: memory.reserved[1].base: firmware 0x90000000-0x90000fff is not inside one RAM bank; "
        "allowed: RAM 0x40000000-0x7fffffff, RAM 0x100000000-0x13fffffff",
    ),
    "reserved overlaps": (
        "base: 0x60000000",
        "base: 0x50001000",
        "10: memory.reserved[1].base: firmware 0x50001000-0x50001fff "
        "overlaps linux,cma 0x50000000-0x53ffffff",
    ),
    "CMA off its alignment": (
        "base: 0x50000000",
        "base: 0x50200000",
        "9: memory.reserved[0].base: linux,cma 0x50200000-0x541fffff is not aligned; "
        "allowed: multiples of 0x400000",
    ),
    "two default CMA areas": (
        "4KiB, kind: no-map",
        "4MiB, kind: cma-default",
        "10: memory.reserved[1].kind: a second default CMA area; allowed: cma, pool, no-map",
    ),
    "CMA of a device off its alignment": (
        "4KiB, kind: no-map",
        "4KiB, kind: cma",
        "10: memory.reserved[1].size: firmware 0x60000000-0x60000fff is not aligned; "
        "allowed: multiples of 0x400000",
    ),
    "CMA off the alignment of larger pages": (
        "cpu: {model: cortex-a53",
        "kernel-variant: pages16k\ncpu: {model: cortex-a76",
        None,
    ),
    "no such kernel": (
        "cpu: {model: cortex-a53",
        "kernel-variant: pages64k\ncpu: {model: cortex-a76",
        "3: kernel-variant: \"pages64k\" is not known (did you mean 'pages16k'?); allowed: pages16k",
    ),
    "a kernel that the CPU does not run": (
        "cpu: {model",
        "kernel-variant: pages16k\ncpu: {model",
        "4: cpu.model: cortex-a53 has no pages of 16 KiB; allowed: cortex-a35, cortex-a55, cortex-a76, max",
    ),
    "a region that is no CMA area": (
        "    alignment: 64",
        "    memory-region: firmware",
        "30: devices.codec.memory-region: 'firmware' is no CMA area or pool of small; allowed: linux,cma",
    ),
    "reserved twice": (
        "name: firmware",
        'name: "linux,cma"',
        "10: memory.reserved[1].name: 'linux,cma' is taken; allowed: another name",
    ),
    "reserved as dtc knows another node": (
        "name: firmware",
        "name: endpoint",
        "10: memory.reserved[1].name: 'endpoint' is a node of another kind to dtc; allowed: another name",
    ),
    "alignment": (
        "alignment: 64",
        "alignment: 48",
        "30: devices.codec.alignment: 48 does not fit; allowed: 1, 2, 4, … 2GiB",
    ),
    "granule": (
        "alignment: 64",
        "granule: 0",
        "30: devices.codec.granule: 0 does not fit; allowed: 1, 2, 4, … 64KiB",
    ),
    "boundary": (
        "alignment: 64",
        "segment-boundary: 0x10000",
        "30: devices.codec.segment-boundary: 0x10000 is no mask; "
        "allowed: a power of 2 less 1, 0xfff or more, such as 0xffffffff",
    ),
    "granule beyond a burst": (
        "alignment: 64",
        "granule: 128KiB",
        "30: devices.codec.granule: 131072 does not fit; allowed: 1, 2, 4, … 64KiB",
    ),
    "boundary below a page": (
        "alignment: 64",
        "segment-boundary: 0xff",
        "30: devices.codec.segment-boundary: 0xff is no mask; "
        "allowed: a power of 2 less 1, 0xfff or more, such as 0xffffffff",
    ),
    "windows overlap": (
        "size: 256MiB}\n",
        "size: 256MiB}\n      - {bus: 0xfff0000, cpu: 0x100000000, size: 1MiB}\n",
        "30: devices.codec.dma-ranges[1]: bus addresses from 0xfff0000 overlap the window at 0x0; "
        "allowed: windows apart from each other",
    ),
    "declared windows overlap": (
        "    dma-ranges:\n",
        "    declared-dma-ranges:\n      - {bus: 0x0, cpu: 0x0, size: 1}\n",
        "30: devices.codec.declared-dma-ranges[1]: bus addresses from 0x0 overlap the window at 0x0; "
        "allowed: windows apart from each other",
    ),
    "empty window": (
        "size: 256MiB",
        "size: 0B",
        "29: devices.codec.dma-ranges[0].size: the window is empty; allowed: more than 0",
    ),
    "window beyond the last address": (
        "bus: 0x0, cpu",
        "bus: 0xfffffffff0000000, cpu",
        None,
    ),
    "address width": (
        "address-bits: 32\n    dma",
        "address-bits: 20\n    dma",
        "27: devices.codec.address-bits: 20 is out of range; allowed: 24 to 64",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_layout(write, old, new, message):
    assert GOOD.count(old) == 1
    path = write(GOOD.replace(old, new))
    if message is None:  # up to the very last address is still right
        layout.load(path)
        return
    with pytest.raises(InputError) as caught:
        layout.load(path)
    assert str(caught.value) == f"small.yaml:{message}"


def scenario(write, text):
    """The ``devices`` part of a scenario file: its data and its document."""
    document = yamlfile.read(write(f"# a scenario\ndevices:\n{text}", "scene.yaml"))
    return document.data["devices"], document


def test_override(small, write):
    changed = layout.override(
        small, *scenario(write, "  codec: {address-bits: 24, max-segments: 1, granule: 4KiB}\n")
    )
    codec = changed.device("codec")
    assert (codec.address_bits, codec.reported_address_bits) == (24, 24)
    assert (codec.max_segments, codec.granule, codec.alignment) == (1, 4096, 64)
    assert changed.device("capture") == small.device("capture")
    assert small.device("codec").address_bits == 32


def test_override_may_hide_a_limit(small, write):
    changed = layout.override(
        small,
        *scenario(write, "  codec: {address-bits: 28, reported-address-bits: 32, declared-dma-ranges: []}\n"),
    )
    codec = changed.device("codec")
    assert (codec.address_bits, codec.reported_address_bits) == (28, 32)
    assert codec.dma_ranges
    assert codec.tree_dma_ranges == ()
    # the lie stays as it is when only the truth changes
    again = layout.override(changed, *scenario(write, "  codec: {address-bits: 26}\n"))
    assert again.device("codec").reported_address_bits == 32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "  codek: {}\n",
            "3: devices.codek: layout small has no device 'codek' (did you mean 'codec'?); "
            "allowed: capture, codec",
        ),
        (
            "  codec:\n    adress-bits: 3\n",
            "4: devices.codec.adress-bits: unknown key (did you mean 'address-bits'?); "
            f"allowed: {DEVICE_KEYS}",
        ),
        (
            "  codec:\n    granule: 3\n",
            "4: devices.codec.granule: 3 does not fit; allowed: 1, 2, 4, … 64KiB",
        ),
        # capture stands before codec in the layout, yet the changed one is to blame
        (
            "  capture:\n    base: 0xb001000\n",
            "4: devices.capture.base: capture 0xb001000-0xb001fff overlaps codec 0xb001000-0xb001fff",
        ),
        (
            "  capture:\n    spi: 65\n",
            "4: devices.capture.spi: SPI 65 of capture is taken by codec; allowed: an SPI of its own",
        ),
    ],
)
def test_wrong_override_names_the_scenarios_line(small, write, text, message):
    with pytest.raises(InputError) as caught:
        layout.override(small, *scenario(write, text))
    assert str(caught.value) == f"scene.yaml:{message}"
