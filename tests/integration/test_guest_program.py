# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests: all pass, what is skipped is shown, and what is broken is seen."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.integration

Dmabed = Callable[..., "subprocess.CompletedProcess[str]"]

PROGRAM = "dmabed-tests"
PLAN = re.compile(r"^1\.\.(\d+)$", re.MULTILINE)
RESULT = re.compile(r"^(not ok|ok) \d+ (\S+)(?: # SKIP (.*))?$", re.MULTILINE)

# one test that sees each of the broken behaviours
CAUGHT_BY = {
    "crash": "C9.sync-flags-valid.static",
    "hang": "C9.sync-flags-valid.static",
    "leak": "C9.sync-flags-valid.static",
    "wrong-errno": "C9.sync-flags-without-access.system",
    "cloexec-lost": "C2.close-on-exec.system",
    "job-does-not-wait": "C7.write-waits-for-write.static",
    "poll-never-waits": "C8.pending-write.static",
    "sync-takes-all": "C9.sync-flags-unknown.system",
    "fence-error-lost": "C10.error-carried.static",
    "name-lost": "C11.name-shown.static",
    "bounds-lost": "C12.mmap-beyond.static",
    "other-buffer-passed": "C14.passed-to-another-process.dynamic",
}


def results(output: str) -> dict[str, tuple[str, str]]:
    """Status and skip reason by test; the plan has to be kept."""
    assert output.startswith("KTAP version 1\n")
    found = {name: (status, reason) for status, name, reason in RESULT.findall(output)}
    plan = PLAN.search(output)
    assert plan
    assert int(plan[1]) == len(found)
    return found


def test_every_guest_test_passes(dmabed: Dmabed) -> None:
    done = dmabed("exec", "--", PROGRAM, seconds=600)
    found = results(done.stdout)
    failed = [name for name, (status, _reason) in found.items() if status != "ok"]
    for name, (_status, reason) in found.items():
        if reason:
            print(f"skipped: {name}: {reason}")
    assert not failed, done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize(("sabotage", "test"), CAUGHT_BY.items())
def test_a_sabotage_is_seen(dmabed: Dmabed, sabotage: str, test: str) -> None:
    done = dmabed("exec", "--", PROGRAM, "--sabotage", sabotage, test)
    assert results(done.stdout)[test] == ("not ok", "")
    assert done.returncode == 1


def test_each_sabotage_is_tried(dmabed: Dmabed) -> None:
    listed = dmabed("exec", "--", PROGRAM, "--sabotages").stdout
    assert {line.split()[0] for line in listed.splitlines()} == set(CAUGHT_BY)


@pytest.mark.parametrize("words", [["C9.no-such-test"], ["--sabotage", "nothing"], ["--no-such-option"]])
def test_a_wrong_word_is_no_pass(dmabed: Dmabed, words: list[str]) -> None:
    assert dmabed("exec", "--", PROGRAM, *words).returncode == 2
