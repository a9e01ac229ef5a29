# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that has just been made has the hardware it was asked for, and the tree it was given.

The CPUs never run: QEMU is started paused and looked at over QMP.
``DMABED_QEMU`` names a QEMU to try; otherwise it is the one that was built.
"""

import os
import socket

import hardware_map
import pytest

from dmabed import argv, dts, layout, yamlfile
from dmabed.layout import Window
from dmabed.process import Child
from dmabed.qmp import Qmp

pytestmark = pytest.mark.integration

# what -device was given, by QEMU's names
LIMITS = [
    "addr-bits",
    "report-addr-bits",
    "max-segments",
    "max-segment-size",
    "segment-boundary-mask",
    "alignment",
    "granule",
    "policy",
    "latency-ns",
    "bandwidth",
    "mmio-base",
    "spi",
]


@pytest.fixture(scope="module")
def qemu(request):
    """The program, and what it wants for -L."""
    if named := os.environ.get("DMABED_QEMU"):
        return [named]
    artifacts = request.getfixturevalue("artifacts")
    data = ["-L", str(artifacts.qemu_data)] if artifacts.qemu_data else []
    return [str(artifacts.qemu), *data]


@pytest.fixture(scope="module", params=layout.names())
def live(request, qemu, tmp_path_factory):
    """A paused machine of each layout: the layout, its QMP, its DTB."""
    chosen = layout.find(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    dtb = dts.compile_dtb(chosen, folder / "soc.dtb")
    with Paused(qemu, chosen, dtb, folder) as qmp:
        yield chosen, qmp, dtb


class Paused:
    """QEMU, stopped before its first instruction."""

    def __init__(self, qemu, chosen, dtb, folder):
        # no kernel runs, but QEMU loads a DTB only beside one
        kernel = folder / "Image"
        kernel.write_bytes(bytes(4096))
        ours, theirs = socket.socketpair()
        self.ours, fd = ours, theirs.fileno()
        command = [*qemu, "-nodefaults", "-no-user-config", "-display", "none", "-S"]
        command += argv.machine_arguments(chosen, None, share=False)
        command += ["-kernel", str(kernel), "-dtb", str(dtb)]
        command += ["-chardev", f"socket,id=qmp,fd={fd}", "-mon", "chardev=qmp,mode=control"]
        self.folder = folder
        with theirs:
            self.child = Child(command, output=folder / "qemu.out", pass_fds=[fd])

    def __enter__(self):
        try:
            self.qmp = Qmp(self.ours, self.folder / "qmp.log")
        except Exception as error:
            self.child.kill()
            raise AssertionError(f"QEMU did not start: {self.child.said()}") from error
        return self.qmp

    def __exit__(self, *_error):
        self.qmp.close()
        self.child.kill()


def test_the_map_is_the_layouts(live):
    chosen, qmp, _dtb = live
    asked = hardware_map.of_arguments(argv.machine_arguments(chosen, None, share=False))
    assert hardware_map.of_qemu(qmp) == asked


def test_the_guest_gets_the_layouts_tree(live, tmp_path):
    """QEMU rewrites a DTB's memory nodes: what comes out must still be the layout's."""
    _chosen, qmp, dtb = live
    given = tmp_path / "given.dtb"
    qmp.command("dumpdtb", filename=str(given))
    assert hardware_map.of_tree(given.read_bytes()) == hardware_map.of_tree(dtb.read_bytes())


def test_each_engine_has_its_limits(live):
    chosen, qmp, _dtb = live
    for device in chosen.devices:
        asked = argv.engine_properties(device)
        path = f"/machine/peripheral/{device.name}"
        found = {name: qmp.get(path, name) for name in LIMITS}
        assert found == {name: asked[name] for name in LIMITS}, device.name
    assert set(LIMITS) | {"driver", "id", "dma-ranges"} == set(asked), "a property that nobody compares"


def test_each_engine_reaches_the_ram_that_the_layout_says(live):
    chosen, qmp, _dtb = live
    for device in chosen.devices:
        assert hardware_map.ram_of_engine(qmp, device.name) == reachable(chosen, device), device.name


def reachable(chosen, device):
    """RAM in bus addresses: each bank through each window, cut off at the address width."""
    end_of_width = 1 << device.address_bits
    pieces = []
    for window in device.dma_ranges or (Window(0, 0, end_of_width),):
        for bank in chosen.banks:
            first = max(bank.base, window.cpu)
            last = min(
                bank.base + bank.size, window.cpu + window.size, end_of_width + window.cpu - window.bus
            )
            if first < last:
                pieces.append((device.to_bus(first), last - first))
    return hardware_map.joined(pieces)


EXTREMES = [
    {"address-bits": 24, "alignment": "2GiB", "granule": "64KiB", "segment-boundary": 0xFFF},
    {"address-bits": 64, "max-segments": 65536, "max-segment-size": (1 << 64) - 1},
    {"address-bits": 64, "dma-ranges": [{"bus": (1 << 64) - 4096, "cpu": 0x40000000, "size": "4KiB"}]},
    {"latency-ns": 10**12, "bandwidth": (1 << 64) - 1, "policy": "wrap", "reported-address-bits": 24},
]


@pytest.mark.parametrize("keys", EXTREMES)
def test_what_a_layout_may_say_qemu_takes(keys, qemu, tmp_path):
    chosen = layout.find("imx8mp-6g")
    document = yamlfile.Document(tmp_path / "scene.yaml", {}, {})
    chosen = layout.override(chosen, {"codec": keys}, document)
    dtb = dts.compile_dtb(chosen, tmp_path / "soc.dtb")
    with Paused(qemu, chosen, dtb, tmp_path) as qmp:
        assert hardware_map.ram_of_engine(qmp, "codec") == reachable(chosen, chosen.device("codec"))


def test_all_of_memory_is_the_backend(live):
    chosen, qmp, _dtb = live
    (backend,) = qmp.command("query-memdev")
    assert (backend["id"], backend["size"]) == ("ram0", chosen.ram_size)


def test_a_machine_that_the_layout_does_not_have_is_told_apart(live):
    """The check itself: the map of another layout is not taken for this one's."""
    chosen, qmp, _dtb = live
    other = next(name for name in layout.names() if name != chosen.name)
    foreign = hardware_map.of_arguments(argv.machine_arguments(layout.find(other), None, share=False))
    found = hardware_map.of_qemu(qmp)
    assert found.ram != foreign.ram
    assert found.engines != foreign.engines
