# SPDX-License-Identifier: GPL-2.0-or-later
"""Layouts that need another kernel boot it."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from dmabed import build
from dmabed import layout as layouts
from dmabed.build import Artifacts
from dmabed.cli.options import Booting
from dmabed.layout import Layout
from dmabed.plan import in_variant, make_plan
from dmabed.scenario import find
from dmabed.testbed import BootOptions, Testbed


@pytest.fixture
def plain() -> Layout:
    return layouts.find("imx8mp-6g")


@pytest.fixture
def larger_pages(plain: Layout) -> Layout:
    return dataclasses.replace(plain, name="larger", kernel_variant="pages16k")


def artifacts(folder: Path, name: str) -> Artifacts:
    initrd = folder / f"{name}.cpio"
    initrd.write_bytes(name.encode())
    none = Path("none")
    return Artifacts(
        qemu=none,
        qemu_data=None,
        qtest=none,
        kernel=Path(name),
        initrd=initrd,
        media=None,
        ssh_key=none,
        ssh_host_key="",
        versions={},
        keys={"kernel": name},
    )


@pytest.fixture
def testbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Testbed:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked: list[str] = []

    def of_variant(name: str) -> Artifacts:
        assert name not in asked, "it is built once"
        asked.append(name)
        return artifacts(tmp_path, name)

    return Testbed(artifacts(tmp_path, "default"), of_variant=of_variant)


def test_a_layout_boots_the_kernel_that_it_needs(
    testbed: Testbed, plain: Layout, larger_pages: Layout
) -> None:
    for _ in range(2):
        assert testbed.image(larger_pages).kernel == Path("pages16k")
        assert testbed.image(larger_pages).initrd.read_bytes() == b"pages16k", "modules are of one kernel"
    assert testbed.image(plain).kernel == Path("default")
    assert testbed.image(plain).initrd.read_bytes() == b"default"


def test_a_users_kernel_boots_everywhere(tmp_path: Path, larger_pages: Layout) -> None:
    testbed = Testbed(artifacts(tmp_path, "mine"))
    assert testbed.artifacts_for(larger_pages).keys["kernel"] == "mine"


@pytest.mark.parametrize(
    ("asked", "boots"),
    [("default", "pages16k"), ("pages16k", "pages16k"), ("debug", "debug+pages16k")],
)
def test_a_kernel_is_what_was_asked_for_and_what_the_layout_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, larger_pages: Layout, asked: str, boots: str
) -> None:
    monkeypatch.setattr(build, "build", lambda variant, **_words: artifacts(tmp_path, variant))
    testbed = Booting(None, BootOptions(), asked).testbed()
    assert testbed.artifacts.keys["kernel"] == asked
    assert testbed.artifacts_for(larger_pages).keys["kernel"] == boots


def test_coverage_counts_one_kernel(larger_pages: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    coverage = importlib.import_module("dmabed.cli.coverage")  # the package has the command by this name
    (planned,) = make_plan(find(["share-three-devices"]), [])
    other = dataclasses.replace(planned, layout=larger_pages)
    monkeypatch.setattr(coverage, "make_plan", lambda *_words: [planned, other])
    counted, skipped = coverage._plan((), ())
    assert counted.skip == ""
    assert skipped.skip == "larger needs the kernel variant pages16k, which is counted apart"


@pytest.mark.parametrize("words", [["base"], ["--layout", "imx8mp-6g"]])
def test_guest_tests_only_goes_with_no_scenario(words: list[str]) -> None:
    coverage = importlib.import_module("dmabed.cli.coverage")
    done = CliRunner().invoke(coverage.coverage, ["--guest-tests-only", *words])
    assert done.exit_code == 2
    assert "--guest-tests-only runs no scenario" in done.output


def test_what_a_kernel_cannot_have_is_skipped_there_with_its_reason() -> None:
    plan = make_plan(find(["rk3568-tail-of-ram"]), [])
    reasons = {entry.scenario.name: entry.skip for entry in in_variant(plan, "debug")}
    assert reasons["rk3568-tail-of-ram[kernel=asks]"] == ""
    assert reasons["rk3568-tail-of-ram[kernel=bounces]"].startswith("not in the debug kernel: KASAN's shadow")
    assert [entry.skip for entry in in_variant(plan, "default")] == ["", ""]
