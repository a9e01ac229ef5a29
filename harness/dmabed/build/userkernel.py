# SPDX-License-Identifier: GPL-2.0-or-later
"""A user's own kernel: an arm64 Image, or a built tree that our modules can be built against."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from dmabed.build import contentkey, kconfig
from dmabed.build.cache import Cache
from dmabed.build.kernel import IMAGE, RELEASE, Kernel
from dmabed.errors import InputError

ARM64_MAGIC = b"ARM\x64"  # at 56, Documentation/arch/arm64/booting.rst
ARM64_MAGIC_AT = 56

# What our image and modules can't do without, each with its reason. All built in: our
# root file system loads no modules but ours.
NEEDED = {
    "CONFIG_MODULES": "our drivers are modules",
    "CONFIG_DMA_SHARED_BUFFER": "dma-buf itself",
    "CONFIG_BLK_DEV_INITRD": "the root file system is an initramfs",
    "CONFIG_DEVTMPFS": "device nodes",
    "CONFIG_SERIAL_AMBA_PL011_CONSOLE": "the console",
    "CONFIG_VIRTIO_MMIO": "the devices between guest and harness",
    "CONFIG_VIRTIO_CONSOLE": "the agent's port",
}


TREE_HINT = "make ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- Image modules; with O=, give that directory"
BANNER = re.compile(rb"Linux version (\S+)")


def find(cache: Cache, path: Path) -> Kernel:
    """The kernel at a path that the user gave."""
    path = path.resolve()
    if path.is_dir():
        return _of_tree(cache, path)
    if not path.is_file():
        raise InputError(f"--kernel {path}: there is no such file or directory")
    if path.match(IMAGE) and (path.parents[3] / "Module.symvers").is_file():
        return _of_tree(cache, path.parents[3])  # with its tree at hand it gets our modules
    check_image(path)
    facts = _facts(cache, path)
    return Kernel(path, facts["version"] or path.name, facts["key"], None)


def check_image(path: Path) -> None:
    """Refuse what QEMU would jump into and hang."""
    with path.open("rb") as file:
        head = file.read(ARM64_MAGIC_AT + len(ARM64_MAGIC))
    gzipped = head.startswith(b"\x1f\x8b")  # QEMU unpacks these itself
    if not gzipped and head[ARM64_MAGIC_AT:] != ARM64_MAGIC:
        raise InputError(
            f"--kernel {path}: this is not an arm64 Image",
            hint="give arch/arm64/boot/Image of a built tree, or the tree itself; not vmlinux or a zImage",
        )


def _of_tree(cache: Cache, tree: Path) -> Kernel:
    missing = [name for name in (IMAGE, RELEASE, ".config", "Module.symvers") if not (tree / name).is_file()]
    if missing:
        raise InputError(
            f"--kernel {tree}: this is not a built arm64 kernel tree; it has no {', '.join(missing)}",
            hint=TREE_HINT,
        )
    check_image(tree / IMAGE)
    check_options(tree, kconfig.parse((tree / ".config").read_text()))
    names = (IMAGE, ".config", "Module.symvers")
    key = contentkey.combine({name: _facts(cache, tree / name)["key"] for name in names})
    return Kernel(tree / IMAGE, (tree / RELEASE).read_text().strip(), key, tree)


def check_options(tree: Path, config: Mapping[str, str]) -> None:
    """Refuse a kernel that can't run our image, naming all that it lacks."""
    lacks = [f"{option}=y: {reason}" for option, reason in NEEDED.items() if config.get(option) != "y"]
    if lacks:
        raise InputError(
            f"--kernel {tree}: the configuration lacks what the testbed needs",
            why="\n".join(lacks),
            hint="guest-kernel/config has fragments to merge with scripts/kconfig/merge_config.sh",
        )


def _facts(cache: Cache, path: Path) -> dict[str, str]:
    """Key and version of a large file, read again only when its inode, size or time changed."""
    status = path.stat()
    stamp = f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
    memo = f"file-{contentkey.combine({'path': str(path)})}"
    known = cache.recall(memo)
    if known.get("stamp") != stamp:
        banner = BANNER.search(path.read_bytes())
        version = banner.group(1).decode(errors="replace") if banner else ""
        known = {"stamp": stamp, "key": contentkey.of_file(path), "version": version, "path": str(path)}
        cache.record(memo, known)
    return known
