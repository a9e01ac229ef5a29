# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line that starts QEMU."""

from __future__ import annotations

import itertools
from pathlib import Path

from dmabed import layout as layouts
from dmabed.commandline import Channels, Image, Memory, qemu_command

IMAGE = Image(Path("Image"), Path("initrd"), Path("soc.dtb"), append="loglevel=3")


def command(*, console: Path | None = Path("console.log"), incoming: bool = False) -> list[str]:
    channels = Channels(7, 8, console=console, log=Path("qemu.log"))
    layout = layouts.find("imx8mp-6g")
    return qemu_command(Path("qemu"), Path("data"), layout, IMAGE, channels, Memory(), incoming=incoming)


def after(words: list[str], option: str) -> list[str]:
    """The values of every occurrence of an option."""
    return [value for word, value in itertools.pairwise(words) if word == option]


def test_a_panic_ends_qemu() -> None:
    words = command()
    (arguments,) = after(words, "-append")
    assert {"oops=panic", "panic=-1", "rdinit=/init", "loglevel=3"} <= set(arguments.split())
    assert "-no-reboot" in words


def test_the_guest_has_no_way_out_and_ssh_only_on_loopback() -> None:
    (network,) = after(command(), "-netdev")
    assert "restrict=on" in network.split(",")
    assert "hostfwd=tcp:127.0.0.1:0-:22" in network.split(",")


def test_the_console_is_a_file_so_that_nobody_has_to_read_it() -> None:
    assert "file,id=console,path=console.log" in after(command(), "-chardev")
    assert "file,id=console,path=a,,b" in after(command(console=Path("a,b")), "-chardev")


def test_a_shell_gets_the_terminal() -> None:
    assert "stdio,id=console,mux=on,signal=off" in after(command(console=None), "-chardev")


def test_a_restore_waits_for_its_snapshot() -> None:
    assert after(command(incoming=True), "-incoming") == ["defer"]
    assert after(command(), "-incoming") == []


def test_every_device_of_the_layout_is_there() -> None:
    engines = [value for value in after(command(), "-device") if value.startswith("{")]
    assert len(engines) == len(layouts.find("imx8mp-6g").devices)
