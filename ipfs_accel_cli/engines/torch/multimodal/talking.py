"""Sessions of models that talk about a picture: one token a step for every question."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines.base import Chunk, Device, ModelFacts, Plan, Request, RequestId
from ipfs_accel_cli.engines.exchange.multimodal import Question
from ipfs_accel_cli.engines.exchange.text import FinishReason, GenerateOptions, Piece
from ipfs_accel_cli.engines.text import Detokenizer, StopStrings
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.multimodal.inputs import context_of, end_tokens, load_both, read_config, seen
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.sampling import choose
from ipfs_accel_cli.engines.torch.weights import load_model


@dataclass(slots=True)
class _Talk:
    """One answer on its way: `inputs` are what the model has not read yet."""

    options: GenerateOptions
    inputs: dict[str, Any]
    text: Detokenizer
    stops: StopStrings
    generator: torch.Generator
    prompt_tokens: int
    tokens: int = 0
    begun: bool = False
    cache: Any = None


class TalkSession:
    """One loaded model. Every question has a cache of its own, and its picture is looked at once."""

    def __init__(self, model: Any, processor: Any, device: torch.device, name: str) -> None:
        self._model: Any = model
        self._processor, self._device, self._name = processor, device, name
        self._context = context_of(model.config)
        self._ends = end_tokens(model, processor.tokenizer)
        accepted = inspect.signature(model.forward).parameters
        self._extra = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
        self._active: dict[RequestId, _Talk] = {}

    def submit(self, request: Request) -> None:
        """Read a question and its picture; raise Invalid for one that leaves no room for an answer."""
        if not isinstance(request.payload, Question) or not isinstance(request.options, GenerateOptions):
            raise Invalid(f"{self._name} was loaded to answer questions about pictures, not to {request.kind}")
        options = request.options
        inputs = self._inputs(request.payload)
        ids = inputs["input_ids"][0].tolist()
        needed = len(ids) + options.max_tokens
        if self._context is not None and needed > self._context:
            raise Invalid(
                f"picture and question are {len(ids)} tokens, and {options.max_tokens} new ones make {needed}; "
                f"{self._name} reads {self._context} at most",
                suggestion=f"--max-tokens {self._context - len(ids)}" if len(ids) < self._context else None,
            )
        self._active[request.id] = _Talk(
            options,
            inputs,
            Detokenizer(self._decode, ids),
            StopStrings(options.stop),
            torch.Generator().manual_seed(options.seed),
            len(ids),
        )

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Make one token for each question."""
        done = []
        for request, talk in list(self._active.items()):
            with torch.inference_mode(), computing(self._name):
                token = self._next(talk)
            piece = self._piece(talk, token)
            if piece.finish_reason is not None:
                del self._active[request]
            done.append((request, Chunk(piece, finished=piece.finish_reason is not None)))
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a question and its cache."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights and caches."""
        self._active.clear()
        self._model = None

    def _inputs(self, question: Question) -> dict[str, Any]:
        processor = self._processor
        mark = str(getattr(processor, "image_token", None) or "<image>")
        if mark in question.text:
            raise Invalid(f"the question holds {mark!r}, which stands for a picture to {self._name}")
        if getattr(processor, "chat_template", None):
            content = [{"type": "image"}, {"type": "text", "text": question.text}]
            turns = [{"role": "user", "content": content}]
            text = processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        else:
            text = f"{mark}\n{question.text}"
        return seen(processor, [question.image], self._device, text=[text])

    def _next(self, talk: _Talk) -> int:
        output = self._model(**talk.inputs, past_key_values=talk.cache, use_cache=True, **self._extra)
        talk.cache = getattr(output, "past_key_values", None)
        if talk.cache is None:
            raise UnsupportedContent(f"{self._name}: {type(self._model).__name__} keeps no key-value cache")
        token = choose(output.logits[0, -1].float(), talk.options, talk.generator)
        talk.inputs = {"input_ids": torch.tensor([[token]], device=self._device)}
        return token

    def _piece(self, talk: _Talk, token: int) -> Piece:
        ended = token in self._ends
        talk.tokens += not ended
        full = talk.tokens >= talk.options.max_tokens
        text, stopped = talk.stops.feed("" if ended else self._fresh(talk, talk.text.feed(token)))
        if not stopped and (ended or full):
            rest, stopped = talk.stops.feed(self._fresh(talk, talk.text.flush()))
            text += rest if stopped else rest + talk.stops.flush()
        reason: FinishReason | None = "stop" if ended or stopped else "length" if full else None
        return Piece(text, talk.tokens, talk.prompt_tokens, reason)

    def _fresh(self, talk: _Talk, text: str) -> str:
        """Return new text; what divides the answer from the question is no part of it."""
        if not talk.begun:
            text = text.lstrip()
            talk.begun = bool(text)
        return text

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._processor.tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text


def talker(model: ModelFacts, files: Path, plan: Plan, device: Device) -> TalkSession:
    """Load a model that talks about pictures; raises as `Engine.load`."""
    config = read_config(files)
    head = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES.get(config.model_type)
    if head is None or (config.architectures and head not in config.architectures):
        raise UnsupportedContent(
            f"{model.name} cannot talk about pictures: {', '.join(config.architectures or ['it'])} has no head for it"
        )
    loaded = load_model(AutoModelForImageTextToText, files, plan, spread=short(model, plan, device))
    return TalkSession(loaded, load_both(files), torch.device(device.name), model.name)
