"""What is done with sound and speech: the service behind `infer audio`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.engines.exchange.audio import Script, SpeakOptions, TranscribeOptions
from ipfs_accel_cli.services.infer.audio import encoding, processing, speaking, subtitles
from ipfs_accel_cli.services.infer.audio.activity import Finder, Rules
from ipfs_accel_cli.services.infer.audio.classifying import labelled
from ipfs_accel_cli.services.infer.audio.listening import FRAME, RATE, chances
from ipfs_accel_cli.services.infer.audio.processing import Steps
from ipfs_accel_cli.services.infer.audio.reading import Raw, Sound, heard
from ipfs_accel_cli.services.infer.audio.results import Processed, SoundLabels, Speech, Utterance, Voice
from ipfs_accel_cli.services.infer.audio.sentences import sentences
from ipfs_accel_cli.services.infer.audio.sources import each, sources
from ipfs_accel_cli.services.infer.audio.transcribing import Writer
from ipfs_accel_cli.services.infer.opening import Opened, Opener
from ipfs_accel_cli.services.infer.texts import read_prompt
from ipfs_accel_cli.tasks.speak import Speak

NO_VOICE_MODEL = "none"
T = TypeVar("T")

log = logging.getLogger("ipfs_accel_cli")


@dataclass(frozen=True, slots=True)
class Run:
    """What runs a model: its name, the engine and the device; nothing leaves each to us."""

    model: str | None = None
    engine: str | None = None
    device: str | None = None


class Audio:
    """Runs models of speech and sound, and prepares sounds. Safe to share between threads."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def transcribe(
        self,
        files: Sequence[str],
        options: TranscribeOptions,
        run: Run,
        *,
        voice: str | None = None,
        raw: Raw | None = None,
        output: Path | None = None,
        force: bool = False,
    ) -> Stream[Utterance]:
        """Write down what is spoken in sounds, window by window; `voice` finds the silences to cut at.

        Raises Invalid for sounds without samples, MalformedContent for what is no sound, and whatever finding,
        choosing and loading a model raises.
        """
        names = sources(files, "ipfs-accel infer audio transcribe talk.wav")
        if output is not None:
            output = current().path(output)
            subtitles.form_of(output)
            subtitles.refuse_present(output, force=force)
            if len(names) > 1:
                raise Invalid("--output takes the transcript of one sound", suggestion="name one file at a time")
        loadable = self._opener.find(run.model, "transcribe")
        listener = self._voice_model(voice)

        def answered() -> Iterator[Utterance]:
            with self._open(loadable, "transcribe", run) as model, self._listening(listener) as ears:
                yield from each(names, raw, Writer(model, ears, options).utterances)

        return Stream(answered() if output is None else subtitles.written(answered(), output))

    def speak(self, text: str | None, options: SpeakOptions, run: Run, output: Path, *, force: bool = False) -> Speech:
        """Speak a text, or the caller's input, into a file.

        Raises Invalid for a text without a word or a voice that there is not, Conflict for a file that is there, and
        whatever finding, choosing and loading a model raises.
        """
        path = current().path(output)
        encoding.form_of(path)
        subtitles.refuse_present(path, force=force)
        parts = list(sentences(read_prompt(text, current())))
        if not parts:
            raise Invalid("there is nothing to say: the text holds no word")
        Speak().prepare(Script(parts[0]), options)
        loadable = self._opener.find(run.model, "speak")
        with self._open(loadable, "speak", run) as opened:
            told = speaking.speak(opened, parts, options, path)
            seconds = told.samples / told.rate
            return Speech(
                path=str(output),
                seconds=round(seconds, 3),
                sentences=told.sentences,
                voice=told.voice,
                rate=told.rate,
                model=loadable.facts.name,
                model_cid=loadable.facts.manifest,
                engine=opened.warm.key.engine,
                device=opened.warm.key.device,
                real_time_factor=round(told.work_s / seconds, 3),
            )

    def detect(self, files: Sequence[str], rules: Rules, run: Run, *, raw: Raw | None = None) -> Stream[Voice]:
        """Find where somebody speaks, in constant memory; raises as `transcribe`."""
        rules.check()

        def found(opened: Opened, sound: Sound) -> Iterator[Voice]:
            finder, total = Finder(rules, RATE, FRAME), 0
            for block in chances(opened, heard(sound, RATE)):
                total += len(block.samples)
                current().progress(round(total / RATE, 1), round(sound.seconds, 1), "seconds")
                yield from (_voice(sound, *(one.start, one.end, one.probability)) for one in finder.feed(block.chances))
            yield from (_voice(sound, *(one.start, one.end, one.probability)) for one in finder.finish(total))

        return self._of_each("voice-detect", files, run, raw, found, "ipfs-accel infer audio detect talk.wav")

    def classify(
        self,
        files: Sequence[str],
        run: Run,
        *,
        window_s: float | None = None,
        top: int | None = None,
        raw: Raw | None = None,
    ) -> Stream[SoundLabels]:
        """Give sounds the labels of a classifier, whole or window by window; raises as `transcribe`."""
        if window_s is not None and not 0.1 <= window_s <= 60:
            raise Invalid(f"--window is 0.1 to 60 seconds, not {window_s}")
        if top is not None and top < 1:
            raise Invalid("--top needs a number of at least 1")

        def found(opened: Opened, sound: Sound) -> Iterator[SoundLabels]:
            return labelled(opened, sound, window_s, top)

        return self._of_each("audio-classify", files, run, raw, found, "ipfs-accel infer audio classify bell.wav")

    def process(
        self,
        file: str | None,
        steps: Steps,
        *,
        output: Path | None,
        form: str | None = None,
        spectrogram: Path | None = None,
        raw: Raw | None = None,
        force: bool = False,
    ) -> Processed:
        """Make a sound ready and write it, or draw it; raises as `transcribe`, and Conflict."""
        if output is None and spectrogram is None:
            raise Invalid("there is nothing to write: give --output or --spectrogram")
        if spectrogram is not None and spectrogram.suffix.lower() != ".png":
            raise Invalid(f"--spectrogram is drawn as PNG, and {spectrogram.name!r} does not end so")
        if output is not None and output == spectrogram:
            raise Invalid("--output and --spectrogram go into two files")
        steps.check()
        name = sources([file] if file else [], "ipfs-accel infer audio process talk.mp3 -o talk.wav")
        paths = [None if path is None else current().path(path) for path in (output, spectrogram)]
        for path in paths:
            if path is not None:
                subtitles.refuse_present(path, force=force)
        out, drawing = paths
        kind = None if out is None else encoding.form_of(out, form)

        def made(sound: Sound) -> Iterator[Processed]:
            done = processing.process(sound, steps, out, kind, drawing)
            yield Processed(
                path=None if output is None else str(output),
                spectrogram=None if spectrogram is None else str(spectrogram),
                seconds=round(done.frames / done.rate, 3),
                rate=done.rate,
                channels=done.channels,
                format=kind.name if kind else sound.format,
                peak=round(done.peak, 4),
                clipped_samples=done.clipped,
            )

        (result,) = each(name, raw, made)
        return result

    def _of_each(
        self,
        task: str,
        files: Sequence[str],
        run: Run,
        raw: Raw | None,
        answers: Callable[[Opened, Sound], Iterator[T]],
        example: str,
    ) -> Stream[T]:
        names = sources(files, example)
        loadable = self._opener.find(run.model, task)

        def answered() -> Iterator[T]:
            with self._open(loadable, task, run) as opened:
                yield from each(names, raw, lambda sound: answers(opened, sound))

        return Stream(answered())

    def _open(self, model: Loadable, task: str, run: Run) -> AbstractContextManager[Opened]:
        return self._opener.open(model, task, run.engine, run.device)

    def _voice_model(self, name: str | None) -> Loadable | None:
        """Return what finds silences; where nobody named one and there is none, it is told how windows are cut."""
        if name == NO_VOICE_MODEL:
            return None
        try:
            return self._opener.find(name, "voice-detect")
        except NotFound as error:
            if name is not None:
                raise
            log.warning("no model finds silences here, so long sounds are cut at quiet moments: %s", error.suggestion)
            return None

    @contextmanager
    def _listening(self, model: Loadable | None) -> Iterator[Opened | None]:
        with nullcontext() if model is None else self._open(model, "voice-detect", Run()) as opened:
            yield opened


def _voice(sound: Sound, start: int, end: int, probability: float) -> Voice:
    return Voice(
        file=sound.name,
        start_s=round(start / RATE, 3),
        end_s=round(end / RATE, 3),
        seconds=round((end - start) / RATE, 3),
        probability=round(probability, 3),
    )
