# SPDX-License-Identifier: GPL-2.0-or-later
"""The media blocks while a scenario runs: their evidence, their screens, and who drives them."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dmabed.agent import Answer
from dmabed.errors import QmpError, TestbedError
from dmabed.files import named
from dmabed.machine import Machine

FAULTS = ("none", "corrupt", "wrong-line", "stale")
DRIVERS = "drivers.json"  # in a scenario's folder
# Modules, bound drivers and the kernel's log: which upstream driver has which block
_QUESTIONS = {
    "lsmod": ["lsmod"],
    "drivers": ["sh", "-c", "ls -d /sys/bus/platform/drivers/*/*.*"],
    "dmesg": ["dmesg"],
}

Evidence = Mapping[str, Any] | None


class MediaWatch:
    """What the host knows of the media blocks of one guest."""

    def __init__(self, machine: Machine, ask: Callable[[str, Mapping[str, Any]], Answer]) -> None:
        self._machine = machine
        self._ask = ask
        self._blocks = [block.name for block in machine.layout.media]
        self._done: dict[str, int] = {}  # pictures taken from each block so far
        self.before: dict[str, Evidence] = {}

    def begin(self) -> None:
        self.before = self._read()

    def end(self) -> dict[str, Evidence]:
        """The evidence now; who drives the blocks is kept beside the logs."""
        if self._blocks:
            self._keep_drivers()
        return self._read()

    def number_of(self, verb: str, block: str) -> int | None:
        """Which picture of the block belongs to a step that has just been done.

        Each frame that a queue gives back is the next one. A display shows a picture again and
        again, and records it once: what it shows now is the last.
        """
        if verb == "drm-show":
            found = self._read_one(block)
            return None if found is None else int(found["ops-total"])
        self._done[block] = self._done.get(block, 0) + 1
        before = self.before.get(block)
        return None if before is None else int(before["ops-total"]) + self._done[block]

    def screendump(self, block: str, step: int) -> dict[str, Any]:
        """What the screen shows, as a picture in the scenario's folder. Raises QmpError."""
        raw = self._machine.directory / f"screen-{step + 1}.ppm"
        self._machine.qmp.command("screendump", filename=str(raw), device=block)
        width, height, pixels = read_ppm(raw.read_bytes())
        raw.unlink()
        file = raw.with_suffix(".png")
        with named(file):
            file.write_bytes(png(width, height, pixels))
        digest = hashlib.sha256(pixels).hexdigest()
        return {"width": width, "height": height, "sha256": digest, "file": file.name}

    def _read(self) -> dict[str, Evidence]:
        return {block: self._read_one(block) for block in self._blocks}

    def _read_one(self, block: str) -> Evidence:
        try:
            found: Mapping[str, Any] = self._machine.qmp.get(self._machine.engine(block), "evidence")
        except QmpError:
            return None
        return found

    def _keep_drivers(self) -> None:
        said = {}
        try:
            for name, argv in _QUESTIONS.items():
                answer = self._ask("run", {"argv": argv, "timeout-ms": 5000})
                said[name] = base64.b64decode(answer.result["stdout"]).decode(errors="replace").splitlines()
        except (TestbedError, KeyError):
            said["end"] = ["the guest answered no more"]
        path: Path = self._machine.directory / DRIVERS
        with named(path):
            path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def read_ppm(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and pixels (red, green, blue) of a binary PPM, as QEMU writes them."""
    magic, width, height, most, _ = data.split(maxsplit=4)
    if magic != b"P6" or most != b"255":
        raise QmpError("the screendump is no PPM of 8 bits")
    return int(width), int(height), data[-int(width) * int(height) * 3 :]


def png(width: int, height: int, pixels: bytes) -> bytes:
    """The pixels as a PNG: lines without filters (RFC 2083)."""
    pitch = width * 3
    lines = b"".join(b"\0" + pixels[at : at + pitch] for at in range(0, pitch * height, pitch))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
