"""fsspec's own suite on trees of the store, and what programs read by CID."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.tests import abstract

from ipfs_accel_cli import Node
from ipfs_accel_cli.filesystem import IpfsAccelFileSystem


class Fixtures(abstract.AbstractFixtures):  # type: ignore[misc]
    @pytest.fixture(scope="class")
    def fs(self, tmp_path_factory: pytest.TempPathFactory) -> IpfsAccelFileSystem:
        return IpfsAccelFileSystem(home=str(tmp_path_factory.mktemp("home")), skip_instance_cache=True)

    @pytest.fixture
    def fs_path(self) -> str:
        return "tree"

    @pytest.fixture(scope="class")
    def fs_glob_edge_cases_files(self, fs: IpfsAccelFileSystem) -> Any:
        """A tree that is only read, so that it is written once and not durably again for each of many patterns."""
        return self._glob_edge_cases_files(fs, lambda *parts: "/".join(parts), "patterns")


class TestCopy(abstract.AbstractCopyTests, Fixtures): ...  # type: ignore[misc]


class TestGet(abstract.AbstractGetTests, Fixtures): ...  # type: ignore[misc]


class TestPut(abstract.AbstractPutTests, Fixtures): ...  # type: ignore[misc]


class TestOpen(abstract.AbstractOpenTests, Fixtures): ...  # type: ignore[misc]


class TestPipe(abstract.AbstractPipeTests, Fixtures): ...  # type: ignore[misc]


@pytest.fixture
def fs(home: Path) -> Any:
    return fsspec.filesystem("ipfsaccel", home=str(home), skip_instance_cache=True)


def test_content_is_read_by_its_cid_at_any_place(fs: Any, node: Node, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "weights.bin").write_bytes(data)
    (stored,) = node.store.put([tmp_path / "folder"])

    with fs.open(f"ipfsaccel://{stored.cid}/weights.bin") as file:
        file.seek(2_000_000)
        assert file.read(1000) == data[2_000_000:][:1000]
        file.seek(-5, io.SEEK_END)
        assert file.read() == data[-5:]
    assert fs.cat_file(f"{stored.cid}/weights.bin", 10, 20) == data[10:20]
    assert fs.cat_file(f"{stored.cid}/weights.bin", -10) == data[-10:]
    assert [entry["name"] for entry in fs.ls(stored.cid)] == [f"{stored.cid}/weights.bin"]
    assert fs.find(stored.cid) == [f"{stored.cid}/weights.bin"]


def test_content_by_its_cid_is_never_written(fs: Any, node: Node, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (stored,) = node.store.put([tmp_path / "a"])

    with pytest.raises(PermissionError):
        fs.open(stored.cid, "wb")
    with pytest.raises(PermissionError):
        fs.rm(stored.cid)
    with pytest.raises(FileNotFoundError):
        fs.info("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")


def test_what_is_written_is_there_whole_or_not_at_all_and_a_snapshot_never_changes(fs: Any, node: Node) -> None:
    with fs.open("work/in/data.bin", "wb") as file:
        file.write(b"one")
        file.flush()
        assert not fs.exists("work/in/data.bin")
    first = node.store.trees.snapshot("work")
    with fs.open("work/in/data.bin", "wb") as file:
        file.write(b"two")

    assert fs.cat_file("work/in/data.bin") == b"two"
    assert fs.cat_file(f"{first.cid}/in/data.bin") == b"one"
    assert fs.ukey("work/in/data.bin") != fs.ukey(f"{first.cid}/in/data.bin")
    node.store.gc()
    assert fs.cat_file(f"{first.cid}/in/data.bin") == b"one"
    node.store.trees.remove("work", recursive=True)
    node.store.remove([first.cid])
    node.store.gc()
    assert not list(node.home.objects.glob("*/*"))


def test_a_copy_within_trees_moves_no_bytes(fs: Any, node: Node) -> None:
    fs.pipe_file("work/a", os.urandom(2_000_000))
    fs.cp_file("work/a", "other/b")
    fs.mv("other/b", "other/c")

    assert fs.ukey("work/a") == fs.ukey("other/c")
    assert not fs.exists("other/b")
    assert len(list(node.home.objects.glob("*/*"))) == 1


def test_numpy_and_torch_read_by_path(fs: Any) -> None:
    import numpy as np
    import torch

    with fs.open("work/array.npy", "wb") as file:
        np.save(file, np.arange(1000))
    with fs.open("work/tensor.pt", "wb") as file:
        torch.save(torch.arange(10), file)

    with fs.open("work/array.npy") as file:
        assert np.load(file).sum() == 499_500
    with fs.open("work/tensor.pt") as file:
        assert torch.load(file, weights_only=True).tolist() == list(range(10))
