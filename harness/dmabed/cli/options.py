# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that several commands share, and what becomes of them."""

from __future__ import annotations

import functools
import io
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from dmabed import build, deadline
from dmabed.build import Artifacts
from dmabed.build.kernel import DEFAULT_VARIANT, combined, variants
from dmabed.errors import FileError
from dmabed.files import named
from dmabed.testbed import BootOptions, Testbed

DEFAULT_LAYOUT = "imx8mp-6g"

# by variant: all its checks make the debug kernel's boot several times longer (docs/coverage.md has figures)
SLOWER = {"debug": 4.0}

layout_option = click.option(
    "--layout",
    "layout_name",
    metavar="L",
    default=DEFAULT_LAYOUT,
    show_default=True,
    help="Name or file of a layout.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


PIPE_WIDTH = 120
# ten hours for a boot: more than any host needs, and far from what a clock can't count
MAX_MULTIPLIER = 600.0


def show(text: str) -> None:
    """Print to standard output. A reader that went away (``| head``) changes no exit status.

    Raises FileError when the output is a file on a full disk.
    """
    try:
        with named("standard output"):
            _print_now(text)
    except FileError as error:
        _drop_output()
        if not isinstance(error.__cause__, BrokenPipeError):
            raise


def end_output() -> None:
    """Standard output is done with, whether its reader took all of it or went away."""
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()


def _drop_output() -> None:
    """The interpreter would flush into it again when it ends, and make the exit status 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_now(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


def show_table(table: Table) -> None:
    """Print a table, in colour on a terminal."""
    on_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if on_terminal else PIPE_WIDTH
    console = Console(file=io.StringIO(), width=width, force_terminal=on_terminal)
    console.print(table)
    assert isinstance(console.file, io.StringIO), "as given above"
    show(console.file.getvalue())


@dataclass(frozen=True)
class Booting:
    """The options of every command that boots."""

    kernel: Path | None
    boot: BootOptions
    variant: str = DEFAULT_VARIANT

    def artifacts(self) -> Artifacts:
        """What boots; missing or changed parts are built first, with progress on stderr."""
        return self._of_variant(self.variant)

    def testbed(self) -> Testbed:
        """A user's kernel boots on every layout, whatever that needs."""
        return Testbed(self.artifacts(), self.boot, None if self.kernel else self._with_variant)

    def _with_variant(self, needed: str) -> Artifacts:
        """For layouts that need a kernel: one that is also what was asked for."""
        return self._of_variant(combined(self.variant, needed))

    def _of_variant(self, variant: str) -> Artifacts:
        progress = build.reporter(sys.stderr)
        return build.build(kernel=self.kernel, variant=variant, progress=progress)


def _multiplier(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    if not 0 < value <= MAX_MULTIPLIER:
        what = f"{value:g}; allowed: a number greater than 0, at most {MAX_MULTIPLIER:g}"
        raise click.BadParameter(what)
    return value


def _stretch(variant: str, kernel: Path | None) -> float:
    """How much longer everything may take in this kernel."""
    if kernel and variant != DEFAULT_VARIANT:
        raise click.UsageError("--variant chooses among our kernels, and --kernel gives another")
    return SLOWER.get(variant, 1.0)


_BOOT_OPTIONS = (
    click.option("--kernel", type=click.Path(path_type=Path), help="arm64 Image, or a built kernel tree."),
    click.option(
        "--variant",
        type=click.Choice(variants()),
        default=DEFAULT_VARIANT,
        show_default=True,
        help="Of our kernel: debug watches itself, coverage counts its lines. Built at first use.",
    ),
    click.option("--initrd", type=click.Path(path_type=Path), help="Root file system instead of ours."),
    click.option("--overlay", type=click.Path(path_type=Path), help="Folder that is laid over the root."),
    click.option("--append", default="", metavar="ARGS", help="More kernel arguments."),
    click.option("--no-snapshot", is_flag=True, help="Boot each guest instead of restoring a snapshot."),
    click.option(
        "--timeout-multiplier", type=float, default=1.0, callback=_multiplier, help="Stretch all deadlines."
    ),
)


def boot_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the boot options; the command gets them as ``booting``."""

    @functools.wraps(command)
    def wrapped(
        *args: Any,
        kernel: Path | None,
        variant: str,
        initrd: Path | None,
        overlay: Path | None,
        append: str,
        no_snapshot: bool,
        timeout_multiplier: float,
        **rest: Any,
    ) -> Any:
        deadline.set_multiplier(timeout_multiplier * _stretch(variant, kernel))
        options = BootOptions(initrd, overlay, append, snapshot=not no_snapshot)
        return command(*args, booting=Booting(kernel, options, variant), **rest)

    result: Callable[..., Any] = wrapped
    for option in reversed(_BOOT_OPTIONS):
        result = option(result)
    return result
