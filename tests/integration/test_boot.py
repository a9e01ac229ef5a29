# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests come up, restore, and answer over both transports."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path

import pytest

from dmabed import layout as layouts
from dmabed.agent import Agent
from dmabed.errors import LaunchError
from dmabed.machine import Machine
from dmabed.ssh import Ssh
from dmabed.testbed import BootOptions, Testbed

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", layouts.names())
@pytest.mark.parametrize("snapshot", [False, True], ids=["boot", "restore"])
def test_every_device_of_a_layout_probes(testbed: Testbed, tmp_path: Path, name: str, snapshot: bool) -> None:
    layout = layouts.find(name)
    chosen = Testbed(testbed.artifacts_for(layout), BootOptions(snapshot=snapshot))
    with chosen.start(layout, tmp_path / "guest") as machine:
        assert machine.missing_devices() == []
        assert machine.restored is snapshot


def test_restores_run_side_by_side_and_share_nothing(testbed: Testbed, tmp_path: Path) -> None:
    layout = layouts.find("imx8mp-6g")
    with testbed.start(layout, tmp_path / "a") as one, testbed.start(layout, tmp_path / "b") as two:
        one.call("run", argv=["sh", "-c", "echo mine > /tmp/mark"])
        seen = two.call("run", argv=["cat", "/tmp/mark"])
        assert seen.result["status"] != 0


def test_a_restored_guest_starts_with_empty_evidence(machine: Machine) -> None:
    for device in machine.layout.devices:
        evidence = machine.qmp.get(machine.engine(device.name), "evidence")
        assert evidence["jobs-total"] == 0
        assert evidence["data-accesses"] == 0


def test_the_agent_speaks_the_same_over_ssh(machine: Machine, testbed: Testbed, tmp_path: Path) -> None:
    with Ssh(machine.ssh_port_when_ready(), testbed.artifacts) as ssh:
        agent = Agent(ssh.agent_stream(), tmp_path / "agent-ssh.log")
        over_ssh = agent.call("hello").result
        agent.close()
    over_serial = machine.call("hello").result
    assert over_ssh["devices"] == over_serial["devices"]
    assert over_ssh["kernel"] == over_serial["kernel"]


def test_ssh_passes_output_and_status(machine: Machine, testbed: Testbed) -> None:
    out, err = io.BytesIO(), io.BytesIO()
    with Ssh(machine.ssh_port_when_ready(), testbed.artifacts) as ssh:
        status = ssh.run(["sh", "-c", "echo 'a b'; echo oops >&2; exit 7"], out, err)
        killed = ssh.run(["sh", "-c", "kill -TERM $$"], io.BytesIO(), io.BytesIO())
    assert (status, out.getvalue(), err.getvalue()) == (7, b"a b\n", b"oops\n")
    assert killed == 128 + 15


def test_the_guest_does_not_reach_the_host(machine: Machine) -> None:
    """10.0.2.2 is where user-mode networking would lead to the host's loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answer = machine.call("run", 20, argv=["nc", "-w", "2", "10.0.2.2", str(port)])
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    assert answer.result["status"] != 0


def test_an_initrd_without_an_agent_is_a_clear_launch_error(
    testbed: Testbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmabed.machine.BOOT_SECONDS", 6.0)
    empty = tmp_path / "empty.cpio"
    empty.write_bytes(b"")
    broken = Testbed(testbed.artifacts, BootOptions(initrd=empty, snapshot=False))
    with pytest.raises(LaunchError) as caught:
        broken.start(layouts.find("imx8mp-6g"), tmp_path / "guest")
    assert "Kernel panic" in str(caught.value) or "did not become ready" in str(caught.value)


def test_logs_are_private_and_kept(machine: Machine) -> None:
    assert machine.directory.stat().st_mode & 0o077 == 0
    for name in ("console.log", "qmp.log", "agent.log", "qemu.out"):
        assert (machine.directory / name).exists()
    first = (machine.directory / "agent.log").read_text().splitlines()[0]
    assert json.loads(first.partition("> ")[2])["op"] == "hello"
