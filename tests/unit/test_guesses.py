# SPDX-License-Identifier: GPL-2.0-or-later
"""Hints for misspelt names."""

from __future__ import annotations

import pytest

from dmabed.guesses import meant


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("c4", "did you mean C4? "),
        ("share-tree", "did you mean share-three? "),
        ("xyz", ""),
    ],
)
def test_meant(word: str, hint: str) -> None:
    assert meant(word, ["C4", "C14", "share-three"]) == hint
