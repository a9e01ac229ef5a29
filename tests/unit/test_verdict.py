# SPDX-License-Identifier: GPL-2.0-or-later
"""Every way to be deceived: an honest recording passes, and one spoiled thing in it does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recorded import DIGEST, FILL, HIGH, LOW, SHARE, Recording, load, record, record_steps

from dmabed import bouncepool
from dmabed.findings import Status, Verdict
from dmabed.pattern import pattern
from dmabed.ranges import Run
from dmabed.transcript import EventKind

OTHER = "0" * 64


@pytest.fixture
def share(tmp_path: Path) -> Recording:
    """Camera to codec, all honest."""
    return record_steps(tmp_path, SHARE)


def assert_failed(verdict: Verdict, *words: str) -> None:
    assert verdict.status is Status.FAILED, verdict.why
    for word in words:
        assert word in verdict.why


def assert_error(verdict: Verdict, *words: str) -> None:
    assert verdict.status is Status.ERROR, verdict.why
    for word in words:
        assert word in verdict.why


# ---- what passes ----


def test_honest_story_passes(share: Recording) -> None:
    verdict = share.verdict()
    assert verdict.status is Status.PASSED, verdict.findings
    assert verdict.findings == ()
    assert verdict.checks > 10


def test_every_operation_passes(tmp_path: Path) -> None:
    story = record_steps(tmp_path, EVERYTHING)
    verdict = story.verdict()
    assert verdict.passed, verdict.why


EVERYTHING = """
  - export: {buffer: a, size: 8KiB}
  - export: {buffer: b, size: 8KiB}
  - attach: {device: npu, buffer: a}
  - attach: {device: npu, buffer: b}
  - fill: {device: npu, buffer: a, seed: 1}
  - copy: {device: npu, from: a, to: b}
  - compare: {device: npu, from: a, to: b}
  - fill: {device: npu, buffer: b, seed: 2, offset: 4KiB}
  - compare: {device: npu, from: a, to: b}
    expect: {mismatch: 4KiB}
  - cpu-write: {buffer: a, seed: 3}
  - digest: {device: npu, buffer: a}
    as: seen
    expect: {pattern: 3}
  - cpu-digest: {buffer: a}
    expect: {same-as: seen}
  - ram-digest: {buffer: a}
    expect: {pattern: 3, same-as: seen}
  - hold: {device: npu}
  - submit: {device: npu, operation: digest, buffer: b, size: 4KiB}
    as: held
  - map: {device: npu, buffer: a}
    thread: other
    expect: {segments: 1}
  - blocked: {thread: other, in: dma_fence_default_wait}
  - release: {device: npu}
  - wait: {job: held}
    expect: {pattern: 1}
  - join: {thread: other}
"""


# ---- the guest's word ----


def test_call_that_fails(share: Recording) -> None:
    share.answers[2] = {"ok": False, "errno": "EBUSY", "call": "DMABED_IOC_ATTACH", "why": "busy"}
    assert_failed(
        share.verdict(), "step 3 (line 8) attach codec frame", "DMABED_IOC_ATTACH failed with EBUSY"
    )


REFUSE = """
  - export: {buffer: frame, size: 64KiB}
  - attach: {device: codec, buffer: frame}
    expect: {errno: EINVAL}
"""


def test_refusal_passes_with_its_errno(tmp_path: Path) -> None:
    assert record_steps(tmp_path, REFUSE).verdict().passed


def test_refusal_that_succeeds(tmp_path: Path) -> None:
    story = record_steps(tmp_path, REFUSE)
    story.answers[1] = {"ok": True, "result": {}}
    assert_failed(story.verdict(), "the call succeeded", "EINVAL is expected")


def test_refusal_with_another_errno(tmp_path: Path) -> None:
    story = record_steps(tmp_path, REFUSE)
    story.answers[1] = {"ok": False, "errno": "ENOMEM"}
    assert_failed(story.verdict(), "failed with ENOMEM", "EINVAL is expected")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("status", "decode", "the guest saw status decode"),
        ("error", "EIO", "the fence has EIO"),
        ("bytes", "0x10", "the guest saw 16 bytes done"),
        ("sha256", OTHER, "digested 000000000000…"),
    ],
)
def test_guest_saw_something_else(share: Recording, key: str, value: str, words: str) -> None:
    share.result(DIGEST)[key] = value
    verdict = share.verdict()
    assert_failed(verdict)
    assert any(words in finding.sentence for finding in verdict.findings)


def test_failed_job_without_a_fence_error(tmp_path: Path) -> None:
    story = record_steps(tmp_path, SHARE.replace("{pattern: 7}", "{status: decode}"))
    for job in (story.result(DIGEST), story.job("codec")):
        job.update(status="decode", sha256="")
    assert_failed(story.verdict(), "the fence has no error")
    story.result(DIGEST)["error"] = "EIO"
    assert story.verdict().passed, story.verdict().why


@pytest.mark.parametrize("key", ["status", "error", "bytes", "mismatch", "sha256"])
def test_answer_without_a_field_is_an_error(share: Recording, key: str) -> None:
    del share.result(DIGEST)[key]
    assert_error(share.verdict(), f"lacks '{key}'", "step 5")


@pytest.mark.parametrize("value", ["", "12", None, 5, "Z" * 64])
def test_digest_that_is_none_is_an_error(share: Recording, value: Any) -> None:
    share.result(DIGEST)["sha256"] = value
    assert_error(share.verdict(), "'sha256' makes no sense")


def test_answer_that_is_neither_is_an_error(share: Recording) -> None:
    share.answers[DIGEST] = {"result": {}}
    assert_error(share.verdict(), "neither a result nor an errno")


def test_no_answer_is_an_error(share: Recording) -> None:
    share.answers[DIGEST] = None
    assert_error(share.verdict(), "step 5", "no answer came")


def test_step_that_was_not_run_is_an_error(share: Recording) -> None:
    del share.answers[1]
    assert_error(share.verdict(), "step 2", "never run")


def test_story_that_ends_at_a_failure_is_a_failure(share: Recording) -> None:
    share.answers = {0: share.answers[0], 1: {"ok": False, "errno": "ENOMEM"}}
    share.jobs.clear()
    share.evidence = share.before
    verdict = share.verdict()
    assert_failed(verdict, "ENOMEM")
    assert any("not run" in note for note in verdict.notes)


def test_first_trouble_decides(share: Recording) -> None:
    """A failure is not undone by a later answer that makes no sense."""
    share.result(FILL)["bytes"] = "0x0"
    share.answers[DIGEST] = None
    assert_failed(share.verdict(), "0 bytes done")


def test_fence_with_another_error(tmp_path: Path) -> None:
    story = record_steps(tmp_path, SHARE.replace("{pattern: 7}", "{status: decode, error: EIO}"))
    for job in (story.result(DIGEST), story.job("codec")):
        job.update(status="decode", error="ETIMEDOUT", sha256="")
    assert_failed(story.verdict(), "the fence has ETIMEDOUT", "EIO is expected")


# ---- digests: three witnesses ----


def test_one_wrong_byte_read_by_the_device(share: Recording) -> None:
    for job in (share.result(DIGEST), share.job("codec")):
        job["sha256"] = OTHER
    assert_failed(
        share.verdict(),
        "step 5 (line 10) digest codec frame: hardware digested 000000000000…",
        "the pattern of seed 7 is",
        "the device read other bytes than were written",
    )


def test_guest_was_told_the_wanted_digest_of_bytes_that_differ(share: Recording) -> None:
    share.job("codec")["sha256"] = OTHER
    assert_failed(share.verdict(), "hardware digested 000000000000…", "the guest was told")


def test_guest_and_device_disagree_where_nothing_is_computed(tmp_path: Path) -> None:
    story = record_steps(tmp_path, SHARE.replace("    expect: {pattern: 7}\n", ""))
    assert story.verdict().passed
    story.job("codec")["sha256"] = OTHER
    assert_failed(story.verdict(), "the guest was told")


def test_fill_is_compared_with_its_seed(share: Recording) -> None:
    for job in (share.result(FILL), share.job("capture")):
        job["sha256"] = OTHER
    assert_failed(share.verdict(), "step 4", "the pattern of seed 7")


def test_same_as_of_other_bytes(tmp_path: Path) -> None:
    story = record_steps(tmp_path, EVERYTHING)
    index = next(step.index for step in story.scenario.steps if step.verb == "cpu-digest")
    story.result(index)["sha256"] = OTHER
    assert_failed(story.verdict(), "cpu-digest a", "'seen' found")


def test_same_as_without_the_other_digest_is_an_error(tmp_path: Path) -> None:
    story = record_steps(tmp_path, EVERYTHING)
    index = next(step.index for step in story.scenario.steps if step.name == "seen")
    story.answers[index] = {"ok": False, "errno": "EIO"}
    assert any("there is no digest 'seen'" in finding.sentence for finding in story.verdict().findings)


def test_host_reads_other_bytes(tmp_path: Path) -> None:
    story = record_steps(tmp_path, EVERYTHING)
    index = next(step.index for step in story.scenario.steps if step.verb == "ram-digest")
    story.result(index)["sha256"] = OTHER
    assert_failed(story.verdict(), "ram-digest a", "host digested")
    story.result(index)["length"] = 4
    assert_error(story.verdict(), "4 bytes were read from RAM")


def test_cpu_write_of_other_bytes(tmp_path: Path) -> None:
    story = record_steps(tmp_path, EVERYTHING)
    index = next(step.index for step in story.scenario.steps if step.verb == "cpu-write")
    story.result(index)["sha256"] = OTHER
    assert_failed(story.verdict(), "cpu-write a", "the pattern of seed 3")


@pytest.mark.parametrize("witness", ["guest", "hardware"])
def test_difference_at_another_place(tmp_path: Path, witness: str) -> None:
    story = record_steps(tmp_path, EVERYTHING)
    index = next(step.index for step in story.scenario.steps if step.expect.mismatch is not None)
    if witness == "guest":
        story.result(index)["mismatch"] = "0x8"
    else:
        story.job("npu", 5)["mismatch-at"] = 8
    assert_failed(story.verdict(), "first difference at", "8")


# ---- the device's record ----


def test_device_lies_about_completion(share: Recording) -> None:
    """It said ok and digest and length, and moved nothing."""
    share.job("capture").update(bytes=0, written=[], injected="lie")
    verdict = share.verdict()
    assert_failed(verdict, "really moved 0 bytes", "the injected fault 'lie'")


def test_job_that_the_device_never_did(share: Recording) -> None:
    share.evidence["codec"] = share.before["codec"]
    assert_failed(share.verdict(), "codec has no record of this job")


def test_job_that_is_not_done(share: Recording) -> None:
    share.job("codec").update(done=False, sha256="", status="none")
    assert_failed(share.verdict(), "the job is not done")


def test_job_that_nobody_submitted(share: Recording) -> None:
    extra = {**share.job("codec"), "seq": 2}
    share.evidence["codec"]["jobs"].append(extra)
    share.evidence["codec"]["jobs-total"] = 2
    assert_failed(share.verdict(), "codec: the device did 2 jobs, but 1 were submitted")


@pytest.mark.parametrize(("key", "value"), [("op", "copy"), ("length", 512), ("seed", 8)])
def test_device_did_another_job(share: Recording, key: str, value: Any) -> None:
    share.job("capture")[key] = value
    assert_failed(share.verdict(), "step 4", "the device did a")


def test_device_ended_otherwise_than_the_guest_saw(share: Recording) -> None:
    share.job("codec").update(status="decode", sha256="")
    assert_failed(share.verdict(), "the device ended the job with decode", "the guest saw ok")


def test_jobs_before_the_scenario_do_not_count(share: Recording) -> None:
    earlier = {**share.job("codec"), "sha256": OTHER}
    share.before["codec"] = {**share.before["codec"], "jobs-total": 1, "jobs": [earlier]}
    share.evidence["codec"]["jobs"] = [earlier, {**share.job("codec"), "seq": 2}]
    share.evidence["codec"]["jobs-total"] = 2
    assert share.verdict().passed, share.verdict().why


def test_job_that_nobody_waits_for_must_end_well(tmp_path: Path) -> None:
    steps = SHARE.replace("- digest: {device: codec,", "- submit: {device: codec, operation: digest,")
    story = record_steps(tmp_path, steps.replace("    expect: {pattern: 7}\n", ""))
    assert story.verdict().passed
    story.job("codec").update(status="decode", sha256="")
    assert_failed(story.verdict(), "the device ended the job with decode", "ok is expected")


VIOLATION = {"kind": "addr-width", "list": "dst", "segment": 0, "bus": HIGH, "length": 4096}


def test_violation_that_nobody_expected(share: Recording) -> None:
    share.job("capture")["violations"] = [VIOLATION]
    assert_failed(share.verdict(), "the device saw addr-width", "nothing should be seen")


def test_violation_that_did_not_come(tmp_path: Path) -> None:
    story = record_steps(tmp_path, SHARE + "    hardware: {violations: [addr-width]}\n")
    assert_failed(story.verdict(), "the device saw nothing", "addr-width should be seen")
    story.job("codec")["violations"] = [VIOLATION]
    assert story.verdict().passed


def test_guest_errors_that_nobody_expected(share: Recording) -> None:
    share.evidence["display"]["guest-errors"] = 2
    assert_failed(share.verdict(), "display: the device logged 2 guest errors")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("jobs: 2", "counted 1 jobs"),
        ("accesses: 0", "counted 1 data accesses"),
        ("violations: 1", "counted 0 violations"),
        ("guest-errors: 1", "counted 0 guest errors"),
    ],
)
def test_whole_device_counts(tmp_path: Path, wanted: str, words: str) -> None:
    story = record_steps(tmp_path, SHARE, hardware=f"hardware: {{codec: {{{wanted}}}}}")
    assert_failed(story.verdict(), words)


def test_zero_accesses_of_a_device_that_stood_still(tmp_path: Path) -> None:
    story = record_steps(tmp_path, REFUSE, hardware="hardware: {codec: {jobs: 0, accesses: 0}}")
    assert story.verdict().passed
    story.evidence["codec"]["data-accesses"] = 1
    assert_failed(story.verdict(), "codec: the device counted 1 data accesses, but 0 are expected")


# ---- missing evidence ----


@pytest.mark.parametrize("device", ["codec", "display"])
@pytest.mark.parametrize("when", ["before", "evidence"])
def test_evidence_that_is_missing_is_an_error(share: Recording, device: str, when: str) -> None:
    getattr(share, when)[device] = None
    assert_error(share.verdict(), f"{device}: its evidence could not be read")


def test_evidence_of_no_device_at_all_is_an_error(share: Recording) -> None:
    share.evidence.clear()
    assert_error(share.verdict(), "evidence could not be read")


def test_evidence_that_makes_no_sense_is_an_error(share: Recording) -> None:
    del share.job("codec")["sha256"]
    assert_error(share.verdict(), "codec: evidence: jobs[0]: field 'sha256' is missing")


def test_job_record_that_was_dropped_is_an_error(share: Recording) -> None:
    share.evidence["codec"].update(jobs=[], **{"jobs-dropped": 1})
    assert_error(share.verdict(), "its record of job 1 was dropped")


def test_job_whose_lists_were_dropped_is_an_error(share: Recording) -> None:
    share.job("codec").update(src=[], dst=[], read=[], written=[], cut=True, **{"read-dropped": 1})
    share.evidence["codec"]["jobs-cut"] = 1
    assert_error(share.verdict(), "the lists of job 1 were dropped from its record")


@pytest.mark.parametrize("key", ["read-dropped", "violations-dropped"])
def test_record_with_holes_is_an_error(share: Recording, key: str) -> None:
    share.job("codec")[key] = 3
    assert_error(share.verdict(), "dropped from the record")


def test_storage_that_nobody_told_is_an_error(share: Recording) -> None:
    share.places[DIGEST] = {}
    assert_error(share.verdict(), "nobody told where frame was")


# ---- where the bytes were ----


def test_bounce_where_direct_is_expected(share: Recording) -> None:
    share.job("codec")["read"] = [{"bus": 0x60000000, "length": 0x10000}]
    assert_failed(share.verdict(), "which is bounce", "direct is expected")


def test_direct_where_bounce_is_expected(tmp_path: Path) -> None:
    story = record_steps(tmp_path, SHARE + "    hardware: {via: bounce}\n")
    assert_failed(story.verdict(), "which is direct", "bounce is expected")
    story.job("codec")["read"] = [{"bus": 0x60000000, "length": 0x10000}]
    assert story.verdict().passed, story.verdict().why


def _bounced(folder: Path, address: int) -> Recording:
    story = record_steps(folder, SHARE + "    hardware: {via: bounce}\n")
    story.job("codec")["read"] = [{"bus": address, "length": 0x10000}]
    return story


@pytest.mark.parametrize("address", [0x61000000, 0x60000000 - 0x8000, 0x60100000 - 0x8000])
def test_bytes_outside_of_the_pool_were_not_bounced(tmp_path: Path, address: int) -> None:
    assert_failed(_bounced(tmp_path, address).verdict(), "a bounce is in the guest's pool, 0x60000000")


def test_a_bounce_needs_a_guest_that_names_its_pool(tmp_path: Path) -> None:
    story = _bounced(tmp_path, 0x60000000)
    story.bounce_pools = ()
    assert_error(story.verdict(), "nobody told where the guest bounces")


def test_a_pool_is_what_the_kernel_says_at_its_boot() -> None:
    said = "[    0.000000] software IO TLB: area num 2.\n"
    said += "[    0.000000] software IO TLB: mapped [mem 0x00000000fbfff000-0x00000000fffff000] (64MB)\n"
    assert bouncepool.of_console(said + said) == (Run(0xFBFFF000, 64 << 20),)
    assert bouncepool.of_console("software IO TLB: Cannot allocate buffer") == ()


def test_other_part_of_the_same_buffer(share: Recording) -> None:
    share.job("codec")["read"] = [{"bus": LOW + (1 << 20), "length": 0x8000}]
    assert_failed(share.verdict(), "which is mixed")


TWO = SHARE.replace("  - attach", "  - export: {buffer: neighbour, size: 64KiB}\n  - attach", 1)


def test_neighbour_that_was_reached(tmp_path: Path) -> None:
    story = record_steps(tmp_path, TWO)
    assert story.verdict().passed
    story.job("capture")["written"] = [{"bus": LOW + (2 << 20), "length": 0x10000}]
    assert_failed(story.verdict(), "in the storage of neighbour", "which is elsewhere")


def test_neighbour_that_should_be_reached(tmp_path: Path) -> None:
    steps = TWO.replace("seed: 7}", "seed: 7}\n    hardware: {via: any, touches: neighbour}")
    story = record_steps(tmp_path, steps)
    assert_failed(story.verdict(), "the device reached nothing beside", "it should reach neighbour")
    story.job("capture")["written"] = [{"bus": LOW + (2 << 20), "length": 0x10000}]
    assert story.verdict().passed, story.verdict().why


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("segments: 1", "2 segments"),
        ("below: 0x50000000", "below 0x50000000"),
        ("above: 4GiB", "above 0x100000000"),
    ],
)
def test_bus_addresses_of_a_job(tmp_path: Path, limit: str, words: str) -> None:
    places = {"frame": [Run(LOW, 0x8000), Run(LOW + 0x10000, 0x8000)]}
    story = record_steps(tmp_path, SHARE + f"    hardware: {{{limit}}}\n", places)
    assert_failed(story.verdict(), words)


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("storage: pages", "its storage is contiguous"),
        ("migrations: 1", "moved 0 times"),
        ("segments: 2", "1 segments"),
        ("above: 4GiB", "at or above"),
        ("below: 4KiB", "below 0x1000"),
    ],
)
def test_buffer_elsewhere_than_expected(tmp_path: Path, expect: str, words: str) -> None:
    steps = SHARE + f"  - buffer: {{buffer: frame}}\n    expect: {{{expect}}}\n"
    assert_failed(record_steps(tmp_path, steps).verdict(), "buffer frame", words)


def test_buffer_without_storage_is_not_below_anything(tmp_path: Path) -> None:
    steps = SHARE + "  - buffer: {buffer: frame}\n    expect: {below: 4GiB}\n"
    story = record_steps(tmp_path, steps)
    assert story.verdict().passed
    story.result(5)["segments"] = []
    assert_failed(story.verdict(), "nowhere")


# ---- threads ----


def blocked_index(story: Recording) -> int:
    return next(step.index for step in story.scenario.steps if step.verb == "blocked")


@pytest.mark.parametrize(
    "row",
    [
        {"busy": False, "wchan": "0"},
        {"busy": False, "wchan": "dma_fence_default_wait"},
        {"busy": True, "wchan": "0", "stack": None},
        {"busy": True, "wchan": "msleep", "stack": "[<0>] msleep+0x1"},
        {},
    ],
)
def test_thread_that_is_not_blocked_there(tmp_path: Path, row: dict[str, Any]) -> None:
    story = record_steps(tmp_path, EVERYTHING)
    story.answers[blocked_index(story)] = {"ok": True, "result": row}
    assert_failed(story.verdict(), "blocked other", "it should wait in dma_fence_default_wait")


@pytest.mark.parametrize("stack", ["[<0>] dma_fence_default_wait+0xb0", ["dma_fence_default_wait", "ioctl"]])
def test_thread_that_just_goes_to_sleep_has_no_wchan_yet(tmp_path: Path, stack: Any) -> None:
    story = record_steps(tmp_path, EVERYTHING)
    story.result(blocked_index(story)).update(wchan="0", stack=stack)
    assert story.verdict().passed, story.verdict().why


@pytest.mark.parametrize(("wchan", "passes"), [("msleep", True), ("0", False), (None, False)])
def test_thread_that_is_blocked_anywhere(tmp_path: Path, wchan: str | None, passes: bool) -> None:
    story = record_steps(tmp_path, EVERYTHING.replace(", in: dma_fence_default_wait", ""))
    story.result(blocked_index(story)).update(wchan=wchan)
    assert story.verdict().passed is passes


def test_thread_that_does_not_come_back(tmp_path: Path) -> None:
    story = record_steps(tmp_path, EVERYTHING)
    join = story.scenario.steps[-1]
    story.answers[join.index] = None
    story.answers[blocked_index(story) - 1] = None
    assert_failed(story.verdict(), "thread 'other' is still not back")


def test_thread_without_an_answer_is_an_error(tmp_path: Path) -> None:
    story = record_steps(tmp_path, EVERYTHING)
    story.answers[blocked_index(story) - 1] = None
    assert_error(story.verdict(), "[other] map npu a", "no answer came")


def test_expectation_of_a_threads_step(tmp_path: Path) -> None:
    story = record_steps(tmp_path, EVERYTHING, {"a": [Run(LOW, 4096), Run(LOW + 8192, 4096)]})
    assert_failed(story.verdict(), "[other] map npu a", "2 segments")


# ---- faults on command ----


def test_injected_fault_that_no_check_noticed_is_an_error(tmp_path: Path) -> None:
    """The fill's digest is of what it should have written, and nobody reads the bytes."""
    steps = SHARE.split("  - digest")[0] + "  - cpu-digest: {buffer: frame}\n"
    story = record_steps(tmp_path, steps)
    assert story.verdict().passed
    story.job("capture")["injected"] = "corrupt"
    assert_error(story.verdict(), "capture: job 1 suffered the injected fault 'corrupt'", "no check")


CORRUPT = SHARE.replace("{pattern: 7}", "{pattern: 7, corrupted-at: 100}")


def corrupted(folder: Path, *places: int) -> Recording:
    """The fill's device corrupts these bytes, and the other reads them so."""
    story = record_steps(folder, CORRUPT)
    data = bytearray(pattern(7, 0, 64 << 10))
    for at in places:
        data[at] ^= 1
    story.job("capture")["injected"] = "corrupt"
    story.result(DIGEST)["sha256"] = story.job("codec")["sha256"] = hashlib.sha256(data).hexdigest()
    return story


def test_corrupted_byte_that_is_expected_passes_and_is_told(tmp_path: Path) -> None:
    verdict = corrupted(tmp_path, 100).verdict()
    assert verdict.passed, verdict.why
    assert verdict.notes == ("capture: job 1 suffered the injected fault 'corrupt'",)


@pytest.mark.parametrize("places", [(), (101,), (100, 4096)])
def test_corrupted_byte_that_is_expected_elsewhere_fails(tmp_path: Path, places: tuple[int, ...]) -> None:
    """The bytes are right, or others are wrong than the one that was expected, or more."""
    assert_failed(corrupted(tmp_path, *places).verdict(), "seed 7 with byte 0x64 corrupted", "digest")


def test_injected_fault_that_is_expected_passes_and_is_told(tmp_path: Path) -> None:
    steps = SHARE.replace("{pattern: 7}", "{status: decode, error: EIO}").replace(
        "  - digest", "  - inject: {device: codec, fault: decode}\n  - digest"
    )
    story = record_steps(tmp_path, steps)
    story.result(DIGEST + 1).update(status="decode", error="EIO", sha256="")
    story.job("codec").update(status="decode", bytes=0, sha256="", read=[])
    verdict = story.verdict()
    assert verdict.passed, verdict.why
    assert verdict.notes == ("codec: job 1 suffered the injected fault 'decode'",)


def test_injected_fault_that_was_never_suffered(tmp_path: Path) -> None:
    steps = SHARE.replace("  - digest", "  - inject: {device: codec, fault: irq-lost}\n  - digest")
    story = record_steps(tmp_path, steps)
    assert story.verdict().passed
    story.job("codec")["injected"] = "none"
    assert_failed(story.verdict(), "no job of the device suffered 'irq-lost'")


def test_host_that_could_not_inject_is_an_error(tmp_path: Path) -> None:
    story = record_steps(tmp_path, EVERYTHING)
    index = next(step.index for step in story.scenario.steps if step.verb == "hold")
    story.answers[index] = {"ok": False, "errno": "EIO", "why": "QMP said no"}
    assert_error(story.verdict(), "hold npu", "QMP said no")


TIMES_OUT = """
  - export: {buffer: frame, size: 64KiB}
  - attach: {device: codec, buffer: frame}
  - submit: {device: codec, operation: fill, buffer: frame, seed: 1}
    as: lost
  - wait: {job: lost, timeout: 0.1}
    expect: {errno: ETIMEDOUT}
"""


def test_job_that_is_waited_for_in_vain_may_be_undone(tmp_path: Path) -> None:
    story = record_steps(tmp_path, TIMES_OUT)
    story.job("codec").update(done=False, sha256="", status="none")
    assert story.verdict().passed, story.verdict().why


# ---- what happens to the machine ----


def test_guest_panic_is_a_failure_whatever_is_missing(share: Recording) -> None:
    share.answers = {0: share.answers[0], 1: None}
    share.evidence = dict.fromkeys(share.evidence)
    share.happened(EventKind.QEMU_DIED, "QEMU ended with status 0", 1)
    share.happened(EventKind.GUEST_PANIC, "Kernel panic - not syncing: Oops: Fatal exception", 1)
    assert_failed(share.verdict(), "step 2", "the guest kernel panicked: Kernel panic - not syncing: Oops")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (EventKind.QEMU_DIED, "QEMU died: signal 9"),
        (EventKind.AGENT_SILENT, "the agent in the guest went silent: signal 9"),
        (EventKind.TIMEOUT, "ran out of time: signal 9"),
        (EventKind.PROTOCOL, "not understood: signal 9"),
        (EventKind.EVIDENCE, "evidence could not be read: signal 9"),
    ],
)
def test_broken_testbed_is_an_error_even_if_all_else_is_well(
    share: Recording, kind: EventKind, words: str
) -> None:
    share.happened(kind, "signal 9", DIGEST)
    assert_error(share.verdict(), "step 5 (line 10)", words)


def test_broken_testbed_goes_before_what_it_caused(share: Recording) -> None:
    share.happened(EventKind.AGENT_SILENT, "no answer for 10 s", DIGEST)
    share.answers[DIGEST] = None
    share.job("capture").update(done=False, sha256="", status="none")
    assert_error(share.verdict(), "the agent in the guest went silent")


def test_answer_that_was_wrong_before_the_testbed_broke_is_a_failure(share: Recording) -> None:
    share.answers[2] = {"ok": False, "errno": "EBUSY"}
    share.happened(EventKind.PROTOCOL, "codec is not attached", DIGEST)
    share.answers[DIGEST] = None
    assert_failed(share.verdict(), "step 3", "EBUSY")


def test_interrupted_run_did_not_run(share: Recording) -> None:
    share.happened(EventKind.INTERRUPTED, "Ctrl-C")
    assert share.verdict().status is Status.SKIPPED


# ---- nothing checked ----


def test_scenario_that_checks_nothing_is_an_error(tmp_path: Path) -> None:
    story = record_steps(tmp_path, "\n  - export: {buffer: frame, size: 4KiB}\n")
    assert_error(story.verdict(), "nothing was checked")


def test_empty_transcript_is_an_error(tmp_path: Path) -> None:
    assert_error(Recording(load(tmp_path, SHARE)).verdict(), "never run")


# ---- each single field of an honest recording matters ----

SPOILERS: list[Callable[[dict[str, Any]], None]] = [
    lambda job: job.update(status="addr-width"),
    lambda job: job.update(bytes=job["bytes"] - 1),
    lambda job: job.update(length=job["length"] + 1),
    lambda job: job.update(op="compare"),
    lambda job: job.update(sha256=OTHER),
    lambda job: job.update(done=False),
    lambda job: job.update(read=[], written=[]),
    lambda job: job.update(violations=[VIOLATION]),
    lambda job: job.update(seq=9),
    lambda job: job.clear(),
]


@pytest.mark.parametrize("spoil", range(len(SPOILERS)))
@pytest.mark.parametrize("device", ["capture", "codec"])
def test_nothing_spoiled_passes(share: Recording, device: str, spoil: int) -> None:
    SPOILERS[spoil](share.job(device))
    assert not share.verdict().passed


def test_verdict_as_json(share: Recording) -> None:
    share.job("codec")["sha256"] = OTHER
    plain = share.verdict().as_json()
    assert plain["status"] == "failed"
    assert plain["findings"][0]["witness"] == "hardware"
    assert plain["findings"][0]["step"] == 5


def test_recorded_model_is_deterministic(tmp_path: Path) -> None:
    story = load(tmp_path, EVERYTHING)
    assert record(story).transcript() == record(story).transcript()
