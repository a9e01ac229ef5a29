# SPDX-License-Identifier: GPL-2.0-or-later
"""The doctor names what is missing, why it is needed, and the line that mends it."""

import subprocess
import sys
from pathlib import Path

import pytest

from dmabed import doctor
from dmabed.build.cache import Cache
from dmabed.paths import ROOT


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_installed", lambda names: {})


def by_name(checks: list[doctor.Check]) -> dict[str, doctor.Check]:
    return {check.name: check for check in checks}


def test_every_package_has_a_reason() -> None:
    packages = doctor.needed_packages(doctor.PACKAGE_LIST.read_text())
    assert {"gcc", "python3-venv", "ninja-build", "gcc-aarch64-linux-gnu"} <= set(packages)
    assert [name for name, reason in packages.items() if not reason] == []


@pytest.mark.usefixtures("nothing_installed")
def test_a_missing_package_comes_with_reason_and_line(tmp_path: Path) -> None:
    check = by_name(doctor.run(Cache(tmp_path)))["package ninja-build"]
    assert not check.ok
    assert check.why == "builds QEMU"
    assert check.fix.endswith("install -y --no-install-recommends ninja-build")
    assert check.as_json()["state"] == "missing"
    assert check.as_json()["ok"] is False


def test_an_empty_cache_is_no_fault(tmp_path: Path) -> None:
    checks = by_name(doctor.run(Cache(tmp_path / "not" / "there")))
    assert checks["cache"].ok
    assert checks["source qemu"].state is doctor.State.NOTE
    assert checks["artifacts"].state is doctor.State.NOTE
    assert not (tmp_path / "not").exists()  # it only looks


def test_a_full_disk_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = type("Usage", (), {"free": 10_000_000})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: full)
    check = by_name(doctor.run(Cache(tmp_path)))["disk of the cache"]
    assert not check.ok
    assert "0.0 GB free" in check.found


def test_a_machine_without_a_mirror_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "machine_entries", list)
    check = by_name(doctor.run(Cache(tmp_path)))["apt: deb-src trixie"]
    assert not check.ok
    assert "sources.list.d" in check.fix


def test_text_has_the_fix_on_its_own_line() -> None:
    text = doctor.Check("x", doctor.State.MISSING, "gone", "needed", "apt-get install x").as_text()
    assert text.splitlines() == ["missing x: gone (needed)", "          apt-get install x"]


def test_it_runs_without_the_environment(tmp_path: Path) -> None:
    """Isolated: no site packages, so nothing but the standard library can be imported."""
    harness = str(ROOT / "harness")
    code = f"import sys; sys.path.insert(0, {harness!r}); from dmabed import doctor; doctor.main()"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stderr == ""
    assert "package gcc" in done.stdout
