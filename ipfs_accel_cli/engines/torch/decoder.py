"""Sessions of decoders: one token a step for every request, or one window of a text that is scored."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines.base import Chunk, Device, ModelFacts, Plan, Request, RequestId
from ipfs_accel_cli.engines.chatting import check_room, token_ids
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, ScoreOptions
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.adapters import apply
from ipfs_accel_cli.engines.torch.allocator import return_large_blocks
from ipfs_accel_cli.engines.torch.constrain import constraint
from ipfs_accel_cli.engines.torch.decoding.batch import READ_TOKENS, Batch, Network, together
from ipfs_accel_cli.engines.torch.decoding.columns import Own
from ipfs_accel_cli.engines.torch.decoding.company import columns_unfit, company_differs, company_unfit
from ipfs_accel_cli.engines.torch.decoding.compiled import Compiled, check_compiler
from ipfs_accel_cli.engines.torch.decoding.continuation import Continuation
from ipfs_accel_cli.engines.torch.decoding.layout import lay_out
from ipfs_accel_cli.engines.torch.memory import WORKING_BYTES, check_cache, needed_bytes, short
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.scoring import Scoring
from ipfs_accel_cli.engines.torch.weights import load_model

# Rows of one pass: beyond it a pass takes longer for each request than it saves for all.
MOST_ROWS = 32


class DecoderSession:
    """One loaded decoder. Requests come and go; those that are here share each pass of the network.

    An architecture that would answer otherwise in company gets a cache and a pass for each request: `apart` says why.
    That is told from what it keeps of the past and, when the first two requests meet, tried.
    """

    slots = MOST_ROWS

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        device: torch.device,
        name: str,
        *,
        compiled: bool = False,
    ) -> None:
        lay_out(model)
        self._tokenizer: Any = tokenizer
        self._name = name
        self._network = Network(model, device, name, Compiled(model, name) if compiled else None)
        self._context = getattr(model.config, "max_position_embeddings", None)
        self._ends = _end_tokens(model, tokenizer)
        self._foreign = bool(columns_unfit(model))
        alone = "it is compiled for one request at a time" if compiled else ""
        self.apart = alone or columns_unfit(model) or company_unfit(self._network)
        self._tried = False
        self._waiting: deque[Continuation] = deque()
        self._batches: list[Batch] = []
        self._scoring = Scoring(model, tokenizer, device, name)

    def about(self) -> Mapping[str, str]:
        """Say how requests that are here at the same time are answered."""
        return {"concurrency": f"apart: {self.apart}" if self.apart else "together"}

    def submit(self, request: Request) -> None:
        """Tokenize a prompt, a conversation, or texts to score; raise Invalid for what leaves no room or no start."""
        if isinstance(request.options, ScoreOptions):
            self._scoring.submit(request)
            return
        if not isinstance(request.options, GenerateOptions):
            raise Invalid(f"{self._name} was loaded to generate text, not to {request.kind}")
        ids = token_ids(self._tokenizer, request, self._name)
        check_room(len(ids), request.options.max_tokens, self._context, self._name)
        self._check_room(len(ids) + request.options.max_tokens)
        held = constraint(self._tokenizer, request.options.schema, self._ends)
        self._waiting.append(Continuation.of(request.id, request.options, ids, self._decode, held))

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Make one token for each request, read a part of the prompts that wait, and one window of what is scored."""
        done = list(self._scoring.step())
        with torch.inference_mode(), computing(self._name):
            for batch in [one for one in self._batches if not one.reading]:
                done += self._told(batch, batch.write())
            self._take_on()
            for batch in [one for one in self._batches if one.reading]:
                done += self._told(batch, batch.read())
            self._merge()
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request and what is kept of it."""
        self._scoring.abort(request)
        self._waiting = deque(one for one in self._waiting if one.request != request)
        for batch in list(self._batches):
            for row in [row for row in batch.rows if row.request == request]:
                # A prompt that is being read is let go of at the end of the part.
                row.gone = True
                if not batch.reading:
                    self._drop(batch, row)

    def close(self) -> None:
        """Let go of the weights and caches."""
        self._waiting.clear()
        self._batches.clear()
        self._scoring.close()
        self._network.model = self._network.compiled = None

    def _check_room(self, tokens: int) -> None:
        """Raise DoesNotFit where what is to be kept of a request is more than the main memory that is free."""
        model = self._network.model
        if self._network.device.type == "cpu":
            check_cache(self._name, model.config, tokens, model.dtype)

    def _take_on(self) -> None:
        """Begin to read prompts that wait: as many short ones as a pass holds, or one long one."""
        if self.apart:
            while self._waiting:
                self._batches.append(self._alone(self._waiting.popleft()))
            return
        held = sum(len(batch.rows) for batch in self._batches)
        if not self._waiting or held >= MOST_ROWS or any(batch.reading for batch in self._batches):
            return
        if not self._tried and held + len(self._waiting) > 1:
            self._tried = True
            self.apart = company_differs(self._network, self._waiting[0].prompt)
            if self.apart:
                self._take_on()
                return
        rows: list[Continuation] = [self._waiting.popleft()]
        longest = len(rows[0].prompt)
        while self._waiting and held + len(rows) < MOST_ROWS:
            longest = max(longest, len(self._waiting[0].prompt))
            if longest * (len(rows) + 1) > READ_TOKENS:
                break
            rows.append(self._waiting.popleft())
        self._batches.append(together(self._network, rows))

    def _alone(self, row: Continuation) -> Batch:
        if self._network.compiled is not None:
            memory = self._network.compiled.take(len(row.prompt) + row.options.max_tokens)
            return Batch(self._network, [row], memory)
        return Batch(self._network, [row], Own(None)) if self._foreign else together(self._network, [row])

    def _told(self, batch: Batch, tokens: Sequence[int]) -> Iterator[tuple[RequestId, Chunk]]:
        """Yield what the new tokens of a batch mean to those who wait for them."""
        if not tokens:
            here = [row for row in batch.rows if not row.gone]
            yield from ((row.request, Chunk(row.waiting())) for row in here)
            if not here:
                self._batches.remove(batch)
            return
        for row, token in zip(list(batch.rows), tokens, strict=True):
            if row.problem is not None and not row.gone:
                row.gone = True
                yield row.request, Chunk(row.problem, finished=True)
            elif not row.gone:
                piece = row.take(token, ended=token in self._ends)
                row.gone = piece.finish_reason is not None
                yield row.request, Chunk(piece, finished=row.gone)
            if row.gone:
                self._drop(batch, row)

    def _drop(self, batch: Batch, row: Continuation) -> None:
        with torch.inference_mode():
            batch.drop(row)
        if not batch.rows:
            self._batches.remove(batch)

    def _merge(self) -> None:
        """Let all that write share a pass."""
        if self.apart:
            return
        writing = [batch for batch in self._batches if not batch.reading]
        for batch in writing[1:]:
            writing[0].absorb(batch)
            self._batches.remove(batch)

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> DecoderSession:
    """Load a decoder; raises as `Engine.load`."""
    return_large_blocks()
    if plan.compiled:
        check_compiler()
    spread = short(model, plan, device)
    if device.name == "cpu":
        _check_answer(model, files, plan, spread=spread)
    decoder = writer(model, files, plan, spread=spread)
    for adapter in plan.adapters:
        apply(decoder, model, adapter)
    on = torch.device(device.name)
    return DecoderSession(decoder, load_tokenizer(files), on, model.name, compiled=plan.compiled)


def _check_answer(model: ModelFacts, files: Path, plan: Plan, *, spread: bool) -> None:
    """Raise DoesNotFit for an answer that cannot be kept beside the weights, before these are loaded."""
    config = AutoConfig.from_pretrained(files, local_files_only=True, trust_remote_code=False)
    context = getattr(config, "max_position_embeddings", None)
    # What the model cannot read is refused as such, and what lies on disk takes no memory.
    if context is None or plan.tokens <= context:
        weights = 0 if spread else needed_bytes(model) - WORKING_BYTES
        check_cache(model.name, config, plan.tokens, getattr(torch, plan.dtype), weights, plan.memory_bytes)


def writer(model: ModelFacts, files: Path, plan: Plan, *, spread: bool) -> Any:
    """Load the network of a decoder with its head; raises as `Engine.load`."""
    config = AutoConfig.from_pretrained(files, local_files_only=True, trust_remote_code=False)
    head = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(config.model_type)
    # Loading another architecture of the same family would leave its missing head to chance.
    if head is None or (config.architectures and head not in config.architectures):
        raise UnsupportedContent(
            f"{model.name} cannot generate text: {', '.join(config.architectures or ['it'])} has no head for it"
        )
    return load_model(AutoModelForCausalLM, files, plan, spread=spread)


def _end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    for source in (getattr(model, "generation_config", None), model.config, tokenizer):
        ends = getattr(source, "eos_token_id", None)
        if ends is not None:
            return frozenset([ends] if isinstance(ends, int) else ends)
    return frozenset()
