from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.errors import ContentError, Malformed
from ipfs_accel_cli.content.manifest import FileEntry, Manifest, Statement, normalise_path
from tests.unit.content.damage import damaged
from tests.unit.content.values import values

ROOT = CID.of(b"root")
PROFILE = "unixfs-v1-2025"


def entry(path: str, content: bytes = b"content") -> FileEntry:
    cid = CID.of(content)
    return FileEntry(path, len(content), cid.multihash.digest, cid)


MANIFEST = Manifest(PROFILE, ROOT, (entry("config.json"), entry("onnx/model.onnx", b"onnx"), entry("ü")))


def raw(**changes: Any) -> dict[str, Any]:
    value: dict[str, Any] = dagcbor.decode(MANIFEST.encode())
    return {**value, **changes}


def raw_file(**changes: Any) -> dict[str, Any]:
    return {"path": "a", "size": 1, "sha256": bytes(32), "cid": ROOT, **changes}


def test_a_manifest_reads_back_under_the_same_name() -> None:
    assert Manifest.decode(MANIFEST.encode()) == MANIFEST
    assert Manifest.decode(MANIFEST.encode()).cid == MANIFEST.cid
    assert MANIFEST.cid.codec == DAG_CBOR
    MANIFEST.cid.verify(MANIFEST.encode())
    assert MANIFEST.size_bytes == 18


def test_the_order_in_which_files_are_given_does_not_matter() -> None:
    assert Manifest(PROFILE, ROOT, tuple(reversed(MANIFEST.files))).cid == MANIFEST.cid


def test_the_encoding_of_a_manifest_never_changes() -> None:
    # The same value as @ipld/dag-cbor gives.
    manifest = Manifest(PROFILE, ROOT, (entry("a/b", b"x"),))
    assert str(manifest.cid) == "bafyreie4w7i3pdrolpoz7zflgeoxp7xyuwmin6jtarrlpjrncwpxeocdve"
    assert dagcbor.decode(manifest.encode()) == {
        "schema": "ipfs-accel/manifest/v1",
        "profile": PROFILE,
        "root": ROOT,
        "files": [{"path": "a/b", "size": 1, "sha256": CID.of(b"x").multihash.digest, "cid": CID.of(b"x")}],
    }


@given(damaged(st.just(MANIFEST.encode())) | values.map(dagcbor.encode))
def test_damaged_manifests_are_read_or_refused(data: bytes) -> None:
    try:
        manifest = Manifest.decode(data)
    except ContentError:
        return
    assert manifest.encode() == data


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        raw(schema="ipfs-accel/manifest/v2"),
        raw(profile="unknown"),
        raw(root=b"root"),
        raw(files={}),
        raw(more=1),
        raw(files=[raw_file(path="b"), raw_file(path="a")]),
        raw(files=[raw_file(), raw_file()]),
        raw(files=[raw_file(path="a"), raw_file(path="a-b"), raw_file(path="a/b")]),
        raw(files=[raw_file(path="../a")]),
        raw(files=[raw_file(path="/a")]),
        raw(files=[raw_file(path="e\u0301")]),
        raw(files=[raw_file(size=-1)]),
        raw(files=[raw_file(size=True)]),
        raw(files=[raw_file(size=1.0)]),
        raw(files=[raw_file(size=1 << 63)]),
        raw(files=[raw_file(sha256=bytes(31))]),
        raw(files=[raw_file(sha256="text")]),
        raw(files=[raw_file(cid=str(ROOT))]),
        raw(files=[raw_file(more=1)]),
        raw(files=[1]),
    ],
    ids=repr,
)
def test_a_manifest_of_another_shape_is_refused(value: Any) -> None:
    with pytest.raises(Malformed):
        Manifest.decode(dagcbor.encode(value))


@pytest.mark.parametrize(
    ("path", "normal"), [("a", "a"), ("a/b.c", "a/b.c"), ("e\u0301/x", "\u00e9/x"), (".hidden/...", ".hidden/...")]
)
def test_paths_are_written_in_one_way(path: str, normal: str) -> None:
    assert normalise_path(path) == normal


@pytest.mark.parametrize("path", ["", "/", "/a", "a/", "a//b", ".", "./a", "..", "a/../b", "a\\b", "a\0b", "\ud800"])
def test_a_path_that_could_lead_outside_is_refused(path: str) -> None:
    with pytest.raises(Malformed):
        normalise_path(path)


@given(st.text(max_size=20) | st.text("./a\u0301e", max_size=10))
def test_a_normal_path_stays_as_it_is_and_has_only_plain_names(path: str) -> None:
    try:
        normal = normalise_path(path)
    except Malformed:
        return
    assert normalise_path(normal) == normal
    assert not {"", ".", ".."} & set(normal.split("/"))


def test_a_statement_reads_back_under_the_same_name() -> None:
    statement = Statement(MANIFEST.cid, "facts", {"licence": "Apache-2.0", "parameters": 22_713_216, "parents": [ROOT]})
    assert Statement.decode(statement.encode()) == statement
    statement.cid.verify(statement.encode())
    assert len({statement, Statement.decode(statement.encode())}) == 1


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"schema": "ipfs-accel/statement/v1", "subject": "text", "kind": "k", "body": {}},
        {"schema": "ipfs-accel/statement/v1", "subject": ROOT, "kind": 1, "body": {}},
        {"schema": "ipfs-accel/statement/v1", "subject": ROOT, "kind": "k", "body": []},
        {"schema": "ipfs-accel/manifest/v1", "subject": ROOT, "kind": "k", "body": {}},
    ],
    ids=repr,
)
def test_a_statement_of_another_shape_is_refused(value: Any) -> None:
    with pytest.raises(Malformed):
        Statement.decode(dagcbor.encode(value))


def test_a_statement_whose_body_has_no_form_is_not_written() -> None:
    with pytest.raises(Malformed):
        Statement(ROOT, "facts", {"time": object()}).encode()
