# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader of flattened device trees (DTB): Devicetree Specification v0.4, chapter 5.

Written for the tests, so that they judge the bytes that QEMU and Linux get.
QEMU edits trees in place and leaves NOP tokens, which PyPI's ``fdt`` refuses.
"""

import struct
from dataclasses import dataclass, field

MAGIC = 0xD00DFEED
BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9


@dataclass
class Node:
    path: str
    parent: "Node | None"
    properties: dict[str, bytes] = field(default_factory=dict)

    def strings(self, name: str) -> list[str]:
        """A list of strings; empty when the property is missing."""
        return self.properties.get(name, b"").decode().split("\0")[:-1]

    def cells(self, name: str) -> list[int]:
        """Its 32-bit cells; empty when the property is missing."""
        return _unpack(">I", self.properties.get(name, b""))

    def numbers(self, name: str) -> list[int]:
        """Pairs of cells: all addresses and sizes of these trees are 64 bits wide."""
        return _unpack(">Q", self.properties.get(name, b""))


def read(blob: bytes) -> list[Node]:
    """All nodes, parents before their children."""
    magic, size, structure, strings = struct.unpack_from(">4I", blob)
    assert magic == MAGIC, "not a DTB"
    assert size <= len(blob), "a DTB cut short"
    nodes: list[Node] = []
    here: Node | None = None
    at = structure
    while (token := _word(blob, at)) != END:
        at += 4
        if token == BEGIN_NODE:
            name, length = _text(blob, at)
            here = Node("/" if here is None else f"{here.path.rstrip('/')}/{name}", here)
            nodes.append(here)
            at += _padded(length + 1)
        elif token == END_NODE:
            here = here.parent
        elif token == PROP:
            length, name_at = struct.unpack_from(">2I", blob, at)
            name, _ = _text(blob, strings + name_at)
            here.properties[name] = blob[at + 8 : at + 8 + length]
            at += 8 + _padded(length)
        else:
            assert token == NOP, f"token {token} at {at - 4:#x}"
    return nodes


def _word(blob, at):
    return struct.unpack_from(">I", blob, at)[0]


def _text(blob, at):
    end = blob.index(b"\0", at)
    return blob[at:end].decode(), end - at


def _padded(length):
    return (length + 3) & ~3


def _unpack(form, raw):
    assert len(raw) % struct.calcsize(form) == 0, f"{len(raw)} bytes are not whole numbers"
    return [value for (value,) in struct.iter_unpack(form, raw)]
