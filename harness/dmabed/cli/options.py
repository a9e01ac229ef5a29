# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that several commands share, and what becomes of them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from dmabed import build, deadline
from dmabed.build import Artifacts
from dmabed.build.kernel import DEFAULT_VARIANT, variants
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


def wide_console() -> Console:
    """Standard output for tables: as wide as the terminal, or wide enough for a log."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)


@dataclass(frozen=True)
class Booting:
    """The options of every command that boots."""

    kernel: Path | None
    boot: BootOptions
    variant: str = DEFAULT_VARIANT

    def artifacts(self) -> Artifacts:
        """What boots; missing or changed parts are built first, with progress on stderr."""
        progress = build.reporter(sys.stderr)
        return build.build(kernel=self.kernel, variant=self.variant, progress=progress)

    def testbed(self) -> Testbed:
        return Testbed(self.artifacts(), self.boot)


def _positive(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    if not value > 0:
        raise click.BadParameter(f"{value:g}; allowed: a number greater than 0")
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
        "--timeout-multiplier", type=float, default=1.0, callback=_positive, help="Stretch all deadlines."
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
