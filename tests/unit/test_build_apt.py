# SPDX-License-Identifier: GPL-2.0-or-later
"""The source list for another suite is derived from the machine's own entries."""

from pathlib import Path

import pytest

from dmabed.build import apt
from dmabed.build.apt import Entry, derive, machine_entries, parse_deb822, parse_one_line
from dmabed.errors import SetupError

DEB822 = """\
# the mirror
Types: deb deb-src
URIs: https://mirror.invalid/debian
Suites: bookworm bookworm-updates
Components: main contrib
Architectures: amd64
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: https://mirror.invalid/security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: https://off.invalid/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://vendor.invalid/tools
Suites: nodistro
Components: main
"""

INLINE_KEY = """\
Types: deb
URIs: https://mirror.invalid/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 xsFNBF
 -----END PGP PUBLIC KEY BLOCK-----
"""


def test_deb822_becomes_sources_of_the_other_suite() -> None:
    got = derive(parse_deb822(DEB822), "bookworm", "trixie", "deb-src")
    assert got == [
        Entry(
            ("deb-src",),
            ("https://mirror.invalid/debian",),
            ("trixie", "trixie-updates"),
            ("main",),
            {"Signed-By": "/usr/share/keyrings/debian.gpg"},
        ),
        Entry(("deb-src",), ("https://mirror.invalid/security",), ("trixie-security",), ("main",), {}),
    ]


def test_one_line_entries_keep_the_key_and_lose_the_architecture() -> None:
    text = (
        "# comment\n"
        "deb [arch=amd64,i386 signed-by=/k.gpg] https://mirror.invalid/debian bookworm main non-free # x\n"
        "deb-src https://mirror.invalid/debian bookworm main\n"
        "deb https://mirror.invalid/security bookworm-security main\n"
    )
    got = derive(parse_one_line(text), "bookworm", "bookworm", "deb")
    assert [(entry.suites, dict(entry.options)) for entry in got] == [
        (("bookworm",), {"Signed-By": "/k.gpg"}),
        (("bookworm-security",), {}),
    ]


def test_a_mirror_that_calls_its_release_stable_is_understood() -> None:
    entries = parse_one_line("deb https://mirror.invalid/debian oldstable-updates main\n")
    assert derive(entries, "bookworm", "trixie", "deb-src")[0].suites == ("trixie-updates",)


def test_an_inline_key_survives_the_round_trip() -> None:
    (entry,) = derive(parse_deb822(INLINE_KEY), "bookworm", "trixie", "deb-src")
    (again,) = parse_deb822(entry.stanza())
    assert again == entry
    assert "xsFNBF" in entry.options["Signed-By"]


def test_the_machines_files_are_read_in_both_formats(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb https://a.invalid/debian bookworm main\n")
    (parts / "b.sources").write_text(DEB822)
    (parts / "c.list.disabled").write_text("deb https://c.invalid/debian bookworm main\n")
    uris = [entry.uris[0] for entry in machine_entries(tmp_path)]
    assert uris == [
        "https://a.invalid/debian",
        "https://mirror.invalid/debian",
        "https://mirror.invalid/security",
        "https://vendor.invalid/tools",
    ]


def test_no_debian_mirror_is_told_before_apt_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "machine_entries", lambda: parse_deb822(DEB822)[3:])
    private = apt.PrivateApt(tmp_path, "trixie", "deb-src", "amd64", tmp_path / "log")
    with pytest.raises(SetupError, match="no Debian mirror"):
        private.update()
