"""The identities that Kubo itself computes, and two of its nodes that exchange a DAG by the root that we computed."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.content import builder, hamt, hashing
from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.profiles import PROFILES
from tests.servers import kubo
from tests.vectors.content import pattern

PROFILE = PROFILES["unixfs-v0-2015"]
VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors/unixfs_reference.json").read_text("utf-8"))


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    kubo.library()


def ours(path: Path) -> Built:
    if path.is_symlink():
        return builder.symlink(str(path.readlink()), PROFILE)[1]
    if path.is_dir():
        return hamt.build_directory(((child.name, ours(child)) for child in path.iterdir()), PROFILE)
    return hashing.file_cid(path, PROFILE)


def test_files_have_the_identity_that_kubo_gives_them(tmp_path: Path) -> None:
    paths = []
    for vector in VECTORS["profiles"][PROFILE.name]["files"]:
        paths.append(tmp_path / str(vector["size_bytes"]))
        paths[-1].write_bytes(pattern(vector["size_bytes"]))
    assert kubo.hashes(tmp_path, paths) == {str(path): str(ours(path).cid) for path in paths}


def test_a_nested_directory_with_a_symbolic_link_has_the_identity_that_kubo_gives_it(tmp_path: Path) -> None:
    for entry in VECTORS["tree"]:
        path = tmp_path / entry["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if "link" in entry:
            path.symlink_to(entry["link"])
        elif "size" in entry:
            path.write_bytes(pattern(entry["size"]))
        else:
            path.mkdir()
    root = tmp_path / "root"
    assert kubo.hashes(tmp_path, [root]) == {str(root): str(ours(root).cid)}
    assert str(ours(root).cid) == VECTORS["profiles"][PROFILE.name]["tree"]["cid"]


def test_sharded_directories_of_files_and_of_folders_have_the_identity_that_kubo_gives_them(tmp_path: Path) -> None:
    root = tmp_path / "root"
    tail = " is a näme of some length" * 12
    for index in range(5000):
        path = root / "files" / f"{index}{tail}"[:60]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pattern(index % 7))
    for index in range(1300):
        (root / "folders" / f"{index}{tail}"[:200]).mkdir(parents=True)
    assert kubo.hashes(tmp_path, [root]) == {str(root): str(ours(root).cid)}
    assert ours(root / "files").size_bytes == sum(index % 7 for index in range(5000))


@pytest.mark.slow
def test_two_nodes_exchange_a_file_by_the_root_that_we_computed(tmp_path: Path) -> None:
    data = pattern(3_000_000)
    path = tmp_path / "file"
    path.write_bytes(data)
    with kubo.node(tmp_path, [path], free_port()) as serving:
        assert kubo.download(tmp_path, serving, str(ours(path).cid), free_port()) == data


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
