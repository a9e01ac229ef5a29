"""The errors of the testbed itself, one tree.

A failed check is *not* one of these: checks end in a verdict. A
``TestbedError`` means that the testbed broke or that a command was wrong, so
nothing was learned about the subject (exit status 2).
"""

from __future__ import annotations


class TestbedError(Exception):
    """The testbed broke, or was asked for something it can't do.

    ``what`` is one sentence a user can act on; ``why`` holds the detail
    (command output, the console's tail); ``hint`` says what to try.
    """

    __test__ = False  # not a pytest class, whatever its name

    def __init__(self, what: str, *, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.what]
        if self.why:
            lines.append(self.why.rstrip())
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class InputError(TestbedError):
    """A file or option of the user's is wrong: ``file:line: key: problem; allowed``."""


class FileError(TestbedError):
    """A file of the run cannot be written: ``file: reason``."""


class SetupError(TestbedError):
    """Something that is needed is missing: a package, a source, disk space."""


class BuildError(TestbedError):
    """An artifact could not be built."""


class LaunchError(TestbedError):
    """QEMU did not start, or the guest did not become ready."""


class NotProbed(LaunchError):
    """The guest came up, but its driver did not take an engine of the layout."""


class GuestPanicked(LaunchError):
    """The guest's kernel panicked while it booted: the subject's fault, not the testbed's."""


class MachineDied(TestbedError):
    """QEMU ended, or the guest panicked or hung, while it was in use."""


class QmpError(TestbedError):
    """QMP refused a command, or did not answer in time."""


class AgentError(TestbedError):
    """The agent did not answer, or answered nonsense."""


class AgentRefused(AgentError):
    """The agent answered that it can't take the request: harness and agent disagree."""
