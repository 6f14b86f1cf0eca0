"""Whisper on torch: a window of 30 s is heard at once, then written down token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy
import torch
from torch import Tensor
from transformers import WhisperFeatureExtractor
from transformers.generation.logits_process import WhisperTimeStampLogitsProcessor
from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.exchange.audio import Segment, TranscribeOptions, Transcript, Waveform, Word
from ipfs_accel_cli.engines.exchange.text import GenerateOptions
from ipfs_accel_cli.engines.timestamps import STEP_S, Span, plain, spans, word_end
from ipfs_accel_cli.engines.torch.audio import alignment
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.sampling import choose

WINDOW_S = 30
# So many frames of the encoder are one timestamp.
_FRAME_S = STEP_S


@dataclass(slots=True)
class _Writing:
    """One request on its way; `prompt` holds the tokens before the first one that is written."""

    waveform: Waveform
    options: TranscribeOptions
    generator: torch.Generator
    heard: Tensor | None = None
    prompt: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    language: str = ""
    cache: Any = None
    log_probability: float = 0.0


class WhisperSession:
    """One loaded Whisper. A step writes one token for every request."""

    def __init__(
        self, name: str, model: Any, tokenizer: Any, extractor: WhisperFeatureExtractor, device: torch.device
    ) -> None:
        self._name, self._model, self._tokenizer, self._device = name, model, tokenizer, device
        self._extract = extractor
        settings = model.generation_config
        self._settings = settings
        self._silent = settings.no_timestamps_token_id
        self._first = self._silent + 1
        self._end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
        self._multilingual = bool(getattr(settings, "is_multilingual", False))
        self._languages = _languages(tokenizer) if self._multilingual else {"en": 0}
        self._never = _mask(model.config.vocab_size, settings.suppress_tokens, device)
        self._not_first = _mask(model.config.vocab_size, settings.begin_suppress_tokens, device)
        self._active: dict[RequestId, _Writing] = {}

    def submit(self, request: Request) -> None:
        """Take a window of sound on; raises Invalid for one too long, at another rate, or for another language."""
        waveform, options = request.payload, request.options
        if not isinstance(waveform, Waveform) or not isinstance(options, TranscribeOptions):
            raise Invalid(f"{self._name} was loaded to transcribe, not to {request.kind}")
        if waveform.rate != self._extract.sampling_rate:
            raise Invalid(f"{self._name} hears sound of {self._extract.sampling_rate} samples a second")
        if not len(waveform.samples) or waveform.seconds > WINDOW_S:
            raise Invalid(f"{self._name} hears up to {WINDOW_S} s at once, not {waveform.seconds:.1f} s")
        if options.language and options.language not in self._languages:
            known = "English only" if not self._multilingual else f"{len(self._languages)} others"
            raise Invalid(f"{self._name} does not know the language {options.language!r}, but {known}")
        if options.task == "translate" and not self._multilingual:
            raise Invalid(f"{self._name} understands English only, so it cannot translate")
        if options.timestamps == "word" and not self._settings.alignment_heads:
            raise Invalid(f"{self._name} does not say when words are spoken", suggestion="--timestamps segment")
        self._active[request.id] = _Writing(waveform, options, torch.Generator().manual_seed(options.seed))

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Write one token for each request; what is finished comes as a whole."""
        done = []
        for request, writing in list(self._active.items()):
            with torch.inference_mode(), computing(self._name):
                if writing.heard is None:
                    self._begin(writing)
                ended = self._next(writing)
                full = len(writing.prompt) + len(writing.tokens) >= self._model.config.max_target_positions
                if not ended and not full:
                    # Nothing is said before all is: but whoever waits is told that the work goes on.
                    done.append((request, Chunk(None)))
                    continue
                del self._active[request]
                done.append((request, Chunk(self._transcript(writing, ended=ended), finished=True)))
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request and its cache."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._model = None

    def _begin(self, writing: _Writing) -> None:
        if self._model is None:
            raise Invalid(f"{self._name} was closed")
        given = self._extract(
            writing.waveform.samples, sampling_rate=writing.waveform.rate, return_tensors="pt", padding="max_length"
        ).input_features.to(self._device, self._model.dtype)
        writing.heard = self._model.model.encoder(given).last_hidden_state
        start = self._settings.decoder_start_token_id
        writing.prompt = [start]
        if self._multilingual:
            writing.language = writing.options.language or self._language_of(writing.heard, start)
            writing.prompt += [
                self._languages[writing.language],
                self._tokenizer.convert_tokens_to_ids(f"<|{writing.options.task}|>"),
            ]
        else:
            writing.language = "en"
        if writing.options.timestamps == "none":
            writing.prompt.append(self._silent)

    def _language_of(self, heard: Tensor, start: int) -> str:
        logits = self._model(encoder_outputs=(heard,), decoder_input_ids=self._ids([start])).logits[0, -1]
        return max(self._languages, key=lambda code: float(logits[self._languages[code]]))

    def _next(self, writing: _Writing) -> bool:
        """Write a token and say whether the text has ended."""
        pending = writing.tokens[-1:] or writing.prompt
        output = self._model(
            encoder_outputs=(writing.heard,),
            decoder_input_ids=self._ids(pending),
            past_key_values=writing.cache,
            use_cache=True,
        )
        writing.cache = output.past_key_values
        logits = output.logits[0, -1].float() + self._never
        if not writing.tokens:
            logits = logits + self._not_first
        if writing.options.timestamps != "none":
            logits = self._timed(logits, writing)
        else:
            logits[self._first :] = -torch.inf
        token = choose(logits, GenerateOptions(temperature=writing.options.temperature), writing.generator)
        writing.log_probability += float(torch.log_softmax(logits, -1)[token])
        if token == self._end:
            return True
        writing.tokens.append(token)
        return False

    def _timed(self, logits: Tensor, writing: _Writing) -> Tensor:
        """Return the logits with what the order of timestamps forbids left out."""
        rules = WhisperTimeStampLogitsProcessor(self._settings, len(writing.prompt))
        kept: Tensor = rules(self._ids([*writing.prompt, *writing.tokens]), logits[None])[0]
        return kept

    def _transcript(self, writing: _Writing, *, ended: bool) -> Transcript:
        seconds = writing.waveform.seconds
        if writing.options.timestamps == "none":
            found, complete = [Span(tuple(writing.tokens), 0.0, seconds)] if writing.tokens else [], ended
        else:
            found, complete = spans(writing.tokens, self._first, seconds, ended=ended)
        spoken = self._words(writing, found) if writing.options.timestamps == "word" and found else {}
        segments = [
            Segment(text, round(span.start_s, 3), round(span.end_s, 3), spoken.get(at, ()))
            for at, span in enumerate(found)
            if (text := plain(span.tokens, self._first, self._decode))
        ]
        count = len(writing.tokens)
        return Transcript(tuple(segments), writing.language, count, complete, writing.log_probability / (count + 1))

    def _words(self, writing: _Writing, found: Sequence[Span]) -> dict[int, tuple[Word, ...]]:
        """Return the words of each span, found in the attention that the decoder pays to the sound."""
        tokens = [token for span in found for token in span.tokens]
        given = [*writing.prompt, self._silent, *tokens, self._end]
        before = self._model.config._attn_implementation
        self._model.set_attn_implementation("eager")
        try:
            output = self._model(
                encoder_outputs=(writing.heard,), decoder_input_ids=self._ids(given), output_attentions=True
            )
        finally:
            self._model.set_attn_implementation(before)
        heard = min(output.cross_attentions[0].shape[-1], max(1, int(writing.waveform.seconds / _FRAME_S)))
        heads = [output.cross_attentions[layer][0, head] for layer, head in self._settings.alignment_heads]
        # A token is aligned by what the decoder looks at while it reads the one before it.
        skipped = len(writing.prompt)
        weights = torch.stack(heads)[:, skipped:-1, :heard].float()
        starts = alignment.begins(*alignment.path(weights), len(tokens))
        times = [round(frame * _FRAME_S, 3) for frame in starts]
        words: dict[int, tuple[Word, ...]] = {}
        place = 0
        for at, span in enumerate(found):
            texts = [self._decode([token]) for token in span.tokens]
            words[at] = tuple(
                Word(
                    "".join(self._decode([span.tokens[one] for one in group])).strip(),
                    start,
                    word_end(span, start, end),
                )
                for group in alignment.words(texts)
                for start, end in [(times[place + group[0]], times[place + group[-1] + 1])]
            )
            place += len(span.tokens)
        return words

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _ids(self, tokens: Sequence[int]) -> Tensor:
        return torch.tensor([list(tokens)], device=self._device)


def _languages(tokenizer: Any) -> dict[str, int]:
    known = ((code, tokenizer.convert_tokens_to_ids(f"<|{code}|>")) for code in sorted(set(TO_LANGUAGE_CODE.values())))
    return {code: token for code, token in known if token is not None and token != tokenizer.unk_token_id}


def _mask(size: int, tokens: Sequence[int] | None, device: torch.device) -> Tensor:
    mask = numpy.zeros(size, numpy.float32)
    mask[[token for token in tokens or () if 0 <= token < size]] = -numpy.inf
    return torch.from_numpy(mask).to(device)
