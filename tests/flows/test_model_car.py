"""Models in CAR files: exported, taken in again, and refused when they are not what they claim."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import dagcbor
from ipfs_accel_cli.content.car import open_reader, write
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.core.errors import (
    Invalid,
    MalformedContent,
    NotFound,
    UnsafeContent,
    VerificationFailed,
)
from tests.servers.tiny_model import lay_out, tiny_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "tiny", tiny_model())


def test_an_exported_model_is_the_same_model_elsewhere(node: Node, folder: Path, tmp_path: Path) -> None:
    added = node.models.add(folder)
    said = {one.cid for one in node.models.show("tiny").statements if one.kind != "source"}

    exported = node.models.export("tiny", tmp_path / "tiny.car")

    assert exported.roots[0] == added.manifest_cid
    assert set(exported.roots[1:]) == said
    with Node(tmp_path / "elsewhere") as other:
        imported = other.models.add(tmp_path / "tiny.car")
        assert (imported.manifest_cid, imported.root_cid, imported.name) == (added.manifest_cid, added.root_cid, "tiny")
        assert {one.cid for one in other.models.show("tiny").statements if one.kind != "source"} == said
        assert other.models.verify("tiny").files == len(tiny_model())
        assert not any(other.home.partial.iterdir())


def test_where_a_model_lay_on_this_machine_is_not_in_its_car(node: Node, folder: Path, tmp_path: Path) -> None:
    node.models.add(folder)
    node.models.export("tiny", tmp_path / "tiny.car")

    assert str(tmp_path).encode() not in (tmp_path / "tiny.car").read_bytes()
    with Node(tmp_path / "elsewhere") as other:
        other.models.add(tmp_path / "tiny.car")
        other.models.export("tiny", tmp_path / "again.car")
    assert (tmp_path / "again.car").read_bytes() == (tmp_path / "tiny.car").read_bytes()


def test_exporting_twice_gives_the_same_bytes(node: Node, folder: Path, tmp_path: Path) -> None:
    node.models.add(folder)
    for name in ("a.car", "b.car"):
        node.models.export("tiny", tmp_path / name)

    assert (tmp_path / "a.car").read_bytes() == (tmp_path / "b.car").read_bytes()


def test_a_car_that_is_cut_or_spoilt_is_refused(node: Node, folder: Path, tmp_path: Path) -> None:
    node.models.add(folder)
    node.models.export("tiny", tmp_path / "tiny.car")
    whole = (tmp_path / "tiny.car").read_bytes()
    spoilt = whole[:-3] + b"???"
    with Node(tmp_path / "elsewhere") as other:
        for data in (whole[: len(whole) // 2], whole[:-1], spoilt):
            (tmp_path / "bad.car").write_bytes(data)
            with pytest.raises(VerificationFailed):
                other.models.add(tmp_path / "bad.car")
        assert not other.models.ls().models
        assert not any(other.home.partial.iterdir())


def test_a_car_that_lacks_a_block_is_refused(node: Node, folder: Path, tmp_path: Path) -> None:
    node.models.add(folder)
    node.models.export("tiny", tmp_path / "tiny.car")
    with (tmp_path / "tiny.car").open("rb") as stream, (tmp_path / "less.car").open("wb") as out:
        reader = open_reader(stream)
        write(out, reader.roots, list(reader.blocks)[:-1])

    with Node(tmp_path / "elsewhere") as other, pytest.raises(MalformedContent, match="lacks the block"):
        other.models.add(tmp_path / "less.car")


def test_a_car_with_code_in_it_is_refused(node: Node, folder: Path, tmp_path: Path) -> None:
    node.models.add(folder)
    node.models.export("tiny", tmp_path / "tiny.car")
    manifest, blocks = _with_file(tmp_path / "tiny.car", "evil.pkl", pickle.dumps(os.system))
    with (tmp_path / "evil.car").open("wb") as out:
        write(out, [manifest], blocks)

    with Node(tmp_path / "elsewhere") as other:
        with pytest.raises(UnsafeContent, match=r"evil\.pkl is a pickle that calls"):
            other.models.add(tmp_path / "evil.car")
        assert not other.models.ls().models
        assert not any(other.home.objects.glob("*/*"))


def test_a_car_whose_manifest_lies_about_its_root_is_refused(node: Node, folder: Path, tmp_path: Path) -> None:
    node.models.add(folder)
    node.models.export("tiny", tmp_path / "tiny.car")
    # One file more in the manifest, but not in the folder that the root names.
    manifest, blocks = _with_file(tmp_path / "tiny.car", "more.txt", b"more")
    with (tmp_path / "lie.car").open("wb") as out:
        write(out, [manifest], blocks)

    with Node(tmp_path / "elsewhere") as other, pytest.raises(VerificationFailed, match="as stated"):
        other.models.add(tmp_path / "lie.car")


def test_a_car_with_several_roots_and_no_manifest_asks_which_is_meant(node: Node, tmp_path: Path) -> None:
    cids = [CID.of(data) for data in (b"x", b"y")]
    with (tmp_path / "two.car").open("wb") as out:
        write(out, cids, [(cids[0], b"x"), (cids[1], b"y")])

    with pytest.raises(Invalid, match=f"car:.*#{cids[1]}"):
        node.models.add(tmp_path / "two.car")
    pulled = node.models.pull(f"car:{tmp_path / 'two.car'}#{cids[1]}")
    assert [file.cid for file in node.models.show(pulled.name).files] == [str(cids[1])]
    with pytest.raises(NotFound, match="no model at the root"):
        node.models.pull(f"car:{tmp_path / 'two.car'}#{CID.of(b'z')}")


def _with_file(car: Path, path: str, data: bytes) -> tuple[CID, list[tuple[CID, bytes]]]:
    """Return a CAR's blocks with one more file in its manifest, under the old root."""
    import hashlib

    with car.open("rb") as stream:
        reader = open_reader(stream)
        blocks = list(reader.blocks)
    cid = CID.of(data)
    manifest = dagcbor.decode(next(block.data for block in blocks if block.cid == reader.roots[0]))
    entry = {"path": path, "size": len(data), "sha256": hashlib.sha256(data).digest(), "cid": cid}
    manifest["files"] = sorted([*manifest["files"], entry], key=lambda file: file["path"].encode())
    encoded = dagcbor.encode(manifest)
    changed = CID.of(encoded, DAG_CBOR)
    return changed, [(changed, encoded), *blocks, (cid, data)]
