# SPDX-License-Identifier: GPL-2.0-or-later
import json
from pathlib import Path

import pytest

from dmabed import argv, layout


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
