# SPDX-License-Identifier: GPL-2.0-or-later
"""Build tools: their log, their failure, their environment."""

from pathlib import Path

import pytest

from dmabed.build import process
from dmabed.build.qemu import NINJA_COUNT
from dmabed.errors import BuildError, SetupError


def test_output_goes_to_the_log_and_line_by_line(tmp_path: Path) -> None:
    lines: list[str] = []
    log = tmp_path / "log"
    process.run(["sh", "-c", "echo one; echo two >&2"], log=log, what="x", on_line=lines.append)
    assert lines == ["one", "two"]
    assert log.read_text().endswith("one\ntwo\n")


def test_a_failure_names_the_log_and_shows_its_tail(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    with pytest.raises(BuildError) as failed:
        process.run(["sh", "-c", "seq 100; exit 3"], log=log, what="building X", hint="try Y")
    assert failed.value.what == f"building X failed with status 3; its log: {log}"
    assert failed.value.why.splitlines() == [str(n) for n in range(76, 101)]
    assert failed.value.hint == "try Y"


def test_chatter_does_not_push_the_error_out_of_the_tail(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo 'x.c:1: error: no'; seq -f '[%g/50] CC' 50; exit 1"]
    with pytest.raises(BuildError) as failed:
        process.run(command, log=tmp_path / "log", what="x", chatter=NINJA_COUNT)
    assert failed.value.why == "x.c:1: error: no\n"


def test_a_full_disk_is_said_plainly(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo 'as: x.o: No space left on device'; exit 1"]
    with pytest.raises(SetupError, match="the disk is full"):
        process.run(command, log=tmp_path / "log", what="building X")


def test_a_killed_tool_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="signal 9"):
        process.run(["sh", "-c", "kill -9 $$"], log=tmp_path / "log", what="building X")


def test_a_missing_tool_points_to_the_doctor(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no-such-tool is not installed") as missing:
        process.run(["no-such-tool"], log=tmp_path / "log", what="x")
    assert "dmabed doctor" in missing.value.hint


def test_tools_do_not_see_the_callers_flags(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CFLAGS", "-O0")
    monkeypatch.setenv("MAKEFLAGS", "-j99")
    lines: list[str] = []
    process.run(["env"], log=tmp_path / "log", what="x", env={"OURS": "1"}, on_line=lines.append)
    assert "OURS=1" in lines
    assert not [line for line in lines if line.startswith(("CFLAGS", "MAKEFLAGS"))]


def test_jobs_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DMABED_JOBS", "7")
    assert process.jobs() == 7
    monkeypatch.setenv("DMABED_JOBS", "many")
    assert process.jobs() >= 1
