"""What models read in pictures and recordings is found, kept by CID and model, and outlives every rebuild."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import pytest
from PIL import Image

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Invalid, MalformedContent, MissingExtra, NotFound
from ipfs_accel_cli.services.search.perceiving import Wanted
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.readings import Kind
from ipfs_accel_cli.services.search.results import Taken
from ipfs_accel_cli.services.search.service import Search

PICTURES = Wanted(pictures=True, caption="none")
RED, BLUE = (255, 0, 0), (0, 0, 255)


@dataclass
class Pretended:
    """Says what it is told to of every file; remembers which it was asked about, and whether it was loaded."""

    kind: Kind
    model: str = "reader"
    says: Callable[[str], str] = lambda name: f"words within {name}"
    asked: list[str] = field(default_factory=list)
    loaded: int = 0

    @property
    def model_cid(self) -> str:
        return f"cid-of-{self.model}"

    @contextmanager
    def opened(self) -> Iterator[Callable[[BinaryIO, str], str]]:
        self.loaded += 1
        yield self._read

    def _read(self, stream: BinaryIO, name: str) -> str:
        assert stream.read(4)
        self.asked.append(name)
        return self.says(name)


def picture(path: Path, colour: tuple[int, int, int] = RED) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (8, 8), colour).save(path)
    return path


def reads(node: Node, *readers: Pretended) -> Search:
    """Let the search of a node have these readers only, the first of each kind when no name is given."""

    def find(kind: Kind, model: str | None) -> Pretended:
        able = [one for one in readers if one.kind == kind and model in (None, one.model)]
        if not able:
            raise NotFound(f"no model that can {kind} is here", suggestion="ipfs-accel model ls")
        return able[0]

    search = node.search
    perceiving = replace(search.keeping.perceiving, beside=replace(search.keeping.beside, reader=find))
    search.keeping = replace(search.keeping, perceiving=perceiving)
    return search


def titles(search: Search, text: str = "", where: str = "") -> list[str]:
    return sorted(hit.title for hit in search.query(Asked(text, where=where)).hits)


def counts(taken: Taken) -> list[tuple[str, int, int, int]]:
    return [(one.kind, one.read, one.kept, one.failed) for one in taken.readings]


@pytest.fixture
def ocr() -> Pretended:
    return Pretended("ocr")


def test_what_was_read_is_found_by_words_and_by_who_read_it(node: Node, tmp_path: Path, ocr: Pretended) -> None:
    search = reads(node, ocr)
    search.keeping.add([str(picture(tmp_path / "a.png"))], PICTURES)
    assert titles(search, '"words within"') == ["a.png"]
    assert titles(search, where="read=ocr AND ocr_model=cid-of-reader") == ["a.png"]


def test_nothing_is_read_unless_that_is_asked_for(node: Node, tmp_path: Path, ocr: Pretended) -> None:
    assert reads(node, ocr).keeping.add([str(picture(tmp_path / "a.png"))]).readings == []
    assert ocr.loaded == 0


def test_a_second_run_asks_no_model_and_loads_none(node: Node, tmp_path: Path, ocr: Pretended) -> None:
    search, path = reads(node, ocr), str(picture(tmp_path / "a.png"))
    assert counts(search.keeping.add([path], PICTURES)) == [("ocr", 1, 0, 0)]
    assert counts(search.keeping.add([path], PICTURES)) == [("ocr", 0, 1, 0)]
    assert (ocr.asked, ocr.loaded) == (["a.png"], 1)


@pytest.mark.parametrize("read", [False, True])
@pytest.mark.parametrize("stored", [False, True])
def test_a_rebuild_keeps_what_was_read(node: Node, tmp_path: Path, ocr: Pretended, stored: bool, read: bool) -> None:
    search, path = reads(node, ocr), picture(tmp_path / "a.png")
    subject = next(iter(node.store.put([path]))).cid if stored else str(path)
    search.keeping.add([subject], PICTURES)
    search.keeping.rebuild(read=read)
    assert titles(search, "words") == ["a.png"]
    assert ocr.asked == ["a.png"]


def test_what_is_said_or_indexed_later_leaves_what_was_read(node: Node, tmp_path: Path, ocr: Pretended) -> None:
    (kept,) = node.store.put([picture(tmp_path / "a.png")])
    search = reads(node, ocr)
    search.keeping.add([kept.cid], PICTURES)
    node.store.metadata.set(kept.cid, ["place=attic"])
    search.keeping.add([kept.cid])
    search.keeping.add([])
    assert titles(search, "words", "meta.place=attic") == ["a.png"]
    search.keeping.verify()


def test_a_picture_that_moves_to_another_root_keeps_its_text(node: Node, tmp_path: Path, ocr: Pretended) -> None:
    search = reads(node, ocr)
    picture(tmp_path / "old" / "a.png")
    (old,) = node.store.put([tmp_path / "old"])
    search.keeping.add([old.cid], PICTURES)
    (tmp_path / "old" / "note.txt").write_text("beside it")
    list(node.store.put([tmp_path / "old"]))
    node.store.remove([old.cid])
    search.keeping.add([])
    assert titles(search, "words") == ["a.png"]


def test_what_nothing_keeps_any_more_is_forgotten_with_its_text(node: Node, tmp_path: Path, ocr: Pretended) -> None:
    (kept,) = node.store.put([picture(tmp_path / "a.png")])
    search = reads(node, ocr)
    search.keeping.add([kept.cid], PICTURES)
    node.store.remove([kept.cid])
    search.keeping.add([])
    assert search.index.rows("SELECT * FROM readings") == []


def test_another_model_reads_anew_and_the_first_one_is_not_asked_again(node: Node, tmp_path: Path) -> None:
    first, second = Pretended("ocr", "first", lambda _: "wolf"), Pretended("ocr", "second", lambda _: "fox")
    search, path = reads(node, first, second), str(picture(tmp_path / "a.png"))
    search.keeping.add([path], PICTURES)
    search.keeping.add([path], replace(PICTURES, ocr="second"))
    assert (titles(search, "wolf"), titles(search, "fox")) == ([], ["a.png"])
    search.keeping.add([path], replace(PICTURES, ocr="first"))
    assert (titles(search, "wolf"), titles(search, "fox")) == (["a.png"], [])
    assert len(first.asked) == len(second.asked) == 1


def test_a_file_that_cannot_be_read_costs_its_own_document_and_is_tried_again(node: Node, tmp_path: Path) -> None:
    def says(name: str) -> str:
        if name == "bad.png" and broken:
            raise MalformedContent("it is torn")
        return "legible"

    broken = ["yes"]
    search = reads(node, Pretended("ocr", says=says))
    picture(tmp_path / "all" / "bad.png")
    picture(tmp_path / "all" / "good.png", BLUE)
    assert counts(search.keeping.add([str(tmp_path / "all")], PICTURES)) == [("ocr", 1, 0, 1)]
    problems = {row.title: row.problem for row in search.keeping.documents().documents}
    assert problems == {"bad.png": "ocr by reader: it is torn", "good.png": None}
    assert titles(search, "legible") == ["good.png"]
    broken.clear()
    assert counts(search.keeping.add([str(tmp_path / "all")], PICTURES)) == [("ocr", 1, 1, 0)]
    assert [row.problem for row in search.keeping.documents().documents] == [None, None]


def test_where_a_second_model_fails_the_text_of_the_first_stays(node: Node, tmp_path: Path) -> None:
    def fails(_: str) -> str:
        raise MalformedContent("it is torn")

    search = reads(node, Pretended("ocr", says=lambda _: "wolf"), Pretended("ocr", "worse", fails))
    path = str(picture(tmp_path / "a.png"))
    search.keeping.add([path], PICTURES)
    search.keeping.add([path], replace(PICTURES, ocr="worse"))
    (row,) = search.keeping.documents().documents
    assert (titles(search, "wolf"), row.problem) == (["a.png"], "ocr by worse: it is torn")
    search.keeping.add([path], PICTURES)
    assert search.keeping.documents().documents[0].problem is None


def test_what_would_go_wrong_with_every_file_ends_the_run(node: Node, tmp_path: Path) -> None:
    def missing(_: str) -> str:
        raise MissingExtra("no decoder", suggestion="pip install decoder")

    search = reads(node, Pretended("ocr", says=missing))
    with pytest.raises(MissingExtra):
        search.keeping.add([str(picture(tmp_path / "a.png"))], PICTURES)


def test_a_run_that_is_cancelled_keeps_what_was_read_before(node: Node, tmp_path: Path) -> None:
    stop = threading.Event()
    ocr = Pretended("ocr", says=lambda _: stop.set() or "seen")  # type: ignore[func-returns-value]
    search = reads(node, ocr)
    picture(tmp_path / "all" / "a.png")
    picture(tmp_path / "all" / "b.png", BLUE)
    with using(Call(stopped=stop)), pytest.raises(Cancelled):
        search.keeping.add([str(tmp_path / "all")], PICTURES)
    assert len(ocr.asked) == 1
    assert counts(search.keeping.add([str(tmp_path / "all")], PICTURES)) == [("ocr", 1, 1, 0)]


def test_pictures_are_captioned_where_a_model_for_that_is_here(node: Node, tmp_path: Path, ocr: Pretended) -> None:
    search = reads(node, ocr, Pretended("caption", "painter", lambda _: "a red square"))
    taken = search.keeping.add([str(picture(tmp_path / "a.png"))], Wanted(pictures=True))
    assert counts(taken) == [("ocr", 1, 0, 0), ("caption", 1, 0, 0)]
    assert titles(search, "square words", 'caption="a red square"') == ["a.png"]


def test_without_subjects_what_the_store_keeps_is_read_and_no_path(node: Node, tmp_path: Path, ocr: Pretended) -> None:
    list(node.store.put([picture(tmp_path / "kept.png")]))
    search = reads(node, ocr)
    search.keeping.add([str(picture(tmp_path / "lies.png", BLUE))])
    search.keeping.add([], PICTURES)
    assert ocr.asked == ["kept.png"]


def test_a_file_that_became_another_one_is_not_read_as_what_it_was(node: Node, tmp_path: Path, ocr: Pretended) -> None:
    search, path = reads(node, ocr), picture(tmp_path / "all" / "a.png")
    other = picture(tmp_path / "all" / "b.png", BLUE)
    ocr.says = lambda name: str((path if name == "b.png" else other).write_bytes(b"new"))
    assert counts(search.keeping.add([str(tmp_path / "all")], PICTURES)) == [("ocr", 1, 0, 1)]


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (Wanted(ocr="reader"), Invalid),
        (Wanted(pictures=True, transcript="reader"), Invalid),
        (Wanted(pictures=True, ocr="none", caption="none"), Invalid),
        (Wanted(pictures=True, ocr="nobody"), NotFound),
        (Wanted(pictures=True, caption="nobody"), NotFound),
        (Wanted(pictures=True, ocr="none"), NotFound),
        (Wanted(speech=True), NotFound),
    ],
)
def test_who_cannot_read_is_refused_before_anything_is_indexed(
    node: Node, tmp_path: Path, ocr: Pretended, wanted: Wanted, error: type[AccelError]
) -> None:
    search = reads(node, ocr)
    with pytest.raises(error):
        search.keeping.add([str(picture(tmp_path / "a.png"))], wanted)
    assert search.keeping.documents().documents == []
