"""Inputs into requests and chunks into results, without any engine."""

from __future__ import annotations

from dataclasses import replace

import numpy
import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk
from ipfs_accel_cli.engines.exchange.multimodal import Captions, DrawOptions, Paired, Wish
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, GenerateOptions, Piece, Prompt, Texts, Vectors
from ipfs_accel_cli.tasks import TASKS
from ipfs_accel_cli.tasks.caption import Caption
from ipfs_accel_cli.tasks.embed import Embed
from ipfs_accel_cli.tasks.generate import Generate
from ipfs_accel_cli.tasks.image_generate import ImageGenerate
from ipfs_accel_cli.tasks.pair_embed import PairEmbed


def rows(*values: float) -> numpy.ndarray:
    return numpy.array([[value] for value in values], dtype=numpy.float32)


def test_vectors_come_back_in_the_order_of_the_texts() -> None:
    chunks = [Chunk(Vectors((3, 0), rows(3, 0), "p", 2)), Chunk(Vectors((2, 1), rows(2, 1), "p", 2), finished=True)]
    found = Embed().collect(chunks)
    assert found.rows.ravel().tolist() == [0, 1, 2, 3]
    assert (found.positions, found.pooling, found.truncated) == ((0, 1, 2, 3), "p", 2)


def test_pieces_join_and_the_last_one_counts() -> None:
    pieces = [Piece("a", 1, 4), Piece("", 2, 4), Piece("b", 3, 4, "length")]
    assert Generate().collect(map(Chunk, pieces)) == Piece("ab", 3, 4, "length")


@pytest.mark.parametrize("batch", [0, -1, 5000])
def test_a_batch_has_bounds(batch: int) -> None:
    with pytest.raises(Invalid, match=str(batch)):
        Embed().prepare(Texts(("a",)), EmbedOptions(batch))


def test_nothing_to_embed_is_invalid() -> None:
    with pytest.raises(Invalid):
        Embed().prepare(Texts(()), EmbedOptions())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_tokens", 0),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("top_k", -1),
        ("top_p", 0.0),
        ("top_p", 1.1),
        ("top_p", float("nan")),
        ("seed", -1),
        ("seed", 1 << 63),
        ("stop", ("x", "")),
    ],
)
def test_options_that_make_no_sense_are_invalid(option: str, value: object) -> None:
    with pytest.raises(Invalid, match=option.replace("_", "-")):
        Generate().prepare(Prompt("a"), replace(GenerateOptions(), **{option: value}))


def test_requests_carry_the_name_of_their_task_and_an_id_of_their_own() -> None:
    one, other = (Generate().prepare(Prompt("a"), GenerateOptions()) for _ in range(2))
    assert one.kind == "generate"
    assert one.id != other.id


def test_every_task_is_registered_by_its_name() -> None:
    found = {name: TASKS.load(name).name for name in TASKS.names()}
    assert found == {name: name for name in TASKS.names()}
    assert found.keys() >= {"embed", "classify", "generate", "score", "caption", "ask", "pair-embed", "image-generate"}


def test_captions_come_back_in_the_order_of_the_pictures() -> None:
    chunks = [
        Chunk(Captions((2,), ("c",), (3,))),
        Chunk(Captions((), (), ())),
        Chunk(Captions((0, 1), ("a", "b"), (1, 2))),
    ]
    assert Caption().collect(chunks) == Captions((0, 1, 2), ("a", "b", "c"), (1, 2, 3))


def test_paired_vectors_come_back_in_order_with_their_scale() -> None:
    chunks = [Chunk(Paired((1,), rows(1), 2.0, 0.5, True, 1)), Chunk(Paired((0,), rows(0), 2.0, 0.5, True))]
    found = PairEmbed().collect(chunks)
    assert found.rows.ravel().tolist() == [0, 1]
    assert (found.scale, found.bias, found.several, found.truncated) == (2.0, 0.5, True, 1)


@pytest.mark.parametrize(
    "options",
    [{"steps": 0}, {"steps": 1001}, {"guidance": -1.0}, {"guidance": float("nan")}, {"seed": -1}, {"width": 2049}],
)
def test_drawings_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        ImageGenerate().prepare(Wish("a cat"), replace(DrawOptions(), **options))  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="empty"):
        ImageGenerate().prepare(Wish(" "), DrawOptions())
