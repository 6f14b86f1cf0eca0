"""What engines are asked when they are compared: texts of several shapes, pictures, or stretches of a sound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Loadable, Session
from ipfs_accel_cli.engines.exchange.audio import TranscribeOptions, Transcript, Waveform
from ipfs_accel_cli.engines.exchange.image import ImageOptions, Images
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, RewriteOptions, Texts
from ipfs_accel_cli.engines.samples import SAMPLES, example, pictures, same_words
from ipfs_accel_cli.services.infer.driving import chunks_of
from ipfs_accel_cli.tasks import TASKS

READING, HEARING = ("embed", "classify", "translate", "summarize"), "transcribe"
SEEING = ("image-classify", "image-embed")
MEASURED_TASKS = (*READING, *SEEING, HEARING)
# A shape that would take more than this at once is not run, or with fewer texts.
LONGEST_RUN_SECONDS = 0.5
_SHORT_WORDS, _LONG_WORDS, _MOST_TEXTS = 12, 100, 32
# Of each text that is written.
_MOST_TOKENS = 32
_TEXT = "the rain in spain stays mainly in the plain while a small red bird sings on the old tree"
_WORDS = _TEXT.split()
_WRITING = frozenset({"translate", "summarize"})
_SHORT_SECONDS = 5
# As many at once as `infer image` takes, of the size that most networks look at.
_MANY_PICTURES, _SIDE = 8, 224
_COMPARED_PICTURES = 13


@dataclass(frozen=True, slots=True)
class Shape:
    """So many texts of so many words at a time, under the name that its figure has."""

    name: str
    texts: int
    words: int


@dataclass(frozen=True, slots=True)
class Timed:
    """What is timed, under the name that its figure has: `run` asks a session for so many texts, or seconds."""

    name: str
    amount: float
    run: Callable[[Session], object]


class Questions(Protocol):
    """What every engine is asked: `overall` names the figure of all shapes together, in what is counted a second."""

    overall: str

    def answers(self, session: Session) -> Any:
        """Return what is compared between engines."""

    def agreement(self, reference: Any, answers: Any) -> float:
        """Return how well answers agree with those of the first engine: 1 for the same."""

    def timed(self, session: Session) -> list[Timed]:
        """Return what is timed, as far as there is time for it; raises what the session raises."""


@dataclass(frozen=True, slots=True)
class OfTexts:
    """Texts for a task; `rewriting` says how a task that writes texts is asked, such as in which languages."""

    task: str
    rewriting: RewriteOptions | None = None
    overall = "texts_s"

    @classmethod
    def of(cls, model: Loadable, task: str) -> OfTexts:
        """Return what to ask of a model for a task."""
        return cls(task, example(model.folder, task, _MOST_TOKENS) if task in _WRITING else None)

    def answers(self, session: Session) -> Any:
        """Return float32 vectors or scores, shape (texts, width), or the texts that are written."""
        if self.rewriting is not None:
            return self._asked(session, list(SAMPLES))
        return self._asked(session, [" ".join(_WORDS[:words]) for words in (1, 3, 7, 12, 19)])

    def agreement(self, reference: Any, answers: Any) -> float:
        """Return the least cosine of vectors, 1 less the largest difference of a score, or the share of same words."""
        if self.rewriting is not None:
            return same_words(reference, answers)
        return _alike(reference, answers, scores=self.task == "classify")

    def timed(self, session: Session) -> list[Timed]:
        """Return one short text always, many and long ones as the model allows."""
        one = self._of(Shape("one_texts_s", 1, _SHORT_WORDS))
        one.run(session)
        start = time.perf_counter()
        one.run(session)
        seconds_a_word = (time.perf_counter() - start) / _SHORT_WORDS
        found = [one]
        if seconds_a_word * _LONG_WORDS <= LONGEST_RUN_SECONDS:
            found.append(self._of(Shape("one_long_texts_s", 1, _LONG_WORDS)))
        for name, words in (("many_texts_s", _SHORT_WORDS), ("long_texts_s", _LONG_WORDS)):
            texts = min(_MOST_TEXTS, int(LONGEST_RUN_SECONDS / max(seconds_a_word * words, 1e-9)))
            if texts > 1:
                found.append(self._of(Shape(name, texts, words)))
        return found

    def _of(self, shape: Shape) -> Timed:
        return Timed(shape.name, shape.texts, partial(self._asked, texts=made_up(shape)))

    def _asked(self, session: Session, texts: list[str]) -> Any:
        made = TASKS.load(self.task)()
        options = EmbedOptions(len(texts)) if self.rewriting is None else replace(self.rewriting, batch=len(texts))
        found = made.collect(chunks_of(session, made.prepare(Texts(tuple(texts)), options)))
        return found.rows if self.rewriting is None else [one.text for one in found]


@dataclass(frozen=True, slots=True)
class OfPictures:
    """Made-up pictures for a task that gives labels or vectors."""

    task: str
    overall = "pictures_s"

    def answers(self, session: Session) -> Any:
        """Return float32 vectors or scores, shape (pictures, width), of pictures of several sizes."""
        return self._asked(session, pictures(_COMPARED_PICTURES), _MANY_PICTURES)

    def agreement(self, reference: Any, answers: Any) -> float:
        """Return the least cosine of vectors, or 1 less the largest difference of a score."""
        return _alike(reference, answers, scores=self.task == "image-classify")

    def timed(self, session: Session) -> list[Timed]:
        """Return one picture always, many as the model allows."""
        one = self._of("one_pictures_s", 1)
        one.run(session)
        start = time.perf_counter()
        one.run(session)
        many = min(_MANY_PICTURES, int(LONGEST_RUN_SECONDS / max(time.perf_counter() - start, 1e-9)))
        return [one, self._of("many_pictures_s", many)] if many > 1 else [one]

    def _of(self, name: str, count: int) -> Timed:
        shown = pictures(count, (_SIDE, _SIDE))
        return Timed(name, count, partial(self._asked, shown=shown, batch=count))

    def _asked(self, session: Session, shown: tuple[Any, ...], batch: int) -> Any:
        made = TASKS.load(self.task)()
        return made.collect(chunks_of(session, made.prepare(Images(shown), ImageOptions(batch)))).rows


@dataclass(frozen=True, slots=True)
class OfSound:
    """A sound of up to 30 s that is written down: the whole, and its first 5 s."""

    sound: Waveform
    overall = "rtfx"

    def answers(self, session: Session) -> list[str]:
        """Return the words of the whole sound, in one text; raises Invalid where none are heard."""
        words = " ".join(segment.text.strip() for segment in self._heard(session, self.sound).segments).strip()
        if not words:
            raise Invalid("no words are heard in the sound", suggestion="give a --sound in which somebody speaks")
        return [words]

    def agreement(self, reference: list[str], answers: list[str]) -> float:
        """Return the share of the same words."""
        return same_words(reference, answers)

    def timed(self, session: Session) -> list[Timed]:
        """Return the first seconds and the whole, or only the whole where that is not longer."""
        whole, rate = self.sound, self.sound.rate
        if whole.seconds <= _SHORT_SECONDS:
            return [self._of("short_rtfx", whole)]
        short = Waveform(whole.samples[: _SHORT_SECONDS * rate], rate)
        return [self._of("short_rtfx", short), self._of("long_rtfx", whole)]

    def _of(self, name: str, sound: Waveform) -> Timed:
        return Timed(name, sound.seconds, partial(self._heard, sound=sound))

    def _heard(self, session: Session, sound: Waveform) -> Transcript:
        made = TASKS.load("transcribe")()
        found: Transcript = made.collect(chunks_of(session, made.prepare(sound, TranscribeOptions())))
        return found


def questions(model: Loadable, task: str, sound: Waveform | None) -> Questions:
    """Return what engines are asked; raises Invalid for a task that hears without a sound, and for others with one."""
    if task == HEARING and sound is None:
        raise Invalid(f"a model that can {task} is measured on a sound", suggestion="--sound FILE")
    if task != HEARING and sound is not None:
        raise Invalid(f"a model is measured on a sound for the task {HEARING} only, not for {task}")
    if sound is not None:
        return OfSound(sound)
    return OfPictures(task) if task in SEEING else OfTexts.of(model, task)


def _alike(reference: Any, answers: Any, *, scores: bool) -> float:
    if scores:
        return 1.0 - float(numpy.abs(reference - answers).max())
    lengths = numpy.linalg.norm(reference, axis=1) * numpy.linalg.norm(answers, axis=1)
    return float(((reference * answers).sum(axis=1) / numpy.maximum(lengths, 1e-12)).min())


def made_up(shape: Shape) -> list[str]:
    """Return texts of a shape."""
    return [" ".join(_WORDS[(at + word) % len(_WORDS)] for word in range(shape.words)) for at in range(shape.texts)]
