# SPDX-License-Identifier: GPL-2.0-or-later
"""What the CPU writes before a device comes: the pattern of a seed at both ends of the buffer. Pure.

All that is between is as its exporter gave it, and that is zero. Under TCG a CPU takes a second for the
pattern of a large buffer, and it is the ends that tell whether a buffer was cut, moved or mixed up.
"""

from __future__ import annotations

import hashlib

from dmabed import pattern

END = 128 << 10


def parts(size: int) -> tuple[tuple[int, int], ...]:
    """Offset and length of what is written."""
    if size <= 2 * END:
        return ((0, size),)
    return ((0, END), (size - END, END))


def sha256_of(seed: int, size: int) -> str:
    """The SHA-256 of the whole buffer."""
    digest, at = hashlib.sha256(), 0
    for offset, length in parts(size):
        digest.update(bytes(offset - at))
        digest.update(pattern.pattern(seed, offset, length))
        at = offset + length
    return digest.hexdigest()
