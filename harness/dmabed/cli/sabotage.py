# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed sabotage``: does every promise have a check that can fail?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dmabed import sabotage as switches
from dmabed.campaign import Campaign, not_tried, survivors
from dmabed.cli.options import Booting, boot_options, json_option, show, show_table
from dmabed.plan import make_plan
from dmabed.results import make_sabotage_folder
from dmabed.runner import Runner
from dmabed.sabotage import Switch, Trial
from dmabed.scenario import find
from dmabed.testbed import Testbed
from dmabed.trials import Subject, TrialFile

# a switch, and the rows to try it on
Chosen = tuple[Switch, tuple[str, ...]]


@click.command()
@click.argument("words", nargs=-1, metavar="[ROW|SWITCH]...")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Guests at a time.")
@click.option(
    "--results",
    "results_folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="Where sabotage.json goes, and the folder of the runs.",
)
@boot_options
@json_option
def sabotage(words: tuple[str, ...], jobs: int, results_folder: Path, booting: Booting, as_json: bool) -> int:
    """Break the behaviour behind each ROW, and see that its scenarios notice."""
    chosen = switches.choose(switches.load(), words)
    trials: list[Trial] = []
    try:
        foreign = booting.kernel is not None
        try_switches(chosen, booting.testbed(), jobs, results_folder, foreign=foreign, report=trials.append)
    finally:
        if trials:
            _print(trials, as_json)
    return _exit_status(trials)


def try_switches(
    chosen: Sequence[Chosen],
    testbed: Testbed,
    jobs: int,
    folder: Path,
    *,
    foreign: bool = False,
    report: Callable[[Trial], None] = lambda _trial: None,
) -> None:
    """Try switches on the scenarios of their rows, telling of each; the trials are kept in the folder."""
    runner = Runner(testbed, make_sabotage_folder(folder))
    kept = TrialFile(folder, Subject(testbed.artifacts.versions, foreign))
    plan = make_plan(find([]), [])

    def note(trial: Trial) -> None:
        kept.add(trial)
        report(trial)
        _tell(trial)

    Campaign(plan, runner.one, runner.stop).run(chosen, jobs, note)


def _exit_status(trials: Sequence[Trial]) -> int:
    """A survivor that was seen stays one; what could not be tried is no success."""
    if survivors(trials):
        return 1
    return 2 if not_tried(trials) else 0


def _as_json(trials: Sequence[Trial]) -> dict[str, object]:
    return {
        "switches": [trial.as_json() for trial in trials],
        "survivors": {name: list(rows) for name, rows in survivors(trials).items()},
        "not-tried": {name: dict(rows) for name, rows in not_tried(trials).items()},
    }


def _tell(trial: Trial) -> None:
    """A line of each outcome for whoever watches."""
    caught = [row for row, attempt in trial.caught.items() if attempt]
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for word, style, rows in (
        ("caught", "green", caught),
        ("survived", "red", trial.survived),
        ("not tried", "yellow", trial.not_tried),
    ):
        if rows:
            console.print(Text.assemble((f"{word:<10}", style), f"{trial.switch.name} on {', '.join(rows)}"))
    for why in dict.fromkeys(trial.not_tried.values()):
        console.print(Text(f"    {why}"))


def _print(trials: Sequence[Trial], as_json: bool) -> None:
    if as_json:
        show(json.dumps(_as_json(trials), indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("switch", "row", "caught by", "why"):
        table.add_column(heading, overflow="fold")
    for trial in trials:
        for row in trial.caught:
            table.add_row(*map(Text, (trial.switch.name, row, *_words(trial, row))))
    show_table(table)
    left, unknown = survivors(trials), not_tried(trials)
    untried = f", {len(unknown)} not tried" if unknown else ""
    show(f"{len(trials)} switches, {len(left)} survived{untried}" + _listed(left) + _listed(unknown))


def _listed(by_switch: Mapping[str, Iterable[str]]) -> str:
    return "".join(f"\n    {name}: {', '.join(rows)}" for name, rows in by_switch.items())


def _words(trial: Trial, row: str) -> tuple[str, str]:
    """What caught it and why, or what there is instead."""
    if attempt := trial.caught[row]:
        return attempt.scenario, attempt.why
    if why := trial.not_tried.get(row):
        return "not tried", why
    missed = [each for each in trial.missed if row in each.rows]
    others = "; ".join(f"{each.scenario} {each.status}: {each.why}" for each in missed)
    return "nothing", others or "no scenario claims this row"
