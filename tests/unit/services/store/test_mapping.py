"""Stretches of files that are mapped, and what happens where they cannot be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.services.store import Store, mapping
from tests.unit.services.store.content import MIB, flip, pattern

DATA = pattern(3 * MIB + 5)


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "file").write_bytes(DATA)
    opened = os.open(tmp_path / "file", os.O_RDONLY)
    yield opened
    os.close(opened)


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (0, len(DATA)), (4095, 4098), (MIB + 7, 2 * MIB - 2)])
def test_a_stretch_has_the_bytes_of_the_file(descriptor: int, offset: int, length: int) -> None:
    view = mapping.present(descriptor, offset, length)
    if view is None:
        pytest.skip("this system maps nothing with care")
    assert view.readonly
    assert bytes(view) == DATA[offset : offset + length]


def test_what_is_beyond_the_end_or_empty_is_left_to_reading(descriptor: int) -> None:
    assert mapping.present(descriptor, 0, len(DATA) + 1) is None
    assert mapping.present(descriptor, len(DATA) + 4096, 1) is None
    assert mapping.present(descriptor, 0, 0) is None


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("populate", ["none", "failing"])
def test_where_nothing_can_be_mapped_the_same_damage_is_found(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, populate: str, whole: bool
) -> None:
    (tmp_path / "file").write_bytes(DATA)
    (stored,) = store.put([tmp_path / "file"])
    assert store.verify(whole=whole).blocks == 5
    (path,) = store._index.places.home.objects.glob("*/*")
    flip(path, MIB + 3)
    found = []
    for way in (mapping._populate, lambda: None if populate == "none" else lambda _: False):
        monkeypatch.setattr(mapping, "_populate", way)
        with pytest.raises(VerificationFailed) as wrong:
            store.verify([stored.cid], whole=whole)
        found.append(wrong.value.errors)

    assert found[0] == found[1]
    assert [one["offset"] for one in found[0]] == [str(MIB)]


def test_a_linked_file_is_never_mapped(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(DATA)
    list(store.put([tmp_path / "file"], link=True))

    def refuse() -> None:
        raise AssertionError("it is mapped")

    monkeypatch.setattr(mapping, "_populate", refuse)

    assert store.verify(whole=True).objects == 1
    assert store.verify().objects == 1
