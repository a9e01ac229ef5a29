# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed coverage``: what of drivers/dma-buf the scenarios and guest tests run."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from dmabed import goals, selfcheck
from dmabed import layout as layouts
from dmabed.build import Counted
from dmabed.build.kernel import DEFAULT_VARIANT
from dmabed.cli.options import (
    DEFAULT_LAYOUT,
    Booting,
    boot_options,
    json_option,
    show,
    show_table,
)
from dmabed.cli.run import jobs_option, layouts_option, results_option, run_all, what_argument
from dmabed.counters import Counters
from dmabed.coverage import Coverage, Share, counts, measure, ranges
from dmabed.errors import InputError, SetupError
from dmabed.files import named
from dmabed.generation import CURRENT
from dmabed.goals import Goal
from dmabed.machine import Machine
from dmabed.plan import Planned, in_variant, make_plan
from dmabed.results import Results, make_run_folder
from dmabed.runner import Runner
from dmabed.scenario import find, in_generations
from dmabed.testbed import Testbed

VARIANT = "coverage"
GUEST_TESTS = "dmabed-tests"
TESTS_SECONDS = 1200.0


@click.command()
@what_argument
@layouts_option
@jobs_option
@results_option
@click.option("--guest-tests", is_flag=True, help=f"Run all of {GUEST_TESTS}, too; without a NAME they do.")
@click.option("--guest-tests-only", is_flag=True, help=f"Run {GUEST_TESTS} and no scenario.")
@click.option("--kernel-tests", is_flag=True, help="Run the kernel's own tests in a guest, too.")
@click.option("--html", type=click.Path(path_type=Path, file_okay=False), help="Folder for gcovr's pages.")
@boot_options
@json_option
def coverage(
    what: tuple[str, ...],
    wanted: tuple[str, ...],
    jobs: int,
    results_folder: Path,
    guest_tests: bool,
    guest_tests_only: bool,
    kernel_tests: bool,
    html: Path | None,
    booting: Booting,
    as_json: bool,
) -> int:
    """Run scenarios in a kernel that counts, and say which lines of drivers/dma-buf ran.

    Without a NAME: all of dma-buf's current generation, and all guest tests. The goals are judged then.
    """
    if guest_tests_only and (what or wanted):
        raise click.UsageError("--guest-tests-only runs no scenario: it goes with no NAME and no --layout")
    booting = _counting(booting)
    plan = [] if guest_tests_only else _plan(what, wanted)
    testbed = booting.testbed()
    counted = testbed.artifacts.counted
    if counted is None:
        raise SetupError("this kernel was built without counters", hint="--variant coverage has them")
    folder = make_run_folder(results_folder)
    counters = Counters(folder / "counters")
    results = Results(folder, len(plan), testbed.artifacts.versions)
    run_all(Runner(testbed, folder, at_end=counters.add), plan, jobs, results)
    passed = True
    if guest_tests or guest_tests_only or not what:
        passed = _guest_tests(testbed, folder / GUEST_TESTS, counters)
    if kernel_tests:
        passed = _kernel_tests(testbed, counted, folder / "kernel-tests", counters) and passed
    if not counters.guests:
        raise InputError("nothing was counted: no scenario came to its end")
    found = measure(counted, counters.folder, folder, html)
    wanted_shares = () if what else goals.load()
    _print(found, wanted_shares, counters.guests, as_json)
    problems = goals.problems(found, wanted_shares)
    for problem in problems:
        Console(stderr=True, soft_wrap=True).print(problem, markup=False, highlight=False)
    passed = passed and not problems
    scenarios = results.verdict.exit_status if plan else 0
    return scenarios or (0 if passed else 1)


def _plan(what: tuple[str, ...], wanted: tuple[str, ...]) -> list[Planned]:
    """The other generations have a framework of their own, in no line of drivers/dma-buf."""
    chosen = in_generations(find(what), (CURRENT,))
    return [_skipped_if_apart(entry) for entry in in_variant(make_plan(chosen, wanted), VARIANT)]


def _skipped_if_apart(entry: Planned) -> Planned:
    """One kernel's counts say nothing about the lines of another's."""
    needed = entry.layout.kernel_variant
    if entry.skip or needed is None:
        return entry
    return replace(
        entry, skip=f"{entry.layout.name} needs the kernel variant {needed}, which is counted apart"
    )


def _counting(booting: Booting) -> Booting:
    if booting.kernel or booting.variant not in (DEFAULT_VARIANT, VARIANT):
        raise click.UsageError("coverage is counted in the coverage variant of our kernel, in no other")
    return replace(booting, variant=VARIANT)


def _guest_tests(testbed: Testbed, place: Path, counters: Counters) -> bool:
    """All guest tests in one guest; their KTAP stays in the folder."""
    with testbed.start(layouts.find(DEFAULT_LAYOUT), place) as machine:
        status = _shell(machine, f"{GUEST_TESTS} > /tmp/ktap 2>&1", TESTS_SECONDS)
        ktap = machine.call("read", path="/tmp/ktap", limit=512 << 10)
        with named(place / "ktap.txt"):
            (place / "ktap.txt").write_bytes(base64.b64decode(ktap.result.get("data", "")))
        counters.add(machine.agent)
    return _told(GUEST_TESTS, status, place / "ktap.txt") and _quiet(place)


def _quiet(place: Path) -> bool:
    """The kernel said nothing against itself that no test had announced."""
    events, _ = selfcheck.of_console(selfcheck.console_of(place))
    for event in events:
        Console(stderr=True, soft_wrap=True).print(event.text, markup=False, highlight=False)
    return not events


def _kernel_tests(testbed: Testbed, counted: Counted, place: Path, counters: Counters) -> bool:
    """drivers/dma-buf/selftest.c: a module that fails to load when a test fails."""
    with testbed.start(layouts.find(DEFAULT_LAYOUT), place) as machine:
        module = base64.b64encode(counted.selftests.read_bytes()).decode()
        script = "cat > /tmp/tests.ko && busybox insmod /tmp/tests.ko"
        status = _shell(machine, script, TESTS_SECONDS, module)
        counters.add(machine.agent)
    return _told("the kernel's own tests", status, place / "console.log")


def _shell(machine: Machine, script: str, seconds: float, stdin: str | None = None) -> int | None:
    """The exit status of a script in the guest; None when it was killed."""
    answer = machine.call("run", seconds, argv=["sh", "-c", script], stdin=stdin, timeout_ms=-1)
    status = answer.result.get("status")
    return None if status is None else int(status)


def _told(what: str, status: int | None, log: Path) -> bool:
    if status != 0:
        Console(stderr=True, soft_wrap=True).print(f"{what} ended with {status}; see {log}")
    return status == 0


def _print(found: Coverage, wanted: tuple[Goal, ...], guests: int, as_json: bool) -> None:
    if as_json:
        judged = {"goals": [goal.as_json(found) for goal in wanted]} if wanted else {}
        show(json.dumps({**found.as_json(), **judged}, indent=2))
        return
    _print_table(found)
    for file in found.files:
        if left := found.unexplained_branches(file):
            show(f"branches not taken, without a reason: {file.name}: {counts(left)}")
    for each in found.unreachable:
        what = f"{each.branches} of the branches of each of {each.file}" if each.branches else each.file
        show(f"unreachable: {what}:{ranges(each.lines)}: {each.reason}")
    show(f"counted in {guests} guests")


def _print_table(found: Coverage) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("file", "lines", "", "branches", ""):
        table.add_column(heading, justify="left" if heading == "file" else "right", no_wrap=True)
    table.add_column("lines that did not run, without a reason", overflow="fold")
    for file in found.files:
        table.add_row(
            file.name, *_share(file.lines), *_share(file.branches), file.ranges(found.unexplained(file))
        )
    table.add_row("total", *_share(found.lines), *_share(found.branches), style="bold")
    show_table(table)


def _share(share: Share) -> tuple[str, str]:
    return f"{100 * share.ratio:.1f} %", f"{share.covered}/{share.total}"
