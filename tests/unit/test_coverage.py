# SPDX-License-Identifier: GPL-2.0-or-later
"""gcovr's findings become shares, and what is listed as unreachable is looked up and doubted."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Any

import pytest

from dmabed import counters, coverage
from dmabed.agent import Answer
from dmabed.coverage import Coverage, FileCoverage, Share, Unreachable
from dmabed.errors import AgentError, InputError

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
    json = Coverage((big, small), ()).as_json()
    assert json["total"] == {"lines": round(90 / 101, 4), "branches": 0.5}
    assert json["files"]["a.c"]["lines"] == 0.9


def test_a_line_with_a_reason_is_explained_but_stays_missing() -> None:
    file = FileCoverage(NAME, Share(1, 4), Share(0, 0), (6, 7, 9), ran=(8,))
    result = Coverage((file,), (Unreachable(NAME, (6, 7), "never"),))
    entry = result.as_json()["files"][NAME]
    assert (entry["missing"], entry["unexplained"], entry["lines"]) == ("6-7, 9", "9", 0.25)
    assert result.as_json()["unreachable"] == [{"file": NAME, "lines": "6-7", "reason": "never"}]


def test_a_line_that_ran_is_not_unreachable() -> None:
    file = FileCoverage(NAME, Share(1, 2), Share(0, 0), (6,), ran=(5,))
    # a line without code, like 7, proves nothing
    wrong, right = Unreachable(NAME, (5, 6), "?"), Unreachable(NAME, (6, 7), "never")
    assert Coverage((file,), (wrong, right)).reached_after_all() == [wrong]


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
    (unreachable,) = coverage.unreachable(path, source)
    assert unreachable == Unreachable(NAME, lines, "never")


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
        coverage.unreachable(entry(tmp_path, function, code, file), source)


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
