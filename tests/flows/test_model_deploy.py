"""How models are served, in versions: made, compared, kept with their models, and taken off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    DoesNotFit,
    Invalid,
    NotAuthorised,
    NotFound,
    Unavailable,
    UnsupportedContent,
)
from ipfs_accel_cli.services.model.deploy.results import Estimate
from ipfs_accel_cli.surfaces.cli.main import run
from tests.servers.tiny_model import lay_out, tiny_model


@pytest.fixture
def served(node: Node, tmp_path: Path) -> Node:
    """A node with two versions of a model, and a deployment of the first."""
    for seed in (0, 1):
        node.models.add(lay_out(tmp_path / "tiny", tiny_model(seed)))
    node.models.deploys.new("chat", "tiny@1")
    return node


def test_a_deployment_pins_its_model_and_each_change_makes_a_version(served: Node) -> None:
    deploys = served.models.deploys
    first = deploys.show("chat")
    assert (first.version, first.config.model, first.config.server) == (1, "tiny@1", "accel")
    assert first.config.manifest == served.models.show("tiny@1").manifest_cid

    same = deploys.new("chat")
    assert (same.unchanged, same.version) == (True, 1)
    second = deploys.new("chat", assignments=["context=4096", "labels.team=search"])
    assert (second.unchanged, second.version, second.model) == (False, 2, "tiny@1")
    third = deploys.new("chat", "tiny", assignments=["labels.team="])
    assert (third.version, third.model) == (3, "tiny@2")
    assert (deploys.show("chat").config.context, deploys.show("chat").config.labels) == (4096, {})
    assert deploys.show("chat@1") == first.model_copy(update={"versions": deploys.show("chat").versions})
    (row,) = deploys.ls().deployments
    assert (row.name, row.version, row.versions) == ("chat", 3, 3)


def test_what_is_shown_can_be_made_again_and_gives_the_same_configuration(served: Node, tmp_path: Path) -> None:
    deploys = served.models.deploys
    deploys.new("chat", assignments=["port=9000", 'labels.note="quoted" $x', "extra_args=--toolsets all"])
    file = tmp_path / "chat.toml"
    file.write_text(deploys.show("chat").toml)

    assert deploys.new("copy", file=file).config_cid == deploys.show("chat").config_cid
    back = deploys.new("chat", file=file, assignments=["port=", "labels.note=", "extra_args="])
    assert (back.version, back.config_cid) == (3, deploys.show("chat@1").config_cid)

    text = file.read_text()
    file.write_text(text.replace("tiny@1", "tiny@2"))
    with pytest.raises(Invalid, match="leave one of both out"):
        deploys.new("chat", file=file)
    assert deploys.new("moved", "tiny@2", file).model == "tiny@2"
    with Node(tmp_path / "elsewhere") as other, pytest.raises(NotFound, match=r"tiny@2 .* is not here"):
        other.models.deploys.new("chat", file=file)
    file.write_text('model = "tiny"\nprot = 1\n')
    with pytest.raises(Invalid, match="did you mean 'port'"):
        deploys.new("chat", file=file)
    file.write_text('model = "tiny"\n')
    assert deploys.new("other", file=file).model == "tiny@2"


@pytest.mark.parametrize("given", ["image=evil/x:1", "extra_args=--allow-path /", "host=0.0.0.0", "api_key_env=PATH"])
def test_only_the_owner_changes_what_runs_and_who_reaches_it(served: Node, tmp_path: Path, given: str) -> None:
    deploys = served.models.deploys
    name, _, value = given.partition("=")
    both = [given, "api_key_env=CHAT_KEY"] if name == "host" else [given]
    file = tmp_path / "chat.toml"
    file.write_text(f'model = "tiny@1"\n{name} = {json.dumps(value.split() if name == "extra_args" else value)}\n')

    with using(Call(folders=(tmp_path,))):
        assert deploys.new("chat", assignments=["context=2048"]).version == 2
        for deployment in ("chat", "another"):
            with pytest.raises(NotAuthorised, match=f"owner's own shell changes ({name}|api_key_env)"):
                deploys.new(deployment, "tiny", assignments=both)
        if name != "host":
            with pytest.raises(NotAuthorised, match=name):
                deploys.new("chat", file=file)
    assert deploys.new("chat", assignments=both).version == 3
    with using(Call(folders=(tmp_path,))):
        # What the owner chose stays as it is, and cannot be taken off either.
        assert deploys.new("chat", assignments=["context=1024"]).version == 4
        with pytest.raises(NotAuthorised):
            deploys.new("chat", assignments=[f"{name}="])


def test_the_store_says_how_a_deployment_is_taken_off(served: Node) -> None:
    with pytest.raises(Conflict, match="is kept by deploy") as raised:
        served.store.remove([served.models.deploys.show("chat").config_cid])
    assert raised.value.suggestion == "ipfs-accel model deploy rm NAME"


def test_a_difference_is_told_setting_by_setting_and_file_by_file(served: Node) -> None:
    deploys = served.models.deploys
    with pytest.raises(Conflict, match="one version"):
        deploys.diff("chat")
    deploys.new("chat", assignments=["port=9000", "threads=2"])
    found = deploys.diff("chat")
    assert (found.before, found.after, found.identical) == ("chat@1", "chat@2", False)
    assert [(one.setting, one.change, one.before, one.after) for one in found.settings] == [
        ("port", "changed", 8080, 9000),
        ("threads", "added", None, 2),
    ]
    assert (found.same_files, found.files, found.verdict) == (None, [], "2 settings differ")

    deploys.new("chat", "tiny@2")
    moved = deploys.diff("chat@1", "chat@3")
    assert {one.setting for one in moved.settings} == {"model", "manifest", "port", "threads"}
    assert [one.path for one in moved.files] == ["model.safetensors"]
    assert moved.same_files == len(tiny_model()) - 1
    same = deploys.diff("chat@1", "chat@1")
    assert (same.identical, same.verdict) == (True, "no difference")


def test_a_deployment_keeps_its_model_with_a_name_and_all_that_is_said_of_it(served: Node, tmp_path: Path) -> None:
    rendered = served.models.deploys.render("chat", "accel", tmp_path / "out")
    manifest = served.models.show("tiny@1").manifest_cid
    said = served.models.show("tiny@1").statements
    served.models.tag("tiny@1", "mine")
    for names in (["tiny"], ["tiny@1", "mine"]):
        with pytest.raises(Conflict, match="deployment chat@1 serves") as raised:
            served.models.remove(names)
        assert raised.value.suggestion == "ipfs-accel model deploy rm chat@1"
    served.models.remove(["mine"])
    served.models.remove(["tiny@2"])
    served.models.gc()

    assert served.models.find(manifest, "embed").facts.files
    assert served.models.show(manifest).statements == said
    assert served.models.deploys.render("chat", "accel", tmp_path / "out").unchanged
    assert rendered.path is not None
    served.store.verify()
    assert served.models.deploys.new("chat", assignments=["threads=1"]).version == 2

    gone = served.models.deploys.remove(["chat"])
    assert gone.removed == ["chat@2", "chat@1"]
    assert gone.released_manifests == [manifest]
    served.models.remove(["tiny"])
    assert served.models.gc().objects == len(tiny_model())
    assert served.store.ls().entries == []
    assert not list((served.home.derived / "models").iterdir())


def test_a_model_that_was_taken_off_is_not_served_from_a_file(served: Node, tmp_path: Path) -> None:
    manifest = served.models.show("tiny@2").manifest_cid
    file = tmp_path / "chat.toml"
    file.write_text(f'model = "tiny@2"\nmanifest = "{manifest}"\n')
    served.models.remove(["tiny@2"])

    with pytest.raises(NotFound, match="is not here"):
        served.models.deploys.new("other", file=file)
    assert served.models.deploys.names() == ["chat"]


def test_one_version_goes_and_what_another_has_as_well_stays(served: Node) -> None:
    deploys = served.models.deploys
    deploys.new("chat", assignments=["port=1"])
    deploys.new("chat", assignments=["port="])
    assert deploys.show("chat@1").config_cid == deploys.show("chat@3").config_cid
    deploys.remove(["chat@1", "chat@2"])
    served.models.gc()
    assert [one.version for one in deploys.show("chat").versions] == [3]
    with pytest.raises(NotFound, match="no version '2'"):
        deploys.remove(["chat@3", "chat@2"])
    assert deploys.show("chat").version == 3
    with pytest.raises(NotFound, match="near names: chat"):
        deploys.show("caht")


def test_nothing_is_made_of_a_model_that_is_not_here_or_a_name_that_will_not_do(served: Node) -> None:
    deploys = served.models.deploys
    with pytest.raises(NotFound):
        deploys.new("chat", "nothing")
    with pytest.raises(Invalid, match="serves a model"):
        deploys.new("fresh")
    for name in ("", "a/b", "../x", "A", "a b", "-a"):
        with pytest.raises(Invalid, match="no name of a deployment"):
            deploys.new(name, "tiny")
    with pytest.raises(NotFound):
        deploys.new("chat", file="/nowhere/chat.toml")
    assert [(row.name, row.version) for row in deploys.ls().deployments] == [("chat", 1)]


def test_with_require_fit_no_version_is_made_of_what_is_not_known_to_fit(served: Node, tmp_path: Path) -> None:
    assert served.models.deploys.new("chat", require_fit=True).fit is not None
    alone = replace(
        served.models.deploys, fit=lambda _folder, _config: Estimate(verdict="unknown, because nobody tells")
    )
    with pytest.raises(DoesNotFit, match="unknown"):
        alone.new("chat", assignments=["port=1"], require_fit=True)
    assert served.models.deploys.show("chat").version == 1


def test_a_file_that_differs_is_replaced_only_when_asked(served: Node, tmp_path: Path) -> None:
    deploys = served.models.deploys
    path = Path(str(deploys.render("chat", "systemd", tmp_path).path))
    assert deploys.render("chat", "systemd", tmp_path).unchanged
    path.write_text("mine")
    with pytest.raises(Conflict, match="differs"):
        deploys.render("chat", "systemd", tmp_path)
    deploys.render("chat", "systemd", tmp_path, replace=True)
    assert "ExecStart=" in path.read_text()
    with pytest.raises(Invalid, match="is a file"):
        deploys.render("chat", "systemd", path)
    with pytest.raises(UnsupportedContent, match="GGUF"):
        deploys.render("chat", "llama-server")


@pytest.mark.parametrize("folder", ["/proc/nope", "afile/x", "loop"])
def test_a_place_that_cannot_be_written_is_told(served: Node, tmp_path: Path, folder: str) -> None:
    (tmp_path / "afile").write_text("mine")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    place = tmp_path / folder

    with pytest.raises(Unavailable, match="cannot write into") as raised:
        served.models.deploys.render("chat", "accel", place)
    assert (raised.value.exit_code, raised.value.suggestion) == (6, "choose another folder")
    assert (tmp_path / "afile").read_text() == "mine"


def test_versions_that_two_processes_make_at_once_are_all_there(served: Node) -> None:
    program = (
        "import sys; from ipfs_accel_cli import Node\n"
        "with Node() as node:\n"
        "    for number in range(4):\n"
        "        node.models.deploys.new('chat', assignments=[f'labels.{sys.argv[1]}{number}=x'])\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, name], env=os.environ) for name in ("a", "b")]
    assert [one.wait(timeout=120) for one in running] == [0, 0]
    shown = served.models.deploys.show("chat")
    assert [one.version for one in shown.versions] == list(range(9, 0, -1))
    assert set(shown.config.labels) == {f"{name}{number}" for name in "ab" for number in range(4)}
    served.store.verify()


def test_the_command_line_prints_what_scripts_need(
    served: Node, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def typed(*words: str, status: int = 0) -> str:
        assert run(["model", "deploy", *words]) == status
        return capsys.readouterr().out

    assert typed("new", "chat", "--set", "port=9001", "-q") == "2\n"
    script = typed("render", "chat", "--for", "accel")
    assert script.startswith("#!/bin/sh\n")
    assert typed("render", "chat", "--for", "accel", "-o", "-", "-q") == script
    assert json.loads(typed("render", "chat", "--for", "accel", "--json"))["executable"]
    (tmp_path / "chat.toml").write_text(typed("show", "chat", "-q"))
    assert "no difference" in typed("diff", "chat@2", "chat@2")
    again = json.loads(typed("new", "chat", "--from", str(tmp_path / "chat.toml"), "--json"))
    assert (again["version"], again["unchanged"]) == (2, True)
    assert "0123" not in typed("new", "chat", "--set", "extra_args=--api-key=0123", "--json", status=2)


def test_require_fit_counts_the_limit_of_memory(served: Node) -> None:
    with pytest.raises(DoesNotFit, match=r"of 2\.0 MiB") as raised:
        served.models.deploys.new("small", "tiny", assignments=["memory_limit=2MiB"], require_fit=True)
    assert raised.value.exit_code == 8
    assert "small" not in served.models.deploys.names()


def test_the_fit_counts_keys_and_values_in_the_dtype_that_they_are_kept_in(served: Node, tmp_path: Path) -> None:
    config = {"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_hidden_layers": 4}
    config |= {"num_attention_heads": 4, "max_position_embeddings": 2048}
    files = tiny_model() | {"config.json": json.dumps(config).encode()}
    served.models.add(lay_out(tmp_path / "llama", files), "llama")
    sizes = []
    for kept in ("f32", "f16", "q8_0", "q5_1", "q5_0", "q4_1", "iq4_nl"):
        made = served.models.deploys.new("kept", "llama", assignments=[f"kv_dtype={kept}", "parallel=64"])
        assert made.fit is not None
        sizes.append(made.fit.total_bytes or 0)
    assert sizes == sorted(set(sizes), reverse=True)


def test_a_file_that_the_model_does_not_have_is_refused(served: Node) -> None:
    with pytest.raises(Invalid, match=r"no file 'nosuch\.gguf'"):
        served.models.deploys.new("chat", assignments=["file=nosuch.gguf"])
    assert served.models.deploys.show("chat").version == 1
