# SPDX-License-Identifier: GPL-2.0-or-later
"""The keys are what OpenSSH and dropbear read."""

import base64
import stat
from pathlib import Path

import paramiko

from dmabed.build import sshkeys
from dmabed.build.cache import Cache
from dmabed.build.progress import SilentProgress


def test_the_client_key_loads_and_is_private(tmp_path: Path) -> None:
    keys = sshkeys.ensure(Cache(tmp_path), SilentProgress())
    loaded = paramiko.Ed25519Key.from_private_key_file(str(keys.client))
    assert keys.client_public.read_text().split()[1] == loaded.get_base64()
    for path in (keys.client, keys.host_dropbear):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_host_key_has_both_halves(tmp_path: Path) -> None:
    keys = sshkeys.ensure(Cache(tmp_path), SilentProgress())
    public = base64.b64decode(keys.host_public.read_text().split()[1])[-32:]
    data = keys.host_dropbear.read_bytes()
    assert data[:15] == b"\0\0\0\x0bssh-ed25519"
    assert data[15:19] == b"\0\0\0\x40"
    assert data[51:] == public


def test_keys_are_made_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    first = sshkeys.ensure(cache, SilentProgress()).client.read_bytes()
    assert sshkeys.ensure(cache, SilentProgress()).client.read_bytes() == first
