# SPDX-License-Identifier: GPL-2.0-or-later
"""Do the steps of a scenario make sense one after the other?

A walk over the steps that keeps what a reader would keep in mind: which
buffers are there and how large, which devices are attached, which jobs and
threads are under way. What can't work is refused here, by line, instead of
half-way through a run; a step that expects an ``errno`` may ask for nonsense
of the kernel, but not of the testbed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dmabed import units
from dmabed.errors import InputError
from dmabed.generation import CURRENT, KEY, has_brackets
from dmabed.media_story import MEDIA_VERBS, NEW_BUFFERS, MediaStory, Nonsense
from dmabed.pattern import WORD
from dmabed.requests import JOB_EXTRAS
from dmabed.steps import DIGESTS, OPERATIONS, Operation, Step, Via, wait_keys
from dmabed.yamlfile import Document, Key


@dataclass(frozen=True)
class _Buffer:
    size: int
    is_heap: bool
    generation: str = CURRENT


@dataclass
class _Story:
    """What is known before the next step."""

    document: Document
    buffers: dict[str, _Buffer] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    # by process (None: the agent itself), device and buffer
    attached: set[tuple[str | None, str, str]] = field(default_factory=set)
    # the processes that have an fd of each buffer
    holders: dict[str, set[str | None]] = field(default_factory=dict)
    jobs: dict[str, Operation] = field(default_factory=dict)
    submitters: dict[str, str | None] = field(default_factory=dict)
    fences: set[tuple[str | None, str]] = field(default_factory=set)
    threads: dict[str, Step] = field(default_factory=dict)
    processes: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)  # devices that are out of their slots
    names: set[str] = field(default_factory=set)
    # what is behind each handle, and the process whose open file has it
    handles: dict[str, tuple[_Buffer, str | None]] = field(default_factory=dict)
    digests: set[str] = field(default_factory=set)
    media: MediaStory = field(default_factory=MediaStory)

    def error(self, step: Step, key: tuple[Key, ...], what: str, allowed: str = "") -> InputError:
        return self.document.error(("steps", step.index, *key), what, allowed)


def check(document: Document, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps with their jobs' operations and sizes filled in. Raises InputError."""
    story = _Story(document)
    told = [_next(story, step) for step in steps]
    for thread, step in story.threads.items():
        what = f"thread '{thread}' is never joined"
        raise story.error(step, ("thread",), what, f"a later step 'join: {{thread: {thread}}}'")
    _check_alone(story, steps)
    return tuple(told)


def _check_alone(story: _Story, steps: Sequence[Step]) -> None:
    """Which job is whose is known by their order, and a guest test has jobs of its own."""
    jobs = [step for step in steps if step.verb in (*OPERATIONS, "submit")]
    if jobs and any(step.verb == "guest-test" for step in steps):
        what = "a scenario with guest tests has no jobs of its own"
        raise story.error(jobs[0], (jobs[0].verb,), what, "a scenario for each")


def _next(story: _Story, step: Step) -> Step:
    """Tell one step: check it against the story, then let it change the story."""
    _check_same_as(story, step)
    if step.process:
        story.processes.add(step.process)
    step = _TELL[step.verb](story, _in_its_generation(story, step))
    _check_corrupted_at(story, step)
    if step.thread:
        story.threads[step.thread] = step
    if step.name:
        if step.name in story.names:
            raise story.error(step, ("as",), f"the name '{step.name}' is taken by an earlier step")
        story.names.add(step.name)
        if step.verb in (*DIGESTS, "drm-crc"):
            story.digests.add(step.name)
    return step


def _in_its_generation(story: _Story, step: Step) -> Step:
    """A step goes the way of its buffer's generation, unless it says another."""
    data = story.document.data["steps"][step.index][step.verb]
    buffer = story.buffers.get(step.args.get("buffer", ""))
    if buffer is None or KEY in data or step.verb in ("export", "heap"):
        return step
    return dataclasses.replace(step, generation=buffer.generation)


# ---- buffers ----


def _tell_new_buffer(story: _Story, step: Step) -> Step:
    name, size = step.args["buffer"], step.args["size"]
    if name in story.buffers:
        raise story.error(step, (step.verb, "buffer"), f"buffer '{name}' is there already", "close it first")
    if any(buffer == name for _, _, buffer in story.attached):
        what = f"the name '{name}' belongs to a closed buffer that is still attached"
        raise story.error(step, (step.verb, "buffer"), what, "detach it first")
    if not step.expect.errno:
        if size == 0:
            raise story.error(
                step, (step.verb, "size"), "a buffer of no bytes", "1 or more, or expect an errno"
            )
        _check_address(story, step)
        is_kernels = step.verb != "export"
        story.buffers[name] = _Buffer(size, is_kernels, CURRENT if is_kernels else step.generation)
        story.holders[name] = {step.process}
    return step


def _tell_dup(story: _Story, step: Step) -> Step:
    buffer, name = _buffer(story, step, "buffer"), step.args["to"]
    if name in story.buffers:
        raise story.error(step, (step.verb, "to"), f"buffer '{name}' is there already", "another name")
    if not step.expect.errno:
        story.buffers[name] = buffer
        story.holders[name] = {step.process}
    return step


def _check_address(story: _Story, step: Step) -> None:
    has, needs = "address" in step.args, step.args.get("storage") == "fixed"
    if needs and not has:
        raise story.error(step, (step.verb,), "storage 'fixed' needs an address")
    if has and not needs:
        raise story.error(step, (step.verb, "address"), "only storage 'fixed' takes an address")
    named = step.args.get("storage") in ("pool", "local")
    if named != ("source" in step.args):
        what = "storage 'pool' and 'local' need a source, the others take none"
        raise story.error(step, (step.verb,), what, "the pool's or the engine's name")


def _tell_migrate(story: _Story, step: Step) -> Step:
    _tell_where(story, step)
    if not step.expect.errno:
        _check_address(story, step)
    return step


def _tell_close(story: _Story, step: Step) -> Step:
    name = step.args["buffer"]
    _buffer(story, step, "buffer")
    if not step.expect.errno:
        _let_go(story, name, step.process)
    return step


def _let_go(story: _Story, name: str, process: str | None) -> None:
    """One process less has the buffer; attachments stay: they hold it, and can still be ended."""
    story.holders[name].discard(process)
    if not story.holders[name]:
        del story.buffers[name]
        story.closed.add(name)


def _tell_close_device(story: _Story, step: Step) -> Step:
    """The kernel ends what the file had attached, and forgets its jobs."""
    story.attached = {entry for entry in story.attached if entry[:2] != (step.process, step.args["device"])}
    _forget_jobs(story, step.process, step.args["device"])
    return step


def _forget_jobs(story: _Story, process: str | None, device: str | None = None) -> None:
    for name, operation in list(story.jobs.items()):
        if story.submitters[name] == process and device in (None, operation.device):
            del story.jobs[name]


def _tell_exit_process(story: _Story, step: Step) -> Step:
    """All that the process had is given back by the kernel."""
    process = step.args["name"]
    if process not in story.processes:
        known = ", ".join(sorted(story.processes)) or "none: a step with 'process' makes one"
        raise story.error(step, ("exit-process", "name"), f"there is no process '{process}' here", known)
    story.processes.remove(process)
    story.attached = {entry for entry in story.attached if entry[0] != process}
    story.fences = {entry for entry in story.fences if entry[0] != process}
    for name in [name for name in story.buffers if process in story.holders[name]]:
        _let_go(story, name, process)
    _forget_jobs(story, process)
    story.handles = {name: entry for name, entry in story.handles.items() if entry[1] != process}
    return step


def _tell_where(story: _Story, step: Step) -> Step:
    """``buffer`` and ``ram-digest``: kernel heaps do not tell where their buffers are."""
    buffer = _buffer(story, step, "buffer")
    if buffer.is_heap and not step.expect.errno:
        what = f"nobody tells where a heap buffer as '{step.args['buffer']}' is"
        raise story.error(step, (step.verb, "buffer"), what, "buffers made by export")
    for path, place in _places_of(step):
        if place not in story.places:
            known = ", ".join(sorted(story.places)) or "none: name a step 'buffer' with 'as'"
            raise story.error(step, path, f"no place '{place}' is known", known)
    if step.verb == "buffer" and step.name:
        story.places.add(step.name)
    if step.verb == "ram-digest":
        return dataclasses.replace(step, args={**step.args, "size": buffer.size})
    return step


def _places_of(step: Step) -> list[tuple[tuple[Key, ...], str]]:
    """Places of before that a step names, each with its key."""
    named = [
        ((step.verb, "place"), step.args.get("place")),
        (("expect", "inside"), step.expect.inside),
        (("expect", "outside"), step.expect.outside),
    ]
    return [(path, place) for path, place in named if place is not None]


def _tell_cpu(story: _Story, step: Step) -> Step:
    buffer = _buffer(story, step, "buffer")
    size = _checked_size(story, step, buffer.size)
    sync = step.args.get("sync", has_brackets(step.generation))
    return dataclasses.replace(step, args={**step.args, "size": size, "sync": sync})


# ---- attachments ----


def _tell_attach(story: _Story, step: Step) -> Step:
    _buffer(story, step, "buffer")
    entry = (step.process, step.args["device"], step.args["buffer"])
    if entry in story.attached:
        raise story.error(
            step, ("attach",), f"{entry[1]} is attached to '{entry[2]}' already", "detach it first"
        )
    if not step.expect.errno:
        story.attached.add(entry)
    return step


def _tell_map(story: _Story, step: Step) -> Step:
    _buffer(story, step, "buffer")
    return _tell_unmap(story, step)


def _tell_unmap(story: _Story, step: Step) -> Step:
    _check_attached(story, step, step.args["device"], "buffer")
    return step


def _tell_detach(story: _Story, step: Step) -> Step:
    _check_attached(story, step, step.args["device"], "buffer")
    if not step.expect.errno:
        story.attached.remove((step.process, step.args["device"], step.args["buffer"]))
    return step


def _check_attached(story: _Story, step: Step, device: str, key: str) -> None:
    name = step.args[key]
    if (step.process, device, name) not in story.attached:
        by = (
            f"process '{step.process}' has not attached {device}"
            if step.process
            else f"{device} is not attached"
        )
        what = f"{by} to '{name}' here"
        raise story.error(step, (step.verb, key), what, f"after a step 'attach: {{device: {device}, ...}}'")


# ---- jobs ----


def _tell_job(story: _Story, step: Step) -> Step:
    name = step.args.get("operation", step.verb)
    _check_job_keys(story, step, name)
    operation = _operation(story, step, name)
    _check_job_hardware(story, step, operation)
    _tell_job_fences(story, step)
    told = dataclasses.replace(step, args={**step.args, "size": operation.length}, operation=operation)
    if step.verb == "submit" and step.name and not step.expect.errno:
        story.jobs[step.name] = operation
        story.submitters[step.name] = step.process
    return _without_via(told) if _has_heap(story, operation) else told


def _operation(story: _Story, step: Step, name: str) -> Operation:
    source, target = _ends(step, name)
    sizes = []
    for key in ("buffer", "from", "to"):
        if key in step.args:
            sizes.append(_buffer(story, step, key).size)
            _check_attached(story, step, step.args["device"], key)
    return Operation(
        device=step.args["device"],
        operation=name,
        source=source,
        target=target,
        seed=step.args.get("seed", 0),
        offset=step.args.get("offset", 0),
        length=_checked_size(story, step, min(sizes)),
    )


def _tell_job_fences(story: _Story, step: Step) -> None:
    if "in-fence" in step.args:
        _check_fence(story, step, "in-fence")
    if "out-fence" in step.args and not step.expect.errno:
        _add_fence(story, step, "out-fence")


def _ends(step: Step, name: str) -> tuple[str | None, str | None]:
    if name == "fill":
        return None, step.args["buffer"]
    if name == "digest":
        return step.args["buffer"], None
    return step.args["from"], step.args["to"]


def _check_job_keys(story: _Story, step: Step, name: str) -> None:
    """The schema knows the keys of each verb, but not those of ``submit`` with an operation."""
    needs = ("buffer",) if name in ("fill", "digest") else ("from", "to")
    takes = {"fill": ("seed", "offset"), "digest": ("offset",)}.get(name, ())
    extras = JOB_EXTRAS if step.verb == "submit" else ()
    allowed = ("device", "operation", *needs, *takes, "size", *extras)
    for key in step.args:
        if key not in allowed:
            raise story.error(step, (step.verb, key), f"unknown key for {name}", ", ".join(allowed))
    for key in needs:
        if key not in step.args:
            raise story.error(step, (step.verb,), f"key '{key}' is missing")


def _check_job_hardware(story: _Story, step: Step, operation: Operation) -> None:
    wanted = story.document.data["steps"][step.index].get("hardware", {})
    if "touches" in wanted and wanted["touches"] not in story.buffers:
        known = ", ".join(story.buffers)
        raise story.error(
            step, ("hardware", "touches"), f"there is no buffer '{wanted['touches']}' here", known
        )
    if wanted.get("via", "any") != "any" and _has_heap(story, operation):
        raise story.error(step, ("hardware", "via"), "nobody tells where a heap buffer is", "any")


def _has_heap(story: _Story, operation: Operation) -> bool:
    return any(story.buffers[name].is_heap for name in operation.buffers)


def _without_via(step: Step) -> Step:
    assert step.hardware is not None
    return dataclasses.replace(step, hardware=dataclasses.replace(step.hardware, via=Via.ANY))


def _tell_wait(story: _Story, step: Step) -> Step:
    name = step.args["job"]
    operation = story.jobs.get(name)
    if operation is None:
        known = ", ".join(story.jobs) or "none: submit one, and name it with 'as'"
        raise story.error(step, ("wait", "job"), f"no job '{name}' is under way here", known)
    if story.submitters[name] != step.process:
        by = story.submitters[name] or "the agent itself"
        raise story.error(step, ("wait", "job"), f"job '{name}' was submitted by {by}", "wait there")
    for key in story.document.data["steps"][step.index].get("expect", {}):
        if key not in wait_keys(operation.operation):
            what = f"a {operation.operation} has no such answer"
            raise story.error(step, ("expect", key), what, ", ".join(wait_keys(operation.operation)))
    if step.expect.errno != "ETIMEDOUT":  # a wait that ran out of time can be repeated
        del story.jobs[name]
        if operation.operation == "digest":
            story.digests.add(name)
    return dataclasses.replace(step, operation=operation)


def _check_same_as(story: _Story, step: Step) -> None:
    for key, name in (("same-as", step.expect.same_as), ("differs-from", step.expect.differs_from)):
        _check_digest(story, step, key, name)


def _check_digest(story: _Story, step: Step, key: str, name: str | None) -> None:
    if name is not None and name not in story.digests:
        known = ", ".join(sorted(story.digests)) or "none: name an earlier digest with 'as'"
        raise story.error(step, ("expect", key), f"no digest '{name}' was taken before", known)


def _check_corrupted_at(story: _Story, step: Step) -> None:
    """The byte is one of those that are digested: of others the expectation would say nothing."""
    at = step.expect.corrupted_at
    if at is None:
        return
    offset, size = step.args.get("offset", 0), step.args.get("size", 0)
    if step.operation is not None:
        offset, size = step.operation.offset, step.operation.length
    if not offset <= at < offset + size:
        what = f"byte {at} is not digested"
        raise story.error(step, ("expect", "corrupted-at"), what, f"{offset} to {offset + size - 1}")


# ---- threads ----


def _tell_join(story: _Story, step: Step) -> Step:
    _check_thread(story, step)
    del story.threads[step.args["thread"]]
    return step


def _tell_blocked(story: _Story, step: Step) -> Step:
    _check_thread(story, step)
    return step


def _check_thread(story: _Story, step: Step) -> None:
    name = step.args["thread"]
    if name not in story.threads:
        known = ", ".join(story.threads) or "none: start one with 'thread' at a step"
        raise story.error(step, (step.verb, "thread"), f"no thread '{name}' is at work here", known)


# ---- fences ----


def _tell_new_fence(story: _Story, step: Step) -> Step:
    if step.verb == "export-sync-file":
        _buffer(story, step, "buffer")
    else:
        _check_fence(story, step, "one")
        _check_fence(story, step, "other")
    if not step.expect.errno:
        _add_fence(story, step, "fence")
    return step


def _add_fence(story: _Story, step: Step, key: str) -> None:
    entry = (step.process, step.args[key])
    if entry in story.fences:
        raise story.error(step, (step.verb, key), f"fence '{entry[1]}' is there already", "close it first")
    story.fences.add(entry)


def _tell_fence(story: _Story, step: Step) -> Step:
    if "fence" in step.args:
        _check_fence(story, step, "fence")
    if "buffer" in step.args:
        _buffer(story, step, "buffer")
    if step.verb == "close-fence":
        story.fences.remove((step.process, step.args["fence"]))
    return step


def _tell_poll(story: _Story, step: Step) -> Step:
    if ("buffer" in step.args) == ("fence" in step.args):
        raise story.error(step, ("poll",), "poll takes a buffer or a fence", "one of them")
    return _tell_fence(story, step)


def _check_fence(story: _Story, step: Step, key: str) -> None:
    if (step.process, step.args[key]) not in story.fences:
        known = ", ".join(sorted(name for process, name in story.fences if process == step.process))
        what = f"there is no fence '{step.args[key]}' here"
        raise story.error(step, (step.verb, key), what, known or "none: export one first")


# ---- devices that come and go ----


def _tell_host(story: _Story, step: Step) -> Step:
    """What is done to the hardware itself needs it in its slot."""
    if step.args["device"] in story.away:
        what = f"{step.args['device']} is unplugged here"
        raise story.error(step, (step.verb, "device"), what, "plug it before")
    return step


def _tell_unplug(story: _Story, step: Step) -> Step:
    _tell_host(story, step)
    story.away.add(step.args["device"])
    return step


def _tell_plug(story: _Story, step: Step) -> Step:
    if step.args["device"] not in story.away:
        what = f"{step.args['device']} is in its slot here"
        raise story.error(step, ("plug", "device"), what, "unplug it before")
    story.away.remove(step.args["device"])
    return step


# ---- handles ----


def _tell_to_handle(story: _Story, step: Step) -> Step:
    """The same buffer has the same number again, so that a name may be given twice."""
    buffer = _buffer(story, step, "buffer")
    if not step.expect.errno:
        story.handles[step.args["handle"]] = (buffer, step.process)
    return step


def _tell_handle_export(story: _Story, step: Step) -> Step:
    if not step.expect.errno:
        buffer = _Buffer(step.args["size"], is_heap=False, generation=step.generation)
        story.handles[step.args["handle"]] = (buffer, step.process)
    return step


def _tell_from_handle(story: _Story, step: Step) -> Step:
    name = step.args["buffer"]
    _tell_handle(story, step)
    if name in story.buffers:
        raise story.error(
            step, ("from-handle", "buffer"), f"buffer '{name}' is there already", "another name"
        )
    if not step.expect.errno:
        handle = step.args["handle"]
        if handle not in story.handles:
            what = f"nobody knows which buffer the number {handle} is"
            raise story.error(step, ("from-handle", "handle"), what, "a handle by its name, or an errno")
        story.buffers[name] = story.handles[handle][0]
        story.holders[name] = {step.process}
    return step


def _tell_handle(story: _Story, step: Step) -> Step:
    """A name that is known; whether the number behind it means anything here is for the kernel to say."""
    handle = step.args["handle"]
    if isinstance(handle, str) and handle not in story.handles:
        known = ", ".join(story.handles) or "none: make one with to-handle or handle-export"
        raise story.error(step, (step.verb, "handle"), f"there is no handle '{handle}' here", known)
    return step


# ---- functions ----


def _tell_call(story: _Story, step: Step) -> Step:
    """One of them makes an fd, which may be kept."""
    if "buffer" in step.args:
        _buffer(story, step, "buffer")
    if "to" not in step.args:
        return step
    if step.args["function"] != "fd" or "buffer" not in step.args:
        raise story.error(step, ("call", "to"), "this makes no buffer", "with 'function: fd' of a buffer")
    return _tell_dup(story, step)


# ---- video devices and displays ----


def _tell_media(story: _Story, step: Step) -> Step:
    """A buffer that a video device or a display makes is a buffer like others."""
    if "buffer" in step.args and step.verb not in NEW_BUFFERS:
        _buffer(story, step, "buffer")
    try:
        step, size = story.media.tell(step)
    except Nonsense as nonsense:
        raise story.error(step, (step.verb, *nonsense.key), nonsense.what, nonsense.allowed) from None
    if step.verb in NEW_BUFFERS and not step.expect.errno:
        return _tell_new_buffer(story, dataclasses.replace(step, args={**step.args, "size": size}))
    return step


# ---- the rest ----


def _tell_buffer(story: _Story, step: Step) -> Step:
    _buffer(story, step, "buffer")
    return step


def _tell_nothing(story: _Story, step: Step) -> Step:
    return step


# ---- shared ----


def _buffer(story: _Story, step: Step, key: str) -> _Buffer:
    name = step.args[key]
    if name in story.buffers:
        story.holders[name].add(step.process)  # it is passed when it is first used there
        return story.buffers[name]
    what = (
        f"buffer '{name}' was closed before" if name in story.closed else f"there is no buffer '{name}' here"
    )
    raise story.error(step, (step.verb, key), what, ", ".join(story.buffers) or "none: export one first")


def _checked_size(story: _Story, step: Step, room: int) -> int:
    """The step's size in bytes, by default all behind its offset."""
    offset = step.args.get("offset", 0)
    size: int = step.args.get("size", max(room - offset, 0))
    if step.expect.errno:
        return size
    if offset % WORD:
        raise story.error(step, (step.verb, "offset"), f"offset {offset}", f"a multiple of {WORD}")
    if offset >= room:
        what = f"offset {offset} is beyond the buffer"
        raise story.error(step, (step.verb, "offset"), what, f"less than {units.format_size(room)}")
    if not 0 < size <= room - offset:
        what = f"{size} bytes from offset {offset} do not fit the buffer"
        raise story.error(step, (step.verb, "size"), what, f"1 to {room - offset}")
    return size


_TELL: dict[str, Callable[[_Story, Step], Step]] = {
    "export": _tell_new_buffer,
    "heap": _tell_new_buffer,
    "udmabuf": _tell_new_buffer,
    "close": _tell_close,
    "buffer": _tell_where,
    "ram-digest": _tell_where,
    "cpu-write": _tell_cpu,
    "cpu-digest": _tell_cpu,
    "attach": _tell_attach,
    "detach": _tell_detach,
    "map": _tell_map,
    "unmap": _tell_unmap,
    "migrate": _tell_migrate,
    "pin": _tell_unmap,
    "unpin": _tell_unmap,
    **dict.fromkeys((*OPERATIONS, "submit"), _tell_job),
    "wait": _tell_wait,
    "join": _tell_join,
    "blocked": _tell_blocked,
    "dup": _tell_dup,
    "close-device": _tell_close_device,
    "exit-process": _tell_exit_process,
    **dict.fromkeys(("mmap", "munmap", "sync", "seek", "fdinfo", "set-name"), _tell_buffer),
    "poll": _tell_poll,
    **dict.fromkeys(("export-sync-file", "merge-fences"), _tell_new_fence),
    **dict.fromkeys(("import-sync-file", "wait-fence", "close-fence"), _tell_fence),
    **dict.fromkeys(("hold", "release", "inject", "unbind", "bind"), _tell_host),
    "unplug": _tell_unplug,
    "plug": _tell_plug,
    **dict.fromkeys(("unload", "load", "pressure", "guest-test", "close-exporter"), _tell_nothing),
    **dict.fromkeys(("stats", "parameter", "ignore-zap"), _tell_nothing),
    **dict.fromkeys(("sync-for-cpu", "sync-for-device"), _tell_unmap),
    "call": _tell_call,
    "to-handle": _tell_to_handle,
    "handle-export": _tell_handle_export,
    "from-handle": _tell_from_handle,
    **dict.fromkeys(("close-handle", "handle-info"), _tell_handle),
    **dict.fromkeys(MEDIA_VERBS, _tell_media),
    **dict.fromkeys(("screendump", "modprobe"), _tell_nothing),
}
