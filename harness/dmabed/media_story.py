# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reader of a scenario keeps in mind of video devices and displays.

Which picture a block did in a step, and in which buffers, follows from the
order alone: a queue gives back its buffers in the order in which it got them,
and a device with two queues takes the next of each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

from dmabed.picture import FORMATS
from dmabed.steps import Frame, Step

NEW_BUFFERS = ("video-export", "drm-buffer")
MEDIA_VERBS = (
    *("video-open", "video-close", "video-format", "video-control", "video-buffers", "video-export"),
    *("video-queue", "video-dequeue", "video-stream"),
    *("drm-open", "drm-close", "drm-buffer", "drm-show", "drm-crc"),
)


class Nonsense(Exception):
    """A step that cannot work; ``key`` is to blame."""

    def __init__(self, key: tuple[str, ...], what: str, allowed: str = "") -> None:
        super().__init__(what)
        self.key, self.what, self.allowed = key, what, allowed


@dataclass
class _Queue:
    size: int | None = None  # of a picture
    buffers: dict[int, str] = field(default_factory=dict)  # exported ones, by index
    put: list[str | None] = field(default_factory=list)  # all that were ever queued
    taken: int = 0


@dataclass
class _Video:
    device: str | None
    queues: dict[str, _Queue] = field(default_factory=lambda: {"capture": _Queue(), "output": _Queue()})


@dataclass
class MediaStory:
    videos: dict[str, _Video] = field(default_factory=dict)
    drms: dict[str, str | None] = field(default_factory=dict)

    def tell(self, step: Step) -> tuple[Step, int]:
        """Check a step, let it change the story; the step with its frame, and the size of a new buffer."""
        if step.verb in ("video-open", "drm-open"):
            return self._open(step), 0
        if step.verb.startswith("drm-"):
            return self._drm(step)
        video = self._video(step)
        if step.verb == "video-close":
            del self.videos[step.args["video"]]
            return step, 0
        if step.expect.errno or "queue" not in step.args:
            return step, 0
        return _VIDEO_STEPS.get(step.verb, _no_change)(video, video.queues[step.args["queue"]], step)

    def _open(self, step: Step) -> Step:
        kind = step.verb.removesuffix("-open")
        known: dict[str, object] = dict(self.videos) if kind == "video" else dict(self.drms)
        name = step.args[kind]
        if name in known:
            raise Nonsense((kind,), f"{kind} '{name}' is open already", "another name")
        if ("device" in step.args) == ("driver" in step.args):
            raise Nonsense((), "it is found by device or by driver", "one of them")
        if not step.expect.errno and kind == "video":
            self.videos[name] = _Video(step.args.get("device"))
        elif not step.expect.errno:
            self.drms[name] = step.args.get("device")
        return step

    def _video(self, step: Step) -> _Video:
        name = step.args["video"]
        if name not in self.videos:
            raise Nonsense(("video",), f"video '{name}' is not open", ", ".join(self.videos) or "open it")
        return self.videos[name]

    def _drm(self, step: Step) -> tuple[Step, int]:
        name = step.args["drm"]
        if name not in self.drms:
            raise Nonsense(("drm",), f"drm '{name}' is not open", ", ".join(self.drms) or "open it")
        if step.verb == "drm-close":
            del self.drms[name]
        device = self.drms.get(name)
        if step.verb == "drm-show" and device is not None and not step.expect.errno:
            frame = Frame(device, source=step.args["buffer"], target=None)
            return dataclasses.replace(step, frame=frame), 0
        return step, _picture_size(step) if step.verb == "drm-buffer" else 0


def _picture_size(step: Step) -> int:
    return int(step.args["width"]) * int(step.args["height"]) * FORMATS[step.args["format"]]


def _no_change(_video: _Video, _queue: _Queue, step: Step) -> tuple[Step, int]:
    return step, 0


def _format(_video: _Video, queue: _Queue, step: Step) -> tuple[Step, int]:
    queue.size = _picture_size(step)
    return step, 0


def _export(_video: _Video, queue: _Queue, step: Step) -> tuple[Step, int]:
    if queue.size is None:
        raise Nonsense((), "how large a picture is, is not known", "a video-format before")
    queue.buffers[step.args["index"]] = step.args["buffer"]
    return step, queue.size


def _put(_video: _Video, queue: _Queue, step: Step) -> tuple[Step, int]:
    queue.put.append(step.args.get("buffer", queue.buffers.get(step.args["index"])))
    return step, 0


def _take(video: _Video, queue: _Queue, step: Step) -> tuple[Step, int]:
    if queue.taken >= len(queue.put):
        raise Nonsense((), f"nothing is left in queue {step.args['queue']}", "a video-queue before")
    nth = queue.taken
    queue.taken += 1
    if video.device is None or step.args["queue"] == "output":
        return step, 0
    sources = video.queues["output"].put
    source = sources[nth] if nth < len(sources) else None
    return dataclasses.replace(step, frame=Frame(video.device, source, queue.put[nth])), 0


def _stream(_video: _Video, queue: _Queue, step: Step) -> tuple[Step, int]:
    """A queue that is switched off gives back all it has; nobody dequeues that any more."""
    if not step.args["on"]:
        del queue.put[queue.taken :]
    return step, 0


_VIDEO_STEPS: dict[str, Callable[[_Video, _Queue, Step], tuple[Step, int]]] = {
    "video-format": _format,
    "video-export": _export,
    "video-queue": _put,
    "video-dequeue": _take,
    "video-stream": _stream,
}
