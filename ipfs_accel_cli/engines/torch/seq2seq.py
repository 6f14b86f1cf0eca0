"""Writing one text from another on torch, for encoder-decoders such as T5, BART, Marian and NLLB."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForSeq2SeqLM
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES

from ipfs_accel_cli.core.errors import Invalid, MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Chunk, Device, ModelFacts, Plan, Request, RequestId
from ipfs_accel_cli.engines.encoder import longest
from ipfs_accel_cli.engines.exchange.text import FinishReason, GenerateOptions, RewriteOptions, Rewritten, Texts
from ipfs_accel_cli.engines.languages import Languages, Way, read_languages, summary_prefix
from ipfs_accel_cli.engines.text import Detokenizer
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.beams import likeliest
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.rules import rules_of
from ipfs_accel_cli.engines.torch.sampling import choose
from ipfs_accel_cli.engines.torch.weights import load_model


@dataclass(slots=True)
class _Batch:
    """Texts that are written side by side; `ended` tells which of the rows have come to their end."""

    positions: tuple[int, ...]
    encoded: Any
    mask: Tensor
    ids: Tensor
    rules: Any
    texts: list[Detokenizer]
    generators: list[torch.Generator]
    counts: list[int]
    ended: list[bool]
    cache: Any = None


@dataclass(slots=True)
class _Work:
    """One request: the positions still to begin, the longest text first, and the batch that is being written."""

    options: RewriteOptions
    rows: list[list[int]]
    cut: list[bool]
    first: int | None
    positions: deque[int]
    batch: _Batch | None = None


class Seq2SeqSession:
    """One loaded encoder-decoder. A step writes a token of each text in a batch, or with beams the whole batch."""

    def __init__(
        self, model: Any, tokenizer: Any, languages: Languages, prefix: str, device: torch.device, name: str, task: str
    ) -> None:
        self._model, self._tokenizer, self._languages, self._prefix = model, tokenizer, languages, prefix
        self._device, self._name, self._task = device, name, task
        config, said = model.config, model.generation_config
        self._start = _first_of(said.decoder_start_token_id, config.decoder_start_token_id, said.bos_token_id)
        ends = _first_of(said.eos_token_id, config.eos_token_id, tokenizer.eos_token_id)
        self._ends = frozenset([ends] if isinstance(ends, int) else ends or ())
        self._pad = _first_of(config.pad_token_id, tokenizer.pad_token_id, 0)
        self._room = getattr(config, "max_position_embeddings", None)
        self._reads = longest(None, self._room or getattr(config, "n_positions", None), tokenizer)
        self._active: dict[RequestId, _Work] = {}

    def submit(self, request: Request) -> None:
        """Tokenize the texts; raise Invalid for a language that the model does not have."""
        texts, options = request.payload, request.options
        if not isinstance(texts, Texts) or not isinstance(options, RewriteOptions) or request.kind != self._task:
            raise Invalid(f"{self._name} was loaded to {self._task} texts, not to {request.kind}")
        if self._room is not None and options.max_tokens >= self._room:
            options = replace(options, max_tokens=self._room - 1)
        way = self._way(options)
        if way.source:
            self._tokenizer.src_lang = way.source
        given = [way.prefix + text for text in texts.texts]
        encoded = self._tokenizer(given, truncation=self._reads is not None, max_length=self._reads)
        rows = [list(row) or [self._pad] for row in encoded["input_ids"]]
        full = [len(row) == self._reads for row in rows]
        if encoded.encodings:
            full = [one and bool(encoded.encodings[at].overflowing) for at, one in enumerate(full)]
        order = sorted(range(len(rows)), key=lambda position: -len(rows[position]))
        first = self._tokenizer.convert_tokens_to_ids(way.first) if way.first else None
        self._active[request.id] = _Work(options, rows, full, first, deque(order))

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Move every request on by a token, or with beams by a batch."""
        done: list[tuple[RequestId, Chunk]] = []
        for request, work in list(self._active.items()):
            with torch.inference_mode(), computing(self._name):
                pieces = self._searched(work) if work.options.beams > 1 else self._moved(work)
            over = work.batch is None and not work.positions
            if over:
                del self._active[request]
            done += [(request, Chunk(piece, finished=over and piece is pieces[-1])) for piece in pieces]
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request and its cache."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights and caches."""
        self._active.clear()
        self._model = None

    def _way(self, options: RewriteOptions) -> Way:
        if self._task == "summarize":
            return Way(prefix=self._prefix)
        return self._languages.way(self._name, options.source, options.target)

    def _begun(self, work: _Work) -> _Batch:
        """Read the next texts of a request."""
        if self._model is None:
            raise Invalid(f"{self._name} was closed")
        options = work.options
        taken = tuple(work.positions.popleft() for _ in range(min(options.batch, len(work.positions))))
        rows = [work.rows[at] for at in taken]
        width = max(map(len, rows))
        ids = torch.tensor([row + [self._pad] * (width - len(row)) for row in rows], device=self._device)
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=self._device)
        return _Batch(
            taken,
            self._model.get_encoder()(input_ids=ids, attention_mask=mask),
            mask,
            torch.full((len(taken), 1), self._start, device=self._device),
            rules_of(self._model.generation_config, self._ends, work.first, options.max_tokens + 1, self._device),
            [Detokenizer(self._decode, ()) for _ in taken],
            # A seed for each text, so that what is drawn does not depend on the company.
            [torch.Generator().manual_seed((options.seed + at) % (1 << 63)) for at in taken],
            [0] * len(taken),
            [False] * len(taken),
        )

    def _moved(self, work: _Work) -> list[Rewritten]:
        """Write one token of each text of the batch."""
        batch = work.batch = work.batch or self._begun(work)
        output = self._model(
            encoder_outputs=batch.encoded,
            attention_mask=batch.mask,
            decoder_input_ids=batch.ids if batch.cache is None else batch.ids[:, -1:],
            past_key_values=batch.cache,
            use_cache=True,
        )
        batch.cache = output.past_key_values
        scores = self._sound(batch.rules(batch.ids, output.logits[:, -1].float()))
        drawing = GenerateOptions(temperature=work.options.temperature)
        tokens = [
            self._pad if batch.ended[at] else choose(scores[at], drawing, batch.generators[at])
            for at in range(len(batch.positions))
        ]
        batch.ids = torch.cat([batch.ids, torch.tensor(tokens, device=self._device).unsqueeze(1)], dim=1)
        pieces = [self._piece(work, batch, at, token) for at, token in enumerate(tokens) if not batch.ended[at]]
        if all(batch.ended):
            work.batch = None
        return pieces

    def _piece(self, work: _Work, batch: _Batch, at: int, token: int) -> Rewritten:
        ended = token in self._ends
        batch.counts[at] += not ended
        full = batch.counts[at] >= work.options.max_tokens
        text = "" if ended else batch.texts[at].feed(token)
        batch.ended[at] = ended or full
        if batch.ended[at]:
            text += batch.texts[at].flush()
        reason: FinishReason | None = "stop" if ended else "length" if full else None
        return self._said(work, batch.positions[at], text, batch.counts[at], reason)

    def _searched(self, work: _Work) -> list[Rewritten]:
        """Write a whole batch, the likeliest texts that beams find."""
        batch = self._begun(work)
        found = likeliest(self._model, batch.encoded, batch.mask, self._start, self._ends, batch.rules, work.options)
        pieces = []
        for position, tokens in zip(batch.positions, found, strict=True):
            ended = bool(tokens) and tokens[-1] in self._ends
            kept = tokens[:-1] if ended else tokens
            reason: FinishReason = "stop" if ended else "length"
            text = self._decode(kept)
            # The bytes of the last character did not all come.
            text = text if ended else text.rstrip("\ufffd")
            pieces.append(self._said(work, position, text, len(kept), reason))
        return pieces

    def _said(self, work: _Work, position: int, text: str, tokens: int, reason: FinishReason | None) -> Rewritten:
        return Rewritten(position, text, tokens, len(work.rows[position]), work.cut[position], reason)

    def _sound(self, scores: Tensor) -> Tensor:
        if scores.isnan().any():
            raise MalformedContent(f"{self._name} answers with values that are no numbers; its weights are damaged")
        return scores

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> Seq2SeqSession:
    """Load an encoder-decoder; raises as `Engine.load`."""
    config = AutoConfig.from_pretrained(files, local_files_only=True, trust_remote_code=False)
    head = MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES.get(config.model_type)
    # Loading another architecture of the same family would leave its missing head to chance.
    if head is None or (config.architectures and head not in config.architectures):
        raise UnsupportedContent(f"{model.name} cannot {plan.task}: {', '.join(config.architectures or ['it'])}")
    network = load_model(AutoModelForSeq2SeqLM, files, plan, spread=short(model, plan, device))
    tokenizer = load_tokenizer(files)
    special = [*tokenizer.get_added_vocab(), *tokenizer.all_special_tokens]
    special += getattr(tokenizer, "supported_language_codes", ())
    languages, where = read_languages(files, special), torch.device(device.name)
    return Seq2SeqSession(network, tokenizer, languages, summary_prefix(files), where, model.name, plan.task)


def _first_of(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
