# SPDX-License-Identifier: GPL-2.0-or-later
"""Layouts that need another kernel boot it, or say why they don't."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click
import pytest

from dmabed import layout as layouts
from dmabed.build import Artifacts
from dmabed.cli.options import Booting
from dmabed.layout import Layout
from dmabed.plan import make_plan, without_unfit
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
    assert Booting(Path("Image"), BootOptions()).unfit(larger_pages) == ""


@pytest.mark.parametrize(("variant", "fits"), [("default", True), ("pages16k", True), ("debug", False)])
def test_another_variant_does_not_fit(plain: Layout, larger_pages: Layout, variant: str, fits: bool) -> None:
    booting = Booting(None, BootOptions(), variant)
    assert booting.unfit(plain) == ""
    assert bool(booting.unfit(larger_pages)) is not fits


def test_what_does_not_fit_is_skipped_with_its_reason(larger_pages: Layout) -> None:
    booting = Booting(None, BootOptions(), "debug")
    (planned,) = make_plan(find(["share-three-devices"]), [])
    entries = [planned, dataclasses.replace(planned, layout=larger_pages)]
    fit, unfit = without_unfit(entries, booting.unfit)
    assert fit.skip == ""
    assert unfit.skip == "larger needs the kernel variant pages16k, and --variant debug is another"
    with pytest.raises(click.UsageError, match="needs the kernel variant pages16k"):
        booting.fitting(larger_pages)
