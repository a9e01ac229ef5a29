# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of a layout that mean something else to QEMU or in a device tree.

A device's name is its QOM id, a child of the machine's ``peripheral``. Media blocks and reserved memory give
theirs to nodes. Which names clash was found by trying every property of every object of the machine on every
kind of device.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dmabed.schema import Problem

if TYPE_CHECKING:
    from dmabed.layout import Layout

# a property of every QOM object, the container included (qom/object.c:2896)
_OF_EVERY_OBJECT = "type"
# A master's link to its IOMMU. QEMU takes the IOMMU's name for a path with the front left out, and
# finds that link of the first master as well when the second one is made (object_resolve_partial_path()).
_LINK_TO_IOMMU = "iommu"
# QEMU puts its own in place of every node with this name at the root (arm_load_dtb() in hw/arm/boot.c)
_MEMORY_NODE = "memory"
# dtc holds nodes with these names against the bindings of what usually has them (its checks.c)
_KNOWN_TO_DTC = dict.fromkeys(
    ("endpoint", "i2c", "i2c-arb", "i2c-bus", "spi"), "a node of another kind to dtc"
)
# in /reserved-memory only this one: dtc aborts
_KNOWN_IN_MEMORY = {"endpoint": _KNOWN_TO_DTC["endpoint"]}


def port_id(number: int) -> str:
    """What the machine's arguments call a root port."""
    return f"rp{number}"


def problems(layout: Layout) -> Iterator[Problem]:
    """Every name that somebody else has."""
    ports = layout.platform.pcie.ports if layout.platform.pcie else 0
    taken = {port_id(number): "a root port of PCI Express" for number in range(ports)}
    taken[_OF_EVERY_OBJECT] = "a property of every object in QEMU"
    of_iommus = taken | {_LINK_TO_IOMMU: "QEMU's link to an IOMMU"}
    for iommu in layout.iommus:
        yield from _clash(iommu.name, ("iommus", iommu.name), of_iommus)
    for device in layout.devices:
        yield from _clash(device.name, ("devices", device.name), taken)
    of_media = taken | _KNOWN_TO_DTC | {_MEMORY_NODE: "the node of RAM in the device tree"}
    for block in layout.media:
        yield from _clash(block.name, ("devices", block.name), of_media)
    for index, area in enumerate(layout.reserved):
        yield from _clash(area.name, ("memory", "reserved", index, "name"), _KNOWN_IN_MEMORY)


def _clash(name: str, path: tuple[str | int, ...], taken: dict[str, str]) -> Iterator[Problem]:
    if name in taken:
        yield Problem(path, f"'{name}' is {taken[name]}", "another name")
