"""Tar archives that nobody trusts."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import MalformedContent, UnsafeContent, UnsupportedContent
from ipfs_accel_cli.sources import tars
from tests.servers.oci import tar


def unpack(data: bytes, folder: Path, taken: set[str] | None = None) -> list[str]:
    (folder / "out").mkdir(exist_ok=True)
    (folder / "in.tar").write_bytes(data)
    return tars.unpack(folder / "in.tar", "the layer", folder / "out", taken if taken is not None else set())


def member(kind: bytes, name: str = "link", target: str = "config.json") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return data.getvalue()


@pytest.mark.parametrize("compression", ["", "gz"])
def test_files_are_written_where_the_archive_says(tmp_path: Path, compression: str) -> None:
    names = unpack(tar({"./config.json": b"{}", "a/b.bin": b"b" * 5000}, compression), tmp_path)

    assert names == ["config.json", "a/b.bin"]
    assert (tmp_path / "out" / "a" / "b.bin").read_bytes() == b"b" * 5000


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a//b", "a\\b"])
def test_a_name_that_leaves_the_folder_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeContent, match="leave its folder"):
        unpack(tar({name: b"x"}), tmp_path)
    assert not any((tmp_path / "out").iterdir())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(UnsafeContent, match="a link or a device"):
        unpack(member(kind), tmp_path)


def test_a_path_that_another_layer_gave_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(UnsafeContent, match="is there already"):
        unpack(tar({"config.json": b"other"}), tmp_path, {"config.json"})


def test_an_archive_that_expands_beyond_reason_is_refused_before_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnsafeContent, match="would expand"):
        unpack(tar({"zeros.bin": bytes(80 << 20)}, "gz"), tmp_path)
    assert not (tmp_path / "out" / "zeros.bin").exists()


@pytest.mark.parametrize("keep", [100, 600, 1500])
def test_an_archive_that_ends_early_is_malformed(tmp_path: Path, keep: int) -> None:
    with pytest.raises(MalformedContent):
        unpack(tar({"a.bin": b"a" * 4000}, "")[:keep], tmp_path)


def test_what_is_no_archive_says_so(tmp_path: Path) -> None:
    with pytest.raises(MalformedContent, match="not a sound tar"):
        unpack(b"nothing of the kind" * 100, tmp_path)
    with pytest.raises(UnsupportedContent, match="zstd"):
        unpack(b"\x28\xb5\x2f\xfd" + bytes(100), tmp_path)
