# SPDX-License-Identifier: GPL-2.0-or-later
"""Layouts with IOMMUs: what they hold, what becomes of them, what is refused."""

import json
from pathlib import Path

import pytest

from dmabed import argv, dts, layout, yamlfile
from dmabed.errors import InputError
from dmabed.layout import Iommu, Smmu

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
    spi: 32
    msi: {base: 0x8020000, spi: 64, count: 32}
    ports: 2
    smmu: {base: 0x9050000, spi: 100}
iommus:
  vpu_mmu: {type: rockchip-v2, base: 0xb010800, spi: 41}
  narrow: {type: rockchip-v2, base: 0xb010900, spi: 42, output-bits: 32, tlb: 0}
devices:
  codec:
    role: codec
    hardware: a codec
    base: 0xb000000
    spi: 40
    address-bits: 32
    iommu: vpu_mmu
  jpeg:
    role: jpeg
    hardware: its neighbour
    base: 0xb001000
    spi: 43
    address-bits: 32
    iommu: vpu_mmu
  camera:
    role: capture
    hardware: a camera
    base: 0xb002000
    spi: 44
    address-bits: 32
  card:
    role: gpu
    hardware: a card
    bus: pcie
    port: 0
    address-bits: 64
"""


def test_fields(load):
    small = load(GOOD)
    assert small.iommus == (
        Iommu("vpu_mmu", "rockchip-v2", 0xB010800, 41, output_bits=40, tlb=64),
        Iommu("narrow", "rockchip-v2", 0xB010900, 42, output_bits=32, tlb=0),
    )
    assert small.platform.pcie.smmu == Smmu(0x9050000, 100)
    behind = [device.name for device in small.devices if small.translates(device)]
    assert behind == ["codec", "jpeg", "card"]


def test_a_v1_drives_32_bits(load):
    text = GOOD.replace("rockchip-v2", "rockchip-v1").replace("output-bits: 32, ", "")
    assert {iommu.output_bits for iommu in load(text).iommus} == {32}


def test_arguments(load):
    words = argv.machine_arguments(load(GOOD), None, share=False)
    devices = [json.loads(words[at + 1]) for at, word in enumerate(words) if word == "-device"]
    by_id = {device["id"]: device for device in devices}
    assert by_id["vpu_mmu"] == {
        "driver": "dmabed-rk-iommu",
        "id": "vpu_mmu",
        "mmio-base": 0xB010800,
        "spi": 41,
        "version": 2,
        "output-bits": 40,
        "tlb": 64,
    }
    assert by_id["jpeg"]["iommu"] == "vpu_mmu"
    assert "iommu" not in by_id["camera"]
    order = [device["id"] for device in devices]
    assert order.index("narrow") < order.index("codec"), "who is named is there already"
    assert argv.machine_properties(load(GOOD))["pcie-smmu"] == 0x9050000


def test_tree(load):
    source = dts.render(load(GOOD))
    assert 'iommu0: iommu@b010800 {\n\t\tcompatible = "rockchip,rk3568-iommu";' in source
    assert source.count("iommus = <&iommu0>;") == 2
    assert "iommus = <&iommu1>;" not in source
    assert "interrupts = <0 100 1>, <0 101 1>, <0 102 1>, <0 103 1>;" in source
    assert "iommu-map = <0x0 &smmu 0x0 0x10000>;" in source


def test_the_tree_compiles(load, tmp_path):
    assert dts.compile_dtb(load(GOOD), tmp_path / "small.dtb").exists()


SUN50I = GOOD.replace(
    "narrow: {type: rockchip-v2, base: 0xb010900", "low: {type: sun50i, base: 0xb020000"
).replace("iommu: vpu_mmu", "iommu: low")


def test_a_sun50i_numbers_its_masters_and_has_a_reset_line(load):
    source = dts.render(load(SUN50I))
    assert 'iommu1: iommu@b020000 {\n\t\tcompatible = "allwinner,sun50i-h6-iommu";' in source
    assert "iommus = <&iommu1 0>;" in source
    assert "iommus = <&iommu1 1>;" in source
    assert "resets = <&iommu1_reset 0>;" in source
    assert "iommu1_reset: reset@b020f00 {" in source
    properties = argv.iommu_properties(load(SUN50I).iommus[1])
    assert properties["driver"] == "dmabed-sun50i-iommu"
    assert "version" not in properties


def test_a_sun50i_has_six_masters(load):
    more = "".join(
        f"  more{n}: {{role: codec, hardware: x, base: {0xB040000 + n * 0x1000:#x}, spi: {150 + n}, "
        "address-bits: 32, iommu: low}\n"
        for n in range(5)
    )
    with pytest.raises(InputError, match="at most 6 of a sun50i"):
        load(SUN50I + more)


def test_a_layout_without_any_has_none_in_its_tree(load):
    without = GOOD[: GOOD.index("iommus:")] + GOOD[GOOD.index("devices:") :]
    without = without.replace("    iommu: vpu_mmu\n", "").replace(
        "    smmu: {base: 0x9050000, spi: 100}\n", ""
    )
    assert "iommu" not in dts.render(load(without))


def test_a_scenario_takes_a_device_out_from_behind_it(load):
    document = yamlfile.Document(Path("scene.yaml"), {}, {})
    changed = layout.override(
        load(GOOD), {"codec": {"iommu": "none"}, "camera": {"iommu": "narrow"}}, document
    )
    assert (changed.device("codec").iommu, changed.device("camera").iommu) == (None, "narrow")
    assert not changed.translates(changed.device("codec"))


REFUSED = {
    "an IOMMU that is not there": (
        "    iommu: vpu_mmu\n  jpeg",
        "    iommu: gpu_mmu\n  jpeg",
        "28: devices.codec.iommu: small has no IOMMU 'gpu_mmu'; allowed: vpu_mmu, narrow, none",
    ),
    "two versions": (
        "narrow: {type: rockchip-v2",
        "narrow: {type: rockchip-v1",
        "20: iommus.narrow.type: Linux takes one version of them in a guest, and the first is rockchip-v2; "
        "allowed: rockchip-v2",
    ),
    "an unknown type": (
        "vpu_mmu: {type: rockchip-v2",
        "vpu_mmu: {type: rockchip",
        "19: iommus.vpu_mmu.type: \"rockchip\" is not known (did you mean 'rockchip-v2'?); "
        "allowed: rockchip-v2, rockchip-v1, sun50i",
    ),
    "more bits than its tables hold": (
        "output-bits: 32",
        "output-bits: 41",
        "20: iommus.narrow.output-bits: 41 is out of range; allowed: 24 to 40",
    ),
    "a TLB of 4097": (
        "tlb: 0",
        "tlb: 4097",
        "20: iommus.narrow.tlb: 4097 is out of range; allowed: 0 to 4096",
    ),
    "the name of a device": (
        "narrow: {",
        "camera: {",
        "20: iommus.camera: 'camera' is a device already; allowed: another name",
    ),
    "the name that means none": (
        "narrow: {",
        "none: {",
        "20: iommus.none: not a good name; allowed: up to 31 of a-z 0-9 _ -, a letter first; not 'none'",
    ),
    "the name of every master's link": (
        "narrow: {",
        "iommu: {",
        "20: iommus.iommu: 'iommu' is QEMU's link to an IOMMU; allowed: another name",
    ),
    "the name of a property": (
        "narrow: {",
        "type: {",
        "20: iommus.type: 'type' is a property of every object in QEMU; allowed: another name",
    ),
    "the name of a root port": (
        "narrow: {",
        "rp1: {",
        "20: iommus.rp1: 'rp1' is a root port of PCI Express; allowed: another name",
    ),
    "registers on registers": (
        "0xb010900",
        "0xb010800",
        "20: iommus.narrow.base: narrow 0xb010800-0xb0108ff overlaps vpu_mmu 0xb010800-0xb0108ff",
    ),
    "registers off their place": (
        "0xb010900",
        "0xb010940",
        "20: iommus.narrow.base: narrow 0xb010940-0xb010a3f is not aligned; allowed: multiples of 0x100",
    ),
    "registers on a device's": (
        "0xb010800",
        "0xb000800",
        "25: devices.codec.base: codec 0xb000000-0xb000fff overlaps vpu_mmu 0xb000800-0xb0008ff",
    ),
    "a device's interrupt": (
        "spi: 42",
        "spi: 41",
        "20: iommus.narrow.spi: SPI 41 of narrow is taken by vpu_mmu; allowed: an SPI of its own",
    ),
    "the SMMU's interrupts": (
        "spi: 100",
        "spi: 93",
        "17: platform.pcie.smmu.spi: SPI 93 of the SMMU is taken by the PCIe MSI frame; "
        "allowed: an SPI of its own",
    ),
    "the SMMU off its place": (
        "0x9050000",
        "0x9058000",
        "17: platform.pcie.smmu.base: SMMU 0x9058000-0x9077fff is not aligned; allowed: multiples of 0x10000",
    ),
    "a card behind it": (
        "port: 0",
        "port: 0\n    iommu: vpu_mmu",
        "47: devices.card.iommu: a device on bus 'pcie' has no iommu",
    ),
    "a window with an offset": (
        "    iommu: vpu_mmu\n  jpeg",
        "    iommu: vpu_mmu\n    dma-ranges: [{bus: 0x0, cpu: 0x40000000, size: 1GiB}]\n  jpeg",
        "29: devices.codec.dma-ranges[0].bus: Linux heeds no offset of a window in front of an IOMMU, "
        "and this has 0x0; allowed: 0x40000000, as cpu",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(refusal, name):
    old, new, message = REFUSED[name]
    assert refusal(GOOD, old, new) == f"small.yaml:{message}"
