# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed sabotage``: does every promise have a check that can fail?"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from dmabed import sabotage as switches
from dmabed.campaign import Campaign, survivors
from dmabed.cli.options import Booting, boot_options, json_option, show, show_table
from dmabed.plan import make_plan
from dmabed.runner import Runner
from dmabed.sabotage import Attempt, Switch, Trial
from dmabed.scenario import find


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
    testbed = booting.testbed()
    runner = Runner(testbed, results_folder / time.strftime("sabotage-%Y%m%dT%H%M%SZ", time.gmtime()))
    trials = try_switches(chosen, runner, jobs, results_folder)
    if as_json:
        show(json.dumps(_as_json(trials), indent=2))
    else:
        _print(trials)
    return 1 if survivors(trials) else 0


def try_switches(
    chosen: Sequence[tuple[Switch, tuple[str, ...]]], runner: Runner, jobs: int, folder: Path
) -> list[Trial]:
    """Try switches on the scenarios of their rows, telling of each; the trials are kept in the folder."""
    plan = make_plan(find([]), [])
    trials = Campaign(plan, runner.one, runner.stop).run(chosen, jobs, _tell)
    switches.store(folder, trials)
    return trials


def _as_json(trials: Sequence[Trial]) -> dict[str, object]:
    return {
        "switches": [trial.as_json() for trial in trials],
        "survivors": {name: list(rows) for name, rows in survivors(trials).items()},
    }


def _tell(trial: Trial) -> None:
    """A line for whoever watches."""
    rows = ", ".join(trial.survived)
    line = (
        f"[red]survived[/] {trial.switch.name} on {rows}"
        if rows
        else f"[green]caught[/]   {trial.switch.name}"
    )
    Console(stderr=True, soft_wrap=True).print(line)


def _print(trials: Sequence[Trial]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("switch", "row", "caught by", "why"):
        table.add_column(heading, overflow="fold")
    for trial in trials:
        for row, attempt in trial.caught.items():
            table.add_row(trial.switch.name, row, *_words(trial, attempt))
    show_table(table)
    left = survivors(trials)
    show(
        f"{len(trials)} switches, {len(left)} survived"
        + "".join(f"\n    {name}: {', '.join(r)}" for name, r in left.items())
    )


def _words(trial: Trial, attempt: Attempt | None) -> tuple[str, str]:
    if attempt is not None:
        return attempt.scenario, attempt.why
    others = "; ".join(f"{missed.scenario} {missed.status}: {missed.why}" for missed in trial.missed)
    return "nothing", others or "no scenario claims this row"
