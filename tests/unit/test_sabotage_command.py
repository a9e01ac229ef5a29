# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed sabotage`` and ``dmabed rows``: what they print, keep and return."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dmabed.cli.options import Booting
from dmabed.cli.promises import rows
from dmabed.errors import InputError
from dmabed.findings import Status, Verdict
from dmabed.outcome import ScenarioResult
from dmabed.plan import Planned
from dmabed.results import Results, make_run_folder
from dmabed.runner import Done
from dmabed.scenario import find

# the package has the command by this name
module = importlib.import_module("dmabed.cli.sabotage")


@dataclass
class Made:
    versions: dict[str, str] = field(default_factory=lambda: {"dmabed": "before"})


@dataclass
class FakeTestbed:
    artifacts: Made = field(default_factory=Made)


class FakeRunner:
    """Ends every scenario as it is told."""

    with_switch = Status.FAILED
    asked = 0

    def __init__(self, *_testbed_and_folder: object) -> None:
        pass

    def one(self, planned: Planned) -> Done:
        type(self).asked += 1
        status = self.with_switch if planned.switch else Status.PASSED
        return Done(planned, Verdict(status, "as told"), 0.1)

    def stop(self) -> None:
        pass


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """``dmabed sabotage no-copy`` on a testbed where scenarios end like this with the switch on."""

    def run(status: Status, *more: str) -> Result:
        FakeRunner.with_switch, FakeRunner.asked = status, 0
        words = ["no-copy", "--jobs", "1", "--results", str(tmp_path / "results"), *more]
        return CliRunner().invoke(module.sabotage, words, standalone_mode=False)

    monkeypatch.setattr(module, "Runner", FakeRunner)
    monkeypatch.setattr(
        module, "find", lambda _words: find(["migrate-on-stricter-attach"], ["current", "posted"])
    )
    monkeypatch.setattr(Booting, "testbed", lambda _self: FakeTestbed())
    return run


def stored(tmp_path: Path) -> dict[str, object]:
    (entry,) = json.loads((tmp_path / "results" / "sabotage.json").read_text(encoding="utf-8"))["switches"]
    found: dict[str, object] = entry
    return found


def test_caught(tried: Callable[..., Result], tmp_path: Path) -> None:
    done = tried(Status.FAILED)
    assert done.return_value == 0
    assert "caught    no-copy on C4, P10" in done.stderr
    assert stored(tmp_path)["versions"] == {"dmabed": "before"}
    assert stored(tmp_path)["foreign-kernel"] is False


def test_a_trial_of_the_users_kernel_is_marked_and_does_not_count(
    tried: Callable[..., Result], tmp_path: Path
) -> None:
    assert tried(Status.FAILED, "--kernel", "Image").return_value == 0
    assert stored(tmp_path)["foreign-kernel"] is True
    done = table(tmp_path / "results", "C4")
    assert "1 runs of kernels of yours (--kernel) are not counted" in done.stderr


def test_survived(tried: Callable[..., Result]) -> None:
    done = tried(Status.PASSED)
    assert done.return_value == 1
    assert "survived  no-copy on C4, P10" in done.stderr
    assert "1 switches, 1 survived" in done.stdout


def test_not_tried(tried: Callable[..., Result], tmp_path: Path) -> None:
    done = tried(Status.ERROR)
    assert done.return_value == 2
    assert "not tried no-copy on C4, P10" in done.stderr
    assert "error: as told" in done.stderr
    assert "1 switches, 0 survived, 1 not tried" in done.stdout
    assert "survived no-copy" not in done.stderr
    assert stored(tmp_path)["rows"] == {}


def test_a_folder_that_cannot_be_made_is_told_before_anything_runs(
    tried: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "results").symlink_to(tmp_path / "nowhere" / "at" / "all")
    FakeRunner.asked = 0
    done = tried(Status.FAILED)
    assert FakeRunner.asked == 0
    assert isinstance(done.exception, InputError)
    assert "cannot be made" in str(done.exception)


# ---- dmabed rows ----


def table(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(rows, [*words, "--results", str(folder)], standalone_mode=False)


def test_rows_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = table(tmp_path / "misspelt")
    assert isinstance(done.exception, InputError)
    assert "misspelt: no such folder" in str(done.exception)


def test_rows_say_that_they_rest_on_results_of_before(tried: Callable[..., Result], tmp_path: Path) -> None:
    tried(Status.FAILED)
    folder = tmp_path / "results"
    listed = json.loads(table(folder, "P10", "--json").stdout)[0]
    run = Results(make_run_folder(folder), 1, {"dmabed": "before"})
    for name in listed["scenarios"]:
        run.add(ScenarioResult(name, "imx8mp-6g", Status.PASSED, 1.0))
    done = table(folder, "P10", "--json")
    assert json.loads(done.stdout)[0]["state"] == "works"
    assert "1 rows rest on results of another revision" in done.stderr


def test_the_table_has_each_scenario_of_a_row_once(tmp_path: Path) -> None:
    done = table(tmp_path, "D1")
    names = " ".join(done.stdout.split()).split(", ")
    assert len(names) == len(set(names)) > 1
    assert not [name for name in names if "[" in name]
