# SPDX-License-Identifier: GPL-2.0-or-later
"""A source stays at its version; another series than the pinned one is refused."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from dmabed.build import sources
from dmabed.build.cache import Cache
from dmabed.build.progress import SilentProgress
from dmabed.errors import SetupError

QUIET = SilentProgress()


class Mirror:
    """Apt as far as it is used; it offers one version of everything."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.offers, self.fetched = "10.0.13+ds", [""]
        self.refuses = False
        self._scratch = tmp_path
        monkeypatch.setattr(sources, "PrivateApt", lambda *facts: self)

    def update(self) -> None:
        if self.refuses:
            raise SetupError("apt-get update failed")

    def source(self, package: str, directory: Path) -> None:
        """A tarball with one file in one directory."""
        import tarfile

        self.fetched.append(package)
        content = self._scratch / "content"
        content.write_text(self.offers)
        with tarfile.open(directory / f"qemu_{self.offers}.orig.tar.xz", "w:xz") as tar:
            tar.add(content, "qemu/VERSION")
        (directory / f"qemu_{self.offers}.dsc").touch()


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mirror:
    return Mirror(monkeypatch, tmp_path)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_a_source_is_fetched_once(mirror: Mirror, cache: Cache) -> None:
    first = sources.qemu(cache, QUIET)
    assert first.versions["qemu"] == "10.0.13"
    assert (first.path / "VERSION").read_text() == "10.0.13+ds"
    assert sources.qemu(cache, QUIET) == first
    assert mirror.fetched.count("qemu") == 1


def test_a_point_release_comes_only_with_update(mirror: Mirror, cache: Cache) -> None:
    sources.qemu(cache, QUIET)
    mirror.offers = "10.0.14+ds1"
    assert sources.qemu(cache, QUIET).versions["qemu"] == "10.0.13"
    sources.forget(cache)
    assert sources.qemu(cache, QUIET).versions["qemu"] == "10.0.14"


def test_another_series_is_refused(mirror: Mirror, cache: Cache) -> None:
    mirror.offers = "10.1.0+ds"
    with pytest.raises(SetupError, match=r"qemu_10\.1\.0.*needs the 10\.0\.x series"):
        sources.qemu(cache, QUIET)
    assert sources.known(cache, "qemu") is None


def test_a_failed_fetch_leaves_nothing(mirror: Mirror, cache: Cache) -> None:
    mirror.refuses = True
    with pytest.raises(SetupError):
        sources.qemu(cache, QUIET)
    assert list((cache.root / "sources" / "qemu").iterdir()) == []


def test_a_source_that_was_deleted_is_fetched_again(mirror: Mirror, cache: Cache) -> None:
    (sources.qemu(cache, QUIET).path / "VERSION").unlink()
    sources.qemu(cache, QUIET).path.rmdir()
    assert (sources.qemu(cache, QUIET).path / "VERSION").is_file()


@pytest.mark.parametrize(("needs", "found"), [(["libmd-dev"], True), (["libmd-dev", "new-package"], False)])
def test_a_new_package_makes_the_guests_packages_unknown(
    cache: Cache, needs: Sequence[str], found: bool
) -> None:
    cache.record("source-guest", {"guest": "abc", "libmd-dev": "1.0"})
    (cache.root / "sources" / "guest" / "abc").mkdir(parents=True)
    assert (sources.known(cache, "guest", needs) is not None) is found
