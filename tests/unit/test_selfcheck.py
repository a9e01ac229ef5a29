# SPDX-License-Identifier: GPL-2.0-or-later
"""Consoles and leak reports become events, and those fail a scenario whatever its steps said."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from recorded import SHARE, Recording, record_steps

from dmabed import selfcheck
from dmabed.agent import Answer
from dmabed.findings import Status
from dmabed.transcript import Event, EventKind

WARNING = "[    5.1] WARNING: CPU: 1 PID: 61 at drivers/dma-buf/dma-buf.c:640 dma_buf_export+0x44/0x2f0\n"

LEAKS = """\
unreferenced object 0xffff000001234000 (size 128):
  comm "dmabed-agent", pid 55, jiffies 4294892846
  hex dump (first 32 bytes):
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
  backtrace (crc 4c8a):
    [<00000000a5e0e0a5>] __kmalloc_cache_noprof+0x1c4/0x2f0
    [<0000000012345678>] dmabed_export+0x30/0x180 [dmabed_exporter]
unreferenced object 0xffff000001235000 (size 64):
  comm "swapper/0", pid 1, jiffies 4294892300
  hex dump (first 32 bytes):
    64 6d 61 5f 62 75 66 00 00 00 00 00 00 00 00 00  dma_buf.........
  backtrace (crc 0):
    [<00000000a5e0e0a5>] kstrdup+0x48/0x80
    [<0000000012345679>] do_one_initcall+0x74/0x2d8
"""

PAGE_TABLE = """\
unreferenced object 0xffffff8008408800 (size 1024):
  comm "main", pid 61, jiffies 4294895696
  hex dump (first 32 bytes):
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
  backtrace (crc 4c8a):
    kmemleak_alloc+0x30/0x38
    kmem_cache_alloc_noprof+0x208/0x2e4
    sun50i_iommu_map+0x134/0xa38
    __iommu_map+0x1e8/0x554
    dmabed_device_mapping_create+0x7d8/0xb94 [dmabed_core]
"""


def test_only_what_the_subject_allocated_counts_and_its_bytes_are_not_shown() -> None:
    (text,) = selfcheck.lost(LEAKS)
    assert text.startswith("unreferenced object 0xffff000001234000 (size 128):")
    assert "dmabed_export+0x30" in text
    assert "00 00" not in text
    assert selfcheck.lost("") == []


def test_the_console_of_the_boot_counts_too(tmp_path: Path) -> None:
    (tmp_path / "qemu.log").write_text("[    9.5] BUG: in another log\n")
    (tmp_path / "boot-console.log").write_text(WARNING)
    (tmp_path / "console.log").write_text("[    9.0] dmabed-expect: another\n")
    events, remarks = selfcheck.of_console(selfcheck.console_of(tmp_path))
    assert [event.kind for event in events] == [EventKind.SPLAT, EventKind.NO_SPLAT]
    assert remarks == []


def test_a_quiet_console_is_no_event() -> None:
    assert selfcheck.of_console("[    1.0] Run /init as init process\n") == ([], [])


class Guest:
    """An agent with kmemleak, whose scan ends like this."""

    def __init__(self, status: int | None, report: str = "") -> None:
        self.status, self.report = status, report

    def call(self, op: str, _seconds: float = 0, **_words: Any) -> Answer:
        if op == "run":
            return Answer(True, {"status": self.status})
        return Answer(True, {"data": base64.b64encode(self.report.encode()).decode()})


def _of_memory(status: int | None, report: str = "") -> tuple[list[EventKind], list[str]]:
    events, remarks = selfcheck.of_memory(Guest(status, report))  # type: ignore[arg-type]
    return [event.kind for event in events], remarks


def test_lost_memory_is_an_event() -> None:
    assert _of_memory(0, LEAKS) == ([EventKind.LEAK], [])


def test_a_clean_scan_is_none() -> None:
    assert _of_memory(0) == ([], [])


def test_memory_that_is_kept_by_its_physical_address_is_a_remark() -> None:
    assert _of_memory(0, PAGE_TABLE * 2) == ([], ["kmemleak does not see who has 'sun50i-page-tables'"])


@pytest.mark.parametrize("other", ["sun50i_iommu_map_other+0x134/0xa38", "dmabed_export+0x30/0x180"])
def test_what_another_function_allocated_on_the_same_way_is_lost(other: str) -> None:
    report = PAGE_TABLE.replace("    sun50i_iommu_map+", f"    {other}\n    sun50i_iommu_map+")
    assert _of_memory(0, report) == ([EventKind.LEAK], [])


@pytest.mark.parametrize("status", [1, None])
def test_a_scan_that_did_not_end_is_not_a_clean_one(status: int | None) -> None:
    assert _of_memory(status) == ([EventKind.AGENT_SILENT], [])


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return record_steps(tmp_path, SHARE)


def test_a_splat_fails_a_run_that_is_right_otherwise_and_is_quoted(recording: Recording) -> None:
    assert recording.verdict().status is Status.PASSED
    recording.events.append(Event(EventKind.SPLAT, "KASAN: BUG: KASAN: slab-use-after-free in f"))
    verdict = recording.verdict()
    assert verdict.status is Status.FAILED
    assert verdict.why == "the guest kernel complained: KASAN: BUG: KASAN: slab-use-after-free in f"


def test_a_splat_explains_an_agent_that_went_silent(recording: Recording) -> None:
    recording.events += [Event(EventKind.AGENT_SILENT, "no answer", 2), Event(EventKind.LEAK, "128 bytes")]
    verdict = recording.verdict()
    assert verdict.status is Status.FAILED
    assert verdict.why == "the guest kernel leaked memory: 128 bytes"


def test_a_report_that_was_announced_and_never_came_fails(recording: Recording) -> None:
    recording.events.append(Event(EventKind.NO_SPLAT, "none"))
    assert recording.verdict().status is Status.FAILED
