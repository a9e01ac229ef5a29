# SPDX-License-Identifier: GPL-2.0-or-later
"""Who plays the parts of a scenario on a layout: blocks of the roles that it asks for. Pure.

A scenario that is for every SoC can't name devices: one SoC has a codec, another only a 2D unit.
Its ``cast`` gives each part the roles that may play it, the best first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dmabed.layout import ENGINE_MODEL, Layout
from dmabed.yamlfile import Document, KeyPath

Roles = Mapping[str, Sequence[str]]


def players(cast: Roles, layout: Layout) -> dict[str, str]:
    """The device for each part, in the order of the cast, none twice; one that nobody can play is missing."""
    found: dict[str, str] = {}
    for part, roles in cast.items():
        free = [d for d in layout.devices if d.model == ENGINE_MODEL and d.name not in found.values()]
        fitting = (device.name for role in roles for device in free if device.role == role)
        if name := next(fitting, None):
            found[part] = name
    return found


def played(document: Document, names: Mapping[str, str]) -> Document:
    """The document with the names of devices in the place of the parts."""
    data = {key: value for key, value in document.data.items() if key != "cast"}
    data["steps"] = [_step(step, names) for step in data["steps"]]
    if "hardware" in data:
        data["hardware"] = {names.get(part, part): wanted for part, wanted in data["hardware"].items()}
    lines = {_path(path, names): line for path, line in document.lines.items()}
    return Document(document.path, data, lines)


def _step(step: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        key: {**value, "device": names.get(value["device"], value["device"])}
        if isinstance(value, dict) and "device" in value
        else value
        for key, value in step.items()
    }


def _path(path: KeyPath, names: Mapping[str, str]) -> KeyPath:
    if len(path) > 1 and path[0] == "hardware":
        return ("hardware", names.get(str(path[1]), path[1]), *path[2:])
    return path
