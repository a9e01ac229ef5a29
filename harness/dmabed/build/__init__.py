# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds QEMU, the kernel, the modules and the root file system into a cache.

build(kernel=None, variant="default", progress=reporter()) -> Artifacts   builds what is missing
load(kernel=None, variant="default") -> Artifacts     SetupError when something is missing
overlay_cpio(DIR) -> bytes     a user's files, to follow the initrd
"""

from __future__ import annotations

from dmabed.build.artifacts import Artifacts, Counted
from dmabed.build.cpio import overlay_cpio
from dmabed.build.pipeline import build, load
from dmabed.build.progress import LineProgress, Progress, SilentProgress, reporter

__all__ = [
    "Artifacts",
    "Counted",
    "LineProgress",
    "Progress",
    "SilentProgress",
    "build",
    "load",
    "overlay_cpio",
    "reporter",
]
