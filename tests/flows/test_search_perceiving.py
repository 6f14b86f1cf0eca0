"""Pictures and recordings that models read are found by what is in them: real weights, and a program."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, MissingExtra, NotFound, UnsupportedContent
from ipfs_accel_cli.services.search.perceiving import Wanted
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.results import Taken
from tests.conformance import tiny_multimodal
from tests.flows import drawn
from tests.running import Ran
from tests.servers.catalogue_models import folder_of

Cli = Callable[..., Ran]
installed = pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")


def found(node: Node, text: str = "", where: str = "") -> list[str]:
    return sorted(hit.title for hit in node.search.query(Asked(text, where=where)).hits)


def told(taken: Taken) -> list[tuple[str, str, int, int]]:
    return [(one.kind, one.model_cid, one.read, one.failed) for one in taken.readings]


@installed
def test_a_picture_is_found_by_the_words_drawn_in_it(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    page = drawn.text(folder / "page.png")
    (folder / "torn.png").write_bytes(page.read_bytes()[:300])
    (folder / "note.txt").write_text("no picture")
    added = cli("search", "index", "add", folder, "--read-pictures", "--json")
    assert added.status == 0
    (reading,) = added.json["readings"]
    assert (reading["model"], reading["read"], reading["failed"]) == ("tesseract", 1, 1)
    assert "torn.png" in added.stderr
    (hit,) = cli("search", "query", "lazy dogs", "--json").json["hits"]
    assert hit["title"] == "page.png"
    assert "**lazy** **dogs** in London" in hit["snippet"]


@installed
def test_the_store_gives_the_bytes_and_languages_are_another_reader(node: Node, tmp_path: Path) -> None:
    (kept,) = node.store.put([drawn.text(tmp_path / "page.png")])
    named = Wanted(pictures=True, ocr="tesseract", caption="none")
    assert told(node.search.keeping.add([kept.cid], named)) == [("ocr", "tesseract:eng", 1, 0)]
    assert found(node, "london", "ocr_model=tesseract:eng") == ["page.png"]
    again = Wanted(pictures=True, ocr="tesseract:eng+osd", caption="none")
    assert told(node.search.keeping.add([kept.cid], again))[0][1] == "tesseract:eng+osd"


@installed
@pytest.mark.parametrize("languages", ["xxx", "eng+xxx", "../eng"])
def test_languages_without_data_are_refused_before_anything_is_indexed(
    node: Node, tmp_path: Path, languages: str
) -> None:
    page = drawn.text(tmp_path / "page.png")
    with pytest.raises(Invalid):
        node.search.keeping.add([str(page)], Wanted(pictures=True, ocr=f"tesseract:{languages}"))
    assert node.search.keeping.documents().documents == []


def test_where_nothing_reads_text_both_ways_to_get_it_are_named(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = drawn.text(tmp_path / "page.png")
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = cli("search", "index", "add", page, "--read-pictures")
    assert refused.status == 3
    assert "ipfs-accel model pull catalogue:pp-ocr-v4" in refused.stderr
    assert "apt-get install tesseract-ocr" in refused.stderr
    assert cli("search", "index", "ls", "--json").json["documents"] == []


def test_tesseract_by_name_is_refused_where_it_is_not_installed(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtra):
        node.search.keeping.add([], Wanted(pictures=True, ocr="tesseract"))


def test_without_a_model_for_speech_the_command_that_brings_one_is_named(node: Node) -> None:
    with pytest.raises(NotFound) as caught:
        node.search.keeping.add([], Wanted(speech=True))
    assert caught.value.suggestion == "ipfs-accel model pull catalogue:whisper-tiny.en"


@pytest.mark.models
def test_captions_are_made_by_a_registered_model(node: Node, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    node.models.add(tiny_multimodal.captioner(tmp_path / "captioner").folder, "captioner")
    with pytest.raises(UnsupportedContent):
        node.search.keeping.add([], Wanted(pictures=True, ocr="captioner"))
    clock = drawn.clock(tmp_path / "clock.png")
    taken = node.search.keeping.add([str(clock)], Wanted(pictures=True, ocr="none"))
    (model,) = node.models.ls().models
    assert told(taken) == [("caption", model.manifest_cid, 1, 0)]
    assert found(node, where=f"caption_model={model.manifest_cid}") == ["clock.png"]


@pytest.mark.models
@pytest.mark.slow
def test_the_model_of_the_catalogue_reads_before_any_program(node: Node, tmp_path: Path) -> None:
    pytest.importorskip("rapidocr_onnxruntime")
    node.models.add(folder_of("pp-ocr-v4"))
    taken = node.search.keeping.add([str(drawn.text(tmp_path / "page.png"))], Wanted(pictures=True))
    assert [one.model for one in taken.readings] == ["pp-ocr-v4"]
    assert found(node, '"lazy dogs"', f"ocr_model={taken.readings[0].model_cid}") == ["page.png"]


@pytest.mark.models
@pytest.mark.slow
def test_a_recording_is_found_by_what_is_spoken_in_it(
    node: Node, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for library in ("soundfile", "espeakng_loader", "onnxruntime"):
        pytest.importorskip(library)
    talk: Path = request.getfixturevalue("talk")
    node.models.add(folder_of("whisper-tiny.en"))
    (tmp_path / "torn.wav").write_bytes(talk.read_bytes()[:20])
    (kept,) = node.store.put([talk])
    (torn,) = node.store.put([tmp_path / "torn.wav"])
    taken = node.search.keeping.add([kept.cid, torn.cid], Wanted(speech=True))
    assert [(one.kind, one.model, one.read, one.failed) for one in taken.readings] == [
        ("transcript", "whisper-tiny.en", 1, 1)
    ]
    assert found(node, "bread butter market", "read=transcript") == ["talk.wav"]
    node.search.keeping.rebuild()
    assert found(node, "bread butter market") == ["talk.wav"]
