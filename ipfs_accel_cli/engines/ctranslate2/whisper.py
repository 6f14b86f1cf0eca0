"""Whisper on CTranslate2: the windows that wait for the same kind of answer go through the network at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ctranslate2
import numpy

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.ctranslate2.mel import RATE, WINDOW_S, features
from ipfs_accel_cli.engines.exchange.audio import Segment, TranscribeOptions, Transcript, Waveform, Word
from ipfs_accel_cli.engines.timestamps import STEP_S, Span, plain, spans, word_end

# Windows in one pass: more takes memory and gains nothing on a processor.
AT_ONCE = 4
_LONGEST = 448
_MEDIAN_FRAMES = 7
_HEARD_A_SECOND = 100


class WhisperSession:
    """One loaded Whisper. A step answers up to four requests as a whole."""

    def __init__(self, name: str, model: Any, tokenizer: Any) -> None:
        self._name, self._model, self._tokenizer = name, model, tokenizer
        self._token = tokenizer.token_to_id
        self._silent = self._need("<|notimestamps|>")
        self._first, self._end = self._silent + 1, self._need("<|endoftext|>")
        self._start = self._need("<|startoftranscript|>")
        self._many, self._bands = bool(model.is_multilingual), int(model.n_mels)
        self._active: dict[RequestId, tuple[Waveform, TranscribeOptions]] = {}

    def submit(self, request: Request) -> None:
        """Take a window of sound on; raises Invalid for one too long, at another rate, or for another language."""
        waveform, options = request.payload, request.options
        if not isinstance(waveform, Waveform) or not isinstance(options, TranscribeOptions):
            raise Invalid(f"{self._name} was loaded to transcribe, not to {request.kind}")
        if waveform.rate != RATE:
            raise Invalid(f"{self._name} hears sound of {RATE} samples a second")
        if not len(waveform.samples) or waveform.seconds > WINDOW_S:
            raise Invalid(f"{self._name} hears up to {WINDOW_S} s at once, not {waveform.seconds:.1f} s")
        known = options.language == "en" if not self._many else self._token(f"<|{options.language}|>") is not None
        if options.language and not known:
            others = "many others" if self._many else "English only"
            raise Invalid(f"{self._name} does not know the language {options.language!r}, but {others}")
        if options.task == "translate" and not self._many:
            raise Invalid(f"{self._name} understands English only, so it cannot translate")
        self._active[request.id] = (waveform, options)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Answer the requests that were asked alike and have waited longest; of the others say that they wait."""
        if not self._active:
            return []
        first = next(iter(self._active.values()))[1]
        taken = [request for request, (_, options) in self._active.items() if options == first][:AT_ONCE]
        waveforms = [self._active.pop(request)[0] for request in taken]
        answers = self._answer(waveforms, first)
        done = [(request, Chunk(answer, finished=True)) for request, answer in zip(taken, answers, strict=True)]
        return [*done, *((request, Chunk(None)) for request in self._active)]

    def abort(self, request: RequestId) -> None:
        """Forget a request that waits."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._model = None

    def _answer(self, waveforms: Sequence[Waveform], options: TranscribeOptions) -> list[Transcript]:
        if self._model is None:
            raise Invalid(f"{self._name} was closed")
        heard = numpy.stack([features(waveform.samples, self._bands) for waveform in waveforms])
        encoded = self._model.encode(ctranslate2.StorageView.from_array(heard))
        languages = self._languages(encoded, options, len(waveforms))
        prompts = [self._prompt(language, options) for language in languages]
        if options.temperature > 0:
            # It draws from one generator for all; what is asked for again must come again.
            ctranslate2.set_random_seed(options.seed & 0x7FFFFFFF)
        results = self._model.generate(
            encoded,
            prompts,
            beam_size=1,
            max_length=_LONGEST,
            sampling_temperature=options.temperature or 1.0,
            sampling_topk=0 if options.temperature else 1,
            return_scores=True,
        )
        found = []
        for at, result in enumerate(results):
            tokens = [int(token) for token in result.sequences_ids[0] if token != self._end]
            ended = len(prompts[at]) + len(tokens) < _LONGEST
            written = (waveforms[at], languages[at], tokens, result.scores[0])
            found.append(self._transcript(encoded, at, prompts[at], written, options, ended=ended))
        return found

    def _transcript(
        self,
        encoded: Any,
        at: int,
        prompt: list[int],
        written: tuple[Waveform, str, list[int], float],
        options: TranscribeOptions,
        *,
        ended: bool,
    ) -> Transcript:
        waveform, language, tokens, score = written
        seconds = waveform.seconds
        if options.timestamps == "none":
            found, complete = [Span(tuple(tokens), 0.0, seconds)] if tokens else [], ended
        else:
            found, complete = spans(tokens, self._first, seconds, ended=ended)
        words = self._words(encoded, at, found, waveform, prompt) if options.timestamps == "word" and found else []
        segments = [
            Segment(text, round(span.start_s, 3), round(span.end_s, 3), words[place] if words else ())
            for place, span in enumerate(found)
            if (text := plain(span.tokens, self._first, self._decode))
        ]
        return Transcript(tuple(segments), language, len(tokens), complete, float(score))

    def _words(
        self, encoded: Any, at: int, found: Sequence[Span], waveform: Waveform, prompt: list[int]
    ) -> list[tuple[Word, ...]]:
        """Return the words of each span, found in the attention that the decoder pays to the sound."""
        if encoded.shape[0] > 1:
            one = numpy.stack([features(waveform.samples, self._bands)])
            encoded = self._model.encode(ctranslate2.StorageView.from_array(one))
        tokens = [token for span in found for token in span.tokens]
        frames = max(1, int(waveform.seconds * _HEARD_A_SECOND))
        (aligned,) = self._model.align(encoded, prompt, [tokens], min(frames, 3000), median_filter_width=_MEDIAN_FRAMES)
        begins: dict[int, int] = {}
        for token, frame in aligned.alignments:
            begins.setdefault(token, frame)
        last = aligned.alignments[-1][1] + 1 if aligned.alignments else 0

        def time(place: int) -> float:
            return round(min(waveform.seconds, begins.get(place, last) * STEP_S), 3)

        words, place = [], 0
        for span in found:
            groups = _grouped([self._decode([token]) for token in span.tokens])
            words.append(
                tuple(
                    Word(self._decode([span.tokens[one] for one in group]).strip(), start, word_end(span, start, end))
                    for group in groups
                    for start, end in [(time(place + group[0]), time(place + group[-1] + 1))]
                )
            )
            place += len(span.tokens)
        return words

    def _languages(self, encoded: Any, options: TranscribeOptions, count: int) -> list[str]:
        if not self._many:
            return ["en"] * count
        if options.language:
            return [options.language] * count
        return [found[0][0].strip("<|>") for found in self._model.detect_language(encoded)]

    def _prompt(self, language: str, options: TranscribeOptions) -> list[int]:
        prompt = [self._start]
        if self._many:
            prompt += [self._need(f"<|{language}|>"), self._need(f"<|{options.task}|>")]
        return [*prompt, self._silent] if options.timestamps == "none" else prompt

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(tokens), skip_special_tokens=True)
        return text

    def _need(self, token: str) -> int:
        found = self._token(token)
        if found is None:
            raise UnsupportedContent(f"the tokenizer of {self._name} has no {token}")
        return int(found)


def _grouped(texts: Sequence[str]) -> list[list[int]]:
    """Return the tokens of each word, by their places: a word begins with a space."""
    found: list[list[int]] = []
    for at, text in enumerate(texts):
        if not found or text.startswith(" "):
            found.append([])
        found[-1].append(at)
    return found
