# SPDX-License-Identifier: GPL-2.0-or-later
"""What a build hands to the harness: the files of one testbed, and their identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Counted:
    """What it takes to read the counters of a kernel."""

    notes: Path  # the compiler's, by the name of the source
    selftests: Path  # the module with the kernel's own tests
    source: Path  # Linux's tree


@dataclass(frozen=True)
class Artifacts:
    """Everything that a boot needs.

    ``keys`` names the content of each artifact: two ``Artifacts`` with equal
    keys are the same testbed, so a snapshot of one restores in the other.
    """

    qemu: Path
    qemu_data: Path | None  # directory for -L, None when QEMU needs no firmware
    qtest: Path  # the qtest program of the engine
    kernel: Path  # arm64 Image
    initrd: Path  # base and modules
    media: Path | None  # the kernel's own media drivers, an archive to lay over the initrd
    ssh_key: Path  # OpenSSH private key that every guest accepts
    ssh_host_key: str  # "ssh-ed25519 AAAA...": what every guest presents
    versions: Mapping[str, str]  # qemu, linux, busybox, dropbear, dmabed
    keys: Mapping[str, str]  # qemu, kernel, modules, initrd
    counted: Counted | None = None  # of a kernel of ours that counts its lines
