"""What is asked about pictures: the model is found and loaded, the pictures are read, and the answers stream."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines import tesseract
from ipfs_accel_cli.engines.exchange.image import FindOptions, ImageOptions, Images
from ipfs_accel_cli.services.infer.image import answering, reading_text
from ipfs_accel_cli.services.infer.image.asked import Asked, Change
from ipfs_accel_cli.services.infer.image.processing import check, processed
from ipfs_accel_cli.services.infer.image.reading import LONGEST_SIDE, Picture, Unread, open_pictures, read_picture
from ipfs_accel_cli.services.infer.image.results import (
    PictureLabels,
    PictureRegions,
    PictureText,
    PictureThings,
    PictureVector,
    PictureWritten,
)
from ipfs_accel_cli.services.infer.image.run import PictureRun
from ipfs_accel_cli.services.infer.image.writing import Targets
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.stats import Watch
from ipfs_accel_cli.tasks import TASKS

# A mask has as many pixels as the picture that the model is shown.
LONGEST_MASKED = 1024
T = TypeVar("T")
log = logging.getLogger("ipfs_accel_cli")


class ImageInference:
    """Runs models that look at pictures. Safe to share between threads."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def classify(self, asked: Asked, *, top: int | None = 5) -> Stream[PictureLabels]:
        """Give each picture the labels of a classifier, the likeliest first."""
        if top is not None and top < 1:
            raise Invalid("--top needs a number of at least 1")
        return self._stream("image-classify", asked, ImageOptions(asked.size), partial(answering.labelled, top=top))

    def embed(
        self, asked: Asked, *, query: Path | None = None, top: int | None = None, vectors: bool = False
    ) -> Stream[PictureVector]:
        """Turn pictures into vectors, or rank them by nearness to another picture."""
        if top is not None and (query is None or top < 1):
            raise Invalid("--top needs a --query, and a number of at least 1")
        if query is None:
            return self._stream("image-embed", asked, ImageOptions(asked.size), answering.vectors)
        near = answering.Query(read_picture(query, current()), top, vectors)
        return self._stream("image-embed", asked, ImageOptions(asked.size), partial(answering.ranked, query=near))

    def detect(
        self, asked: Asked, *, threshold: float = 0.5, annotate: Path | None = None, force: bool = False
    ) -> Stream[PictureThings]:
        """Find things in pictures, with boxes around them."""
        targets = self._targets(annotate, asked, force=force)
        answers = partial(answering.detected, targets=targets)
        return self._stream("image-detect", asked, FindOptions(asked.size, threshold), answers)

    def segment(
        self,
        asked: Asked,
        *,
        threshold: float = 0.0,
        masks: bool = False,
        annotate: Path | None = None,
        force: bool = False,
    ) -> Stream[PictureRegions]:
        """Say for the pixels of pictures what they show."""
        targets = self._targets(annotate, asked, force=force)
        answers = partial(answering.segmented, targets=targets, masks=masks)
        options = FindOptions(asked.size if asked.batch else 1, threshold)
        return self._stream("image-segment", asked, options, answers, longest=LONGEST_MASKED)

    def ocr(
        self,
        asked: Asked,
        *,
        threshold: float = 0.5,
        boxes: bool = False,
        language: str | None = None,
        annotate: Path | None = None,
        force: bool = False,
    ) -> Stream[PictureText]:
        """Read the text in pictures."""
        targets = self._targets(annotate, asked, force=force)
        if asked.engine != tesseract.NAME:
            if language is not None:
                raise Invalid("--language is for --engine tesseract; other models read what they were trained on")
            answers = partial(answering.read, targets=targets, boxes=boxes)
            return self._stream("image-ocr", asked, FindOptions(asked.size, threshold), answers)
        if asked.model is not None:
            raise Invalid("tesseract reads with language data of its own: --language, not --model")
        TASKS.load("image-ocr")().prepare(Images((_NOTHING,)), FindOptions(1, threshold))
        tesseract.program()
        pictures = open_pictures(asked.files, current(), frame=asked.frame)
        return Stream(reading_text.by_tesseract(pictures, language or "eng", threshold, targets=targets, boxes=boxes))

    def process(
        self, files: Sequence[Path], output: Path, change: Change, *, frame: int = 0, force: bool = False
    ) -> Stream[PictureWritten]:
        """Change pictures and write them: no model is asked."""
        call = current()
        check(change)
        names = list(files) or ([Path("-")] if call.input is not None else [])
        targets = Targets(call.path(output), len(names), change.format, force=force)
        return Stream(processed(names, targets, change, call, frame=frame))

    def _stream(
        self,
        name: str,
        asked: Asked,
        options: ImageOptions | FindOptions,
        answers: Callable[[PictureRun[Any], Iterator[Picture | Unread]], Iterator[T]],
        longest: int = LONGEST_SIDE,
    ) -> Stream[T]:
        """Check what was asked at once, and return the answers, which come as the pictures are read."""
        task = TASKS.load(name)()
        task.prepare(Images((_NOTHING,)), options)
        pictures = open_pictures(asked.files, current(), frame=asked.frame, longest=longest)
        model = self._opener.find(asked.model, name)

        def answered() -> Iterator[T]:
            watch = Watch()
            # A single picture that cannot be read is told before the model is loaded.
            first = next(pictures, None)
            with self._opener.open(model, name, asked.engine, asked.device, watch) as opened:
                run: PictureRun[Any] = PictureRun(opened, task, options, watch)
                yield from answers(run, _again(first, pictures))
                if asked.stats and run.done:
                    plan, busy_ms = opened.warm.plan, run.busy_s * 1000
                    agreement = self._opener.loader.fidelity(model, opened.warm.key)
                    agrees = "" if agreement is None else f" (agreement {agreement:.4f})"
                    log.info(
                        "%d pictures, load %.0f ms, %.1f ms in the model, %.1f pictures/s, %d threads, %s, engine %s%s",
                        *(run.done, watch.load_s * 1000, busy_ms, run.done / max(1e-9, run.busy_s), plan.threads),
                        *(f"{plan.dtype} on {plan.device}", opened.warm.key.engine, agrees),
                    )

        return Stream(answered())

    def _targets(self, annotate: Path | None, asked: Asked, *, force: bool) -> Targets | None:
        if annotate is None:
            return None
        return Targets(current().path(annotate), max(1, len(asked.files)), None, force=force)


def _again(first: Picture | Unread | None, others: Iterator[Picture | Unread]) -> Iterator[Picture | Unread]:
    if first is not None:
        yield first
    yield from others


_NOTHING: Any = None
