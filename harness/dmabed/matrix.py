# SPDX-License-Identifier: GPL-2.0-or-later
"""One scenario file, many scenarios: ``matrix``, ``without`` and ``when``. Pure.

Every combination of the matrix's values becomes a document of its own, in
which ``${name}`` stands for the value and the steps are those whose ``when``
fits. What is left has no trace of the matrix, but keeps the file's lines.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dmabed.yamlfile import Document, KeyPath

Choice = Mapping[str, Any]

_WHOLE = re.compile(r"\$\{([a-z][a-z0-9-]*)\}")
_SCALARS = (str, int, float, bool)
MOST = 512


def expand(document: Document) -> list[tuple[str, Document]]:
    """The scenarios of a file, each with the end of its name. Raises InputError."""
    data = document.data
    if not isinstance(data, dict) or "matrix" not in data:
        return [("", document)]
    matrix = _checked(document)
    choices = [choice for choice in _combinations(matrix) if not _left_out(data.get("without", ()), choice)]
    if not choices:
        raise document.error(("matrix",), "no combination is left", "fewer 'without'")
    return [(_name(choice), _apply(document, choice)) for choice in choices]


def _checked(document: Document) -> Mapping[str, Sequence[Any]]:
    """The matrix, and all that names it, in its right form."""
    matrix = document.data["matrix"]
    if not isinstance(matrix, dict) or not matrix:
        raise document.error(("matrix",), "the matrix is a mapping of names to lists")
    for name, values in matrix.items():
        if not isinstance(values, list) or not values or not all(isinstance(v, _SCALARS) for v in values):
            raise document.error(("matrix", name), "not a list of words or numbers")
    if len(list(_combinations(matrix))) > MOST:
        raise document.error(("matrix",), "too many combinations", f"at most {MOST}")
    for index, choice in enumerate(document.data.get("without", ())):
        _check_names(document, ("without", index), choice, matrix)
    for index, step in enumerate(document.data.get("steps") or ()):
        if isinstance(step, dict) and "when" in step:
            _check_names(document, ("steps", index, "when"), step["when"], matrix)
    return matrix


def _check_names(document: Document, path: KeyPath, choice: Any, matrix: Mapping[str, Any]) -> None:
    """A choice names some of the matrix, each with a value or a list of them."""
    if not isinstance(choice, dict) or not choice:
        raise document.error(path, "a mapping of names of the matrix to values is expected")
    for name, values in choice.items():
        if name not in matrix:
            raise document.error((*path, name), f"the matrix has no '{name}'", ", ".join(matrix))
        for value in _as_list(values):
            if value not in matrix[name]:
                known = ", ".join(map(str, matrix[name]))
                raise document.error((*path, name), f"'{value}' is no value of '{name}'", known)


def _combinations(matrix: Mapping[str, Sequence[Any]]) -> Iterator[Choice]:
    for values in itertools.product(*matrix.values()):
        yield dict(zip(matrix, values, strict=True))


def _left_out(without: Sequence[Choice], choice: Choice) -> bool:
    return any(_fits(each, choice) for each in without)


def _fits(wanted: Choice, choice: Choice) -> bool:
    return all(choice[name] in _as_list(values) for name, values in wanted.items())


def _as_list(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _name(choice: Choice) -> str:
    return "[" + ",".join(f"{name}={value}" for name, value in choice.items()) + "]"


def _apply(document: Document, choice: Choice) -> Document:
    """The document of one combination."""
    data = {key: value for key, value in document.data.items() if key not in ("matrix", "without")}
    steps = data.get("steps")
    lines = document.lines
    if isinstance(steps, list):
        kept = [index for index, step in enumerate(steps) if _is_wanted(step, choice)]
        data["steps"] = [_without_when(steps[index]) for index in kept]
        lines = _moved(lines, {old: new for new, old in enumerate(kept)})
    return Document(document.path, _put_in(document, data, choice, ()), lines)


def _is_wanted(step: Any, choice: Choice) -> bool:
    return not isinstance(step, dict) or "when" not in step or _fits(step["when"], choice)


def _without_when(step: Any) -> Any:
    return {key: value for key, value in step.items() if key != "when"} if isinstance(step, dict) else step


def _moved(lines: Mapping[KeyPath, int], moves: Mapping[int, int]) -> dict[KeyPath, int]:
    """The lines of steps that have another number now."""
    moved: dict[KeyPath, int] = {}
    for path, line in lines.items():
        if len(path) < 2 or path[0] != "steps":
            moved[path] = line
        elif path[1] in moves:
            moved["steps", moves[int(path[1])], *path[2:]] = line
    return moved


def _put_in(document: Document, value: Any, choice: Choice, path: KeyPath) -> Any:
    """``value`` with each ``${name}`` replaced; alone it keeps the kind of its value."""
    if isinstance(value, dict):
        return {key: _put_in(document, inner, choice, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_put_in(document, inner, choice, (*path, index)) for index, inner in enumerate(value)]
    if not isinstance(value, str):
        return value
    for name in _WHOLE.findall(value):
        if name not in choice:
            raise document.error(path, f"the matrix has no '{name}'", ", ".join(choice))
    whole = _WHOLE.fullmatch(value)
    return choice[whole[1]] if whole else _WHOLE.sub(lambda match: str(choice[match[1]]), value)
