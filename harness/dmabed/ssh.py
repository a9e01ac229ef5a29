# SPDX-License-Identifier: GPL-2.0-or-later
"""SSH into a guest: the transport that works on every image (paramiko).

The server's key is pinned to the one of the build, and only the build's client
key is offered; nothing is read from the user's own SSH configuration.
"""

from __future__ import annotations

import base64
import contextlib
import shlex
import threading
from collections.abc import Callable, Sequence
from typing import BinaryIO

import paramiko

from dmabed.build import Artifacts
from dmabed.deadline import Deadline
from dmabed.errors import AgentError, LaunchError

CONNECT_SECONDS = 20.0


class Ssh:
    """A connection to the guest's SSH server as root."""

    def __init__(self, port: int, artifacts: Artifacts) -> None:
        """Connect to the loopback ``port``. Raises LaunchError."""
        self._client = paramiko.SSHClient()
        kind, blob, *_ = artifacts.ssh_host_key.split()
        key = paramiko.Ed25519Key(data=base64.b64decode(blob))
        self._client.get_host_keys().add(f"[127.0.0.1]:{port}", kind, key)
        self._client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            self._client.connect(
                "127.0.0.1",
                port,
                username="root",
                pkey=paramiko.Ed25519Key.from_private_key_file(str(artifacts.ssh_key)),
                timeout=Deadline(CONNECT_SECONDS).left(),
                banner_timeout=Deadline(CONNECT_SECONDS).left(),
                auth_timeout=Deadline(CONNECT_SECONDS).left(),
                allow_agent=False,
                look_for_keys=False,
            )
        except (paramiko.SSHException, OSError) as error:
            self._client.close()
            raise LaunchError("the guest can't be reached by SSH", why=str(error)) from error

    def agent_stream(self) -> paramiko.Channel:
        """A channel that speaks the agent protocol."""
        channel = self._open()
        channel.exec_command("exec dmabed-agent --stdio")
        return channel

    def run(self, argv: Sequence[str], stdout: BinaryIO, stderr: BinaryIO) -> int | None:
        """Run a command, its output copied as it comes.

        Returns its exit status (128 + N for signal N, as the guest's shell
        says it), or None when the connection ended first: the guest is gone.
        """
        channel = self._open()
        # "exit $?" keeps the shell there, so that a signal becomes a status
        channel.exec_command(f"{shlex.join(argv)}; exit $?")
        channel.shutdown_write()
        reader = threading.Thread(target=_copy, args=(channel.recv_stderr, stderr), daemon=True)
        reader.start()
        _copy(channel.recv, stdout)
        reader.join()
        known = channel.status_event.wait(1.0) and channel.exit_status >= 0
        return channel.exit_status if known else None

    def _open(self) -> paramiko.Channel:
        transport = self._client.get_transport()
        if transport is None:
            raise AgentError("the SSH connection is gone")
        try:
            return transport.open_session(timeout=Deadline(CONNECT_SECONDS).left())
        except (paramiko.SSHException, EOFError) as error:
            raise AgentError("the guest opens no SSH session", why=str(error)) from error

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Ssh:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _copy(receive: Callable[[int], bytes], to: BinaryIO) -> None:
    with contextlib.suppress(OSError):
        while data := receive(65536):
            to.write(data)
            to.flush()
