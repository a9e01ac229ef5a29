# SPDX-License-Identifier: GPL-2.0-or-later
"""tools/bootstrap and tools/environment.py: what a fresh machine meets first.

The programs that would change the machine are replaced by ones that only write
down how they were called.
"""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from dmabed.doctor import needed_packages
from dmabed.paths import ROOT

BOOTSTRAP = ROOT / "tools" / "bootstrap"
PACKAGES = list(needed_packages((ROOT / "tools" / "packages.txt").read_text()))


class Machine:
    """A PATH on which some programs are ours."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.bin.mkdir()
        self.calls = directory / "calls"
        for name in ("sh", "sed", "sort", "comm", "paste", "xargs", "mktemp", "rm", "dirname", "env", "cat"):
            (self.bin / name).symlink_to(f"/usr/bin/{name}")
        self.program("apt-get", f'echo "apt-get $*" >>{self.calls}')
        self.program("id", "echo 0")
        self.installed(PACKAGES)

    def program(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def installed(self, packages: list[str]) -> None:
        lines = "\n".join(f"echo 'installed {name}'" for name in packages)
        self.program("dpkg-query", f"{lines}\nexit 1")

    def bootstrap(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(BOOTSTRAP), "packages"],
            env={"PATH": str(self.bin)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def log(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_is_installed_when_all_is_there(machine: Machine) -> None:
    done = machine.bootstrap()
    assert (done.returncode, done.stderr, machine.log()) == (0, "", [])


def test_only_what_is_missing_is_installed(machine: Machine) -> None:
    machine.installed([name for name in PACKAGES if name not in ("bc", "flex")])
    assert machine.bootstrap().returncode == 0
    update, install = machine.log()
    assert update.endswith("update")
    assert install.endswith("install -y --no-install-recommends bc flex")


def test_without_root_and_sudo_the_line_is_told(machine: Machine) -> None:
    machine.program("id", "echo 1000")
    machine.installed([name for name in PACKAGES if name != "gcc"])
    done = machine.bootstrap()
    assert done.returncode == 2
    assert "  apt-get update && apt-get install -y --no-install-recommends gcc\n" in done.stderr
    assert machine.log() == []


def test_sudo_is_used_when_it_asks_nothing(machine: Machine) -> None:
    machine.program("id", "echo 1000")
    machine.program("sudo", f'[ "$1" = -n ] && exit 0; echo "sudo $1" >>{machine.calls}; "$@"')
    machine.installed(PACKAGES[:-1])
    assert machine.bootstrap().returncode == 0
    assert [line for line in machine.log() if line.startswith("sudo")] == ["sudo apt-get", "sudo env"]


def test_a_failing_apt_ends_it(machine: Machine) -> None:
    machine.installed([])
    machine.program("apt-get", "exit 100")
    done = machine.bootstrap()
    assert done.returncode == 2
    assert "apt-get update failed" in done.stderr


def test_another_system_is_told_so(machine: Machine) -> None:
    (machine.bin / "dpkg-query").unlink()
    done = machine.bootstrap()
    assert done.returncode == 2
    assert "not a Debian system" in done.stderr


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/environment.py, with a venv and a pip that only leave a Python behind."""
    spec = importlib.util.spec_from_file_location("environment", ROOT / "tools" / "environment.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(argv: list[str], log: Path) -> None:
        if "venv" in argv:
            (Path(argv[-1]) / "bin").mkdir(parents=True)
            (Path(argv[-1]) / "bin" / "python").symlink_to("/bin/sh")
        module.calls.append(argv)

    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "calls", [], raising=False)
    monkeypatch.setattr(module, "LINK", tmp_path / "build" / "venv")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return module


def test_the_environment_is_made_once(environment: ModuleType) -> None:
    assert environment.main() == 0
    assert len(environment.calls) == 2
    assert environment.main() == 0
    assert len(environment.calls) == 2
    assert (environment.LINK / environment.STAMP).is_file()


@pytest.mark.parametrize("damage", ["stamp", "python"])
def test_a_broken_environment_is_made_again(environment: ModuleType, damage: str) -> None:
    environment.main()
    place = environment.LINK.readlink()
    (place / (environment.STAMP if damage == "stamp" else "bin/python")).unlink()
    assert environment.main() == 0
    assert len(environment.calls) == 4
    assert environment.is_whole(place)


def test_a_failing_pip_leaves_no_whole_environment(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(argv: list[str], log: Path) -> None:
        raise environment.Broken("no network")

    monkeypatch.setattr(environment, "run", fail)
    assert environment.main() == 2
    assert "no network" in capsys.readouterr().err
    assert not environment.LINK.exists()


def test_other_pins_make_another_environment(
    environment: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = environment.environment_key()
    pins = tmp_path / "requirements.txt"
    pins.write_text("click==1.0\n")
    monkeypatch.setattr(environment, "PINS", (pins,))
    assert environment.environment_key() != before
