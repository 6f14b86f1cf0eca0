"""A linked file is not copied, and is believed only as long as it was not touched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.profiles import PROFILES
from ipfs_accel_cli.core.errors import Invalid, VerificationFailed
from ipfs_accel_cli.services.store import Store
from tests.unit.services.store.content import MIB, objects, pattern

Make = Callable[[str, bytes], Path]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("size_bytes", [0, 5, 9 * MIB + 1])
def test_a_link_has_the_cid_of_a_copy_and_shares_the_file(
    store: Store, make: Make, home: Path, profile: str, size_bytes: int
) -> None:
    path = make("file", pattern(size_bytes))
    (computed,) = store.cid_of([path], profile)
    (stored,) = store.put([path], profile, link=True)
    assert stored.cid == computed.cid
    assert os.path.samefile(path, objects(home)[0])
    assert objects(home)[0].name == hashlib.sha256(pattern(size_bytes)).hexdigest()
    store.verify([stored.cid])


@pytest.mark.parametrize("change", [b"longer than before", b"same!"])
def test_a_linked_file_that_changed_is_not_read(store: Store, make: Make, change: bytes) -> None:
    path = make("file", b"12345")
    (stored,) = store.put([path], link=True)
    path.write_bytes(change)
    with pytest.raises(VerificationFailed):
        store.open(stored.cid)
    assert [finding.kind for finding in store.check()] == ["damaged"]


def test_a_linked_file_that_the_user_removed_is_still_here(store: Store, make: Make) -> None:
    path = make("file", b"12345")
    (stored,) = store.put([path], link=True)
    path.unlink()
    assert b"".join(store.open(stored.cid)) == b"12345"


def test_putting_a_copy_later_makes_the_store_independent(store: Store, make: Make, home: Path) -> None:
    path = make("file", b"12345")
    (stored,) = store.put([path], link=True)
    list(store.put([path]))
    path.write_bytes(b"other")
    assert b"".join(store.open(stored.cid)) == b"12345"
    assert path.stat().st_nlink == 1


def test_linking_what_is_copied_already_changes_nothing(store: Store, make: Make, home: Path) -> None:
    path = make("file", b"12345")
    (stored,) = store.put([path])
    list(store.put([path], link=True))
    path.write_bytes(b"other")
    assert store.object_path(CID.parse(stored.cid)).read_bytes() == b"12345"


def test_a_file_on_another_file_system_cannot_be_linked(store: Store) -> None:
    other = Path("/dev/shm/ipfs-accel-linked")
    if not other.parent.is_dir() or other.parent.stat().st_dev == Path.home().stat().st_dev:
        pytest.skip("there is no second file system to try with")
    other.write_bytes(b"elsewhere")
    try:
        with pytest.raises(Invalid, match="cannot be linked") as caught:
            list(store.put([other], link=True))
    finally:
        other.unlink()
    assert "--link" in str(caught.value.suggestion)
