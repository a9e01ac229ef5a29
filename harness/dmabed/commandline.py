# SPDX-License-Identifier: GPL-2.0-or-later
"""The QEMU command line of a guest: pure, from inputs to a list of words.

``argv.py`` gives what the layout decides (machine, memory, engines); this
module adds what makes it a testbed: QMP, console, agent port, network, image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dmabed import media
from dmabed.argv import machine_arguments
from dmabed.layout import Layout

# oops and panic end QEMU at once (with -no-reboot), so that a broken guest is seen
# by its exit, not by a timeout; the console is only a log
KERNEL_ARGUMENTS = "console=ttyAMA0 rdinit=/init oops=panic panic=-1"

GUEST_SSH_PORT = 22


@dataclass(frozen=True)
class Image:
    """What boots: kernel, initial root file system, and the DTB of the layout."""

    kernel: Path
    initrd: Path
    dtb: Path
    append: str = ""

    def kernel_command_line(self, modules: Sequence[str] = ()) -> str:
        """``modules``: of the kernel's own, what init loads for this layout."""
        named = f"dmabed.modules={','.join(modules)}" if modules else ""
        return " ".join(filter(None, (KERNEL_ARGUMENTS, named, self.append)))


@dataclass(frozen=True)
class Memory:
    """The file behind the guest's RAM; no path: anonymous memory.

    ``share`` writes through to the file (the boot of a snapshot), without it
    the file is mapped copy-on-write (a restore).
    """

    path: Path | None = None
    share: bool = False


@dataclass(frozen=True)
class Channels:
    """File descriptors and files that QEMU is given for talking."""

    qmp_fd: int
    agent_fd: int
    console: Path | None  # None: the terminal
    log: Path


def qemu_command(
    qemu: Path,
    data: Path | None,
    layout: Layout,
    image: Image,
    channels: Channels,
    memory: Memory,
    *,
    incoming: bool = False,
) -> list[str]:
    """The whole command. ``incoming`` waits for a snapshot instead of booting."""
    words = [str(qemu), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    words += ["-L", str(data)] if data else []
    words += machine_arguments(layout, memory.path, memory.share)
    words += ["-kernel", str(image.kernel), "-initrd", str(image.initrd), "-dtb", str(image.dtb)]
    words += ["-append", image.kernel_command_line(media.modules(layout))]
    words += ["-d", "guest_errors", "-D", str(channels.log)]
    words += _qmp(channels) + _console(channels) + _agent(channels) + _network()
    return words + (["-incoming", "defer"] if incoming else [])


def _qmp(channels: Channels) -> list[str]:
    return ["-chardev", f"socket,id=qmp,fd={channels.qmp_fd}", "-mon", "chardev=qmp,mode=control"]


def _console(channels: Channels) -> list[str]:
    """A file never blocks; a socket that nobody reads would stop the guest in PL011's write."""
    if channels.console is None:
        return ["-chardev", "stdio,id=console,mux=on,signal=off", "-serial", "chardev:console"]
    path = str(channels.console).replace(",", ",,")
    return ["-chardev", f"file,id=console,path={path}", "-serial", "chardev:console"]


def _agent(channels: Channels) -> list[str]:
    return [
        "-device", "virtio-serial-device",
        "-chardev", f"socket,id=agent,fd={channels.agent_fd}",
        "-device", "virtserialport,chardev=agent,name=dmabed.agent",
    ]  # fmt: skip


def _network() -> list[str]:
    """SSH on a loopback port that the host chooses; no way out for the guest."""
    return [
        "-netdev", f"user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:0-:{GUEST_SSH_PORT}",
        "-device", "virtio-net-device,netdev=net0",
        "-device", "virtio-rng-device",
    ]  # fmt: skip
