# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds the guest kernel from config fragments.

The output tree of one version and variant stays in the cache, so that a changed
fragment rebuilds only what it touches. What modules are built against is kept with
the image: checkouts with other fragments take turns in the tree. A variant is
the default plus one more fragment, ``guest-kernel/config/variants/NAME.config``, or several;
it is built when it is asked for.

With CONFIG_GCOV_KERNEL the files of ``COUNTED`` are compiled with counters. Kbuild
asks for ``GCOV_PROFILE := y`` in a folder's Makefile; the variables that it reads
for single objects can stand on make's command line, so no source is patched.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dmabed.build import contentkey, intree, kconfig, process, project, toolchain
from dmabed.build.cache import Cache, SourcesChanged
from dmabed.build.progress import Progress
from dmabed.build.sources import Source
from dmabed.errors import BuildError, SetupError

BUILDER = 3  # raise it when this file builds something else from the same inputs

DEFAULT_VARIANT = "default"
AND = "+"  # between the names of a combined variant
LOCALVERSION = "CONFIG_LOCALVERSION"
FIRST_FRAGMENT = "base.config"  # the others come after it, by name; a later one wins

COUNTED = "drivers/dma-buf"  # what coverage is about
UNCOUNTED = ("selftest", "st-")  # in-kernel tests of it: their own lines are no subject

FOR_MODULES = "build"  # in an entry: the part of the output tree that modules are built against
# of the output tree, as Documentation/kbuild/modules.rst tells what a module's build reads
BUILD_PARTS = (".config", "Makefile", "Module.symvers", "include", "scripts", "arch/arm64/include/generated")
NOTES = "gcov"  # in an entry: what the compiler noted of the counted files
SELFTESTS = "dmabuf_selftests.ko"  # in a counting kernel's entry: the kernel's own tests of them
IMAGE = "arch/arm64/boot/Image"
RELEASE = "include/config/kernel.release"
STEP = re.compile(r"^\s+(CC|LD|AR|AS|GEN|VDSO\w*|HOSTCC|UPD|WRAP|OBJCOPY|DTC|SYNC)\b\s+(.*)")
USUAL_STEPS = 1316  # of a build of 6.12.117 from nothing; a real count replaces it

# Nothing of the machine or the moment gets into the image
REPRODUCIBLE = {
    "KBUILD_BUILD_USER": "dmabed",
    "KBUILD_BUILD_HOST": "dmabed",
    "KBUILD_BUILD_VERSION": "1",
    "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
}


@dataclass(frozen=True)
class Kernel:
    """A kernel to boot: the image, its identity, and the tree to build modules against, if any."""

    image: Path
    version: str
    key: str
    tree: Path | None
    ours: bool = False  # made here from fragments


def fragments(variant: str = DEFAULT_VARIANT) -> list[Path]:
    """The fragments of a variant in the order in which they apply."""
    directory = project.GUEST_KERNEL / "config"
    found = sorted(directory.glob("*.config"), key=lambda path: (path.name != FIRST_FRAGMENT, path.name))
    return [*found, *(_fragment(directory / "variants", name) for name in _names(variant))]


def _fragment(directory: Path, name: str) -> Path:
    fragment = directory / f"{name}.config"
    if not fragment.is_file():
        raise SetupError(f"there is no kernel variant {name!r}", hint=f"there are {', '.join(variants())}")
    return fragment


def combined(*wanted: str) -> str:
    """The variant that is all of these: ``debug+pages16k``."""
    names = dict.fromkeys(name for variant in wanted for name in _names(variant))
    return AND.join(names) or DEFAULT_VARIANT


def _names(variant: str) -> list[str]:
    return [name for name in variant.split(AND) if name != DEFAULT_VARIANT]


def wishes(variant: str) -> list[kconfig.Wish]:
    """What the fragments ask for; a combined kernel has the names of all in its version."""
    merged = kconfig.merge(fragments(variant))
    if AND not in variant:
        return merged
    release = kconfig.Wish(variant, 0, LOCALVERSION, f'"-dmabed-{variant.replace(AND, "-")}"')
    return [wish for wish in merged if wish.option != LOCALVERSION] + [release]


def key(source_version: str, variant: str) -> str:
    """The content key of the kernel that the fragments make."""
    config = kconfig.text(wishes(variant))
    parts: dict[str, object] = {
        "builder": BUILDER,
        "linux": source_version,
        "config": config,
        "compiler": toolchain.version(f"{toolchain.CROSS}gcc"),
    }
    if counts(kconfig.parse(config)):
        parts["counted"] = [COUNTED, *UNCOUNTED]
    return contentkey.combine(parts)


def _tree(cache: Cache, source_version: str, variant: str) -> Path:
    """The output tree that stays for this version and variant."""
    return cache.root / "trees" / f"linux-{source_version}-{variant}"


def variants() -> list[str]:
    """The variants that there are, the default first."""
    extra = sorted(path.stem for path in (project.GUEST_KERNEL / "config" / "variants").glob("*.config"))
    return [DEFAULT_VARIANT, *extra]


def lock_name(variant: str) -> str:
    """Each variant has its own tree, so the building of one keeps nobody from another."""
    return f"kernel-{variant}"


def build(cache: Cache, source: Source, variant: str, entry_key: str, progress: Progress) -> None:
    """Make the cache entry if it is not there."""

    def fill(entry: Path) -> None:
        out = _bring_tree_to(cache, source, variant, entry_key, progress)
        shutil.copy2(out / IMAGE, entry / "Image")
        shutil.copy2(out / ".config", entry / "config")
        shutil.copy2(out / RELEASE, entry / "release")
        _keep_for_modules(out, entry / FOR_MODULES)
        _keep_notes(out, entry / NOTES)
        intree.keep(out, entry)

    cache.make(
        "kernel",
        entry_key,
        fill,
        progress,
        lambda: key(source.versions["linux"], variant),
        lock_name(variant),
    )


def _bring_tree_to(cache: Cache, source: Source, variant: str, entry_key: str, progress: Progress) -> Path:
    """Have the output tree hold exactly this kernel; returns it."""
    out = _tree(cache, source.versions["linux"], variant)
    stamp = out / "dmabed-key"
    if stamp.is_file() and stamp.read_text() == entry_key:
        return out
    if key(source.versions["linux"], variant) != entry_key:
        raise SourcesChanged("the kernel's fragments changed before it was built")
    log = cache.log(lock_name(variant))
    log.write_text("")
    out.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    with progress.task("configuring Linux"):
        _configure(out, source, wishes(variant), log)
    _compile(cache, out, source, log, progress)
    stamp.write_text(entry_key)
    return out


def _keep_for_modules(out: Path, place: Path) -> None:
    """A build of modules against ``place`` is one against the tree as it is now."""
    for part in BUILD_PARTS:
        kept = place / part
        kept.parent.mkdir(parents=True, exist_ok=True)
        if (out / part).is_dir():
            shutil.copytree(out / part, kept, symlinks=True, ignore=shutil.ignore_patterns("*.o", ".*.cmd"))
        else:
            shutil.copy2(out / part, kept)


def _keep_notes(out: Path, place: Path) -> None:
    """What gcov must know of the counted files: a later build in the tree would overwrite it."""
    for note in (out / COUNTED).rglob("*.gcno"):
        kept = place / note.relative_to(out)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(note, kept)
    selftests = out / COUNTED / SELFTESTS
    if selftests.is_file():
        shutil.copy2(selftests, place.parent / SELFTESTS)


def counts(config: Mapping[str, str]) -> bool:
    """Whether a kernel can count which of its lines ran."""
    return config.get("CONFIG_GCOV_KERNEL") == "y"


def counting(source: Path, config: Mapping[str, str]) -> list[str]:
    """The words for make that have the counted files counted, if this kernel can count."""
    if not counts(config):
        return []
    stems = sorted(path.stem for path in (source / COUNTED).rglob("*.c"))
    return [f"GCOV_PROFILE_{stem}.o=y" for stem in stems if not stem.startswith(UNCOUNTED)]


def make_command(source_or_tree: Path, *words: str) -> list[str]:
    """A make of the kernel's build system, for arm64."""
    return [
        "make", "-C", str(source_or_tree), f"-j{process.jobs()}",
        "ARCH=arm64", f"CROSS_COMPILE={toolchain.CROSS}", *words,
    ]  # fmt: skip


def _configure(out: Path, source: Source, merged: list[kconfig.Wish], log: Path) -> None:
    """Everything off, then our wishes, then Kconfig's defaults for what they open up (config/README.md)."""
    config = out / ".config"
    for step in ("allnoconfig", "olddefconfig"):
        command = make_command(source.path, f"O={out}", step)
        process.run(command, log=log, what=f"configuring Linux ({step})", env=REPRODUCIBLE)
        if step == "allnoconfig":
            config.write_text(kconfig.apply(config.read_text(), merged))
    lost = kconfig.lost(merged, kconfig.parse(config.read_text()))
    if lost:
        raise BuildError(
            "the kernel's configuration lost options of our fragments",
            why="\n".join(lost),
            hint="a dependency is missing in the fragments, or the option has another name in this kernel",
        )


def _compile(cache: Cache, out: Path, source: Source, log: Path, progress: Progress) -> None:
    memo = f"steps-{out.name}"
    expected = int(cache.recall(memo).get("steps", USUAL_STEPS))
    counted = counting(source.path, kconfig.parse((out / ".config").read_text()))
    with progress.task("building Linux") as task:
        count = StepCounter(lambda done, detail: task.advance(min(done, expected), expected, detail))
        process.run(
            # modules: makes Module.symvers, which ours are linked against
            make_command(source.path, f"O={out}", *counted, "Image", "modules"),
            log=log,
            what="building Linux",
            env=REPRODUCIBLE,
            on_line=count,
            chatter=STEP,
        )
    if count.steps > expected // 2:  # a rebuild of a few files says nothing about the next full one
        cache.record(memo, {"steps": str(count.steps)})


class StepCounter:
    """Counts the lines in which the kernel's make says that it made something."""

    def __init__(self, tell: Callable[[int, str], None]) -> None:
        self.steps = 0
        self._tell = tell

    def __call__(self, line: str) -> None:
        match = STEP.match(line)
        if match:
            self.steps += 1
            self._tell(self.steps, match.group(2).strip())
