# SPDX-License-Identifier: GPL-2.0-or-later
"""YAML files that people write by hand: read, checked, and blamed by line.

A file is read as YAML 1.2 into plain dicts, lists and scalars, keeping the
line of each key, and checked against a JSON Schema of ``configs/schemas``.
Whatever is wrong ends in one ``InputError``:

    FILE:LINE: key.path: what was wrong; allowed: ...

Nodes are turned into data here, not by the YAML library, so that only plain
data can come of a file: no tags, and no aliases (they make a small file
into a huge or endless one).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from dmabed import schema
from dmabed.errors import InputError

Key = str | int
KeyPath = tuple[Key, ...]

_MAX_DEPTH = 50
_TAG = "tag:yaml.org,2002:"
# A date is text here: no key takes one, and "2011-12-05" in a title is fine.
_TEXT_TAGS = (_TAG + "str", _TAG + "timestamp")
_SCALARS = YAML(typ="safe", pure=True).constructor
_MAKERS = {
    _TAG + "int": _SCALARS.construct_yaml_int,
    _TAG + "float": _SCALARS.construct_yaml_float,
    _TAG + "bool": _SCALARS.construct_yaml_bool,
    _TAG + "null": _SCALARS.construct_yaml_null,
}


@dataclass(frozen=True)
class Document:
    """A file's plain data, and where in the file each part of it stands."""

    path: Path
    data: Any
    lines: dict[KeyPath, int] = field(repr=False)

    def line(self, *path: Key) -> int:
        """The line of a key or list item, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: KeyPath, what: str, allowed: str = "") -> InputError:
        """The error to raise when ``path`` holds something wrong."""
        return _error(self.path, self.line(*path), what, show(path), allowed)


def load(path: Path | str, schema_name: str) -> Document:
    """Read ``path`` and check it against ``configs/schemas/SCHEMA_NAME.schema.json``."""
    return check(read(path), schema_name)


def check(document: Document, schema_name: str) -> Document:
    """The document, once it keeps to the schema. Raises InputError."""
    if not isinstance(document.data, dict):
        raise document.error((), "a mapping of keys to values is expected")
    problems = [
        (document.line(*problem.path), problem) for problem in schema.problems(document.data, schema_name)
    ]
    if problems:
        _, first = min(problems, key=lambda entry: entry[0])
        raise document.error(first.path, first.what, first.allowed)
    return document


def read(path: Path | str) -> Document:
    """Read ``path`` without checking it against a schema."""
    path = Path(path)
    root = _compose(path, _text(path))
    if root is None:
        raise _error(path, 1, "the file is empty")
    lines: dict[KeyPath, int] = {}
    return Document(path, _plain(path, root, (), lines), lines)


def show(path: KeyPath) -> str:
    """A key path as the messages show it: ``devices.codec.dma-ranges[0].bus``."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _error(path, line, "not UTF-8 text") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _compose(path: Path, text: str) -> Node | None:
    """The tree of YAML nodes, each with its place in the file."""
    try:
        _check_events(path, YAML(typ="safe", pure=True).parse(text))
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
        return node
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _error(path, line, "a control character, which YAML does not allow") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = "broken YAML: " + ", ".join(filter(None, (error.context, error.problem)))
        raise _error(path, mark.line + 1 if mark else 1, what) from None
    except (YAMLError, ValueError, NotImplementedError) as error:
        raise _error(path, 1, f"broken YAML: {error}") from None


def _check_events(path: Path, events: Iterator[Event]) -> None:
    """Refuse aliases and bottomless nesting before anything is built of them."""
    depth = 0
    for event in events:
        line = event.start_mark.line + 1
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise _error(path, line, f"nested too deeply; at most {_MAX_DEPTH} levels")
        if isinstance(event, AliasEvent):
            raise _error(path, line, f"alias *{event.anchor} is not supported: write the value out")


def _plain(path: Path, node: Node, at: KeyPath, lines: dict[KeyPath, int]) -> Any:
    """The plain data of a node; notes the line of every key on the way."""
    lines.setdefault(at, _line(node))
    if isinstance(node, MappingNode) and node.tag == _TAG + "map":
        return dict(_items(path, node, at, lines))
    if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
        return [_plain(path, item, (*at, index), lines) for index, item in enumerate(node.value)]
    if isinstance(node, ScalarNode):
        return _scalar(path, node, at)
    raise _error(path, _line(node), f"tag {node.tag} is not allowed", show(at), "plain YAML")


def _items(
    path: Path, node: MappingNode, at: KeyPath, lines: dict[KeyPath, int]
) -> Iterator[tuple[str, Any]]:
    for key_node, value_node in node.value:
        name, line = _key(path, key_node, at), _line(key_node)
        if (*at, name) in lines:
            first = lines[(*at, name)]
            raise _error(path, line, f"the key stands here twice, first in line {first}", show((*at, name)))
        lines[(*at, name)] = line
        yield name, _plain(path, value_node, (*at, name), lines)


def _key(path: Path, node: Node, at: KeyPath) -> str:
    if isinstance(node, ScalarNode) and node.tag in _TEXT_TAGS:
        return str(node.value)
    raise _error(path, _line(node), "a key must be a word", show(at), "text; quote a number")


def _scalar(path: Path, node: ScalarNode, at: KeyPath) -> Any:
    """YAML 1.2 text, whole number, number, truth value or nothing."""
    if node.tag in _TEXT_TAGS:
        return str(node.value)
    if node.tag not in _MAKERS:
        raise _error(path, _line(node), f"tag {node.tag} is not allowed", show(at), "plain YAML")
    try:
        return _MAKERS[node.tag](node)
    except (ValueError, KeyError, YAMLError):
        kind = str(node.tag).removeprefix(_TAG)
        raise _error(path, _line(node), f"'{str(node.value)[:40]}' is no {kind}", show(at)) from None


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _error(path: Path, line: int, what: str, key: str = "", allowed: str = "") -> InputError:
    place = f"{path}:{line}: " + (f"{key}: " if key else "")
    return InputError(place + what + (f"; allowed: {allowed}" if allowed else ""))
