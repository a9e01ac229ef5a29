# SPDX-License-Identifier: GPL-2.0-or-later
"""The third witness: the bytes of a seed, computed on the host.

The engine fills buffers with SplitMix64 (Steele, Lea and Flood, "Fast
splittable pseudorandom number generators", OOPSLA 2014), as
docs/specs/dmabed-engine.md says; the agent does the same for CPU writes.
This is the same generator once more, so that a digest can be judged
although neither the guest nor the device is believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

WORD = 8
_CHUNK_WORDS = 1 << 20  # 8 MiB at a time: digests of large buffers stay small in memory

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def pattern(seed: int, offset: int, length: int) -> bytes:
    """Bytes ``offset``…``offset + length`` of the pattern of ``seed``; ``offset`` is a multiple of 8."""
    return b"".join(_chunks(seed, offset, length))


def sha256_of(seed: int, offset: int, length: int, corrupted_at: int | None = None) -> str:
    """The SHA-256 of ``pattern(seed, offset, length)``, in hexadecimal.

    Of the byte at ``corrupted_at``, counted as ``offset`` is, bit 0 is flipped:
    what the fault ``corrupt`` does (docs/specs/dmabed-engine.md).
    """
    digest, at = hashlib.sha256(), offset
    for chunk in _chunks(seed, offset, length):
        digest.update(chunk if corrupted_at is None else _flipped(chunk, corrupted_at - at))
        at += len(chunk)
    return digest.hexdigest()


def _flipped(chunk: bytes, at: int) -> bytes:
    if not 0 <= at < len(chunk):
        return chunk
    return chunk[:at] + bytes((chunk[at] ^ 1,)) + chunk[at + 1 :]


def _chunks(seed: int, offset: int, length: int) -> Iterator[bytes]:
    if offset % WORD or offset < 0 or length < 0:
        raise ValueError(f"offset {offset} (a multiple of {WORD}) and length {length} are not negative")
    word, left = offset // WORD, length
    while left > 0:
        count = min(_CHUNK_WORDS, -(-left // WORD))
        yield _words(seed, word, count).astype("<u8").tobytes()[:left]
        word, left = word + count, left - count * WORD


def _words(seed: int, first: int, count: int) -> npt.NDArray[np.uint64]:
    """Words ``first``…``first + count``: numpy's unsigned arithmetic is modulo 2⁶⁴, as the generator's."""
    index = np.arange(first + 1, first + 1 + count, dtype=np.uint64)
    z = np.uint64(seed % 2**64) + index * _GAMMA
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))
