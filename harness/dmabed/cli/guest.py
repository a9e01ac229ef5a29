# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed boot``, ``exec`` and ``shell``: one guest, by hand."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import socket
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from dmabed import layout as layouts
from dmabed.cli.options import Booting, boot_options, end_output, json_option, layout_option, show
from dmabed.commandline import Channels, Memory, qemu_command
from dmabed.errors import NotProbed, TestbedError
from dmabed.layout import Layout
from dmabed.machine import Machine
from dmabed.process import Child
from dmabed.ssh import Ssh
from dmabed.testbed import Testbed

GUEST_DIED = 255


@contextlib.contextmanager
def _logs() -> Iterator[Path]:
    """A private folder for a guest's logs; kept, and named, when something went wrong."""
    folder = Path(tempfile.mkdtemp(prefix="dmabed-"))
    try:
        yield folder
    except TestbedError as error:
        error.hint = error.hint or f"logs are in {folder}"
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


@click.command()
@layout_option
@boot_options
@json_option
def boot(layout_name: str, booting: Booting, as_json: bool) -> int:
    """Boot to readiness, check that every device probed, power off."""
    layout = layouts.find(layout_name)
    testbed = booting.testbed()
    with _logs() as folder, _start_as_is(testbed, layout, folder) as machine:
        report = _boot_report(machine, testbed)
    show(json.dumps(report, indent=2) if as_json else _boot_text(report))
    return 0 if all(device["probed"] for device in report["devices"]) else 1


def _start_as_is(testbed: Testbed, layout: Layout, folder: Path) -> Machine:
    """A guest even if a device is missing: this command is there to say so."""
    try:
        return testbed.start(layout, folder)
    except NotProbed:
        return testbed.boot(layout, folder / "again")


def _boot_report(machine: Machine, testbed: Testbed) -> dict[str, Any]:
    missing = machine.missing_devices()
    return {
        "layout": machine.layout.name,
        "ready_seconds": round(machine.ready_seconds, 3),
        "restored": machine.restored,
        "ssh_seconds": round(machine.wait_for_ssh(), 3),
        "devices": [{"name": d.name, "probed": d.name not in missing} for d in machine.layout.blocks],
        "versions": {**testbed.artifacts_for(machine.layout).versions, "guest-kernel": machine.hello.kernel},
    }


def _boot_text(report: dict[str, Any]) -> str:
    how = "restored" if report["restored"] else "booted"
    lines = [
        f"{report['layout']}: {how}, agent ready after {report['ready_seconds']:.3f} s, "
        f"SSH after {report['ssh_seconds']:.3f} s, Linux {report['versions']['guest-kernel']}"
    ]
    lines += [f"  {d['name']:<12} {'probed' if d['probed'] else 'NOT PROBED'}" for d in report["devices"]]
    return "\n".join(lines)


@click.command("exec", context_settings={"ignore_unknown_options": False})
@layout_option
@boot_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(layout_name: str, booting: Booting, command: tuple[str, ...]) -> int:
    """Run COMMAND in a fresh guest.

    Its output and exit status pass through; standard input is empty. 255 and
    the console's end when the guest dies.
    """
    layout = layouts.find(layout_name)
    testbed = booting.testbed()
    with _logs() as folder, testbed.start_once(layout, folder) as machine:
        with Ssh(machine.ssh_port_when_ready(), testbed.artifacts) as ssh:
            status = ssh.run(command, sys.stdout.buffer, sys.stderr.buffer)
            end_output()
        if status is None:
            click.echo(f"dmabed: the guest died\n{machine.console_tail()}", err=True)
            return GUEST_DIED
    return status


@click.command()
@layout_option
@boot_options
def shell(layout_name: str, booting: Booting) -> int:
    """An interactive guest: its console is this terminal (Ctrl-A X ends it)."""
    layout = layouts.find(layout_name)
    options = dataclasses.replace(booting.boot, append=f"{booting.boot.append} dmabed.shell".strip())
    testbed = dataclasses.replace(booting, boot=options).testbed()
    with _logs() as folder:
        return _on_this_terminal(testbed, layout, folder)


def _on_this_terminal(testbed: Testbed, layout: Layout, folder: Path) -> int:
    ours, theirs = socket.socketpair()
    agent, agent_theirs = socket.socketpair()
    fds = (theirs.fileno(), agent_theirs.fileno())
    channels = Channels(*fds, console=None, log=folder / "qemu.log")
    artifacts = testbed.artifacts_for(layout)
    command = qemu_command(
        artifacts.qemu, artifacts.qemu_data, layout, testbed.image(layout), channels, Memory()
    )
    with ours, theirs, agent, agent_theirs, _terminal_as_it_was():
        child = Child(command, output=None, pass_fds=fds, foreground=True)
        try:
            return child.wait() or 0
        finally:
            child.kill()


@contextlib.contextmanager
def _terminal_as_it_was() -> Iterator[None]:
    """QEMU makes the terminal raw, and can't undo that when it is killed."""
    if not sys.stdin.isatty():
        yield
        return
    settings = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)
