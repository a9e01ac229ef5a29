# SPDX-License-Identifier: GPL-2.0-or-later
"""Spoils the record of a good run, to see that the verdict looks at it: pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from dmabed.ranges import Run
from dmabed.transcript import Departed, StepRecord, Transcript

WRONG_DIGEST = "0" * 64

# tamperings that need no record: the harness only pretends to do the verb
_PRETENDED = {"no-hold": "hold", "no-inject": "inject", "no-unplug": "unplug", "no-ignore-zap": "ignore-zap"}


def apply(name: str, transcript: Transcript) -> Transcript:
    """The transcript as the tampering of this name leaves it; others leave it as it is."""
    spoil = _SPOILERS.get(name)
    return spoil(transcript) if spoil else transcript


def skipped_verb(name: str) -> str | None:
    """The verb that the harness only pretends to do."""
    return _PRETENDED.get(name)


def names() -> tuple[str, ...]:
    """All that can be done."""
    return (*_SPOILERS, *_PRETENDED)


def _without_evidence(transcript: Transcript) -> Transcript:
    """Of the device that did the most."""
    device = max(transcript.evidence, key=lambda name: len((transcript.evidence[name] or {}).get("jobs", ())))
    return dataclasses.replace(transcript, evidence={**transcript.evidence, device: None})


def _guest_digest(transcript: Transcript) -> Transcript:
    """The last digest that the guest told of."""
    last = [step for step in transcript.steps if _digest_of(step)][-1:]
    steps = tuple(_with_digest(step) if step in last else step for step in transcript.steps)
    return dataclasses.replace(transcript, steps=steps)


def _digest_of(step: StepRecord) -> str:
    result = (step.answer or {}).get("result") or {}
    return str(result.get("sha256") or "")


def _with_digest(step: StepRecord) -> StepRecord:
    assert step.answer is not None, "it has a digest"
    result = {**step.answer["result"], "sha256": WRONG_DIGEST}
    return dataclasses.replace(step, answer={**step.answer, "result": result})


def _device_digest(transcript: Transcript) -> Transcript:
    """Of each device's last job."""
    evidence = {name: _with_wrong_job(raw) for name, raw in transcript.evidence.items()}
    return dataclasses.replace(transcript, evidence=evidence)


def _with_wrong_job(raw: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if not raw or not raw.get("jobs"):
        return raw
    *jobs, last = raw["jobs"]
    return {**raw, "jobs": [*jobs, {**last, "sha256": WRONG_DIGEST}]}


def _without_last_words(transcript: Transcript) -> Transcript:
    """Of every device that was unplugged."""
    departed = {
        device: tuple(Departed(None, life.submitted) if life.gone else life for life in lives)
        for device, lives in transcript.departed.items()
    }
    return dataclasses.replace(transcript, departed=departed)


def _pool_elsewhere(transcript: Transcript) -> Transcript:
    """The guest bounces behind the memory that it named."""
    moved = tuple(Run(pool.end, pool.length) for pool in transcript.bounce_pools)
    return dataclasses.replace(transcript, bounce_pools=moved)


def _leaky(transcript: Transcript) -> Transcript:
    """One of everything more than there was."""
    after = {
        name: None if count is None else count + 1 for name, count in (transcript.counts_after or {}).items()
    }
    return dataclasses.replace(transcript, counts_after=after)


_SPOILERS: dict[str, Callable[[Transcript], Transcript]] = {
    "evidence-missing": _without_evidence,
    "last-words-missing": _without_last_words,
    "pool-elsewhere": _pool_elsewhere,
    "guest-digest-wrong": _guest_digest,
    "device-digest-wrong": _device_digest,
    "something-left": _leaky,
}
