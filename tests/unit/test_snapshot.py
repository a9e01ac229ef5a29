# SPDX-License-Identifier: GPL-2.0-or-later
"""The identity of a snapshot, and the store, without QEMU."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dmabed import layout as layouts
from dmabed import snapshot
from dmabed.build import Artifacts
from dmabed.commandline import Image
from dmabed.errors import LaunchError
from dmabed.layout import Layout
from dmabed.snapshot import Store


@dataclasses.dataclass(frozen=True)
class Inputs:
    artifacts: Artifacts
    layout: Layout
    image: Image

    def identity(self) -> str:
        return snapshot.identity(self.artifacts, self.layout, self.image)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    for name in ("Image", "initrd", "soc.dtb"):
        (tmp_path / name).write_text(name)
    image = Image(tmp_path / "Image", tmp_path / "initrd", tmp_path / "soc.dtb")
    artifacts = Artifacts(
        media=None,
        qemu=tmp_path / "qemu",
        qemu_data=None,
        qtest=tmp_path / "qtest",
        kernel=image.kernel,
        initrd=image.initrd,
        ssh_key=tmp_path / "key",
        ssh_host_key="ssh-ed25519 AAAA",
        versions={},
        keys={"qemu": "q1"},
    )
    return Inputs(artifacts, layouts.find("imx8mp-6g"), image)


def _other_qemu(inputs: Inputs) -> Inputs:
    return dataclasses.replace(inputs, artifacts=dataclasses.replace(inputs.artifacts, keys={"qemu": "q2"}))


def _other_layout(inputs: Inputs) -> Inputs:
    return dataclasses.replace(inputs, layout=layouts.find("bcm2711-pi4"))


def _one_limit_changed(inputs: Inputs) -> Inputs:
    first, *rest = inputs.layout.devices
    changed = dataclasses.replace(first, address_bits=first.address_bits - 1)
    return dataclasses.replace(inputs, layout=dataclasses.replace(inputs.layout, devices=(changed, *rest)))


def _other_kernel_argument(inputs: Inputs) -> Inputs:
    return dataclasses.replace(inputs, image=dataclasses.replace(inputs.image, append="nosmp"))


def _other_initrd(inputs: Inputs) -> Inputs:
    inputs.image.initrd.write_text("another")
    return inputs


def _other_kernel(inputs: Inputs) -> Inputs:
    inputs.image.kernel.write_text("another")
    return inputs


def _other_dtb(inputs: Inputs) -> Inputs:
    inputs.image.dtb.write_text("another")
    return inputs


@pytest.mark.parametrize(
    "change",
    [
        _other_qemu,
        _other_layout,
        _one_limit_changed,
        _other_kernel_argument,
        _other_initrd,
        _other_kernel,
        _other_dtb,
    ],
)
def test_any_other_input_is_another_identity(inputs: Inputs, change: Callable[[Inputs], Inputs]) -> None:
    before = inputs.identity()
    assert inputs.identity() == before
    assert change(inputs).identity() != before


def test_a_restore_from_other_inputs_is_refused(inputs: Inputs, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    other = _other_kernel_argument(inputs).identity()
    with pytest.raises(LaunchError, match="other inputs"):
        snapshot.restore(store, other, inputs.artifacts, inputs.layout, inputs.image, tmp_path / "run")


def save(store: Store, key: str) -> Path:
    """A snapshot's files as they should be."""
    path = store.path(key)
    path.mkdir()
    sizes = {}
    for name in ("ram", "state"):
        (path / name).write_text(name)
        sizes[name] = len(name)
    (path / "meta.json").write_text(json.dumps({"identity": key, "sizes": sizes}))
    return path


def test_only_a_whole_snapshot_is_usable(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = save(store, "k")
    assert store.usable("k")
    (path / "state").write_text("")
    assert not store.usable("k")


@pytest.mark.parametrize("meta", ["", "[]", '{"identity": "other"}', '{"identity": "k"}'])
def test_a_damaged_description_makes_it_unusable(tmp_path: Path, meta: str) -> None:
    store = Store(tmp_path)
    (save(store, "k") / "meta.json").write_text(meta)
    assert not store.usable("k")


@pytest.fixture
def full(tmp_path: Path) -> Store:
    """A store with three snapshots more than are kept, the first the oldest: "000", "001"..."""
    store = Store(tmp_path)
    for number in range(snapshot.KEEP + 3):
        os.utime(save(store, f"{number:03}"), (number, number))
    return store


def gone(store: Store) -> set[str]:
    return {name for number in range(snapshot.KEEP + 3) if not store.usable(name := f"{number:03}")}


def test_old_snapshots_go(full: Store) -> None:
    full.prune()
    assert gone(full) == {"000", "001", "002"}


def test_a_snapshot_that_was_taken_stays(full: Store) -> None:
    assert full.take("001")
    full.prune()
    assert gone(full) == {"000", "002", "003"}


def test_a_snapshot_that_is_taken_during_a_prune_stays(full: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    known = full._by_last_use()
    monkeypatch.setattr(full, "_by_last_use", lambda: known)
    assert full.take("001")
    full.prune()
    assert gone(full) == {"000", "002"}


def test_a_snapshot_that_somebody_has_locked_stays(full: Store) -> None:
    with full.lock("001", fcntl.LOCK_SH):
        full.prune()
    assert gone(full) == {"000", "002"}


def test_two_may_prune_at_once(full: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    known = full._by_last_use()
    full.prune()
    monkeypatch.setattr(full, "_by_last_use", lambda: known)
    full.prune()
    assert gone(full) == {"000", "001", "002"}


def test_a_snapshot_that_is_gone_is_not_taken(tmp_path: Path) -> None:
    assert not Store(tmp_path).take("k")


def test_what_a_killed_maker_left_goes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name in ("dead.1.tmp", "alive.2.tmp"):
        (tmp_path / name).mkdir()
    with store.lock("alive"):
        store.prune()
    assert [path.name for path in tmp_path.glob("*.tmp")] == ["alive.2.tmp"]
