"""Faults of a download that the suite of sources does not make, and that nothing that arrived is read twice."""

from __future__ import annotations

import signal
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.profiles import PROFILES
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.services.store.session import PutSession
from tests.flows.test_model_trouble import finish, small_disk, start
from tests.servers.oci import push_oci
from tests.servers.ollama import ollama
from tests.servers.tiny_model import lay_out, tiny_model
from tests.servers.web import Web, web

__all__ = ["small_disk"]

LEAF = PROFILES["unixfs-v1-2025"].chunk_bytes
FILES = tiny_model(weights=3 * LEAF // 4)
WEIGHTS = FILES["model.safetensors"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
    lay_out(tmp_path / "web", {"model.safetensors": WEIGHTS})
    with web(tmp_path / "web") as served:
        yield served


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no session read a file that lies there."""

    def read(*_: object, **__: object) -> None:
        raise AssertionError("a file that was hashed as it arrived is read again")

    monkeypatch.setattr(PutSession, "path", read)


@pytest.mark.usefixtures("once")
def test_what_arrives_from_the_web_is_not_read_again(node: Node, site: Web, tmp_path: Path) -> None:
    with zipfile.ZipFile(site.folder / "tiny.zip", "w") as archive:
        for path, data in FILES.items():
            archive.writestr(f"tiny/{path}", data)

    pulled = [node.models.pull(f"{site.url}/{name}") for name in ("model.safetensors", "tiny.zip")]

    assert [one.files for one in pulled] == [1, len(FILES)]
    assert all(node.models.verify(one.name, full=True).level == "full" for one in pulled)


@pytest.mark.usefixtures("once")
def test_what_is_in_the_layers_of_a_registry_is_not_read_again(node: Node, tmp_path: Path) -> None:
    with ollama() as registry:
        registry.by_digest = True
        push_oci(registry, "acme/packed:v1", FILES)
        pulled = node.models.pull(f"oci://{registry.host}/acme/packed:v1", "packed")

    assert pulled.files == len(FILES)
    assert node.models.verify("packed", full=True).level == "full"
    node.models.export("packed", tmp_path / "packed.car")
    assert node.models.add(tmp_path / "packed.car", "unpacked").manifest_cid == pulled.manifest_cid


def test_a_wrong_byte_in_the_middle_of_a_car_is_caught_at_its_block(node: Node, site: Web, tmp_path: Path) -> None:
    with Node(tmp_path / "elsewhere") as other:
        other.models.add(lay_out(tmp_path / "tiny", FILES))
        other.models.export("tiny", site.folder / "tiny.car")
    block = WEIGHTS[LEAF : 2 * LEAF]
    whole = (site.folder / "tiny.car").read_bytes()
    wrong = bytearray(whole)
    wrong[whole.index(block) + 5000] ^= 1
    (site.folder / "tiny.car").write_bytes(wrong)

    with pytest.raises(VerificationFailed) as refused:
        node.models.pull(f"{site.url}/tiny.car")

    assert str(CID.of(block, RAW)) in str(refused.value)
    assert not node.models.ls().models
    (site.folder / "tiny.car").write_bytes(whole)
    assert node.models.pull(f"{site.url}/tiny.car").files == len(FILES)


def test_a_disk_that_fills_while_a_file_arrives_registers_nothing(
    site: Web, small_disk: Callable[..., Path], cli: Any
) -> None:
    site.faults.chunked = True  # So that nobody knows beforehand that it does not fit.
    home = small_disk("size=2m") / "home"

    ran = cli("model", "pull", f"{site.url}/model.safetensors", "--json", "--home", str(home))

    assert (ran.status, ran.json["error"]["code"]) == (8, "disk-full"), ran
    assert cli("model", "ls", "--json", "--home", str(home)).json == {"models": []}


def test_who_waits_for_a_pull_goes_on_with_it_when_that_is_killed(node: Node, site: Web) -> None:
    site.faults.hold = threading.Event()
    first = start("model", "pull", f"{site.url}/model.safetensors", "--json")
    assert site.held.wait(60)
    second = start("model", "pull", f"{site.url}/model.safetensors", "--json")
    hold, site.faults.hold = site.faults.hold, None
    _until(lambda: any(path.stat().st_size for path in node.home.partial.rglob("*.safetensors")))
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=60)
    hold.set()

    status, answer = finish(second)

    assert (status, answer["new"]) == (0, True)
    assert answer["fetched_bytes"] < len(WEIGHTS)
    assert node.models.verify("model", full=True).files == 1
    assert not any(node.home.partial.iterdir())


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never came to hold")
