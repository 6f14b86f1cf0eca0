"""Where a model comes from, and a card that says what is known and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import VerificationFailed
from tests.servers.hub import Hub, hub
from tests.servers.tiny_model import lay_out, safetensors, tiny_model


def card_of(node: Node, name: str) -> str:
    return b"".join(bytes(chunk) for chunk in node.models.history.card(name)).decode()


def stated(front: str) -> bytes:
    return f"---\n{front}\n---\n# A model\n".encode()


def tuned(node: Node, folder: Path, front: str, name: str = "tuned") -> Path:
    node.models.add(lay_out(folder, tiny_model(seed=2) | {"README.md": stated(front)}), name)
    return folder


@pytest.mark.parametrize(
    "front",
    [
        "base_model: org/base",
        "license: mit\nbase_model: 'org/base'\ntags: []",
        "base_model:\n- org/base\nlicense: mit",
        'base_model:\n  - "org/base"',
        "base_model: [org/base]",
    ],
)
def test_a_stated_base_that_is_not_here_is_only_named(node: Node, tmp_path: Path, front: str) -> None:
    folder = tuned(node, tmp_path / "tuned", front)

    found = node.models.history.lineage("tuned")

    manifest = found.manifest_cid
    assert [(one.child, one.kind, one.parent, one.stated_in) for one in found.descents] == [
        (manifest, "pulled-from", f"file:{folder}", "the pull that brought it"),
        (manifest, "base-model", "org/base", "README.md"),
    ]
    assert {one.id: one.kind for one in found.ancestors}["org/base"] == "named"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub(tmp_path / "hub") as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        yield served


def test_a_base_that_was_pulled_from_the_hub_is_followed_and_a_circle_ends(
    node: Node, site: Hub, tmp_path: Path
) -> None:
    lay_out(tmp_path / "hub/org/base", tiny_model() | {"README.md": stated("base_model: org/tuned")})
    lay_out(tmp_path / "hub/org/tuned", tiny_model(seed=1) | {"README.md": stated("base_model: org/base")})
    base, tuned_one = node.models.pull("hf://org/base"), node.models.pull("hf://org/tuned")

    found = node.models.history.lineage("tuned")

    edges = [(one.child, one.parent) for one in found.descents if one.kind == "base-model"]
    assert edges == [(tuned_one.manifest_cid, base.manifest_cid), (base.manifest_cid, tuned_one.manifest_cid)]
    assert [one.kind for one in found.ancestors].count("model") == 2


def test_a_name_here_does_not_pass_for_the_base_that_a_card_states(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "base", tiny_model()), "org/base")
    tuned(node, tmp_path / "tuned", "base_model: org/base")

    assert {one.id: one.kind for one in node.models.history.lineage("tuned").ancestors}["org/base"] == "named"


def test_several_bases_and_an_adapters_base_are_all_told(node: Node, tmp_path: Path) -> None:
    files = {
        "README.md": stated("base_model: [org/a, org/b]"),
        "adapter_config.json": json.dumps({"base_model_name_or_path": "org/c"}).encode(),
        "adapter_model.safetensors": safetensors({"a": (1,)}),
    }
    node.models.add(lay_out(tmp_path / "adapter", files))

    descents = node.models.history.lineage("adapter").descents

    assert [(one.kind, one.parent) for one in descents[1:]] == [
        ("base-model", "org/a"),
        ("base-model", "org/b"),
        ("adapter-of", "org/c"),
    ]


def test_what_a_name_meant_before_and_what_was_made_of_it_are_in_the_line(node: Node, tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "tiny", tiny_model())
    first = node.models.add(folder).manifest_cid
    (folder / "README.md").write_text("changed")
    second = node.models.add(folder).manifest_cid

    def make(target: Path) -> dict[str, Any]:
        target.write_bytes(b"a graph")
        return {"agreement": 1.0}

    node.models.derived.obtain(second, "onnx-embed", make)

    found = node.models.history.lineage("tiny")

    kinds = [(one.child, one.kind, one.parent) for one in found.descents]
    assert (second, "replaces", first) in kinds
    assert [one.label for one in found.ancestors if one.kind == "derived"] == ["onnx-embed"]
    assert ("derived-from", second) in [(one.kind, one.parent) for one in found.descents]


def test_a_rollback_makes_no_circle_of_what_replaces_what(node: Node, tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "tiny", tiny_model())
    first = node.models.add(folder).manifest_cid
    (folder / "README.md").write_text("changed")
    second = node.models.add(folder).manifest_cid
    node.models.history.rollback("tiny")

    found = node.models.history.lineage("tiny")

    assert [(one.child, one.parent) for one in found.descents if one.kind == "replaces"] == [(first, second)]
    assert {one.id: one.label for one in found.ancestors}[first] == "tiny@3"


def test_a_drawing_cannot_be_broken_by_what_a_card_states(node: Node, tmp_path: Path) -> None:
    tuned(node, tmp_path / "tuned", 'base_model: x"]; evil --> n0["<script>')

    mermaid = node.models.history.lineage("tuned").graph
    dot = node.models.history.lineage("tuned", "dot").graph

    assert mermaid.startswith("graph BT\n")
    assert "<script>" not in mermaid
    assert mermaid.count('"') == 2 * len(node.models.history.lineage("tuned").ancestors)
    assert dot.splitlines()[0] == "digraph lineage {"
    assert '\\"]; evil' in dot


def test_a_card_says_what_is_known_and_what_is_not(node: Node, tmp_path: Path) -> None:
    added = node.models.add(lay_out(tmp_path / "tiny", tiny_model()))

    text = card_of(node, "tiny")

    assert text.startswith("# tiny\n")
    assert f"| manifest | `{added.manifest_cid}` |" in text
    assert "| parameters | 4,104 |" in text
    assert "| licence | apache-2.0 (as its model card states) |" in text
    assert "| float32 | 2 | 4,104 | 16.0 KiB |" in text
    assert "not since it was registered" in text
    assert "- Quality: no evaluation of it is recorded here." in text
    assert "- Licence" not in text
    node.models.verify("tiny")
    assert "all right" in card_of(node, "tiny")


def test_a_card_of_a_bare_file_admits_how_little_is_known(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "bare", {"weights.bin": b"plain data"}))

    text = card_of(node, "bare")

    for lacking in ("Licence", "Task", "Parameters", "Publisher", "Quality", "Training data"):
        assert f"- {lacking}" in text


def test_a_card_of_a_damaged_model_says_so(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    digest = next(file.sha256 for file in node.models.show("tiny").files if file.path == "model.safetensors")
    next(iter(node.home.objects.rglob(digest))).unlink()
    with pytest.raises(VerificationFailed):
        node.models.verify("tiny")

    assert "is damaged" in card_of(node, "tiny")


def test_texts_of_others_stay_texts_in_a_card(node: Node, tmp_path: Path) -> None:
    tuned(node, tmp_path / "tuned", "base_model: a|b [click](http://evil) <b>")

    assert "base-model a\\|b \\[click\\](http://evil) \\<b\\>" in card_of(node, "tuned")


def test_the_shell_prints_the_card_as_it_is_and_the_drawing_quietly(node: Node, tmp_path: Path, cli: Any) -> None:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))

    assert cli("model", "card", "tiny").stdout == card_of(node, "tiny")
    assert cli("model", "lineage", "tiny", "--graph", "dot", "-q").stdout.startswith("digraph lineage {\n")
