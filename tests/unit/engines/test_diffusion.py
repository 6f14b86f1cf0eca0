"""Pictures from words, through a real pipeline of diffusers with random weights."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy
import pytest

from ipfs_accel_cli.core.errors import DoesNotFit, Invalid, MalformedContent, UnsafeContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Engine, Loadable, Machine, Plan, Request, Session
from ipfs_accel_cli.engines.diffusion.turns import Turns
from ipfs_accel_cli.engines.exchange.multimodal import Drawn, DrawOptions, Strokes, Wish
from ipfs_accel_cli.tasks.image_generate import ImageGenerate
from tests.conformance.engine_suite import chunks_of, run

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def painter(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    pytest.importorskip("diffusers")
    from tests.conformance.tiny_multimodal import painter

    return painter(tmp_path_factory.mktemp("painter") / "painter")


@pytest.fixture(scope="module")
def engine(painter: Loadable) -> Engine:
    from ipfs_accel_cli.engines.diffusion.engine import DiffusersEngine

    return DiffusersEngine()


@pytest.fixture(scope="module")
def drawing(engine: Engine, painter: Loadable) -> Session:
    return engine.load(painter.facts, painter.folder, Plan("image-generate", threads=1))


def wish(text: str = "a red cat", without: str = "", **options: Any) -> Request:
    return ImageGenerate().prepare(Wish(text, without), DrawOptions(**({"steps": 3, "seed": 1} | options)))


def picture(session: Session, **options: Any) -> Drawn:
    return ImageGenerate().collect(chunks_of(session, wish(**options)))


def test_a_picture_comes_step_by_step(drawing: Session) -> None:
    chunks = chunks_of(drawing, wish())
    assert [chunk.data for chunk in chunks[:-1]] == [Strokes(1, 3), Strokes(2, 3), Strokes(3, 3)]
    assert [chunk.finished for chunk in chunks] == [False, False, False, True]
    drawn = chunks[-1].data
    assert isinstance(drawn, Drawn)
    assert (drawn.pixels.shape, drawn.pixels.dtype) == ((16, 16, 3), numpy.uint8)


def test_a_seed_repeats_and_another_differs(drawing: Session) -> None:
    assert (picture(drawing, seed=1).pixels == picture(drawing, seed=1).pixels).all()
    assert (picture(drawing, seed=1).pixels != picture(drawing, seed=2).pixels).any()


def test_words_steps_guidance_and_what_is_not_wanted_change_the_picture(drawing: Session) -> None:
    plain = picture(drawing, guidance=4.0).pixels
    for other in ({"text": "an old dog"}, {"steps": 5}, {"guidance": 1.0}, {"without": "the rain"}):
        assert (picture(drawing, **({"guidance": 4.0} | other)).pixels != plain).any(), other


def test_wishes_side_by_side_are_drawn_as_if_alone(drawing: Session) -> None:
    asked = [{"seed": 3, "steps": 2}, {"seed": 4, "steps": 4}]
    alone = [picture(drawing, **one).pixels for one in asked]
    requests = [wish(**one) for one in asked]
    for request in requests:
        drawing.submit(request)
    found = run(drawing)
    for request, expected in zip(requests, alone, strict=True):
        assert (ImageGenerate().collect(found[request.id]).pixels == expected).all()


def test_a_wish_can_be_dropped_between_two_steps(drawing: Session) -> None:
    before = threading.active_count()
    keep, drop = wish(), wish()
    drawing.submit(keep)
    drawing.submit(drop)
    drawing.step()
    drawing.abort(drop.id)
    drawing.abort("a request that never was")
    assert set(run(drawing)) == {keep.id}
    assert threading.active_count() == before


def test_another_size_is_drawn_and_a_wrong_one_refused(drawing: Session) -> None:
    assert picture(drawing, width=32, height=16).pixels.shape == (16, 32, 3)
    with pytest.raises(Invalid, match="multiples of 2") as raised:
        drawing.submit(wish(width=33, height=16))
    assert raised.value.suggestion == "--size 32x16"


def test_a_size_beyond_the_memory_is_refused_before_a_step(engine: Engine, painter: Loadable) -> None:
    fit = engine.fit(painter.facts, Machine(2, 0.0, 1 << 40))
    session = engine.load(
        painter.facts, painter.folder, Plan("image-generate", threads=1, memory_bytes=fit.needed_bytes + (64 << 20))
    )
    with pytest.raises(DoesNotFit, match="2048 x 2048"):
        session.submit(wish(width=2048, height=2048))
    assert list(session.step()) == []
    session.close()
    session.close()


def test_a_prompt_that_is_cut_says_so(drawing: Session) -> None:
    assert picture(drawing, text="cat " * 40).truncated
    assert not picture(drawing).truncated


def test_what_is_no_wish_is_refused(drawing: Session) -> None:
    with pytest.raises(Invalid, match="draw"):
        drawing.submit(Request("generate", "a cat", DrawOptions()))


def changed(painter: Loadable, tmp_path: Path, **parts: Any) -> Loadable:
    folder = tmp_path / "changed"
    shutil.copytree(painter.folder, folder)
    index = json.loads((folder / "model_index.json").read_text()) | parts
    (folder / "model_index.json").write_text(json.dumps(index))
    return Loadable(painter.facts, folder)


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"unet": ["my_unet", "Thing"]}, UnsafeContent),
        ({"_class_name": ["pipeline", "Mine"]}, UnsafeContent),
        ({"_class_name": "os.system"}, UnsupportedContent),
        ({"_class_name": "ConfigMixin"}, UnsupportedContent),
        ({"_class_name": "StableDiffusionImg2ImgPipeline"}, UnsupportedContent),
    ],
)
def test_programs_and_other_pipelines_are_refused(
    engine: Engine, painter: Loadable, tmp_path: Path, parts: dict[str, Any], error: type[Exception]
) -> None:
    other = changed(painter, tmp_path, **parts)
    with pytest.raises(error):
        engine.load(other.facts, other.folder, Plan("image-generate", threads=1))


def test_a_filter_that_the_model_names_is_neither_loaded_nor_fetched(
    engine: Engine, painter: Loadable, tmp_path: Path
) -> None:
    other = changed(painter, tmp_path, safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"])
    session = engine.load(other.facts, other.folder, Plan("image-generate", threads=1))
    assert picture(session, steps=1).pixels.shape == (16, 16, 3)


def test_damaged_weights_and_pickles_are_refused(engine: Engine, painter: Loadable, tmp_path: Path) -> None:
    other = changed(painter, tmp_path)
    weights = other.folder / "unet/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(MalformedContent):
        engine.load(other.facts, other.folder, Plan("image-generate", threads=1))
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises((UnsupportedContent, MalformedContent)):
        engine.load(other.facts, other.folder, Plan("image-generate", threads=1))


def test_a_loop_raises_where_it_is_waited_for_and_stops_when_told() -> None:
    def fails(after_step: Any) -> None:
        after_step()
        raise ValueError("in the loop")

    turns = Turns(fails)
    assert turns.turn() is None
    with pytest.raises(ValueError, match="in the loop"):
        turns.turn()
    assert turns.finished
    never = Turns(lambda _after_step: pytest.fail("it began"))
    never.stop()
    assert never.finished
