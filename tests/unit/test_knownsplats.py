# SPDX-License-Identifier: GPL-2.0-or-later
"""A listed report of the kernel is a remark; the same with anything of the subject in it is not."""

from __future__ import annotations

import json

import pytest

from dmabed import knownsplats, paths, selfcheck, yamlfile
from dmabed.transcript import EventKind

# as 6.12.117 wrote it, without what is in between
INVERSION = """\
[   17.246938] WARNING: possible circular locking dependency detected
[   17.247469] 6.12.117-dmabed-debug #1 Tainted: G           O
[   17.260287] irq/21-pciehp/42 is trying to acquire lock:
[   17.260981] ffffffc0816bd648 (pci_rescan_remove_lock){+.+.}-{3:3}, at: pci_lock_rescan_remove+0x1c/0x24
[   17.268742] ffffff80c1977300 (&ctrl->reset_lock){.+.+}-{3:3}, at: pciehp_ist+0x1ac/0x338
[   17.270540]        pciehp_probe+0x3e8/0x8c0
[   17.283281]        pci_host_probe+0x100/0x1a0
"""

# likewise
LONG_SEGMENT = """\
[   20.8] DMA-API: platform vkms: mapping sg segment longer than device claims to support [max=65536]
[   20.8] WARNING: CPU: 0 PID: 53 at kernel/dma/debug.c:1181 debug_dma_map_sg+0x5c4/0x918
[   20.8]  drm_gem_map_dma_buf+0xd0/0x164 [drm]
[   20.8]  dma_buf_map_attachment+0x154/0x34c
[   20.8]  dma_buf_map_attachment_unlocked+0x7c/0x118
[   20.8]  drm_gem_prime_import_dev+0xf4/0x38c [drm]
[   20.8] ---[ end trace 0000000000000000 ]---
"""

# likewise
OTHER_DIRECTION = """\
[   12.3] DMA-API: sun8i-rotate 32e10000.rotate: device driver syncs DMA memory with different direction \
[device address=0xffe00000] [size=65536 bytes] [mapped with DMA_TO_DEVICE] [synced with DMA_FROM_DEVICE]
[   12.3] WARNING: CPU: 0 PID: 52 at kernel/dma/debug.c:1129 check_sync+0xc54/0x15bc
[   12.3]  system_heap_dma_buf_begin_cpu_access+0x10c/0x1bc
[   12.3]  dma_buf_begin_cpu_access+0xcc/0x158
[   12.3]  dma_buf_ioctl+0x538/0x6b8
[   12.3] ---[ end trace 0000000000000000 ]---
[   12.4] DMA-API: Mapped at:
[   12.4]  debug_dma_map_sg+0x188/0x918
[   12.4]  system_heap_map_dma_buf+0x78/0x10c
"""


def _console(text: str) -> tuple[list[EventKind], list[str]]:
    events, remarks = selfcheck.of_console(text)
    return [event.kind for event in events], remarks


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("pciehp-reset-lock", INVERSION),
        ("vkms-segment-size", LONG_SEGMENT),
        ("heap-sync-direction", OTHER_DIRECTION),
        (
            "heap-sync-direction",
            OTHER_DIRECTION + OTHER_DIRECTION.replace("65536 bytes", "4096 bytes"),
        ),
    ],
)
def test_a_listed_report_is_a_remark(name: str, report: str) -> None:
    assert _console(report) == ([], [f"the kernel's known report '{name}' came"])


@pytest.mark.parametrize(
    "text",
    ["platform vkms", "drm_gem_map_dma_buf", "dma_buf_map_attachment", "dma_buf_map_attachment_unlocked"],
)
def test_one_that_came_another_way_is_not(text: str) -> None:
    other = LONG_SEGMENT.replace(f" {text}", " dma_buf_another")
    assert _console(other) == ([EventKind.SPLAT], [])


@pytest.mark.parametrize("text", ["pciehp_probe+", "pci_host_probe+", "at: pciehp_ist"])
def test_another_report_of_the_same_kind_is_not(text: str) -> None:
    assert _console(INVERSION.replace(text, "another")) == ([EventKind.SPLAT], [])


@pytest.mark.parametrize("frame", ["engine_pci_remove+0x10/0x40 [dmabed_engine]", "dma_resv_lock+0x20/0x30"])
def test_one_with_a_frame_of_the_subject_is_not(frame: str) -> None:
    assert _console(f"{INVERSION}[   17.3]        {frame}\n") == ([EventKind.SPLAT], [])


def test_every_listed_report_is_documented() -> None:
    text = (paths.ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    listed = knownsplats.load()
    assert [each.name for each in (*listed.splats, *listed.leaks) if f"`{each.name}`" not in text] == []


def test_the_schema_is_one() -> None:
    schema = json.loads((paths.SCHEMAS / "known-splats.schema.json").read_text(encoding="utf-8"))
    assert yamlfile.load(knownsplats.FILE, "known-splats").data.keys() == schema["properties"].keys()
