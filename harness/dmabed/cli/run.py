# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed run``: the main job."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dmabed import report
from dmabed.cli.options import Booting, boot_options, json_option, show, show_table
from dmabed.errors import FileError
from dmabed.files import named
from dmabed.findings import Status
from dmabed.generation import GENERATIONS
from dmabed.outcome import Entry, ScenarioResult
from dmabed.plan import Planned, in_variant, make_plan
from dmabed.results import Results, make_run_folder
from dmabed.runner import Done, Runner, Transport
from dmabed.scenario import find

_COLOURS = {
    Status.PASSED: "green",
    Status.FAILED: "red",
    Status.ERROR: "magenta",
    Status.SKIPPED: "yellow",
}


what_argument = click.argument("what", nargs=-1, metavar="[NAME|FILE|TAG|ROW]...")
layouts_option = click.option(
    "--layout",
    "wanted",
    multiple=True,
    metavar="L",
    help="Layout to run on, again for more; 'all': each scenario on all of its layouts. "
    "Default: each scenario on its first.",
)
generation_option = click.option(
    "--generation",
    "generations",
    multiple=True,
    type=click.Choice(GENERATIONS),
    help="Of dma-buf: only scenarios that run in it, and only in it; again for more. Default: all.",
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Guests at a time."
)
results_option = click.option(
    "--results",
    "results_folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="Where the run's folder goes.",
)


@click.command()
@what_argument
@layouts_option
@generation_option
@jobs_option
@results_option
@click.option(
    "--transport",
    type=click.Choice([t.value for t in Transport]),
    default=Transport.SERIAL.value,
    show_default=True,
    help="How the agent is reached.",
)
@boot_options
@json_option
def run(
    what: tuple[str, ...],
    wanted: tuple[str, ...],
    generations: tuple[str, ...],
    jobs: int,
    results_folder: Path,
    transport: str,
    booting: Booting,
    as_json: bool,
) -> int:
    """Run scenarios: all of them, or those with a NAME or TAG, of a ROW, or from a FILE."""
    plan = in_variant(make_plan(find(what, generations), wanted), booting.variant)
    testbed = booting.testbed()
    folder = make_run_folder(results_folder)
    results = Results(folder, len(plan), testbed.artifacts.versions, foreign=booting.kernel is not None)
    try:
        run_all(Runner(testbed, folder, Transport(transport)), plan, jobs, results)
    finally:
        _print(results, as_json)
    return results.verdict.exit_status


def run_all(runner: Runner, plan: Sequence[Planned], jobs: int, results: Results) -> None:
    """Run the plan, telling of each scenario as it ends; the run's files are whole whatever happens."""
    try:
        runner.run(plan, jobs, lambda done: _note(done, results))
    except BaseException:
        with contextlib.suppress(FileError):  # a disk that is full is told by the first error
            _finish(results, interrupted=True)
        raise
    _finish(results, interrupted=False)


def _finish(results: Results, *, interrupted: bool) -> None:
    results.finish(interrupted=interrupted)
    report.write(results)


def _note(done: Done, results: Results) -> None:
    """A result: to disk, with the command that repeats it, and a line for whoever watches."""
    result = _result(done)
    planned = done.planned
    results.add(result, Entry(planned.scenario, planned.layout, done.verdict, done.transcript))
    directory = results.folder / result.directory
    if directory.is_dir():
        with named(directory / "command.txt"):
            (directory / "command.txt").write_text(_repeat(done.planned) + "\n")
    line = Text.assemble(
        (f"{result.status.value:<8}", _COLOURS[result.status]),
        f"{result.name} on {result.layout}, {result.seconds:.1f} s",
    )
    if result.status is not Status.PASSED:
        line.append(f"\n    {result.why}")
    Console(stderr=True, soft_wrap=True).print(line)


def _result(done: Done) -> ScenarioResult:
    scenario = done.planned.scenario
    return ScenarioResult(
        name=scenario.name,
        layout=done.planned.layout.name,
        status=done.verdict.status,
        seconds=done.seconds,
        rows=scenario.rows,
        why=done.verdict.why,
        devices=scenario.devices,
        directory=done.planned.folder,
        generation=scenario.generation,
    )


def _repeat(planned: Planned) -> str:
    """The command that runs this scenario again, with this run's boot options."""
    boot = _without_selection(sys.argv[1:])
    where = ["--layout", str(planned.layout.file), "--generation", planned.scenario.generation]
    return shlex.join(["dmabed", "run", str(planned.scenario.file), *where, *boot])


_BOOT_WORDS = (
    "--kernel", "--variant", "--initrd", "--overlay", "--append", "--timeout-multiplier", "--transport",
)  # fmt: skip


def _without_selection(words: Sequence[str]) -> list[str]:
    """The words of a command line that choose what boots, not what runs."""
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--no-snapshot" or word.startswith(tuple(f"{name}=" for name in _BOOT_WORDS)):
            kept.append(word)
        elif word in _BOOT_WORDS:
            kept += [word, next(rest, "")]
    return kept


def _print(results: Results, as_json: bool) -> None:
    if as_json:
        show(json.dumps(results.as_json(), indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("scenario", "layout", "verdict"):
        table.add_column(heading, no_wrap=True)
    table.add_column("devices", overflow="fold")
    table.add_column("seconds", justify="right")
    for result in sorted(results.scenarios, key=lambda r: (r.name, r.layout)):
        verdict = Text(result.status.value, style=_COLOURS[result.status])
        devices = ", ".join(result.devices)
        table.add_row(Text(result.name), result.layout, verdict, devices, f"{result.seconds:.2f}")
    show_table(table)
    show(f"{results.verdict.value}: {_counts(results)}; results in {results.folder}")


def _counts(results: Results) -> str:
    numbers = [(s, sum(r.status is s for r in results.scenarios)) for s in Status]
    missing = results.planned - len(results.scenarios)
    words = [f"{number} {status.value}" for status, number in numbers if number]
    return ", ".join(words + ([f"{missing} did not run"] if missing else []))
