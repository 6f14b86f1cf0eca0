"""A hub is asked beside the index: one ranking, what is here under its CID, and no hub is no reason for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.search.querying import Asked
from tests.running import Run
from tests.servers.hub import Hub, hub
from tests.servers.tiny_model import lay_out, tiny_model

pytest.importorskip("huggingface_hub")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("acme/tiny", "acme/tiny-large", "else/other"):
        lay_out(tmp_path / "hub" / name, tiny_model())
    with hub(tmp_path / "hub") as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        served.facts["acme/tiny-large"] = {
            "pipeline_tag": "feature-extraction",
            "downloads": 1234,
            "tags": ["sentences", "license:apache-2.0"],
        }
        yield served


@pytest.fixture
def note(node: Node, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("tiny models that fit everywhere")
    list(node.store.put([tmp_path / "notes.txt"]))


def test_what_the_hub_has_stands_among_what_is_here(node: Node, site: Hub, note: None) -> None:
    pulled = node.models.pull("hf://acme/tiny")

    found = node.search.everywhere(Asked("tiny"), "hf")

    by_title = {hit.title: hit for hit in found.hits}
    assert set(by_title) == {"tiny", "notes.txt", "hf://acme/tiny-large"}
    here, there = by_title["tiny"], by_title["hf://acme/tiny-large"]
    assert (here.source, here.cid, here.reference) == ("here", pulled.manifest_cid, "hf://acme/tiny")
    assert here.command is None
    assert (there.source, there.cid, there.command) == ("hf", None, "ipfs-accel model pull hf://acme/tiny-large")
    assert there.snippet == "not here, feature-extraction, apache-2.0, 1,234 downloads"
    assert [hit.rank for hit in found.hits] == [1, 2, 3]


def test_what_both_have_comes_before_what_one_has(node: Node, site: Hub, note: None) -> None:
    node.models.pull("hf://acme/tiny")

    first = node.search.everywhere(Asked("tiny", explain=True), "hf").hits[0]

    assert first.title == "tiny"
    assert first.explain is not None
    assert first.explain.remote_rank == 1
    assert first.explain.text_rank is not None


def test_a_model_that_changed_at_the_hub_is_offered_again(node: Node, site: Hub) -> None:
    node.models.pull("hf://acme/tiny")
    (site.root / "acme" / "tiny" / "README.md").write_text("more to say")

    (here,) = [hit for hit in node.search.everywhere(Asked("tiny"), "hf").hits if hit.cid]

    assert here.command == "ipfs-accel model pull hf://acme/tiny"


def test_what_the_hub_calls_otherwise_is_known_by_where_it_came_from(node: Node, site: Hub) -> None:
    pulled = node.models.pull("hf://acme/tiny", name="renamed")

    found = node.search.everywhere(Asked("acme/tiny"), "hf")

    assert [hit.cid for hit in found.hits if hit.reference == "hf://acme/tiny"] == [pulled.manifest_cid]


@pytest.mark.parametrize(
    ("wish", "offered"),
    [
        ({"where": "licence=apache-2.0"}, ["hf://acme/tiny-large"]),
        ({"where": "task=feature-extraction"}, ["hf://acme/tiny-large"]),
        ({"tags": ("sentences",)}, ["hf://acme/tiny-large"]),
        ({"kinds": ("model",), "limit": 1}, ["hf://acme/tiny"]),
        ({"kinds": ("pdf",)}, []),
    ],
)
def test_filters_hold_for_the_hub_as_well(node: Node, site: Hub, wish: dict[str, object], offered: list[str]) -> None:
    found = node.search.everywhere(Asked("tiny", **wish), "hf")  # type: ignore[arg-type]

    assert [hit.reference for hit in found.hits] == offered


@pytest.mark.parametrize("status", [500, 401, 403])
def test_a_hub_that_refuses_leaves_what_is_here(node: Node, site: Hub, note: None, status: int) -> None:
    site.unwell = status

    found = node.search.everywhere(Asked("tiny"), "hf")

    assert [hit.title for hit in found.hits] == ["notes.txt"]
    (told,) = found.unanswered
    assert (told.source, told.code) == ("hf", "try-again" if status == 500 else "not-authorised")


def test_without_a_network_the_hub_is_not_asked(node: Node, site: Hub, note: None) -> None:
    with using(Call(offline=True)):
        found = node.search.everywhere(Asked("tiny"), "hf")

    assert [hit.title for hit in found.hits] == ["notes.txt"]
    assert [one.code for one in found.unanswered] == ["offline"]
    assert not site.log


@pytest.mark.parametrize(
    ("remote", "wish"),
    [
        ("nowhere", {}),
        ("file", {}),
        ("hf", {"text": ""}),
        ("hf", {"sort": "title"}),
        ("hf", {"facets": ("kind",)}),
        ("hf", {"where": "size<1GiB"}),
    ],
)
def test_what_no_hub_can_be_asked_is_refused_before_it_is(
    node: Node, site: Hub, remote: str, wish: dict[str, object]
) -> None:
    with pytest.raises(Invalid):
        node.search.everywhere(Asked(**{"text": "tiny", **wish}), remote)  # type: ignore[arg-type]
    assert not site.log


def test_the_shell_gets_what_is_here_and_a_status_that_says_that_more_was_asked_for(
    cli: Run, site: Hub, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("tiny models")
    cli("store", "put", str(tmp_path / "notes.txt"))

    answer = cli("search", "query", "tiny", "--remote", "hf", "--offline", "--json")

    assert answer.status == 11
    body = answer.json
    assert [hit["title"] for hit in body["hits"]] == ["notes.txt"]
    assert "only what is here was found" in answer.stderr
