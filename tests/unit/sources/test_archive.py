"""Archives that nobody trusts."""

from __future__ import annotations

import shutil
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import AccelError, MalformedContent, UnsafeContent
from ipfs_accel_cli.sources import archive


def write(path: Path, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        warnings.simplefilter("ignore")
        for name, data in members:
            file.writestr(name, data)
    return path


def names(path: Path) -> list[str]:
    with archive.opened(path) as members:
        return list(members)


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", ("a/", b""), ("a/b.txt", b"hello"), ("é.txt", b""))

    with archive.opened(path) as members:
        archive.extract(path, [(info, tmp_path / "out" / name) for name, info in members.items()])

    assert (tmp_path / "out" / "a" / "b.txt").read_bytes() == b"hello"
    assert (tmp_path / "out" / "é.txt").read_bytes() == b""


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/x", "a//x", "a/./x", "..", "a\\..\\x", "C:\\x", "c:/x", "a/x\0.txt"]
)
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    info = zipfile.ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    path = write(tmp_path / "a.zip", (info, b"x"))

    with pytest.raises(UnsafeContent, match="leave its folder"):
        names(path)


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeContent, match="twice"):
        names(write(tmp_path / "a.zip", ("x", b"1"), ("x", b"2")))


def test_names_that_differ_only_in_their_composition_are_one_name(tmp_path: Path) -> None:
    with pytest.raises(UnsafeContent, match="twice"):
        names(write(tmp_path / "a.zip", ("\u00e9", b"1"), ("e\u0301", b"2")))


def test_a_link_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16

    with pytest.raises(UnsafeContent, match="link or a device"):
        names(write(tmp_path / "a.zip", (info, b"/etc/passwd")))


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", ("x", b"1"))
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, central + 8, struct.unpack_from("<H", data, central + 8)[0] | 1)
    path.write_bytes(data)

    with pytest.raises(UnsafeContent, match="encrypted"):
        names(path)


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", *((f"{number}", bytes(10 << 20)) for number in range(8)))

    with pytest.raises(UnsafeContent, match="would expand to"):
        names(path)


def test_a_member_whose_bytes_are_damaged_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", ("x", bytes(range(256)) * 20))
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)

    with pytest.raises(MalformedContent, match="not a sound zip"), archive.opened(path) as members:
        archive.extract(path, [(members["x"], tmp_path / "x")])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), flip=st.integers(0, 400), value=st.integers(0, 255))
def test_damage_anywhere_raises_our_errors_only(tmp_path: Path, cut: int, flip: int, value: int) -> None:
    path = write(tmp_path / "a.zip", ("a/x", b"hello " * 20), ("y", b"1"))
    data = bytearray(path.read_bytes())
    data[flip % len(data)] = value
    path.write_bytes(data[: len(data) - cut] if cut < len(data) else b"")
    shutil.rmtree(tmp_path / "out", ignore_errors=True)

    try:
        with archive.opened(path) as members:
            archive.extract(path, [(info, tmp_path / "out" / str(n)) for n, info in enumerate(members.values())])
    except AccelError:
        return


def test_a_member_whose_name_begins_with_nul_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nameless.zip"
    with zipfile.ZipFile(path, "w") as archive_file:
        archive_file.writestr("config.json", b"{}")
    path.write_bytes(path.read_bytes().replace(b"config.json", b"\0onfig.json"))
    with pytest.raises(UnsafeContent, match="without a name"), archive.opened(path):
        pass
