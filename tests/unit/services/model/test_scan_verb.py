"""`model scan` tells all that speaks against files, with the place of each."""

from __future__ import annotations

import collections
import io
import json
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import NotFound, UnsafeContent
from tests.servers.tiny_model import lay_out, tiny_model

CALL = b"cposix\nsystem\n(S'false'\ntR."


def refused(node: Node, path: Path) -> list[dict[str, str]]:
    with pytest.raises(UnsafeContent) as raised:
        node.models.contents.scan(str(path))
    assert raised.value.exit_code == 4
    return raised.value.errors


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, fill: Callable[[tarfile.TarFile], Any]) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        fill(archive)
    return path


def member(name: str, data: bytes = b"", **what: Any) -> Callable[[tarfile.TarFile], None]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in what.items():
        setattr(info, key, value)
    return lambda archive: archive.addfile(info, io.BytesIO(data))


def test_a_registered_model_without_code_is_told_file_by_file(node: Node, tmp_path: Path) -> None:
    added = node.models.add(lay_out(tmp_path / "tiny", tiny_model() | {"old.pkl": pickle.dumps([1, 2])}))

    scanned = node.models.contents.scan("tiny")

    assert (scanned.manifest_cid, scanned.notes) == (added.manifest_cid, [])
    assert {file.path: file.form for file in scanned.files}["old.pkl"] == "pickle"
    assert len(scanned.files) == len(tiny_model()) + 1


def test_what_rebuilds_the_weights_is_listed(node: Node, tmp_path: Path) -> None:
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps(collections.OrderedDict(a=1)))

    (file,) = node.models.contents.scan(str(path)).files

    assert file.callables == ["collections.OrderedDict"]


def test_every_call_of_every_file_is_evidence_with_its_place(node: Node, tmp_path: Path) -> None:
    two = b"(cposix\nsystem\n0cbuiltins\neval\n0t."
    folder = lay_out(tmp_path / "bad", {"a.pkl": two, "b.bin": CALL, "fine.txt": b"fine"})

    errors = refused(node, folder)

    assert [(one["pointer"], one["global"], one["offset"]) for one in errors] == [
        ("a.pkl", "posix.system", str(two.index(b"cposix"))),
        ("a.pkl", "builtins.eval", str(two.index(b"cbuiltins"))),
        ("b.bin", "posix.system", "0"),
    ]
    assert {one["kind"] for one in errors} == {"call"}


def test_a_call_inside_an_archive_is_named_by_member(node: Node, tmp_path: Path) -> None:
    path = zipped(tmp_path / "model.pt", {"archive/data.pkl": CALL, "archive/data/0": b"1234"})

    (error,) = refused(node, path)

    assert (error["pointer"], error["global"]) == ("model.pt:archive/data.pkl", "posix.system")


def test_an_archive_of_arrays_with_objects_in_them_is_evidence(node: Node, tmp_path: Path) -> None:
    array = b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"

    (error,) = refused(node, zipped(tmp_path / "weights.npz", {"a.npy": array}))

    assert error["pointer"] == "weights.npz:a.npy"


@pytest.mark.parametrize("nested", [False, True])
def test_a_lambda_layer_of_a_keras_archive_is_evidence(node: Node, tmp_path: Path, nested: bool) -> None:
    layer = {"class_name": "Lambda", "config": {"name": "trick", "function": ["4wEA", None, None]}}
    config = {"class_name": "Sequential", "config": {"layers": [{"config": {"layer": layer}} if nested else layer]}}

    (error,) = refused(node, zipped(tmp_path / "model.keras", {"config.json": json.dumps(config).encode()}))

    assert (error["kind"], error["pointer"]) == ("layer", "model.keras:config.json")
    assert "'trick'" in error["detail"]


def test_a_keras_archive_of_plain_layers_passes(node: Node, tmp_path: Path) -> None:
    config = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"name": "Lambda"}}]}}

    scanned = node.models.contents.scan(
        str(zipped(tmp_path / "model.keras", {"config.json": json.dumps(config).encode()}))
    )

    assert [file.form for file in scanned.files] == ["zip"]


@pytest.mark.parametrize("before", [100, (4 << 20) - 10])
def test_a_lambda_layer_of_an_hdf5_file_is_found_wherever_it_lies(node: Node, tmp_path: Path, before: int) -> None:
    path = tmp_path / "model.h5"
    start = b"\x89HDF\r\n\x1a\n" + bytes(before - 8)
    path.write_bytes(start + b'{"class_name": "Lambda", "config": {}}' + bytes(5 << 20))

    (error,) = refused(node, path)

    assert (error["kind"], error["offset"]) == ("layer", str(before + 1))


@pytest.mark.parametrize(
    "fill",
    [
        member("../escape.txt", b"x"),
        member("/etc/escape", b"x"),
        member("a/link", type=tarfile.SYMTYPE, linkname="../../etc/passwd"),
        member("hard", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
        member("pipe", type=tarfile.FIFOTYPE),
    ],
    ids=["upwards", "absolute", "link", "hard-link", "pipe"],
)
@pytest.mark.parametrize("name", ["model.tar", "model.tar.gz"])
def test_a_tar_archive_that_leads_out_is_evidence(
    node: Node, tmp_path: Path, fill: Callable[[tarfile.TarFile], None], name: str
) -> None:
    (error,) = refused(node, tarred(tmp_path / name, fill))

    assert error["kind"] == "archive"


def test_a_pickle_inside_a_tar_archive_is_judged(node: Node, tmp_path: Path) -> None:
    (error,) = refused(node, tarred(tmp_path / "model.nemo", member("weights.pkl", CALL)))
    assert error["global"] == "posix.system"

    fine = tarred(tmp_path / "fine.tar", member("in/weights.pkl", pickle.dumps([1])))
    assert [file.form for file in node.models.contents.scan(str(fine)).files] == ["tar"]


def test_a_link_inside_a_tar_archive_may_point_to_its_neighbour(node: Node, tmp_path: Path) -> None:
    path = tarred(tmp_path / "model.tar", member("a/link", type=tarfile.SYMTYPE, linkname="../b"))

    assert node.models.contents.scan(str(path)).files


def test_a_tar_archive_that_breaks_off_is_evidence(node: Node, tmp_path: Path) -> None:
    path = tarred(tmp_path / "model.tar.gz", member("a", os.urandom(10_000)))
    path.write_bytes(path.read_bytes()[:5_000])

    (error,) = refused(node, path)

    assert error["kind"] == "unreadable"


def test_code_that_runs_only_when_asked_for_is_a_note(node: Node, tmp_path: Path) -> None:
    files = {"config.json": b'{"auto_map": {"AutoModel": "modeling.My"}}', "modeling.py": b"import os"}

    scanned = node.models.contents.scan(str(lay_out(tmp_path / "custom", files)))

    assert len(scanned.notes) == 2
    assert "trust_remote_code" in scanned.notes[1]


def test_a_lost_file_is_not_called_clean(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    file = next(one for one in node.models.show("tiny").files if one.path == "model.safetensors")
    next(node.home.objects.rglob(file.sha256)).unlink()

    with pytest.raises(NotFound, match="cannot be scanned"):
        node.models.contents.scan("tiny")
