# SPDX-License-Identifier: GPL-2.0-or-later
"""The test picture, as docs/specs/dmabed-capture.md paints it and docs/specs/sun8i-rotate.md turns it."""

import hashlib
import struct
import zlib

import pytest

from dmabed.media_watch import png, read_ppm
from dmabed.picture import Picture


def pixels(picture):
    code = "H" if picture.format == "RGBP" else "I"
    data = picture.data()
    width = picture.size[0]
    words = struct.unpack(f"<{len(data) // struct.calcsize(code)}{code}", data)
    return [words[at : at + width] for at in range(0, len(words), width)]


def test_a_pixel_beyond_the_square():
    # the values of the qtest of the model
    assert pixels(Picture(3, 0, 48, 8))[0][40] == 0xFF000000 | 40 << 16 | 48 << 8 | (40 ^ 3)
    assert pixels(Picture(3, 0, 48, 8, "RGBP"))[0][40] == (40 >> 3) << 11 | (48 >> 2) << 5 | (40 ^ 3) >> 3


def test_the_square_moves():
    first, second = (pixels(Picture(0, frame, 320, 240)) for frame in (0, 1))
    white = 0xFFFFFFFF
    assert first[0][0] == first[31][31] == white
    assert first[32][0] != white
    assert first[0][32] != white
    assert second[15][16] != white
    assert second[16][16] == second[47][47] == white


def test_colours_wrap():
    row = pixels(Picture(0, 0, 600, 100))[99]
    assert row[300] == 0xFF000000 | (300 & 0xFF) << 16 | 99 << 8 | (300 ^ 99) & 0xFF


def test_a_quarter_is_clockwise():
    seen, turned = pixels(Picture(1, 0, 64, 48)), pixels(Picture(1, 0, 64, 48, rotate=90))
    assert Picture(1, 0, 64, 48, rotate=90).size == (48, 64)
    assert turned[0][0] == seen[47][0]
    assert turned[0][47] == seen[0][0]
    assert turned[63][47] == seen[0][63]


def test_a_flip_comes_before_the_turn():
    flipped = pixels(Picture(1, 0, 64, 48, vflip=True))
    turned = pixels(Picture(1, 0, 64, 48, vflip=True, rotate=90))
    assert turned[0][0] == flipped[47][0]
    mirrored = pixels(Picture(1, 0, 64, 48, hflip=True))
    assert mirrored[5] == pixels(Picture(1, 0, 64, 48))[5][::-1]


def test_four_quarters_are_none():
    seen = pixels(Picture(1, 0, 64, 48))
    assert pixels(Picture(1, 0, 64, 48, rotate=180)) == [row[::-1] for row in seen[::-1]]


def test_digests_are_of_the_bytes():
    picture = Picture(2, 1, 64, 48)
    assert picture.sha256() == hashlib.sha256(picture.data()).hexdigest()
    assert picture.crc32() == zlib.crc32(picture.data())


def test_a_screen_repeats_the_upper_bits():
    rgb = Picture(0, 0, 64, 64, "RGBP").rgb()
    assert rgb[:3] == b"\xff\xff\xff"
    at = 3 * (40 * 64 + 40)
    assert rgb[at] == 40 >> 3 << 3 | 40 >> 3 >> 2
    assert len(rgb) == 3 * 64 * 64


@pytest.mark.parametrize("first", [b"\x20\x0a\x09", b"\xff\x00\x20"])
def test_ppm_and_png(first):
    """Pixels may look like white space."""
    body = first + b"\x01\x02\x03"
    assert read_ppm(b"P6\n2 1\n255\n" + body) == (2, 1, body)
    image = png(2, 1, body)
    assert image.startswith(b"\x89PNG")
    start = image.index(b"IDAT") + 4
    length = struct.unpack(">I", image[start - 8 : start - 4])[0]
    assert zlib.decompress(image[start : start + length]) == b"\0" + body
