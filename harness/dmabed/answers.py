# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's answers, read strictly: a field that is missing is never taken for a good one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dmabed.ranges import Run

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NOWHERE = 2**64 - 1  # wait.mismatch when nothing differs


class OddAnswer(Exception):
    """An answer lacks a field, or has one that makes no sense; the text says which."""


@dataclass(frozen=True)
class JobAnswer:
    """The result of ``wait``."""

    status: str
    error: str | None
    bytes: int
    mismatch: int | None
    sha256: str


def is_ok(answer: Mapping[str, Any]) -> bool:
    """Whether the call succeeded. Raises OddAnswer when the answer is neither."""
    ok = answer.get("ok")
    if ok is True and isinstance(answer.get("result"), Mapping):
        return True
    if ok is False and isinstance(answer.get("errno"), str):
        return False
    raise OddAnswer(f"the answer is neither a result nor an errno: {dict(answer)!r:.100}")


def job(result: Mapping[str, Any]) -> JobAnswer:
    status, error = text(result, "status"), _field(result, "error")
    if error is not None and not isinstance(error, str):
        raise _odd("error", error)
    mismatch = None if _field(result, "mismatch") is None else number(result, "mismatch")
    return JobAnswer(
        status=status,
        error=error,
        bytes=number(result, "bytes"),
        mismatch=None if mismatch in (-1, _NOWHERE) else mismatch,
        sha256=digest(result) if status in ("ok", "mismatch-found") else "",
    )


def digest(result: Mapping[str, Any]) -> str:
    value = _field(result, "sha256")
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise _odd("sha256", value)
    return value


def text(result: Mapping[str, Any], key: str) -> str:
    value = _field(result, key)
    if not isinstance(value, str):
        raise _odd(key, value)
    return value


def truth(result: Mapping[str, Any], key: str) -> bool:
    value = _field(result, key)
    if not isinstance(value, bool):
        raise _odd(key, value)
    return value


def words(result: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = _field(result, key)
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise _odd(key, value)
    return tuple(value)


def number(result: Mapping[str, Any], key: str) -> int:
    return _number(key, _field(result, key))


def runs(result: Mapping[str, Any]) -> tuple[Run, ...]:
    """``segments``: pairs of address and length."""
    value = _field(result, "segments")
    try:
        return tuple(Run(_number("segments", a), _number("segments", n)) for a, n in value)
    except (TypeError, ValueError):
        raise _odd("segments", value) from None


def _number(key: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return int(str(value), 0)
    except ValueError:
        raise _odd(key, value) from None


def _field(result: Mapping[str, Any], key: str) -> Any:
    if key not in result:
        raise OddAnswer(f"the answer lacks '{key}'")
    return result[key]


def _odd(key: str, value: Any) -> OddAnswer:
    return OddAnswer(f"the answer's '{key}' makes no sense: {value!r:.80}")
