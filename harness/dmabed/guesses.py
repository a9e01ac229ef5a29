# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody may have meant who misspelt a name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST = 3
# as difflib counts: half of the letters, about; names of ours are long and share their words
ALIKE = 0.4


def meant(word: str, known: Iterable[str]) -> str:
    """``did you mean A or B? `` for a hint; empty when nothing comes close. Capitals make no difference."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=MOST, cutoff=ALIKE)
    if word.lower() in by_lower:
        near = [word.lower()]
    return f"did you mean {' or '.join(by_lower[name] for name in near)}? " if near else ""
