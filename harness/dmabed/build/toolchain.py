# SPDX-License-Identifier: GPL-2.0-or-later
"""The compilers: their versions are part of every key."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from dmabed.build.cache import Cache
from dmabed.build.process import output

HOST_CC = "gcc"
CROSS = "aarch64-linux-gnu-"  # Debian's name; it is there on arm64 hosts too

CCACHE_SIZE = "2G"  # QEMU's objects take 0.1 GB


@cache
def version(compiler: str) -> str:
    """Version and target machine of a gcc."""
    what = f"asking {compiler} for its version"
    facts = ("fullversion", "machine")
    return " ".join(output([compiler, f"-dump{fact}"], what=what).strip() for fact in facts)


def ccache_environment(cache_: Cache, base: Path) -> dict[str, str]:
    """Settings with which ccache finds an object again from another directory."""
    if not shutil.which("ccache"):
        return {}
    return {
        "CCACHE_DIR": str(cache_.root / "ccache"),
        "CCACHE_BASEDIR": str(base),
        "CCACHE_NOHASHDIR": "1",
        "CCACHE_MAXSIZE": CCACHE_SIZE,
    }
