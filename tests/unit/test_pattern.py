# SPDX-License-Identifier: GPL-2.0-or-later
"""The pattern against a slow version of the specification, and against fixed values."""

from __future__ import annotations

import hashlib

import pytest

from dmabed.pattern import pattern, sha256_of

MASK = 2**64 - 1


def slow_pattern(seed: int, offset: int, length: int) -> bytes:
    """docs/specs/dmabed-engine.md, word by word."""
    words = bytearray()
    for i in range(offset // 8, offset // 8 + length // 8 + 1):
        z = (seed + (i + 1) * 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        words += (z ^ z >> 31).to_bytes(8, "little")
    return bytes(words[:length])


@pytest.mark.parametrize(
    ("seed", "offset", "length"),
    [(0, 0, 8), (1, 0, 4096), (7, 64, 100), (2**64 - 1, 8, 33), (0xDEADBEEF, 0, 0), (5, 2**35, 24)],
)
def test_equals_the_specification(seed: int, offset: int, length: int) -> None:
    assert pattern(seed, offset, length) == slow_pattern(seed, offset, length)
    assert sha256_of(seed, offset, length) == hashlib.sha256(slow_pattern(seed, offset, length)).hexdigest()


def test_fixed_vectors() -> None:
    # 0xe220a8397b1dcdaf is the well-known first output of SplitMix64 for seed 0
    assert pattern(0, 0, 8) == bytes.fromhex("afcd1d7b39a820e2")
    assert pattern(1234567, 0, 24).hex() == "85fc08fb17d09e59a50f545884f0732c777cf2a3e5bc3e88"
    assert sha256_of(7, 0, 1 << 20) == "796057759e9f4a8da1723b35b4bea2056e6192743a80555ece2fb5e90fbf838d"


def test_parts_join_to_the_whole() -> None:
    whole = pattern(3, 0, 1000)
    assert pattern(3, 0, 504) + pattern(3, 504, 496) == whole


def test_longer_than_one_chunk() -> None:
    length = (8 << 20) + 20
    assert pattern(9, 0, length)[-20:] == slow_pattern(9, 8 << 20, 20)


@pytest.mark.parametrize(("offset", "length"), [(4, 8), (-8, 8), (0, -1)])
def test_refuses_odd_offsets(offset: int, length: int) -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        pattern(1, offset, length)


@pytest.mark.parametrize("at", [16, 17, 8 << 20, (16 << 20) + 15])
def test_one_byte_is_corrupted(at: int) -> None:
    """Bit 0 of the byte at that offset, in whichever chunk it lies; nothing outside the bytes."""
    offset, length = 16, 16 << 20
    spoilt = bytearray(pattern(3, offset, length))
    spoilt[at - offset] ^= 1
    assert (
        sha256_of(3, offset, length, at) == hashlib.sha256(spoilt).hexdigest() != sha256_of(3, offset, length)
    )
    assert sha256_of(3, offset, 16, offset + 16) == sha256_of(3, offset, 16)
