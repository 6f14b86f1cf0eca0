"""Speech with Kokoro's graph: phonemes and a style in, a waveform out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import Invalid, MalformedContent
from ipfs_accel_cli.engines.base import ModelFacts, Plan, Session
from ipfs_accel_cli.engines.exchange.audio import Script, SpeakOptions, Spoken, Waveform
from ipfs_accel_cli.engines.onnx.running import open_session, running
from ipfs_accel_cli.engines.phonemes import phonemes
from ipfs_accel_cli.engines.stepwise import StepwiseSession, Work

RATE = 24_000
_Floats = NDArray[numpy.float32]
# What eSpeak NG writes, longest first, in the letters that Kokoro was trained on; those of its own phonemizer, misaki
# (Apache-2.0), for American English.
_LETTERS = {
    "ʔˌn̩": "tn", "ʔn̩": "tn", "ʔn": "tn", "ʔ": "t", "a^ɪ": "I", "a^ʊ": "W", "d^ʒ": "ʤ", "e^ɪ": "A", "e": "A",
    "t^ʃ": "ʧ", "ɔ^ɪ": "Y", "ə^l": "ᵊl", "ʲo": "jo", "ʲə": "jə", "ʲ": "", "ɚ": "əɹ", "r": "ɹ", "x": "k", "ç": "k",
    "ɐ": "ə", "ɬ": "l", "̃": "", "o^ʊ": "O", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "ː": "", "o": "ɔ",
}  # fmt: skip
_SYLLABIC = re.compile("(\\S)̩")
_ORDERED = re.compile("|".join(sorted((re.escape(key) for key in _LETTERS), key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class Kokoro:
    """A loaded graph; `voices` gives for each voice a style by the number of tokens, shape (longest, 1, 256)."""

    name: str
    graph: Any
    vocabulary: Mapping[str, int]
    voices: Mapping[str, _Floats]
    language: str
    voice: str

    def begin(self, script: Script, options: SpeakOptions) -> Iterable[Work]:
        """Return what speaks a sentence: in several pieces where it is longer than the model says at once."""
        voice = options.voice or self.voice
        styles = self.voices.get(voice)
        if styles is None:
            raise Invalid(f"{self.name} has no voice {voice!r}; it has {', '.join(self.voices)}")
        said = letters(phonemes(script.text, self.language))
        pieces = list(split("".join(letter for letter in said if letter in self.vocabulary), len(styles)))
        if not pieces:
            raise Invalid(f"there is nothing to say in {script.text[:60]!r}")
        return [partial(self._speak, piece, voice, styles, options.speed) for piece in pieces]

    def _speak(self, piece: str, voice: str, styles: _Floats, speed: float) -> Spoken:
        tokens = [self.vocabulary[letter] for letter in piece]
        feed = {
            "tokens": numpy.array([[0, *tokens, 0]], numpy.int64),
            "style": styles[len(tokens) - 1],
            "speed": numpy.array([speed], numpy.float32),
        }
        with running(self.name):
            samples = self.graph.run(None, feed)[0].reshape(-1)
        if not numpy.isfinite(samples).all():
            raise MalformedContent(f"{self.name} speaks what is no sound; its weights are damaged")
        return Spoken(Waveform(samples, RATE), voice)


def load(model: ModelFacts, files: Path, plan: Plan) -> Session:
    """Load the graph, the letters and the voices; raises as `Engine.load`."""
    try:
        said = json.loads((files / "vocab.json").read_bytes())
        vocabulary = said.get("vocab", said)
        config = json.loads((files / "config.json").read_bytes())
        with numpy.load(next(files.glob("voices*.npz")), allow_pickle=False) as archive:
            voices = {name: archive[name] for name in sorted(archive.files)}
        right = all(styles.ndim == 3 and styles.shape[1:] == (1, 256) for styles in voices.values())
    except (OSError, ValueError, StopIteration, AttributeError) as error:
        raise MalformedContent(f"{model.name} lacks its letters or its voices: {error}") from error
    if not right or not voices:
        raise MalformedContent(f"{model.name}: the voices are not of the shape that Kokoro has")
    graph = open_session(plan.derived or files / "model.onnx", plan.threads, model.name)
    voice = str(config.get("voice") or next(iter(voices)))
    kokoro = Kokoro(model.name, graph, vocabulary, voices, str(config.get("language", "en-us")), voice)
    return StepwiseSession(model.name, "speak", (Script, SpeakOptions), kokoro.begin)


def letters(said: str) -> str:
    """Return phonemes of eSpeak NG in the letters of Kokoro."""
    return _ORDERED.sub(lambda found: _LETTERS[found[0]], _SYLLABIC.sub(r"ᵊ\1", said)).replace("^", "")


def split(said: str, longest: int) -> Iterator[str]:
    """Yield pieces of at most so many letters, none empty, ended at a mark if there is one, else between words."""
    rest = said.strip()
    while len(rest) > longest:
        head = rest[:longest]
        at = max((head.rfind(mark) + len(mark) for mark in (", ", "; ", ": ", ". ") if mark in head), default=0)
        at = at or head.rfind(" ") + 1 or longest
        yield rest[:at].strip()
        rest = rest[at:].strip()
    if rest:
        yield rest
