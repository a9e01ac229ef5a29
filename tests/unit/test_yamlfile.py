# SPDX-License-Identifier: GPL-2.0-or-later
"""Each way in which a file can be wrong, and the message it gets."""

import json

import pytest

from dmabed import paths, schema, yamlfile
from dmabed.errors import InputError

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$", "description": "lower-case letters"},
        "count": {"type": "integer", "minimum": 1, "maximum": 8},
        "level": {"type": "integer", "minimum": 0},
        "size": {"type": ["integer", "string"], "format": "size"},
        "policy": {"enum": ["fault", "wrap"]},
        "quiet": {"type": "boolean"},
        "parts": {"type": "array", "items": {"$ref": "part.schema.json#/$defs/part"}},
        "ratio": {"type": "number"},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "step": {
            "oneOf": [
                {"type": "object", "required": ["fill"], "properties": {"fill": {"type": "integer"}}},
                {"type": "string"},
            ]
        },
        "named": {"propertyNames": {"pattern": "^[a-z]+$", "description": "lower-case names"}},
    },
}
PART = {"$defs": {"part": {"type": "object", "properties": {"base": {"type": "integer"}}}}}


@pytest.fixture
def load(tmp_path, monkeypatch):
    (tmp_path / "thing.schema.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "part.schema.json").write_text(json.dumps(PART))
    monkeypatch.setattr(paths, "SCHEMAS", tmp_path)
    schema._validator.cache_clear()
    monkeypatch.chdir(tmp_path)

    def write_and_load(text):
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "x.yaml").write_bytes(content)
        return yamlfile.load("x.yaml", "thing")

    yield write_and_load
    schema._validator.cache_clear()


def test_plain_data_and_lines(load):
    document = load("# a comment\nname: a\ncount: 0x8\nparts:\n  - {base: 0x100000000}\n  -\n    base: 7\n")
    assert document.data == {"name": "a", "count": 8, "parts": [{"base": 1 << 32}, {"base": 7}]}
    assert [type(part) for part in document.data["parts"]] == [dict, dict]
    assert document.line("count") == 3
    assert document.line("parts", 0, "base") == 5
    assert document.line("parts", 1, "base") == 7
    assert document.line("parts", 1, "no-such-key") == 7
    assert document.line("nothing") == 2


def test_yaml_1_2(load):
    data = load("name: no\nquiet: true\nratio: 1.5\neither: 2011-12-05\nlevel: 010\n").data
    assert data == {"name": "no", "quiet": True, "ratio": 1.5, "either": "2011-12-05", "level": 10}


def test_error_names_file_line_key_and_what_is_allowed(load):
    document = load("name: a\nparts:\n  - base: 3\n")
    error = document.error(("parts", 0, "base"), "too small", "4 or more")
    assert str(error) == "x.yaml:3: parts[0].base: too small; allowed: 4 or more"


KEYS = "name, count, level, size, policy, quiet, parts, ratio, either, step, named"
SIZES = "whole bytes (65536, 0x10000), or a whole number with B, KiB, MiB or GiB (64KiB)"
WRONG = {
    "unknown key": ("name: a\ncuont: 1\n", f"2: cuont: unknown key (did you mean 'count'?); allowed: {KEYS}"),
    "unknown key, nothing like it": ("name: a\nzzz: 1\n", f"2: zzz: unknown key; allowed: {KEYS}"),
    "missing key": ("\ncount: 1\n", "2: key 'name' is missing"),
    "text for a number": (
        "name: a\ncount: many\n",
        '2: count: "many" has the wrong type; allowed: a whole number',
    ),
    "1.0 for an integer": (
        "name: a\ncount: 1.0\n",
        "2: count: 1.0 has the wrong type; allowed: a whole number",
    ),
    "true for an integer": (
        "name: a\ncount: true\n",
        "2: count: true has the wrong type; allowed: a whole number",
    ),
    "list for text": ("name: [a]\n", "1: name: a list has the wrong type; allowed: lower-case letters"),
    "mapping for a list": ("name: a\nparts: {}\n", "2: parts: a mapping has the wrong type; allowed: a list"),
    "negative": ("name: a\ncount: -3\n", "2: count: -3 is negative; allowed: 1 to 8"),
    "too large": ("name: a\ncount: 9\n", "2: count: 9 is out of range; allowed: 1 to 8"),
    "no upper limit": ("name: a\nlevel: -1\n", "2: level: -1 is negative; allowed: 0 or more"),
    "enum": (
        "name: a\npolicy: warp\n",
        "2: policy: \"warp\" is not known (did you mean 'wrap'?); allowed: fault, wrap",
    ),
    "pattern": ("name: A1\n", '1: name: "A1" does not fit; allowed: lower-case letters'),
    "size": ("name: a\nsize: 4kb\n", f"2: size: '4kb' is not a size; allowed: {SIZES}"),
    "negative size": ("name: a\nsize: -1\n", f"2: size: -1 is negative; allowed: {SIZES}"),
    "negative size with unit": ("name: a\nsize: -4KiB\n", f"2: size: '-4KiB' is negative; allowed: {SIZES}"),
    "alternatives": (
        "name: a\neither: [1]\n",
        "2: either: a list does not fit; allowed: text or a whole number",
    ),
    "inside an alternative": (
        "name: a\nstep:\n  fill: x\n",
        '3: step.fill: "x" has the wrong type; allowed: a whole number',
    ),
    "bad name of a key": (
        "name: a\nnamed:\n  B: 1\n",
        "3: named.B: not a good name; allowed: lower-case names",
    ),
    "list item": (
        "name: a\nparts:\n  - base: 1\n  - base: x\n",
        '4: parts[1].base: "x" has the wrong type; allowed: a whole number',
    ),
    "first of several": ("count: 0\nname: 7\n", "1: count: 0 is out of range; allowed: 1 to 8"),
    "duplicate key": ("name: a\ncount: 1\nname: b\n", "3: name: the key stands here twice, first in line 1"),
    "empty": ("", "1: the file is empty"),
    "only a comment": ("# nothing\n", "1: the file is empty"),
    "a list": ("- name\n", "1: a mapping of keys to values is expected"),
    "a word": ("name\n", "1: a mapping of keys to values is expected"),
    "null": ("~\n", "1: a mapping of keys to values is expected"),
    "a number as key": ("name: a\n1: b\n", "2: a key must be a word; allowed: text; quote a number"),
    "a list as key": (
        "name: a\nnamed:\n  [b]: c\n",
        "3: named: a key must be a word; allowed: text; quote a number",
    ),
    "python object": (
        "name: !!python/object/apply:os.system [ls]\n",
        "1: name: tag tag:yaml.org,2002:python/object/apply:os.system is not allowed; allowed: plain YAML",
    ),
    "own tag": ("name: !thing a\n", "1: name: tag !thing is not allowed; allowed: plain YAML"),
    "binary": (
        "name: !!binary aGk=\n",
        "1: name: tag tag:yaml.org,2002:binary is not allowed; allowed: plain YAML",
    ),
    "tag that the text belies": ("name: a\ncount: !!int abc\n", "2: count: 'abc' is no int"),
    "alias": ("name: &x a\neither: *x\n", "2: alias *x is not supported: write the value out"),
    "endless alias": ("name: a\nparts: &x [*x]\n", "2: alias *x is not supported: write the value out"),
    "not UTF-8": (b"name: a\n# \xff\n", "2: not UTF-8 text"),
    "control character": ("name: a\ncount: \x01\n", "2: a control character, which YAML does not allow"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_file(load, text, message):
    with pytest.raises(InputError) as caught:
        load(text)
    assert str(caught.value) == f"x.yaml:{message}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: a\nparts: [1, 2\n", 3),
        ("name: 'a\n", 2),
        ("name: a\n  count: 1\n", 2),
        ("name: a\n\tcount: 1\n", 2),
        ("name: a\n---\nname: b\n", 2),
        ("name: @a\n", 1),
        ("name: *nobody\n", 1),
    ],
)
def test_broken_yaml_has_its_line(load, text, line):
    with pytest.raises(InputError, match=rf"^x\.yaml:{line}: "):
        load(text)


def test_nested_too_deeply(load):
    with pytest.raises(InputError, match=r"^x\.yaml:2: nested too deeply; at most 50 levels"):
        load("name: a\nparts: " + "[" * 20000)


def test_missing_file(load, tmp_path):
    with pytest.raises(InputError, match=r"^nope\.yaml: cannot be read: No such file"):
        yamlfile.load("nope.yaml", "thing")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        yamlfile.load(tmp_path, "thing")
