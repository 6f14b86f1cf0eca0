"""Speech of any length into text: window by window, each handed over as it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.engines.exchange.audio import Segment, TranscribeOptions, Transcript, Waveform
from ipfs_accel_cli.services.infer.audio.listening import RATE, chances
from ipfs_accel_cli.services.infer.audio.reading import Sound, heard
from ipfs_accel_cli.services.infer.audio.results import SpokenWord, Utterance
from ipfs_accel_cli.services.infer.audio.resuming import from_sample, resume
from ipfs_accel_cli.services.infer.audio.windows import Cutter, Window
from ipfs_accel_cli.services.infer.opening import Opened
from ipfs_accel_cli.tasks.transcribe import Transcribe

# What is left of a window after the model stopped early; a shorter rest holds no word.
_LEAST_REST_S = 0.5


@dataclass(frozen=True, slots=True)
class Writer:
    """A loaded model that writes speech down, and one that finds the silences, if there is such."""

    model: Opened
    voice: Opened | None
    options: TranscribeOptions

    def utterances(self, sound: Sound) -> Iterator[Utterance]:
        """Yield what is spoken, in order, in constant memory."""
        call = current()
        for window in Cutter().windows(chances(self.voice, heard(sound, RATE))):
            call.progress(round(window.start / RATE, 1), round(sound.seconds, 1), f"seconds of {sound.name}")
            for transcript, start in self._heard(window):
                for segment in transcript.segments:
                    yield _utterance(sound.name, segment, start, transcript.language)
        call.progress(round(sound.seconds, 1), round(sound.seconds, 1), f"seconds of {sound.name}")

    def _heard(self, window: Window) -> Iterator[tuple[Transcript, float]]:
        """Yield what a window holds and where that begins in seconds; what the model left out it hears again."""
        task, samples, start = Transcribe(), window.samples, window.start
        # Without a voice model nobody knows whether what was left out is speech.
        speech = window.speech if self.voice is not None else ()
        while len(samples) >= _LEAST_REST_S * RATE or start == window.start:
            transcript = self.model.answer(task, task.prepare(Waveform(samples, RATE), self.options))
            yield transcript, start / RATE
            if not transcript.segments or self.options.timestamps == "none":
                return
            at = resume(speech, int(transcript.segments[-1].end_s * RATE), complete=transcript.complete)
            if at is None or not 0 < at < len(samples):
                return
            samples, start, speech = samples[at:], start + at, from_sample(speech, at)


def _utterance(name: str, segment: Segment, start: float, language: str) -> Utterance:
    words = [
        SpokenWord(text=word.text, start_s=round(start + word.start_s, 3), end_s=round(start + word.end_s, 3))
        for word in segment.words
    ]
    return Utterance(
        file=name,
        start_s=round(start + segment.start_s, 3),
        end_s=round(start + segment.end_s, 3),
        text=segment.text,
        language=language,
        words=words or None,
    )
