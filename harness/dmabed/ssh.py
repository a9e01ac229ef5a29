# SPDX-License-Identifier: GPL-2.0-or-later
"""SSH into a guest: the transport that works on every image (paramiko).

The server's key is pinned to the one of the build, and only the build's client
key is offered; nothing is read from the user's own SSH configuration.
"""

from __future__ import annotations

import base64
import logging
import shlex
import signal
import threading
from collections.abc import Callable, Sequence
from typing import BinaryIO

import paramiko

from dmabed.build import Artifacts
from dmabed.deadline import Deadline
from dmabed.errors import AgentError, LaunchError

CONNECT_SECONDS = 20.0
# what a shell says of a command that signal N ended is 128 + N (POSIX.1-2017, XCU 2.8.2)
SIGNAL_STATUS = 128

log = logging.getLogger(__name__)


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
            self._connect(port, artifacts)
        except (paramiko.SSHException, OSError) as error:
            self._client.close()
            raise LaunchError("the guest can't be reached by SSH", why=str(error)) from error

    def _connect(self, port: int, artifacts: Artifacts) -> None:
        """Connect; once more where a connection was taken and then nothing came of it."""
        try:
            self._connect_once(port, artifacts)
        except (paramiko.SSHException, TimeoutError) as error:
            log.info("SSH: %s; connecting again", error)
            self._connect_once(port, artifacts)

    def _connect_once(self, port: int, artifacts: Artifacts) -> None:
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

    def agent_stream(self) -> paramiko.Channel:
        """A channel that speaks the agent protocol."""
        return self._start("exec dmabed-agent --stdio")

    def run(self, argv: Sequence[str], stdout: BinaryIO, stderr: BinaryIO) -> int | None:
        """Run a command, its output copied as it comes.

        Returns its exit status (128 + N for signal N, as the guest's shell
        says it), or None when the connection ended first: the guest is gone.
        There is no deadline: the command takes the time that it takes. When
        nobody reads our output any more it ends as with SIGPIPE.
        """
        # "exit $?" keeps the shell there, so that a signal becomes a status
        channel = self._start(f"{shlex.join(argv)}; exit $?")
        channel.shutdown_write()
        copies = [_Copy(channel, channel.recv_stderr, stderr), _Copy(channel, channel.recv, stdout)]
        for copy in copies:
            copy.join()
        if any(copy.broken for copy in copies):
            return SIGNAL_STATUS + signal.SIGPIPE
        known = channel.status_event.wait(1.0) and channel.exit_status >= 0
        return channel.exit_status if known else None

    def _start(self, command: str) -> paramiko.Channel:
        transport = self._client.get_transport()
        if transport is None:
            raise AgentError("the SSH connection is gone")
        try:
            channel = transport.open_session(timeout=Deadline(CONNECT_SECONDS).left())
            channel.exec_command(command)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise AgentError("the guest opens no SSH session", why=str(error)) from error
        return channel

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Ssh:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Copy(threading.Thread):
    """Copies one output of a command; ``broken`` when nobody reads it here any more."""

    def __init__(self, channel: paramiko.Channel, receive: Callable[[int], bytes], to: BinaryIO) -> None:
        super().__init__(daemon=True)
        self.broken = False
        self._channel = channel
        self._receive = receive
        self._to = to
        self.start()

    def run(self) -> None:
        while data := self._receive(65536):
            try:
                self._to.write(data)
                self._to.flush()
            except OSError:
                self.broken = True
                self._channel.close()
                return
