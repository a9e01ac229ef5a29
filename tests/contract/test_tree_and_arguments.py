# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux is told of exactly the hardware that QEMU is asked for."""

from dataclasses import replace

import hardware_map
import pytest

from dmabed import argv, dts, layout
from dmabed.layout import LocalMemory, Range, Window


def both(chosen, tmp_path):
    tree = hardware_map.of_tree(dts.compile_dtb(chosen, tmp_path / "soc.dtb").read_bytes())
    return tree, hardware_map.of_arguments(argv.machine_arguments(chosen, None, False))


@pytest.mark.parametrize("name", layout.names())
def test_they_agree(name, tmp_path):
    chosen = layout.find(name)
    tree, arguments = both(chosen, tmp_path)
    for device in chosen.devices:
        if device.declared_dma_ranges is not None:  # hidden on purpose: the tree tells what the layout says
            told = [(window.bus, window.cpu, window.size) for window in device.declared_dma_ranges]
            assert tree.windows.pop(device.name) == told != arguments.windows.pop(device.name)
    assert tree == arguments
    assert set(tree.engines) == {device.name for device in chosen.devices if not device.on_pcie}
    assert sum(size for _, size in tree.ram) == chosen.ram_size


def with_codec(name, **changes):
    chosen = layout.find(name)
    changed = [replace(d, **changes) if d.name == "codec" else d for d in chosen.devices]
    return replace(chosen, devices=tuple(changed))


def test_only_declared_windows_may_differ(tmp_path):
    lie = (Window(0, 0, 1 << 28), Window(1 << 32, 1 << 32, 4096))
    tree, arguments = both(with_codec("imx8mp-6g", declared_dma_ranges=lie), tmp_path)
    assert tree.windows.pop("codec") == [(0, 0, 1 << 28), (1 << 32, 1 << 32, 4096)]
    assert arguments.windows.pop("codec") == []
    assert tree == arguments


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ecam": 0x3E000000}, "pcie"),
        ({"mmio": Range(0x20000000, 1 << 28)}, "pcie"),
        ({"high_mmio": Range(0x1000000000, 1 << 30)}, "pcie"),
        ({"spi": 36}, "pcie"),
        ({"msi_base": 0x08030000}, "pcie"),
    ],
)
def test_the_comparison_sees_another_pcie(changes, field, tmp_path):
    chosen = layout.find("testbed-pci")
    tree, _ = both(chosen, tmp_path)
    platform = replace(chosen.platform, pcie=replace(chosen.platform.pcie, **changes))
    _, arguments = both(replace(chosen, platform=platform), tmp_path)
    assert getattr(tree, field) != getattr(arguments, field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"base": 0x38301000}, "engines"),
        ({"spi": 8}, "engines"),
        ({"dma_ranges": (Window(0, 0x40000000, 4096),)}, "windows"),
        ({"local_memory": LocalMemory(4096, 0x100000)}, "local"),
    ],
)
def test_the_comparison_sees_a_difference(changes, field, tmp_path):
    """The check itself: a tree and arguments of two layouts are told apart."""
    tree, _ = both(layout.find("imx8mp-6g"), tmp_path)
    _, arguments = both(with_codec("imx8mp-6g", **changes), tmp_path)
    assert getattr(tree, field) != getattr(arguments, field)
