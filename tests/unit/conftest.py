# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the tests of layouts: a file called small.yaml in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dmabed import layout
from dmabed.errors import InputError
from dmabed.layout import Layout

Write = Callable[..., Path]
Load = Callable[[str], Layout]
Refusal = Callable[[str, str, str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "small.yaml") -> Path:
        Path(name).write_text(text)
        return Path(name)

    return write


@pytest.fixture
def load(write: Write) -> Load:
    return lambda text: layout.load(write(text))


@pytest.fixture
def refusal(load: Load) -> Refusal:
    """What is said of a good layout with one change."""

    def refusal(good: str, old: str, new: str) -> str:
        assert good.count(old) == 1
        with pytest.raises(InputError) as caught:
            load(good.replace(old, new))
        return str(caught.value)

    return refusal
