# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the harness's Python environment and points ``build/venv`` to it.

It lies in the cache under a name that is made from the pins and the Python, so
checkouts with the same pins share one. A stamp, written last, tells a whole
environment from one whose making was interrupted. Runs in the system's Python,
so it uses nothing but the standard library.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
LINK = ROOT / "build" / "venv"
STAMP = "dmabed-ready"
OLDEST_PYTHON = (3, 11)
HEARTBEAT = 15  # seconds
EXIT_BROKEN = 2


class Broken(Exception):
    """The environment can't be made; the text says why."""


def cache_root() -> Path:
    """As in harness/dmabed/build/cache.py, which can't be imported before there is an environment."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "dmabed"


def environment_key() -> str:
    """A name for the pins and the Python that they are installed for."""
    digest = hashlib.sha256(f"{sys.version} {sys.executable}".encode())
    for pins in PINS:
        digest.update(pins.read_bytes())
    return digest.hexdigest()[:16]


def is_whole(place: Path) -> bool:
    """Whether the environment was finished, and its Python is still there."""
    return (place / STAMP).is_file() and (place / "bin" / "python").exists()


def ensure(place: Path, locks: Path) -> None:
    """Make the environment unless it is there, one process at a time."""
    if is_whole(place):
        return
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / "venv").open("w") as lock:
        say("making the Python environment ...")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_whole(place):  # another process may just have made it
            make(place)


def make(place: Path) -> None:
    """An empty environment, the pinned packages, then the stamp."""
    started = time.monotonic()
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    log = place.parent / f"{place.name}.log"
    log.write_text("")
    run([sys.executable, "-I", "-m", "venv", str(place)], log)
    pip = [str(place / "bin" / "python"), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    # wheels only: a package that starts to compile would need more than packages.txt has
    pins = [word for path in PINS for word in ("-r", str(path))]
    run([*pip, "install", "--quiet", "--only-binary=:all:", *pins], log)
    (place / STAMP).touch()
    say(f"making the Python environment: done in {time.monotonic() - started:.1f} s")


def run(argv: list[str], log: Path) -> None:
    """Run a command to its end, with a sign of life now and then."""
    started = time.monotonic()
    with log.open("a") as out:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        while True:
            try:
                status = process.wait(HEARTBEAT)
                break
            except subprocess.TimeoutExpired:
                say(f"  Python environment: {time.monotonic() - started:.0f} s")
    if status:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise Broken(f"{' '.join(argv[2:5])} ... failed with status {status}; its log: {log}\n{tail}")


def point_to(place: Path) -> None:
    """Have build/venv be a link to the environment."""
    if LINK.is_symlink() and LINK.readlink() == place:
        return
    LINK.parent.mkdir(exist_ok=True)
    new = LINK.with_name(f".venv-{os.getpid()}")
    new.symlink_to(place)
    new.replace(LINK)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    if sys.version_info < OLDEST_PYTHON:
        say(f"error: Python {sys.version.split()[0]} is too old; Debian 12 has 3.11")
        return EXIT_BROKEN
    root = cache_root()
    place = root / "venv" / environment_key()
    try:
        ensure(place, root / "locks")
        point_to(place)
    except (Broken, OSError) as error:
        say(f"error: cannot make the Python environment: {error}")
        return EXIT_BROKEN
    except KeyboardInterrupt:
        return EXIT_BROKEN
    return 0


if __name__ == "__main__":
    sys.exit(main())
