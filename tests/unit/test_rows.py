# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of promises, and the state of each from results."""

from __future__ import annotations

from pathlib import Path

import pytest

from dmabed import rows
from dmabed.errors import InputError, SetupError
from dmabed.rows import Outcome, Row, RowState, parse, report

C4, C5 = Row("C4", "current", "moves"), Row("C5", "current", "peer to peer")


def state(
    claims: dict[str, list[str]], outcomes: list[Outcome], sabotaged: dict[str, bool] | None = None
) -> RowState:
    found, _ = report([C4, C5], claims, outcomes, sabotaged)
    return found.state


def test_the_document() -> None:
    table = rows.table()
    groups = [(row.id, row.generation) for row in table]
    assert len({row.id for row in table}) == len(table)
    for wanted in (
        ("P1", "posted"),
        ("P17", "posted"),
        ("M4", "merged"),
        ("C15", "current"),
        ("D9", "hardware"),
    ):
        assert wanted in groups
    promise = next(row.promise for row in table if row.id == "C6")
    assert promise.startswith("-EBUSY on attach")
    counts = {letter: sum(row.id.startswith(letter) for row in table) for letter in "PMCD"}
    assert counts == {"P": 17, "M": 4, "C": 15, "D": 9}


def test_other_tables_are_no_rows() -> None:
    assert parse("| id | promise |\n|---|---|\n| C4 | moves |\n| X1 | y |\n| C | z |\ntext C5 | z |\n") == (
        C4,
    )


def test_document_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        rows.table(tmp_path / "semantics.md")
    (tmp_path / "empty.md").write_text("no table")
    with pytest.raises(SetupError, match="no rows"):
        rows.table(tmp_path / "empty.md")


def test_works_when_every_scenario_passed_wherever_it_ran() -> None:
    claims = {"a": ["C4"], "b": ["C4", "C5"]}
    passed = [Outcome("a", "x", "passed"), Outcome("a", "y", "passed"), Outcome("b", "x", "passed")]
    assert state(claims, passed) is RowState.WORKS
    assert state(claims, passed[:2]) is RowState.UNTESTED
    assert state(claims, [*passed, Outcome("b", "y", "error")]) is RowState.UNTESTED
    assert state(claims, [*passed, Outcome("b", "y", "failed")]) is RowState.BROKEN
    assert state(claims, [*passed, Outcome("c", "x", "failed")]) is RowState.WORKS


def test_without_scenarios_or_results_nothing_works() -> None:
    assert state({}, []) is RowState.UNTESTED
    assert state({"a": ["C5"]}, [Outcome("a", "x", "passed")]) is RowState.UNTESTED
    assert state({"a": ["C4"]}, []) is RowState.UNTESTED


def test_sabotage_that_nobody_saw_fail() -> None:
    claims, passed = {"a": ["C4"]}, [Outcome("a", "x", "passed")]
    assert state(claims, passed, {}) is RowState.UNTESTED
    assert state(claims, passed, {"C4": False}) is RowState.UNTESTED
    assert state(claims, passed, {"C4": True}) is RowState.WORKS
    assert state(claims, [Outcome("a", "x", "failed")], {"C4": True}) is RowState.BROKEN


def test_as_json() -> None:
    found, _ = report([C4, C5], {"b": ["C4"], "a": ["C4"]}, [])
    assert found.as_json() == {
        "id": "C4",
        "generation": "current",
        "state": "untested",
        "scenarios": ["a", "b"],
        "promise": "moves",
    }


def test_rows_are_chosen_by_their_ids() -> None:
    assert [row.id for row in rows.choose(["D1", "C4"])] == ["C4", "D1"]
    assert rows.choose([]) == rows.table()
    with pytest.raises(InputError, match="no row 'C99'"):
        rows.choose(["C99"])
