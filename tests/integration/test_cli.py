# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands as a user calls them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dmabed.build import Artifacts
from dmabed.paths import LAYOUTS, ROOT
from dmabed.scenario import SCENARIOS

pytestmark = pytest.mark.integration

Dmabed = Callable[..., "subprocess.CompletedProcess[str]"]

PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	printf("hello from %s\\n", argv[1]);
	fprintf(stderr, "to stderr\\n");
	return argc > 2 ? atoi(argv[2]) : 0;
}
"""


@pytest.fixture(scope="session")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a foreign static arm64 program in it."""
    folder = tmp_path_factory.mktemp("overlay")
    source = folder.parent / "program.c"
    source.write_text(PROGRAM)
    (folder / "opt").mkdir()
    command = ["aarch64-linux-gnu-gcc", "-static", "-o", str(folder / "opt" / "program"), str(source)]
    subprocess.run(command, check=True)
    return folder


def test_exec_passes_output_and_status(dmabed: Dmabed, overlay: Path) -> None:
    done = dmabed("exec", "--overlay", str(overlay), "--", "/opt/program", "the guest", "42")
    assert (done.returncode, done.stdout) == (42, "hello from the guest\n")
    assert done.stderr.endswith("to stderr\n")


def test_exec_of_a_missing_program_is_the_guests_127(dmabed: Dmabed) -> None:
    done = dmabed("exec", "--", "/nowhere/program")
    assert done.returncode == 127
    assert "not found" in done.stderr


def test_exec_says_255_and_shows_the_console_when_the_guest_dies(dmabed: Dmabed) -> None:
    done = dmabed("exec", "--", "sh", "-c", "echo c > /proc/sysrq-trigger")
    assert done.returncode == 255
    assert "Kernel panic" in done.stderr


def test_boot_reports_readiness_and_devices(dmabed: Dmabed) -> None:
    dmabed("boot")
    done = dmabed("boot", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["layout"] == "imx8mp-6g"
    assert report["restored"] is True
    assert report["ready_seconds"] > 0
    assert {device["probed"] for device in report["devices"]} == {True}
    assert {"qemu", "linux"} <= set(report["versions"])


def test_boot_without_snapshot_boots(dmabed: Dmabed) -> None:
    report = json.loads(dmabed("boot", "--json", "--no-snapshot").stdout)
    assert report["restored"] is False


def test_boot_tells_which_device_did_not_probe(dmabed: Dmabed) -> None:
    """A kernel argument keeps the engine's driver away, as a broken patch would."""
    done = dmabed("boot", "--json", "--append", "module_blacklist=dmabed_engine")
    assert done.returncode == 1
    assert {device["probed"] for device in json.loads(done.stdout)["devices"]} == {False}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "no-such-scenario"], "no-such-scenario"),
        (["run", "--layout", "imx8"], "imx8mp-6g"),
        (["boot", "--layout", "nowhere.yaml"], "nowhere.yaml"),
        (["boot", "--timeout-multiplier", "0"], "greater than 0"),
        (["boot", "--timeout-multiplier", "inf"], "at most 600"),
        (["exec", "--overlay", "/no/such/folder", "--", "true"], "/no/such/folder"),
        (["boot", "--kernel", "/no/such/kernel"], "/no/such/kernel"),
        (["boot", "--initrd", "/no/such/initrd"], "/no/such/initrd"),
        (["exec"], "COMMAND"),
        (["list", "nothing"], "scenarios"),
        (["run", "--jobs", "0"], "--jobs"),
    ],
)
def test_a_wrong_word_is_one_message_and_status_2(dmabed: Dmabed, words: list[str], says: str) -> None:
    done = dmabed(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_lists(dmabed: Dmabed) -> None:
    names = [entry["name"] for entry in json.loads(dmabed("list", "layouts", "--json").stdout)]
    assert {"imx8mp-6g", "bcm2711-pi4", "am62a-k3-split"} <= set(names)
    assert json.loads(dmabed("list", "scenarios", "--json").stdout)
    assert json.loads(dmabed("list", "devices", "--json").stdout)
    assert "imx8mp-6g" in dmabed("list", "layouts").stdout


def test_a_bare_image_has_no_modules_and_that_is_said(
    dmabed: Dmabed, artifacts: Artifacts, tmp_path: Path
) -> None:
    image = tmp_path / "Image"
    shutil.copyfile(artifacts.kernel, image)
    assert dmabed("exec", "--kernel", str(image), "--", "uname", "-m").stdout == "aarch64\n"
    done = dmabed("run", "share-three-devices", "--kernel", str(image))
    assert done.returncode == 1
    assert "did not probe" in done.stderr
    assert "give --kernel the tree" in done.stderr


def test_a_kernel_that_panics_at_boot_failed_and_the_testbed_did_not(dmabed: Dmabed) -> None:
    done = dmabed("boot", "--append", "rdinit=/nowhere init=/nowhere")
    assert done.returncode == 1
    assert "Kernel panic" in done.stderr


@pytest.mark.parametrize(
    ("words", "status"), [("exec -- yes", 128 + 13), ("list layouts --json", 0), ("rows", 0)]
)
def test_a_reader_that_goes_away_is_no_failure_and_no_hang(tmp_path: Path, words: str, status: int) -> None:
    script = f"{sys.executable} -m dmabed {words} | head -c 2 >/dev/null; echo ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "harness")}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert int(done.stdout) == status
    assert "Traceback" not in done.stderr


def test_the_same_layout_twice_runs_once(dmabed: Dmabed, tmp_path: Path) -> None:
    done = dmabed("run", "share-three-devices", "--layout", "imx8mp-6g", "--layout", "imx8mp-6g", "--json")
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["scenarios"]) == 1


def test_two_scenarios_of_one_name_are_refused(dmabed: Dmabed, tmp_path: Path) -> None:
    shutil.copyfile(SCENARIOS / "share-three-devices.yaml", tmp_path / "mine.yaml")
    done = dmabed("run", "share-three-devices", "mine.yaml")
    assert done.returncode == 2
    assert "mine.yaml" in done.stderr


def test_a_layout_of_ones_own_runs_what_it_has_the_devices_for(dmabed: Dmabed, tmp_path: Path) -> None:
    text = (LAYOUTS / "imx8mp-6g.yaml").read_text().replace("layout: imx8mp-6g", "layout: my-soc")
    (tmp_path / "my-soc.yaml").write_text(text)
    done = dmabed("run", "share-three-devices", "--layout", "my-soc.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scenarios"][0]["layout"] == "my-soc"
