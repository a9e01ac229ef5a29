# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m dmabed`` is ``dmabed``."""

from dmabed.cli import main

if __name__ == "__main__":
    main()
