# SPDX-License-Identifier: GPL-2.0-or-later
"""From steps to the agent's requests."""

from __future__ import annotations

from dmabed import requests
from dmabed.steps import Operation, Step


def test_sizes_become_lengths_and_wide_numbers_hexadecimal() -> None:
    step = Step(0, 1, "export", {"buffer": "frame", "size": 1 << 20, "storage": "fixed", "address": 1 << 35})
    assert requests.plain(step) == {
        "buffer": "frame",
        "length": "0x100000",
        "storage": "fixed",
        "address": "0x800000000",
    }


def test_flags_are_a_list_and_a_thread_goes_along() -> None:
    step = Step(0, 1, "export", {"buffer": "b", "size": 4096, "flags": ("high",)}, thread="two")
    assert requests.plain(step) == {"buffer": "b", "length": "0x1000", "flags": ["high"], "thread": "two"}


def test_a_fill_names_no_source() -> None:
    fill = Operation("codec", "fill", None, "frame", seed=7, offset=4096, length=8192)
    assert requests.submit(fill) == {
        "device": "codec",
        "operation": "fill",
        "dst": "frame",
        "seed": "0x7",
        "length": "0x2000",
        "dst-offset": "0x1000",
    }


def test_a_copy_names_both() -> None:
    copy = Operation("codec", "copy", "a", "b", seed=0, offset=0, length=4096)
    request = requests.submit(copy)
    assert (request["src"], request["dst"]) == ("a", "b")
    assert (request["src-offset"], request["dst-offset"]) == ("0x0", "0x0")


def test_a_wait_counts_in_milliseconds() -> None:
    assert requests.wait("codec", 3, 1.5) == {"device": "codec", "job": 3, "timeout-ms": 1500}
