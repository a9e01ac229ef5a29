# SPDX-License-Identifier: GPL-2.0-or-later
"""The two keys between harness and guest, made once per cache.

They protect nothing but a guest on this machine's loopback, but they make sure
that a connection ends in our guest and nowhere else.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from dmabed.build.cache import Cache
from dmabed.build.progress import Progress

KIND = "ssh-ed25519"


@dataclass(frozen=True)
class SshKeys:
    """Where the keys are."""

    directory: Path

    @property
    def client(self) -> Path:
        """OpenSSH private key of the harness."""
        return self.directory / "client"

    @property
    def client_public(self) -> Path:
        return self.directory / "client.pub"

    @property
    def host_dropbear(self) -> Path:
        """Private key of the guest in dropbear's format."""
        return self.directory / "host.dropbear"

    @property
    def host_public(self) -> Path:
        return self.directory / "host.pub"


def keys(cache: Cache) -> SshKeys:
    """Where the keys of this cache are, or would be."""
    return SshKeys(cache.entry("sshkeys", "ed25519"))


def ensure(cache: Cache, progress: Progress) -> SshKeys:
    """The keys, made if they are not there."""
    return SshKeys(cache.make("sshkeys", "ed25519", _make, progress))


def _make(directory: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    made = SshKeys(directory)
    client, host = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    _write_private(made.client, client.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    made.client_public.write_text(_openssh(client.public_key().public_bytes_raw()))
    _write_private(
        made.host_dropbear, dropbear_key(host.private_bytes_raw(), host.public_key().public_bytes_raw())
    )
    made.host_public.write_text(_openssh(host.public_key().public_bytes_raw()))


def dropbear_key(private: bytes, public: bytes) -> bytes:
    """Dropbear's key file: the kind, then private and public half as one string (its ed25519.c)."""
    return _string(KIND.encode()) + _string(private + public)


def _openssh(public: bytes) -> str:
    from base64 import b64encode

    return f"{KIND} {b64encode(_string(KIND.encode()) + _string(public)).decode()}\n"


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
