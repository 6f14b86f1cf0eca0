"""Content and models that are named by where they lie: `NAME:CID` and `NAME:PATH`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import AccelError, Conflict, Invalid, NotFound, VerificationFailed
from ipfs_accel_cli.sources.reference import parse
from tests.running import Run
from tests.servers.tiny_model import lay_out, tiny_model

WEIGHTS = tiny_model()["model.safetensors"]


@pytest.fixture
def other(node: Node, tmp_path: Path) -> Iterator[Node]:
    """Another home that knows the same folder, in which the first has put a model and a folder of files."""
    (tmp_path / "cold").mkdir()
    with Node(tmp_path / "other") as other:
        for one in (node, other):
            one.store.backends.add("cold", "local", {"path": str(tmp_path / "cold")})
        folder = lay_out(tmp_path / "tiny", tiny_model())
        node.models.add(folder)
        node.models.pushes.push("tiny", "cold:models/tiny")
        (put,) = node.store.put([lay_out(tmp_path / "plain", {"a/b.txt": b"hello", "c.txt": b"there"})])
        next(node.store.exchange.copy(put.cid, ["cold:files"]))
        yield other


@pytest.mark.parametrize("text", ["cold:models/tiny/model.safetensors", "cold:/models/tiny//", "cold:files/a/b.txt"])
def test_a_path_at_a_backend_is_content(other: Node, text: str) -> None:
    if text.endswith("//"):
        with pytest.raises(Invalid, match="no path"):
            other.store.fetched("cold:models//tiny", None)
        return
    expected = WEIGHTS if "tiny" in text else b"hello"
    assert b"".join(map(bytes, other.store.fetched(text, None).open(text))) == expected


def test_a_cid_at_a_backend_is_content(other: Node, node: Node) -> None:
    cid = node.models.show("tiny").manifest_cid

    assert other.store.exchange.fetch(f"cold:{cid}").cid == cid
    assert node.store.where(cid).copies[0].backend == "cold"


def test_what_lies_below_is_read_back_and_removed_there(other: Node, node: Node, tmp_path: Path) -> None:
    named, on = other.store.exchange.on_one(["cold:models/tiny"], None)
    assert other.store.exchange.verify(named, str(on)).objects == len(tiny_model())

    other.store.remove(["cold:models/tiny"])
    assert not [path for path in (tmp_path / "cold" / "models").rglob("*") if path.is_file()]
    with pytest.raises(NotFound):
        other.models.pull(f"cold:{node.models.show('tiny').manifest_cid}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cold:", "whole backend"),
        ("cold:nothing/here", "cold has nothing under nothing/here"),
        ("cold:strange/file.txt", "nothing that a CID is known of"),
        ("warm:models/tiny", "no backend named 'warm'"),
    ],
)
def test_what_means_nothing_is_told(other: Node, tmp_path: Path, text: str, problem: str) -> None:
    lay_out(tmp_path / "cold" / "strange", {"file.txt": b"not ours"})
    with pytest.raises(AccelError, match=problem) as raised:
        other.store.fetched(text, None)
    assert raised.value.suggestion


@pytest.mark.parametrize("asked", [("cold:zzz",), ("zzz", "--on", "cold")])
def test_a_path_that_is_not_there_is_no_empty_list(cli: Run, tmp_path: Path, asked: tuple[str, ...]) -> None:
    (tmp_path / "cold").mkdir()
    cli("store", "backend", "add", "cold", "local", "--path", tmp_path / "cold")
    listed = cli("store", "ls", *asked, "--json")

    assert (listed.status, listed.json["error"]["detail"]) == (3, "cold has nothing under zzz")
    assert listed.json["error"]["suggestion"] == "ipfs-accel store ls --on cold"
    assert cli("store", "ls", "--on", "cold").status == 0
    assert cli("store", "cat", "cold:zzz", "--json").json["error"]["suggestion"] == "ipfs-accel store ls --on cold"


def test_copies_elsewhere_are_told_of_what_is_not_here(other: Node, node: Node) -> None:
    cid = node.models.show("tiny").manifest_cid
    other.models.pull(f"cold:{cid}", "tiny")
    (weights,) = [file.cid for file in other.models.show("tiny").files if file.path == "model.safetensors"]
    other.models.remove(["tiny"])
    other.store.gc()

    found = other.store.where(weights)
    assert (found.kind, found.places, found.kept_by) == ("unknown", [], [])
    assert [(copy.backend, copy.locator) for copy in found.copies] == [("cold", "models/tiny/model.safetensors")]
    with pytest.raises(NotFound):
        other.store.where(CID.of(b"known to nobody"))


def test_a_backend_is_named_once(other: Node) -> None:
    with pytest.raises(Invalid, match="leave --on out"):
        other.store.fetched("cold:models/tiny", "cold")


def test_a_place_is_no_path_of_this_machine(other: Node, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"\./cold:x") as raised:
        other.store.backends.as_path(Path("cold:x"), "model pull {}")
    assert raised.value.suggestion == "ipfs-accel model pull cold:x"
    assert other.store.backends.as_path(Path("warm:x"), "") == Path("warm:x")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("cold:models/tiny", ("backend", "cold:models/tiny")),
        ("cold:", ("backend", "cold:")),
        ("a_b.c-1:x", ("backend", "a_b.c-1:x")),
        ("catalogue:minilm", ("catalogue", "minilm")),
        ("car:/x.car", ("car", "/x.car")),
        ("hf://org/name", ("hf", "org/name")),
        ("org/name", ("name", "org/name")),
    ],
)
def test_what_a_word_before_a_colon_means_hangs_on_the_word(text: str, meant: tuple[str, str]) -> None:
    reference = parse(text)

    assert (reference.scheme, reference.locator) == meant
    assert parse(str(reference)) == reference


@pytest.mark.parametrize("text", ["C:/models", "cold://models", "Cold:x", "cold:a/../b", "hf:org/name", "backend:x"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


@pytest.mark.parametrize("name", ["hf", "s3", "ipfs", "file", "car", "catalogue", "ipns", "here", "backend"])
def test_no_backend_is_called_like_a_scheme(node: Node, tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid, match=name):
        node.store.backends.add(name, "local", {"path": str(tmp_path)})


def test_a_model_whose_files_rotted_at_a_place_is_not_registered(other: Node, tmp_path: Path) -> None:
    path = tmp_path / "cold" / "models" / "tiny" / "model.safetensors"
    path.write_bytes(bytes(len(WEIGHTS)))

    with pytest.raises(VerificationFailed):
        other.models.pull("cold:models/tiny")
    assert not other.models.ls().models


@pytest.mark.parametrize("by_cid", [False, True])
def test_where_a_pulled_model_came_from_is_known(other: Node, node: Node, by_cid: bool) -> None:
    cid = node.models.show("tiny").manifest_cid

    pulled = other.models.pull(f"cold:{cid}" if by_cid else "cold:models/tiny")
    (copy,) = other.store.where(cid).copies
    assert (copy.backend, copy.how) == ("cold", "reread")
    (weights,) = [file for file in other.models.show(pulled.name).files if file.path == "model.safetensors"]
    assert "models/tiny/model.safetensors" in {copy.locator for copy in other.store.where(weights.cid).copies}


def test_a_model_is_not_pushed_over_another(other: Node, node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "next", tiny_model(1)), "tiny")

    for dry_run in (True, False):
        with pytest.raises(Conflict, match="differs") as raised:
            node.models.pushes.push("tiny", "cold:models/tiny", dry_run=dry_run)
        assert raised.value.suggestion == "ipfs-accel model push tiny@2 cold:models/tiny-2"


def test_a_pulled_place_names_the_model_everywhere(other: Node) -> None:
    pulled = other.models.pull("cold:models/tiny")

    assert (pulled.name, pulled.reference) == ("tiny", "cold:models/tiny")
    assert other.models.show("cold:models/tiny").manifest_cid == pulled.manifest_cid
    with pytest.raises(NotFound) as raised:
        other.models.show("cold:models/other")
    assert raised.value.suggestion == "ipfs-accel model pull cold:models/other"
