# SPDX-License-Identifier: GPL-2.0-or-later
"""The first witness: did the guest answer each step as the scenario expects?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dmabed import answers, guest_tests, media_checks, ranges
from dmabed.answers import JobAnswer, OddAnswer
from dmabed.case import Case, expected_status, short
from dmabed.findings import Status, Witness, first, place_of
from dmabed.pattern import sha256_of
from dmabed.ranges import Run
from dmabed.steps import HOST_VERBS, OPERATIONS, Step
from dmabed.transcript import StepRecord

Result = Mapping[str, Any]


def judge_steps(case: Case) -> None:
    """Check every step of the scenario against its record."""
    unrun = []
    for step in case.scenario.steps:
        record = case.transcript.record(step.index)
        if record is None or (record.answer is None and _join_was_unrun(case, step)):
            unrun.append(step)
        else:
            _judge_step(case, step, record)
    _judge_unrun(case, unrun)


def _judge_unrun(case: Case, steps: list[Step]) -> None:
    """A scenario ends early at a failure, and that is noted; for no reason it may not."""
    if first(case.log.findings, Status.FAILED):
        case.log.notes.extend(f"{place_of(step)} was not run to its end" for step in steps)
        return
    for step in steps:
        case.log.broke(step, Witness.HOST, "the step was never run to its end")


def _judge_step(case: Case, step: Step, record: StepRecord) -> None:
    if record.answer is None:
        _judge_silence(case, step)
        return
    try:
        if answers.is_ok(record.answer):
            _judge_result(case, step, record.answer["result"])
        else:
            _judge_errno(case, step, record.answer)
    except OddAnswer as error:
        case.log.broke(step, _witness(step), str(error))


def _judge_silence(case: Case, step: Step) -> None:
    """No answer: of a thread's steps the ``join`` speaks, else the testbed broke."""
    if step.verb == "join":
        limit = f"it should have ended within {step.args['timeout']:g} s"
        what = f"thread '{step.args['thread']}' is still not back from its step"
        case.log.check(False, step, Witness.GUEST, what, limit)
    elif step.thread is None or not _join_is_silent(case, step):
        case.log.broke(step, _witness(step), "no answer came")


def _join_was_unrun(case: Case, step: Step) -> bool:
    return step.thread is not None and _join_record(case, step) is None


def _join_is_silent(case: Case, step: Step) -> bool:
    record = _join_record(case, step)
    return record is not None and record.answer is None


def _join_record(case: Case, step: Step) -> StepRecord | None:
    """The record of the ``join`` that waits for this step's thread."""
    joins = (other for other in case.scenario.steps if other.verb == "join" and other.index > step.index)
    join = next(other for other in joins if other.args["thread"] == step.thread)  # every thread is joined
    return case.transcript.record(join.index)


def _judge_errno(case: Case, step: Step, answer: Mapping[str, Any]) -> None:
    got, wanted = answer["errno"], step.expect.errno
    call = answer.get("call") or step.verb
    if step.verb in HOST_VERBS:
        case.log.broke(step, Witness.HOST, f"{call} failed with {got} {answer.get('why', '')}".rstrip())
    elif wanted is None:
        case.log.check(False, step, Witness.GUEST, f"{call} failed with {got}", "it should have succeeded")
    else:
        case.log.check(
            got == wanted, step, Witness.GUEST, f"{call} failed with {got}", f"{wanted} is expected"
        )


def _judge_result(case: Case, step: Step, result: Result) -> None:
    wanted = step.expect.errno
    if wanted is not None:
        case.log.check(False, step, Witness.GUEST, "the call succeeded", f"{wanted} is expected")
        return
    judge = _RESULTS.get(step.verb)
    if judge is not None:
        judge(case, step, result)


# ---- results of jobs ----


def _judge_job(case: Case, step: Step, result: Result) -> None:
    answer = answers.job(result)
    case.answers[step.index] = answer
    wanted = expected_status(step)
    got = f"the guest saw status {answer.status}"
    if not case.log.check(answer.status == wanted, step, Witness.GUEST, got, f"{wanted} is expected"):
        return
    _judge_error(case, step, answer)
    _judge_amount(case, step, answer)
    if answer.sha256:
        _judge_job_digest(case, step, answer)


def _judge_error(case: Case, step: Step, answer: JobAnswer) -> None:
    """The fence's error: none for a job that went well, some for one that did not."""
    wanted, got = step.expect.error, f"the fence has {answer.error or 'no error'}"
    if wanted is not None:
        case.log.check(answer.error == wanted, step, Witness.GUEST, got, f"{wanted} is expected")
    elif answer.status == "ok":
        case.log.check(answer.error is None, step, Witness.GUEST, got, "the job went well")
    elif answer.status != "mismatch-found":
        case.log.check(
            answer.error is not None, step, Witness.GUEST, got, f"the job ended with {answer.status}"
        )


def _judge_amount(case: Case, step: Step, answer: JobAnswer) -> None:
    assert step.operation is not None
    length = step.operation.length
    if answer.status == "ok":
        got = f"the guest saw {answer.bytes} bytes done"
        case.log.check(answer.bytes == length, step, Witness.GUEST, got, f"the job has {length}")
    if step.expect.mismatch is not None:
        got = f"the guest saw the first difference at {_at(answer.mismatch)}"
        wanted = f"{_at(step.expect.mismatch)} is expected"
        case.log.check(answer.mismatch == step.expect.mismatch, step, Witness.GUEST, got, wanted)


def _judge_job_digest(case: Case, step: Step, answer: JobAnswer) -> None:
    assert step.operation is not None
    name = step.args["job"] if step.verb == "wait" else step.name
    if name is not None:
        case.digests[name] = answer.sha256
    operation = step.operation
    seed = operation.seed if operation.operation == "fill" else step.expect.pattern
    if seed is not None:
        judge_pattern(case, step, Witness.GUEST, answer.sha256, seed, (operation.offset, operation.length))
    judge_same_as(case, step, Witness.GUEST, answer.sha256)


# ---- results of the CPU and the host ----


def _judge_cpu_write(case: Case, step: Step, result: Result) -> None:
    span = (step.args["offset"], step.args["size"])
    judge_pattern(case, step, Witness.GUEST, answers.digest(result), step.args["seed"], span)


def _judge_cpu_digest(case: Case, step: Step, result: Result) -> None:
    span = (step.args["offset"], step.args["size"])
    _judge_digest(case, step, Witness.GUEST, answers.digest(result), span)


def _judge_ram_digest(case: Case, step: Step, result: Result) -> None:
    size, length = step.args["size"], answers.number(result, "length")
    if length != size:
        case.log.broke(step, Witness.HOST, f"{length} bytes were read from RAM", f"the buffer has {size}")
        return
    _judge_digest(case, step, Witness.HOST, answers.digest(result), (0, size))


def _judge_digest(case: Case, step: Step, witness: Witness, got: str, span: tuple[int, int]) -> None:
    if step.name is not None:
        case.digests[step.name] = got
    if step.expect.pattern is not None:
        judge_pattern(case, step, witness, got, step.expect.pattern, span)
    if step.expect.picture is not None:
        wanted = step.expect.picture.sha256()
        what = f"{witness.value} digested {short(got)}"
        case.log.check(got == wanted, step, witness, what, f"the picture computed here is {short(wanted)}")
    judge_same_as(case, step, witness, got)


def judge_pattern(
    case: Case, step: Step, witness: Witness, got: str, seed: int, span: tuple[int, int], meaning: str = ""
) -> None:
    """Compare a digest with the one that is computed here; ``span`` is offset and length."""
    corrupted_at = step.expect.corrupted_at
    wanted = sha256_of(seed, *span, corrupted_at)
    what = f"{witness.value} digested {short(got)}"
    meaning = meaning or (
        "" if step.verb in ("fill", "cpu-write") else "other bytes were read than were written"
    )
    flipped = "" if corrupted_at is None else f" with byte {corrupted_at:#x} corrupted"
    expectation = f"the pattern of seed {seed}{flipped} is {short(wanted)}"
    case.log.check(got == wanted, step, witness, what, expectation, meaning=meaning)


def judge_same_as(case: Case, step: Step, witness: Witness, got: str) -> None:
    """Compare a digest with an earlier one, if the step asks for it."""
    _judge_differs(case, step, witness, got)
    name = step.expect.same_as
    if name is None:
        return
    if name not in case.digests:
        case.log.broke(step, witness, f"there is no digest '{name}' to compare with")
        return
    wanted = f"'{name}' found {short(case.digests[name])}"
    case.log.check(got == case.digests[name], step, witness, f"{witness.value} digested {short(got)}", wanted)


def _judge_differs(case: Case, step: Step, witness: Witness, got: str) -> None:
    name = step.expect.differs_from
    if name is None:
        return
    if name not in case.digests:
        case.log.broke(step, witness, f"there is no digest '{name}' to compare with")
        return
    case.log.check(
        got != case.digests[name],
        step,
        witness,
        f"{witness.value} digested {short(got)}",
        f"'{name}' found just that",
    )


# ---- results that are addresses ----


def _judge_map(case: Case, step: Step, result: Result) -> None:
    judge_addresses(
        case, step, Witness.GUEST, answers.runs(result), step.expect, "bus addresses of the mapping"
    )


def _judge_buffer(case: Case, step: Step, result: Result) -> None:
    expect = step.expect
    storage, migrations = answers.text(result, "storage"), answers.number(result, "migrations")
    if expect.storage is not None:
        wanted = f"{expect.storage} is expected"
        case.log.check(storage == expect.storage, step, Witness.GUEST, f"its storage is {storage}", wanted)
    if expect.migrations is not None:
        wanted = f"{expect.migrations} are expected"
        got = f"the storage moved {migrations} times"
        case.log.check(migrations == expect.migrations, step, Witness.GUEST, got, wanted)
    runs = answers.runs(result)
    judge_addresses(case, step, Witness.GUEST, runs, expect, "storage")
    _judge_place(case, step, runs)
    if step.name:
        case.places[step.name] = runs


def _judge_place(case: Case, step: Step, runs: tuple[Run, ...]) -> None:
    """``inside`` and ``outside``: bytes that the storage shares with a place of before."""
    for name, inside in ((step.expect.inside, True), (step.expect.outside, False)):
        if name is None or name not in case.places:
            continue  # that step's answer is missing, and was told of
        shared, size = ranges.total(ranges.common(runs, case.places[name])), ranges.total(runs)
        got = f"{shared} of its {size} bytes are where '{name}' was"
        wanted = "all should be" if inside else "none should be"
        good = bool(runs) and shared == (size if inside else 0)
        case.log.check(good, step, Witness.GUEST, got, wanted)


def judge_addresses(
    case: Case, step: Step, witness: Witness, runs: tuple[Run, ...], wanted: Any, noun: str
) -> None:
    """``segments``, ``below`` and ``above`` of an expectation, against runs of addresses."""
    if wanted.segments is not None:
        got = f"the {noun}: {len(runs)} segments"
        case.log.check(len(runs) == wanted.segments, step, witness, got, f"{wanted.segments} are expected")
    if wanted.below is not None:
        inside = bool(runs) and all(run.end <= wanted.below for run in runs)
        got, limit = f"the {noun}: {ranges.show(runs)}", f"all should be below {wanted.below:#x}"
        case.log.check(inside, step, witness, got, limit)
    if wanted.above is not None:
        inside = bool(runs) and all(run.address >= wanted.above for run in runs)
        got, limit = f"the {noun}: {ranges.show(runs)}", f"all should be at or above {wanted.above:#x}"
        case.log.check(inside, step, witness, got, limit)


# ---- fences, names, and what else a file of a buffer has ----


def _judge_seek(case: Case, step: Step, result: Result) -> None:
    wanted = step.expect.at
    if wanted is not None:
        at = answers.number(result, "at")
        case.log.check(at == wanted, step, Witness.GUEST, f"it is at {at}", f"{wanted} is expected")


def _judge_fdinfo(case: Case, step: Step, result: Result) -> None:
    """Lines of ``key:<tab>value``."""
    lines = (line.partition(":") for line in answers.text(result, "text").splitlines())
    found = {key: value.strip() for key, _, value in lines}
    for key, wanted in (step.expect.fields or {}).items():
        got = f"{key} is {found[key]!r}" if key in found else f"there is no {key}"
        case.log.check(found.get(key) == wanted, step, Witness.GUEST, got, f"{wanted!r} is expected")


def _judge_poll(case: Case, step: Step, result: Result) -> None:
    if step.expect.ready is None:
        return
    ready = answers.words(result, "ready")
    got, wanted = f"ready are: {_list(ready)}", f"{_list(step.expect.ready)} expected"
    case.log.check(set(ready) == set(step.expect.ready), step, Witness.GUEST, got, wanted)


def _judge_fence(case: Case, step: Step, result: Result) -> None:
    """Without being asked: it has signalled, and without an error."""
    signaled, error = answers.truth(result, "signaled"), result.get("error")
    wanted = step.expect.signaled is not False
    got = "the fence has signalled" if signaled else "the fence has not signalled"
    case.log.check(
        signaled == wanted, step, Witness.GUEST, got, "it should have" if wanted else "it should not have"
    )
    got = f"the fence has {error or 'no error'}"
    case.log.check(
        error == step.expect.error, step, Witness.GUEST, got, f"{step.expect.error or 'none'} is expected"
    )


def _judge_guest_test(case: Case, step: Step, result: Result) -> None:
    report = guest_tests.of_run(result)
    case.log.checks += len(report.passed)
    case.log.notes.extend(report.skipped)
    for failure in report.failed:
        case.log.check(False, step, Witness.GUEST, f"not ok: {failure}", "every test should be ok")
    if report.trouble:
        case.log.check(False, step, Witness.GUEST, report.trouble, "a whole report is expected")


# ---- handles and counts ----


def _judge_handle(case: Case, step: Step, result: Result) -> None:
    wanted, number = step.expect.number, answers.number(result, "handle")
    if wanted is not None:
        got = f"the handle has the number {number}"
        case.log.check(number == wanted, step, Witness.GUEST, got, f"{wanted} is expected")


def _judge_handle_info(case: Case, step: Step, result: Result) -> None:
    storage = answers.text(result, "storage")
    if step.expect.storage is not None:
        got, wanted = f"its storage is {storage}", f"{step.expect.storage} is expected"
        case.log.check(storage == step.expect.storage, step, Witness.GUEST, got, wanted)


def _judge_stats(case: Case, step: Step, result: Result) -> None:
    for name, wanted in (step.expect.counts or {}).items():
        number = answers.number(result, name)
        got = f"there are {number} {name}"
        case.log.check(number == wanted, step, Witness.GUEST, got, f"{wanted} are expected")


def _judge_call(case: Case, step: Step, result: Result) -> None:
    wanted, got = step.expect.result, result.get("result")
    if wanted is not None:
        case.log.check(got == wanted, step, Witness.GUEST, f"it returned {got}", f"{wanted} is expected")
    if step.expect.below is not None:
        is_less = isinstance(got, int) and 0 < got < step.expect.below
        limit = f"less than {step.expect.below} is expected"
        case.log.check(is_less, step, Witness.GUEST, f"it returned {got}", limit)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


# ---- threads ----


def _judge_blocked(case: Case, step: Step, result: Result) -> None:
    """The thread is busy, and in the kernel function that is named, or asleep in any.

    ``wchan`` and ``stack`` are read one after the other: a thread that just goes to sleep can have the one
    and not yet the other, so that a named function counts in either.
    """
    function, wchan = step.args.get("in"), str(result.get("wchan") or "0")
    places = f"{wchan}\n{_text(result.get('stack'))}"
    waits = function in places if function else wchan != "0"
    got = f"thread '{step.args['thread']}' is {_activity(result, wchan)}"
    wanted = f"it should wait in {function}" if function else "it should be blocked"
    case.log.check(result.get("busy") is True and waits, step, Witness.GUEST, got, wanted)


def _activity(result: Result, wchan: str) -> str:
    if result.get("busy") is not True:
        return "idle"
    return "not waiting in the kernel" if wchan == "0" else f"waiting in {wchan}"


def _text(stack: Any) -> str:
    return "\n".join(map(str, stack)) if isinstance(stack, list) else str(stack or "")


def _at(offset: int | None) -> str:
    return "nowhere" if offset is None else f"byte {offset}"


def _witness(step: Step) -> Witness:
    return Witness.HOST if step.verb in HOST_VERBS else Witness.GUEST


def _judge_crc(case: Case, step: Step, result: Result) -> None:
    crc = answers.number(result, "crc")
    if step.name is not None:
        case.digests[step.name] = f"{crc:08x}"
    media_checks.judge_crc(case, step, crc)
    judge_same_as(case, step, Witness.GUEST, f"{crc:08x}")


def _judge_screen(case: Case, step: Step, result: Result) -> None:
    width, height = answers.number(result, "width"), answers.number(result, "height")
    media_checks.judge_screen(case, step, width, height, answers.digest(result))


_RESULTS: dict[str, Callable[[Case, Step, Result], None]] = {
    **dict.fromkeys((*OPERATIONS, "wait"), _judge_job),
    "cpu-write": _judge_cpu_write,
    "cpu-digest": _judge_cpu_digest,
    "ram-digest": _judge_ram_digest,
    "map": _judge_map,
    "buffer": _judge_buffer,
    "blocked": _judge_blocked,
    "seek": _judge_seek,
    "fdinfo": _judge_fdinfo,
    "poll": _judge_poll,
    "wait-fence": _judge_fence,
    "guest-test": _judge_guest_test,
    **dict.fromkeys(("to-handle", "handle-export"), _judge_handle),
    "handle-info": _judge_handle_info,
    "stats": _judge_stats,
    "call": _judge_call,
    "drm-crc": _judge_crc,
    "screendump": _judge_screen,
}
