# SPDX-License-Identifier: GPL-2.0-or-later
"""gcovr's findings become shares, and what is listed as unreachable is looked up and doubted."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Any

import pytest

from dmabed import counters, coverage, goals, unreachable
from dmabed.agent import Answer
from dmabed.coverage import Coverage, FileCoverage, Share
from dmabed.errors import AgentError, InputError
from dmabed.goals import Goal
from dmabed.unreachable import Known, Macro, Unreachable

NAME = "drivers/dma-buf/dma-buf.c"

SOURCE = """\
static int helper(void);

static int helper(void)
{
\tif (!ready)
\t\treturn -EINVAL;
\treturn 0;
}

int other(void)
{
\tif (!ready)
\t\treturn -EINVAL;
\treturn 1;
}
"""


def line(number: int, count: int, *branches: int) -> dict[str, Any]:
    return {"line_number": number, "count": count, "branches": [{"count": each} for each in branches]}


def found(*lines: dict[str, Any]) -> dict[str, Any]:
    return {"files": [{"file": NAME, "lines": list(lines)}]}


def one(*lines: dict[str, Any]) -> FileCoverage:
    (file,) = coverage.read(found(*lines))
    return file


def known_of(file: FileCoverage, *entries: Unreachable) -> Coverage:
    return Coverage((file,), Known(entries))


def test_lines_and_branches_are_counted() -> None:
    file = one(line(5, 3, 2, 0), line(6, 0), line(7, 3))
    assert (file.lines, file.branches, file.missing) == (Share(2, 3), Share(1, 2), (6,))


def test_a_line_that_is_there_twice_ran_if_one_of_them_did() -> None:
    file = one(line(5, 0), line(5, 1), line(6, 0), line(6, 0))
    assert (file.lines, file.missing) == (Share(1, 2), (6,))


def test_a_file_without_branches_misses_none() -> None:
    assert one(line(5, 1)).branches.ratio == 1.0
    assert Share(0, 4).ratio == 0.0


def test_the_total_is_of_lines_and_not_of_files() -> None:
    big = FileCoverage("a.c", Share(90, 100), Share(1, 2), ())
    small = FileCoverage("b.c", Share(0, 1), Share(0, 0), ())
    json = Coverage((big, small), Known(())).as_json()
    assert json["total"] == {"lines": round(90 / 101, 4), "branches": 0.5}
    assert json["files"]["a.c"]["lines"] == 0.9


def test_a_line_with_a_reason_is_explained_but_stays_missing() -> None:
    file = FileCoverage(NAME, Share(1, 4), Share(0, 0), (6, 7, 9), ran=(8,))
    result = known_of(file, Unreachable(NAME, (6, 7), "never"))
    entry = result.as_json()["files"][NAME]
    assert (entry["missing"], entry["unexplained"], entry["lines"]) == ("6-7, 9", "9", 0.25)
    assert result.as_json()["unreachable"] == [{"file": NAME, "lines": "6-7", "reason": "never"}]


def test_a_line_that_ran_is_not_unreachable() -> None:
    file = FileCoverage(NAME, Share(1, 2), Share(0, 0), (6,), ran=(5,))
    # a line without code, like 7, proves nothing
    wrong, right = Unreachable(NAME, (5, 6), "?"), Unreachable(NAME, (6, 7), "never")
    assert known_of(file, wrong, right).reached_after_all() == [f"{NAME}:5-6: ?"]


def test_a_race_may_come() -> None:
    file = FileCoverage(NAME, Share(1, 2), Share(0, 0), (6,), ran=(5,))
    assert not known_of(file, Unreachable(NAME, (5,), "a race", by_chance=True)).reached_after_all()


# ---- branches ----


def test_branches_that_were_not_taken_are_told_by_line() -> None:
    file = one(line(5, 3, 2, 0), line(6, 1, 0, 0), line(6, 1, 0, 1), line(7, 3, 1, 1))
    assert file.untaken == {5: 1, 6: 3}
    entry = known_of(file).as_json()["files"][NAME]
    assert entry["missing-branches"] == entry["unexplained-branches"] == "5, 6 (3)"


@pytest.mark.parametrize(("branches", "left"), [(1, {6: 2}), (3, {}), (4, {})])
def test_a_reason_explains_so_many_branches(branches: int, left: dict[int, int]) -> None:
    file = FileCoverage(NAME, Share(1, 1), Share(1, 4), (), ran=(6,), untaken={6: 3})
    known = known_of(file, Unreachable(NAME, (6,), "never", branches))
    assert known.unexplained_branches(file) == left
    assert known.as_json()["unreachable"][0]["branches"] == branches
    assert known.branches == Share(1, 4)


def test_branches_of_a_line_that_cant_run_are_explained_with_it() -> None:
    file = FileCoverage(NAME, Share(0, 1), Share(0, 2), (6,), untaken={6: 2})
    assert not known_of(file, Unreachable(NAME, (6,), "never")).unexplained_branches(file)


def test_a_branch_that_was_taken_is_not_unreachable() -> None:
    file = FileCoverage(NAME, Share(1, 1), Share(3, 4), (), ran=(6,), untaken={6: 1})
    assert known_of(file, Unreachable(NAME, (6,), "?", 2)).reached_after_all() == [f"{NAME}:6: ?"]
    assert not known_of(file, Unreachable(NAME, (6,), "never", 1)).reached_after_all()
    # where the line itself did not run, nothing is known
    assert not known_of(file, Unreachable(NAME, (7,), "never", 1)).reached_after_all()


def test_a_macro_explains_its_branches_wherever_it_stands() -> None:
    text = ("BUG_ON(a);", "if (a)", "BUG_ON(b);")
    file = FileCoverage(NAME, Share(3, 3), Share(3, 6), (), ran=(1, 2, 3), untaken={1: 1, 2: 1})
    macro, other = Macro("BUG_ON(", 1, "it stops the guest"), Macro("test_bit(", 5, "constants")
    result = Coverage((file,), Known((), (macro, other), {NAME: text}))
    assert result.unexplained_branches(file) == {2: 1}
    assert [each.lines for each in result.unreachable] == [(1,)]
    assert result.reached_after_all() == ["test_bit( everywhere: constants"]


# ---- goals ----


def measured(lines: int, branches: int) -> Coverage:
    return known_of(FileCoverage(NAME, Share(lines, 100), Share(branches, 100), ()))


@pytest.mark.parametrize(
    ("lines", "branches", "misses"),
    [
        (95, 85, []),
        (94, 85, [f"94.0 % of the lines of {NAME} ran, 95 % should"]),
        (95, 84, [f"84.0 % of the branches of {NAME} ran, 85 % should"]),
        (
            9,
            8,
            [
                f"9.0 % of the lines of {NAME} ran, 95 % should",
                f"8.0 % of the branches of {NAME} ran, 85 % should",
            ],
        ),
    ],
)
def test_a_goal_is_met_or_says_by_how_much_not(lines: int, branches: int, misses: list[str]) -> None:
    goal = Goal(NAME, 0.95, 0.85)
    assert list(goal.misses(measured(lines, branches))) == misses
    assert goal.as_json(measured(lines, branches)) == {
        "of": NAME,
        "lines": 0.95,
        "branches": 0.85,
        "met": not misses,
    }


def test_a_goal_may_ask_for_lines_only_and_of_all() -> None:
    assert Goal("total", 0.9, 0.0).as_json(measured(90, 0)) == {"of": "total", "lines": 0.9, "met": True}
    assert list(Goal("total", 0.9, 0.0).misses(measured(89, 0)))
    assert list(Goal("drivers/dma-buf/gone.c", 0.9, 0.0).misses(measured(90, 0))) == [
        "drivers/dma-buf/gone.c was not counted"
    ]


def test_a_goal_that_is_missed_fails_the_run() -> None:
    wanted = (Goal(NAME, 0.95, 0.85),)
    assert goals.problems(measured(95, 85), wanted) == []
    assert goals.problems(measured(95, 84), wanted) == [f"84.0 % of the branches of {NAME} ran, 85 % should"]
    assert goals.problems(measured(1, 1), ()) == []


def test_a_list_that_is_wrong_fails_the_run() -> None:
    file = FileCoverage(NAME, Share(1, 1), Share(0, 0), (), ran=(5,))
    (problem,) = goals.problems(known_of(file, Unreachable(NAME, (5,), "never")), ())
    assert "though given as unreachable" in problem


def test_our_goals_are_read() -> None:
    assert {goal.of for goal in goals.load()} == {NAME, "total"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("of: total\n    lines: 95", "between 0 and 1"),
        ("of: mm/slub.c\n    lines: 0.5", "drivers/dma-buf"),
        ("of: total", "lines"),
    ],
)
def test_a_goal_that_is_none_is_refused(tmp_path: Path, words: str, message: str) -> None:
    path = tmp_path / "goals.yaml"
    path.write_text(f"goals:\n  - {words}\n    source: here\n")
    with pytest.raises(InputError, match=message):
        goals.load(path)


# ---- the list ----


@pytest.fixture
def source(tmp_path: Path) -> Path:
    place = tmp_path / "linux" / NAME
    place.parent.mkdir(parents=True)
    place.write_text(SOURCE)
    return tmp_path / "linux"


def entry(tmp_path: Path, function: str, code: str, file: str = NAME) -> Path:
    path = tmp_path / "list.yaml"
    path.write_text(
        f"unreachable:\n  - file: {file}\n    function: {function}\n    code: |\n"
        + "".join(f"      {each}\n" for each in code.splitlines())
        + "    reason: never\n"
    )
    return path


@pytest.mark.parametrize(("function", "lines"), [("helper", (5, 6)), ("other", (12, 13))])
def test_code_is_found_behind_its_function(
    tmp_path: Path, source: Path, function: str, lines: tuple[int, ...]
) -> None:
    path = entry(tmp_path, function, "if (!ready)\n  return -EINVAL;")
    (found,) = unreachable.load(path, source).entries
    assert found == Unreachable(NAME, lines, "never")


def test_branches_are_those_of_the_last_line(tmp_path: Path, source: Path) -> None:
    path = entry(tmp_path, "helper", "{\n  if (!ready)")
    path.write_text(path.read_text() + "    branches: 1\n    by-chance: true\n")
    (found,) = unreachable.load(path, source).entries
    assert found == Unreachable(NAME, (5,), "never", 1, by_chance=True)


def test_macros_are_looked_for_in_the_files(tmp_path: Path, source: Path) -> None:
    path = entry(tmp_path, "helper", "return 0;")
    path.write_text(path.read_text() + "macros:\n  - {text: 'if (', branches: 2, reason: why}\n")
    known = unreachable.load(path, source, [NAME])
    found = list(known.of_macros({NAME: {5: 1, 7: 1, 12: 1}}))
    assert found == [Unreachable(NAME, (5, 12), "why", 2)]


@pytest.mark.parametrize(
    ("function", "code", "file", "message"),
    [
        ("helper", "return 2;", NAME, "this code is not in"),
        ("third", "return 1;", NAME, r"behind third\(\)"),
        ("other", "return 0;", NAME, "this code is not in"),
        ("other", "return 1;", "drivers/dma-buf/gone.c", "there is no drivers/dma-buf/gone.c"),
        ("other", "return 1;", "mm/slub.c", "drivers/dma-buf"),
    ],
)
def test_a_list_that_does_not_fit_the_source_is_refused(
    tmp_path: Path, source: Path, function: str, code: str, file: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        unreachable.load(entry(tmp_path, function, code, file), source)


def test_lines_are_told_as_ranges() -> None:
    assert coverage.ranges([9, 3, 7, 8]) == "3, 7-9"
    assert coverage.ranges([]) == ""


def test_only_a_line_that_ran_ends_a_range_of_code() -> None:
    file = one(line(3, 0), line(7, 0), line(8, 1), line(9, 0))
    assert file.ranges(file.missing) == "3-7, 9"


class Guest:
    """An agent whose kernel has these files."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def call(self, op: str, _seconds: float, **words: Any) -> Answer:
        if op == "run":
            return Answer(True, {"stdout": _text("\n".join(self.files).encode())})
        content = self.files.get(words["path"])
        return Answer(False, {}, "EIO") if content is None else Answer(True, {"data": _text(content)})


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_counters_are_kept_by_their_name_in_the_tree(tmp_path: Path) -> None:
    total = counters.Counters(tmp_path / "counters")
    total.add(Guest({f"{counters.IN_GUEST}/home/tree/drivers/dma-buf/heaps/a.gcda": b"1"}))  # type: ignore[arg-type]
    assert (tmp_path / "counters/drivers/dma-buf/heaps/a.gcda").read_bytes() == b"1"
    assert total.guests == 1


def test_a_guest_without_counters_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="counts nothing"):
        counters.Counters(tmp_path / "counters").add(Guest({}))  # type: ignore[arg-type]


def test_the_sum_is_whole_with_guests_from_several_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add(_what: str, *argv: str) -> None:
        to, old, new = map(Path, argv[-3:])
        place = to / "drivers/dma-buf/a.gcda"
        place.parent.mkdir(parents=True)
        place.write_bytes(b"".join((each / "drivers/dma-buf/a.gcda").read_bytes() for each in (old, new)))

    monkeypatch.setattr(counters, "_run", add)
    total = counters.Counters(tmp_path / "counters")
    guest = Guest({f"{counters.IN_GUEST}/drivers/dma-buf/a.gcda": b"x"})
    threads = [threading.Thread(target=total.add, args=(guest,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "counters/drivers/dma-buf/a.gcda").read_bytes() == b"x" * 8
    assert total.guests == 8
