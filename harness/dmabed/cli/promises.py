# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed rows``: which promises work, from what was run and sabotaged before, or now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from dmabed import results, sabotage, scenario, trials
from dmabed import rows as promises
from dmabed.build import project
from dmabed.cli.inform import print_table
from dmabed.cli.options import Booting, json_option, show
from dmabed.cli.run import run_all
from dmabed.cli.sabotage import try_switches
from dmabed.errors import InputError
from dmabed.plan import make_plan
from dmabed.results import Results
from dmabed.rows import RowReport, RowState
from dmabed.runner import Runner
from dmabed.testbed import BootOptions


@click.command()
@click.argument("words", nargs=-1, metavar="[ROW]...")
@click.option(
    "--run", "fill", is_flag=True, help="First run the scenarios and sabotage that the table lacks."
)
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Guests at a time.")
@click.option(
    "--results", "folder", type=click.Path(path_type=Path), default=Path("results"), show_default=True
)
@json_option
def rows(words: tuple[str, ...], fill: bool, jobs: int, folder: Path, as_json: bool) -> None:
    """The promises of docs/semantics.md, or those of ROW, and which of them work."""
    wanted = promises.choose(words)
    _check_folder(folder, fill)
    claims = {item.name: item.rows for item in scenario.find([])}
    if fill:
        _run_missing({row.id for row in wanted}, claims, folder, jobs)
    reports = _tell(wanted, claims, folder)
    if as_json:
        show(json.dumps([report.as_json() for report in reports], indent=2))
    else:
        _print(reports)


def _check_folder(folder: Path, fill: bool) -> None:
    """A misspelt folder is no table of untested rows; the default one comes with the first run."""
    given = click.get_current_context().get_parameter_source("folder") is ParameterSource.COMMANDLINE
    if given and not fill and not folder.is_dir():
        raise InputError(f"--results {folder}: no such folder", hint="`dmabed run` makes it")


def _tell(
    wanted: Sequence[promises.Row], claims: Mapping[str, Sequence[str]], folder: Path
) -> list[RowReport]:
    """The state of each row; on standard error what is missing, old, or does not count."""
    outcomes, kept = results.latest_outcomes(folder), trials.load(folder)
    reports = promises.report(wanted, claims, outcomes, trials.caught_rows(kept))
    present = project.version()
    old = promises.of_other_revisions(reports, outcomes, trials.catching_revisions(kept), present)
    _tell_what_is_missing(reports)
    if old:
        words = f"{len(old)} rows rest on results of another revision of dmabed than {present}"
        click.echo(f"{words}: {', '.join(old)}", err=True)
    if foreign := results.foreign_runs(folder) + sum(trial.foreign for trial in kept):
        click.echo(f"{foreign} runs of kernels of yours (--kernel) are not counted", err=True)
    return reports


def _run_missing(wanted: set[str], claims: Mapping[str, Sequence[str]], folder: Path, jobs: int) -> None:
    """The scenarios without a result, on their first layouts; then the switches of rows that lack one.

    Always our own kernel: others prove nothing of this testbed.
    """
    ran = {outcome.scenario for outcome in results.latest_outcomes(folder)}
    names = [name for name, rows in claims.items() if wanted & set(rows) and name not in ran]
    testbed = Booting(None, BootOptions()).testbed()
    if names:
        plan = make_plan(scenario.find(names), [])
        run_folder = results.make_run_folder(folder)
        run_all(
            Runner(testbed, run_folder),
            plan,
            jobs,
            Results(run_folder, len(plan), testbed.artifacts.versions),
        )
    caught = trials.caught_rows(trials.load(folder))
    switches = sabotage.load()
    known = {row for switch in switches for row in switch.rows}
    missing = sorted(row for row in wanted & known if not caught.get(row))
    if missing:
        try_switches(sabotage.choose(switches, missing), testbed, jobs, folder)


def _tell_what_is_missing(reports: Sequence[RowReport]) -> None:
    lacking = [report.row.id for report in reports if report.state is RowState.UNTESTED and report.scenarios]
    if lacking:
        words = f"{len(lacking)} rows have scenarios that were not run, or not sabotaged; "
        click.echo(f"{words}`dmabed rows --run` does it: {', '.join(lacking)}", err=True)


def _print(reports: Sequence[RowReport]) -> None:
    print_table(
        [
            {
                "id": report.row.id,
                "state": report.state.value,
                "scenarios": list(dict.fromkeys(map(scenario.family_of, report.scenarios))),
                "promise": report.row.promise,
            }
            for report in reports
        ]
    )
