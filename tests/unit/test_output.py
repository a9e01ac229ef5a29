# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader that goes away changes no exit status, however little was written."""

from __future__ import annotations

import os
import subprocess
import sys

from dmabed.paths import ROOT

# few bytes stay in the buffer when a flush has failed, and the interpreter tries them again at its end
WRITES_LITTLE = """
import contextlib, sys
from dmabed.cli.options import end_output
sys.stdout.buffer.write(b"x")
with contextlib.suppress(BrokenPipeError):
    sys.stdout.buffer.flush()
if sys.argv[1] == "ends":
    end_output()
sys.exit(141)
"""


def status_without_reader(how: str) -> int:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        words = [sys.executable, "-c", WRITES_LITTLE, how]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "harness"), "PYTHONUNBUFFERED": ""}
        return subprocess.run(words, stdout=writer, env=environment, stderr=subprocess.DEVNULL).returncode
    finally:
        os.close(writer)


def test_what_nobody_took_is_not_tried_again() -> None:
    assert status_without_reader("ends") == 141


def test_the_interpreter_would_try_it_again() -> None:
    assert status_without_reader("is left alone") == 120
