# SPDX-License-Identifier: GPL-2.0-or-later
"""A device that does not do what it says must not pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dmabed.findings import Status
from dmabed.runner import Done

pytestmark = [pytest.mark.integration, pytest.mark.sabotage]

SHARE = """
scenario: sabotaged
purpose: The capture block fills a frame, the codec and the CPU read it.
layouts: [imx8mp-6g]
steps:
  - export: {{buffer: frame, size: 64KiB}}
  - attach: {{device: capture, buffer: frame}}
  - attach: {{device: codec, buffer: frame}}
  {before_fill}
  - fill: {{device: capture, buffer: frame, seed: 7}}
  {before_digest}
  - digest: {{device: codec, buffer: frame}}
    expect: {{pattern: 7}}
  - cpu-digest: {{buffer: frame}}
    expect: {{pattern: 7}}
"""

NOTHING = "# as it should be"


def inject(device: str, fault: str, at: int = 0) -> str:
    return f"- inject: {{device: {device}, fault: {fault}, at: {at}}}"


Run = Callable[[str], Done]


def test_unsabotaged_it_passes(run_text: Run) -> None:
    done = run_text(SHARE.format(before_fill=NOTHING, before_digest=NOTHING))
    assert done.verdict.status is Status.PASSED, done.verdict.why


@pytest.mark.parametrize("byte", [0, 4095, 65535])
def test_one_corrupted_byte_of_a_write(run_text: Run, byte: int) -> None:
    done = run_text(SHARE.format(before_fill=inject("capture", "corrupt", byte), before_digest=NOTHING))
    assert done.verdict.status is Status.FAILED
    assert "digest" in done.verdict.why


def test_one_corrupted_byte_of_a_read(run_text: Run) -> None:
    done = run_text(SHARE.format(before_fill=NOTHING, before_digest=inject("codec", "corrupt", 100)))
    assert done.verdict.status is Status.FAILED
    assert "codec" in done.verdict.why


def test_a_device_that_lies_about_completion(run_text: Run) -> None:
    done = run_text(SHARE.format(before_fill=inject("capture", "lie"), before_digest=NOTHING))
    assert done.verdict.status is Status.FAILED
    assert "capture" in done.verdict.why


def test_a_decode_error_in_the_middle(run_text: Run) -> None:
    done = run_text(SHARE.format(before_fill=inject("capture", "decode", 4096), before_digest=NOTHING))
    assert done.verdict.status is Status.FAILED
    assert "decode" in done.verdict.why


def test_a_job_that_never_completes(run_text: Run) -> None:
    text = SHARE.format(before_fill=inject("capture", "lost"), before_digest=NOTHING)
    done = run_text(text + "timeout: 4\n")
    assert done.verdict.status in (Status.FAILED, Status.ERROR)
    assert "capture" in done.verdict.why


REFUSED = """
scenario: refused
purpose: An attach that fails though it should not.
layouts: [imx8mp-6g]
steps:
  - export: {buffer: frame, size: 64KiB, storage: fixed, address: 0x110000000}
  - attach: {device: codec, buffer: frame}
  - fill: {device: codec, buffer: frame, seed: 7}
"""


def test_a_call_that_fails_unexpectedly_is_a_failure_and_ends_the_scenario(run_text: Run) -> None:
    done = run_text(REFUSED)
    assert done.verdict.status is Status.FAILED
    assert "line 7" in done.verdict.why
    assert "EINVAL" in done.verdict.why
    assert done.transcript is not None
    assert [record.step_index for record in done.transcript.steps] == [0, 1]
