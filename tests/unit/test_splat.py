# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel says of itself is found, whole and by its kind; what it says at each boot is none of it."""

from __future__ import annotations

import pytest

from dmabed import splat

BOOT = """\
[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]
[    0.120000] ODEBUG: selftest passed
[    0.200000] DMA-API: preallocated 65536 debug entries
[    0.200001] DMA-API: debugging enabled by kernel config
[    0.210000] kasan: KernelAddressSanitizer initialized (generic)
[    0.300000] dmabed-engine 40000000.codec: width 32, 64 segments
[    1.000000] warning: `agent' uses wireless extensions
"""

WARNING = """\
[    5.100000] ------------[ cut here ]------------
[    5.100001] WARNING: CPU: 1 PID: 61 at drivers/dma-buf/dma-buf.c:640 dma_buf_export+0x44/0x2f0
[    5.100002] Modules linked in: dmabed_exporter(O)
[    5.100003] CPU: 1 UID: 0 PID: 61 Comm: dmabed-agent Tainted: G           O
[    5.100004] ---[ end trace 0000000000000000 ]---
"""

UNDERFLOW = """\
[    6.000000] ------------[ cut here ]------------
[    6.000001] refcount_t: underflow; use-after-free.
[    6.000002] WARNING: CPU: 0 PID: 9 at lib/refcount.c:28 refcount_warn_saturate+0xf4/0x148
[    6.000003] ---[ end trace 0000000000000000 ]---
"""

KASAN = """\
[    7.000000] ==================================================================
[    7.000001] BUG: KASAN: slab-use-after-free in dmabed_exporter_unmap+0x30/0x90 [dmabed_exporter]
[    7.000002] Read of size 8 at addr ffff00000a1b2c00 by task dmabed-agent/55
[    7.000003]
[    7.000004] Memory state around the buggy address:
[    7.000005] ==================================================================
[    7.000006] Disabling lock debugging due to kernel taint
"""

LOCKDEP = """\
[    8.000000]
[    8.000001] ======================================================
[    8.000002] WARNING: possible circular locking dependency detected
[    8.000003] 6.12.117-dmabed-debug #1 Tainted: G           O
[    8.000004] ------------------------------------------------------
[    8.000005] dmabed-agent/55 is trying to acquire lock:
"""


def one(line: str) -> str:
    """The kind of the only splat in a console with this line in it."""
    (found,) = splat.find(f"{BOOT}[    9.000000] {line}\n")
    return found.kind


def test_a_boot_says_nothing() -> None:
    assert splat.find(BOOT) == []
    assert splat.complaints("") == splat.Complaints((), ())


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("BUG: KASAN: slab-out-of-bounds in f+0x1/0x2", "KASAN"),
        ("UBSAN: shift-out-of-bounds in lib/x.c:12:3", "UBSAN"),
        ("BUG: sleeping function called from invalid context at kernel/locking/mutex.c:585",
         "sleep in atomic context"),
        ("BUG: scheduling while atomic: agent/55/0x00000002", "sleep in atomic context"),
        ("WARNING: possible recursive locking detected", "locking"),
        ("WARNING: suspicious RCU usage", "locking"),
        ("WARNING: bad unlock balance detected!", "locking"),
        ("[ BUG: Invalid wait context ]", "locking"),
        ("INFO: task dmabed-agent:55 blocked for more than 15 seconds.", "hung task"),
        ("rcu: INFO: rcu_preempt self-detected stall on CPU", "stall"),
        ("DMA-API: dmabed-engine 40000000.codec: device driver tries to free DMA memory", "DMA API"),
        ("ODEBUG: free active (active state 0) object: 00000000 object type: timer_list", "object lifetime"),
        ("refcount_t: addition on 0; use-after-free.", "reference count"),
        ("list_add corruption. prev->next should be next (1), but was 2.", "list"),
        ("BUG: Bad page state in process dmabed-agent  pfn:40000", "BUG"),
        ("kernel BUG at drivers/dma-buf/dma-resv.c:123!", "BUG"),
        ("WARNING: CPU: 0 PID: 1 at kernel/dma/mapping.c:1 f+0x1/0x2", "warning"),
    ],
)  # fmt: skip
def test_each_kind_is_found(line: str, kind: str) -> None:
    assert one(line) == kind


def test_a_report_is_one_splat_however_many_lines_of_it_look_like_one() -> None:
    found = splat.find(BOOT + WARNING + UNDERFLOW + KASAN + LOCKDEP)
    assert [each.kind for each in found] == ["warning", "reference count", "KASAN", "locking"]


def test_a_quote_says_what_happened_without_times_and_frames() -> None:
    (warning,) = splat.find(WARNING)
    assert warning.beginning.splitlines()[0].startswith("WARNING: CPU: 1 PID: 61 at drivers/dma-buf")
    assert "cut here" not in warning.beginning
    (lock,) = splat.find(LOCKDEP)
    assert lock.beginning.splitlines() == [
        "WARNING: possible circular locking dependency detected",
        "6.12.117-dmabed-debug #1 Tainted: G           O",
        "dmabed-agent/55 is trying to acquire lock:",
    ]


def test_a_report_without_end_does_not_swallow_the_rest() -> None:
    chatter = "[    9.000000] more\n" * (2 * splat.LONGEST)
    found = splat.find(LOCKDEP + chatter + WARNING)
    assert [each.kind for each in found] == ["locking", "warning"]


@pytest.mark.parametrize("who", ["", "dmabed_calls: "])
def test_an_announced_splat_is_no_complaint(who: str) -> None:
    announced = f"[    5.000000] {who}dmabed-expect: dma_buf_export\n"
    assert splat.complaints(announced + WARNING) == splat.Complaints((), ())
    assert len(splat.find(announced + WARNING)) == 1


def test_an_announcement_is_good_for_one_splat_with_its_text() -> None:
    announced = "[    5.000000] dmabed-expect: dma_buf_export\n"
    twice = splat.complaints(announced + WARNING + WARNING)
    assert (len(twice.splats), twice.missing) == (1, ())
    other = splat.complaints(announced + UNDERFLOW)
    assert [each.kind for each in other.splats] == ["reference count"]
    assert other.missing == ("dma_buf_export",)


def test_an_announcement_comes_before_its_splat() -> None:
    late = splat.complaints(WARNING + "[    6.000000] dmabed-expect: dma_buf_export\n")
    assert len(late.splats) == 1
    assert late.missing == ("dma_buf_export",)
