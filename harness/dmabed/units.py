# SPDX-License-Identifier: GPL-2.0-or-later
"""Sizes as people write them: ``64KiB`` to bytes and back."""

from __future__ import annotations

import re

# Largest first: format_size() takes the first one that divides.
UNITS = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "B": 1}
ALLOWED = "whole bytes (65536, 0x10000), or a whole number with B, KiB, MiB or GiB (64KiB)"

_TEXT = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]{1,20}) ?(B|KiB|MiB|GiB)?", re.ASCII)


def size(value: int | str) -> int:
    """Bytes in ``value``; ``ValueError`` says what is allowed."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _refuse(value, "is not a size")
    if isinstance(value, int):
        if value < 0:
            raise _refuse(value, "is negative")
        return value
    if value.strip().startswith("-"):
        raise _refuse(value, "is negative")
    found = _TEXT.fullmatch(value.strip())
    if found is None:
        raise _refuse(value, "is not a size")
    return int(found[1], 0 if found[1][:2] in ("0x", "0X") else 10) * UNITS[found[2] or "B"]


def format_size(count: int) -> str:
    """The shortest exact way to write ``count`` bytes: 65536 is ``64KiB``."""
    if count == 0:
        return "0B"
    unit = next(name for name, factor in UNITS.items() if count % factor == 0)
    return f"{count // UNITS[unit]}{unit}"


def _refuse(value: object, why: str) -> ValueError:
    return ValueError(f"{value!r} {why}; allowed: {ALLOWED}")
