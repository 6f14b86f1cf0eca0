"""Models as CAR files and DAGs: at an address, in pieces, and the same from wherever they came."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.errors import (
    Invalid,
    NotFound,
)
from tests.servers.hub import hub
from tests.servers.package_index import make_wheel, package_index
from tests.servers.tiny_model import lay_out, safetensors, tiny_model
from tests.servers.web import Web, web

WEIGHTS = safetensors({"layer.weight": (256, 256)})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "small.safetensors").write_bytes(WEIGHTS)
    with web(tmp_path / "web") as served:
        yield served


def test_a_car_at_an_address_is_the_model_that_was_exported(node: Node, site: Web, tmp_path: Path) -> None:
    with Node(tmp_path / "maker") as maker:
        made = maker.models.add(lay_out(tmp_path / "tiny", tiny_model()))
        maker.models.export(made.name, site.folder / "tiny.car")
    assert node.models.pull(f"{site.url}/tiny.car").manifest_cid == made.manifest_cid


def test_a_dag_that_is_not_whole_is_no_model_and_says_what_is_missing(node: Node) -> None:
    absent = CID.of(b"absent")
    with node.store.session() as session:
        stored = session.file([b"here"])
        folder = session.directory({"config.json": stored})
        session.commit()
    text = b"".join(map(bytes, node.store.dags.get(folder.cid))).decode().replace(str(stored.cid), str(absent))
    partial = node.store.dags.put(text=text, store_codec="dag-pb")
    with pytest.raises(NotFound, match=str(absent)) as raised:
        node.models.pull(f"ipfs://{partial.cid}")
    assert raised.value.suggestion == f"ipfs-accel store dag stat {partial.cid}"


def test_a_file_that_lacks_its_end_is_no_model_and_says_so(node: Node, tmp_path: Path) -> None:
    (tmp_path / "long.bin").write_bytes(os.urandom(3 << 20))
    with Node(tmp_path / "other") as other:
        (put,) = other.store.put([tmp_path / "long.bin"])
        root = other.store.block(CID.parse(put.cid))
    with node.store.session() as session:
        session.block(CID.parse(put.cid), root)
        session.commit()
    with pytest.raises(NotFound, match="not whole") as raised:
        node.models.pull(f"ipfs://{put.cid}")
    assert raised.value.suggestion == f"ipfs-accel store dag stat {put.cid}"
    assert node.models.ls().models == []


def test_the_same_files_have_one_identity_and_one_set_of_bytes_whatever_they_came_from(
    node: Node, site: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay_out(tmp_path / "tiny", tiny_model())
    with zipfile.ZipFile(site.folder / "tiny.zip", "w") as archive:
        for path, data in tiny_model().items():
            archive.writestr(f"tiny/{path}", data)
    first = node.models.add(folder, "from-folder")
    objects = sorted(path.name for path in node.home.objects.rglob("*") if path.is_file())
    node.models.export("from-folder", tmp_path / "tiny.car")
    (tmp_path / "hub" / "acme").mkdir(parents=True)
    shutil.copytree(folder, tmp_path / "hub" / "acme" / "tiny")
    (tmp_path / "wheels").mkdir()
    make_wheel(tmp_path / "wheels", "tiny-model", "1.0", {f"pkg/{path}": data for path, data in tiny_model().items()})
    with hub(tmp_path / "hub") as repository, package_index(tmp_path / "wheels") as index:
        for name, value in index.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HF_ENDPOINT", repository.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        references = [
            f"{site.url}/tiny.zip", f"car:{tmp_path / 'tiny.car'}", f"ipfs://{first.root_cid}",
            f"ipfs://{first.manifest_cid}", "hf://acme/tiny", "pypi://tiny-model",
        ]  # fmt: skip
        pulled = [node.models.pull(text, f"name-{number}") for number, text in enumerate(references)]

    assert {one.manifest_cid for one in pulled} == {first.manifest_cid}
    assert sorted(path.name for path in node.home.objects.rglob("*") if path.is_file()) == objects


def test_a_car_with_several_models_names_each_as_it_can_be_pulled(node: Node, site: Web, tmp_path: Path) -> None:
    with Node(tmp_path / "maker") as maker:
        made = [maker.models.add(lay_out(tmp_path / f"tiny-{seed}", tiny_model(seed))) for seed in (0, 1)]
        maker.store.export_car([one.manifest_cid for one in made], site.folder / "two.car")
    for reference in (f"{site.url}/two.car", f"car:{site.folder / 'two.car'}"):
        with pytest.raises(Invalid, match="2 models") as raised:
            node.models.pull(reference)
        assert raised.value.context["choices"] == [f"{reference}#{one.manifest_cid}" for one in made]
        pulled = [node.models.pull(choice) for choice in raised.value.context["choices"]]
        assert [one.manifest_cid for one in pulled] == [one.manifest_cid for one in made]
        with pytest.raises(NotFound, match="no model at the root"):
            node.models.pull(f"{reference}#{made[0].root_cid}")


def test_a_cid_that_is_not_here_says_that_nobody_else_was_asked(node: Node) -> None:
    with pytest.raises(NotFound, match="no gateway") as raised:
        node.models.pull(f"ipfs://{CID.of(b'elsewhere')}")
    assert raised.value.suggestion
