# SPDX-License-Identifier: GPL-2.0-or-later
import json
from pathlib import Path

import pytest

from dmabed import argv, layout
from dmabed.layout import Device, LocalMemory


@pytest.fixture
def pi4():
    return layout.find("bcm2711-pi4")


def option(words, name):
    return [words[index + 1] for index, word in enumerate(words) if word == name]


def test_machine(pi4):
    words = argv.machine_arguments(pi4, None, share=False)
    assert option(words, "-machine") == [
        "dmabed-soc,ram-banks=0x3b400000@0x0:0xbc000000@0x40000000,"
        "gic-dist-base=0xff840000,gic-redist-base=0xff880000,uart-base=0xfe201000,uart-spi=121,"
        "virtio-base=0xffc00000,virtio-spi=192,virtio-count=8,memory-backend=ram0"
    ]
    assert option(words, "-cpu") == ["cortex-a72"]
    assert option(words, "-smp") == ["2"]
    assert option(words, "-m") == ["3956M"]


@pytest.mark.parametrize(
    ("path", "share", "expected"),
    [
        (None, False, "memory-backend-memfd,id=ram0,share=off,reserve=off,size=4148166656"),
        (None, True, "memory-backend-memfd,id=ram0,share=on,size=4148166656"),
        (Path("/s/ram"), True, "memory-backend-file,id=ram0,share=on,mem-path=/s/ram,size=4148166656"),
        (
            Path("/a,b/ram"),
            False,
            "memory-backend-file,id=ram0,share=off,reserve=off,mem-path=/a,,b/ram,size=4148166656",
        ),
    ],
)
def test_memory(pi4, path, share, expected):
    assert option(argv.machine_arguments(pi4, path, share), "-object") == [expected]


@pytest.fixture
def pci():
    return layout.find("testbed-pci")


def test_pcie_of_the_machine(pci, pi4):
    assert (
        argv.machine_properties(pci).items()
        >= {
            "pcie-ecam": 0x3F000000,
            "pcie-mmio": 0x10000000,
            "pcie-mmio-size": 0x10000000,
            "pcie-high-mmio": 0x1000000000,
            "pcie-high-mmio-size": 0x400000000,
            "pcie-spi": 32,
            "pcie-msi": 0x08020000,
            "pcie-msi-spi": 64,
            "pcie-msi-count": 32,
        }.items()
    )
    assert not [name for name in argv.machine_properties(pi4) if name.startswith("pcie")]


def test_root_ports_come_before_the_cards_in_them(pci):
    devices = [json.loads(text) for text in option(argv.machine_arguments(pci, None, False), "-device")]
    ports = [device for device in devices if device["driver"] == "pcie-root-port"]
    assert devices[:4] == ports
    assert ports[3] == {
        "driver": "pcie-root-port",
        "id": "rp3",
        "bus": "pcie.0",
        "addr": "4",
        "chassis": 1,
        "slot": 3,
        "io-reserve": 0,
    }


def test_where_an_engine_is(pci):
    def place(name):
        found = argv.engine_properties(pci.device(name))
        limits = argv.engine_properties(pci.device("codec")).keys() - {"mmio-base", "spi"}
        return {key: found[key] for key in found if key not in limits or key == "driver"}

    assert place("codec") == {"driver": "dmabed-engine-sys", "mmio-base": 0xB001000, "spi": 41}
    assert place("npu") == {
        "driver": "dmabed-engine-sys",
        "mmio-base": 0xB002000,
        "spi": 42,
        "local-memory": 4 << 20,
        "local-base": 0xC000000,
        "local-visible": True,
    }
    assert place("gpu2d")["local-visible"] is False


def test_a_card_is_where_its_port_is():
    card = Device("card", "gpu", "", None, None, 64, 64, "pcie", 3, local_memory=LocalMemory(16 << 20))
    properties = argv.engine_properties(card)
    assert properties.items() >= {"driver": "dmabed-engine-pci", "id": "card", "bus": "rp3"}.items()
    assert properties["local-memory"] == 16 << 20
    assert not properties.keys() & {"mmio-base", "spi", "local-base", "local-visible"}


def test_one_engine_per_device_with_every_limit(pi4):
    engines = {
        engine["id"]: engine
        for engine in map(json.loads, option(argv.machine_arguments(pi4, None, False), "-device"))
    }
    assert list(engines) == ["capture", "codec", "gpu", "display", "usb-camera"]
    assert engines["capture"] == {
        "driver": "dmabed-engine-sys",
        "id": "capture",
        "mmio-base": 0xFE801000,
        "spi": 103,
        "addr-bits": 32,
        "report-addr-bits": 32,
        "dma-ranges": [0xC0000000, 0, 0x40000000],
        "max-segments": 1,
        "max-segment-size": 0,
        "segment-boundary-mask": 0xFFFFFFFFFFFFFFFF,
        "alignment": 1,
        "granule": 1,
        "policy": "fault",
        "latency-ns": 1000,
        "bandwidth": 0,
    }
    assert engines["gpu"]["dma-ranges"] == []
