# SPDX-License-Identifier: GPL-2.0-or-later
"""``dmabed coverage``: what of drivers/dma-buf the scenarios and guest tests run."""

from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from dmabed import layout as layouts
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
from dmabed.coverage import Coverage, Share, measure, ranges
from dmabed.errors import InputError, SetupError
from dmabed.plan import make_plan
from dmabed.results import Results, make_run_folder
from dmabed.runner import Runner
from dmabed.scenario import find
from dmabed.testbed import Testbed

VARIANT = "coverage"
GUEST_TESTS = "dmabed-tests"
GUEST_TESTS_SECONDS = 1200.0


@click.command()
@what_argument
@layouts_option
@jobs_option
@results_option
@click.option("--guest-tests", is_flag=True, help=f"Run all of {GUEST_TESTS} in a guest, too.")
@click.option("--guest-tests-only", is_flag=True, help=f"Run {GUEST_TESTS} and no scenario.")
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
    html: Path | None,
    booting: Booting,
    as_json: bool,
) -> int:
    """Run scenarios in a kernel that counts, and say which lines of drivers/dma-buf ran."""
    plan = [] if guest_tests_only else make_plan(find(what), wanted)
    testbed = _counting(booting)
    counted = testbed.artifacts.counted
    if counted is None:
        raise SetupError("this kernel was built without counters", hint="--variant coverage has them")
    folder = make_run_folder(results_folder)
    counters = Counters(folder / "counters")
    results = Results(folder, len(plan), testbed.artifacts.versions)
    run_all(Runner(testbed, folder, at_end=counters.add), plan, jobs, results)
    passed = _guest_tests(testbed, folder, counters) if guest_tests or guest_tests_only else True
    if not counters.guests:
        raise InputError("nothing was counted: no scenario came to its end")
    found = measure(counted, counters.folder, folder, html)
    _print(found, counters.guests, as_json)
    scenarios = results.verdict.exit_status if plan else 0
    return scenarios or (0 if passed else 1)


def _counting(booting: Booting) -> Testbed:
    if booting.kernel or booting.variant not in (DEFAULT_VARIANT, VARIANT):
        raise click.UsageError("coverage is counted in the coverage variant of our kernel, in no other")
    return replace(booting, variant=VARIANT).testbed()


def _guest_tests(testbed: Testbed, folder: Path, counters: Counters) -> bool:
    """All guest tests in one guest; their KTAP stays in the folder."""
    place = folder / GUEST_TESTS
    with testbed.start(layouts.find(DEFAULT_LAYOUT), place) as machine:
        limit = int(GUEST_TESTS_SECONDS * 1000)
        script = f"{GUEST_TESTS} > /tmp/ktap 2>&1"
        done = machine.call("run", GUEST_TESTS_SECONDS + 10, argv=["sh", "-c", script], timeout_ms=limit)
        ktap = machine.call("read", path="/tmp/ktap", limit=512 << 10)
        with contextlib.suppress(KeyError):
            (place / "ktap.txt").write_bytes(base64.b64decode(ktap.result["data"]))
        counters.add(machine.agent)
    status = done.result.get("status")
    if status != 0:
        Console(stderr=True).print(f"{GUEST_TESTS} ended with {status}; see {place / 'ktap.txt'}")
    return status == 0


def _print(found: Coverage, guests: int, as_json: bool) -> None:
    if as_json:
        show(json.dumps(found.as_json(), indent=2))
        return
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
    for each in found.unreachable:
        show(f"unreachable: {each.file}:{ranges(each.lines)}: {each.reason}")
    for each in found.reached_after_all():
        show(f"it ran, though given as unreachable: {each.file}:{ranges(each.lines)}")
    show(f"counted in {guests} guests")


def _share(share: Share) -> tuple[str, str]:
    return f"{100 * share.ratio:.1f} %", f"{share.covered}/{share.total}"
