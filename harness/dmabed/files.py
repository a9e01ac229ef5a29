# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a run, and disks that are full: the error names the file, and comes once."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from dmabed.errors import FileError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def named(path: Path | str) -> Iterator[None]:
    """What goes wrong with this file is told by its name, which a failed write does not know. FileError."""
    try:
        yield
    except OSError as error:
        hint = "make room, or choose another folder" if error.errno in _FULL else ""
        raise FileError(f"{path}: {error.strerror or error}", hint=hint) from error


class Log:
    """Lines that are on disk at once. After the first error it takes no more: the next ones would hide it."""

    def __init__(self, path: Path) -> None:
        """Raises FileError."""
        self._path = path
        with named(path):
            self._file = path.open("a", encoding="utf-8")

    def write(self, line: str) -> None:
        """Add a line; after the end nothing. Raises FileError."""
        if self._file.closed:
            return
        try:
            with named(self._path):
                self._file.write(f"{line}\n")
                self._file.flush()
        except FileError:
            self.close()
            raise

    def close(self) -> None:
        """Never raises: what could not be written was told by ``write``."""
        with contextlib.suppress(OSError):
            self._file.close()
