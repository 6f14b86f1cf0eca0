"""How the search has pictures and recordings read: by a registered model, or by tesseract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from ipfs_accel_cli.core.errors import MissingExtra, NotFound
from ipfs_accel_cli.engines import tesseract
from ipfs_accel_cli.services.search.readings import Kind
from ipfs_accel_cli.services.search.supply import Read, Reader

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.base import Loadable
    from ipfs_accel_cli.services.infer.inference import Inference
    from ipfs_accel_cli.services.infer.opening import Opened, Opener

# What scores less is mostly no text.
_LEAST_SCORE = 0.5
_LANGUAGES = "eng"
_TASKS: dict[Kind, str] = {"ocr": "image-ocr", "caption": "caption", "transcript": "transcribe"}
_SILENCES = "voice-detect"


def reader(inference: Inference, kind: Kind, model: str | None) -> Reader:
    """Find what reads a kind: the model of a name, `tesseract` or `tesseract:deu+eng`, or the usual one.

    Text without a name is read by the model for it that is registered, else by tesseract where that is installed.
    Loads nothing; raises what finding a model and choosing its engine raise, and MissingExtra.
    """
    _libraries(kind)
    name, _, languages = (model or "").partition(":")
    if kind == "ocr" and name == tesseract.NAME:
        return _program(languages or _LANGUAGES)
    opener = inference.opener
    try:
        found = opener.find(model, _TASKS[kind])
    except NotFound as error:
        if kind != "ocr" or model is not None:
            raise
        return _program_instead(error)
    opener.check(found, _TASKS[kind])
    return _Model(kind, found, opener)


def _program_instead(error: NotFound) -> Reader:
    try:
        return _program(_LANGUAGES)
    except MissingExtra as missing:
        told = f"{error.detail}, and {missing.detail} either ({missing.suggestion})"
        raise NotFound(told, suggestion=error.suggestion) from error


def _program(languages: str) -> Reader:
    tesseract.check(languages)
    return _Program(languages)


def _libraries(kind: Kind) -> None:
    if kind == "transcript":
        from ipfs_accel_cli.services.infer.audio.reading import library

        for name in ("soundfile", "soxr"):
            library(name)


@dataclass(frozen=True, slots=True)
class _Program:
    """Tesseract, with its own data for some languages."""

    languages: str

    @property
    def kind(self) -> Kind:
        return "ocr"

    @property
    def model(self) -> str:
        return tesseract.NAME

    @property
    def model_cid(self) -> str:
        """What it read in other languages is another text."""
        return f"{tesseract.NAME}:{self.languages}"

    @contextmanager
    def opened(self) -> Iterator[Read]:
        yield self._text

    def _text(self, stream: BinaryIO, name: str) -> str:
        from ipfs_accel_cli.services.infer.image.reading import picture_in

        lines = tesseract.read_lines(picture_in(stream, name).pixels, self.languages, _LEAST_SCORE)
        return "\n".join(line.text for line in lines)


@dataclass(frozen=True, slots=True)
class _Model:
    """A registered model."""

    kind: Kind
    loadable: Loadable
    opener: Opener

    @property
    def model(self) -> str:
        return self.loadable.facts.name

    @property
    def model_cid(self) -> str:
        return self.loadable.facts.manifest or self.loadable.facts.name

    @contextmanager
    def opened(self) -> Iterator[Read]:
        """Hold the model, loaded, for the block."""
        with self.opener.open(self.loadable, _TASKS[self.kind], None, None) as opened:
            if self.kind == "transcript":
                with self._silences() as silences:
                    yield partial(_transcript, opened, silences)
                return
            ask: dict[Kind, Callable[[Opened, BinaryIO, str], str]] = {"ocr": _text, "caption": _caption}
            yield partial(ask[self.kind], opened)

    @contextmanager
    def _silences(self) -> Iterator[Opened | None]:
        """Hold what finds silences to cut long recordings at, where it is registered."""
        try:
            found = self.opener.find(None, _SILENCES)
        except NotFound:
            found = None
        with nullcontext() if found is None else self.opener.open(found, _SILENCES, None, None) as opened:
            yield opened


def _text(opened: Opened, stream: BinaryIO, name: str) -> str:
    from ipfs_accel_cli.engines.exchange.image import FindOptions, Images
    from ipfs_accel_cli.services.infer.image.reading import picture_in
    from ipfs_accel_cli.tasks import TASKS

    task = TASKS.load(_TASKS["ocr"])()
    pixels = picture_in(stream, name).pixels
    found = opened.answer(task, task.prepare(Images((pixels,)), FindOptions(1, _LEAST_SCORE)))
    return "\n".join(line.text for line in found.found[0])


def _caption(opened: Opened, stream: BinaryIO, name: str) -> str:
    from ipfs_accel_cli.engines.exchange.image import Images
    from ipfs_accel_cli.engines.exchange.multimodal import CaptionOptions
    from ipfs_accel_cli.services.infer.image.reading import picture_in
    from ipfs_accel_cli.services.infer.multimodal.windows import LONGEST_SIDE
    from ipfs_accel_cli.tasks.caption import Caption

    task = Caption()
    pixels = picture_in(stream, name, longest=LONGEST_SIDE).pixels
    return opened.answer(task, task.prepare(Images((pixels,)), CaptionOptions(1))).texts[0]


def _transcript(opened: Opened, silences: Opened | None, stream: BinaryIO, name: str) -> str:
    from ipfs_accel_cli.engines.exchange.audio import TranscribeOptions
    from ipfs_accel_cli.services.infer.audio.reading import sound_in
    from ipfs_accel_cli.services.infer.audio.transcribing import Writer

    with sound_in(stream, name) as sound:
        said = Writer(opened, silences, TranscribeOptions()).utterances(sound)
        return "\n".join(one.text.strip() for one in said)
