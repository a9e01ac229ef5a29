# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios as values: what docs/scenarios.md describes, read and checked.

The file's shape is checked by its schema, the story of its steps by
``storyline``: a buffer that nobody exported, a job that was never submitted.
What is left after loading can be run; whether a given layout has the devices
is asked with ``check_layout``.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmabed import casting, matrix, paths, rows, storyline, yamlfile
from dmabed import layout as layouts
from dmabed.errors import InputError
from dmabed.generation import CURRENT, GENERATIONS, KEY
from dmabed.guesses import meant
from dmabed.layout import Layout
from dmabed.steps import Step, make_step

SCENARIOS = paths.CONFIGS / "scenarios"
DEFAULT_TIMEOUT_S = 30.0
EVERY_SOC = "every-soc"
NO_SOC = "testbed-"  # how the names of layouts begin that no real SoC has


@dataclass(frozen=True)
class DeviceExpectation:
    """What one device did in all, beside the jobs' own expectations; None: not asked."""

    jobs: int | None = None
    accesses: int | None = None
    violations: int | None = None
    guest_errors: int | None = None


@dataclass(frozen=True)
class IommuExpectation:
    """What one IOMMU saw: kinds in order, repeats counted once; anything else is a failure."""

    faults: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()
    untranslated: bool = False


@dataclass(frozen=True)
class Scenario:
    name: str
    purpose: str
    rows: tuple[str, ...]
    layouts: tuple[str, ...]
    tags: tuple[str, ...]
    timeout_s: float
    generation: str
    device_overrides: Mapping[str, Mapping[str, Any]]
    steps: tuple[Step, ...]
    hardware: Mapping[str, DeviceExpectation]
    iommus: Mapping[str, IommuExpectation]
    file: Path
    document: yamlfile.Document = field(repr=False, compare=False)
    report: str = ""  # of a regression: where it was reported
    told_apart_by: str = ""  # of a regression: the switch with which it fails
    cast: casting.Roles = field(default_factory=dict)  # parts, and the roles that may play them
    # variants of the kernel, and why it is skipped there
    not_in: Mapping[str, str] = field(default_factory=dict)

    @property
    def family(self) -> str:
        return family_of(self.name)

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that the scenario names, in order of appearance."""
        named = [step.device for step in self.steps if step.device]
        return tuple(dict.fromkeys([*named, *self.hardware, *self.device_overrides]))


def family_of(name: str) -> str:
    """The scenario's name without the combination of its matrix, of which there may be dozens."""
    return name.partition("[")[0]


def load(path: Path | str) -> Scenario:
    """Read a file with one scenario. Raises InputError with file, line and key."""
    first, *more = load_all(path)
    if more:
        raise first.document.error(
            (), f"there are {len(more) + 1} scenarios in this file", "one, without a matrix"
        )
    return first


def load_all(path: Path | str) -> list[Scenario]:
    """Read one scenario file; with a matrix it has many. Raises InputError with file, line and key."""
    expanded = matrix.expand(yamlfile.read(path))
    scenarios = [_make(yamlfile.check(document, "scenario"), ending) for ending, document in expanded]
    _check_rows_are_proved(scenarios)
    return scenarios


def _make(document: yamlfile.Document, ending: str) -> Scenario:
    data = document.data
    generation = data.get(KEY, CURRENT)
    _check_name(document)
    _check_rows(document)
    _check_layouts_exist(document)
    steps = storyline.check(document, [make_step(document, index) for index in range(len(data["steps"]))])
    return Scenario(
        name=data["scenario"] + ending,
        purpose=" ".join(data["purpose"].split()),
        rows=tuple(row for row in data.get("rows", ()) if _may_prove(row, generation)),
        layouts=_layouts(data["layouts"]),
        tags=tuple(data.get("tags", ())),
        timeout_s=float(data.get("timeout", DEFAULT_TIMEOUT_S)),
        generation=generation,
        device_overrides=data.get("devices", {}),
        steps=steps,
        hardware={name: _expectation(wanted) for name, wanted in data.get("hardware", {}).items()},
        iommus={name: _of_iommu(wanted) for name, wanted in data.get("iommus", {}).items()},
        file=document.path,
        document=document,
        report=data.get("report", ""),
        told_apart_by=data.get("told-apart-by", ""),
        cast=data.get("cast", {}),
        not_in={
            each["variant"]: " ".join(each["reason"].split())
            for each in data.get("not-in", ())
            if each.get("combination", "") in ending
        },
    )


def _layouts(listed: Sequence[str]) -> tuple[str, ...]:
    """The names, each once; ``every-soc`` stands for all layouts of real SoCs."""
    every = [name for name in layouts.names() if not name.startswith(NO_SOC)]
    named = [name for entry in listed for name in (every if entry == EVERY_SOC else [entry])]
    return tuple(dict.fromkeys(named))


def for_layout(scenario: Scenario, layout: Layout) -> Scenario:
    """The scenario with devices of the layout in its parts; as it is while a part is open."""
    if not scenario.cast or open_parts(scenario, layout):
        return scenario
    names = casting.players(scenario.cast, layout)
    return _make(casting.played(scenario.document, names), scenario.name.removeprefix(scenario.family))


def open_parts(scenario: Scenario, layout: Layout) -> list[str]:
    """The parts that no block of the layout can play."""
    names = casting.players(scenario.cast, layout)
    return [part for part in scenario.cast if part not in names]


def check_layout(scenario: Scenario, layout: Layout) -> None:
    """Raise InputError when the scenario names a device that the layout lacks."""
    known = [device.name for device in layout.blocks]
    for path, device in _device_mentions(scenario):
        if device not in known:
            what = f"layout {layout.name} has no device '{device}'"
            raise scenario.document.error(path, what, ", ".join(known))
    _check_iommus(scenario, layout)
    _check_slots(scenario, layout)


def _check_iommus(scenario: Scenario, layout: Layout) -> None:
    known = [iommu.name for iommu in layout.iommus]
    steps = [step for step in scenario.steps if step.verb == "ignore-zap"]
    named: list[tuple[yamlfile.KeyPath, str]] = [(("iommus", name), name) for name in scenario.iommus]
    named += [(("steps", step.index, "ignore-zap", "iommu"), step.args["iommu"]) for step in steps]
    for path, name in named:
        if name not in known:
            what = f"layout {layout.name} has no IOMMU '{name}'"
            raise scenario.document.error(path, what, ", ".join(known) or "none")


def _check_slots(scenario: Scenario, layout: Layout) -> None:
    """Only cards are plugged and unplugged, and only where nothing else is."""
    cards = {device.name: device.port for device in layout.devices if device.port is not None}
    for step in scenario.steps:
        if step.verb not in ("unplug", "plug"):
            continue
        path = ("steps", step.index, step.verb)
        if step.device not in cards:
            what = f"{step.device} of {layout.name} is in no slot"
            raise scenario.document.error((*path, "device"), what, ", ".join(cards) or "devices on pcie")
        others = {port for name, port in cards.items() if name != step.device}
        ports = layout.platform.pcie.ports if layout.platform.pcie else 0
        free = [port for port in range(ports) if port not in others]
        if "port" in step.args and step.args["port"] not in free:
            what = f"slot {step.args['port']} is not free in {layout.name}"
            raise scenario.document.error((*path, "port"), what, ", ".join(map(str, free)))


def find(words: Sequence[str], generations: Sequence[str] = ()) -> list[Scenario]:
    """The scenarios that the words name: file, name or tag; without words, all of configs/scenarios.

    With ``generations`` only those that run in one of them. Raises InputError.
    """
    chosen = _find(words, by_family=bool(generations))
    return in_generations(chosen, generations) if generations else chosen


def _find(words: Sequence[str], by_family: bool) -> list[Scenario]:
    if not words:
        return _shipped()
    shipped: list[Scenario] | None = None
    found: dict[tuple[Path, str], Scenario] = {}
    for word in words:
        if _is_file(word):
            chosen: Iterable[Scenario] = load_all(word)
        else:
            shipped = _shipped() if shipped is None else shipped
            chosen = _by_word(word, shipped, by_family)
        found.update({(scenario.file.resolve(), scenario.name): scenario for scenario in chosen})
    return list(found.values())


def _is_file(word: str) -> bool:
    return "/" in word or word.endswith((".yaml", ".yml"))


def _shipped() -> list[Scenario]:
    files = ((path, path.stat().st_mtime_ns) for path in sorted(SCENARIOS.glob("*.yaml")))
    return list(_loaded(tuple(files)))


@functools.cache
def _loaded(files: tuple[tuple[Path, int], ...]) -> tuple[Scenario, ...]:
    """Hundreds of scenarios take a second to check: once for each state of the files."""
    return tuple(scenario for path, _changed in files for scenario in load_all(path))


def in_generations(chosen: Sequence[Scenario], wanted: Sequence[str]) -> list[Scenario]:
    kept = [each for each in chosen if each.generation in wanted]
    if kept:
        return kept
    there = sorted({each.generation for each in chosen})
    raise InputError(
        f"none of the scenarios runs in the generation {' or '.join(wanted)}",
        hint=f"they run in {', '.join(there)}; a scenario says in which: '{KEY}: [...]'",
    )


def _by_word(word: str, shipped: Sequence[Scenario], by_family: bool) -> list[Scenario]:
    """What the word means: the scenario of just that name, else all of a file, a tag or a row.

    ``by_family``: all of the file in any case, which has one of that name in the current generation.
    """
    exact = [scenario for scenario in shipped if word == scenario.name]
    if exact and not by_family:
        return exact
    chosen = [scenario for scenario in shipped if word in _words_for(scenario)]
    if chosen:
        return chosen
    known = dict.fromkeys(each for scenario in shipped for each in _words_for(scenario))
    raise InputError(
        f"no scenario has the name, tag or row '{word}'",
        hint=f"{meant(word, known)}`./dmabed list scenarios` lists them; a file ends with .yaml",
    )


def _words_for(scenario: Scenario) -> tuple[str, ...]:
    """What selects it, beside its file."""
    return (scenario.name, scenario.family, *scenario.tags, *scenario.rows)


def _check_name(document: yamlfile.Document) -> None:
    """Shipped files are found by their names; a user's own file may be called anything."""
    shipped = document.path.resolve().parent == SCENARIOS.resolve()
    if shipped and document.data["scenario"] != document.path.stem:
        raise document.error(("scenario",), "the name differs from the file's", document.path.stem)


def _check_rows(document: yamlfile.Document) -> None:
    known = [row.id for row in rows.table()]
    for index, row in enumerate(document.data.get("rows", ())):
        if row not in known:
            raise document.error(("rows", index), f"'{row}' is no row of docs/semantics.md", ", ".join(known))


def _may_prove(row: str, generation: str) -> bool:
    """A row of one generation says nothing of another; the hardware's are the same for all."""
    of = next(known.generation for known in rows.table() if known.id == row)
    return of == generation or of not in GENERATIONS


def _check_rows_are_proved(scenarios: Sequence[Scenario]) -> None:
    """A row that no generation of the file may prove stands there by mistake."""
    proved = {row for each in scenarios for row in each.rows}
    run = tuple(dict.fromkeys(each.generation for each in scenarios))
    for document in (each.document for each in scenarios):
        for index, row in enumerate(document.data.get("rows", ())):
            if row not in proved:
                what = f"'{row}' is a row of a generation that the scenario does not run in"
                raise document.error(("rows", index), what, f"rows of {', '.join(run)}, or of the hardware")


def _check_layouts_exist(document: yamlfile.Document) -> None:
    known = [*layouts.names(), EVERY_SOC]
    for index, name in enumerate(document.data["layouts"]):
        if name not in known:
            raise document.error(("layouts", index), f"there is no layout '{name}'", ", ".join(known))


def _of_iommu(wanted: Mapping[str, Any]) -> IommuExpectation:
    return IommuExpectation(
        faults=tuple(wanted.get("faults", ())),
        violations=tuple(wanted.get("violations", ())),
        untranslated=wanted.get("untranslated", False),
    )


def _expectation(wanted: Mapping[str, int]) -> DeviceExpectation:
    return DeviceExpectation(**{key.replace("-", "_"): value for key, value in wanted.items()})


def _device_mentions(scenario: Scenario) -> Iterable[tuple[yamlfile.KeyPath, str]]:
    for name in scenario.device_overrides:
        yield ("devices", name), name
    for step in scenario.steps:
        if step.device:
            yield ("steps", step.index, step.verb, "device"), step.device
    for name in scenario.hardware:
        yield ("hardware", name), name
