# SPDX-License-Identifier: GPL-2.0-or-later
"""results/sabotage.json: trials are kept one by one, and what of them counts."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from dmabed import trials
from dmabed.errors import InputError
from dmabed.sabotage import Attempt, Switch, Trial
from dmabed.trials import STORED, Subject, TrialFile, catching_revisions, load

CAUGHT = Attempt("one", "imx8mp-6g", "failed", "other bytes", ("C4", "C7"))
BROKE = Attempt("one", "imx8mp-6g", "error", "QEMU died", ("C4", "C7"))
MISSED = Attempt("one", "imx8mp-6g", "passed", "fine", ("C4", "C7"))
SWITCH = Switch("loses", ("C4", "C7"), "the bytes are gone", "failed", module="core")


def keep(folder: Path, *, of: str = "1", foreign: bool = False, **rows: Attempt | None) -> None:
    """A trial on these rows; None: a scenario of the row looked and did not notice."""
    trial = Trial(SWITCH, dict(rows), [MISSED])
    TrialFile(folder, Subject({"dmabed": of}, foreign)).add(trial)


def keep_broken(folder: Path) -> None:
    TrialFile(folder, Subject()).add(Trial(SWITCH, {"C4": None}, [BROKE]))


def caught(folder: Path) -> dict[str, bool]:
    return trials.caught_rows(load(folder))


def stored(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / STORED).read_text(encoding="utf-8"))["switches"]
    return found


def test_rows_of_stored_trials(tmp_path: Path) -> None:
    assert caught(tmp_path) == {}
    keep(tmp_path, C4=CAUGHT, C7=None)
    assert caught(tmp_path) == {"C4": True, "C7": False}


def test_a_later_trial_of_one_row_keeps_the_other(tmp_path: Path) -> None:
    keep(tmp_path, of="1", C4=CAUGHT, C7=CAUGHT)
    keep(tmp_path, of="2", C4=None)
    assert caught(tmp_path) == {"C4": False, "C7": True}
    assert catching_revisions(load(tmp_path)) == {"C7": {"1"}}
    keep(tmp_path, of="2", C4=CAUGHT, C7=CAUGHT)
    assert catching_revisions(load(tmp_path)) == {"C4": {"2"}, "C7": {"2"}}
    assert [entry["versions"] for entry in stored(tmp_path)] == [{"dmabed": "2"}]


def test_what_was_not_tried_is_neither_caught_nor_survived(tmp_path: Path) -> None:
    keep_broken(tmp_path)
    assert caught(tmp_path) == {}
    assert stored(tmp_path)[0]["not-tried"] == {"C4": "one error: QEMU died"}
    keep(tmp_path, C4=CAUGHT)
    keep_broken(tmp_path)
    assert caught(tmp_path) == {"C4": True}
    keep(tmp_path, C4=CAUGHT)
    assert [entry["not-tried"] for entry in stored(tmp_path)] == [{}]


def test_trials_of_the_users_kernel_do_not_count(tmp_path: Path) -> None:
    keep(tmp_path, C4=CAUGHT)
    keep(tmp_path, foreign=True, C4=None, C7=CAUGHT)
    assert caught(tmp_path) == {"C4": True}
    assert catching_revisions(load(tmp_path)) == {"C4": {"1"}}
    assert sum(trial.foreign for trial in load(tmp_path)) == 1


def test_campaigns_that_run_at_the_same_time_lose_no_trial(tmp_path: Path) -> None:
    def campaign(name: str) -> None:
        file = TrialFile(tmp_path, Subject())
        for number in range(20):
            file.add(Trial(Switch(f"{name}{number}", ("C4",), "", "failed"), {"C4": CAUGHT}))

    both = [threading.Thread(target=campaign, args=(name,)) for name in "ab"]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert {entry["switch"] for entry in stored(tmp_path)} == {f"{c}{n}" for c in "ab" for n in range(20)}


def test_files_of_before_tell_no_revision(tmp_path: Path) -> None:
    entry = {"switch": "loses", "how": "", "shows": "", "rows": {"C4": CAUGHT.as_json()}, "missed": []}
    (tmp_path / STORED).write_text(json.dumps({"switches": [entry]}))
    assert catching_revisions(load(tmp_path)) == {"C4": {""}}


@pytest.mark.parametrize(
    "text", ["{}", "[", '{"switches": [{}]}', '{"switches": [{"switch": "a", "rows": 1}]}']
)
def test_a_file_that_makes_no_sense_is_told_before_anything_is_tried(tmp_path: Path, text: str) -> None:
    (tmp_path / STORED).write_text(text)
    with pytest.raises(InputError, match="makes no sense"):
        load(tmp_path)
    with pytest.raises(InputError, match="makes no sense"):
        TrialFile(tmp_path, Subject())
