# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m dmabed.build``: build what is missing, update the sources, prune the cache."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from dmabed.build import build, reporter, sources
from dmabed.build.artifacts import Artifacts
from dmabed.build.cache import KEEP, Cache, default_root
from dmabed.build.kernel import DEFAULT_VARIANT
from dmabed.errors import TestbedError

EXIT_BROKEN = 2


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    cache = Cache(default_root())
    try:
        if options.command == "prune":
            dropped = cache.prune(options.keep)
            print(f"{len(dropped)} entries removed from {cache.root}")
            return 0
        if options.command == "update":
            sources.forget(cache)
        made = build(kernel=options.kernel, variant=options.variant, progress=reporter(), cache=cache)
    except TestbedError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_BROKEN
    except KeyboardInterrupt:
        print("interrupted; what is built so far is kept", file=sys.stderr)
        return EXIT_BROKEN
    print(_json(made) if options.json else _text(made))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dmabed.build", description=__doc__)
    parser.add_argument(
        "command",
        nargs="?",
        choices=("build", "update", "prune"),
        default="build",
        help="build what is missing; update: with the newest sources of the pinned series; "
        "prune: drop all but the last used entries",
    )
    parser.add_argument("--kernel", type=Path, help="a kernel of your own: an Image or a built tree")
    parser.add_argument("--variant", default=DEFAULT_VARIANT, help="of our kernel")
    parser.add_argument("--keep", type=int, default=KEEP, help="entries that prune leaves per artifact")
    parser.add_argument("--json", action="store_true", help="tell the paths, versions and keys as JSON")
    return parser


def _text(made: Artifacts) -> str:
    versions = made.versions
    return f"ready: QEMU {versions['qemu']}, Linux {versions['linux']}, dmabed {versions['dmabed']}"


def _json(made: Artifacts) -> str:
    return json.dumps(asdict(made), default=str, indent=2)


if __name__ == "__main__":
    sys.exit(main())
