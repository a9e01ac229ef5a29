# SPDX-License-Identifier: GPL-2.0-or-later
"""The pictures that a scenario names: what the camera sees, and what becomes of it."""

from __future__ import annotations

from typing import Any

from dmabed.picture import Picture
from dmabed.yamlfile import Document, KeyPath


def find(document: Document, at: KeyPath) -> Picture:
    """The picture that the name at this place of a scenario stands for. Raises InputError."""
    name: Any = document.data
    for key in at:
        name = name[key]
    return _make(document, name, at, ())


def _make(document: Document, name: str, at: KeyPath, through: tuple[str, ...]) -> Picture:
    known = document.data.get("pictures", {})
    if name not in known:
        raise document.error(at, f"there is no picture '{name}'", ", ".join(known) or "a key 'pictures'")
    if name in through:
        raise document.error(at, f"picture '{name}' comes of itself")
    keys = {key: value for key, value in known[name].items() if key != "of"}
    inside: KeyPath = ("pictures", name)
    if "of" not in known[name]:
        missing = [key for key in ("seed", "frame", "width", "height") if key not in keys]
        if missing:
            raise document.error(inside, f"key '{missing[0]}' is missing", "or 'of' another picture")
        return Picture(**keys)
    origin = _make(document, known[name]["of"], (*inside, "of"), (*through, name))
    return Picture(**{**vars(origin), **keys})
