# SPDX-License-Identifier: GPL-2.0-or-later
"""Assembles the guest's root file system from the lists in ``rootfs/`` (its README.md)."""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dmabed.build import contentkey, cpio, process, project, toolchain
from dmabed.build.cache import Cache
from dmabed.build.cpio import Node
from dmabed.build.progress import Progress
from dmabed.build.sources import Source
from dmabed.build.sshkeys import SshKeys
from dmabed.errors import BuildError
from dmabed.paths import ROOT

BUILDER = 1  # raise it when this file builds something else from the same inputs

PROGRAM_MODE = 0o755
PRIVATE_MODE = 0o600
LIBRARIES = "usr/lib/aarch64-linux-gnu"


def key(guest_version: str, keys: SshKeys) -> str:
    """The content key of the root file system without modules."""
    return contentkey.combine(
        {
            "builder": BUILDER,
            "packages": guest_version,
            "rootfs": contentkey.of_tree(project.ROOTFS),
            "headers": contentkey.of_tree(project.GUEST_KERNEL / "include"),
            "keys": [contentkey.of_file(path) for path in (keys.client_public, keys.host_dropbear)],
            "compiler": toolchain.version(f"{toolchain.CROSS}gcc"),
        }
    )


def packages() -> list[str]:
    """The Debian packages that the lists name."""
    named = {fields[0] for fields in rows("packages.txt")}
    for _place, _directory, *libraries in rows("programs.txt"):
        named |= {library.split("=", 1)[1] for library in libraries if "=" in library}
    return sorted(named)


def rows(name: str) -> Iterator[list[str]]:
    """The fields of a list, line by line."""
    for line in (project.ROOTFS / name).read_text().splitlines():
        fields = line.split()
        if fields and not line.startswith("#"):
            yield fields


def build(cache: Cache, guest: Source, keys: SshKeys, entry_key: str, progress: Progress) -> None:
    """Make the cache entry if it is not there."""

    def fill(entry: Path) -> None:
        log = cache.log("rootfs")
        log.write_text("")
        with progress.task("assembling the root file system"):
            (entry / "rootfs.cpio").write_bytes(assemble(guest.path, keys, log))

    cache.make("rootfs", entry_key, fill, progress, lambda: key(guest.versions["guest"], keys))


def assemble(packages_root: Path, keys: SshKeys, log: Path) -> bytes:
    """The archive: lists, packages, overlay, our programs, keys."""
    nodes = _manifest() | _package_files(packages_root) | _overlay()
    return cpio.archive(nodes | _programs(packages_root, log) | _keys(keys))


def modules_cpio(modules: list[Path], directory: str) -> bytes:
    """The archive with our modules; the directory is in the archive before it."""
    return cpio.archive({f"{directory}/{path.name}": Node.file(path.read_bytes()) for path in modules})


def _manifest() -> dict[str, Node]:
    nodes = {}
    for kind, path, value in rows("manifest.txt"):
        if kind not in ("dir", "link"):
            raise BuildError(f"rootfs/manifest.txt: unknown kind {kind!r}; allowed are dir and link")
        nodes[path] = Node.directory(int(value, 8)) if kind == "dir" else Node.link(value)
    return nodes


def _package_files(packages_root: Path) -> dict[str, Node]:
    nodes = {}
    for package, source, place in rows("packages.txt"):
        path = packages_root / source.lstrip("/")
        if not path.is_file():
            raise BuildError(f"rootfs/packages.txt: {package} has no {source}")
        nodes[place] = Node.file(path.read_bytes(), PROGRAM_MODE)
    return nodes


def _overlay() -> dict[str, Node]:
    """The overlay as git has it: only the executable bit counts, not the umask of the checkout."""
    nodes = {}
    for path, node in cpio.tree(project.ROOTFS / "overlay").items():
        if stat.S_ISDIR(node.mode):
            nodes[f"/{path}"] = Node.directory()
        elif stat.S_ISREG(node.mode):
            nodes[f"/{path}"] = Node.file(node.data, 0o755 if node.mode & stat.S_IXUSR else 0o644)
        else:
            nodes[f"/{path}"] = node
    # directories with a mode of their own stand in the manifest
    return {path: node for path, node in nodes.items() if path not in _manifest()}


def _programs(packages_root: Path, log: Path) -> dict[str, Node]:
    nodes = {}
    with tempfile.TemporaryDirectory() as scratch:
        for place, directory, *libraries in rows("programs.txt"):
            out = Path(scratch) / "program"
            command = _compile_command(directory, libraries, packages_root, out)
            process.run(command, log=log, what=f"compiling rootfs/{directory}", cwd=ROOT)
            nodes[place] = Node.file(out.read_bytes(), PROGRAM_MODE)
    return nodes


def _compile_command(directory: str, libraries: list[str], packages_root: Path, out: Path) -> list[str]:
    # names relative to the project: no path of this machine gets into the program
    sources = sorted((project.ROOTFS / directory).glob("*.c"))
    return [
        f"{toolchain.CROSS}gcc",
        *(project.ROOTFS / "cflags.txt").read_text().split(),
        "-Iguest-kernel/include/uapi",
        "-Iguest-kernel/include",
        f"-I{packages_root}/usr/include",
        *(str(path.relative_to(ROOT)) for path in sources),
        f"-L{packages_root}/{LIBRARIES}",
        *(f"-l{library.split('=', 1)[0]}" for library in libraries),
        "-o",
        str(out),
    ]


def _keys(keys: SshKeys) -> dict[str, Node]:
    return {
        "/etc/dropbear/dropbear_ed25519_host_key": Node.file(keys.host_dropbear.read_bytes(), PRIVATE_MODE),
        "/root/.ssh/authorized_keys": Node.file(keys.client_public.read_bytes(), PRIVATE_MODE),
    }
