# SPDX-License-Identifier: GPL-2.0-or-later
"""The generations of dma-buf that run in the guest (docs/specs/generations.md)."""

from __future__ import annotations

CURRENT, POSTED, MERGED = "current", "posted", "merged"
GENERATIONS = (CURRENT, POSTED, MERGED)

# the module that exports buffers of each; the first is called so in scenarios
EXPORTERS = {CURRENT: "exporter", POSTED: "posted", MERGED: "merged"}

# what a file of a scenario calls the key, and a choice among several
KEY = "generation"


def has_brackets(generation: str) -> bool:
    """Is there a DMA_BUF_IOCTL_SYNC around the CPU's access? The older fds have no ioctl."""
    return generation == CURRENT


def module_of(name: str, generation: str) -> str:
    """A module as a scenario names it: ``exporter`` is that of the scenario's generation."""
    return EXPORTERS[generation] if name == EXPORTERS[CURRENT] else name
