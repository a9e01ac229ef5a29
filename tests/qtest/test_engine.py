# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine's qtests: registers, operations and one rejected input each, without a guest.

They are C and built with QEMU (qemu-devices/tests/qtest); this runs the program
and does not take its word: every test of its plan must have been reported.
"""

import os
import re
import subprocess
from pathlib import Path

from dmabed.build import Artifacts

LIMIT = 900  # seconds, for a test that hangs; all of them take about 20 on an idle machine
PLAN = re.compile(r"^1\.\.(\d+)$", re.MULTILINE)
RESULT = re.compile(r"^(ok|not ok) \d+ (.*)$", re.MULTILINE)


def test_every_qtest_of_the_plan_passes(artifacts: Artifacts, tmp_path: Path) -> None:
    done = subprocess.run(
        [artifacts.qtest, "--tap", "-k"],
        env=os.environ | {"QTEST_QEMU_BINARY": str(artifacts.qemu)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    results = RESULT.findall(done.stdout)
    plan = PLAN.search(done.stdout)
    failed = [name for verdict, name in results if verdict != "ok" or "# SKIP" in name]
    assert failed == [], done.stdout + done.stderr
    assert plan is not None, done.stderr
    assert len(results) == int(plan.group(1)) > 0
    assert done.returncode == 0, done.stderr
