# SPDX-License-Identifier: GPL-2.0-or-later
"""One scenario file, many scenarios: ``matrix``, ``generation``, ``without`` and ``when``. Pure.

Every combination of the matrix's values becomes a document of its own, in
which ``${name}`` stands for the value and the steps are those whose ``when``
fits. What is left has no trace of the matrix, but keeps the file's lines.

A list of generations is one more dimension of the matrix. It has two ways of
its own to differ: the current generation is not named, and an expectation may
have another one inside for a generation that does not do as the others.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dmabed.generation import CURRENT, GENERATIONS, KEY
from dmabed.yamlfile import Document, KeyPath

Choice = Mapping[str, Any]

_WHOLE = re.compile(r"\$\{([a-z][a-z0-9-]*)\}")
_SCALARS = (str, int, float, bool)
MOST = 512


def expand(document: Document) -> list[tuple[str, Document]]:
    """The scenarios of a file, each with the end of its name. Raises InputError."""
    data = document.data
    if not isinstance(data, dict) or not ("matrix" in data or isinstance(data.get(KEY), list)):
        return [("", document)]
    matrix = _checked(document)
    choices = [choice for choice in _combinations(matrix) if not _left_out(data.get("without", ()), choice)]
    if not choices:
        raise document.error(("matrix",), "no combination is left", "fewer 'without'")
    return [(_name(choice), _apply(document, choice)) for choice in choices]


def _checked(document: Document) -> Mapping[str, Sequence[Any]]:
    """The matrix, and all that names it, in its right form."""
    matrix = {**_own_matrix(document), **_generations(document)}
    if len(list(_combinations(matrix))) > MOST:
        raise document.error(("matrix",), "too many combinations", f"at most {MOST}")
    for index, choice in enumerate(document.data.get("without", ())):
        _check_names(document, ("without", index), choice, matrix)
    for index, step in enumerate(document.data.get("steps") or ()):
        if isinstance(step, dict) and "when" in step:
            _check_names(document, ("steps", index, "when"), step["when"], matrix)
    return matrix


def _own_matrix(document: Document) -> Mapping[str, Sequence[Any]]:
    """What stands under ``matrix``, if there is one."""
    if "matrix" not in document.data:
        return {}
    matrix = document.data["matrix"]
    if not isinstance(matrix, dict) or not matrix:
        raise document.error(("matrix",), "the matrix is a mapping of names to lists")
    for name, values in matrix.items():
        if name == KEY:
            raise document.error(("matrix", name), "generations are no part of the matrix", f"'{KEY}: [...]'")
        if not isinstance(values, list) or not values or not all(isinstance(v, _SCALARS) for v in values):
            raise document.error(("matrix", name), "not a list of words or numbers")
    return matrix


def _generations(document: Document) -> Mapping[str, Sequence[Any]]:
    """The generations, if there are several; one alone is checked by the schema."""
    wanted = document.data.get(KEY)
    if not isinstance(wanted, list):
        return {}
    if not wanted:
        raise document.error((KEY,), "no generation is named", ", ".join(GENERATIONS))
    for index, name in enumerate(wanted):
        if name not in GENERATIONS:
            raise document.error((KEY, index), f"there is no generation '{name}'", ", ".join(GENERATIONS))
        if name in wanted[:index]:
            raise document.error((KEY, index), f"'{name}' is there already")
    return {KEY: wanted}


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
    """The end of the scenario's name; the current generation has always gone without one."""
    named = [f"{name}={value}" for name, value in choice.items() if (name, value) != (KEY, CURRENT)]
    return "[" + ",".join(named) + "]" if named else ""


def _apply(document: Document, choice: Choice) -> Document:
    """The document of one combination."""
    data = {key: value for key, value in document.data.items() if key not in ("matrix", "without")}
    steps = data.get("steps")
    lines = document.lines
    if isinstance(steps, list):
        kept = [index for index, step in enumerate(steps) if _is_wanted(step, choice)]
        data["steps"] = [_without_when(steps[index]) for index in kept]
        lines = _moved(lines, {old: new for new, old in enumerate(kept)})
    chosen = Document(document.path, _put_in(document, data, choice, ()), lines)
    return _of_generation(chosen, choice, document.data[KEY]) if KEY in choice else chosen


def _of_generation(document: Document, choice: Choice, listed: Sequence[str]) -> Document:
    """The document with what is expected of one generation."""
    data = {**document.data, KEY: choice[KEY]}
    steps = data.get("steps")
    if isinstance(steps, list):
        data["steps"] = [
            _with_own(document, step, ("steps", index), choice[KEY], listed)
            if isinstance(step, dict)
            else step
            for index, step in enumerate(steps)
        ]
    return Document(document.path, _with_own(document, data, (), choice[KEY], listed), document.lines)


def _with_own(
    document: Document, holder: Mapping[str, Any], path: KeyPath, generation: str, listed: Sequence[str]
) -> dict[str, Any]:
    """``expect`` and ``hardware`` of a step or of the file, as they are for ``generation``.

    What stands there under a generation's name takes the place of all that is expected of the others.
    """
    chosen = dict(holder)
    for key in ("expect", "hardware"):
        wanted = holder.get(key)
        if not isinstance(wanted, dict):
            continue
        own = {name: value for name, value in wanted.items() if name in GENERATIONS}
        for name in own:
            if name not in listed:
                raise document.error((*path, key, name), f"it does not run in '{name}'", ", ".join(listed))
        rest = {name: value for name, value in wanted.items() if name not in GENERATIONS}
        chosen[key] = own.get(generation, rest)
    return chosen


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
