# SPDX-License-Identifier: GPL-2.0-or-later
"""From a layout and the user's options to a running guest.

Every command that boots goes through here, so ``--kernel``, ``--initrd``,
``--overlay`` and ``--append`` mean the same everywhere.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dmabed import dts, snapshot
from dmabed.build import Artifacts, overlay_cpio
from dmabed.build.cache import default_root, replace
from dmabed.commandline import Image, Memory
from dmabed.errors import InputError
from dmabed.layout import Layout
from dmabed.machine import Machine


@dataclass(frozen=True)
class BootOptions:
    """What the user may change of every boot."""

    initrd: Path | None = None  # instead of ours
    overlay: Path | None = None  # laid over the root file system
    append: str = ""  # behind our kernel arguments
    snapshot: bool = True  # restore where possible


# The artifacts with a kernel variant, by its name.
OfVariant = Callable[[str], Artifacts]


class Testbed:
    """Starts guests from one set of artifacts; layouts that need another kernel have a set with that."""

    __test__ = False  # not a pytest class, whatever its name

    def __init__(
        self, artifacts: Artifacts, options: BootOptions | None = None, of_variant: OfVariant | None = None
    ) -> None:
        """Without ``of_variant`` every layout boots the one kernel."""
        self.artifacts = artifacts
        self.options = options or BootOptions()
        self._of_variant = of_variant
        self._others: dict[str, Artifacts] = {}
        self._others_lock = threading.Lock()
        self._store = snapshot.Store()
        self._base_initrd(artifacts)  # what is wrong with the options is told before anything runs

    def artifacts_for(self, layout: Layout) -> Artifacts:
        """Those with the kernel that the layout needs, got when it is first asked for."""
        variant = layout.kernel_variant
        if variant is None or self._of_variant is None:
            return self.artifacts
        with self._others_lock:
            if variant not in self._others:
                self._others[variant] = self._of_variant(variant)
            return self._others[variant]

    def image(self, layout: Layout) -> Image:
        """What boots on this layout."""
        kernel = self.artifacts_for(layout).kernel
        return Image(kernel, self._initrd_of(layout), _dtb(layout), self.options.append)

    def start(self, layout: Layout, directory: Path) -> Machine:
        """A ready guest: restored if a snapshot may be used, else booted.

        The first start of a layout boots once more, to make the snapshot; its
        logs are in ``directory/boot``. Raises LaunchError; NotProbed when an
        engine of the layout is missing.
        """
        if not self.options.snapshot:
            machine = self.boot(layout, directory)
            with machine.closed_on_error():
                snapshot.require_devices(machine, self.artifacts_for(layout))
            return machine
        artifacts, image = self.artifacts_for(layout), self.image(layout)
        key = snapshot.ensure(self._store, artifacts, layout, image, directory / "boot")
        return snapshot.restore(self._store, key, artifacts, layout, image, directory)

    def boot(self, layout: Layout, directory: Path) -> Machine:
        """A guest booted from its kernel, whether all devices probed or not. Raises LaunchError."""
        return Machine.boot(self.artifacts_for(layout), layout, self.image(layout), directory, Memory())

    def start_once(self, layout: Layout, directory: Path) -> Machine:
        """A guest that nobody will want again: a snapshot is used, but none is made."""
        if self.has_snapshot(layout):
            return self.start(layout, directory)
        return self.boot(layout, directory)

    def has_snapshot(self, layout: Layout) -> bool:
        """Would ``start`` restore without a boot?"""
        key = snapshot.identity(self.artifacts_for(layout), layout, self.image(layout))
        return self.options.snapshot and self._store.usable(key)

    def _initrd_of(self, layout: Layout) -> Path:
        """A layout with media blocks needs the kernel's drivers for them too."""
        artifacts = self.artifacts_for(layout)
        base = self._base_initrd(artifacts)
        if not layout.media or artifacts.media is None:
            return base
        data = base.read_bytes() + artifacts.media.read_bytes()
        return _stored(default_root() / "overlays", ".cpio", data)

    def _base_initrd(self, artifacts: Artifacts) -> Path:
        """The initrd of the options: the kernel unpacks concatenated archives in order."""
        base = self.options.initrd or artifacts.initrd
        if not base.is_file():
            raise InputError(f"--initrd {base}: no such file")
        if self.options.overlay is None:
            return base
        data = base.read_bytes() + overlay_cpio(self.options.overlay)
        return _stored(default_root() / "overlays", ".cpio", data)


def _dtb(layout: Layout) -> Path:
    """The layout's DTB, compiled once for each content of its DTS."""
    source = dts.render(layout)
    folder = default_root() / "dtb"
    path = folder / f"{layout.name}-{hashlib.sha256(source.encode()).hexdigest()[:16]}.dtb"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        dts.compile_dtb(layout, path)
    return path


def _stored(folder: Path, suffix: str, data: bytes) -> Path:
    """Keep ``data`` under its own hash."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (hashlib.sha256(data).hexdigest()[:32] + suffix)
    if not path.exists():
        replace(path, data)
    return path
