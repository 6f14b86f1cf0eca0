"""What is said of a word that names several places, and of a place whose disk is full."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.registry import checked
from ipfs_accel_cli.core.errors import DiskFull, Invalid
from ipfs_accel_cli.core.files import writing_into
from ipfs_accel_cli.services.store.backends.placed import place_of


def test_several_places_in_one_word_are_no_path_of_the_first() -> None:
    with pytest.raises(Invalid, match="several places"):
        place_of("cold:,warm:")


def test_a_comma_in_a_path_is_part_of_it() -> None:
    assert place_of("cold:a,b/c") == ("cold", "a,b/c")


def test_a_full_disk_is_named_by_the_folder_that_is_full(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match=str(tmp_path)), writing_into(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_an_unknown_kind_is_told_as_a_kind_with_all_there_are() -> None:
    with pytest.raises(Invalid, match=r"no kind of backend is called 'ftp'.*failover"):
        checked("ftp", {}, token=False)
