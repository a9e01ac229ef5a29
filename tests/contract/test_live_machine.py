# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that has just been made has the hardware it was asked for, and the tree it was given.

The CPUs never run: QEMU is started paused and looked at over QMP.
``DMABED_QEMU`` names a QEMU to try; otherwise it is the one that was built.
"""

import os
import socket
from dataclasses import replace

import hardware_map
import pytest

from dmabed import argv, dts, layout, yamlfile
from dmabed.layout import Device, LocalMemory, Window
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
]
# where it is: each engine has some of these
PLACES = ["mmio-base", "spi", "local-memory", "local-base", "local-visible"]


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
    chosen = with_cards(layout.find(request.param))
    folder = tmp_path_factory.mktemp(request.param)
    dtb = dts.compile_dtb(chosen, folder / "soc.dtb")
    with Paused(qemu, chosen, dtb, folder) as qmp:
        yield chosen, qmp, dtb


def with_cards(chosen):
    """Where there is PCI Express, a card with memory in its first port and one without in the next."""
    if not chosen.platform.pcie or any(device.on_pcie for device in chosen.devices):
        return chosen
    card = Device("card", "gpu", "", None, None, 64, 64, "pcie", 0, local_memory=LocalMemory(16 << 20))
    plain = Device("plain", "gpu", "", None, None, 32, 32, "pcie", 1)
    return replace(chosen, devices=(*chosen.devices, card, plain))


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
        compared = [*LIMITS, *(name for name in PLACES if name in asked)]
        found = {name: qmp.get(path, name) for name in compared}
        assert found == {name: asked[name] for name in compared}, device.name
        left = set(asked) - set(compared) - {"driver", "id", "dma-ranges"}
        assert left <= {"bus", "iommu"}, "not compared"


def test_each_iommu_is_as_narrow_as_the_layout_says(live):
    chosen, qmp, _dtb = live
    for iommu in chosen.iommus:
        asked = argv.iommu_properties(iommu)
        found = {name: qmp.get(f"/machine/peripheral/{iommu.name}", name) for name in ("output-bits", "tlb")}
        assert found == {name: asked[name] for name in found}, iommu.name


def test_each_card_is_in_its_port(live):
    chosen, qmp, _dtb = live
    for device in chosen.devices:
        if device.on_pcie:
            bus = qmp.get(f"/machine/peripheral/{device.name}", "parent_bus")
            assert bus == f"/machine/peripheral/rp{device.port}/rp{device.port}"


def test_a_free_port_takes_a_card(live):
    """What -device is given, device_add takes too."""
    chosen, qmp, _dtb = live
    if pcie := chosen.platform.pcie:
        taken = {device.port for device in chosen.devices}
        port = next(number for number in range(pcie.ports) if number not in taken)
        card = next(device for device in chosen.devices if device.on_pcie)
        qmp.command("device_add", **argv.engine_properties(replace(card, name="late", port=port)))
        assert qmp.get("/machine/peripheral/late", "local-memory") == card.local_memory.size
        qmp.command("device_del", id="late")  # no guest looks at the slot, so nobody has to be asked
        names = [child["name"] for child in qmp.command("qom-list", path="/machine/peripheral")]
        assert "late" not in names


def test_messages_become_the_interrupts_of_the_layout(live):
    chosen, qmp, _dtb = live
    if pcie := chosen.platform.pcie:
        assert hardware_map.msi_interrupts(qmp) == (pcie.msi_spi, pcie.msi_count)


def test_each_engine_reaches_the_ram_that_the_layout_says(live):
    chosen, qmp, _dtb = live
    for device in chosen.devices:
        assert hardware_map.ram_of_engine(qmp, device.name) == reachable(chosen, device), device.name


def reachable(chosen, device):
    """RAM in bus addresses: each bank through each window, cut off at the address width.

    What engines show of their local memory is RAM as well. A card has no bus
    mastering before Linux turns it on.
    """
    if device.on_pcie or device.iommu:  # no more than the IOMMU lets it
        return []
    end_of_width = 1 << device.address_bits
    pieces = []
    own = device.local_memory
    if own and not own.visible:
        pieces.append((own.base, own.size))
    shared = [d.local_memory for d in chosen.devices if d.base and d.local_memory and d.local_memory.visible]
    for window in device.dma_ranges or (Window(0, 0, end_of_width),):
        for bank in [*chosen.banks, *shared]:
            first = max(bank.base, window.cpu)
            last = min(
                bank.base + bank.size, window.cpu + window.size, end_of_width + window.cpu - window.bus
            )
            if first < last:
                pieces.append((first - window.cpu + window.bus, last - first))
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
    assert found != foreign
    assert found.engines != foreign.engines
