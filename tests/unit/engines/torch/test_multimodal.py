"""Pictures and words through real architectures with random weights: what holds whatever the weights say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines.base import Loadable, Plan, Session
from ipfs_accel_cli.engines.exchange.image import ImageOptions, Images
from ipfs_accel_cli.engines.exchange.multimodal import CaptionOptions, Captions, Paired, Question
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Piece, Prompt, Texts
from ipfs_accel_cli.tasks.ask import Ask
from ipfs_accel_cli.tasks.caption import Caption
from ipfs_accel_cli.tasks.generate import Generate
from ipfs_accel_cli.tasks.pair_embed import PairEmbed
from tests.conformance import tiny_multimodal as tiny
from tests.conformance.engine_suite import all_move_on, chunks_of, only_last_is_marked, run

pytestmark = pytest.mark.models
CHANCE = numpy.random.default_rng(5)
# Three pixels high or wide, pictures must not be taken for ones that have their colours elsewhere.
PICTURES = tuple(
    CHANCE.integers(0, 256, (height, width, 3), dtype=numpy.uint8) for height, width in ((40, 30), (3, 5), (16, 12))
)


def load(model: Loadable, task: str) -> Session:
    from ipfs_accel_cli.engines.torch.engine import TorchEngine

    return TorchEngine().load(model.facts, model.folder, Plan(task, threads=1))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loadable]:
    """Each tiny model once, by its name here."""
    recipes: dict[str, Callable[[Path], Loadable]] = {
        "vision-encoder-decoder": tiny.captioner,
        "blip": tiny.blip,
        "blip-answers": lambda folder: tiny.blip(folder, "ask"),
        "vilt": tiny.vilt,
        "llava": tiny.llava,
        "llava-plain": lambda folder: tiny.llava(folder, template=None),
        "clip": tiny.clip,
        "siglip": tiny.siglip,
    }
    found: dict[str, Loadable] = {}

    def get(name: str) -> Loadable:
        if name not in found:
            found[name] = recipes[name](tmp_path_factory.mktemp(name) / name)
        return found[name]

    return get


@pytest.fixture(scope="module")
def sessions(made: Callable[[str], Loadable]) -> Callable[[str, str], Session]:
    """Each tiny model, loaded once for a task."""
    found: dict[tuple[str, str], Session] = {}

    def get(name: str, task: str) -> Session:
        if (name, task) not in found:
            found[name, task] = load(made(name), task)
        return found[name, task]

    return get


Sessions = Callable[[str, str], Session]


def captions(session: Session, images: tuple[Any, ...] = PICTURES, **options: Any) -> Captions:
    request = Caption().prepare(Images(images), CaptionOptions(**({"max_tokens": 6, "batch": 2} | options)))
    return Caption().collect(chunks_of(session, request))


def answer(session: Session, question: str = "the cat sat", at: int = 0, **options: Any) -> Piece:
    request = Ask().prepare(Question(PICTURES[at], question), GenerateOptions(**({"max_tokens": 6} | options)))
    return Ask().collect(chunks_of(session, request))


def paired(session: Session, what: Texts | Images, batch: int = 2) -> Paired:
    return PairEmbed().collect(chunks_of(session, PairEmbed().prepare(what, ImageOptions(batch))))


@pytest.mark.parametrize("name", ["vision-encoder-decoder", "blip", "llava"])
class TestCaptions:
    def test_every_picture_has_one_that_does_not_depend_on_its_company(self, sessions: Sessions, name: str) -> None:
        session = sessions(name, "caption")
        together = captions(session)
        assert together.positions == (0, 1, 2)
        assert all(tokens <= 6 for tokens in together.tokens)
        assert [captions(session, (one,)).texts[0] for one in PICTURES] == list(together.texts)

    def test_a_seed_repeats_and_another_differs(self, sessions: Sessions, name: str) -> None:
        session = sessions(name, "caption")
        drawn = [captions(session, temperature=2.0, seed=seed).texts for seed in (1, 1, 2)]
        assert drawn[0] == drawn[1] != drawn[2]

    def test_no_more_tokens_come_than_the_model_can_write(self, sessions: Sessions, name: str) -> None:
        assert max(captions(sessions(name, "caption"), max_tokens=20).tokens) <= 20

    def test_only_the_last_chunk_is_marked_and_requests_can_be_dropped(self, sessions: Sessions, name: str) -> None:
        session = sessions(name, "caption")
        keep, drop = (Caption().prepare(Images(PICTURES), CaptionOptions(2, 4)) for _ in range(2))
        assert only_last_is_marked(session, Caption().prepare(Images(PICTURES), CaptionOptions(2, 4)))
        session.submit(keep)
        session.submit(drop)
        session.abort(drop.id)
        session.abort("a request that never was")
        assert set(run(session)) == {keep.id}

    def test_what_is_no_picture_is_refused(self, sessions: Sessions, name: str) -> None:
        with pytest.raises(Invalid, match="caption"):
            sessions(name, "caption").submit(Generate().prepare(Prompt("the cat"), GenerateOptions()))


@pytest.mark.parametrize("name", ["vision-encoder-decoder", "blip"])
def test_a_caption_goes_on_from_words(sessions: Sessions, name: str) -> None:
    found = captions(sessions(name, "caption"), begin="the old cat")
    assert all(text.startswith("the old cat") for text in found.texts)


@pytest.mark.parametrize("name", ["vilt", "blip-answers", "llava", "llava-plain"])
class TestAnswers:
    def test_the_same_question_has_the_same_answer(self, sessions: Sessions, name: str) -> None:
        session = sessions(name, "ask")
        first = answer(session)
        assert first == answer(session)
        assert first.prompt_tokens > 0
        assert first.finish_reason in ("stop", "length")
        assert first.text == first.text.strip()

    def test_a_seed_repeats_and_others_differ(self, sessions: Sessions, name: str) -> None:
        session = sessions(name, "ask")

        def drawn(seed: int) -> str:
            return answer(session, temperature=3.0, seed=seed).text

        assert drawn(1) == drawn(1)
        assert len({drawn(seed) for seed in range(6)}) > 1

    def test_questions_side_by_side_are_answered_as_if_alone(self, sessions: Sessions, name: str) -> None:
        session = sessions(name, "ask")
        asked = [("a red dog", 0), ("rain", 1), ("the sun was old", 2)]
        alone = [answer(session, question, at).text for question, at in asked]
        requests = [
            Ask().prepare(Question(PICTURES[at], question), GenerateOptions(max_tokens=6)) for question, at in asked
        ]
        for request in requests:
            session.submit(request)
        found = run(session)
        assert [Ask().collect(found[request.id]).text for request in requests] == alone

    def test_all_questions_move_on(self, sessions: Sessions, name: str) -> None:
        all_move_on(
            sessions(name, "ask"), lambda: Ask().prepare(Question(PICTURES[0], "a cat"), GenerateOptions(max_tokens=3))
        )

    def test_a_question_that_is_too_long_is_refused(self, sessions: Sessions, name: str) -> None:
        with pytest.raises(Invalid, match="at most"):
            answer(sessions(name, "ask"), "cat " * 100)


def test_a_picture_that_the_processor_makes_nothing_of_is_refused_and_harms_no_other(sessions: Sessions) -> None:
    session = sessions("vilt", "ask")
    fine = Ask().prepare(Question(PICTURES[0], "a cat"), GenerateOptions())
    session.submit(fine)
    with pytest.raises(Invalid, match="900 x 1"):
        answer_to = Question(numpy.zeros((1, 900, 3), dtype=numpy.uint8), "a cat")
        session.submit(Ask().prepare(answer_to, GenerateOptions()))
    assert set(run(session)) == {fine.id}


def test_a_question_cannot_smuggle_in_a_second_picture(sessions: Sessions) -> None:
    with pytest.raises(Invalid, match="<image>"):
        answer(sessions("llava", "ask"), "what is <image> there")


def test_an_answer_comes_piece_by_piece_as_generate_of_transformers_writes_it(
    sessions: Sessions, made: Callable[[str], Loadable]
) -> None:
    import torch
    from PIL import Image
    from transformers import AutoModelForImageTextToText, AutoProcessor

    request = Ask().prepare(Question(PICTURES[0], "the cat sat"), GenerateOptions(max_tokens=6))
    pieces = chunks_of(sessions("llava", "ask"), request)
    assert len(pieces) > 1
    folder = made("llava").folder
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    processor = AutoProcessor.from_pretrained(folder)
    inputs = processor(images=[Image.fromarray(PICTURES[0])], text=["<image>the cat sat"], return_tensors="pt")
    with torch.inference_mode():
        row = model.generate(**inputs, max_new_tokens=6, do_sample=False)[0, inputs["input_ids"].shape[1] :]
    assert Ask().collect(pieces).text == processor.tokenizer.decode(row, skip_special_tokens=True).strip()


@pytest.mark.parametrize("name", ["clip", "siglip"])
class TestPairs:
    def test_pictures_and_texts_have_vectors_of_one_space(self, sessions: Sessions, name: str) -> None:
        session = sessions(name, "pair-embed")
        texts, images = paired(session, Texts(("a cat", "the old dog ran", ""))), paired(session, Images(PICTURES))
        assert texts.rows.shape == images.rows.shape == (3, texts.rows.shape[1])
        for rows in (texts.rows, images.rows):
            assert rows.dtype == numpy.float32
            assert numpy.allclose(numpy.linalg.norm(rows, axis=1), 1, atol=1e-5)
        assert texts.several is (name == "siglip")

    def test_logits_are_those_of_the_model(
        self, sessions: Sessions, made: Callable[[str], Loadable], name: str
    ) -> None:
        import torch
        from PIL import Image
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        session, folder, texts = sessions(name, "pair-embed"), made(name).folder, ["a cat", "the old dog ran"]
        found, images = paired(session, Texts(tuple(texts))), paired(session, Images(PICTURES))
        model = AutoModel.from_pretrained(folder).eval()
        eyes, tokenizer = AutoImageProcessor.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        how = {"padding": "max_length", "max_length": 16} if name == "siglip" else {"padding": True}
        read = tokenizer(texts, return_tensors="pt", **how)
        if name == "siglip":
            del read["attention_mask"]
        pictures = eyes(images=[Image.fromarray(one) for one in PICTURES], return_tensors="pt")
        with torch.inference_mode():
            expected = model(**read, pixel_values=pictures["pixel_values"]).logits_per_image.numpy()
        assert numpy.abs(images.rows @ found.rows.T * found.scale + found.bias - expected).max() < 1e-3

    def test_a_vector_does_not_depend_on_its_company(self, sessions: Sessions, name: str) -> None:
        session = sessions(name, "pair-embed")
        texts = ("a cat", "the old dog ran under the tree")
        together = paired(session, Texts(texts)).rows
        for text, row in zip(texts, together, strict=True):
            assert float(paired(session, Texts((text,))).rows[0] @ row) > 0.99999

    def test_texts_that_are_cut_are_counted(self, sessions: Sessions, name: str) -> None:
        assert paired(sessions(name, "pair-embed"), Texts(("cat " * 40, "dog"))).truncated == 1


def test_a_network_without_a_head_for_it_is_unsupported(made: Callable[[str], Loadable]) -> None:
    for task, name in (("ask", "clip"), ("caption", "clip"), ("pair-embed", "llava")):
        with pytest.raises(UnsupportedContent):
            load(made(name), task)


def test_a_folder_that_does_not_say_how_it_sees_is_unsupported(made: Callable[[str], Loadable], tmp_path: Path) -> None:
    import shutil

    blind = tmp_path / "blind"
    shutil.copytree(made("clip").folder, blind)
    (blind / "preprocessor_config.json").unlink()
    with pytest.raises(UnsupportedContent, match="preprocessor_config"):
        load(Loadable(made("clip").facts, blind), "pair-embed")
