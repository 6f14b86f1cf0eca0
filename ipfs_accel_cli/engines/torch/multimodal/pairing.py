"""Sessions of models that put pictures and texts into one space."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModel

from ipfs_accel_cli.core.errors import Invalid, MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Chunk, Device, ModelFacts, Plan, Request, RequestId
from ipfs_accel_cli.engines.exchange.image import ImageOptions, Images
from ipfs_accel_cli.engines.exchange.multimodal import Paired
from ipfs_accel_cli.engines.exchange.text import Texts
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.multimodal.inputs import context_of, load_eyes, read_config, seen
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.weights import load_model


@dataclass(slots=True)
class _Work:
    """What is left of one request, texts or pictures: positions and tensors of each batch."""

    written: bool
    left: deque[tuple[tuple[int, ...], dict[str, Any]]]
    truncated: int


class PairSession:
    """One loaded pair of encoders. A step takes one batch of each request."""

    def __init__(self, model: Any, eyes: Any, tokenizer: Any, device: torch.device, name: str) -> None:
        self._model: Any = model
        self._eyes, self._tokenizer, self._device, self._name = eyes, tokenizer, device, name
        self._context = context_of(model.config)
        # SigLIP was trained on texts that fill its context, each judged for itself (Zhai et al. 2023).
        self._several = hasattr(model, "logit_bias")
        self._scale = float(model.logit_scale.detach().exp())
        self._bias = float(model.logit_bias.detach()) if self._several else 0.0
        self._active: dict[RequestId, _Work] = {}

    def submit(self, request: Request) -> None:
        """Take texts or pictures on; raise Invalid for anything else."""
        payload, options = request.payload, request.options
        if not isinstance(payload, Texts | Images) or not isinstance(options, ImageOptions):
            raise Invalid(f"{self._name} was loaded to pair pictures and texts, not to {request.kind}")
        written = isinstance(payload, Texts)
        items: Sequence[Any] = payload.texts if isinstance(payload, Texts) else payload.images
        batches = [tuple(range(at, min(at + options.batch, len(items)))) for at in range(0, len(items), options.batch)]
        left = deque((batch, self._read(written, [items[at] for at in batch])) for batch in batches)
        self._active[request.id] = _Work(written, left, self._cut(items) if written else 0)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Run one batch of each request."""
        done = []
        for request, work in list(self._active.items()):
            batch, inputs = work.left.popleft()
            with torch.inference_mode(), computing(self._name):
                rows = self._rows(work.written, inputs)
            if not numpy.isfinite(rows).all():
                raise MalformedContent(f"{self._name} answers with values that are no numbers; its weights are damaged")
            if not work.left:
                del self._active[request]
            found = Paired(batch, rows, self._scale, self._bias, self._several, work.truncated)
            done.append((request, Chunk(found, finished=not work.left)))
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._model = None

    def _rows(self, written: bool, inputs: dict[str, Any]) -> NDArray[numpy.float32]:
        if self._model is None:
            raise Invalid(f"{self._name} was closed")
        made = self._model.get_text_features(**inputs) if written else self._model.get_image_features(**inputs)
        rows: Tensor = made if isinstance(made, Tensor) else made.pooler_output
        unit: NDArray[numpy.float32] = torch.nn.functional.normalize(rows.float(), dim=-1).cpu().numpy()
        return unit

    def _read(self, written: bool, items: list[Any]) -> dict[str, Any]:
        if not written:
            return seen(self._eyes, items, self._device)
        limit = self._context
        padding: str | bool = "max_length" if self._several else True
        encoded = self._tokenizer(
            items, padding=padding, truncation=limit is not None, max_length=limit, return_tensors="pt"
        )
        names = ("input_ids",) if self._several else ("input_ids", "attention_mask")
        return {name: encoded[name].to(self._device) for name in names}

    def _cut(self, texts: Sequence[str]) -> int:
        """Count the texts that are longer than the model reads."""
        limit = self._context or 1 << 30
        return sum(len(row) > limit for row in self._tokenizer(list(texts))["input_ids"])


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> PairSession:
    """Load a pair of encoders; raises as `Engine.load`."""
    read_config(files)
    pair = load_model(AutoModel, files, plan, spread=short(model, plan, device))
    if not all(hasattr(pair, name) for name in ("get_image_features", "get_text_features", "logit_scale")):
        raise UnsupportedContent(f"{model.name} does not put pictures and texts into one space")
    return PairSession(pair, load_eyes(files), load_tokenizer(files), torch.device(device.name), model.name)
