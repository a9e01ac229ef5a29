# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON Schema problems in the words of whoever wrote the file.

jsonschema's own messages speak of schemas ("is not valid under any of the
given schemas"). Here each problem becomes the key it is about, what is wrong
with it, and what is allowed. A schema's ``description`` is what is shown as
allowed where the rule itself (a pattern, a format) would tell a user little.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.validators import extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from dmabed import paths, units

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, what, and what would be right."""

    path: tuple[str | int, ...]
    what: str
    allowed: str = ""


def problems(data: Any, name: str, part: str = "") -> list[Problem]:
    """Everything that ``configs/schemas/NAME.schema.json`` finds wrong with ``data``.

    ``part`` names one of the schema's ``$defs`` to check against instead.
    """
    errors = _validator(name, part).iter_errors(data)
    return [problem for error in errors for problem in _explain(_failure(error))]


def _is_integer(_checker: object, value: object) -> bool:
    # JSON Schema takes 1.0 for an integer; here it would reach code that wants an int.
    return isinstance(value, int) and not isinstance(value, bool)


_formats = FormatChecker(formats=())


@_formats.checks("size", raises=ValueError)
def _is_size(value: object) -> bool:
    """``format: size`` is whatever ``units.size`` takes."""
    if isinstance(value, (int, str)):
        units.size(value)
    return True


_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


def _resource(file: str) -> Resource[Any]:
    text = (paths.SCHEMAS / file).read_text(encoding="utf-8")
    return Resource.from_contents(json.loads(text), default_specification=DRAFT202012)


@functools.cache
def _validator(name: str, part: str) -> Any:
    """The validator of one schema; ``$ref: other.schema.json`` finds its neighbours."""
    registry: Registry[Any] = Registry(retrieve=_resource)  # type: ignore[call-arg]
    where = f"{name}.schema.json" + (f"#/$defs/{part}" if part else "")
    return _Validator({"$ref": where}, registry=registry, format_checker=_formats)


@dataclass(frozen=True)
class _Failure:
    """A jsonschema error, reduced to what the messages need."""

    path: tuple[str | int, ...]
    rule: str  # the keyword that failed: type, enum, ...
    limit: Any  # that keyword's value in the schema
    schema: dict[str, Any]
    value: Any
    cause: Exception | None
    message: str
    is_name: bool  # the value is a key's name
    branches: dict[int, list[_Failure]]  # of anyOf and oneOf

    @property
    def described(self) -> str:
        return str(self.schema.get("description", ""))

    @property
    def shown(self) -> str:
        """The value as the file has it, cut to what fits a message."""
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list" if self.value else "an empty list"
        text = json.dumps(self.value, ensure_ascii=False)
        return text if len(text) <= 50 else text[:47] + "..."


def _failure(error: Any) -> _Failure:
    branches: dict[int, list[_Failure]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(_failure(inner))
    return _Failure(
        path=tuple(error.absolute_path),
        rule=error.validator,
        limit=error.validator_value,
        schema=error.schema if isinstance(error.schema, dict) else {},
        value=error.instance,
        cause=error.cause,
        message=error.message,
        is_name="propertyNames" in list(error.absolute_schema_path)[-2:],
        branches=branches,
    )


def _explain(failure: _Failure) -> Iterator[Problem]:
    if failure.is_name:
        yield Problem((*failure.path, failure.value), "not a good name", failure.described or failure.message)
    elif failure.branches:
        yield from _alternatives(failure)
    else:
        yield from _RULES.get(failure.rule, _other)(failure)


def _alternatives(failure: _Failure) -> Iterator[Problem]:
    """The problem of the alternative that the writer seems to have meant.

    That is the one of the value's own type in which the fault lies deepest.
    Where the schema describes the alternatives, its words are better.
    """
    meant = [branch for branch in failure.branches.values() if not _is_wrong_type(branch, failure)]
    if failure.described or not meant:
        types = [_types(inner) for branch in failure.branches.values() for inner in branch]
        yield Problem(failure.path, f"{failure.shown} does not fit", failure.described or " or ".join(types))
        return
    best = max(meant, key=lambda branch: (max(len(inner.path) for inner in branch), -len(branch)))
    for inner in best:
        yield from _explain(inner)


def _is_wrong_type(branch: list[_Failure], failure: _Failure) -> bool:
    return any(inner.rule == "type" and inner.path == failure.path for inner in branch)


def _types(failure: _Failure) -> str:
    names = [failure.limit] if isinstance(failure.limit, str) else failure.limit
    return failure.described or " or ".join(_TYPES[name] for name in names)


def _unknown_keys(failure: _Failure) -> Iterator[Problem]:
    known = list(failure.schema.get("properties", {}))
    patterns = list(failure.schema.get("patternProperties", {}))
    for key in failure.value:
        if key in known or any(re.search(pattern, key) for pattern in patterns):
            continue
        what = f"unknown key{_nearest(key, known)}"
        yield Problem((*failure.path, key), what, ", ".join(known) or "no keys")


def _missing_key(failure: _Failure) -> Iterator[Problem]:
    # jsonschema tells of each missing key on its own; its message names it
    key = next(key for key in failure.limit if failure.message.startswith(repr(key)))
    yield Problem(failure.path, f"key '{key}' is missing")


def _wrong_type(failure: _Failure) -> Iterator[Problem]:
    yield Problem(failure.path, f"{failure.shown} has the wrong type", _types(failure))


def _not_listed(failure: _Failure) -> Iterator[Problem]:
    known = [str(value) for value in failure.limit]
    what = f"{failure.shown} is not known{_nearest(str(failure.value), known)}"
    yield Problem(failure.path, what, ", ".join(known))


def _wrong_constant(failure: _Failure) -> Iterator[Problem]:
    yield Problem(failure.path, f"{failure.shown} does not fit", str(failure.limit))


def _out_of_range(failure: _Failure) -> Iterator[Problem]:
    what = "is negative" if failure.value < 0 else "is out of range"
    yield Problem(failure.path, f"{failure.shown} {what}", failure.described or _range(failure.schema))


def _range(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is None:
        return f"{low} or more"
    return f"{low} to {high}" if low is not None else f"up to {high}"


def _bad_format(failure: _Failure) -> Iterator[Problem]:
    # what units.size says already tells what is allowed
    yield Problem(failure.path, str(failure.cause))


def _other(failure: _Failure) -> Iterator[Problem]:
    yield Problem(failure.path, f"{failure.shown} does not fit", failure.described or failure.message)


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


_RULES: dict[str, Callable[[_Failure], Iterator[Problem]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_key,
    "type": _wrong_type,
    "enum": _not_listed,
    "const": _wrong_constant,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "format": _bad_format,
}
