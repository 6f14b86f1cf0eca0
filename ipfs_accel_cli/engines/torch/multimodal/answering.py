"""Sessions that answer questions about pictures with one look: a head that chooses an answer, or writes it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForVisualQuestionAnswering

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Device, ModelFacts, Plan, Request, RequestId, Session
from ipfs_accel_cli.engines.exchange.multimodal import Question
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Piece
from ipfs_accel_cli.engines.text import StopStrings
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.multimodal.drawing import generated, until
from ipfs_accel_cli.engines.torch.multimodal.inputs import context_of, end_tokens, load_eyes, read_config, seen
from ipfs_accel_cli.engines.torch.multimodal.talking import talker
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.sampling import choose
from ipfs_accel_cli.engines.torch.weights import load_model

_CHOOSES, _WRITES = "ViltForQuestionAnswering", "BlipForQuestionAnswering"
# Takes the inputs, the options; gives the answer, its tokens and whether it is complete.
Answer = Callable[[dict[str, Any], GenerateOptions], tuple[str, int, bool]]


class LookSession:
    """One loaded model. A step answers one question of each request, whole."""

    def __init__(
        self, answer: Answer, eyes: Any, tokenizer: Any, context: int | None, device: torch.device, name: str
    ) -> None:
        self._answer: Answer | None = answer
        self._eyes, self._tokenizer, self._context = eyes, tokenizer, context
        self._device, self._name = device, name
        self._active: dict[RequestId, tuple[dict[str, Any], GenerateOptions]] = {}

    def submit(self, request: Request) -> None:
        """Take a question on; raise Invalid for one that is longer than the model reads."""
        if not isinstance(request.payload, Question) or not isinstance(request.options, GenerateOptions):
            raise Invalid(f"{self._name} was loaded to answer questions about pictures, not to {request.kind}")
        ids = list(self._tokenizer(request.payload.text)["input_ids"])
        if self._context is not None and len(ids) > self._context:
            raise Invalid(f"the question has {len(ids)} tokens; {self._name} reads {self._context} at most")
        inputs = seen(self._eyes, [request.payload.image], self._device)
        inputs["input_ids"] = torch.tensor([ids], device=self._device)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        self._active[request.id] = (inputs, request.options)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Answer every question that it holds."""
        done = []
        for request, (inputs, options) in list(self._active.items()):
            with torch.inference_mode(), computing(self._name):
                piece = self._piece(inputs, options)
            del self._active[request]
            done.append((request, Chunk(piece, finished=True)))
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a question."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._answer = None

    def _piece(self, inputs: dict[str, Any], options: GenerateOptions) -> Piece:
        if self._answer is None:
            raise Invalid(f"{self._name} was closed")
        text, tokens, complete = self._answer(inputs, options)
        stops = StopStrings(options.stop)
        shown, stopped = stops.feed(text)
        whole = shown if stopped else shown + stops.flush()
        return Piece(whole, tokens, inputs["input_ids"].shape[1], "stop" if complete or stopped else "length")


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> Session:
    """Load a model that answers questions about pictures; raises as `Engine.load`."""
    config = read_config(files)
    names = list(config.architectures or ())
    if _CHOOSES not in names and _WRITES not in names:
        return talker(model, files, plan, device)
    loaded = load_model(AutoModelForVisualQuestionAnswering, files, plan, spread=short(model, plan, device))
    eyes, tokenizer = load_eyes(files), load_tokenizer(files)
    answer = _chosen(loaded) if _CHOOSES in names else _written(loaded, tokenizer)
    return LookSession(answer, eyes, tokenizer, context_of(config), torch.device(device.name), model.name)


def _chosen(model: Any) -> Answer:
    names: dict[int, str] = model.config.id2label

    def answer(inputs: dict[str, Any], options: GenerateOptions) -> tuple[str, int, bool]:
        logits = model(**inputs).logits[0].float()
        return names[choose(logits, options, torch.Generator().manual_seed(options.seed))], 1, True

    return answer


def _written(model: Any, tokenizer: Any) -> Answer:
    ends = end_tokens(model, tokenizer)

    def answer(inputs: dict[str, Any], options: GenerateOptions) -> tuple[str, int, bool]:
        (row,) = generated(model, inputs, options, [options.seed])
        written, complete = until(row[1:], ends)
        return tokenizer.decode(written, skip_special_tokens=True).strip(), len(written), complete

    return answer
