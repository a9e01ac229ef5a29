# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every style check of the project and tells all that fail.

Python: ruff and mypy. Shell: shellcheck. Text: codespell. C: the checkpatch of
the project that the code is written for, Linux's and QEMU's own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dmabed.build import reporter, sources
from dmabed.build.cache import Cache, default_root
from dmabed.errors import TestbedError

ROOT = Path(__file__).resolve().parent.parent
C_SUFFIXES = (".c", ".h")
BINARY_SUFFIXES = (".png", ".cpio", ".dtb")
MISSPELLED_ON_PURPOSE = ("alignement",)  # a test of how an unknown key is refused
EXIT_BROKEN = 2


def project_files() -> list[Path]:
    """What git knows or would take, without the deleted."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    paths = {ROOT / name for name in listed.stdout.decode().split("\0") if name}
    return sorted(path for path in paths if path.is_file())


def shell_files(files: Sequence[Path]) -> list[Path]:
    """Files whose first line names a shell."""
    return [path for path in files if path.suffix in ("", ".sh") and _starts_shell(path)]


def _starts_shell(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and first.rstrip().endswith((b"sh", b"bash"))


def c_files(files: Sequence[Path], directory: str) -> list[Path]:
    """Our C below a directory."""
    return [path for path in files if path.suffix in C_SUFFIXES and ROOT / directory in path.parents]


@dataclass(frozen=True)
class Check:
    """A command that fails when something is to be mended."""

    name: str
    command: Sequence[str]
    directory: Path = ROOT


def checks(files: Sequence[Path]) -> list[Check]:
    """All checks, the quick ones first."""
    text = [str(path) for path in files if path.suffix not in BINARY_SUFFIXES]
    ignored = f"--ignore-words-list={','.join(MISSPELLED_ON_PURPOSE)}"
    return [
        Check("ruff", [sys.executable, "-m", "ruff", "check", "--quiet", "harness", "tests", "tools"]),
        Check("mypy", [sys.executable, "-m", "mypy", "--no-error-summary"]),
        Check("shellcheck", ["shellcheck", *map(str, shell_files(files))]),
        Check("codespell", ["codespell", ignored, *text]),
        *checkpatches(files),
    ]


def checkpatches(files: Sequence[Path]) -> list[Check]:
    """Each project's own script, run where our paths look like that project's."""
    cache, progress = Cache(default_root()), reporter()
    found = []
    for directory, source, extra in (
        ("guest-kernel", sources.linux, ["--strict"]),
        ("qemu-devices", sources.qemu, []),
    ):
        names = [str(path.relative_to(ROOT / directory)) for path in c_files(files, directory)]
        if names:
            script = source(cache, progress).path / "scripts" / "checkpatch.pl"
            options = ["--no-tree", *extra, "--terse", "--quiet", "--no-summary", "-f"]
            found.append(Check(f"checkpatch {directory}", [str(script), *options, *names], ROOT / directory))
    return found


def passes(check: Check) -> bool:
    """Run one check; what it says is shown only when it fails."""
    started = time.monotonic()
    done = subprocess.run(
        check.command,
        cwd=check.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    verdict = "ok" if done.returncode == 0 else "FAILED"
    print(f"lint: {check.name}: {verdict} ({time.monotonic() - started:.1f} s)", flush=True)
    if done.returncode:
        print(done.stdout.rstrip(), flush=True)
    return done.returncode == 0


def main() -> int:
    try:
        results = [passes(check) for check in checks(project_files())]
    except (TestbedError, OSError, subprocess.CalledProcessError) as error:
        print(f"error: lint could not run: {error}", file=sys.stderr)
        return EXIT_BROKEN
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
