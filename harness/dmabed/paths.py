# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the repository's data is: the package runs from a checkout.

``DMABED_ROOT`` names another checkout, which lets a test or an installed
package use the data of a tree that it does not lie in.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(os.environ.get("DMABED_ROOT") or Path(__file__).resolve().parents[2])
CONFIGS = ROOT / "configs"
LAYOUTS = CONFIGS / "layouts"
SCHEMAS = CONFIGS / "schemas"
TEMPLATES = CONFIGS / "templates"
