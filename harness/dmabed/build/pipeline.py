# SPDX-License-Identifier: GPL-2.0-or-later
"""The artifacts in their order: what each is made of, building what is missing, finding what is there.

QEMU's source, qemu-devices ............ qemu
Linux's source, fragments .............. kernel ─┐
guest-kernel/modules ............................┴ modules ─┐
Debian's arm64 packages, rootfs, keys ............ rootfs ──┴ initrd
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dmabed.build import contentkey, intree, modules, project, qemu, rootfs, sources, sshkeys, userkernel
from dmabed.build import kernel as kernels
from dmabed.build.artifacts import Artifacts, Counted
from dmabed.build.cache import Cache, SourcesChanged, default_root
from dmabed.build.kernel import DEFAULT_VARIANT, Kernel
from dmabed.build.progress import Progress
from dmabed.build.sources import Source
from dmabed.build.sshkeys import SshKeys
from dmabed.errors import BuildError, SetupError

BUILD_HINT = "`make demo` builds it, or `python -m dmabed.build` in the project's environment"

MEDIA = "media.cpio"  # in its entry
ATTEMPTS = 4  # to build sources that somebody edits meanwhile

# Measured: sources 2.1 GB, build trees 0.5, environment 0.3, artifacts 0.1; 40 snapshots (snapshot.KEEP) 6
NEEDED_DISK = 10_000_000_000


@dataclass(frozen=True)
class Inputs:
    """What everything is made from."""

    qemu: Source
    guest: Source
    linux: Source | None  # None with a user's kernel
    keys: SshKeys
    variant: str


@dataclass(frozen=True)
class Plan:
    """The content keys of all artifacts, and the kernel."""

    kernel: Kernel
    keys: Mapping[str, str]


def build(
    *,
    kernel: Path | None = None,
    variant: str = DEFAULT_VARIANT,
    progress: Progress,
    cache: Cache | None = None,
) -> Artifacts:
    """Build what is missing and return everything."""
    cache = cache or Cache(default_root())
    inputs = _known_inputs(cache, kernel, variant)
    if inputs is None:
        _check_disk(cache)
        inputs = _get_inputs(cache, kernel, variant, progress)
    for _ in range(ATTEMPTS):
        plan = _plan(cache, inputs, kernel)
        if not _missing(cache, plan):
            return _artifacts(cache, inputs, plan)
        try:
            _build_missing(cache, inputs, plan, progress)
        except SourcesChanged as changed:
            progress.note(f"{changed.what}: building again")
    raise BuildError("the sources change faster than they can be built", hint="try again in a quiet moment")


def load(
    *, kernel: Path | None = None, variant: str = DEFAULT_VARIANT, cache: Cache | None = None
) -> Artifacts:
    """Return everything if it is built; builds and fetches nothing."""
    cache = cache or Cache(default_root())
    inputs = _known_inputs(cache, kernel, variant)
    if inputs is None:
        raise SetupError("the testbed is not built yet", hint=BUILD_HINT)
    plan = _plan(cache, inputs, kernel)
    missing = _missing(cache, plan)
    if missing:
        raise SetupError(f"not built for the present sources: {', '.join(missing)}", hint=BUILD_HINT)
    return _artifacts(cache, inputs, plan)


def _known_inputs(cache: Cache, kernel: Path | None, variant: str) -> Inputs | None:
    qemu_source = sources.known(cache, "qemu")
    guest = sources.known(cache, "guest", rootfs.packages())
    linux = None if kernel else sources.known(cache, "linux")
    keys = sshkeys.keys(cache)
    if not qemu_source or not guest or not (kernel or linux) or not keys.directory.is_dir():
        return None
    return Inputs(qemu_source, guest, linux, keys, variant)


def _get_inputs(cache: Cache, kernel: Path | None, variant: str, progress: Progress) -> Inputs:
    return Inputs(
        sources.qemu(cache, progress),
        sources.guest(cache, rootfs.packages(), progress),
        None if kernel else sources.linux(cache, progress),
        sshkeys.ensure(cache, progress),
        variant,
    )


def _plan(cache: Cache, inputs: Inputs, given: Path | None) -> Plan:
    kernel = userkernel.find(cache, given) if given else _own_kernel(cache, inputs)
    keys = {
        "qemu": qemu.key(inputs.qemu.versions["qemu"]),
        "kernel": kernel.key,
        "rootfs": rootfs.key(inputs.guest.versions["guest"], inputs.keys),
    }
    if kernel.tree:
        keys["modules"] = modules.key(kernel.key)
    if kernel.ours:
        keys["media"] = contentkey.combine({"builder": intree.BUILDER, **keys})
    keys["initrd"] = contentkey.combine({name: keys.get(name, "") for name in ("rootfs", "modules")})
    return Plan(kernel, keys)


def _own_kernel(cache: Cache, inputs: Inputs) -> Kernel:
    assert inputs.linux is not None
    version = inputs.linux.versions["linux"]
    key = kernels.key(version, inputs.variant)
    entry = cache.entry("kernel", key)
    return Kernel(entry / "Image", version, key, entry / kernels.FOR_MODULES, ours=True)


def _missing(cache: Cache, plan: Plan) -> list[str]:
    return [name for name, entry in _entries(cache, plan).items() if not entry.is_dir()]


def _entries(cache: Cache, plan: Plan) -> dict[str, Path]:
    """Where the artifacts are, or would be; a user's kernel is not in the cache."""
    return {
        name: cache.entry(name, key)
        for name, key in plan.keys.items()
        if name != "kernel" or plan.kernel.ours
    }


def _build_missing(cache: Cache, inputs: Inputs, plan: Plan, progress: Progress) -> None:
    qemu.build(cache, inputs.qemu, plan.keys["qemu"], progress)
    if inputs.linux:
        kernels.build(cache, inputs.linux, inputs.variant, plan.kernel.key, progress)
    rootfs.build(cache, inputs.guest, inputs.keys, plan.keys["rootfs"], progress)
    if plan.kernel.tree:
        name = f"modules-{inputs.variant if inputs.linux else 'user'}"
        modules.build(cache, plan.kernel.tree, plan.kernel.key, progress, name)
    if "media" in plan.keys:
        cache.make("media", plan.keys["media"], lambda entry: _pack_media(cache, plan, entry), progress)
    cache.make("initrd", plan.keys["initrd"], lambda entry: _join(cache, plan, entry), progress)


def _join(cache: Cache, plan: Plan, entry: Path) -> None:
    """The initrd: one archive after the other, as the kernel takes them."""
    initrd = entry / "initrd.cpio"
    shutil.copyfile(cache.entry("rootfs", plan.keys["rootfs"]) / "rootfs.cpio", initrd)
    if "modules" in plan.keys:
        built = modules.files(cache.entry("modules", plan.keys["modules"]))
        with initrd.open("ab") as out:
            out.write(rootfs.modules_cpio(built, modules.IN_GUEST))


def _pack_media(cache: Cache, plan: Plan, entry: Path) -> None:
    """What layouts with media blocks get beside the initrd."""
    ours = modules.files(cache.entry("modules", plan.keys["modules"]))
    kernel = cache.entry("kernel", plan.keys["kernel"])
    (entry / MEDIA).write_bytes(intree.archive(kernel, [path for path in ours if path.name in intree.OURS]))


def _artifacts(cache: Cache, inputs: Inputs, plan: Plan) -> Artifacts:
    for entry in _entries(cache, plan).values():
        cache.use(entry)
    built = qemu.files(cache.entry("qemu", plan.keys["qemu"]))
    return Artifacts(
        qemu=built.binary,
        qemu_data=built.data,
        qtest=built.qtest,
        kernel=plan.kernel.image,
        initrd=cache.entry("initrd", plan.keys["initrd"]) / "initrd.cpio",
        media=cache.entry("media", plan.keys["media"]) / MEDIA if "media" in plan.keys else None,
        ssh_key=inputs.keys.client,
        ssh_host_key=inputs.keys.host_public.read_text().strip(),
        versions={
            "qemu": inputs.qemu.versions["qemu"],
            "linux": plan.kernel.version,
            "busybox": inputs.guest.versions["busybox"],
            "dropbear": inputs.guest.versions["dropbear"],
            "dmabed": project.version(),
        },
        keys=dict(plan.keys),
        counted=_counted(inputs, plan),
    )


def _counted(inputs: Inputs, plan: Plan) -> Counted | None:
    entry = plan.kernel.image.parent
    if inputs.linux is None or not (entry / kernels.NOTES).is_dir():
        return None
    return Counted(entry / kernels.NOTES, entry / kernels.SELFTESTS, inputs.linux.path)


def _check_disk(cache: Cache) -> None:
    """Say that the disk is too small before ten minutes have gone into filling it."""
    place = cache.root
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < NEEDED_DISK:
        raise SetupError(
            f"{place} has {free / 1e9:.1f} GB free; a build from nothing takes {NEEDED_DISK / 1e9:.0f} GB",
            hint="free some space, or point XDG_CACHE_HOME at a larger disk",
        )
