# SPDX-License-Identifier: GPL-2.0-or-later
"""The test picture of the camera, and what becomes of it: computed here, a third time.

docs/specs/dmabed-capture.md says what the camera paints, docs/specs/sun8i-rotate.md
how the rotation unit turns it.
"""

from __future__ import annotations

import functools
import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

SQUARE_SIDE = 32
SQUARE_STEP = 16
WHITE = 0xFFFFFF

FORMATS = {"XR24": 4, "RGBP": 2}
"""Bytes of a pixel, by V4L2's four letters: XRGB8888 and RGB565, both little endian."""

Rows = list[list[int]]


@dataclass(frozen=True)
class Picture:
    """What the camera sees at ``frame``, flipped and then turned clockwise.

    ``width`` and ``height`` are the camera's.
    """

    seed: int
    frame: int
    width: int
    height: int
    format: str = "XR24"
    hflip: bool = False
    vflip: bool = False
    rotate: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the result."""
        return (self.height, self.width) if self.rotate % 180 else (self.width, self.height)

    def rgb(self) -> bytes:
        """Three bytes for each pixel, as a screen shows it."""
        shown = (_on_screen(colour, self.format) for row in _rows(self) for colour in row)
        return b"".join(colour.to_bytes(3, "big") for colour in shown)

    def data(self) -> bytes:
        """The bytes in memory, lines without gaps."""
        code = "<H" if self.format == "RGBP" else "<I"
        pack = struct.Struct(code).pack
        words = (_word(colour, self.format) for row in _rows(self) for colour in row)
        return b"".join(map(pack, words))

    def sha256(self) -> str:
        return hashlib.sha256(self.data()).hexdigest()

    def screen_sha256(self) -> str:
        return hashlib.sha256(self.rgb()).hexdigest()

    def crc32(self) -> int:
        """What the display controller computes of a frame that it fetched."""
        return zlib.crc32(self.data())


def _paint(picture: Picture) -> Iterator[list[int]]:
    left = picture.frame * SQUARE_STEP % max(picture.width - SQUARE_SIDE, 1)
    top = (picture.seed + picture.frame * SQUARE_STEP) % max(picture.height - SQUARE_SIDE, 1)
    for y in range(picture.height):
        yield [
            WHITE if 0 <= x - left < SQUARE_SIDE and 0 <= y - top < SQUARE_SIDE else _colour(picture, x, y)
            for x in range(picture.width)
        ]


def _colour(picture: Picture, x: int, y: int) -> int:
    red, green = (x + 8 * picture.frame) & 0xFF, (y + 16 * picture.seed) & 0xFF
    return red << 16 | green << 8 | (x ^ y ^ picture.seed) & 0xFF


@functools.lru_cache(maxsize=32)
def _rows(picture: Picture) -> Rows:
    """Colours as 0xRRGGBB, line by line, after flip and turn."""
    rows = list(_paint(picture))
    if picture.hflip:
        rows = [row[::-1] for row in rows]
    if picture.vflip:
        rows = rows[::-1]
    for _ in range(picture.rotate // 90):
        rows = [list(line) for line in zip(*rows[::-1], strict=True)]
    return rows


def _word(colour: int, format_: str) -> int:
    if format_ == "RGBP":
        return (colour >> 19 & 0x1F) << 11 | (colour >> 10 & 0x3F) << 5 | (colour >> 3 & 0x1F)
    return 0xFF000000 | colour


def _on_screen(colour: int, format_: str) -> int:
    """RGB565 has fewer bits: a screen repeats the upper ones below."""
    if format_ != "RGBP":
        return colour
    word = _word(colour, format_)
    red, green, blue = word >> 11, word >> 5 & 0x3F, word & 0x1F
    return (red << 3 | red >> 2) << 16 | (green << 2 | green >> 4) << 8 | (blue << 3 | blue >> 2)
