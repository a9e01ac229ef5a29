# SPDX-License-Identifier: GPL-2.0-or-later
"""Switches: their file, what is tried, and when one counts as caught."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded import SHARE, imx8mp, load, record_steps

from dmabed import campaign, sabotage, tamper
from dmabed.campaign import Campaign, not_tried, survivors
from dmabed.errors import InputError
from dmabed.findings import Status, Verdict
from dmabed.plan import Planned
from dmabed.runner import Done
from dmabed.sabotage import Switch, Trial
from dmabed.transcript import Event, EventKind, Transcript
from dmabed.verdict import judge

LOSES = Switch("loses", ("C4",), "the bytes are gone", "failed", module="core")


def planned(folder: Path, name: str, *rows: str) -> Planned:
    scenario = load(folder, SHARE)
    return Planned(dataclasses.replace(scenario, name=name, rows=rows), imx8mp())


def runs(outcomes: dict[tuple[str, bool], Status]) -> Callable[[Planned], Done]:
    """Plays runs: the status by the scenario's name and whether a switch is on; passed where not told."""

    def run_one(each: Planned) -> Done:
        status = outcomes.get((each.scenario.name, each.switch is not None), Status.PASSED)
        return Done(each, Verdict(status, status.value), 0.1)

    return run_one


def trial(plan: list[Planned], outcomes: dict[tuple[str, bool], Status], switch: Switch = LOSES) -> Trial:
    told: list[Trial] = []
    (found,) = Campaign(plan, runs(outcomes)).run([(switch, switch.rows)], 1, told.append)
    assert told == [found]
    return found


def test_caught_by_the_scenario_that_fails(tmp_path: Path) -> None:
    plan = [planned(tmp_path, "blind", "C4"), planned(tmp_path, "sees", "C4")]
    found = trial(plan, {("sees", True): Status.FAILED})
    attempt = found.caught["C4"]
    assert attempt is not None
    assert attempt.scenario == "sees"
    assert [missed.scenario for missed in found.missed] == ["blind"]
    assert not survivors([found])


def test_a_scenario_that_passes_makes_a_survivor(tmp_path: Path) -> None:
    assert survivors([trial([planned(tmp_path, "one", "C4")], {})]) == {"loses": ("C4",)}


def test_a_scenario_that_fails_anyway_catches_nothing(tmp_path: Path) -> None:
    outcomes = {("one", False): Status.FAILED, ("one", True): Status.FAILED}
    assert survivors([trial([planned(tmp_path, "one", "C4")], outcomes)]) == {"loses": ("C4",)}


def test_scenarios_of_other_rows_do_not_count(tmp_path: Path) -> None:
    found = trial([planned(tmp_path, "other", "C7")], {("other", True): Status.FAILED})
    assert survivors([found]) == {"loses": ("C4",)}


def test_each_row_needs_its_own(tmp_path: Path) -> None:
    both = Switch("both", ("C4", "C7"), "much", "failed", module="core")
    plan = [planned(tmp_path, "four", "C4"), planned(tmp_path, "seven", "C7")]
    found = trial(plan, {("four", True): Status.FAILED}, both)
    assert survivors([found]) == {"both": ("C7",)}


def test_a_missing_witness_may_end_in_an_error(tmp_path: Path) -> None:
    gone = Switch("gone", ("C4",), "no record", "error", tamper="evidence-missing")
    found = trial([planned(tmp_path, "one", "C4")], {("one", True): Status.ERROR}, gone)
    assert not survivors([found])


def test_only_scenarios_that_can_notice_are_run(tmp_path: Path) -> None:
    broken = Switch("broken", ("C4",), "poll lies", "failed", guest_test="broken")
    found = trial(
        [planned(tmp_path, "no-guest-test", "C4")], {("no-guest-test", True): Status.FAILED}, broken
    )
    assert survivors([found]) == {"broken": ("C4",)}
    assert not found.missed


def test_a_scenario_that_two_switches_hit_at_once_runs_without_them_once(tmp_path: Path) -> None:
    plain: list[str] = []
    both_noticed = threading.Barrier(2, timeout=10)

    def run_one(each: Planned) -> Done:
        if each.switch is not None:
            both_noticed.wait()
            return Done(each, Verdict(Status.FAILED, "noticed"), 0.1)
        plain.append(each.folder)
        time.sleep(0.05)  # time for the other one to come
        return Done(each, Verdict(Status.PASSED, "fine"), 0.1)

    switches = [Switch(name, ("C4",), "much", "failed", module="core") for name in ("one", "other")]
    chosen = [(switch, switch.rows) for switch in switches]
    trials = Campaign([planned(tmp_path, "one", "C4")], run_one).run(chosen, 2, lambda _trial: None)
    assert len(plain) == 1
    assert not survivors(trials)


DEFECT = Switch("defect", ("P17",), "an oops", "failed", module="posted", parameter="defect", breaks="P1")


def test_a_defect_is_noticed_by_the_row_that_it_breaks(tmp_path: Path) -> None:
    plan = [planned(tmp_path, "five", "P5", "P17"), planned(tmp_path, "one", "P1", "P17")]
    found = trial(plan, {("five", True): Status.FAILED, ("one", True): Status.FAILED}, DEFECT)
    attempt = found.caught["P17"]
    assert attempt is not None
    assert attempt.scenario == "one"
    assert not found.missed


@pytest.mark.parametrize("oops", [True, False])
def test_a_panic_is_a_catch_only_where_the_switch_says_so(tmp_path: Path, oops: bool) -> None:
    panicked = Transcript("one", "imx8mp-6g", (), {}, {}, (Event(EventKind.GUEST_PANIC, "BUG"),), 1.0, {}, {})

    def run_one(each: Planned) -> Done:
        if each.switch is None:
            return Done(each, Verdict(Status.PASSED, "fine"), 0.1)
        return Done(each, Verdict(Status.FAILED, "the guest kernel panicked"), 0.1, panicked)

    switch = dataclasses.replace(DEFECT, oops=oops)
    plan = [planned(tmp_path, "one", "P1", "P17")]
    (found,) = Campaign(plan, run_one).run([(switch, switch.rows)], 1, lambda _trial: None)
    assert bool(survivors([found])) is not oops


# ---- what nobody could try ----


def test_a_scenario_whose_testbed_breaks_says_nothing_of_the_switch(tmp_path: Path) -> None:
    found = trial([planned(tmp_path, "one", "C4")], {("one", True): Status.ERROR})
    assert not survivors([found])
    assert not_tried([found]) == {"loses": {"C4": "one error: error"}}
    assert (found.as_json()["rows"], found.as_json()["not-tried"]) == ({}, {"C4": "one error: error"})


def test_one_scenario_that_looked_makes_a_survivor(tmp_path: Path) -> None:
    plan = [planned(tmp_path, "breaks", "C4"), planned(tmp_path, "blind", "C4")]
    found = trial(plan, {("breaks", True): Status.ERROR})
    assert survivors([found]) == {"loses": ("C4",)}
    assert not not_tried([found])


def test_each_row_is_judged_by_its_own_scenarios(tmp_path: Path) -> None:
    both = Switch("both", ("C4", "C7"), "much", "failed", module="core")
    plan = [planned(tmp_path, "four", "C4"), planned(tmp_path, "seven", "C7")]
    found = trial(plan, {("seven", True): Status.SKIPPED}, both)
    assert survivors([found]) == {"both": ("C4",)}
    assert list(found.not_tried) == ["C7"]


def test_a_scenario_that_breaks_down_without_the_switch_says_nothing(tmp_path: Path) -> None:
    outcomes = {("one", False): Status.ERROR, ("one", True): Status.FAILED}
    found = trial([planned(tmp_path, "one", "C4")], outcomes)
    assert found.not_tried == {"C4": "one error: without the switch: error"}


def test_an_interrupt_makes_no_survivor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def run_one(each: Planned) -> Done:
        begun.set()
        assert stopped.wait(10)
        return Done(each, Verdict(Status.PASSED, "it had not seen all"), 0.1)

    def interrupt(_trials: object, return_when: str) -> None:
        assert return_when
        assert begun.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(campaign, "wait", interrupt)
    told: list[Trial] = []
    plan = [planned(tmp_path, "one", "C4"), planned(tmp_path, "two", "C4")]
    with pytest.raises(KeyboardInterrupt):
        Campaign(plan, run_one, stopped.set).run([(LOSES, ("C4",))], 1, told.append)
    (found,) = told
    assert not survivors(told)
    assert found.not_tried == {"C4": "interrupted"}
    assert [missed.scenario for missed in found.missed] == ["one"]


def test_an_error_in_keeping_a_trial_ends_the_campaign(tmp_path: Path) -> None:
    stopped = threading.Event()

    def full(_trial: Trial) -> None:
        raise InputError("the disk is full")

    with pytest.raises(InputError, match="full"):
        Campaign([planned(tmp_path, "one", "C4")], runs({}), stopped.set).run([(LOSES, ("C4",))], 1, full)
    assert stopped.is_set()


# ---- the file ----


def test_the_shipped_switches_are_documented() -> None:
    text = (sabotage.paths.ROOT / "docs" / "sabotage.md").read_text(encoding="utf-8")
    assert [switch.name for switch in sabotage.load() if f"`{switch.name}`" not in text] == []


def test_choosing() -> None:
    switches = sabotage.load()
    assert len(sabotage.choose(switches, [])) == len(switches)
    assert all(rows == ("C4",) for _, rows in sabotage.choose(switches, ["C4"]))
    ((switch, rows),) = sabotage.choose(switches, ["no-copy"])
    assert (switch.name, rows) == ("no-copy", switch.rows)


@pytest.mark.parametrize(
    ("word", "what", "hint"),
    [
        ("c4", "'c4' is neither a row nor a switch", "did you mean C4?"),
        ("no-copi", "'no-copi' is neither a row nor a switch", "did you mean no-copy"),
        ("D5", "no switch breaks the row D5", "all rows have one, but for D5"),
    ],
)
def test_words_that_choose_nothing(word: str, what: str, hint: str) -> None:
    with pytest.raises(InputError) as raised:
        sabotage.choose(sabotage.load(), [word])
    assert what in str(raised.value)
    assert hint in str(raised.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("switches: []", "switches"),
        ("switches: [{name: a, rows: [C4], shows: x}]", "switches"),
        ("switches: [{name: a, rows: [Z9], shows: x, module: core}]", "'Z9' is no row"),
        ("switches: [{name: a, rows: [C4], shows: x, inject: {fault: none}}]", "fault"),
        ("switches: [{name: a, rows: [P17], shows: x, module: posted, breaks: P99}]", "'P99' is no row"),
        ("switches: [{name: a, rows: [P17], shows: x, module: posted, parameter: x}]", "defect"),
        ("switches: [{name: a, rows: [P17], shows: x, breaks: P1}]", "nothing turns it on"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "sabotage.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as raised:
        sabotage.load(file)
    assert why in str(raised.value)


# ---- tampering ----


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("evidence-missing", Status.ERROR),
        ("guest-digest-wrong", Status.FAILED),
        ("device-digest-wrong", Status.FAILED),
        ("something-left", Status.FAILED),
        ("no-hold", Status.PASSED),
    ],
)
def test_a_spoilt_record_is_seen(tmp_path: Path, name: str, status: Status) -> None:
    recording = record_steps(tmp_path, SHARE)
    spoilt = tamper.apply(name, recording.transcript())
    assert judge(recording.scenario, imx8mp(), spoilt).status is status


def test_every_way_to_tamper_is_in_the_schema() -> None:
    schema = json.loads((sabotage.paths.SCHEMAS / "sabotage.schema.json").read_text(encoding="utf-8"))
    switch = schema["properties"]["switches"]["items"]["properties"]
    assert set(switch["tamper"]["enum"]) == set(tamper.names())
