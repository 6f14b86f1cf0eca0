"""Sessions that put pictures into words, a batch of each request a step."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines.base import Chunk, Device, ModelFacts, Plan, Request, RequestId, Session
from ipfs_accel_cli.engines.exchange.image import Images
from ipfs_accel_cli.engines.exchange.multimodal import CaptionOptions, Captions
from ipfs_accel_cli.engines.exchange.text import GenerateOptions
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.multimodal.drawing import generated, until
from ipfs_accel_cli.engines.torch.multimodal.inputs import context_of, end_tokens, load_eyes, read_config, seen
from ipfs_accel_cli.engines.torch.multimodal.talking import talker
from ipfs_accel_cli.engines.torch.multimodal.telling import ToldSession
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.weights import load_model

# Those that are shown a picture and begin to write; all others have to be told what to do.
_CAPTIONERS = ("BlipForConditionalGeneration", "GitForCausalLM", "VisionEncoderDecoderModel")
# Where the words that a caption begins with go in.
_BEGINNINGS = {"VisionEncoderDecoderModel": "decoder_input_ids"}


@dataclass(slots=True)
class _Work:
    """What is left of one request: positions and tensors of each batch, and the tokens that captions begin with."""

    options: CaptionOptions
    begin: list[int]
    left: deque[tuple[list[int], dict[str, Any]]]


class CaptionSession:
    """One loaded captioner."""

    def __init__(self, model: Any, eyes: Any, tokenizer: Any, device: torch.device, name: str) -> None:
        self._model: Any = model
        self._eyes, self._tokenizer, self._device, self._name = eyes, tokenizer, device, name
        self._context = context_of(model.config)
        self._ends = end_tokens(model, tokenizer)
        self._active: dict[RequestId, _Work] = {}

    def submit(self, request: Request) -> None:
        """Take pictures on; raise Invalid for anything else, and for a beginning that leaves no room."""
        if not isinstance(request.payload, Images) or not isinstance(request.options, CaptionOptions):
            raise Invalid(f"{self._name} was loaded to caption pictures, not to {request.kind}")
        images, options = request.payload.images, request.options
        begin = self._begin(options.begin)
        if self._context is not None and len(begin) >= self._context:
            raise Invalid(f"the beginning has {len(begin)} tokens; {self._name} writes {self._context} at most")
        batches = [list(range(at, min(at + options.batch, len(images)))) for at in range(0, len(images), options.batch)]
        left = deque((batch, seen(self._eyes, [images[at] for at in batch], self._device)) for batch in batches)
        self._active[request.id] = _Work(options, begin, left)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Caption one batch of each request."""
        done = []
        for request, work in list(self._active.items()):
            with torch.inference_mode(), computing(self._name):
                captions = self._captions(work, *work.left.popleft())
            if not work.left:
                del self._active[request]
            done.append((request, Chunk(captions, finished=not work.left)))
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._model = None

    def _captions(self, work: _Work, batch: list[int], inputs: dict[str, Any]) -> Captions:
        if self._model is None:
            raise Invalid(f"{self._name} was closed")
        begin = work.begin
        if begin:
            place = _BEGINNINGS.get(type(self._model).__name__, "input_ids")
            inputs[place] = torch.tensor([begin] * len(batch), device=self._device)
        # One place is for what the text begins with in any case.
        room = (self._context or 1 << 30) - max(1, len(begin))
        options = GenerateOptions(min(work.options.max_tokens, room), work.options.temperature)
        rows = generated(self._model, inputs, options, [work.options.seed + at for at in batch])
        written = [until(row[max(1, len(begin)) :], self._ends)[0] for row in rows]
        texts = [self._tokenizer.decode([*begin, *row], skip_special_tokens=True).strip() for row in written]
        return Captions(tuple(batch), tuple(texts), tuple(map(len, written)))

    def _begin(self, text: str) -> list[int]:
        """Return the tokens to go on from; nothing leaves the model its own beginning."""
        if not text:
            return []
        ids = list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
        config = self._model.config
        if type(self._model).__name__ == "BlipForConditionalGeneration":
            # It replaces the first of its tokens by its own beginning, and drops the last.
            return [config.text_config.bos_token_id, *ids]
        first = getattr(self._model.generation_config, "decoder_start_token_id", None) or self._tokenizer.cls_token_id
        return [*([first] if first is not None else []), *ids]


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> Session:
    """Load a captioner, or a model that is told to caption; raises as `Engine.load`."""
    config = read_config(files)
    names = list(config.architectures or ())
    if not any(name in _CAPTIONERS for name in names):
        return ToldSession(talker(model, files, plan, device), model.name)
    if config.model_type == "vision-encoder-decoder" and not hasattr(config, "decoder"):
        raise UnsupportedContent(f"{model.name} has no decoder to write with")
    captioner = load_model(AutoModelForImageTextToText, files, plan, spread=short(model, plan, device))
    return CaptionSession(captioner, load_eyes(files), load_tokenizer(files), torch.device(device.name), model.name)
