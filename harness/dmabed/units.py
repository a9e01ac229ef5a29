# SPDX-License-Identifier: GPL-2.0-or-later
"""Sizes as people write them: ``64KiB`` to bytes and back."""

from __future__ import annotations

import re

# Largest first: format_size() takes the first one that divides.
UNITS = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "B": 1}
ALLOWED = "whole bytes (65536, 0x10000), or a whole number with B, KiB, MiB or GiB (64KiB)"
_LARGEST = (1 << 64) - 1

_TEXT = re.compile(r"(-)?(0[xX][0-9a-fA-F]+|[0-9]{1,20}) ?(B|KiB|MiB|GiB)?", re.ASCII)


def size(value: int | str) -> int:
    """Bytes in ``value``; ``ValueError`` says what is allowed."""
    count = _parse(value) if isinstance(value, str) else value
    if isinstance(count, bool) or not isinstance(count, int):
        raise _refuse(value, "is not a size")
    if count < 0:
        raise _refuse(value, "is negative")
    if count > _LARGEST:
        raise _refuse(value, "is more than 64 bits hold")
    return count


def _parse(text: str) -> int | None:
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        return None
    sign, number, unit = found.groups()
    count = int(number, 16 if number[:2] in ("0x", "0X") else 10) * UNITS[unit or "B"]
    return -count if sign else count


def format_size(count: int) -> str:
    """The shortest exact way to write ``count`` bytes: 65536 is ``64KiB``."""
    if count == 0:
        return "0B"
    unit = next(name for name, factor in UNITS.items() if count % factor == 0)
    return f"{count // UNITS[unit]}{unit}"


def _refuse(value: object, why: str) -> ValueError:
    return ValueError(f"{value!r} {why}; allowed: {ALLOWED}")
