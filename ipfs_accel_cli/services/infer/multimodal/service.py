"""The service of pictures and words: captions, answers about pictures, and both in one space."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy

from ipfs_accel_cli.core.call import Call, current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines.base import Chunk
from ipfs_accel_cli.engines.exchange.image import ImageOptions, Images
from ipfs_accel_cli.engines.exchange.multimodal import CaptionOptions, Question
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Piece, Texts
from ipfs_accel_cli.services.infer.image.reading import read_picture
from ipfs_accel_cli.services.infer.multimodal.captions import captioned
from ipfs_accel_cli.services.infer.multimodal.drawing import draw
from ipfs_accel_cli.services.infer.multimodal.pairs import Pairs, Wanted, check
from ipfs_accel_cli.services.infer.multimodal.results import Caption, Drawing, Pairing, PictureAnswer
from ipfs_accel_cli.services.infer.multimodal.windows import LONGEST_SIDE, open_windows
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.toys import is_toy
from ipfs_accel_cli.services.infer.worker import Answer
from ipfs_accel_cli.tasks.ask import Ask
from ipfs_accel_cli.tasks.caption import Caption as CaptionTask
from ipfs_accel_cli.tasks.pair_embed import PairEmbed

BATCH = 8
_LARGEST_CHOSEN_SEED = 1 << 31


class Multimodal:
    """Runs models of pictures and words. Safe to share between threads."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def caption(
        self,
        files: Sequence[Path],
        *,
        model: str | None = None,
        begin: str = "",
        max_tokens: int = 48,
        temperature: float = 0.0,
        seed: int | None = None,
        batch: int | None = None,
        engine: str | None = None,
        device: str | None = None,
    ) -> Stream[Caption]:
        """Put pictures into words, in their order, a batch at a time.

        Those of several that cannot be read are told at the end, by SomeFailed. Raises Invalid for options that make
        no sense, and what reading, finding, choosing and loading raise.
        """
        chance = _seed(seed, temperature)
        options = CaptionOptions(BATCH if batch is None else batch, max_tokens, temperature, chance or 0, begin)
        task = CaptionTask()
        task.prepare(Images((_nothing(),)), options)
        windows = open_windows(files, current(), options.batch)
        found = self._opener.find(model, task.name)

        def answered() -> Iterator[Caption]:
            with self._opener.open(found, task.name, engine, device) as opened:
                yield from captioned(opened, windows, options, chance)

        return Stream(answered())

    def ask(
        self,
        file: Path,
        question: str,
        *,
        model: str | None = None,
        max_tokens: int = 64,
        temperature: float = 0.0,
        top_p: float = 1.0,
        top_k: int = 0,
        seed: int | None = None,
        stop: Sequence[str] = (),
        engine: str | None = None,
        device: str | None = None,
    ) -> PictureAnswer:
        """Answer a question about a picture; the answer is emitted as it comes.

        Raises Invalid for an empty question and options that make no sense, and what reading, finding, choosing and
        loading raise.
        """
        chance = _seed(seed, temperature)
        task, call = Ask(), current()
        options = GenerateOptions(max_tokens, temperature, top_k, top_p, chance or 0, tuple(stop))
        task.prepare(Question(_nothing(), question), options)
        picture = read_picture(file, call)
        found = self._opener.find(model, task.name)
        with self._opener.open(found, task.name, engine, device) as opened:
            request = task.prepare(Question(picture.pixels, question), options)
            with closing(opened.warm.worker.ask(request)) as answer:
                piece = task.collect(_emitting(answer, call))
            key = opened.warm.key
        return PictureAnswer(
            answer=piece.text,
            tokens=piece.tokens,
            prompt_tokens=piece.prompt_tokens,
            finish_reason=piece.finish_reason or "stop",
            model=found.facts.name,
            model_cid=found.facts.manifest,
            toy=is_toy(found.folder),
            engine=key.engine,
            device=key.device,
            seed=chance,
        )

    @property
    def draw(self) -> Callable[..., Drawing]:
        """Draw a picture from words; see `drawing.draw`."""
        return partial(draw, self._opener)

    def embed(
        self,
        texts: Sequence[str],
        images: Sequence[Path],
        *,
        query: str | None = None,
        query_image: Path | None = None,
        labels: Sequence[str] = (),
        top: int | None = None,
        vectors: bool = False,
        model: str | None = None,
        batch: int | None = None,
        engine: str | None = None,
        device: str | None = None,
    ) -> Stream[Pairing]:
        """Put texts and pictures into one space: as vectors, by nearness to a query, or pictures by their labels.

        Pictures of several that cannot be read are told at the end, by SomeFailed. Raises Invalid for what makes no
        sense together, and what reading, finding, choosing and loading raise.
        """
        task, size = PairEmbed(), BATCH if batch is None else batch
        task.prepare(Texts(("",)), ImageOptions(size))
        if top is not None and top < 1:
            raise Invalid("--top needs a number of at least 1")
        asked = query if query_image is None else _nothing()
        wanted = Wanted(asked, tuple(labels), top, vectors, size)
        check(wanted, texts, len(images), both=query is not None and query_image is not None)
        if query_image is not None:
            near = read_picture(query_image, current(), longest=LONGEST_SIDE).pixels
            wanted = Wanted(near, tuple(labels), top, vectors, size)
        windows = open_windows(images, current(), size) if images else None
        found = self._opener.find(model, task.name)

        def answered() -> Iterator[Pairing]:
            with self._opener.open(found, task.name, engine, device) as opened:
                yield from Pairs(opened, wanted).answers(texts, windows)

        return Stream(answered())


def _seed(seed: int | None, temperature: float) -> int | None:
    """Return what chance begins with; nothing where nothing is drawn."""
    if temperature == 0:
        return None
    return secrets.randbelow(_LARGEST_CHOSEN_SEED) if seed is None else seed


def _nothing() -> numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.uint8]]:
    """Return a picture of one pixel, to check options with before any is read."""
    return numpy.zeros((1, 1, 3), dtype=numpy.uint8)


def _emitting(answer: Answer, call: Call) -> Iterator[Chunk]:
    """Pass chunks on, handing their text to the caller at once."""
    for chunk in answer:
        if isinstance(chunk.data, Piece) and chunk.data.text:
            call.emit(chunk.data.text)
        else:
            call.check()
        yield chunk
