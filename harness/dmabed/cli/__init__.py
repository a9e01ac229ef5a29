# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: ``dmabed COMMAND``. Each command is in a file of its group.

Exit status: 0 all passed, 1 the subject failed, 2 the testbed broke or the
command was wrong.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from types import FrameType

import click

from dmabed import __version__
from dmabed.cli.coverage import coverage
from dmabed.cli.guest import boot, exec_, shell
from dmabed.cli.inform import doctor, list_
from dmabed.cli.matrix import matrix
from dmabed.cli.promises import rows
from dmabed.cli.run import run
from dmabed.cli.sabotage import sabotage
from dmabed.errors import GuestPanicked, NotProbed, TestbedError

EXIT_SUBJECT = 1
EXIT_TESTBED = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dmabed")
def cli() -> None:
    """A virtual hardware testbed for Linux dma-buf."""


for _command in (run, boot, exec_, shell, coverage, matrix, sabotage, list_, rows, doctor):
    cli.add_command(_command)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM and SIGHUP end a run as Ctrl-C does: guests down, results kept."""
    raise KeyboardInterrupt


def main() -> None:
    """The entry point: errors become one message and exit status 2, never a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGHUP, _terminate)
    try:
        status = cli(prog_name="dmabed", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = EXIT_TESTBED
    except (GuestPanicked, NotProbed) as error:
        click.echo(f"dmabed: {error}", err=True)
        status = EXIT_SUBJECT
    except TestbedError as error:
        click.echo(f"dmabed: {error}", err=True)
        status = EXIT_TESTBED
    except (click.Abort, KeyboardInterrupt):
        click.echo("dmabed: interrupted", err=True)
        status = EXIT_TESTBED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"dmabed: {where}{error.strerror or error}", err=True)
        status = EXIT_TESTBED
    except Exception as error:  # a bug of ours: still no traceback in the user's face, and never status 1
        click.echo(f"dmabed: a bug of dmabed: {error!r}\nhint: {_keep_traceback()}", err=True)
        status = EXIT_TESTBED
    sys.exit(status if isinstance(status, int) else 0)


def _keep_traceback() -> str:
    handle, name = tempfile.mkstemp(prefix="dmabed-traceback-", suffix=".txt")
    with os.fdopen(handle, "w") as file:
        traceback.print_exc(file=file)
    return f"the traceback is in {name}"
