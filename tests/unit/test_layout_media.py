# SPDX-License-Identifier: GPL-2.0-or-later
"""Models of real blocks in a layout: what QEMU and the device tree are told, and what is refused."""

import pytest

from dmabed import argv, dts, layout, media, paths
from dmabed.commandline import Image
from dmabed.errors import InputError


@pytest.fixture(scope="module")
def found():
    return layout.find("testbed-media")


def test_blocks_are_no_engines(found):
    assert [device.name for device in found.devices] == ["engine"]
    assert [block.name for block in found.media] == ["camera", "rotate", "display"]
    assert found.device("rotate").model == "sun8i-rotate"


def test_properties_of_a_block(found):
    assert media.properties(found.device("rotate")) == {
        "driver": "sun8i-rotate",
        "id": "rotate",
        "mmio-base": 0x32E10000,
        "spi": 42,
        "addr-bits": 32,
        "dma-ranges": [],
        "latency-ns": 100000,
    }
    assert "latency-ns" not in media.properties(found.device("display"))
    assert media.properties(found.device("camera"))["frame-ns"] == 1000000
    assert '"driver": "imx28-lcdif"' in argv.machine_arguments(found, None, False)[-1]


def test_the_guest_is_told_which_drivers_to_load(found):
    assert media.modules(found) == ["dmabed-capture", "sun8i-rotate", "panel-simple", "mxsfb"]
    line = Image(*[paths.LAYOUTS] * 3).kernel_command_line(media.modules(found))
    assert "dmabed.modules=dmabed-capture,sun8i-rotate,panel-simple,mxsfb" in line.split()
    assert media.modules(layout.find("imx8mp-6g")) == []


def test_a_block_behind_an_iommu():
    behind = layout.find("testbed-media-iommu")
    assert media.properties(behind.device("rotate"))["iommu"] == "media_mmu"
    assert dts.render(behind).count("iommus = <&iommu0>;") == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model: sun8i-rotate", "model: sun9i", "allowed: engine, sun8i-rotate"),
        ("model: sun8i-rotate", "model: sun8i-rotate\n    max-segments: 1", "sun8i-rotate has no max-seg"),
        ("model: sun8i-rotate", "model: sun8i-rotate\n    policy: wrap", "a sun8i-rotate has no policy"),
        ("    panel: {width: 240, height: 320}\n", "", "a display has a panel"),
        ("panel: {width: 240,", "panel: {width: 60,", "60 is out of range; allowed: 120 to 2048"),
        ("    model: dmabed-capture\n", "    panel: {width: 240, height: 320}\n", "an engine has no panel"),
        ("base: 0x32e10000", "base: 0x32e00000", "overlaps"),
        ("spi: 42", "spi: 41", "SPI 41 of rotate is taken"),
        ("  rotate:", "  memory:", ":48: devices.memory: 'memory' is the node of RAM in the device tree; "),
        ("  rotate:", "  spi:", "devices.spi: 'spi' is a node of another kind to dtc; allowed: another name"),
        ("  rotate:", "  type:", "devices.type: 'type' is a property of every object in QEMU"),
    ],
)  # fmt: skip
def test_refused(tmp_path, old, new, message):
    text = (paths.LAYOUTS / "testbed-media.yaml").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "testbed-media.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        layout.load(file)


def test_an_iommu_with_the_name_of_a_block(tmp_path):
    text = (paths.LAYOUTS / "testbed-media-iommu.yaml").read_text(encoding="utf-8")
    file = tmp_path / "testbed-media-iommu.yaml"
    file.write_text(text.replace("  media_mmu:", "  rotate:").replace("iommu: media_mmu", "iommu: rotate"))
    with pytest.raises(InputError, match=r"iommus\.rotate: 'rotate' is a device already"):
        layout.load(file)
