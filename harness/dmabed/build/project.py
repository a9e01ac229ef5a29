# SPDX-License-Identifier: GPL-2.0-or-later
"""Where this project's own inputs lie, and which version they are."""

from __future__ import annotations

import subprocess

import dmabed
from dmabed.paths import ROOT

QEMU_DEVICES = ROOT / "qemu-devices"
GUEST_KERNEL = ROOT / "guest-kernel"
ENGINE_REGS = GUEST_KERNEL / "include" / "dmabed" / "engine_regs.h"
ROOTFS = ROOT / "rootfs"


def version() -> str:
    """``git describe`` of the checkout, or the package's version where there is no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--tags"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return dmabed.__version__
    return f"{dmabed.__version__}+{done.stdout.strip()}"
