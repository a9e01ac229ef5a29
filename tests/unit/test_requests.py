# SPDX-License-Identifier: GPL-2.0-or-later
"""From steps to the agent's requests."""

from __future__ import annotations

from typing import Any

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


def test_limits_of_a_buffer_stand_beside_it() -> None:
    limits = {"below": 4 << 30, "max-segments": 2, "max-segment-size": 65536, "alignment": 1 << 20}
    step = Step(0, 1, "export", {"buffer": "b", "size": 4096, "limits": limits})
    assert requests.plain(step) == {
        "buffer": "b",
        "length": "0x1000",
        "highest": "0xffffffff",
        "max-segments": 2,
        "max-segment-size": "0x10000",
        "alignment": "0x100000",
    }


def test_flags_are_a_list_and_a_thread_goes_along() -> None:
    step = Step(0, 1, "export", {"buffer": "b", "size": 4096, "flags": ("high",)}, thread="two")
    assert requests.plain(step) == {"buffer": "b", "length": "0x1000", "flags": ["high"], "thread": "two"}


def job(operation: Operation, **more: Any) -> Step:
    return Step(0, 1, "submit", more.pop("args", {}), operation=operation, **more)


def test_a_fill_names_no_source() -> None:
    fill = Operation("codec", "fill", None, "frame", seed=7, offset=4096, length=8192)
    assert requests.submit(job(fill)) == {
        "device": "codec",
        "operation": "fill",
        "dst": "frame",
        "seed": "0x7",
        "length": "0x2000",
        "dst-offset": "0x1000",
    }


def test_a_copy_names_both() -> None:
    copy = Operation("codec", "copy", "a", "b", seed=0, offset=0, length=4096)
    request = requests.submit(job(copy))
    assert (request["src"], request["dst"]) == ("a", "b")
    assert (request["src-offset"], request["dst-offset"]) == ("0x0", "0x0")


def test_a_wait_counts_in_milliseconds() -> None:
    assert requests.wait("codec", 3, 1.5) == {"device": "codec", "job": 3, "timeout-ms": 1500}


def test_a_job_takes_fences_and_a_process_along() -> None:
    digest = Operation("codec", "digest", "a", None, seed=0, offset=0, length=4096)
    extras = {"in-fence": "before", "out-fence": "after", "usage": "bookkeep"}
    request = requests.submit(job(digest, args={**extras, "buffer": "a"}, process="other"))
    assert {key: request[key] for key in extras} == extras
    assert request["process"] == "other"
    assert "buffer" not in request


def test_modules_have_the_kernels_names() -> None:
    unload, load = (Step(0, 1, verb, {"module": "exporter"}) for verb in ("unload", "load"))
    assert requests.plain(unload) == {"module": "dmabed_exporter"}
    assert requests.plain(load)["path"] == "/lib/modules/dmabed-exporter.ko"


def test_some_requests_have_another_name() -> None:
    sync = Step(0, 1, "sync", {"buffer": "a", "flags": ("start", "read")})
    assert requests.op(sync) == "cpu-sync"
    assert requests.plain(sync)["flags"] == ["start", "read"]
    poll = Step(0, 1, "poll", {"buffer": "a", "events": ("in",), "timeout": 0.5})
    assert requests.plain(poll)["timeout-ms"] == 500
