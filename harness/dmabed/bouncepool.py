# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the guest's kernel bounces: the memory of its software IO TLB, as it says at its boot. Pure."""

from __future__ import annotations

import re

from dmabed.ranges import Run

# swiotlb_print_info() of kernel/dma/swiotlb.c: the second address is the first behind it
_MAPPED = re.compile(r"software IO TLB: mapped \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]")


def of_console(console: str) -> tuple[Run, ...]:
    """The pools of a console; a guest that bounces nothing has none."""
    pools = {(int(start, 16), int(end, 16)) for start, end in _MAPPED.findall(console)}
    return tuple(Run(start, end - start) for start, end in sorted(pools))
