# SPDX-License-Identifier: GPL-2.0-or-later
"""The second witness of video and display: did each block do the picture that it should, where it should?"""

from __future__ import annotations

from collections.abc import Sequence

from dmabed import evidence, media_evidence, ranges
from dmabed.case import Case, short
from dmabed.evidence import EvidenceError
from dmabed.findings import Witness
from dmabed.media_evidence import BlockEvidence, Operation, Side
from dmabed.picture import Picture
from dmabed.ranges import Run
from dmabed.steps import JobHardware, Step, Via

HARDWARE = Witness.HARDWARE


def judge_media(case: Case) -> None:
    """Check every picture that a block did for a step."""
    blocks = _read(case)
    places: dict[str, tuple[Run, ...]] = {}
    for step in case.scenario.steps:
        record = case.transcript.record(step.index)
        if step.frame is None or record is None or not (record.answer or {}).get("ok"):
            continue
        for name, snapshot in record.buffers.items():
            places[name] = ranges.union(snapshot.segments)
        block = blocks.get(step.frame.device)
        if block is not None:
            _judge_done(case, step, block, record.picture or 0, places)
    for block in blocks.values():
        _judge_guest_errors(case, block)


def _judge_done(
    case: Case, step: Step, block: BlockEvidence, number: int, places: dict[str, tuple[Run, ...]]
) -> None:
    """Check a picture of which the guest says that it is done."""
    try:
        found = block.operation(number)
    except EvidenceError as error:
        case.log.broke(step, HARDWARE, str(error))
        return
    if found is None:
        got = f"{block.block} has no record of this picture"
        case.log.check(False, step, HARDWARE, got, "the guest says that it is done")
    else:
        _judge_picture(case, step, found, places)


def _read(case: Case) -> dict[str, BlockEvidence]:
    found = {}
    for block, after in case.transcript.media.items():
        try:
            found[block] = media_evidence.during(block, case.transcript.media_before.get(block), after)
        except EvidenceError as error:
            case.log.broke(None, HARDWARE, str(error), "evidence of every block is needed")
    return found


def _judge_guest_errors(case: Case, block: BlockEvidence) -> None:
    wanted = case.scenario.hardware.get(block.block)
    allowed = (wanted.guest_errors if wanted else None) or 0
    got = f"the block logged {block.guest_errors} guest errors"
    if block.guest_errors != allowed:
        case.log.failed(None, HARDWARE, got, f"{allowed} are expected", where=block.block)


def _judge_picture(case: Case, step: Step, found: Operation, places: dict[str, tuple[Run, ...]]) -> None:
    assert step.frame is not None
    wanted = step.hardware or JobHardware()
    status = "bus-error" if wanted.violations else "ok"
    got = f"{step.frame.device} ended its picture with {found.status}"
    case.log.check(found.status == status, step, HARDWARE, got, f"{status} is expected")
    got = f"{step.frame.device} saw {found.violations} violations"
    expected = bool(found.violations) == bool(wanted.violations)
    case.log.check(expected, step, HARDWARE, got, f"{len(wanted.violations) or 'none'} expected")
    _judge_bytes(case, step, "read", found.read, wanted.reads)
    _judge_bytes(case, step, "wrote", found.written, wanted.writes)
    _judge_place(case, step, found.read, step.frame.source, places)
    _judge_place(case, step, found.written, step.frame.target, places)


def _judge_bytes(case: Case, step: Step, verb: str, side: Side, wanted: Picture | None) -> None:
    if wanted is None:
        return
    got = f"{step.frame.device if step.frame else ''} {verb} {side.bytes} bytes of {short(side.sha256)}"
    expected = wanted.sha256()
    case.log.check(
        side.sha256 == expected, step, HARDWARE, got, f"the picture computed here is {short(expected)}"
    )


def _judge_place(
    case: Case, step: Step, side: Side, buffer: str | None, places: dict[str, tuple[Run, ...]]
) -> None:
    """All that share a buffer reach the same memory, or a bounce has come between.

    A buffer of the kernel's does not tell where it is: the first block that uses it does.
    """
    assert step.frame is not None
    via = (step.hardware or JobHardware()).via
    block = case.layout.device(step.frame.device)
    if buffer is None or via is Via.ANY or not side.runs:
        return
    if side.dropped:
        case.log.broke(step, HARDWARE, f"{side.dropped} ranges were dropped from the record")
        return
    if case.layout.translates(block):
        return  # addresses of its own: what was read and written says enough
    reached, _ = evidence.to_cpu(block, side.runs)
    known = places.setdefault(buffer, reached)
    _compare(case, step, via, reached, known)


def _compare(case: Case, step: Step, via: Via, reached: Sequence[Run], known: Sequence[Run]) -> None:
    common = ranges.common(reached, known)
    direct = sum(run.length for run in common) == sum(run.length for run in reached)
    good = direct if via is Via.DIRECT else not common
    got = f"the block moved bytes at {ranges.show(reached)}"
    case.log.check(
        good, step, HARDWARE, got, f"{via.value} is expected, the buffer is at {ranges.show(known)}"
    )


# ---- what the guest and the host read of pictures ----


def judge_crc(case: Case, step: Step, crc: int) -> None:
    """The checksum that the controller computed, as the DRM driver passes it on."""
    if step.expect.picture is not None:
        wanted = step.expect.picture.crc32()
        got = f"the display's CRC is {crc:#010x}"
        case.log.check(
            crc == wanted, step, Witness.GUEST, got, f"the picture computed here has {wanted:#010x}"
        )


def judge_screen(case: Case, step: Step, width: int, height: int, sha256: str) -> None:
    """The pixels that the screen shows."""
    picture = step.expect.picture
    if picture is not None:
        wanted = short(picture.screen_sha256())
        got = f"the screen shows {width} x {height} pixels of {short(sha256)}"
        size = "{} x {}".format(*picture.size)
        same = (width, height) == picture.size and sha256 == picture.screen_sha256()
        case.log.check(same, step, HARDWARE, got, f"{size} pixels of {wanted} are expected")
