# SPDX-License-Identifier: GPL-2.0-or-later
"""report.html: one file that shows a run to somebody who was not there.

Everything is computed here; the template has loops only, and escapes all it prints.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from dmabed import addressmap, evidence, media_evidence, paths, ranges
from dmabed.addressmap import AddressMap
from dmabed.evidence import Activity, EvidenceError, JobEvidence
from dmabed.layout import Layout
from dmabed.outcome import Entry, ScenarioResult
from dmabed.ranges import Run
from dmabed.results import Results, write_atomically
from dmabed.steps import Step
from dmabed.transcript import StepRecord, Transcript


@dataclass(frozen=True)
class StepRow:
    """One step: what the guest said beside what the hardware did."""

    number: int
    line: int
    what: str
    guest: str
    hardware: str
    seconds: str
    is_bad: bool
    stack: str
    """Where in the kernel a thread was seen asleep."""


@dataclass(frozen=True)
class Screen:
    """What a display showed, as the page holds it: a PNG in base64."""

    title: str
    png: str


@dataclass(frozen=True)
class Section:
    """One scenario: its result, and what there is to see of it."""

    result: ScenarioResult
    anchor: str
    entry: Entry | None
    steps: tuple[StepRow, ...] = ()
    map: AddressMap | None = None
    screens: tuple[Screen, ...] = ()


def write(results: Results) -> Path:
    """Write the report of a run into its folder."""
    path = results.folder / "report.html"
    write_atomically(path, render(results.as_json(), results.scenarios, results.entries, results.folder))
    return path


def render(
    results: Mapping[str, Any],
    scenarios: Sequence[ScenarioResult],
    entries: Mapping[str, Entry],
    folder: Path | None = None,
) -> str:
    """The page. ``results`` is what results.json holds, ``entries`` are found by the results' directories,
    which are in ``folder``."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(paths.TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = [
        _section(f"scenario-{number}", result, entries.get(result.directory), folder)
        for number, result in enumerate(scenarios, 1)
    ]
    return environment.get_template("report.html.j2").render(results=results, sections=sections)


def _section(anchor: str, result: ScenarioResult, entry: Entry | None, folder: Path | None = None) -> Section:
    if entry is None or entry.transcript is None:
        return Section(result, anchor, entry)
    activities = _activities(entry.transcript)
    rows = tuple(_step_row(entry, step, activities) for step in entry.scenario.steps)
    drawn = _map(entry.layout, entry.transcript, activities)
    screens = _screens(entry, folder / result.directory) if folder else ()
    return Section(result, anchor, entry, rows, drawn, screens)


def _screens(entry: Entry, folder: Path) -> tuple[Screen, ...]:
    """The screendumps that were taken, in order."""
    assert entry.transcript is not None
    found = []
    for step in entry.scenario.steps:
        record = entry.transcript.record(step.index)
        name = ((record and record.answer) or {}).get("result", {}).get("file")
        if step.verb == "screendump" and name and (folder / name).is_file():
            png = base64.b64encode((folder / name).read_bytes()).decode()
            found.append(Screen(f"step {step.index + 1}: {step.args['device']}", png))
    return tuple(found)


def _activities(transcript: Transcript) -> dict[str, Activity]:
    """What the devices did, as far as their evidence can be read: the verdict has said what can't."""
    found = {}
    for device in transcript.evidence:
        try:
            found[device] = evidence.of_transcript(device, transcript)
        except EvidenceError:
            continue
    return found


# ---- steps ----


def _step_row(entry: Entry, step: Step, activities: Mapping[str, Activity]) -> StepRow:
    assert entry.transcript is not None
    record = entry.transcript.record(step.index)
    job = _job(record, activities)
    return StepRow(
        number=step.index + 1,
        line=step.line,
        what=step.what,
        guest=_guest_text(record),
        hardware=_picture_text(entry, step, record) if job is None else _hardware_text(job),
        seconds="" if record is None else f"{record.seconds:.3f}",
        is_bad=any(finding.step_index == step.index for finding in entry.verdict.findings),
        stack=_stack(record),
    )


def _job(record: StepRecord | None, activities: Mapping[str, Activity]) -> JobEvidence | None:
    if record is None or record.job is None or record.job.device not in activities:
        return None
    return activities[record.job.device].jobs.get(record.job.nth)


def _stack(record: StepRecord | None) -> str:
    """The kernel stack that a ``blocked`` step found."""
    result = (record.answer or {}).get("result") if record else None
    return str((result or {}).get("stack") or "").strip()


def _guest_text(record: StepRecord | None) -> str:
    if record is None:
        return "not run"
    if record.answer is None:
        return "no answer"
    if record.answer.get("ok") is not True:
        return f"{record.answer.get('errno', '?')} from {record.answer.get('call', '?')}"
    result = record.answer.get("result") or {}
    words = ["ok"]
    words += [f"{key} {_short(result[key])}" for key in _GUEST_KEYS if result.get(key) not in (None, "")]
    return ", ".join(words)


_GUEST_KEYS = ("status", "error", "bytes", "sha256", "storage", "migrations", "segments", "wchan")


def _short(value: Any) -> str:
    if isinstance(value, list):
        pairs = [f"{pair[0]}+{pair[1]}" for pair in value[:2] if isinstance(pair, list) and len(pair) == 2]
        return ", ".join(pairs) + (f" and {len(value) - 2} more" if len(value) > 2 else "")
    text = str(value)
    return text if len(text) <= 20 else f"{text[:12]}…"


def _picture_text(entry: Entry, step: Step, record: StepRecord | None) -> str:
    """What a media block did for a step, as far as its evidence can be read."""
    if step.frame is None or record is None or entry.transcript is None:
        return ""
    block, transcript = step.frame.device, entry.transcript
    try:
        before, after = transcript.media_before.get(block), transcript.media.get(block)
        found = media_evidence.during(block, before, after).operations.get(record.picture or 0)
    except EvidenceError:
        return ""
    if found is None:
        return ""
    words = [found.op, found.status]
    for verb, side in (("read", found.read), ("wrote", found.written)):
        if side.runs:
            words.append(f"{verb} {side.bytes} bytes at bus {ranges.show(side.runs, 2)}")
            words.append(f"sha256 {side.sha256[:12]}…")
    if found.cut:
        words.append("where was dropped from its record")
    return ", ".join(words)


def _hardware_text(job: JobEvidence) -> str:
    words = [job.op, job.status if job.done else "not done", f"{job.bytes} bytes"]
    if job.sha256:
        words.append(f"sha256 {job.sha256[:12]}…")
    for verb, runs in (("read", job.read), ("wrote", job.written)):
        if runs:
            words.append(f"{verb} bus {ranges.show(runs, 2)}")
    words += [f"violation {violation.kind}" for violation in job.violations]
    if job.cut:
        words.append("where was dropped from its record")
    if job.injected != "none":
        words.append(f"injected {job.injected}")
    return ", ".join(words)


# ---- the picture ----


def _map(layout: Layout, transcript: Transcript, activities: Mapping[str, Activity]) -> AddressMap:
    buffers: dict[str, list[Run]] = {}
    for record in transcript.steps:
        for name, snapshot in record.buffers.items():
            buffers.setdefault(name, []).extend(snapshot.segments)
    driven: dict[str, dict[str, Sequence[Run]]] = {}
    for device in layout.devices:
        jobs = activities[device.name].jobs.values() if device.name in activities else ()
        if jobs:
            read = [run for job in jobs for run in job.read]
            written = [run for job in jobs for run in job.written]
            ways = {"read": evidence.to_cpu(device, read)[0], "written": evidence.to_cpu(device, written)[0]}
            if layout.translates(device):
                ways = {
                    "read": tuple(run for job in jobs for run in job.read_system),
                    "written": tuple(run for job in jobs for run in job.written_system),
                }
            driven[device.name] = dict(ways)
    return addressmap.draw(layout, buffers, driven | _driven_by_media(layout, transcript))


def _driven_by_media(layout: Layout, transcript: Transcript) -> dict[str, dict[str, Sequence[Run]]]:
    """Where the media blocks moved bytes; behind an IOMMU they do not know."""
    driven: dict[str, dict[str, Sequence[Run]]] = {}
    for block in (block for block in layout.media if not layout.translates(block)):
        before, after = transcript.media_before.get(block.name), transcript.media.get(block.name)
        try:
            done = media_evidence.during(block.name, before, after).operations.values()
        except EvidenceError:
            continue
        read = [run for operation in done for run in operation.read.runs]
        written = [run for operation in done for run in operation.written.runs]
        if read or written:
            driven[block.name] = {
                "read": evidence.to_cpu(block, read)[0],
                "written": evidence.to_cpu(block, written)[0],
            }
    return driven
