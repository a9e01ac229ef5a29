# SPDX-License-Identifier: GPL-2.0-or-later
"""Honest transcripts without a guest: a small model of a guest whose devices all tell the truth.

A test takes a recording, spoils one thing in it, and looks whether the
verdict sees that. Devices have no offsets here: bus addresses are the CPU's.
"""

from __future__ import annotations

import copy
import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmabed import layout as layouts
from dmabed import ranges, scenario
from dmabed.evidence import BLANK
from dmabed.findings import Verdict
from dmabed.pattern import pattern
from dmabed.ranges import Run
from dmabed.scenario import Scenario
from dmabed.steps import OPERATIONS, Operation, Step
from dmabed.transcript import BufferSnapshot, Event, EventKind, JobRef, StepRecord, Transcript
from dmabed.verdict import judge

LOW, HIGH = 0x50000000, 0x140000000

SHARE = """
  - export: {buffer: frame, size: 64KiB}
  - attach: {device: capture, buffer: frame}
  - attach: {device: codec, buffer: frame}
  - fill: {device: capture, buffer: frame, seed: 7}
  - digest: {device: codec, buffer: frame}
    expect: {pattern: 7}
"""
FILL, DIGEST = 3, 4  # steps of SHARE, by index

# what a guest counts that nothing was left behind in
COUNTS: dict[str, int | None] = {
    "fds": 5,
    "dma-bufs": 0,
    "pages of CMA": 16,
    "references to dmabed_exporter": 0,
    "live attachments": 0,
    "live jobs": None,
    "jobs in codec": 0,
    "entries in the ring of codec": 0,
    "interrupts pending in codec": 0,
}


# Values are frozen, and reading YAML takes most of a test's time: each text is read once.
imx8mp = functools.cache(lambda: layouts.find("imx8mp-6g"))
_loaded: dict[str, Scenario] = {}


def load(folder: Path, steps: str, hardware: str = "") -> Scenario:
    """A scenario on imx8mp-6g with these steps."""
    text = f"scenario: story\npurpose: a story\nlayouts: [imx8mp-6g]\n\nsteps:{steps}\n{hardware}\n"
    if text not in _loaded:
        file = folder / "story.yaml"
        file.write_text(text, encoding="utf-8")
        _loaded[text] = scenario.load(file)
    return _loaded[text]


@dataclass
class Recording:
    """A transcript that can be spoiled."""

    scenario: Scenario
    answers: dict[int, dict[str, Any] | None] = field(default_factory=dict)
    jobs: dict[int, JobRef] = field(default_factory=dict)
    places: dict[int, dict[str, BufferSnapshot]] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    bounce_pools: tuple[Run, ...] = (Run(0x60000000, 1 << 20),)
    counts_before: dict[str, int | None] | None = field(default_factory=lambda: dict(COUNTS))
    counts_after: dict[str, int | None] | None = field(default_factory=lambda: dict(COUNTS))

    def job(self, device: str, nth: int = 1) -> dict[str, Any]:
        """The device's record of a job, to be changed."""
        found: dict[str, Any] = self.evidence[device]["jobs"][nth - 1]
        return found

    def result(self, index: int) -> dict[str, Any]:
        """The guest's result of a step, to be changed."""
        answer = self.answers[index]
        assert answer is not None
        result: dict[str, Any] = answer["result"]
        return result

    def happened(self, kind: EventKind, text: str, index: int | None = None) -> None:
        self.events.append(Event(kind, text, index))

    def verdict(self) -> Verdict:
        return judge(self.scenario, imx8mp(), self.transcript())

    def transcript(self) -> Transcript:
        steps = tuple(
            StepRecord(index, 0.0, 0.0, answer, self.jobs.get(index), self.places.get(index, {}))
            for index, answer in sorted(self.answers.items())
        )
        return Transcript(
            scenario="story",
            layout="imx8mp-6g",
            steps=steps,
            evidence=self.evidence,
            evidence_before=self.before,
            events=tuple(self.events),
            bounce_pools=self.bounce_pools,
            seconds=1.0,
            counts_before=self.counts_before,
            counts_after=self.counts_after,
        )


def record(story: Scenario, places: dict[str, list[Run]] | None = None) -> Recording:
    """What an honest guest and honest devices would have left; ``places`` is the buffers' storage."""
    return _Model(story, places or {}).run()


def record_steps(
    folder: Path, steps: str, places: dict[str, list[Run]] | None = None, **more: str
) -> Recording:
    return record(load(folder, steps, **more), places)


class _Model:
    def __init__(self, story: Scenario, places: dict[str, list[Run]]) -> None:
        self.story = story
        self.places = dict(places)
        self.bytes: dict[str, bytearray] = {}
        self.out = Recording(story)
        self.results: dict[str, dict[str, Any]] = {}
        self.fault = "none"
        for device in imx8mp().devices:
            self.out.evidence[device.name] = _no_evidence()
        self.out.before = copy.deepcopy(self.out.evidence)

    def run(self) -> Recording:
        for step in self.story.steps:
            self.out.answers[step.index] = self._answer(step)
        return self.out

    def _answer(self, step: Step) -> dict[str, Any]:
        if step.expect.errno is not None:
            return {"ok": False, "errno": step.expect.errno, "call": step.verb, "why": "as expected"}
        return {"ok": True, "result": self._result(step)}

    def _result(self, step: Step) -> dict[str, Any]:
        args = step.args
        if step.verb == "export":
            self._export(args["buffer"], args["size"])
        elif step.verb in OPERATIONS or step.verb == "submit":
            result = self._job(step)
            if step.verb != "submit":
                return result
            self.results[step.name or ""] = result
            return {"job": 1}
        elif step.verb == "wait":
            return self.results[args["job"]]
        elif step.verb == "cpu-write":
            self._write(args["buffer"], args["offset"], pattern(args["seed"], args["offset"], args["size"]))
            return {"sha256": _sha(pattern(args["seed"], args["offset"], args["size"]))}
        elif step.verb in ("cpu-digest", "ram-digest"):
            offset = args.get("offset", 0)
            data = bytes(self.bytes[args["buffer"]][offset : offset + args["size"]])
            return {"sha256": _sha(data), "length": len(data)}
        elif step.verb in ("buffer", "map"):
            return self._where(args["buffer"])
        elif step.verb == "blocked":
            return {"busy": True, "op": "map", "wchan": "dma_fence_default_wait", "stack": "[<0>] schedule"}
        elif step.verb == "inject":
            self.fault = args["fault"]
        return {}

    def _export(self, name: str, size: int) -> None:
        self.bytes[name] = bytearray(size)
        self.places.setdefault(name, [Run(LOW + (len(self.bytes) << 20), size)])

    def _where(self, name: str) -> dict[str, Any]:
        segments = [[hex(run.address), hex(run.length)] for run in self.places[name]]
        return {"storage": "contiguous", "migrations": 0, "segments": segments}

    def _write(self, name: str, offset: int, data: bytes) -> None:
        self.bytes[name][offset : offset + len(data)] = data

    def _job(self, step: Step) -> dict[str, Any]:
        operation = step.operation
        assert operation is not None
        status, mismatch, data = self._move(operation)
        job = self._evidence_of(operation, status, mismatch, data)
        log = self.out.evidence[operation.device]
        log["jobs-total"] += 1
        log["data-accesses"] += 1
        job["seq"] = log["jobs-total"]
        log["jobs"].append(job)
        self.out.jobs[step.index] = JobRef(operation.device, log["jobs-total"])
        places = {name: BufferSnapshot("contiguous", tuple(self.places[name])) for name in self.bytes}
        self.out.places[step.index] = places
        return {
            "status": status,
            "error": None,
            "bytes": hex(operation.length),
            "mismatch": hex(mismatch % 2**64),
            "sha256": job["sha256"],
        }

    def _move(self, operation: Operation) -> tuple[str, int, bytes]:
        """Status, first difference and the bytes that are digested."""
        span = slice(operation.offset, operation.offset + operation.length)
        if operation.operation == "fill":
            data = pattern(operation.seed, operation.offset, operation.length)
            self._write(operation.target or "", operation.offset, data)
            return "ok", -1, data
        data = bytes(self.bytes[operation.source or ""][span])
        if operation.operation == "copy":
            self._write(operation.target or "", operation.offset, data)
        if operation.operation == "compare":
            other = self.bytes[operation.target or ""][span]
            different = [at for at, (a, b) in enumerate(zip(data, other, strict=True)) if a != b]
            if different:
                return "mismatch-found", different[0], data
        return "ok", -1, data

    def _evidence_of(self, operation: Operation, status: str, mismatch: int, data: bytes) -> dict[str, Any]:
        source, target = self._part(operation, operation.source), self._part(operation, operation.target)
        compares = operation.operation == "compare"
        injected, self.fault = self.fault, "none"
        return {
            "cookie": 1,
            "op": operation.operation,
            "status": status,
            "length": operation.length,
            "bytes": operation.length,
            "seed": operation.seed,
            "sha256": _sha(data),
            "mismatch-at": mismatch,
            "start-ns": 1,
            "end-ns": 2,
            "done": True,
            "src": source,
            "dst": target,
            "read": source + target if compares else list(source),
            "written": [] if compares else list(target),
            "src-dropped": 0,
            "dst-dropped": 0,
            "read-dropped": 0,
            "written-dropped": 0,
            **NOT_TRANSLATED,
            "violations": [],
            "violations-dropped": 0,
            "cut": False,
            "injected": injected,
        }

    def _part(self, operation: Operation, name: str | None) -> list[dict[str, int]]:
        if name is None:
            return []
        runs = ranges.cut(self.places[name], operation.offset, operation.length)
        return [{"bus": run.address, "length": run.length} for run in runs]


NOT_TRANSLATED: dict[str, Any] = {
    "read-system": [],
    "written-system": [],
    "read-system-dropped": 0,
    "written-system-dropped": 0,
}


def _no_evidence() -> dict[str, Any]:
    return {**copy.deepcopy(dict(BLANK)), "jobs": []}


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
