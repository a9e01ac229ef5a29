# SPDX-License-Identifier: GPL-2.0-or-later
"""No line of a fragment gets lost unnoticed."""

from pathlib import Path

import pytest

from dmabed.build import kconfig, kernel
from dmabed.errors import SetupError


@pytest.fixture
def merged(tmp_path: Path) -> list[kconfig.Wish]:
    first, second = tmp_path / "a.config", tmp_path / "b.config"
    first.write_text('# why\nCONFIG_A=y\nCONFIG_NAME="-x"\n# CONFIG_B is not set\n')
    second.write_text("CONFIG_C=64\nCONFIG_A=m\n")
    return kconfig.merge([first, second])


def test_a_later_fragment_wins(merged: list[kconfig.Wish]) -> None:
    assert {wish.option: wish.value for wish in merged} == {
        "CONFIG_A": "m",
        "CONFIG_NAME": '"-x"',
        "CONFIG_B": "n",
        "CONFIG_C": "64",
    }


def test_all_held(merged: list[kconfig.Wish]) -> None:
    final = kconfig.parse('CONFIG_A=m\nCONFIG_NAME="-x"\nCONFIG_C=64\nCONFIG_MORE=y\n')
    assert kconfig.lost(merged, final) == []


@pytest.mark.parametrize(
    ("final", "message"),
    [
        ('CONFIG_A=m\nCONFIG_NAME="-x"\n', "b.config:1: CONFIG_C=64, but it is n"),
        ('CONFIG_A=y\nCONFIG_NAME="-x"\nCONFIG_C=64\n', "b.config:2: CONFIG_A=m, but it is y"),
        ('CONFIG_A=m\nCONFIG_NAME="-x"\nCONFIG_C=64\nCONFIG_B=y\n', "a.config:4: CONFIG_B=n, but it is y"),
    ],
)
def test_what_got_lost_is_named(merged: list[kconfig.Wish], final: str, message: str) -> None:
    assert kconfig.lost(merged, kconfig.parse(final)) == [message]


def test_wishes_take_the_place_of_old_lines(merged: list[kconfig.Wish]) -> None:
    text = kconfig.apply("# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_KEPT=y\n", merged)
    assert text.count("CONFIG_A") == 1
    assert kconfig.parse(text) == {
        "CONFIG_A": "m", "CONFIG_NAME": '"-x"', "CONFIG_B": "n", "CONFIG_C": "64", "CONFIG_KEPT": "y",
    }  # fmt: skip


def test_base_comes_first_and_the_fragments_do_not_contradict_each_other() -> None:
    fragments = kernel.fragments()
    assert fragments[0].name == kernel.FIRST_FRAGMENT
    seen: dict[str, kconfig.Wish] = {}
    for path in fragments:
        for wish in kconfig.wishes(path.name, path.read_text()):
            assert seen.setdefault(wish.option, wish).value == wish.value, wish


def test_an_unknown_variant_is_refused_by_name() -> None:
    with pytest.raises(SetupError, match="no kernel variant 'fast'") as refused:
        kernel.fragments("fast")
    assert "default" in refused.value.hint


def test_a_combined_variant_has_the_fragments_of_all_and_a_version_of_its_own() -> None:
    both = kernel.combined("debug", "default", "pages16k", "debug")
    assert both == "debug+pages16k"
    wished = {wish.option: wish.value for wish in kernel.wishes(both)}
    assert (wished["CONFIG_KASAN"], wished["CONFIG_ARM64_16K_PAGES"]) == ("y", "y")
    assert wished["CONFIG_LOCALVERSION"] == '"-dmabed-debug-pages16k"'
    assert kernel.combined("default", "default") == "default"


@pytest.mark.parametrize("variant", kernel.variants())
def test_each_variant_has_its_own_key(variant: str) -> None:
    others = [name for name in kernel.variants() if name != variant]
    assert kernel.key("6.12", variant) not in {kernel.key("6.12", name) for name in others}


def test_only_the_subject_is_counted_and_only_by_a_kernel_that_can(tmp_path: Path) -> None:
    folder = tmp_path / kernel.COUNTED / "heaps"
    folder.mkdir(parents=True)
    for name in ("../dma-buf.c", "../selftest.c", "../st-dma-resv.c", "../dma-buf.h", "system_heap.c"):
        (folder / name).touch()
    words = ["GCOV_PROFILE_dma-buf.o=y", "GCOV_PROFILE_system_heap.o=y"]
    assert kernel.counting(tmp_path, {"CONFIG_GCOV_KERNEL": "y"}) == words
    assert kernel.counting(tmp_path, {"CONFIG_GCOV_KERNEL": "n"}) == []


def test_steps_of_make_are_counted() -> None:
    told: list[tuple[int, str]] = []
    count = kernel.StepCounter(lambda done, detail: told.append((done, detail)))
    for line in ("  CC      kernel/fork.o", "make[1]: Entering", "  LD [M]  a.ko", "  AR      lib/x.a"):
        count(line)
    assert told == [(1, "kernel/fork.o"), (2, "[M]  a.ko"), (3, "lib/x.a")]
