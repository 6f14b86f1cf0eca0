"""Sessions of decoders: one token a step for every request, or one window of a text that is scored."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines.base import Chunk, Device, ModelFacts, Plan, Request, RequestId
from ipfs_accel_cli.engines.chatting import check_room, token_ids
from ipfs_accel_cli.engines.exchange.text import FinishReason, GenerateOptions, Piece, ScoreOptions
from ipfs_accel_cli.engines.text import Detokenizer, StopStrings
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.allocator import return_large_blocks
from ipfs_accel_cli.engines.torch.constrain import Constraint, constraint
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.sampling import choose
from ipfs_accel_cli.engines.torch.scoring import Scoring
from ipfs_accel_cli.engines.torch.weights import load_model


@dataclass(slots=True)
class _Continuation:
    """One request on its way: `pending` are the tokens that the model has not read yet."""

    options: GenerateOptions
    pending: list[int]
    text: Detokenizer
    stops: StopStrings
    generator: torch.Generator
    prompt_tokens: int
    tokens: int = 0
    cache: Any = None
    constraint: Constraint | None = None


class DecoderSession:
    """One loaded decoder. Every request has a cache of its own, so each step reads only what is new."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, device: torch.device, name: str
    ) -> None:
        self._model: Any = model
        self._tokenizer: Any = tokenizer
        self._device, self._name = device, name
        self._context = getattr(model.config, "max_position_embeddings", None)
        self._ends = _end_tokens(model, tokenizer)
        accepted = inspect.signature(model.forward).parameters
        # Logits of a long prompt can be larger than the model; only the last ones are read.
        self._extra = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
        self._active: dict[RequestId, _Continuation] = {}
        self._scoring = Scoring(model, tokenizer, device, name)

    def submit(self, request: Request) -> None:
        """Tokenize a prompt, a conversation, or texts to score; raise Invalid for what leaves no room or no start."""
        if isinstance(request.options, ScoreOptions):
            self._scoring.submit(request)
            return
        if not isinstance(request.options, GenerateOptions):
            raise Invalid(f"{self._name} was loaded to generate text, not to {request.kind}")
        ids = token_ids(self._tokenizer, request, self._name)
        check_room(len(ids), request.options.max_tokens, self._context, self._name)
        self._active[request.id] = _Continuation(
            request.options,
            ids,
            Detokenizer(self._decode, ids),
            StopStrings(request.options.stop),
            torch.Generator().manual_seed(request.options.seed),
            len(ids),
            constraint=constraint(self._tokenizer, request.options.schema, self._ends),
        )

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Make one token for each request, and read one window of what is scored."""
        done = list(self._scoring.step())
        for request, continuation in list(self._active.items()):
            with torch.inference_mode(), computing(self._name):
                token = self._next(continuation)
            piece = self._piece(continuation, token)
            if piece.finish_reason is not None:
                del self._active[request]
            done.append((request, Chunk(piece, finished=piece.finish_reason is not None)))
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request and its cache."""
        self._active.pop(request, None)
        self._scoring.abort(request)

    def close(self) -> None:
        """Let go of the weights and caches."""
        self._active.clear()
        self._scoring.close()
        self._model = None

    def _next(self, continuation: _Continuation) -> int:
        output = self._model(
            input_ids=torch.tensor([continuation.pending], device=self._device),
            past_key_values=continuation.cache,
            use_cache=True,
            **self._extra,
        )
        continuation.cache = getattr(output, "past_key_values", None)
        if continuation.cache is None:
            raise UnsupportedContent(f"{self._name}: {type(self._model).__name__} keeps no key-value cache")
        logits = output.logits[0, -1].float()
        if continuation.constraint is not None:
            logits = continuation.constraint.allowed(logits)
        token = choose(logits, continuation.options, continuation.generator)
        if continuation.constraint is not None:
            continuation.constraint.accept(token)
        continuation.pending = [token]
        return token

    def _piece(self, continuation: _Continuation, token: int) -> Piece:
        ended = token in self._ends
        continuation.tokens += not ended
        full = continuation.tokens >= continuation.options.max_tokens
        text, stopped = continuation.stops.feed("" if ended else continuation.text.feed(token))
        # JSON that is whole needs no token that says so.
        ended = ended or (continuation.constraint is not None and continuation.constraint.complete)
        if not stopped and (ended or full):
            rest, stopped = continuation.stops.feed(continuation.text.flush())
            text += rest if stopped else rest + continuation.stops.flush()
        reason: FinishReason | None = "stop" if ended or stopped else "length" if full else None
        return Piece(text, continuation.tokens, continuation.prompt_tokens, reason)

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> DecoderSession:
    """Load a decoder; raises as `Engine.load`."""
    return_large_blocks()
    decoder = writer(model, files, plan, spread=short(model, plan, device))
    return DecoderSession(decoder, load_tokenizer(files), torch.device(device.name), model.name)


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
