# SPDX-License-Identifier: GPL-2.0-or-later
"""Editors can say what each key of a layout means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dmabed.paths import CONFIGS

SCHEMA = json.loads((CONFIGS / "schemas" / "layout.schema.json").read_text())


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that a layout may have; conditions ask for keys and explain none."""
    if isinstance(schema, list):
        for part in schema:
            yield from properties(part, path)
    if not isinstance(schema, dict):
        return
    for name, part in schema.get("properties", {}).items():
        yield f"{path}.{name}", part
    for name, part in schema.items():
        if name != "if":
            yield from properties(part, f"{path}/{name}")


def test_every_key_is_explained() -> None:
    keys = dict(properties(SCHEMA))
    assert len(keys) > 60
    assert [path for path, part in keys.items() if not part.get("markdownDescription")] == []
